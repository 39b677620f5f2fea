"""Forms of asking for an opinion: they parse and word errors; the rules are in the services."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Div
from django import forms
from django.db.models import Case, When

from core.filetypes import DOCUMENTS, IMAGES
from core.forms import FullWidthTolerantMixin, LaidOut
from core.formtools import DayField, OnceMixin
from core.lookups import LookupField
from planners.models import Planner
from projects.models import Consultation, Consultee, Project, ProjectFileVersion
from projects.services.choosing import Candidate
from projects.services.consultations import Request, Setting
from projects.services.extensions import MOST_DAYS

REASON = {"rows": 3, "maxlength": 300}
MOST_SCHEMES = 200


class MomentField(forms.DateTimeField):
    """Day and time in the browser's own picker."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class PeopleField(forms.ModelMultipleChoiceField):
    """Planners with what they serve as, and why they are offered."""

    widget = forms.CheckboxSelectMultiple

    def offer(self, candidates: list[Candidate]) -> None:
        self.words = {one.planner.pk: worded(one) for one in candidates}
        # In the order in which they are offered: whom the pack says first.
        order = Case(*(When(pk=pk, then=n) for n, pk in enumerate(self.words)), default=0)
        self.queryset = Planner.objects.filter(pk__in=self.words).order_by(order)

    def label_from_instance(self, planner: Any) -> str:
        return self.words.get(planner.pk, planner.name)


def worded(one: Candidate) -> str:
    parts = [one.title or "", one.why if not one.title or one.title not in one.why else one.why.split("，", 1)[-1]]
    note = "，".join(part for part in parts if part)
    given = f"；{one.opinion_form}" if one.opinion_form else ""
    login = "" if one.planner.user_id else "；没有账号，须以纸质方式答复"
    return f"{one.planner.name}（{note}{given}{login}）"


class AskForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    """What is asked, of whom, until when. Whom the pack says to ask is ticked; another choice needs a reason."""

    submit = "发出征询"
    rows = (
        "subject", "question", "scheme",
        Div("planners", css_class="street-choice"), "another", "change_reason",
        "way", ("term_days", "due_on"), ("meeting_at", "meeting_place"),
    )  # fmt: skip

    subject = forms.CharField(label="征询事项", max_length=200)
    question = forms.CharField(
        label="希望重点说明的问题", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    scheme = forms.ModelChoiceField(
        ProjectFileVersion.objects.none(), label="所附方案", required=False, empty_label="不附（见项目资料）"
    )
    planners = PeopleField(Planner.objects.none(), label="被征询人", required=False)
    another = LookupField(
        Planner.objects.none(), url_name="planners:planner-lookup", label="另行征询", required=False,
        help_text="制度规定之外的规划师，须写明原因。",
    )  # fmt: skip
    change_reason = forms.CharField(
        label="人选调整原因", required=False, max_length=300, help_text="与系统按制度选出的人选不同时填写。"
    )
    way = forms.ChoiceField(
        label="方式", choices=Consultation.Way.choices, widget=forms.RadioSelect, initial=Consultation.Way.WRITTEN
    )
    term_days = forms.IntegerField(label="答复期限（工作日）", required=False, min_value=1, max_value=MOST_DAYS)
    due_on = DayField(label="或截止日期", required=False, help_text="落在休息日的，顺延至下一个工作日；两项只填一项。")
    meeting_at = MomentField(label="会议时间", required=False, help_text="选择“邀请参加专家会”时填写。")
    meeting_place = forms.CharField(label="会议地点", required=False, max_length=120)

    def __init__(self, *args: Any, project: Project, setting: Setting, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        proposal = setting.proposal
        fields["planners"].offer([*proposal.asked, *proposal.others])
        self.initial.setdefault("planners", [one.planner.pk for one in proposal.asked])
        register = Planner.objects.visible_to(user).filter(is_active=True)
        # A unit's office sees those who serve it; it may ask whomever the pack names besides.
        fields["another"].queryset = register | Planner.objects.filter(pk__in=fields["planners"].words)
        fields["scheme"].queryset = versions_of(project)
        term = setting.term
        fields["term_days"].help_text = (
            f"制度规定 {term.days} 个工作日（{term.clause}），不填即按此；可以更长，不能更短。"
            if term.days is not None
            else "制度未设定期限；不填则不设期限，不计逾期。"
        )

    def request(self, data: dict[str, Any]) -> Request:
        """The cleaned data in the service's words."""
        chosen = list(data["planners"]) + ([data["another"]] if data["another"] else [])
        return Request(
            subject=data["subject"], question=data["question"], way=data["way"], scheme=data["scheme"],
            planners=chosen, change_reason=data["change_reason"], term_days=data["term_days"], due_on=data["due_on"],
            meeting_at=data["meeting_at"], meeting_place=data["meeting_place"],
        )  # fmt: skip


def versions_of(project: Project) -> Any:
    """Uploads of the project's documents, the newest first."""
    rows = ProjectFileVersion.objects.filter(document__project=project).select_related("document").order_by("-pk")
    ids = list(rows.values_list("pk", flat=True)[:MOST_SCHEMES])
    return ProjectFileVersion.objects.filter(pk__in=ids).select_related("document").order_by("-pk")


class ReasonForm(LaidOut, FullWidthTolerantMixin, forms.Form):
    """An act that only needs its reason."""

    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs=REASON))


class NothingForm(LaidOut, forms.Form):
    """An act that needs nothing but a click."""


class AddForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    submit = "增补"
    planner = LookupField(Planner.objects.none(), url_name="planners:planner-lookup", label="规划师")
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs=REASON))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["planner"].queryset = Planner.objects.visible_to(user).filter(is_active=True)


class SubstituteForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    """Those who could take the place first; the desk may name anybody of the register."""

    submit = "安排替补"
    rows = ("planner", "another", "reason")
    planner = forms.ModelChoiceField(
        Planner.objects.none(), label="由谁替补", widget=forms.RadioSelect, required=False, empty_label=None
    )
    another = LookupField(
        Planner.objects.none(), url_name="planners:planner-lookup", label="或由其他规划师替补", required=False
    )
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs=REASON))

    def __init__(
        self, *args: Any, offered: list[Planner], words: dict[int, str], user: Any, desk: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if offered:
            fields["planner"].queryset = Planner.objects.filter(pk__in=[one.pk for one in offered])
            fields["planner"].label_from_instance = lambda one: words.get(one.pk, one.name)
        else:
            del fields["planner"]
        if desk:
            fields["another"].queryset = Planner.objects.visible_to(user).filter(is_active=True)
        else:
            del fields["another"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        data["chosen"] = data.get("another") or data.get("planner")
        if data["chosen"] is None and not self.errors:
            self.add_error("planner" if "planner" in self.fields else "another", "请选择由谁替补。")
        return data


class ExtensionForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    submit = "申请延期"
    days = forms.IntegerField(label="延长（工作日）", min_value=1, max_value=MOST_DAYS)
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs=REASON))


class ExtensionAnswerForm(LaidOut, FullWidthTolerantMixin, forms.Form):
    submit = "答复"
    decision = forms.ChoiceField(
        label="是否同意", choices=[("grant", "同意"), ("refuse", "不同意")], widget=forms.RadioSelect
    )
    answer = forms.CharField(
        label="说明", required=False, max_length=300, widget=forms.Textarea(attrs=REASON),
        help_text="不同意的须写明原因。",
    )  # fmt: skip


class MoveMeetingForm(LaidOut, FullWidthTolerantMixin, forms.Form):
    submit = "改期"
    rows = (("meeting_at", "meeting_place"), "reason")
    meeting_at = MomentField(label="会议时间")
    meeting_place = forms.CharField(label="会议地点", required=False, max_length=120)
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs=REASON))


class MeetingForm(LaidOut, forms.Form):
    """Who came, and the minutes."""

    submit = "登记到会情况"
    form_attrs = {"enctype": "multipart/form-data"}
    present = forms.ModelMultipleChoiceField(
        Consultee.objects.none(), label="到会的规划师", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="没有勾选的记为未参会。",
    )  # fmt: skip
    minutes = forms.FileField(label="会议纪要", required=False)

    def __init__(self, *args: Any, consultation: Consultation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        waiting = consultation.consultees.filter(state=Consultee.State.ASKED).select_related("planner")
        fields["present"].queryset = waiting


MINUTES_TYPES = frozenset({*DOCUMENTS, *IMAGES})
