"""Whoever the bureau has linked to a planner records for that planner, and nobody else does."""

from __future__ import annotations

import pytest

from factories import Cast, make_planner
from planners.models import Planner
from planners.services.logins import link_login
from worklogs.permissions import can_record

pytestmark = pytest.mark.django_db


def test_only_the_planner_with_the_account_records(cast: Cast):
    newcomer = make_planner(cast.locality, name="新来的规划师")
    assert not can_record(cast.planner, newcomer)
    Planner.objects.filter(user=cast.planner).update(user=None)
    # The account is one of the locality, and no planner's any more.
    cast.planner.locality_code = cast.locality.code
    cast.planner.save(update_fields=["locality_code"])
    assert can_record(cast.planner, link_login(newcomer, actor=cast.bureau, username=cast.planner.username))
