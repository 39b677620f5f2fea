"""The cast with a round open for 2025, and what an author would have written."""

from __future__ import annotations

from datetime import date

import pytest

from evaluations.models import Cycle, DutyReport
from evaluations.sections import SECTIONS
from evaluations.services.cycles import open_cycle
from factories import Cast, make_cast

TODAY = date(2026, 1, 10)
TEXTS = {section.code: f"{section.title}：示例文字。" for section in SECTIONS}


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def cycle(cast: Cast) -> Cycle:
    return open_cycle(
        cast.locality,
        actor=cast.bureau,
        start=date(2025, 1, 1),
        end=date(2025, 12, 31),
        due_on=date(2026, 1, 31),
        today=TODAY,
    )


@pytest.fixture
def report(cast: Cast, cycle: Cycle) -> DutyReport:
    """The draft of the planner (not the lead)."""
    return cycle.reports.get(author=cast.own_planner)
