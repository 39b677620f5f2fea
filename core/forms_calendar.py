"""The form by which a year's notice is entered: it reads the text; the rules are in core.calendar_notice."""

from __future__ import annotations

from typing import Any

from django import forms

from core.calendar import days_of, notice_title
from core.calendar_notice import Checked, NoticeRead, as_table, check_notice, digest, read_notice_text
from core.formtools import DayField, OnceMixin
from core.models import CalendarYear


class NoticeForm(OnceMixin, forms.Form):
    """`read` and `checked`: what the text says, once the form has been looked at. `entry`: the year as it stands."""

    title = forms.CharField(label="通知名称", max_length=200)
    notice_number = forms.CharField(label="通知文号", max_length=60, required=False)
    notice_date = DayField(label="发文日期", required=False)
    text = forms.CharField(
        label="放假安排", max_length=6000, widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="粘贴通知中各节日的放假安排；也可以逐日填写，每行一天，如“2026-02-14 上班 春节”。",
    )  # fmt: skip
    reason = forms.CharField(
        label="更正原因", max_length=300, widget=forms.Textarea(attrs={"rows": 2}), required=False,
        help_text="公布更正时必填；原来的版本保留，可以查阅。",
    )  # fmt: skip
    scan = forms.FileField(label="通知扫描件", required=False, help_text="PDF、Word 或图片，可以不传。")
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=32767)

    def __init__(self, *args: Any, year: int, entry: CalendarYear | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.year = year
        self.read, self.checked = NoticeRead(), Checked((), (), ())
        latest = entry.notices.first() if entry is not None else None
        self.initial.update(title=notice_title(year), seen=latest.number if latest else 0)
        if entry is None or entry.status == CalendarYear.Status.PROVISIONAL:
            del self.fields["reason"]
        elif latest is None:
            self.initial["text"] = as_table(*days_of(year))
        else:
            self.initial.update(
                title=latest.title, notice_number=latest.notice_number, notice_date=latest.notice_date,
                text=latest.text or as_table(latest.days_off(), latest.days_worked()),
            )  # fmt: skip

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        self.read = read_notice_text(text, year=self.year)
        self.checked = check_notice(self.year, self.read.holidays, self.read.makeup)
        # Missing days follow from lines that could not be read: first things first.
        if problems := self.read.problems or list(self.checked.errors):
            raise forms.ValidationError(problems)
        return text

    @property
    def digest(self) -> str:
        """Tells what was looked at from what is sent to be published."""
        return digest(self.read.holidays, self.read.makeup)

    def write_as_table(self) -> None:
        """Show the days that were read one by one, to be mended by hand."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data["text"] = as_table(self.read.holidays, self.read.makeup)
        self.data = data
