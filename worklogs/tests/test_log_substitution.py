"""What one may not confirm of one's own, nobody confirms in one's place, nor for oneself in another's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from districts.access import forget_access
from districts.models import Membership
from districts.services.substitutions import substitute
from factories import make_log, make_membership, make_user
from worklogs.models import MonthlyReport
from worklogs.permissions import can_review
from worklogs.permissions_monthly import can_receive

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("whose", ["principal", "deputy", "third"])
def test_substitute_confirms_neither_own_logs_and_reports_nor_the_principals(cast, whose):
    """A planner may be a secondee of the office too (晋市政办函〔2022〕24号 二(一)): principal and deputy both may."""
    deputy = make_user("代理人", locality_code=cast.locality.code)
    make_membership(deputy, Role.UNIT, cast.locality, unit=cast.unit)
    owner = {"principal": cast.unit_officer, "deputy": deputy, "third": make_user("第三人")}[whose]
    cast.own_planner.user = owner
    cast.own_planner.save()
    today = timezone.localdate()
    made = substitute(
        Membership.objects.get(user=cast.unit_officer), person=deputy, actor=cast.unit_officer, valid_from=today,
        valid_to=today + timedelta(days=3), reason="出差",
    )  # fmt: skip
    deputy.active_membership_id = made.pk
    forget_access(deputy)
    log = make_log(cast.own_planner, cast.unit.charge, cast.contract, today - timedelta(days=1))
    report = MonthlyReport(
        author=cast.own_planner, charge=cast.unit.charge, contract=cast.contract, locality=cast.locality,
        month=today.replace(day=1), state="submitted",
    )  # fmt: skip
    assert bool(can_review(deputy, log)) is (whose == "third")
    assert bool(can_receive(deputy, report)) is (whose == "third")
