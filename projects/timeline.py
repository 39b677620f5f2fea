"""Everything that happened to a project, newest first, each with who and when: read from the audit log of the project
and of all that hangs on it, and from rows that came in without an entry (imports of old projects).

Each kind of row is asked through its own `visible_to`: the timeline shows nobody what its page would not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q
from django.urls import NoReverseMatch
from django.utils import timezone

from accounts.roles import Role
from core.audit import Event, worded
from core.models import AuditEntry
from districts.access import access_of
from projects.conflicts import conflicts_among
from projects.models import (
    Consultation,
    Consultee,
    DataRequest,
    Dispute,
    DisputeStatement,
    Extension,
    ItemAnswer,
    ItemProof,
    KeyDate,
    Opinion,
    OpinionDispatch,
    Project,
    ProjectFile,
    ProjectParty,
    ProjectStage,
    Rectification,
    RectificationReply,
    Recusal,
    StageDecision,
    Suspension,
    Vote,
)
from projects.querysets import own_planners

if TYPE_CHECKING:
    from accounts.models import User

KINDS = {
    "project": "项目", "stage": "阶段", "file": "资料", "consultation": "征询", "opinion": "意见与采纳",
    "rectification": "整改", "dispute": "分歧", "conflict": "回避",
}  # fmt: skip
# The project follows its rounds, which tell of it themselves.
_SAID_ELSEWHERE = ("project.enter_", "project.finish")
# Reading is kept for the auditors; here stands what happened.
_READINGS = ("projectfile.open", "datarequest.open", ".pdf", ".export")
_MOST = 3000
_A_MOMENT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Happening(Event):
    """An event of one kind; `url` leads to what it is about where that has a page."""

    kind: str = "project"
    url: str = ""

    @property
    def kind_label(self) -> str:
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class _Source:
    """One kind of row: `rows` those that the person may see, `told` what a row without an entry of its own tells;
    `joined`: the relations that a line about one names; `part_of`: what its making is entered of."""

    kind: str
    model: type[Model]
    rows: Callable[[Project, Any], Any]
    told: Callable[[Any], tuple[Any, Any, str] | None] = lambda row: None
    joined: tuple[str, ...] = ()
    part_of: tuple[type[Model], str] | None = None


def _under(model: Any, path: str) -> Callable[[Project, Any], Any]:
    return lambda project, user: model.objects.filter(**{path: project})


def _seen(model: Any) -> Callable[[Project, Any], Any]:
    return lambda project, user: model.objects.visible_to(user).filter(project=project)


def _of(model: Any, path: str, parent: Any, parent_path: str = "project") -> Callable[[Project, Any], Any]:
    """Rows under another kind that the person may see."""

    def rows(project: Project, user: Any) -> Any:
        parents = parent.objects.visible_to(user).filter(**{parent_path: project})
        return model.objects.filter(**{f"{path}__in": parents.values("pk")})

    return rows


_BY_CONSULTATION = "consultee__consultation__project"

SOURCES: tuple[_Source, ...] = (
    _Source("project", Project, lambda project, user: Project.objects.filter(pk=project.pk),
            lambda row: (row.created, "", "登记项目")),
    _Source("project", ProjectParty, _under(ProjectParty, "project")),
    _Source("project", KeyDate, _under(KeyDate, "project")),
    _Source("stage", ProjectStage, _under(ProjectStage, "project"), lambda row: (row.opened_on, row.opened_by, "开始阶段"),
            ("opened_by",)),
    _Source("stage", StageDecision, _under(StageDecision, "stage__project"),
            lambda row: (row.recorded_at, row.recorded_by, f"登记阶段结论：{row.get_ground_display()}"),
            ("stage", "recorded_by")),
    _Source("stage", Vote, _under(Vote, "stage__project"), lambda row: (row.created, row.recorded_by, "登记会审与表决"),
            ("recorded_by",)),
    _Source("file", ProjectFile, _seen(ProjectFile), lambda row: (row.created, "", "登记资料")),
    _Source("file", DataRequest, _seen(DataRequest), lambda row: (row.created, row.planner, "申请资料"),
            ("planner",)),
    _Source("conflict", Recusal, lambda project, user: Recusal.objects.visible_to(user).filter(project=project),
            lambda row: (row.created, row.recorded_by, "登记回避"),
            ("planner", "recorded_by")),
    _Source("consultation", Consultation, _seen(Consultation), lambda row: (row.created, row.asked_by, "征询"),
            ("asked_by",)),
    _Source("consultation", Consultee, _of(Consultee, "consultation", Consultation), joined=("planner",)),
    _Source("consultation", Extension, _of(Extension, "consultation", Consultation),
            lambda row: (row.asked_at, row.asked_by, "申请延期"),
            ("asked_by",)),
    _Source("consultation", Suspension, _of(Suspension, "consultation", Consultation),
            lambda row: (row.start, row.by, "中止征询"),
            ("by",)),
    _Source("consultation", OpinionDispatch,
            lambda project, user: OpinionDispatch.objects.visible_to(user).filter(consultation__project=project),
            lambda row: (row.created, row.made_by, "函告"),
            ("made_by",)),
    _Source("opinion", Opinion,
            lambda project, user: Opinion.objects.visible_to(user).filter(**{_BY_CONSULTATION: project}),
            lambda row: (row.submitted_at, row.author, "提交意见书") if row.submitted_at else None,
            ("author",)),
    _Source("opinion", ItemAnswer,
            lambda project, user: ItemAnswer.objects.visible_to(user).filter(
                **{f"item__opinion__{_BY_CONSULTATION}": project}),
            lambda row: (row.answered_at, row.answered_by, f"反馈：{row.get_decision_display()}"),
            ("answered_by", "item")),
    _Source("opinion", ItemProof, _of(ItemProof, "answer", ItemAnswer, f"item__opinion__{_BY_CONSULTATION}"),
            lambda row: (row.created, row.recorded_by, "登记落实情况"),
            ("recorded_by",)),
    _Source("rectification", Rectification, _seen(Rectification), lambda row: (row.created, row.raised_by, "提出整改意见"),
            ("raised_by",)),
    _Source("rectification", RectificationReply, _of(RectificationReply, "rectification", Rectification),
            lambda row: (row.created, row.by or row.signed_as, row.get_kind_display()),
            ("by",), (Rectification, "rectification_id")),
    _Source("dispute", Dispute, _seen(Dispute), lambda row: (row.created, row.raised_by, "提请分歧协调"),
            ("raised_by",)),
    _Source("dispute", DisputeStatement, _of(DisputeStatement, "dispute", Dispute),
            lambda row: (row.created, row.by, f"陈述（{row.get_side_display()}）"),
            ("by",), (Dispute, "dispute_id")),
)  # fmt: skip


def happenings(project: Project, user: User, *, kind: str = "", limit: int | None = None) -> list[Happening]:
    """What the person may know of, newest first. As many queries for a project of one event as of a thousand."""
    sources = [source for source in SOURCES if not kind or source.kind == kind]
    shown = {source: _rows(source, project, user) for source in sources}
    entries = list(_entries(shown))
    written: dict[tuple[str, str], list[AuditEntry]] = defaultdict(list)
    for entry, _, _ in entries:
        written[entry.object_type, entry.object_id].append(entry)
    silent = _keeps_out(project, user)
    found = [_of_entry(entry, source, row, project) for entry, source, row in entries]
    found += [
        happening
        for source, rows in shown.items()
        for row in rows.values()
        if (happening := _of_row(source, row, written)) is not None
    ]
    if silent:
        # On what ground a stage was passed tells whoever keeps out that others were asked.
        found = [each for each in found if "阶段结论" not in each.what and "未经征询" not in each.what]
    found.sort(key=lambda each: each.when, reverse=True)
    return found[:limit]


def _rows(source: _Source, project: Project, user: Any) -> dict[str, Any]:
    rows = source.rows(project, user)
    rows = rows.select_related(*source.joined) if source.joined else rows
    return {str(row.pk): row for row in rows[:_MOST]}


def _entries(shown: dict[_Source, dict[str, Any]]) -> Iterator[tuple[AuditEntry, _Source, Any]]:
    """The audit entries of these rows; one query."""
    by_type = {source.model._meta.label_lower: source for source in shown}
    wanted = [
        Q(object_type=label, object_id__in=list(shown[source])) for label, source in by_type.items() if shown[source]
    ]
    if not wanted:
        return
    rows = AuditEntry.objects.filter(reduce(or_, wanted), result=AuditEntry.Result.OK).order_by("-id")[:_MOST]
    for entry in rows:
        if entry.action.startswith(_SAID_ELSEWHERE) or entry.action.endswith(_READINGS):
            continue
        source = by_type[entry.object_type]
        yield entry, source, shown[source][entry.object_id]


def _of_entry(entry: AuditEntry, source: _Source, row: Any, project: Project) -> Happening:
    note = "；".join(part for part in (_named(row, project), _dated(entry, source.told(row)), worded(entry)) if part)
    red = isinstance(row, StageDecision) and row.is_red
    return Happening(
        entry.at, entry.actor_label or "系统", entry.action_label, note, "bad" if red else "neutral", source.kind,
        _url(row),
    )  # fmt: skip


def _dated(entry: AuditEntry, told: tuple[Any, Any, str] | None) -> str:
    """The day that the row gives, where this entry tells the same of it and was written on another day."""
    if told is None or told[2] != entry.action_label:
        return ""
    day = timezone.localdate(told[0]) if isinstance(told[0], datetime) else told[0]
    return f"日期 {day}" if day != timezone.localdate(entry.at) else ""


def _of_row(source: _Source, row: Any, written: Mapping[tuple[str, str], Sequence[AuditEntry]]) -> Happening | None:
    """What a row tells that came in without an entry, or before entries were written of it. `written`: newest first."""
    told = source.told(row)
    if told is None:
        return None
    when, who, what = told
    moment = when if isinstance(when, datetime) else timezone.make_aware(datetime.combine(when, time()))
    own = written.get((source.model._meta.label_lower, str(row.pk)))
    # An entry is written a moment after its row; of a mere day, on that day.
    after = moment + (_A_MOMENT if isinstance(when, datetime) else timedelta(days=1))
    if own and (own[-1].at <= after or own[-1].action_label == what):
        return None
    if source.part_of:
        whole, number = source.part_of
        entries = written.get((whole._meta.label_lower, str(getattr(row, number))), ())
        if any(abs(entry.at - moment) <= _A_MOMENT for entry in entries):
            return None
    red = isinstance(row, StageDecision) and row.is_red
    return Happening(
        moment, str(who or "系统"), what, "" if isinstance(row, Project) else str(row), "bad" if red else "neutral",
        source.kind, _url(row),
    )  # fmt: skip


def _named(row: Any, project: Project) -> str:
    return "" if row.pk == project.pk and isinstance(row, Project) else str(row)


def _url(row: Any) -> str:
    if isinstance(row, Project) or not hasattr(row, "get_absolute_url"):
        return ""
    try:
        return str(row.get_absolute_url())
    except NoReverseMatch:  # kept, though it has no page of its own
        return ""


def _keeps_out(project: Project, user: Any) -> bool:
    if not access_of(user).is_role(Role.PLANNER, Role.LEAD):
        return False
    return bool(conflicts_among(own_planners(user), project))


def rows_for_sheet(found: Sequence[Happening]) -> Iterator[Sequence[Any]]:
    for each in found:
        yield timezone.localtime(each.when), each.kind_label, each.what, each.note, each.who
