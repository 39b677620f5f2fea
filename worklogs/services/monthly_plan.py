"""Whether a monthly report is owed, by whom and until when: as the pack says; and the drafts that follow from it."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from core import audit
from core.notifications import notify
from core.permissions import require
from districts.models import Charge, Locality
from districts.policy.values import PolicyValue
from districts.services.policies import policy_in_force
from planners.models import Contract, Planner
from planners.services.assignments import service_periods
from worklogs import permissions_monthly as may
from worklogs.models import MonthlyReport
from worklogs.querysets import month_of, next_month

if TYPE_CHECKING:
    from accounts.models import User

# The portal's word where no document has one.
TITLE = "工作月报"
REMIND_BEFORE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class MonthlyPlan:
    """What the pack asks for: `is_required` False where no ledger is due every month, `due_days` None while unset."""

    title: str
    is_required: bool
    by_team: bool
    due_days: int | None
    origins: tuple[PolicyValue, ...] = ()

    def due_on(self, month: date) -> date | None:
        if not self.is_required or self.due_days is None:
            return None
        return date(month.year, month.month, monthrange(month.year, month.month)[1]) + timedelta(days=self.due_days)


def plan_of(locality: Locality, month: date) -> MonthlyPlan:
    """By the pack in force at the end of the month (通政办发〔2021〕10号 三(四)3: 台账): process, not contract.

    A pack whose ledgers are unset asks for none: then the report is voluntary and never overdue.
    """
    policy = policy_in_force(locality, next_month(month) - timedelta(days=1))
    if policy is None:
        return MonthlyPlan(TITLE, False, False, None)
    ledgers = policy.value("rhythm.ledgers") or ()
    monthly = [row["title"] for row in ledgers if row.get("period") == "month"]
    days = policy.value("rhythm.ledger_due_days")
    return MonthlyPlan(
        title=monthly[0] if monthly else TITLE,
        is_required=bool(monthly),
        by_team=bool(monthly) and policy.value("rhythm.ledger_by") == "team",
        due_days=None if days is None else int(days),
        origins=tuple(policy.get(f"rhythm.{key}") for key in ("ledgers", "ledger_by", "ledger_due_days")),
    )


# --- opened by the portal where it is owed, by its author where it is not ----------------------------------


@dataclass(frozen=True, slots=True)
class _Owed:
    contract_id: int
    charge_id: int
    author_id: int
    is_team: bool


def open_month(month: date, *, today: date | None = None) -> int:
    """A draft for everybody who owes a report of a month that is over; the number made. Run again it makes none.

    Side effects: drafts, one notice each to the author.
    """
    month = month_of(month)
    if next_month(month) > (today or timezone.localdate()):
        return 0
    return sum(
        _open_locality(locality, month, plan)
        for locality in Locality.objects.select_related("parent").order_by("pk")
        if (plan := plan_of(locality, month)).is_required
    )


@transaction.atomic
def _open_locality(locality: Locality, month: date, plan: MonthlyPlan) -> int:
    owed = _owed(locality, month, plan)
    known = {
        _Owed(*row) for row in MonthlyReport.objects.filter(locality=locality, month=month)
        .values_list("contract_id", "charge_id", "author_id", "is_team")
    }  # fmt: skip
    teams = {(one.contract_id, one.charge_id) for one in known if one.is_team}
    missing = [o for o in sorted(owed, key=repr) if o not in known and (o.contract_id, o.charge_id) not in teams]
    due = plan.due_on(month)
    made = MonthlyReport.objects.bulk_create(
        [
            MonthlyReport(
                locality=locality, month=month, title=plan.title, is_required=True, due_on=due,
                contract_id=o.contract_id, charge_id=o.charge_id, author_id=o.author_id, is_team=o.is_team,
            )
            for o in missing
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    people = dict(Planner.objects.filter(pk__in={o.author_id for o in missing}).values_list("pk", "user_id"))
    until = f"，请于 {due} 前提交" if due else ""
    for user_id in sorted({pk for pk in people.values() if pk}):
        notify(
            [user_id], kind="monthly.open", text=f"{month:%Y年%-m月}{plan.title}待撰写{until}", url=_list_url(month),
            key=f"monthly.open:{month:%Y-%m}",
        )  # fmt: skip
    return len(made)


def _owed(locality: Locality, month: date, plan: MonthlyPlan) -> set[_Owed]:
    """Who served in the month: each planner, or once for each team and charge its lead."""
    periods = service_periods(locality=locality.pk, start=month, end=next_month(month) - timedelta(days=1))
    contracts = Contract.objects.filter(pk__in={p.contract_id for p in periods}).select_related("team")
    leads = {c.pk: c.team.lead_id for c in contracts if plan.by_team and c.team is not None}
    return {
        _Owed(p.contract_id, p.charge_id, leads.get(p.contract_id) or p.planner_id, bool(leads.get(p.contract_id)))
        for p in periods
    }


def start_report(planner: Planner, *, actor: User, charge: Charge, month: date) -> MonthlyReport:
    """The author's report of a month that has begun: a new one, or the one that is there.

    Side effects: audit. Raises: Refused, ValidationError by field (`month`: not begun, or not in term; `charge`: the
    team's lead reports there).
    """
    require(may.may_write(actor))
    month = month_of(month)
    if month > timezone.localdate():
        raise ValidationError({"month": "该月尚未开始。"})
    plan = plan_of(charge.locality, month)
    owed = [o for o in _owed(charge.locality, month, plan) if o.charge_id == charge.pk]
    mine = next((o for o in sorted(owed, key=repr) if o.author_id == planner.pk and planner.user_id == actor.pk), None)
    if mine is None:
        by_lead = plan.by_team and any(o.is_team for o in owed)
        raise ValidationError(
            {"charge": "这里的月报由团队领衔规划师上报。"} if by_lead else {"month": f"该月您不在“{charge.name}”服务。"}
        )
    values = {"contract_id": mine.contract_id, "charge": charge, "month": month, "is_team": mine.is_team}
    if not mine.is_team:
        values["author"] = planner
    try:
        with transaction.atomic():
            known = MonthlyReport.objects.filter(**values).newest().first()
            if known is not None:
                return known
            report = MonthlyReport.objects.create(
                **{**values, "author": planner}, locality=charge.locality, title=plan.title,
                is_required=plan.is_required, due_on=plan.due_on(month),
            )  # fmt: skip
            audit.record("monthlyreport.open", actor=actor, obj=report)
            return report
    except IntegrityError:
        # Two clicks at once: the other one was first.
        return MonthlyReport.objects.filter(**values).newest().get()


def remind(today: date) -> int:
    """Tell authors that a report is due soon, and that its day has passed: each once; the number told."""
    rows = MonthlyReport.objects.newest().filter(
        is_required=True, state__in=["draft", "returned"], due_on__lte=today + REMIND_BEFORE
    )
    told = 0
    for report in rows.filter(author__user__isnull=False).select_related("author", "charge"):
        passed = report.due_on is not None and report.due_on < today
        words = f"已过报送期限 {report.due_on}" if passed else f"请于 {report.due_on} 前提交"
        notify(
            [report.author.user_id], kind="monthly.due", text=f"{report}：{words}", url=report.get_absolute_url(),
            key=f"monthly.due:{report.pk}:{passed}",
        )  # fmt: skip
        told += 1
    return told


def _list_url(month: date) -> str:
    return f"{reverse('worklogs:monthly-list')}?month={month:%Y-%m}"
