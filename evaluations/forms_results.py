"""Forms of the working group."""

from __future__ import annotations

from typing import Any

from django import forms

from core.forms import DayField, FullWidthTolerantMixin, LaidOut
from core.idempotency import FIELD, new_key
from planners.models import Honour

NO_GRADE = "不评定等级"


class ChangeForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    """A changed score or grade, and why. `seen`: the last adjustment that the page was built from."""

    rows = (("to_score", "to_grade"), "reason", "seen")
    submit = "确认调整"

    to_score = forms.DecimalField(
        label="调整后得分", required=False, max_digits=5, decimal_places=2, min_value=0, max_value=100
    )
    to_grade = forms.ChoiceField(label="调整后等级", required=False)
    reason = forms.CharField(
        label="调整理由", max_length=500, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="记入审议纪要并告知受评对象，请勿写明评估人或引述单份评估表。",
    )  # fmt: skip
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)

    def __init__(self, *args: Any, grades: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to_grade"]
        field.choices = [("", NO_GRADE), *((grade, grade) for grade in grades)]
        if not grades:
            del self.fields["to_grade"]


class WhyForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class DeliberationForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    """A meeting of whoever approves."""

    rows = (("body", "held_on"), "attendees", "minutes", FIELD)
    submit = "登记审议"

    body = forms.CharField(label="审议机构", max_length=80)
    held_on = DayField(label="审议日期")
    attendees = forms.CharField(label="出席人员", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    minutes = forms.CharField(
        label="审议意见", max_length=5000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="结果、调整和用途由系统列入纪要，不必重复填写。",
    )  # fmt: skip
    submission_key = forms.CharField(widget=forms.HiddenInput, initial=new_key)


class RewardForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    """An honour that the rules name, for one of those whom they name."""

    rows = (("recipient", "kind"), ("title", "given_on"), FIELD)
    submit = "登记奖励"

    recipient = forms.ChoiceField(label="授予对象")
    kind = forms.ChoiceField(label="类别", choices=Honour.Kind.choices)
    title = forms.CharField(label="名称", max_length=120)
    given_on = DayField(label="授予日期")
    submission_key = forms.CharField(widget=forms.HiddenInput, initial=new_key)

    def __init__(self, *args: Any, recipients: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].choices = recipients  # type: ignore[attr-defined]
