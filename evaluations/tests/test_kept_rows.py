"""What tests are given again is what was made, and never takes the place of what a test has done itself."""

from __future__ import annotations

import pytest
from django.db import transaction

import factories_kept
from districts.models import Unit
from evaluations.tests.outcome_cases import announced
from evaluations.tests.round_cases import make_site

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def made():
    """A site and its round, the rows that they left, and an empty database again."""
    with transaction.atomic():
        site = make_site("jincheng", demo=True)
        round_ = announced(site)
        copied = factories_kept.copied(n for n in factories_kept.tables() if n not in factories_kept.STANDING)
        # A table has no order of its own.
        rows = {name: sorted(text.splitlines()) for name, text in copied.items()}
        transaction.set_rollback(True)
    return site, round_, rows


def test_what_is_given_again_is_what_was_made():
    site, round_, rows = made()
    again, again_round, again_rows = made()
    assert again is not site
    assert (again.unit, again.planners, again_round) == (site.unit, site.planners, round_)
    assert again_rows == rows


def test_what_a_test_changed_stays_when_it_goes_on():
    made()
    site = make_site("jincheng", demo=True)
    Unit.objects.filter(pk=site.unit.pk).update(name="改名街道")
    assert announced(site).subjects.exists()
    assert Unit.objects.get(pk=site.unit.pk).name == "改名街道"


def test_beside_other_rows_it_is_made_anew():
    _, _, rows = made()
    with transaction.atomic():
        made_before = make_site("tongzhou", demo=True)
        site = make_site("jincheng", demo=True)
        assert {made_before.unit.pk, site.unit.pk} <= set(Unit.objects.values_list("pk", flat=True))
        assert not any(line.startswith(f"{site.unit.pk}\t") for line in rows["districts_unit"])
        transaction.set_rollback(True)
