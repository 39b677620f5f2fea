"""Opening a round from the pack, and making a document for everyone who owes one."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import audit
from core.notifications import notify
from core.permissions import require
from core.transitions import apply_move
from districts.models import Locality
from districts.policy.values import EffectivePolicy, PolicyValue
from districts.services.policies import policy_in_force, version_in_force
from evaluations.models import Cycle, DutyReport
from evaluations.periods import Period, periods_of_year
from evaluations.permissions import can_open_cycle
from evaluations.transitions import CYCLE
from planners.models import Contract, Planner
from planners.services.assignments import ServicePeriod, service_periods

# Named so by the portal where a pack asks for no document: it can be written, but nobody owes it.
OPTIONAL_KIND, OPTIONAL_TITLE = "optional_summary", "履职小结"


@dataclass(frozen=True, slots=True)
class DocumentPlan:
    """The document that a locality's pack names, as a round would carry it."""

    policy: EffectivePolicy
    kind: str
    title: str
    period_kind: str
    through_team: bool
    recipient: str
    is_required: bool
    endorsed_by_lead: bool
    due_days: tuple[str, ...]
    origins: tuple[PolicyValue, ...]


def document_plan(locality: Locality, *, on: date) -> DocumentPlan | None:
    """What the pack in force on `on` asks for; None when no pack is in force there.

    A pack that names no document (晋市政办函〔2022〕24号) gives an optional one, by the calendar year, owed by nobody.
    """
    policy = policy_in_force(locality, on)
    if policy is None:
        return None
    kind, title, period = (policy.get(f"report.{key}") for key in ("document_kind", "title", "period"))
    named = kind.value is not None
    return DocumentPlan(
        policy=policy,
        kind=str(kind.value) if named else OPTIONAL_KIND,
        title=str(title.value or kind.display) if named else OPTIONAL_TITLE,
        period_kind=str(period.value) if period.value in {"year", "half_year"} else "year",
        through_team=policy.value("report.through") == "team",
        recipient=str(policy.value("report.recipient") or ""),
        is_required=named and policy.value("report.required") is not False,
        # Silent packs leave the portal's own way: the lead of a team looks before it counts as the team's word.
        endorsed_by_lead=policy.value("report.endorsement") is not False,
        due_days=tuple(policy.value("report.due") or ()),
        origins=tuple(
            policy.get(f"report.{key}")
            for key in ("document_kind", "period", "through", "recipient", "endorsement", "due")
        ),
    )


def offered_periods(locality: Locality, *, today: date) -> list[Period]:
    """The periods of this and last year that may be opened and are not yet, newest first."""
    plan = document_plan(locality, on=today)
    if plan is None:
        return []
    taken = set(Cycle.objects.filter(locality=locality, document_kind=plan.kind).values_list("start", "end"))
    periods = [p for year in (today.year - 1, today.year) for p in periods_of_year(plan.period_kind, year)]
    return [p for p in reversed(periods) if p.start <= today and (p.start, p.end) not in taken]


def due_day(plan: DocumentPlan, period: Period) -> date | None:
    """The pack's due day ("MM-DD") that lies nearest to the end of the period; None where the pack sets none."""
    days = []
    for text in plan.due_days:
        month, day = (int(part) for part in text.split("-"))
        for year in (period.end.year, period.end.year + 1):
            # 02-29 is the last of February in other years.
            days.append(date(year, month, min(day, monthrange(year, month)[1])))
    return min(days, key=lambda day: abs((day - period.end).days), default=None)


@transaction.atomic
def open_cycle(
    locality: Locality, *, actor: User, start: date, end: date, due_on: date | None, today: date,
    recipient: str | None = None,
) -> Cycle:  # fmt: skip
    """Open the round for one period, with a draft for everyone who served in it.

    `recipient`: whom the documents are addressed to; None takes the pack's own word, which may be as short as 政府
    (《关于推进北京市核心区责任规划师工作的指导意见》五(二)).

    Side effects: drafts, notices to their authors, one audit entry.
    Raises: Refused, ValidationError (no pack in force, period not offered, round already open).
    """
    require(can_open_cycle(actor, locality))
    plan = document_plan(locality, on=today)
    version = version_in_force(locality, today)
    if plan is None or version is None:
        raise ValidationError("本地方目前没有有效的制度方案，不能开启述职周期。")
    period = next((p for p in offered_periods(locality, today=today) if (p.start, p.end) == (start, end)), None)
    if period is None:
        raise ValidationError({"period": "该期间已开启，或不在可开启的范围内。"})
    if due_on is not None and due_on < today:
        raise ValidationError({"due_on": "截止日期不能早于今天。"})
    cycle = Cycle(
        locality=locality,
        policy_version=version,
        title=title_of(period, plan),
        period_kind=plan.period_kind,
        start=start,
        end=end,
        document_kind=plan.kind,
        document_title=plan.title,
        is_required=plan.is_required,
        through_team=plan.through_team,
        recipient=plan.recipient if recipient is None else recipient,
        endorsed_by_lead=plan.endorsed_by_lead,
        due_on=due_on,
        opened_by=actor,
    )
    cycle.validate_constraints()
    cycle.save()
    reports = add_missing_reports(cycle, actor=actor)
    audit.record(
        "cycle.open",
        actor=actor,
        obj=cycle,
        detail={"period": period.label, "policy": str(version), "reports": len(reports), "required": plan.is_required},
    )
    return cycle


def add_missing_reports(cycle: Cycle, *, actor: User) -> list[DutyReport]:
    """Make a draft for each planner who served in the period and has none yet; tell those who have a login.

    One document for each planner and contract; with one charge it names the charge.
    """
    served = _served(cycle)
    have = set(cycle.reports.values_list("author_id", "contract_id", "is_collation"))
    wanted = {(*key, False): next(iter(charges)) if len(charges) == 1 else None for key, charges in served.items()}
    if cycle.through_team:
        wanted |= {(lead, contract, True): None for lead, contract in _leads({contract for _, contract in served})}
    made = [
        DutyReport(cycle=cycle, author_id=author, contract_id=contract, is_collation=collation, charge_id=charge)
        for (author, contract, collation), charge in wanted.items()
        if (author, contract, collation) not in have
    ]
    reports = DutyReport.objects.bulk_create(made)
    users = (
        Planner.objects.filter(pk__in=[r.author_id for r in reports]).exclude(user=None).values_list("user", flat=True)
    )
    notify(list(users), kind="report_due", text=_due_text(cycle), url="/evaluations/", key=f"cycle-{cycle.pk}-open")
    return reports


def title_of(period: Period, plan: DocumentPlan) -> str:
    """What the round of a period is called: the document's name, without the kind of period that the label says."""
    return period.label + plan.title.removeprefix("年度").removeprefix("半年")


def _leads(contract_ids: set[int]) -> list[tuple[int, int]]:
    """(lead, contract) of the contracts held by a team that has a lead."""
    rows = Contract.objects.filter(pk__in=contract_ids).exclude(team=None).exclude(team__lead=None)
    return [(lead, pk) for lead, pk in rows.order_by("pk").values_list("team__lead_id", "pk")]


def _served(cycle: Cycle) -> dict[tuple[int, int], set[int]]:
    """(planner, contract) → charges served in the period, in a stable order.

    Contracts with one party that follow one another are one account, which stands under the latest of them.
    """
    periods: list[ServicePeriod] = service_periods(locality=cycle.locality_id, start=cycle.start, end=cycle.end)
    contracts = Contract.objects.in_bulk({p.contract_id for p in periods})
    latest: dict[tuple[object, ...], Contract] = {}
    for contract in sorted(contracts.values(), key=lambda c: (c.start, c.pk)):
        latest[_account(contract)] = contract
    served: dict[tuple[int, int], set[int]] = {}
    for period in sorted(periods, key=lambda p: (p.planner_id, p.contract_id)):
        contract = latest[_account(contracts[period.contract_id])]
        served.setdefault((period.planner_id, contract.pk), set()).add(period.charge_id)
    return served


def _account(contract: Contract) -> tuple[object, ...]:
    party = (contract.planner_id, contract.team_id, contract.institution_id)
    return (contract.party_kind, *party, contract.role_type)


def _due_text(cycle: Cycle) -> str:
    if not cycle.is_required:
        return f"{cycle.title}已开放，可自愿撰写。"
    due = f"，请于{cycle.due_on.year}年{cycle.due_on.month}月{cycle.due_on.day}日前提交" if cycle.due_on else ""
    return f"{cycle.title}已开启{due}。"


def close_cycle(cycle: Cycle, *, actor: User) -> Cycle:
    """Close the round: nothing is written or submitted any more. Raises: Refused, StaleState."""
    return apply_move(cycle, CYCLE, "close", actor=actor)


def reopen_cycle(cycle: Cycle, *, actor: User, reason: str) -> Cycle:
    """Open a closed round again, with the reason. Raises: Refused, StaleState, ValidationError (no reason)."""
    return apply_move(cycle, CYCLE, "reopen", actor=actor, reason=reason)
