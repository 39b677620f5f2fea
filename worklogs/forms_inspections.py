"""Forms of inspections, made for a phone in one hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.forms import FullWidthTolerantMixin
from core.formtools import DayField
from core.lookups import LookupField
from planners.models import Planner
from projects.models import Project, ProjectFileVersion, ProjectParty, Rectification

from .forms import PhotosField
from .models import InspectionFinding, WorkLog
from .services.inspections import Pin, projects_of


class _Keyed(FullWidthTolerantMixin, forms.Form):
    """One record for each showing of the form, and the key under which its photos wait."""

    submission_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("submission_key", uuid4())

    @property
    def key(self) -> UUID | None:
        try:
            return self.fields["submission_key"].clean(self["submission_key"].value())
        except ValidationError:
            return None


class InspectionForm(_Keyed):
    """The visit: where, when, in a sentence. What was found is added afterwards, one by one."""

    project = LookupField(
        label="项目", queryset=Project.objects.none(), url_name="worklogs:inspection-projects",
        error_messages={"required": "请选择项目。", "invalid_choice": "请从您服务的项目中选择。"},
    )  # fmt: skip
    date = DayField(label="日期")
    slot = forms.ChoiceField(
        label="时段", choices=WorkLog.Slot.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择上午、下午或全天。"},
    )  # fmt: skip
    content = forms.CharField(
        label="巡查概况", max_length=2000, error_messages={"required": "请写明巡查了什么。"},
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "施工进度、总体情况"}),
    )  # fmt: skip
    place = forms.CharField(
        label="地点", required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    accept_same_time = forms.BooleanField(label="仍要保存", required=False)

    def __init__(self, *args: Any, planner: Planner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = projects_of(planner)  # type: ignore[attr-defined]
        self.initial.setdefault("date", timezone.localdate())
        self.fields["date"].widget.attrs["max"] = timezone.localdate().isoformat()

    def arguments(self) -> dict[str, Any]:
        """What `start_inspection` takes."""
        data = self.cleaned_data
        return {
            "project": data["project"], "on": data["date"], "slot": data["slot"], "content": data["content"],
            "place": data["place"], "submission_key": data["submission_key"],
            "accept_same_time": data["accept_same_time"],
        }  # fmt: skip


class PinForm(FullWidthTolerantMixin, forms.Form):
    """Where on which drawing; places in per cent, which a tap on the drawing fills in."""

    plan = forms.ModelChoiceField(
        ProjectFileVersion.objects.none(), label="平面图", required=False, empty_label="不标注"
    )
    x = forms.DecimalField(label="从左（%）", required=False, min_value=0, max_value=100, decimal_places=1)
    y = forms.DecimalField(label="从上（%）", required=False, min_value=0, max_value=100, decimal_places=1)

    def __init__(self, *args: Any, plans: Sequence[ProjectFileVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans = list(plans)
        field: Any = self.fields["plan"]
        field.queryset = ProjectFileVersion.objects.filter(pk__in=[plan.pk for plan in plans])
        if not self.plans:
            for name in ("plan", "x", "y"):
                del self.fields[name]
        for name in ("x", "y"):
            if name in self.fields:
                self.fields[name].widget.attrs["step"] = "0.1"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        placeless = data.get("x") is None or data.get("y") is None
        if data.get("plan") is not None and placeless and not {"x", "y"} & set(self.errors):
            self.add_error("plan", "请在图上点一下标注位置，或填写位置。")
        return data

    def pin(self) -> Pin | None:
        data = self.cleaned_data
        if data.get("plan") is None:
            return None
        return Pin(data["plan"], round(data["x"] * 10), round(data["y"] * 10))


class FindingForm(PinForm, _Keyed):
    """One finding: what kind, what was seen, photos and where they are; and what is to be mended by whom."""

    subject = forms.ChoiceField(
        label="类别", choices=Rectification.Subject.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择类别。"},
    )  # fmt: skip
    text = forms.CharField(
        label="发现", max_length=2000, error_messages={"required": "请写明发现了什么。"},
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "看到了什么，与审定方案有何出入"}),
    )  # fmt: skip
    photos = PhotosField(label="照片", required=False)
    mend = forms.BooleanField(label="需要整改", required=False)
    demand = forms.CharField(
        label="整改意见", max_length=2000, required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "应怎样整改"}),
    )  # fmt: skip
    basis = forms.CharField(
        label="依据", max_length=300, required=False,
        widget=forms.TextInput(attrs={"placeholder": "审定方案、规范或导则的条款", "autocomplete": "off"}),
    )  # fmt: skip
    contractor = forms.ModelChoiceField(
        ProjectParty.objects.none(), label="整改单位", required=False, empty_label="请选择"
    )
    due_on = DayField(label="整改期限", required=False)

    def __init__(
        self, *args: Any, project: Project, term: int | None, finding: InspectionFinding | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.finding = finding
        parties: Any = self.fields["contractor"]
        parties.queryset = project.parties.filter(is_active=True).order_by("role", "pk")
        parties.label_from_instance = lambda party: f"{party.get_role_display()} {party.name}"
        self.fields["due_on"].help_text = (
            f"不填则按制度规定的 {term} 天计算。" if term is not None else "制度未规定期限，由您确定；可不填。"
        )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("mend"):
            return {**data, "demand": "", "basis": "", "contractor": None, "due_on": None}
        if not data.get("demand") and "demand" not in self.errors:
            self.add_error("demand", "请写明整改意见。")
        if data.get("contractor") is None and "contractor" not in self.errors:
            self.add_error("contractor", "请选择整改单位。")
        return data

    def values(self) -> dict[str, Any]:
        """What `add_finding` and `change_finding` take."""
        return {name: self.cleaned_data[name] for name in (
            "subject", "text", "demand", "basis", "contractor", "due_on"
        )}  # fmt: skip


def initial_of(finding: InspectionFinding) -> dict[str, Any]:
    return {
        "subject": finding.subject, "text": finding.text, "mend": bool(finding.demand), "demand": finding.demand,
        "basis": finding.basis, "contractor": finding.contractor_id, "due_on": finding.due_on,
    }  # fmt: skip
