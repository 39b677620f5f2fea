"""What adoption is counted from: the items that stand, each with how it ended, added up by the database.

An item belongs to the day on which its opinion was handed in, so that a period's items are the same whenever they are
answered. Items of opinions that a later version replaced, and of planners who keep out, are in no figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Case, CharField, Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from core.explain import Figure
from districts.models import Locality, Organisation, Unit
from planners.models import Planner
from projects import adoption
from projects.adoption import Bundle, Rates
from projects.models import ItemAnswer, ItemProof, Opinion, OpinionItem, Project, ProjectStage

if TYPE_CHECKING:
    from accounts.models import User

_CONSULTATION = "opinion__consultee__consultation"
# Dimension → what it groups by, and what it is called.
DIMENSIONS = {
    "department": ("body", "征询单位"),
    "unit": (f"{_CONSULTATION}__project__units", "责任单元"),
    "kind": (f"{_CONSULTATION}__project__kind", "项目类型"),
    "stage": (f"{_CONSULTATION}__stage__stage", "阶段"),
}
_LAPSED = ("withdrawn", "superseded", "unanswered")


def few() -> int:
    return int(settings.REVIEW["few_items"])


def standing_items() -> QuerySet[OpinionItem]:
    """The items of all opinions that stand."""
    return OpinionItem.objects.filter(opinion__state="submitted").exclude(opinion__consultee__state="recused")


def items_seen(user: User) -> QuerySet[OpinionItem]:
    """Those that the person may see: no figure holds more."""
    return standing_items().filter(opinion__in=Opinion.objects.visible_to(user).counting())


def judged(rows: QuerySet[OpinionItem], today: date) -> Any:
    """Each with `outcome` (projects.adoption.WORDS), `body` (who answered, or owes the answer), the reason that was
    `said`, `until` when it is to be done, and what became of what was adopted (`done`)."""
    proofs = ItemProof.objects.filter(answer__item=OuterRef("pk"))
    return rows.annotate(
        now=FilteredRelation("answers", condition=Q(answers__is_current=True)),
    ).annotate(
        outcome=Case(
            When(now__decision__isnull=False, then=F("now__decision")),
            When(**{f"{_CONSULTATION}__state__in": _LAPSED}, then=Value(adoption.LAPSED)),
            When(**{f"{_CONSULTATION}__state__in": ("asked", "suspended")}, then=Value(adoption.PENDING)),
            When(**{f"{_CONSULTATION}__feedback_due_on__lt": today}, then=Value(adoption.LATE)),
            default=Value(adoption.OWED), output_field=CharField(),
        ),
        body=Coalesce("now__asker_id", f"{_CONSULTATION}__asker_id"), said=F("now__reason"), until=F("now__due_on"),
        done=Case(
            When(Q(Exists(proofs), now__decision__in=adoption.TAKEN), then=Value(adoption.DONE)),
            When(now__decision__in=adoption.TAKEN, now__due_on__lt=today, then=Value(adoption.OVERDUE)),
            When(now__decision__in=adoption.TAKEN, then=Value(adoption.RUNNING)),
            default=Value(""), output_field=CharField(),
        ),
    )  # fmt: skip


def moment(day: date) -> datetime:
    """The first moment of a day in China."""
    return timezone.make_aware(datetime.combine(day, time.min))


def handed_in(
    rows: QuerySet[OpinionItem], *, start: date | None = None, end: date | None = None
) -> QuerySet[OpinionItem]:
    """Of opinions handed in from `start` to `end`, both included."""
    if start is not None:
        rows = rows.filter(opinion__submitted_at__gte=moment(start))
    if end is not None:
        rows = rows.filter(opinion__submitted_at__lt=moment(end + timedelta(days=1)))
    return rows


def written_by(rows: QuerySet[OpinionItem], planners: Iterable[int]) -> QuerySet[OpinionItem]:
    """Of opinions that these planners wrote, or wrote along."""
    ids = list(planners)
    found = Opinion.objects.filter(Q(author_id__in=ids) | Q(co_authors__planner_id__in=ids))
    return rows.filter(opinion__in=found.order_by().values("pk"))


# --- figures --------------------------------------------------------------------------------------------------


def bundle_of(rows: Any) -> Bundle:
    """Counted in the database, without the records; `rows` are judged."""
    found = rows.order_by().values_list("outcome").annotate(n=Count("pk", distinct=True))
    return Bundle(dict(found))


def bundles_by(rows: Any, dimension: str) -> dict[Any, Bundle]:
    """By department, unit, kind or stage; of a project in two units an item stands under both, in none under None."""
    path = DIMENSIONS[dimension][0]
    found = rows.order_by().values_list(path, "outcome").annotate(n=Count("pk", distinct=True))
    return adoption.grouped(found)


@dataclass(frozen=True, slots=True)
class Line:
    """One group of the page: its key in the address, its name, and its shares."""

    key: str
    name: str
    rates: Rates


def lines_by(rows: Any, dimension: str) -> list[Line]:
    """The groups of a dimension in the order of their names (kinds and stages in their own)."""
    bundles = bundles_by(rows, dimension)
    names = _names(dimension, [key for key in bundles if key is not None])
    order = {key: number for number, key in enumerate(names)}
    keys = sorted(bundles, key=lambda key: (key is None, order.get(key, len(order))))
    return [
        Line("none" if key is None else str(key), names.get(key, "未填写"), adoption.rates_of(bundles[key], few=few()))
        for key in keys
    ]


def _names(dimension: str, keys: Sequence[Any]) -> dict[Any, str]:
    """{key: name} in the order in which they are shown."""
    if dimension == "kind":
        return {key: name for key, name in Project.Kind.choices if key in keys}
    if dimension == "stage":
        return {key: name for key, name in ProjectStage.STAGES if key in keys}
    if dimension == "unit":
        return dict(Unit.objects.filter(pk__in=keys).order_by("sort_key", "name").values_list("pk", "name"))
    return dict(Organisation.objects.filter(pk__in=keys).order_by("kind", "name").values_list("pk", "name"))


@dataclass(frozen=True, slots=True)
class Selective:
    """R76: signs that opinions are taken up selectively, each an explained figure."""

    gap: Figure
    must: Rates
    other: Rates
    done: Figure
    same: Figure
    worse: Figure

    @property
    def figures(self) -> dict[str, Figure]:
        return {
            adoption.GAP: self.gap, adoption.DONE_RATE: self.done, adoption.SAME_RATE: self.same,
            adoption.WORSE_RATE: self.worse,
        }  # fmt: skip


def selective_of(rows: Any) -> Selective:
    """With the records of each part; `rows` are judged. Four queries."""
    found = list(rows.order_by("pk").values_list("pk", "severity", "outcome", "done", "body", "said").distinct())
    musts = Bundle.of((pk, outcome) for pk, severity, outcome, *_ in found if severity == "must")
    others = Bundle.of((pk, outcome) for pk, severity, outcome, *_ in found if severity != "must")
    done = Bundle.of((pk, state) for pk, _, _, state, *_ in found if state)
    reasons = [
        (pk, body, reason or "")
        for pk, _, outcome, _, body, reason in found
        if outcome in {adoption.PARTLY, adoption.REFUSED}
    ]
    said: dict[int, list[str]] = {}
    versions = ItemAnswer.objects.filter(item__in=[row[0] for row in found]).order_by("item", "version")
    for item, decision in versions.values_list("item", "decision"):
        said.setdefault(item, []).append(decision)
    return Selective(
        adoption.severity_gap(musts, others, few=few()), adoption.rates_of(musts, few=few()),
        adoption.rates_of(others, few=few()), adoption.done_rate(done, few=few()),
        adoption.same_rate(reasons, few=few()), adoption.worse_rate(sorted(said.items()), few=few()),
    )  # fmt: skip


def rates_for(
    locality: Locality, *, start: date, end: date, asker: Organisation | None = None, unit: Unit | None = None,
    planner: Planner | None = None, kind: str = "", stage: str = "", today: date | None = None,
) -> Rates:  # fmt: skip
    """The adoption rates of a locality's opinions handed in from `start` to `end`, with the ids of the items behind
    each part: what an evaluation takes from here (of a department, a unit, or one planner's opinions)."""
    rows = handed_in(standing_items().filter(**{f"{_CONSULTATION}__locality": locality}), start=start, end=end)
    narrowed: Mapping[str, Any] = {
        f"{_CONSULTATION}__project__units": unit, f"{_CONSULTATION}__project__kind": kind,
        f"{_CONSULTATION}__stage__stage": stage,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in narrowed.items() if value})
    if planner is not None:
        rows = written_by(rows, [planner.pk])
    found = judged(rows, today or timezone.localdate())
    if asker is not None:
        found = found.filter(body=asker.pk)
    return adoption.rates_of(Bundle.of(found.order_by().values_list("pk", "outcome")), few=few())
