"""What the pages of a request show, read for one person: nothing that they may not see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from core import audit
from core.audit import Event
from core.explain import Clause
from core.permissions import Decision
from core.workdays import CalendarGap, WorkCalendar
from districts.access import access_of
from districts.policy.keys_process import STAGE_MODES
from districts.policy.values import EffectivePolicy
from projects import permissions_consultations as may
from projects import permissions_opinions as may_answer
from projects.deadlines import light, remaining_workdays
from projects.models import Consultation, Consultee, Opinion, Project
from projects.querysets import led_planners
from projects.services.choosing import policy_of
from projects.services.consultees import ROWS as CONSULTEES
from projects.services.course import ROWS
from projects.services.due import calendar_from, days_between, due_of
from projects.services.opinions import in_hand
from projects.services.successors import outsiders_of

_TONES = {
    "asked": "info", "suspended": "waiting", "answered": "waiting", "unanswered": "bad", "settled": "good",
    "withdrawn": "neutral", "superseded": "neutral",
}  # fmt: skip
_PEOPLE_TONES = {
    "asked": "waiting", "answered": "good", "declined": "neutral", "recused": "neutral", "replaced": "neutral",
    "released": "neutral", "attended": "good", "absent": "neutral",
}  # fmt: skip
OPINION_TONES = {
    "draft": "info", "endorsing": "waiting", "returned": "bad", "submitted": "good", "superseded": "neutral",
}  # fmt: skip
SEVERITY_TONES = {"must": "bad", "should": "waiting", "may": "neutral"}


def state_tone(row: Consultation) -> str:
    return _TONES[row.state]


def clause_of(data: dict[str, Any]) -> Clause | None:
    """A clause as it was kept with a row; None for the request's own."""
    if not data or data.get("origin") == "request":
        return None
    return Clause(**{name: data.get(name, "") for name in ("key", "origin", "document", "article", "summary")})


# --- lists ---------------------------------------------------------------------------------------------------------


def waiting_names(rows: Sequence[Consultation]) -> dict[int, list[str]]:
    """Names of those from whom an answer is awaited, by request; one query."""
    names: dict[int, list[str]] = {}
    found = Consultee.objects.filter(
        consultation_id__in=[row.pk for row in rows], state=Consultee.State.ASKED
    ).order_by("pk")  # fmt: skip
    for pk, name in found.values_list("consultation_id", "planner__name"):
        names.setdefault(pk, []).append(name)
    return names


def lights_of(rows: Sequence[Consultation], today: date) -> dict[int, tuple[str, str]]:
    """The day of each request in words with the tone of its traffic light, by request; at most one query."""
    days = [row.due_on for row in rows if row.due_on is not None and row.state == "asked"]
    calendar = days_between(min([*days, today]), max([*days, today])) if days else None
    return {row.pk: light_of(row, today, calendar) for row in rows}


def light_of(row: Consultation, today: date, calendar: WorkCalendar | None) -> tuple[str, str]:
    """As long as an answer is awaited, how many workdays are left; else the day alone."""
    if row.due_on is None:
        return ("未设期限", "neutral") if row.state in ("asked", "suspended") else ("", "")
    if row.state == "suspended":
        return "中止", "waiting"
    if row.state != "asked" or calendar is None:
        return f"{row.due_on}", "neutral"
    try:
        left = remaining_workdays(row.due_on, today, calendar)
    except CalendarGap:
        return f"{row.due_on}", "neutral"
    tone = light(left, soon=settings.REVIEW_REMINDERS["soon_workdays"])
    words = "今天到期" if left == 0 else f"剩 {left} 个工作日" if (left or 0) > 0 else f"逾期 {-(left or 0)} 个工作日"
    if row.due_on < today and left == 0:
        # The days since were all days off.
        words, tone = "逾期", "bad"
    return f"{row.due_on} {words}", tone


# --- one request -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Act:
    """A button: where it leads, or why it does not."""

    label: str
    url: str
    decision: Decision
    icon: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One line of those who were asked."""

    row: Consultee
    role: str
    tone: str
    opinion: Opinion | None
    reason: str
    clause: Clause | None
    acts: tuple[Act, ...]


def consultation_context(row: Consultation, user: Any) -> dict[str, Any]:
    viewer = _viewer(row, user)
    planner, desk = viewer.planner, viewer.desk
    policy = policy_of(row)
    consultees = list(
        CONSULTEES.filter(consultation=row).select_related("replaces__planner", "planner", "contract__team__lead")
    )
    for one in consultees:
        one.consultation = row
    opinions = visible_opinions(row, user)
    mine = next((one for one in consultees if one.planner.user_id == user.pk and planner), None)
    today = timezone.localdate()
    calendar = calendar_from(min([row.asked_on, today]))
    gone, instead = outsiders_of(row) if desk and row.state in ("asked", "suspended") else ([], [])
    return {
        "row": row, "tone": state_tone(row), "mode": STAGE_MODES.get(row.mode, ""), "clause": clause_of(row.clause),
        "people": [_person(one, opinions, policy, viewer) for one in consultees],
        "light": light_of(row, today, calendar), "due": _due_lines(row, calendar),
        "term_clause": clause_of(row.term_clause), "own_term": row.term_clause.get("origin") == "request",
        "feedback_clause": clause_of(row.feedback_clause),
        "extensions": list(row.extensions.select_related("asked_by", "answered_by")), "desk": desk,
        "suspensions": list(row.suspensions.select_related("by")),
        "extension_acts": [e for e in row.extensions.all() if _answerable(user, e, row)],
        "mine": mine, "my_acts": _my_acts(mine, user) if mine is not None else (), "acts": _desk_acts(row, user),
        "along": _written_along(row, user) if planner else (), "gone": gone, "instead": instead,
        "renewed_by": Consultation.objects.visible_to(user).filter(supersedes=row).first(),
        "seen_project": Project.objects.visible_to(user).filter(pk=row.project_id).exists(),
        "supersedes": _visible(row.supersedes_id, user), "history": _history(row, consultees, opinions, user, planner),
    }  # fmt: skip


def _visible(pk: int | None, user: Any) -> Consultation | None:
    return Consultation.objects.visible_to(user).filter(pk=pk).first() if pk is not None else None


def visible_opinions(row: Consultation, user: Any) -> dict[int, Opinion]:
    """The opinion of each who was asked that the person may open, by consultee: what stands, else what is in hand."""
    found: dict[int, Opinion] = {}
    rows = Opinion.objects.visible_to(user).filter(consultee__consultation=row).exclude(state="superseded")
    # What was submitted last stands in front of a new version that is being written.
    for opinion in rows.order_by("-state", "pk"):
        found.setdefault(opinion.consultee_id, opinion)
    return found


@dataclass(frozen=True, slots=True)
class _Viewer:
    """What the acts on a line depend on, read once for the page."""

    user: Any
    planner: bool
    desk: bool
    led: frozenset[int]
    writing: frozenset[int]


def _viewer(row: Consultation, user: Any) -> _Viewer:
    access = access_of(user)
    planner, desk = access.is_role(Role.PLANNER, Role.LEAD), may.is_desk(user, row)
    writing = Opinion.objects.filter(consultee__consultation=row, state__in=["draft", "endorsing", "returned"])
    return _Viewer(
        user, planner, desk, frozenset(led_planners(user) if access.is_role(Role.LEAD) else ()),
        frozenset(writing.values_list("consultee_id", flat=True) if desk else ()),
    )  # fmt: skip


def _person(one: Consultee, opinions: dict[int, Opinion], policy: EffectivePolicy | None, viewer: _Viewer) -> Person:
    own = one.planner.user_id == viewer.user.pk
    role = policy.role_title(one.role_type) if policy is not None and one.role_type else ""
    # Why a colleague declined or keeps out is between them and the desk.
    reason = one.reason if own or not viewer.planner else ""
    acts = () if own else tuple(_acts_on(one, viewer))
    return Person(one, role, _PEOPLE_TONES[one.state], opinions.get(one.pk), reason, clause_of(one.clause), acts)


def _acts_on(one: Consultee, viewer: _Viewer) -> Iterator[Act]:
    """What may be done about one person's answer; the page behind each asks the predicate itself."""
    yes, state = Decision.yes(), one.consultation.state
    waits = one.state == "asked" and state in ("asked", "suspended")
    guest = one.state in ("attended", "absent") and state in ("asked", "answered", "settled", "unanswered")
    if waits and (viewer.desk or one.planner_id in viewer.led):
        yield Act("安排替补", reverse("projects:consultee-substitute", args=[one.pk]), yes)
    if viewer.desk and (waits or guest) and one.pk not in viewer.writing:
        yield Act("录入纸质意见", reverse("projects:opinion-paper", args=[one.pk]), yes)
    if viewer.desk and waits:
        yield Act("无须答复", reverse("projects:consultee-release", args=[one.pk]), yes)
        yield Act("回避", reverse("projects:consultee-recuse", args=[one.pk]), yes)


def _my_acts(mine: Consultee, user: Any) -> tuple[Act, ...]:
    begun = in_hand(mine)
    write = may_answer.can_write(user, begun) if begun is not None else may_answer.can_begin(user, mine)
    label = "继续撰写意见书" if begun is not None else "撰写意见书"
    row = mine.consultation
    return tuple(
        act
        for act in (
            Act(label, reverse("projects:opinion-write", args=[mine.pk]), write, "pencil", True),
            Act("申请延期", reverse("projects:consultation-extend", args=[row.pk]), may.can_ask_extension(user, row)),
            Act("安排替补", reverse("projects:consultee-substitute", args=[mine.pk]), may.can_substitute(user, mine)),
            Act("谢绝", reverse("projects:consultee-decline", args=[mine.pk]), may.can_decline(user, mine)),
            Act("回避", reverse("projects:consultee-recuse", args=[mine.pk]), may.can_recuse(user, mine)),
        )
        if act.decision or act.primary
    )


def _written_along(row: Consultation, user: Any) -> list[Opinion]:
    """Drafts of colleagues that the person writes along."""
    rows = Opinion.objects.filter(
        consultee__consultation=row, co_authors__planner__user_id=user.pk, state__in=may_answer.IN_HAND
    ).select_related("author", "consultee")  # fmt: skip
    return list(rows)


def _desk_acts(row: Consultation, user: Any) -> tuple[Act, ...]:
    def at(name: str) -> str:
        return reverse(f"projects:consultation-{name}", args=[row.pk])

    acts = (
        Act("登记到会情况", at("meeting"), may.can_record_meeting(user, row), "users", True),
        Act("恢复", at("resume"), may.can_resume(user, row), "player-play", True),
        Act("会议改期", at("move"), may.can_record_meeting(user, row), "calendar-event"),
        Act("增补被征询人", at("add"), may.can_add(user, row), "user-plus"),
        Act("就新方案重新征询", at("again"), may.can_ask_anew(user, row), "refresh"),
        Act("中止", at("suspend"), may.can_suspend(user, row), "player-pause"),
        Act("撤回", at("withdraw"), may.can_withdraw(user, row), "arrow-back-up"),
    )
    return tuple(act for act in acts if act.decision)


def _answerable(user: Any, extension: Any, row: Consultation) -> bool:
    extension.consultation = row
    return bool(may.can_answer_extension(user, extension))


def _due_lines(row: Consultation, calendar: WorkCalendar) -> list[str]:
    """How the day came about, from the parts that it is computed of."""
    if row.way == Consultation.Way.MEETING or row.term_days is None:
        return []
    try:
        due = due_of(row, today=timezone.localdate(), calendar=calendar)
    except CalendarGap as gap:
        return [str(gap)]
    lines = [f"自 {row.asked_on} 次日起 {due.term} 个工作日"]
    lines += [f"经同意延期 {due.extended} 个工作日"] if due.extended else []
    lines += [f"中止 {due.paused} 个工作日，顺延"] if due.paused else []
    return [*lines, *([due.note] if due.note else [])]


def _history(
    row: Consultation, consultees: Iterable[Consultee], opinions: dict[int, Opinion], user: Any, planner: bool
) -> list[Event]:
    """Planners read of the request, of themselves and of opinions they may open; the others of everybody."""
    people = [one for one in consultees if not planner or one.planner.user_id == user.pk]
    papers = Opinion.objects.visible_to(user).filter(consultee__consultation=row)
    asked = [] if planner else list(row.extensions.all())
    return audit.timeline_of([row, *people, *papers, *asked], limit=60, without=["opinion.save", "opinion.begin"])


# --- the project's page -----------------------------------------------------------------------------------------------


def project_consultations(project: Project, user: Any) -> dict[str, Any]:
    """The requests about a project that the person may see, and whether they may ask."""
    today = timezone.localdate()
    rows = list(ROWS.visible_to(user).filter(project=project).order_by("-asked_on", "-pk")[:50])
    lights, waiting = lights_of(rows, today), waiting_names(rows)
    lines = [
        {"row": row, "tone": state_tone(row), "light": lights[row.pk], "waiting": "、".join(waiting.get(row.pk, []))}
        for row in rows
    ]
    return {"project": project, "lines": lines, "may_ask": may.can_ask(user, project)}
