"""Forms of the organisers: a round, its steps, who rates, how a form asks. They parse; rules are in the services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.roles import THREE_ADMINISTRATORS
from core.forms import DayField, FullWidthTolerantMixin, LaidOut
from core.formtools import OnceMixin
from core.lookups import LookupField
from districts.models import Locality, Membership, Organisation, Unit
from districts.policy.keys import SIDES
from evaluations.models import Form, Indicator, Round, RoundStep, Subject
from evaluations.periods import Period
from evaluations.plans import RoundPlan
from evaluations.services.assigning import EXCUSES, MAX_REASON

REASON = "写入办理记录，组织单位内部可见。"


def people_in(locality: Locality) -> QuerySet[User]:
    """Whoever may be named a rater: persons with a role here or in the city above."""
    places = [pk for pk in (locality.pk, locality.parent_id) if pk is not None]
    held = Membership.objects.valid_on(timezone.localdate()).filter(locality_id__in=places)
    return User.objects.filter(is_active=True, pk__in=held.exclude(role__in=THREE_ADMINISTRATORS).values("user_id"))


def reason_field(**kwargs: Any) -> forms.CharField:
    kwargs.setdefault("help_text", REASON)
    return forms.CharField(
        label="原因", max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}), **kwargs
    )  # fmt: skip


def person_field(locality: Locality, **kwargs: Any) -> LookupField:
    kwargs.setdefault("label", "评估人")
    return LookupField(people_in(locality), url_name="evaluations:rater-lookup", **kwargs)


class PrepareForm(FullWidthTolerantMixin, OnceMixin, LaidOut, forms.Form):
    """Which evaluation of which period, and whose forms it begins with."""

    submit = "建立并计算评估人"
    rows = ("plan", ("start", "end"), "copy_from")

    plan = forms.ChoiceField(
        label="评估和期间", widget=forms.RadioSelect,
        error_messages={
            "required": "请选择要建立的评估。", "invalid_choice": "所选评估已经建立（可能由他人建立），请在评估列表中查看。",
        },
    )  # fmt: skip
    start = DayField(label="期间起", required=False)
    end = DayField(label="期间止", required=False)
    copy_from = forms.ModelChoiceField(
        Round.objects.none(), label="沿用往期表样", required=False, empty_label="不沿用，按制度方案新建",
        help_text="沿用指标的打分方式、说明、须写明理由的分数、旁列数据和文字题；权重始终取自制度方案。",
    )  # fmt: skip

    def __init__(
        self, *args: Any, offered: Sequence[tuple[RoundPlan, Period]], plans: Sequence[RoundPlan],
        earlier: QuerySet[Round], **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        choices = [(f"{p.scope}/{t.start}/{t.end}", t.titled(p.title)) for p, t in offered]
        free = [plan for plan in plans if plan.period_kind in ("term", "other")]
        choices += [(f"{plan.scope}//", f"{plan.title}（另填起止日期）") for plan in free]
        self.fields["plan"].choices = choices
        if len(choices) == 1:
            self.fields["plan"].initial = choices[0][0]
        self.fields["copy_from"].queryset = earlier
        if not free:
            del self.fields["start"], self.fields["end"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("plan", "").endswith("//") and not (data.get("start") and data.get("end")):
            self.add_error("start", "请填写起止日期。")
        return data

    def chosen(self) -> tuple[str, date, date]:
        """Scope, first and last day."""
        scope, start, end = self.cleaned_data["plan"].split("/")
        if not start:
            return scope, self.cleaned_data["start"], self.cleaned_data["end"]
        return scope, date.fromisoformat(start), date.fromisoformat(end)


class WhyForm(LaidOut, forms.Form):
    """An act that takes nothing but a reason."""

    submit = "确定"
    reason = reason_field()


class OpenStepForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    submit = "开始填写"
    due_on = DayField(label="截止日期", help_text="当日 24 时前可以填写和提交，所有评估人相同。")


class ExtendForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    submit = "调整截止日期"
    due_on = DayField(label="新的截止日期", help_text="对所有评估人同时生效，并通知未提交的评估人。")
    reason = reason_field()


# --- who rates --------------------------------------------------------------------------------------------------


class NameForm(LaidOut, forms.Form):
    submit = "指定"

    def __init__(self, *args: Any, locality: Locality, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"] = person_field(locality)
        self.fields["reason"] = reason_field(required=needs_reason)


class ReplaceForm(LaidOut, forms.Form):
    submit = "改派"

    def __init__(self, *args: Any, locality: Locality, is_office: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = "不选的，由该单位现任人员中任一人填写。" if is_office else ""
        self.fields["person"] = person_field(locality, label="新的评估人", required=not is_office, help_text=words)
        self.fields["reason"] = reason_field()


class ExcuseForm(LaidOut, forms.Form):
    submit = "办理回避（不评）"
    kind = forms.ChoiceField(label="情形", choices=list(EXCUSES.items()), widget=forms.RadioSelect)
    reason = reason_field()


class ShareForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    submit = "调整份额"
    share = forms.DecimalField(
        label="份额", max_digits=8, decimal_places=2, help_text="同一主体内各评估人按份额折算，例如 2 和 1 即三分之二和三分之一。"
    )  # fmt: skip
    reason = reason_field()


class ReopenForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    submit = "重新开放"
    until = DayField(label="开放至", help_text="当日 24 时前由原填写人修改并提交。")
    reason = reason_field()


class AddRaterForm(FullWidthTolerantMixin, OnceMixin, LaidOut, forms.Form):
    """One more rater: of a side in a step, a person or an office."""

    submit = "增加评估人"
    rows = (("step", "side"), "person", ("unit", "organisation"), "share", "reason")

    step = forms.ModelChoiceField(RoundStep.objects.none(), label="步骤")
    side = forms.ChoiceField(label="评估主体")
    unit = LookupField(
        Unit.objects.none(), url_name="districts:unit-lookup", label="责任单元主管部门", required=False
    )  # fmt: skip
    organisation = LookupField(
        Organisation.objects.none(), url_name="districts:organisation-lookup", label="其他单位", required=False
    )  # fmt: skip
    share = forms.DecimalField(label="份额", max_digits=8, decimal_places=2, initial=1)
    reason = reason_field()

    def __init__(self, *args: Any, subject: Subject, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        round_ = subject.round
        steps = round_.steps.exclude(state="closed").order_by("number")
        sides = {side for step in steps for side in step.sides(subject.direction)}
        self.fields["step"].queryset = steps
        self.fields["step"].label_from_instance = lambda step: step.title
        self.fields["side"].choices = [("", "请选择"), *((key, label) for key, label in SIDES.items() if key in sides)]
        self.fields["person"] = person_field(
            round_.locality, label="人员", required=False, help_text="人员、责任单元主管部门、其他单位中只选一项。"
        )
        known = sorted(set(subject.sheets.counting().values_list("share", flat=True)))
        if known:
            # A share is one among others: beside 365 days a 1 would count for nothing.
            self.fields["share"].initial = format(known[-1].normalize(), "f")
            words = "、".join(format(share.normalize(), "f") for share in known)
            self.fields["share"].help_text = f"该对象现有评估人的份额：{words}。"
        self.fields["unit"].queryset = Unit.objects.visible_to(user)
        self.fields["organisation"].queryset = Organisation.objects.visible_to(user)


class BulkForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    """One act for the sheets that were ticked."""

    ACTS = (("name", "指定评估人"), ("replace", "改派"), ("excuse", "办理回避（不评）"), ("share", "调整份额"))
    submit = "办理所选"
    rows = ("act", ("person", "kind", "share"), "reason")

    act = forms.ChoiceField(label="对所选评估表", choices=ACTS)
    kind = forms.ChoiceField(label="回避情形", required=False, choices=[("", "请选择"), *EXCUSES.items()])
    share = forms.DecimalField(label="份额", required=False, max_digits=8, decimal_places=2)
    reason = reason_field()

    def __init__(self, *args: Any, locality: Locality, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"] = person_field(locality, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        wanted = {"name": "person", "excuse": "kind", "share": "share"}.get(data.get("act", ""))
        if wanted is not None and data.get(wanted) in (None, ""):
            self.add_error(wanted, "请填写这一项。")
        return data


# --- how a form asks ----------------------------------------------------------------------------------------------


class RevisedForm(FullWidthTolerantMixin, LaidOut, forms.Form):
    """Carries the revision of the form that its page was built from."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class FormForm(RevisedForm):
    title = forms.CharField(label="名称", max_length=80)
    note = forms.CharField(
        label="填写说明", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )  # fmt: skip


class LineForm(RevisedForm):
    """How a scored indicator is answered. It has no weight: the policy has it."""

    rows = (
        "note", "kind", ("low", "high", "increment"), ("source", "full_at"), ("comment_at_most", "comment_at_least"),
        "evidence", "is_required",
    )  # fmt: skip

    note = forms.CharField(label="说明", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    kind = forms.ChoiceField(
        label="方式", widget=forms.RadioSelect, choices=[c for c in Indicator.Kind.choices if c[0] != "text"]
    )  # fmt: skip
    low = forms.DecimalField(label="最低分", max_digits=6, decimal_places=2)
    high = forms.DecimalField(label="最高分", max_digits=6, decimal_places=2)
    increment = forms.DecimalField(
        label="分档", max_digits=6, decimal_places=2, help_text="不超过 11 档的，用选项；更多的，填数字。"
    )  # fmt: skip
    source = forms.ChoiceField(label="数据来源", required=False, help_text="只用于“由系统数据计分”，评估人不填。")
    full_at = forms.DecimalField(label="满分对应的数值", required=False, max_digits=10, decimal_places=2)
    comment_at_most = forms.DecimalField(
        label="折合不高于多少分时须写明理由", required=False, min_value=0, max_value=100, help_text="按百分制；留空则不要求。"
    )  # fmt: skip
    comment_at_least = forms.DecimalField(
        label="折合不低于多少分时须写明理由", required=False, min_value=0, max_value=100, help_text="按百分制；留空则不要求。"
    )  # fmt: skip
    evidence = forms.MultipleChoiceField(
        label="旁列的系统数据", required=False, widget=forms.CheckboxSelectMultiple, help_text="填写时列在该指标旁，由系统算出。"
    )  # fmt: skip
    is_required = forms.BooleanField(label="必填", required=False)

    def __init__(self, *args: Any, sources: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = [("", "不使用"), *sources]
        self.fields["evidence"].choices = list(sources)


class QuestionForm(OnceMixin, RevisedForm):
    submit = "增加"
    rows = ("title", "note", "is_required")

    title = forms.CharField(label="问题", max_length=60)
    note = forms.CharField(label="说明", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    is_required = forms.BooleanField(label="必填", required=False)


class EditQuestionForm(RevisedForm):
    rows = ("title", "note", "order", "is_required")

    title = forms.CharField(label="问题", max_length=60)
    note = forms.CharField(label="说明", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    order = forms.IntegerField(label="序号", min_value=1, max_value=99)
    is_required = forms.BooleanField(label="必填", required=False)


class CopyForm(RevisedForm):
    submit = "沿用"
    source = forms.ModelChoiceField(Form.objects.none(), label="沿用哪一份表样", empty_label="请选择")

    def __init__(self, *args: Any, form: Form, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Form.objects.filter(
            step__round__locality_id=form.step.round.locality_id, direction=form.direction
        ).exclude(pk=form.pk)  # fmt: skip
        self.fields["source"].queryset = rows.select_related("step__round").order_by("-step__round__start", "pk")
        self.fields["source"].label_from_instance = lambda row: f"{row.step.round}：{row.step.title}《{row.title}》"
