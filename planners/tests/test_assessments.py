"""Results handed down by an evaluation: once, never edited, corrected by a new row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from core.models import AuditEntry
from factories import make_cast
from planners.models import Assessment, Honour
from planners.services.assessments import Finding, record_assessment, record_honour

pytestmark = pytest.mark.django_db
FOUND = Finding(
    title="2025年度互评", start=date(2025, 1, 1), end=date(2025, 12, 31), grade="优秀", decided_on=date(2026, 2, 1),
    source="evaluations.result:1", score=Decimal("92.50"),
)  # fmt: skip


@pytest.fixture
def cast():
    return make_cast()


def test_the_same_result_handed_down_twice_is_one_row(cast):
    first = record_assessment(cast.contract, holder=cast.team, finding=FOUND, actor=cast.bureau)
    assert record_assessment(cast.contract, holder=cast.team, finding=FOUND, actor=cast.bureau) == first
    assert Assessment.objects.count() == 1
    assert AuditEntry.objects.filter(action="assessment.record").count() == 1


def test_a_result_is_never_rewritten_but_superseded(cast):
    first = record_assessment(cast.contract, holder=cast.team, finding=FOUND, actor=cast.bureau)
    with pytest.raises(ValidationError, match="另出新版"):
        record_assessment(cast.contract, holder=cast.team, finding=replace(FOUND, grade="良好"), actor=cast.bureau)
    better = replace(FOUND, grade="良好", source="evaluations.result:2", corrects=FOUND.source)
    second = record_assessment(cast.contract, holder=cast.team, finding=better, actor=cast.bureau)
    assert list(Assessment.objects.current()) == [second] and second.supersedes == first


def test_who_sees_results(cast):
    record_assessment(cast.contract, holder=cast.own_planner, finding=FOUND, actor=cast.bureau)
    sees = {
        who
        for who in (
            "bureau", "leader", "city", "finance", "planner", "lead", "colleague", "unit_officer", "department",
            "other_bureau", "foreign", "sysadmin", "secadmin", "auditor",
        )
        if Assessment.objects.visible_to(getattr(cast, who)).exists()
    }  # fmt: skip
    assert sees == {"bureau", "leader", "city", "finance", "planner", "lead"}


def test_the_credit_bonus_goes_to_the_institute(cast):
    made = record_honour(
        cast.institution, contract=cast.contract, kind="credit", title="行业信用加分", given_on=date(2026, 3, 1),
        actor=cast.bureau, article="六(一)3",
    )  # fmt: skip
    assert (made.institution, made.planner) == (cast.institution, None)
    assert Honour.objects.visible_to(cast.planner).exists()
    assert not Honour.objects.visible_to(cast.auditor).exists()
