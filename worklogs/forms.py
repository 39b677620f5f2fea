"""Forms of the work logs: they parse and word errors; the rules are in the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.formtools import DayField
from core.lookups import LookupField
from districts.models import Charge
from planners.models import Planner
from planners.services.assignments import service_periods
from projects.models import Project

from .models import WorkLog
from .services.entries import Entry

if TYPE_CHECKING:
    from accounts.models import User

# More chips than this get a box to narrow them down.
CHIPS_WITHOUT_SEARCH = 8


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several files under one name; what they hold is judged when each is stored."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [upload for upload in (data if isinstance(data, (list, tuple)) else [data]) if upload]


class LogForm(forms.Form):
    """One log, as quick as it goes: today, one's own charges as chips, the rest in two taps and a sentence."""

    submission_key = forms.UUIDField(widget=forms.HiddenInput)
    date = DayField(label="日期")
    charge = forms.ModelChoiceField(
        label="责任单元（项目）",
        queryset=Charge.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"invalid_choice": "请从您负责的单元（项目）中选择。"},
    )
    slot = forms.ChoiceField(
        label="时段",
        choices=WorkLog.Slot.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择上午、下午或全天。"},
    )
    kind = forms.ChoiceField(
        label="工作类别",
        choices=WorkLog.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择工作类别。"},
    )
    content = forms.CharField(
        label="内容",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "看了什么、谈了什么、提了什么建议"}),
        error_messages={"required": "请写明做了什么。"},
    )
    met_principal = forms.BooleanField(label="会见了主要负责人", required=False)
    met_whom = forms.CharField(
        label="会见人员",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": "职务和姓名，可不填", "autocomplete": "off"}),
    )
    place = forms.CharField(
        label="地点", required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    project = LookupField(
        label="相关项目", queryset=Project.objects.none(), url_name="worklogs:project-lookup", required=False
    )
    photos = PhotosField(label="现场照片", required=False)
    reason = forms.CharField(label="补报原因", required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    accept_same_time = forms.BooleanField(label="仍要保存", required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        planner: Planner,
        log: WorkLog | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        first = {"submission_key": uuid4(), "date": timezone.localdate(), **(initial or {})}
        super().__init__(data, initial=first)
        self.planner, self.log = planner, log
        charges = self.fields["charge"]
        offered = Charge.objects.filter(pk__in=_charge_ids(planner, log)).order_by("kind", "name")
        charges.queryset = offered  # type: ignore[attr-defined]
        self.charges = list(offered)
        charges.choices = [(c.pk, c.name) for c in self.charges]  # type: ignore[attr-defined]
        if len(self.charges) == 1:
            self.initial.setdefault("charge", self.charges[0].pk)
        self.fields["project"].queryset = Project.objects.filter(  # type: ignore[attr-defined]
            locality_id__in={c.locality_id for c in self.charges}
        )
        self.fields["date"].widget.attrs["max"] = timezone.localdate().isoformat()

    @property
    def has_many_charges(self) -> bool:
        return len(self.charges) > CHIPS_WITHOUT_SEARCH

    @property
    def key(self) -> UUID | None:
        """The key under which this form makes one record and its photos wait; None when it was tampered with."""
        try:
            return self.fields["submission_key"].clean(self["submission_key"].value())
        except ValidationError:
            return None

    def entry(self) -> Entry:
        data = self.cleaned_data
        return Entry(
            charge=data["charge"],
            date=data["date"],
            slot=data["slot"],
            kind=data["kind"],
            content=data["content"],
            met_principal=data["met_principal"],
            met_whom=data["met_whom"],
            place=data["place"],
            project=data["project"],
        )

    def arguments(self) -> dict[str, Any]:
        """What `record_log` and `edit_log` take; which button was pressed says whether it is handed in."""
        data = self.cleaned_data
        return {
            "entry": self.entry(),
            "submission_key": data["submission_key"],
            "submit": "save_draft" not in self.data,
            "reason": data["reason"],
            "accept_same_time": bool(data.get("accept_same_time")),
        }


class CorrectionForm(LogForm):
    """A new version of a confirmed log: the charge stays, the reason is due, and it may strike the log out."""

    void = forms.BooleanField(label="申请作废这条记录（其余内容不变）", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["charge"].required = False
        self.fields["reason"].label = "更正原因"
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = "请写明更正原因。"
        del self.fields["accept_same_time"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.log is not None:
            data["charge"] = self.log.charge
        return data

    def correction(self) -> dict[str, Any]:
        """What `correct_log` takes."""
        data = self.cleaned_data
        return {
            "entry": self.entry(),
            "submission_key": data["submission_key"],
            "reason": data["reason"],
            "void": data["void"],
        }


def _charge_ids(planner: Planner, log: WorkLog | None) -> set[int]:
    ids = {period.charge_id for period in service_periods(planners=[planner.pk])}
    return ids | ({log.charge_id} if log is not None else set())


def initial_of(log: WorkLog) -> dict[str, Any]:
    """The fields of a log as the form's first values."""
    return {
        "date": log.date,
        "charge": log.charge_id,
        "slot": log.slot,
        "kind": log.kind,
        "content": log.content,
        "met_principal": log.met_principal,
        "met_whom": log.met_whom,
        "place": log.place,
        "project": log.project_id,
        "reason": log.correction_reason,
    }


def initial_of_copy(log: WorkLog) -> dict[str, Any]:
    """As `initial_of`, for a new entry: today, and nothing that was special to that day."""
    values: Mapping[str, Any] = initial_of(log)
    return {**{k: values[k] for k in ("charge", "slot", "kind", "content", "met_whom", "place", "project")}}


class HintForm(forms.Form):
    """The fields of a log being entered that a remark may rest on; `log` is the one being changed."""

    submission_key = forms.UUIDField(required=False)
    date = DayField()
    slot = forms.ChoiceField(choices=WorkLog.Slot.choices)
    charge = forms.ModelChoiceField(queryset=Charge.objects.none())
    log = forms.ModelChoiceField(queryset=WorkLog.objects.none(), required=False)

    def __init__(self, data: Any, *, planner: Planner | None, user: User) -> None:
        super().__init__(data)
        self.planner = planner
        if planner is not None:
            own = WorkLog.objects.visible_to(user).filter(planner=planner)
            self.fields["log"].queryset = own  # type: ignore[attr-defined]
            served = {period.charge_id for period in service_periods(planners=[planner.pk])}
            self.fields["charge"].queryset = Charge.objects.filter(pk__in=served)  # type: ignore[attr-defined]

    def arguments(self) -> dict[str, Any]:
        """What `hints_for_form` takes."""
        data = self.cleaned_data
        return {
            "planner": self.planner,
            "key": data["submission_key"],
            "on": data["date"],
            "slot": data["slot"],
            "charge": data["charge"],
            "log": data["log"],
        }


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="原因",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请填写原因。"},
    )


class ChosenLogsForm(forms.Form):
    """The ticked logs and monthly reports of a month's page."""

    logs = forms.TypedMultipleChoiceField(coerce=int, required=False)
    reports = forms.TypedMultipleChoiceField(coerce=int, required=False)

    def __init__(self, *args: Any, offered: Sequence[int], reports: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, ids in (("logs", offered), ("reports", reports)):
            self.fields[name].choices = [(pk, pk) for pk in ids]  # type: ignore[attr-defined]
            self.fields[name].error_messages["invalid_choice"] = "所选记录已被他人处理，请刷新后再试。"
