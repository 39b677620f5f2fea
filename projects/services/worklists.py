"""The worklist: what it counts, who of an office sees to what, and filters that people keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BigIntegerField, Case, CharField, F, Max, Q, Value, When
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import Refused
from core.models import CalendarDay
from core.notifications import notify
from core.permissions import Decision, require
from core.saving import save_checked
from core.templatetags.ui import POSITION
from core.workdays import CalendarGap, WorkCalendar
from districts.access import access_of, current_membership, persons_behind, place_of
from districts.models import Membership
from projects.matters import KINDS, matters_for, url_of
from projects.models import MatterHandler, SavedFilter
from projects.permissions_adoption import OFFICES
from projects.services.adoption_pages import Watch

if TYPE_CHECKING:
    from projects.matters import MatterSet

audit.register_actions({"matter.distribute": "分派待办事项", "matter.export": "导出待办事项"})
PAGE = "projects:desk"
MOST_FILTERS = 30
MOST_AT_ONCE = 200


def soon_day(today: date, calendar: WorkCalendar) -> date:
    """The last day that counts as soon: so many workdays ahead as people are reminded before."""
    try:
        return calendar.add_workdays(today, settings.REVIEW["remind_workdays"])
    except CalendarGap:
        return today


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of matter that waits for a person: how many, how many of them late, the next day, and where to go."""

    kind: str
    label: str
    act: str
    count: int
    late: int
    due: date | None
    url: str


_MOST = 500


def waiting_for(user: User, *, today: date) -> list[Waiting]:
    """What waits for the person themselves, by kind, for their home page; one query for all kinds."""
    people = persons_behind(user)
    own = matters_for(user, today=today, duty=True).filter(Q(m_handler=None) | Q(m_handler__in=people), m_mine=True)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in own.order_by("m_day", "m_kind", "m_ref")[:_MOST]:
        found.setdefault(row["m_kind"], []).append(row)
    return [_waiting(kind, rows, today) for kind, rows in found.items()]


def _waiting(kind: str, rows: list[dict[str, Any]], today: date) -> Waiting:
    late = sum(row["m_due"] is not None and row["m_due"] < today for row in rows)
    url = url_of(rows[0]) if len(rows) == 1 else f"{reverse(PAGE)}?{urlencode({'kind': kind})}"
    return Waiting(kind, KINDS[kind].label, KINDS[kind].act, len(rows), late, rows[0]["m_due"], url)


# --- what stands around the list -----------------------------------------------------------------------------

_BACK, _AHEAD = timedelta(days=400), timedelta(days=200)


@dataclass(frozen=True, slots=True)
class Around:
    """The calendar by which days are judged, the person's saved filters, and to whom matters may be given."""

    watch: Watch
    saved: list[SavedFilter]
    colleagues: list[tuple[int, str]]
    # Names of those to whom something was given.
    handlers: dict[int, str]


def around(user: User, *, today: date) -> Around:
    """All of it by one statement, since every showing of the list needs it and each part is small."""
    days = CalendarDay.objects.filter(date__range=(today - _BACK, today + _AHEAD))
    kept = SavedFilter.objects.filter(user=user, page=PAGE)
    people = colleagues_of(user)
    worked_mark = Case(When(is_workday=True, then=Value("1")), default=Value(""))
    parts = [
        _part("day", days, Value(0), Cast("date", CharField()), worked_mark),
        _part("filter", kept, F("pk"), F("name"), F("query")),
        _part("person", people, F("pk"), _name(""), Value("")),
        _part("handler", _given(user), F("handler_id"), _name("handler__"), Value("")),
    ]  # fmt: skip
    first, *rest = parts
    worked: list[tuple[date, bool, str]] = []
    saved: list[SavedFilter] = []
    colleagues: list[tuple[int, str]] = []
    handlers: dict[int, str] = {}
    for part, ref, text, more in first.union(*rest, all=True):
        if part == "day":
            worked.append((date.fromisoformat(text[:10]), more == "1", ""))
        elif part == "filter":
            saved.append(SavedFilter(pk=ref, user=user, page=PAGE, name=text, query=more))
        elif part == "person":
            colleagues.append((ref, text))
        else:
            handlers[ref] = text
    saved.sort(key=lambda row: row.name)
    watch = Watch(today, WorkCalendar.of(worked))
    return Around(watch, saved, sorted(colleagues, key=lambda row: row[1]), handlers)


def _given(user: User) -> Any:
    """One row for each person to whom something was given in the person's localities."""
    rows = MatterHandler.objects.filter(locality_id__in=access_of(user).locality_ids)
    return rows.filter(pk__in=rows.order_by().values("handler_id").annotate(one=Max("pk")).values("one"))


def _name(path: str) -> Any:
    return Case(When(**{f"{path}name": ""}, then=F(f"{path}username")), default=F(f"{path}name"))


def _part(name: str, rows: Any, ref: Any, text: Any, more: Any) -> Any:
    columns = {
        "a_part": Value(name, output_field=CharField()), "a_ref": Cast(ref, BigIntegerField()),
        "a_text": Cast(text, CharField()), "a_more": Cast(more, CharField()),
    }  # fmt: skip
    return rows.order_by().annotate(**columns).values_list(*columns)


# --- distributing ---------------------------------------------------------------------------------------------


def can_distribute(user: Any) -> Decision:
    """Within an office: its people share out what waits for it."""
    return Decision.of(access_of(user).is_role(*OFFICES), otherwise="仅单位人员可以在本单位内分派事项")


def colleagues_of(user: User) -> Any:
    """Those with the same role in the same office today, oneself included."""
    own = current_membership(user)
    if own is None or not can_distribute(user):
        return User.objects.none()
    same = Q(role=own.role, locality=own.locality)
    if own.role == Role.UNIT:
        same &= Q(unit=own.unit)
    elif own.role == Role.DEPARTMENT or own.organisation_id is not None:
        same &= Q(organisation=own.organisation)
    rows = Membership.objects.filter(same).valid_on(timezone.localdate())
    return User.objects.filter(pk__in=rows.values("user_id"), is_active=True).order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class Distributed:
    """What one click did: how many were given, and why the others were not (words → how many)."""

    given: int
    refused: dict[str, int]


@transaction.atomic
def distribute(
    chosen: Iterable[tuple[str, int]], *, actor: User, handler: User, note: str = ""
) -> Distributed:  # fmt: skip
    """Give matters of the office (kind, ref) to one of its people; whatever waits no longer, or is not the office's,
    stays and is counted with its reason.

    Side effects: one row and one audit entry each, one notice to the handler. Raises: Refused, ValidationError.
    """
    require(can_distribute(actor))
    place = place_of(actor)
    if place is None:
        raise Refused("当前身份没有所在地方。")
    wanted = list(dict.fromkeys(chosen))
    if not wanted:
        raise ValidationError("没有勾选任何事项。")
    if len(wanted) > MOST_AT_ONCE:
        raise ValidationError(f"一次最多分派 {MOST_AT_ONCE} 项。")
    if not colleagues_of(actor).filter(pk=handler.pk).exists():
        raise Refused("只能分派给本单位现任的人员。")
    refused: dict[str, int] = {}
    found = _waiting_rows(wanted, actor)
    given: list[dict[str, Any]] = []
    for key in wanted:
        row = found.get(key)
        reason = ""
        if row is None:
            reason = "已办理或不在您的范围内"
        elif KINDS[key[0]].personal:
            reason = "须由本人办理，不能分派"
        elif not row["m_mine"]:
            reason = "不是本单位的事项"
        if reason or row is None:
            refused[reason] = refused.get(reason, 0) + 1
        else:
            given.append(row)
    for row in given:
        MatterHandler.objects.update_or_create(
            kind=row["m_kind"], ref=row["m_ref"],
            defaults={"locality": place, "handler": handler, "given_by": actor, "note": note.strip()[:200]},
        )  # fmt: skip
    audit.record_many(
        audit.build(
            "matter.distribute", actor=actor, obj=handler, locality=place,
            detail={"kind": row["m_kind"], "ref": row["m_ref"], "project": row["m_name"], "to": str(handler)},
        )
        for row in given
    )  # fmt: skip
    if given and handler.pk != actor.pk:
        first = given[0]
        more = f"等 {len(given)} 项" if len(given) > 1 else ""
        notify(
            [handler], kind="matter.given", url=reverse(PAGE),
            text=f"{actor}分派给您：{KINDS[first['m_kind']].label}“{first['m_name']}”{more}",
            key=f"matter.given:{timezone.now():%Y%m%d%H%M%S%f}",
        )  # fmt: skip
    return Distributed(len(given), refused)


def _waiting_rows(wanted: list[tuple[str, int]], actor: User) -> dict[tuple[str, int], dict[str, Any]]:
    kinds = [kind for kind in dict.fromkeys(kind for kind, _ in wanted) if kind in KINDS]
    if not kinds:
        return {}
    rows: MatterSet = matters_for(actor, kinds=kinds).filter(m_ref__in=[ref for _, ref in wanted])
    return {(row["m_kind"], row["m_ref"]): row for row in rows}


# --- saved filters --------------------------------------------------------------------------------------------


def tidy_query(text: str) -> str:
    """The filter of an address, without the position in the list and without what is empty."""
    pairs = parse_qsl(text.lstrip("?"), max_num_fields=30)
    return urlencode([(key, value) for key, value in pairs if value and key not in POSITION])


@transaction.atomic
def save_filter(*, actor: User, name: str, query: str) -> SavedFilter:
    """Keep the filter of the worklist under a name; the same name again replaces it. Raises ValidationError."""
    try:
        query = tidy_query(query)
    except ValueError:
        raise ValidationError({"name": "筛选条件过多，不能保存。"}) from None
    if not query:
        raise ValidationError({"name": "还没有设定筛选条件。"})
    kept = SavedFilter.objects.filter(user=actor, page=PAGE)
    row = kept.filter(name=name.strip()).first() or SavedFilter(user=actor, page=PAGE, name=name.strip())
    if row.pk is None and kept.count() >= MOST_FILTERS:
        raise ValidationError({"name": f"最多保存 {MOST_FILTERS} 个筛选，请先删除不用的。"})
    row.query = query
    save_checked(row)
    return row


def delete_filter(pk: int, *, actor: User) -> bool:
    """Forget one of one's own."""
    return bool(SavedFilter.objects.filter(pk=pk, user=actor, page=PAGE).delete()[0])
