"""What happens below and changes figures: appointments, memberships, policies. Each is only touched here, and recounted
by a worker once the transaction stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from core.signals import calendar_changed
from districts.models import PolicyVersion
from districts.passing import Effect, Passing
from districts.signals import unit_changed
from planners.models import Assignment, Contract, TeamMember
from planners.signals import assignments_changed, contract_ended, contract_signed
from worklogs.services import checks
from worklogs.services.figures import touch_contracts
from worklogs.services.passing import pass_logs


def _touch(contracts: Iterable[tuple[int, int, int]]) -> None:
    """Rows of (id, first year, last year): every year of theirs that has begun."""
    this_year = timezone.localdate().year
    contracts = list(contracts)
    checks.touch_contracts(pk for pk, _, _ in contracts)
    touch_contracts((pk, year) for pk, first, last in contracts for year in range(first, min(last, this_year) + 1))


def _years(rows: Any) -> list[tuple[int, int, int]]:
    return [(pk, start.year, end.year) for pk, start, end in rows.values_list("pk", "start", "end").distinct()]


@receiver([contract_signed, contract_ended])
def contract_changed(contract: Contract, **kwargs: Any) -> None:
    _touch([(contract.pk, contract.start.year, contract.end.year)])


@receiver(assignments_changed)
def service_changed(charge_ids: list[int], planner_ids: list[int], **kwargs: Any) -> None:
    """Without charges, every contract under which these planners serve, by themselves or in a team or group."""
    rows = Assignment.objects.filter(charge_id__in=charge_ids)
    if not charge_ids:
        members = TeamMember.objects.filter(planner_id__in=planner_ids)
        rows = Assignment.objects.filter(
            Q(planner_id__in=planner_ids)
            | Q(team_id__in=members.values("team_id"))
            | Q(group_id__in=members.values("group_id"))
        )
    _touch(_years(Contract.objects.signed().filter(pk__in=rows.values("contract_id"))))


@receiver(post_save, sender=PolicyVersion)
def supplement_entered(instance: PolicyVersion, **kwargs: Any) -> None:
    """A supplement reaches the contracts under the version that it supplements."""
    if instance.supplements_id is not None:
        _touch(_years(Contract.objects.signed().filter(policy_version_id=instance.supplements_id)))


@receiver(calendar_changed)
def calendar_published(years: Iterable[int], **kwargs: Any) -> None:
    """Days of a whole country changed: every contract that runs in these years."""
    for year in years:
        running = Contract.objects.signed().filter(start__year__lte=year, end__year__gte=year)
        _touch((pk, year, year) for pk in running.values_list("pk", flat=True))


@receiver(unit_changed)
def unit_passed_on(passing: Passing, **kwargs: Any) -> list[Effect]:
    """The logs follow; every contract that serves or served these units is recounted, under its new names too."""
    effects = pass_logs(passing)
    service_changed([unit.charge_id for unit in (*passing.sources, *passing.targets)], [])
    return effects
