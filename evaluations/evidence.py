"""What the portal knows already and shows beside an indicator: nobody types it (`domain.md` rule 5).

A source answers for one subject and one period with explained figures. The tally is one; adoption of opinions will be
another, once projects can say it: `projects.services` then offers `adoption_figures` as `AdoptionFigures` below asks,
and one `register_source` line here plugs it in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from core.explain import Figure
from planners.models import Contract
from worklogs.services.figures import SubjectFigures, figures_for


@dataclass(frozen=True, slots=True)
class EvidenceQuery:
    """Of whom, about what, from when to when (both included)."""

    contract_ids: tuple[int, ...]
    charge_ids: tuple[int, ...]
    planner_ids: tuple[int, ...]
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Evidence:
    """One explained figure. `code` is what an indicator's `evidence` and `source` name; `url` leads to the records."""

    code: str
    label: str
    figure: Figure
    unit: str = ""
    url: str = ""
    note: str = ""


Source = Callable[[EvidenceQuery], Sequence[Evidence]]
_SOURCES: dict[str, Source] = {}


class AdoptionFigures(Protocol):
    """Expected of `projects.services`: per code (opinions, items, adopted, partly, refused, unanswered, adoption_rate)
    a figure whose parts carry the ids of the opinion items, counting items of opinions submitted in the period."""

    def __call__(
        self, *, contracts: Sequence[int], charges: Sequence[int], start: date, end: date
    ) -> Mapping[str, Figure]: ...


def register_source(name: str) -> Callable[[Source], Source]:
    def add(source: Source) -> Source:
        _SOURCES[name] = source
        return source

    return add


def evidence_for(query: EvidenceQuery, *, only: Sequence[str] | None = None) -> list[Evidence]:
    """Everything the sources say, in the order of registration; `only`: these codes."""
    found = [item for source in _SOURCES.values() for item in source(query)]
    return found if only is None else [item for item in found if item.code in only]


@register_source("tally")
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
