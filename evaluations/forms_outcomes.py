"""Forms of what follows deliberation: they parse and word errors; the rules are in the services."""

from __future__ import annotations

from typing import Any

from django import forms

from core.forms import DayField, LaidOut
from core.formtools import OnceMixin
from districts.models import Locality, Organisation
from evaluations.models import Publication
from evaluations.services.publications import PUBLIC_FIELDS

TEXT = 2000


def _area(label: str, *, rows: int = 4, required: bool = True, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=TEXT,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class ObjectionForm(OnceMixin, LaidOut, forms.Form):
    submit = "提出异议"

    grounds = _area("异议理由", rows=6, help_text="写明对哪一项有异议、事实是什么。")
    evidence = forms.FileField(
        label="证明材料", required=False, help_text="PDF、图片、Word 或 Excel；涉密信息不得上传。"
    )


class DecisionForm(LaidOut, forms.Form):
    submit = "作出决定"
    rows = ("outcome", ("to_score", "to_grade"), "decision")

    outcome = forms.ChoiceField(
        label="复核结论", choices=[("reject", "维持原结果"), ("uphold", "异议成立，更正结果")], widget=forms.RadioSelect
    )
    to_score = forms.DecimalField(
        label="更正后的得分", required=False, min_value=0, max_value=100, decimal_places=2, max_digits=5,
        help_text="仅异议成立时填写。",
    )  # fmt: skip
    to_grade = forms.ChoiceField(label="更正后的等级", required=False, help_text="不选则按分数线确定。")
    decision = _area("复核意见", rows=5, help_text="将告知提出人，复核结果为最终结果。")

    def __init__(self, *args: Any, grades: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = [("", "按分数线"), *((grade, grade) for grade in grades)]
        self.fields["to_grade"].choices = choices  # type: ignore[attr-defined]
        if not grades:
            del self.fields["to_grade"]


class ReplyForm(forms.Form):
    text = _area("回复", rows=3, required=False, help_text="可以不填，提交即表示已阅知。")


class AnswerForm(LaidOut, forms.Form):
    submit = "提交回应"
    rows = ("statement", "measures", "due_on")

    statement = _area("回应")
    measures = _area("改进措施", required=False)
    due_on = DayField(label="改进期限", required=False, help_text="填写了改进措施的，须写明期限。")


class OutcomeForm(LaidOut, forms.Form):
    submit = "报告改进情况"

    outcome = _area("改进情况")


class AgainForm(LaidOut, forms.Form):
    submit = "要求继续改进"

    reason = _area("原因", rows=3)
    due_on = DayField(label="新的改进期限")


class ReasonForm(forms.Form):
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class PublicationForm(LaidOut, forms.Form):
    submit = "拟稿并核对"
    rows = ("kind", "fields_", "directions")

    kind = forms.ChoiceField(label="类别", choices=Publication.Kind.choices, widget=forms.RadioSelect)
    fields_ = forms.MultipleChoiceField(
        label="公开字段", choices=[(name, label) for name, (label, _) in PUBLIC_FIELDS.items()],
        widget=forms.CheckboxSelectMultiple, initial=["subject", "grade"],
        help_text="只公开所选字段；电话、证件号码和评估表内容不在可选之列。",
    )  # fmt: skip
    directions = forms.MultipleChoiceField(
        label="公开哪一方的结果", choices=[("planner", "责任规划师"), ("department", "主管单位")],
        widget=forms.CheckboxSelectMultiple, initial=["planner"],
    )  # fmt: skip

    def __init__(self, *args: Any, directions: tuple[str, ...], kinds: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, allowed in (("directions", directions), ("kind", kinds)):
            field: Any = self.fields[name]
            field.choices = [choice for choice in field.choices if choice[0] in allowed]
            if name == "kind" and len(field.choices) == 1:
                field.initial = field.choices[0][0]
        if len(directions) == 1:
            self.fields["directions"].initial = list(directions)


class ReviewForm(LaidOut, forms.Form):
    revision = forms.IntegerField(widget=forms.HiddenInput)
    findings = _area("主要问题", rows=6, required=False)
    proposals = _area("改进建议", rows=6, required=False)


class YearForm(forms.Form):
    year = forms.IntegerField(label="年度", min_value=2000, max_value=2100)


class InspectionForm(OnceMixin, LaidOut, forms.Form):
    submit = "登记并通知"
    rows = ("locality", "organisation", ("held_on", "due_on"), "findings", "demands")

    locality = forms.ModelChoiceField(label="受督查地方", queryset=Locality.objects.none())
    organisation = forms.ModelChoiceField(
        label="受督查单位",
        queryset=Organisation.objects.none(),
        required=False,
        help_text="对整个地方督查的，可以不选。",
    )
    held_on = DayField(label="督查日期")
    due_on = DayField(label="整改期限")
    findings = _area("督查发现")
    demands = _area("整改要求")

    def __init__(self, *args: Any, places: Any, offices: Any, office_required: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: dict[str, Any] = self.fields
        chosen["locality"].queryset, chosen["organisation"].queryset = places, offices
        if office_required:
            self.fields["organisation"].required = True
            self.fields["organisation"].help_text = ""
        if places.count() == 1:
            self.fields["locality"].initial = places.get()


class CircularForm(OnceMixin, LaidOut, forms.Form):
    submit = "保存拟稿"
    rows = ("title", ("start", "end"), "text")

    title = forms.CharField(label="标题", max_length=100)
    start = DayField(label="期间起")
    end = DayField(label="期间止")
    text = _area("通报内容", rows=8)
