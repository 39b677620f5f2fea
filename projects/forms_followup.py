"""Forms of letters (函告) and of hard questions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from core.forms import DayField, DayInput, FullWidthTolerantMixin, LaidOut
from core.formtools import OnceMixin
from core.lookups import LookupField
from districts.models import Charge, Locality, Organisation
from planners.models import Planner
from projects.models import HardQuestion
from projects.services.questions import askers_in


class DispatchForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    submit = "生成函告"

    text = forms.CharField(
        label="函告内容", max_length=4000, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="意见逐条列在正文之后，不必重复填写。",
    )  # fmt: skip


class NumberForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    rows = (("office_number", "on"),)
    submit = "登记"

    office_number = forms.CharField(label="发文字号", max_length=80, help_text="办公系统发出后的字号。")
    on = DayField(label="发文日期", widget=DayInput(), initial=timezone.localdate)


class StepForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    rows = ("on", "note")
    submit = "办结这一步"

    on = DayField(label="完成日期", widget=DayInput(), initial=timezone.localdate)
    note = forms.CharField(label="办理情况", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class QuestionForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.ModelForm):
    rows = ("title", "text", ("asker", "planner", "charge", "due_on"))
    submit = "提出"

    planner = LookupField(Planner.objects.none(), url_name="planners:planner-lookup", label="责任规划师")
    charge = forms.ModelChoiceField(Charge.objects.none(), label="责任单元（项目）", required=False)
    due_on = DayField(label="希望答复日期", required=False, widget=DayInput())

    class Meta:
        model = HardQuestion
        fields = ["title", "text", "asker", "planner", "charge", "due_on"]
        widgets = {"text": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args: Any, locality: Locality, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        bodies = askers_in(locality)
        fields["asker"].queryset = Organisation.objects.filter(pk__in=[one.pk for one in bodies])
        if len(bodies) == 1:
            fields["asker"].initial = bodies[0]
        fields["planner"].queryset = Planner.objects.visible_to(user).filter(is_active=True)
        charges = Charge.objects.filter(locality=locality).order_by("name")
        if charges.count() > 200:
            del fields["charge"]
        else:
            fields["charge"].queryset = charges


class AnswerForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    submit = "提交解答"

    answer = forms.CharField(label="解答", max_length=4000, widget=forms.Textarea(attrs={"rows": 8}))


class ReasonForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    submit = "撤回"

    reason = forms.CharField(label="原因", max_length=300)


class ReassignForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    rows = ("planner", "reason")
    submit = "改由他人解答"

    planner = LookupField(Planner.objects.none(), url_name="planners:planner-lookup", label="责任规划师")
    reason = forms.CharField(label="原因", max_length=300)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["planner"].queryset = Planner.objects.visible_to(user).filter(is_active=True)
