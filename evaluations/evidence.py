"""What the portal knows already and shows beside an indicator: nobody types it (`domain.md` rule 5).

A source answers for one subject and one period with explained figures. There are two: the tally (days, visits) and the
adoption of opinions, counted from the items that `projects.services.adoption_reads` holds to stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from django.db.models import Q
from django.utils import timezone

from core.explain import Figure
from planners.models import Contract
from planners.services.assignments import service_periods
from projects import adoption
from projects.services.adoption_reads import few, handed_in, judged, standing_items, written_by
from worklogs.services.figures import SubjectFigures, figures_for

_CONSULTATION = "opinion__consultee__consultation"
ITEMS, UNANSWERED = "items", "unanswered"
# Code → what it is called and counted in; rates keep the codes and names that projects gives them.
COUNTS = {
    ITEMS: ("提出意见", tuple(adoption.OUTCOMES)),
    adoption.ADOPTED: ("采纳", (adoption.ADOPTED,)),
    adoption.PARTLY: ("部分采纳", (adoption.PARTLY,)),
    adoption.REFUSED: ("不采纳", (adoption.REFUSED,)),
    UNANSWERED: ("尚未反馈", (adoption.OWED, adoption.LATE)),
}
ADOPTION_CODES = (*COUNTS, *adoption.RATE_CODES)
TALLY_CODES = (
    "days", "required_days", "shortfall_days", "visits", "required_visits", "shortfall_visits", "principal_met",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EvidenceQuery:
    """Of whom, about what, from when to when (both included).

    `organisation_ids`: the offices evaluated, which answer opinions (none: planners are). `narrow`: only what concerns
    the charges named, as one of several offices sees it.
    """

    contract_ids: tuple[int, ...]
    charge_ids: tuple[int, ...]
    planner_ids: tuple[int, ...]
    start: date
    end: date
    locality_id: int | None = None
    organisation_ids: tuple[int, ...] = ()
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """One explained figure. `code` is what an indicator's `evidence` and `source` name; `url` leads to the records."""

    code: str
    label: str
    figure: Figure
    unit: str = ""
    url: str = ""
    note: str = ""


class AdoptionFigures(Protocol):
    """Figures of adoption by code (`ADOPTION_CODES`), each with the ids of the opinion items behind its parts; items
    count by the day on which their opinion was handed in."""

    def __call__(self, query: EvidenceQuery) -> dict[str, Figure]: ...


Source = Callable[[EvidenceQuery], Sequence[Evidence]]
_SOURCES: dict[str, tuple[Source, frozenset[str]]] = {}


def register_source(name: str, codes: Sequence[str]) -> Callable[[Source], Source]:
    """`codes`: all that the source may say, so that it is not asked for anything else."""

    def add(source: Source) -> Source:
        _SOURCES[name] = source, frozenset(codes)
        return source

    return add


def evidence_for(query: EvidenceQuery, *, only: Sequence[str] | None = None) -> list[Evidence]:
    """Everything the sources say, in the order of registration; `only`: these codes."""
    asked = [source for source, codes in _SOURCES.values() if only is None or codes & set(only)]
    found = [item for source in asked for item in source(query)]
    return found if only is None else [item for item in found if item.code in only]


@register_source("tally", TALLY_CODES)
def tally_evidence(query: EvidenceQuery) -> list[Evidence]:
    """Days and visits of each year that the period touches; the deduction is money and stands elsewhere."""
    items = []
    for contract in Contract.objects.filter(pk__in=query.contract_ids).order_by("start", "pk"):
        for year in range(query.start.year, query.end.year + 1):
            for subject in figures_for(contract, year=year):
                if _concerns(subject, query):
                    items += [
                        Evidence(
                            line.code, f"{line.label}（{year}年，{subject.label}）", line.figure, line.unit.strip()
                        )
                        for line in subject.lines
                        if line.code != "deduction"
                    ]  # fmt: skip
    return items


def _concerns(subject: SubjectFigures, query: EvidenceQuery) -> bool:
    of = subject.tally.subject
    if query.planner_ids and not {member.planner_id for member in of.members} & set(query.planner_ids):
        return False
    return of.charge_id is None or not query.charge_ids or of.charge_id in query.charge_ids


@register_source("adoption", ADOPTION_CODES)
def adoption_evidence(query: EvidenceQuery) -> list[Evidence]:
    """How many items of advice, and what became of them. Nothing at all where nobody was asked for advice."""
    figures = adoption_figures(query)
    if not figures[ITEMS].value:
        return []
    found = [Evidence(code, COUNTS[code][0], figures[code], "条") for code in COUNTS]
    return found + [Evidence(code, adoption.LABELS[code], figures[code], "%") for code in adoption.RATE_CODES]


def adoption_figures(query: EvidenceQuery) -> dict[str, Figure]:
    """Of a planner's side: items that they wrote; of an office: items that it has to answer. Three queries at most."""
    rows = handed_in(
        standing_items().filter(**{f"{_CONSULTATION}__locality": query.locality_id}), start=query.start, end=query.end
    )
    authors = _authors(query)
    if authors is not None:
        rows = written_by(rows, authors)
    if query.narrow:
        project = f"{_CONSULTATION}__project"
        rows = rows.filter(
            Q(**{f"{project}__units__charge__in": query.charge_ids}) | Q(**{f"{project}__charge__in": query.charge_ids})
        )
    found: Any = judged(rows, timezone.localdate())
    if query.organisation_ids:
        found = found.filter(body__in=query.organisation_ids)
    bundle = adoption.Bundle.of(found.order_by().values_list("pk", "outcome"))
    rates = adoption.rates_of(bundle, few=few())
    return {code: _count(bundle, outcomes) for code, (_, outcomes) in COUNTS.items()} | rates.figures


def _authors(query: EvidenceQuery) -> set[int] | None:
    """Whose opinions count: the planners named, else those who served under the contracts; of an office everybody's."""
    if query.planner_ids:
        return set(query.planner_ids)
    if query.organisation_ids:
        return None
    periods = service_periods(contracts=query.contract_ids, start=query.start, end=query.end)
    return {period.planner_id for period in periods}


def _count(bundle: adoption.Bundle, outcomes: Sequence[str]) -> Figure:
    """A count is the sum of its parts."""
    parts = tuple(bundle.part(outcome) for outcome in outcomes if bundle.count(outcome))
    return Figure(Decimal(bundle.count(*outcomes)), parts)


def recounted(item: Evidence) -> Decimal | None:
    """A figure of adoption once more, from its parts alone."""
    if item.code in COUNTS:
        return sum((Decimal(part.value or 0) for part in item.figure.parts), Decimal(0))
    return adoption.recompute(item.figure)


_: AdoptionFigures = adoption_figures
