"""Forms of projects: they parse and word errors; the rules are in the services."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Div
from django import forms
from django.db.models import Q

from accounts.roles import Role
from core.forms import DayField, LaidOut
from core.formtools import OnceMixin
from core.imports.cells import several
from core.lookups import LookupField, ManyLookupWidget
from districts.access import access_of
from districts.models import Locality, Organisation, Unit
from districts.policy.values import EffectivePolicy
from planners.models import Institution
from projects.models import KeyDate, Project, ProjectParty
from projects.querysets import offices_of
from projects.services.parties import PartyGiven

# More units than these are looked up by name; up to them one sees them all at once.
MOST_BOXES = 40


def tier_choices(policy: EffectivePolicy | None, current: str = "") -> list[tuple[str, str]]:
    """The tiers of the pack's table, in its words, and the one that a project already has."""
    rows = (policy.value("review.tiers") if policy is not None else None) or ()
    return _with(list(dict.fromkeys(row["title"] for row in rows)), current)


def area_choices(policy: EffectivePolicy | None, current: str = "") -> list[tuple[str, str]]:
    """What the pack says must be consulted on (review.mandatory_areas), in its words."""
    return _with(list((policy.value("review.mandatory_areas") if policy is not None else None) or ()), current)


def _with(words: list[str], current: str) -> list[tuple[str, str]]:
    return [(word, word) for word in dict.fromkeys([*words, *([current] if current else [])])]


class ProjectForm(LaidOut, OnceMixin, forms.ModelForm):
    """Registering asks for the parties and the two usual dates at once; later they are kept on the project's page."""

    rows = (
        ("number", "name", "kind", "tier", "stage", "owner"), "place", "summary", "mandatory_area",
        Div("units", css_class="street-choice"), "also_in", ("builder", "designer", "contractor"),
        ("start_on", "finish_on"), "not_the_same",
    )  # fmt: skip
    units = forms.ModelMultipleChoiceField(
        Unit.objects.none(), label="责任单元", required=False, widget=forms.CheckboxSelectMultiple
    )
    tier = forms.ChoiceField(label="项目等级", required=False)
    mandatory_area = forms.ChoiceField(
        label="必须咨询的地区和项目", required=False, help_text="属于其中一类的，方案审查前必须征询责任规划师。"
    )
    also_in = forms.ModelMultipleChoiceField(
        Locality.objects.none(), label="涉及的其他地方", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="项目跨地方的，勾选其他地方；那里的人员也能看到本项目。",
    )  # fmt: skip
    builder = forms.CharField(label="建设单位", required=False, max_length=300, help_text="多个用顿号分开。")
    designer = forms.CharField(
        label="设计单位", required=False, max_length=300, help_text="与登记的设计单位同名的，其规划师须回避本项目。"
    )
    contractor = forms.CharField(label="施工单位", required=False, max_length=300)
    start_on = DayField(label="开工日期", required=False)
    finish_on = DayField(label="计划竣工日期", required=False)
    not_the_same = forms.BooleanField(label="已核对，不是同一个项目", required=False)

    class Meta:
        model = Project
        fields = ["number", "name", "kind", "tier", "stage", "place", "summary", "mandatory_area", "units", "owner"]
        widgets = {"summary": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"stage": "可以从任一阶段开始。"}

    def __init__(
        self,
        *args: Any,
        locality: Locality,
        user: Any,
        policy: EffectivePolicy | None,
        alike: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        choices = tier_choices(policy, self.instance.tier)
        fields["tier"].choices = [("", "请选择" if choices else "未设定（制度方案未区分等级）"), *choices]
        areas = area_choices(policy, self.instance.mandatory_area)
        fields["mandatory_area"].choices = [("", "不属于"), *areas]
        units = Unit.objects.visible_to(user).filter(locality=locality)
        present = list(self.instance.units.values_list("pk", flat=True)) if self.instance.pk else []
        chosen = units.filter(Q(valid_to=None) | Q(pk__in=present))
        if chosen.count() > MOST_BOXES:
            fields["units"].widget = ManyLookupWidget("districts:unit-lookup")
        fields["units"].queryset = chosen.order_by("sort_key", "name")
        fields["owner"].queryset = Organisation.objects.filter(locality=locality, is_active=True)
        near = Q(parent=locality.parent_id) | Q(pk=locality.parent_id) if locality.parent_id else Q(parent=None)
        fields["also_in"].queryset = (
            Locality.objects.filter(near, is_active=True).exclude(pk=locality.pk).order_by("code")
        )
        if self.instance.pk:
            # The stage follows the rounds; parties and dates have their own places on the page.
            for name in ("stage", "builder", "designer", "contractor", "start_on", "finish_on"):
                del fields[name]
            self.initial.setdefault("also_in", list(self.instance.also_in.values_list("pk", flat=True)))
        if not areas:
            del fields["mandatory_area"]
        if not alike:
            del fields["not_the_same"]
        self._fit_role(user)

    def _fit_role(self, user: Any) -> None:
        fields: Any = self.fields
        access = access_of(user)
        if access.is_role(Role.UNIT):
            # A unit's office registers for its own unit; which other units belong is the bureau's to say.
            del fields["units"]
        if access.is_role(Role.DEPARTMENT):
            own = Organisation.objects.filter(pk__in=offices_of(access), is_active=True)
            fields["owner"].queryset, fields["owner"].required = own, True
            if not self.instance.owner_id:
                # What the form takes from a new project is nothing, and would win over the field's own.
                self.initial["owner"] = own.first()

    def parties(self) -> list[PartyGiven]:
        data = self.cleaned_data
        roles = ProjectParty.Role
        return [
            PartyGiven(role, name)
            for role in (roles.BUILDER, roles.DESIGNER, roles.CONTRACTOR)
            for name in several(data.get(role, "") or "")
        ]

    def key_dates(self) -> list[tuple[str, Any]]:
        return [("开工", self.cleaned_data.get("start_on")), ("计划竣工", self.cleaned_data.get("finish_on"))]


NOT_FIELDS = ("builder", "designer", "contractor", "start_on", "finish_on")


class PartyForm(LaidOut, OnceMixin, forms.ModelForm):
    """A stored number is never sent back to the browser: an empty box keeps it."""

    rows = (("role", "name"), "institution", ("contact", "phone"), "remove_phone", "is_active")
    institution = LookupField(
        Institution.objects.none(), url_name="planners:institution-lookup", label="登记的设计单位", required=False,
        help_text="与登记的设计单位同名的自动对应；其规划师须回避本项目。",
    )  # fmt: skip
    phone = forms.CharField(label="电话", required=False, max_length=20)
    remove_phone = forms.BooleanField(label="删除已登记的电话", required=False)

    class Meta:
        model = ProjectParty
        fields = ["role", "name", "institution", "contact", "phone", "is_active"]
        help_texts = {"is_active": "不再参与的取消勾选，已有的整改往来保留。"}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        institution: Any = self.fields["institution"]
        institution.queryset = Institution.objects.visible_to(user)
        self._kept = self.instance.phone or ""
        self.initial["phone"] = ""
        if not self.instance.pk:
            del self.fields["is_active"]
        if self._kept:
            self.fields["phone"].help_text = "已登记电话，留空则不变。"
        else:
            del self.fields["remove_phone"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("phone") and not data.get("remove_phone"):
            data["phone"] = self._kept
        data.pop("remove_phone", None)
        return data


class KeyDateForm(LaidOut, OnceMixin, forms.ModelForm):
    rows = (("title", "day"), "note")
    day = DayField(label="日期")

    class Meta:
        model = KeyDate
        fields = ["title", "day", "note"]
        help_texts = {"title": "如：开工、主体封顶、计划竣工。"}


class ReasonForm(LaidOut, forms.Form):
    """Why something is done; `submit` on the page's button comes from the page."""

    reason = forms.CharField(
        label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请填写原因。"},
    )  # fmt: skip
