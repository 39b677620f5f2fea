"""What a changed log sets off: the tally is told, and people are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core.notifications import Notice
from districts.models import Charge, Membership
from districts.services.lineage import charges_with_successors

from . import checks, figures

if TYPE_CHECKING:
    from core.models import ImportBatch
    from worklogs.models import WorkLog


def tell(logs: Iterable[WorkLog]) -> None:
    """Have the kept figures of these logs' contracts recounted, and their months looked through, once the transaction
    stands."""
    rows = list(logs)
    figures.touch(rows)
    checks.touch(rows)


def tell_imported(batch: ImportBatch) -> None:
    """The same for the logs of an import, without loading them."""
    years = batch.logs.order_by().values_list("contract_id", "date__year").distinct()
    figures.touch_contracts(years)
    checks.touch_imported(batch)


def month_url(charge_id: int, on: date) -> str:
    return reverse("worklogs:month", args=[charge_id, on.year, on.month])


def calendar_url(month: date) -> str:
    return reverse("worklogs:calendar-month", args=[month.year, month.month])


def confirmers_of(charge: Charge) -> list[User]:
    """The people who confirm for the charge: its unit's officers, or those of the organisation that owns the project.

    Those of its successors where the unit is no more. A charge without any falls to the bureau of its locality.
    """
    charges = charges_with_successors([charge.pk])
    valid = Membership.objects.valid_on(timezone.localdate()).filter(user__is_active=True)
    near = valid.filter(
        Q(role=Role.UNIT, unit__charge_id__in=charges)
        | Q(role=Role.UNIT, unit__office__projects__charge_id=charge.pk)
        | Q(role__in=[Role.UNIT, Role.DEPARTMENT], organisation__projects__charge_id=charge.pk)
    )
    people = list(User.objects.filter(pk__in=near.values("user_id")))
    if people:
        return people
    return list(
        User.objects.filter(pk__in=valid.filter(role=Role.BUREAU, locality_id=charge.locality_id).values("user_id"))
    )


def notice_of_waiting(log: WorkLog) -> Notice:
    """One notice a day and charge, however many logs come in."""
    what = "更正（补报）" if log.state == "proposed" else "履职记录"
    return Notice(
        confirmers_of(log.charge),
        "worklog.waiting",
        f"“{log.charge_name}”有新的{what}待确认",
        month_url(log.charge_id, log.date),
        f"worklog.waiting:{log.state}:{log.charge_id}:{log.date:%Y-%m}:{timezone.localdate():%Y-%m-%d}",
    )


def notice_of_confirmed(log: WorkLog) -> list[Notice]:
    if log.planner.user_id is None:
        return []
    what = "记录已作废" if log.state == "void" else "履职记录已确认"
    return [
        Notice(
            [log.planner.user_id],
            "worklog.confirmed",
            f"{log.date} “{log.charge_name}”的{what}",
            log.get_absolute_url(),
            f"worklog.confirmed:{log.pk}",
        )
    ]


def notice_of_returned(log: WorkLog) -> list[Notice]:
    people = {log.planner.user_id}
    if log.supersedes_id is not None:
        people.add(log.created_by_id)
    people.discard(None)
    if not people:
        return []
    text = f"{log.date} “{log.charge_name}”的履职记录被退回：{log.return_reason}"
    return [Notice(sorted(people), "worklog.returned", text[:300], log.get_absolute_url())]
