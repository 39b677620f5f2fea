"""Forms parse and word errors; the rules are in the services."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from core.forms import DayField, LaidOut
from evaluations.periods import Period
from evaluations.sections import MAX_LENGTH, SECTIONS


class OpenCycleForm(LaidOut, forms.Form):
    """Which period to open, and until when documents are due."""

    submit = "开启并建立草稿"

    period = forms.ChoiceField(label="期间", widget=forms.RadioSelect)
    due_on = DayField(label="截止日期", required=False, help_text="制度未规定期限的，由本次通知确定；可以不填。")
    recipient = forms.CharField(
        label="报送对象", required=False, max_length=80,
        help_text="印在文书抬头。制度写得简略的（如“政府”），请写机关全称；留空则不印抬头。",
    )  # fmt: skip

    def __init__(self, *args: Any, periods: list[Period], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].choices = [(f"{p.start}/{p.end}", p.label) for p in periods]
        if len(periods) == 1:
            self.fields["period"].initial = f"{periods[0].start}/{periods[0].end}"

    def dates(self) -> tuple[date, date]:
        """First and last day of the chosen period."""
        start, end = self.cleaned_data["period"].split("/")
        return date.fromisoformat(start), date.fromisoformat(end)


class ReportForm(forms.Form):
    """The author's sections, and the revision they were written on."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for section in SECTIONS:
            self.fields[section.code] = forms.CharField(
                label=section.title,
                required=False,
                strip=True,
                max_length=MAX_LENGTH,
                help_text=section.help,
                widget=forms.Textarea(attrs={"rows": 6, "data-section": section.code}),
            )

    def texts(self) -> dict[str, str]:
        """Only what was sent: autosave sends one section at a time."""
        return {s.code: self.cleaned_data[s.code] for s in SECTIONS if s.code in self.data}


class ReasonForm(forms.Form):
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
