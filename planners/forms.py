"""Forms of the registry: they parse and word errors; the rules are in the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crispy_forms.layout import HTML
from django import forms

from core.forms import LaidOut
from core.formtools import DayField, OnceMixin
from core.lookups import LookupField
from districts.policy.qualification import CERTIFICATES
from districts.policy.values import EffectivePolicy
from districts.services.policies import policy_in_force
from planners.models import Group, Institution, Planner, Team, TeamMember

if TYPE_CHECKING:
    from accounts.models import User

DEGREES = [
    ("", "请选择"),
    ("博士研究生", "博士研究生"),
    ("硕士研究生", "硕士研究生"),
    ("本科", "本科"),
    ("专科", "专科"),
    ("其他", "其他"),
]


class SuggestInput(forms.TextInput):
    """A text box that suggests words without limiting to them (a datalist)."""

    template_name = "planners/widgets/suggest.html"
    suggestions: tuple[str, ...] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["suggestions"] = self.suggestions
        if self.suggestions:
            context["widget"]["attrs"]["list"] = f"{name}-suggestions"
        return context


class PlannerForm(LaidOut, OnceMixin, forms.ModelForm):
    """Stored numbers are never sent back to the browser: an empty box keeps what is there."""

    form_attrs = {"autocomplete": "off"}
    rows = (
        HTML("{% include 'planners/_namesakes.html' %}"),
        ("name", "identity_kind", "identity_number", "phone"),
        ("institution", "profession", "title", "education", "practising_since"),
        "registrations", "is_secondee", "is_active", "note",
    )  # fmt: skip

    identity_number = forms.CharField(label="证件号码", required=False, max_length=30)
    phone = forms.CharField(label="电话", required=False, max_length=20)
    institution = LookupField(
        Institution.objects.all(), url_name="planners:institution-lookup", label="设计单位", required=False
    )
    registrations = forms.MultipleChoiceField(
        label="执业资格", required=False, choices=list(CERTIFICATES.items()), widget=forms.CheckboxSelectMultiple
    )
    education = forms.ChoiceField(label="学历", required=False, choices=DEGREES)
    practising_since = DayField(label="从业起始日期", required=False)
    confirm_namesake = forms.BooleanField(label="已核对，与上述同名规划师不是同一人", required=False)

    class Meta:
        model = Planner
        fields = [
            "name", "identity_kind", "identity_number", "phone", "institution", "profession", "title",
            "registrations", "education", "practising_since", "is_secondee", "is_active", "note",
        ]  # fmt: skip
        widgets = {"note": forms.Textarea(attrs={"rows": 3}), "profession": SuggestInput}
        help_texts = {"is_secondee": "公务人员由上级下派；是否领取报酬依制度方案。"}

    def __init__(self, *args: Any, policy: EffectivePolicy | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        professions = policy.value("roles.professions") if policy is not None else None
        self.fields["profession"].widget.suggestions = tuple(professions or ())
        self._kept = {name: getattr(self.instance, name) or "" for name in ("identity_number", "phone")}
        for name, kept in self._kept.items():
            self.initial[name] = ""
            if kept:
                self.fields[name].help_text = "已登记，留空则不变。"
        if not self.instance.pk:
            del self.fields["is_active"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, kept in self._kept.items():
            data[name] = data.get(name) or kept
        return data


class InstitutionForm(LaidOut, OnceMixin, forms.ModelForm):
    class Meta:
        model = Institution
        fields = ["name", "grade", "city", "is_first_tier_city"]
        widgets = {"is_first_tier_city": forms.NullBooleanSelect}
        help_texts = {"grade": "如：甲级、乙级。"}


class TeamForm(LaidOut, OnceMixin, forms.ModelForm):
    institution = LookupField(
        Institution.objects.all(), url_name="planners:institution-lookup", label="设计单位", required=False
    )

    class Meta:
        model = Team
        fields = ["name", "institution"]


class LeadForm(LaidOut, forms.Form):
    planner = forms.ModelChoiceField(Planner.objects.none(), label="领衔规划师", empty_label="请选择成员")
    # Whom the page showed as lead, so that two officers do not overwrite each other.
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, members: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["planner"].queryset = members  # type: ignore[attr-defined]


class GroupForm(LaidOut, OnceMixin, forms.Form):
    name = forms.CharField(label="小组名称", max_length=60)


class MemberForm(LaidOut, OnceMixin, forms.Form):
    planner = LookupField(Planner.objects.none(), url_name="planners:planner-lookup", label="规划师")
    group = forms.ModelChoiceField(Group.objects.none(), label="小组", required=False, empty_label="不分组")
    start = DayField(label="加入日期")
    end = DayField(label="退出日期", required=False)
    role_type = forms.ChoiceField(
        label="在团队中的类型", required=False, help_text="用于核对任职条件；领衔按合同的类型核对。"
    )

    def __init__(self, *args: Any, team: Team, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Planner.objects.visible_to(user).filter(locality_id=team.locality_id, is_active=True)
        self.fields["planner"].queryset = people  # type: ignore[attr-defined]
        self.fields["group"].queryset = team.groups.all()  # type: ignore[attr-defined]
        self.fields["role_type"].choices = member_roles(team)  # type: ignore[attr-defined]


class MemberRoleForm(LaidOut, forms.Form):
    role_type = forms.ChoiceField(label="在团队中的类型", required=False)

    def __init__(self, *args: Any, member: TeamMember, **kwargs: Any) -> None:
        super().__init__(*args, initial={"role_type": member.role_type}, **kwargs)
        self.fields["role_type"].choices = member_roles(member.team)  # type: ignore[attr-defined]


def member_roles(team: Team) -> list[tuple[str, str]]:
    """The role types of the policy in force where the team is."""
    policy = policy_in_force(team.locality)
    rows = (policy.value("roles.types") if policy is not None else None) or ()
    return [("", "未登记"), *((row["code"], row["title"]) for row in rows)]


class EndForm(LaidOut, forms.Form):
    """The last day of something that runs."""

    end = DayField(label="最后一天")


class RevealForm(forms.Form):
    reason = forms.CharField(label="查看原因", max_length=200, min_length=2, help_text="将记入审计记录。")
