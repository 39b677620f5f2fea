"""Forms of the monthly report."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from districts.models import Charge
from planners.models import Planner
from planners.services.assignments import service_periods

from .filters import MonthField
from .querysets import month_of
from .services.monthly import LONGEST, SECTIONS


class StartReportForm(forms.Form):
    """Which month, and where."""

    month = MonthField(label="月份")
    charge = forms.ModelChoiceField(
        label="责任单元（项目）", queryset=Charge.objects.none(), widget=forms.RadioSelect, empty_label=None,
        error_messages={"required": "请选择责任单元（项目）。"},
    )  # fmt: skip

    def __init__(self, *args: Any, planner: Planner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        served = {period.charge_id for period in service_periods(planners=[planner.pk])}
        offered = Charge.objects.filter(pk__in=served).select_related("locality").order_by("kind", "name")
        self.fields["charge"].queryset = offered  # type: ignore[attr-defined]
        self.initial.setdefault("month", _last_month())
        if len(served) == 1:
            self.initial.setdefault("charge", next(iter(served)))


def _last_month() -> date:
    return month_of(date.fromordinal(timezone.localdate().replace(day=1).toordinal() - 1))


class ReportForm(forms.Form):
    """What the author writes, and the revision it was written on."""

    revision = forms.IntegerField(widget=forms.HiddenInput(attrs={"data-no-autosave": ""}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for section in SECTIONS:
            self.fields[section.code] = forms.CharField(
                label=section.title, required=False, max_length=LONGEST, help_text=section.help,
                widget=forms.Textarea(attrs={"rows": 6}),
            )  # fmt: skip

    def texts(self) -> dict[str, str]:
        return {section.code: self.cleaned_data[section.code] for section in SECTIONS}


class ChosenReportsForm(forms.Form):
    """The ticked reports of the list; which of them may be accepted is the service's to say."""

    reports = forms.TypedMultipleChoiceField(coerce=int, required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reports"]
        sent = self.data.getlist("reports") if hasattr(self.data, "getlist") else []
        field.choices = [  # type: ignore[attr-defined]
            (int(v), v) for v in sent[:200] if v.isascii() and v.isdigit() and len(v) < 19
        ]
        field.error_messages["required"] = "没有勾选任何月报。"
        field.error_messages["invalid_choice"] = "勾选的月报无效，请刷新后再试。"
