"""Forms of stages: the gate, going back, votes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from core.forms import DayField, LaidOut
from core.formtools import OnceMixin
from core.permissions import Decision
from districts.policy.values import EffectivePolicy
from projects.forms import ReasonForm
from projects.gate import Gate
from projects.models import Project, Vote
from projects.review import VOTE_KEYS

_AREA = forms.Textarea(attrs={"rows": 3})


class DecideForm(LaidOut, OnceMixin, forms.Form):
    """What is asked depends on the gate: with proof, or where the pack asks for none, only the day and the number."""

    rows = (("decided_on", "approval_number"), "note", "waiver", "unconsulted")
    submit = "登记通过"
    decided_on = DayField(label="审批（验收）日期")
    approval_number = forms.CharField(label="审批文号", required=False, max_length=80)
    note = forms.CharField(label="备注", required=False, max_length=300)
    waiver = forms.CharField(label="免予征询的原因", required=False, max_length=300, widget=_AREA)
    unconsulted = forms.BooleanField(
        label="未经征询即通过（如实登记）", required=False,
        help_text="以红色显示并计数，同时告知规划主管部门；不影响审批本身。",
    )  # fmt: skip

    def __init__(self, *args: Any, gate: Gate, may_waive: Decision, may_move: Decision, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["decided_on"].initial = timezone.localdate()
        if gate.ground:
            del self.fields["waiver"], self.fields["unconsulted"]
            return
        if not may_waive:
            del self.fields["waiver"]
        elif not may_move:
            # Whoever may only waive has nothing else to record here.
            self.fields["waiver"].required = True
            del self.fields["unconsulted"]
        else:
            self.fields["waiver"].help_text = "您有权批准免予征询；填写原因即按免予征询登记。"


class GoBackForm(ReasonForm):
    rows = ("to", "reason")
    submit = "返回"
    to = forms.ChoiceField(label="返回到", widget=forms.RadioSelect)

    def __init__(self, *args: Any, stages: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(Project.Stage.choices)
        field: Any = self.fields["to"]
        field.choices = [(stage, labels[stage]) for stage in stages]
        field.initial = stages[-1] if stages else None


class VoteForm(LaidOut, OnceMixin, forms.ModelForm):
    rows = (("kind", "held_on"), "body", ("entitled", "in_favour", "against"), "outcome", "upload")
    submit = "登记"
    form_attrs = {"enctype": "multipart/form-data"}
    held_on = DayField(label="日期")
    upload = forms.FileField(label="扫描件", required=False, help_text="PDF、图片或 .docx。")

    class Meta:
        model = Vote
        fields = ["kind", "held_on", "body", "entitled", "in_favour", "against", "outcome"]
        widgets = {"outcome": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, policy: EffectivePolicy | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [kind for kind, key in VOTE_KEYS.items() if policy is not None and policy.get(key).is_set]
        field: Any = self.fields["kind"]
        field.choices = [(kind, Vote.Kind(kind).label) for kind in known]
