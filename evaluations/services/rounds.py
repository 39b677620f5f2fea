"""A round from its preparation on: drawn from the pack, opened when nothing stands in the way, moved by phases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.permissions import require
from core.transitions import apply_move
from districts.models import Locality
from districts.services.policies import policy_in_force, version_in_force
from evaluations.models import Round, RoundStep
from evaluations.periods import Period, periods_of_year
from evaluations.permissions.rounds import can_manage_round, can_prepare_round
from evaluations.plans import BOTH, RoundPlan, plan_for, plans_of
from evaluations.services.checklist import require_ready
from evaluations.services.forms import draft_forms, freeze_forms
from evaluations.services.rules import RoundRules, freeze, of_policy, rules_of
from evaluations.services.subjects import drop_sheets, refresh_subjects
from evaluations.transitions.rounds import ROUND, ROUND_STANDING
from planners.models import Contract

# What else happens when a round moves, in the same transaction: `effect(round, rules, actor=, today=)`.
Effect = Callable[..., None]
_EFFECTS: dict[str, list[Effect]] = {}


def register_effect(*moves: str) -> Callable[[Effect], Effect]:
    """`@register_effect("collate")`: run with the move, so that both stand or neither."""

    def add(effect: Effect) -> Effect:
        for move in moves:
            _EFFECTS.setdefault(move, []).append(effect)
        return effect

    return add


def round_plans(locality: Locality, *, on: date) -> list[RoundPlan]:
    """The rounds that the pack in force asks for; none without one."""
    policy = policy_in_force(locality, on)
    return plans_of(of_policy(policy)) if policy is not None else []


def offered_rounds(locality: Locality, *, today: date) -> list[tuple[RoundPlan, Period]]:
    """What may be prepared now, newest first: periods that have begun and have no round of the direction yet."""
    offered = []
    for plan in round_plans(locality, on=today):
        for period in _periods(locality, plan, today):
            if period.start <= today and not _overlapping(locality, plan.scope, period.start, period.end):
                offered.append((plan, period))
    return sorted(offered, key=lambda pair: (pair[1].end, pair[0].scope), reverse=True)


def _periods(locality: Locality, plan: RoundPlan, today: date) -> list[Period]:
    if plan.period_kind == "term":
        # A term is that of contracts (聊城 三(一)): each stretch for which some were signed.
        rows = Contract.objects.filter(locality=locality).signed().order_by().values_list("start", "end").distinct()
        return [Period("term", start, end) for start, end in rows]
    if plan.period_kind == "other":
        return []
    return [p for year in (today.year - 1, today.year) for p in periods_of_year(plan.period_kind, year)]


def _overlapping(locality: Locality, scope: str, start: date, end: date) -> bool:
    """A direction is evaluated once for any day, whether alone or within a mutual round."""
    rows = Round.objects.filter(locality=locality).living().overlapping(start, end)
    return rows.exists() if scope == BOTH else rows.filter(scope__in=[scope, BOTH]).exists()


@transaction.atomic
def prepare_round(
    locality: Locality, *, actor: User, scope: str, start: date, end: date, today: date, copy_from: Round | None = None
) -> Round:
    """Set a round up from the pack: steps, forms and subjects, to be looked at before it is opened.

    A term or a period that the pack leaves open comes with dates of its own; any other must be one of the calendar.
    Side effects: audit entry. Raises: Refused, ValidationError.
    """
    require(can_prepare_round(actor, locality))
    Locality.objects.select_for_update().get(pk=locality.pk)
    version, policy = version_in_force(locality, today), policy_in_force(locality, today)
    if version is None or policy is None:
        raise ValidationError("本地方目前没有有效的制度方案，不能组织评估。")
    rules = of_policy(policy)
    plan = plan_for(rules, scope)
    if plan is None:
        raise ValidationError("本地方的制度方案没有这一方向的评估。")
    period = _checked_period(locality, plan, start, end)
    if copy_from is not None and copy_from.locality_id != locality.pk:
        raise ValidationError("只能沿用本地方的评估表样。")
    made = Round(
        locality=locality,
        policy_version=version,
        scope=scope,
        title=period.titled(plan.title)[:120],
        period_kind=plan.period_kind,
        start=start,
        end=end,
        has_self_report=plan.has_self_report,
        prepared_by=actor,
        copied_from=copy_from,
    )
    made.full_clean(exclude=["rules"])
    made.save()
    _make_steps(made, plan)
    draft_forms(made, rules)
    count = refresh_subjects(made, rules=rules)
    audit.record("round.prepare", actor=actor, obj=made, detail={"policy": str(version), "subjects": count})
    return made


def _checked_period(locality: Locality, plan: RoundPlan, start: date, end: date) -> Period:
    if end < start:
        raise ValidationError({"end": "期间止不能早于期间起。"})
    if plan.period_kind not in ("term", "other"):
        calendar = [p for year in (start.year, end.year) for p in periods_of_year(plan.period_kind, year)]
        if (start, end) not in {(p.start, p.end) for p in calendar}:
            raise ValidationError({"start": "起止日期与制度方案的评估周期不符。"})
    if _overlapping(locality, plan.scope, start, end):
        raise ValidationError("该期间的评估已建立。")
    return Period(plan.period_kind, start, end)


def _make_steps(round_: Round, plan: RoundPlan) -> None:
    RoundStep.objects.bulk_create(
        RoundStep(
            round=round_,
            number=step.number,
            title=step.title,
            planner_sides=list(step.planner_sides),
            department_sides=list(step.department_sides),
        )
        for step in plan.steps
    )


@transaction.atomic
def refresh_round(round_: Round, *, actor: User, today: date) -> Round:
    """Draw a round in preparation anew from the pack in force today and from what is registered.

    Side effects: audit entry. Raises: Refused, ValidationError (opened already, no pack in force).
    """
    require(can_manage_round(actor, round_))
    locked = _locked(round_)
    if locked.state != Round.State.PREPARATION:
        raise ValidationError("评估已启动，规则和表样不能再变更。")
    _take_rules_in_force(locked, today)
    audit.record("round.refresh", actor=actor, obj=locked, detail={"subjects": locked.subjects.count()})
    return locked


def _locked(round_: Round) -> Round:
    return Round.objects.select_for_update().select_related("locality").get(pk=round_.pk)


def _take_rules_in_force(round_: Round, today: date) -> RoundRules:
    """Process values come from the version in force on the day of opening; steps, forms and subjects follow them."""
    version, policy = version_in_force(round_.locality, today), policy_in_force(round_.locality, today)
    if version is None or policy is None:
        raise ValidationError("本地方目前没有有效的制度方案，不能组织评估。")
    rules = of_policy(policy)
    round_.policy_version = version
    plan = plan_for(rules, round_.scope)
    if plan is not None:
        round_.has_self_report = plan.has_self_report
        have = [(s.number, s.planner_sides, s.department_sides) for s in round_.steps.order_by("number")]
        if have != [(s.number, list(s.planner_sides), list(s.department_sides)) for s in plan.steps]:
            drop_sheets(round_.sheets.all())
            round_.steps.all().delete()
            _make_steps(round_, plan)
    round_.save(update_fields=["policy_version", "has_self_report"])
    draft_forms(round_, rules)
    refresh_subjects(round_, rules=rules)
    return rules


@transaction.atomic
def open_round(round_: Round, *, actor: User, today: date) -> Round:
    """Open the round: rules and forms are frozen, subjects and raters fixed; nothing is opened while a rule is unset.

    Goes to the self-reports where the pack asks for them, else straight to the first step.
    Side effects: audit entries, the first step opens, notices of the registered effects.
    Raises: Refused, NotReady (with every obstacle), StaleState.
    """
    require(can_manage_round(actor, round_))
    locked = _locked(round_)
    move = "open"
    if locked.state == Round.State.PREPARATION:
        rules = _take_rules_in_force(locked, today)
        move = "open" if locked.has_self_report else "open_directly"
        require_ready(locked, move, today=today, rules=rules)
        freeze_forms(locked, rules)
        locked.rules = freeze(rules)
        locked.save(update_fields=["rules"])
        audit.record("round.freeze", actor=actor, obj=locked, detail={"keys": sorted(locked.rules)})
    changes = {"opened_by": actor, "opened_at": timezone.now()}
    moved = apply_move(locked, ROUND, move, actor=actor, changes=changes)
    _run_effects(moved, move, actor, today)
    return moved


@transaction.atomic
def move_round(
    round_: Round, move: str, *, actor: User, today: date, reason: str = "", changes: dict[str, Any] | None = None
) -> Round:
    """Any other phase: asks the checklist, freezes what was unset and is set by now, moves, runs the effects.

    Raises: Refused, NotReady, StaleState, ValidationError (reason missing).
    """
    if move in ("open", "open_directly"):
        raise ValueError("a round is opened by open_round")
    require(ROUND.move(move).predicate(actor, round_))
    locked = _locked(round_)
    rules = rules_of(locked, on=today)
    if locked.state in ROUND.move(move).sources:
        require_ready(locked, move, today=today, rules=rules)
        _fill_rules(locked, rules, actor)
    moved = apply_move(locked, ROUND, move, actor=actor, reason=reason, changes=changes)
    _run_effects(moved, move, actor, today)
    return moved


def _fill_rules(round_: Round, rules: RoundRules, actor: User) -> None:
    if round_.state == Round.State.PREPARATION:
        return
    late = {key: row for key, row in freeze(rules).items() if key not in round_.rules}
    if late:
        round_.rules = {**round_.rules, **late}
        round_.save(update_fields=["rules"])
        audit.record("round.fill_rules", actor=actor, obj=round_, detail={"keys": sorted(late)})


def _run_effects(round_: Round, move: str, actor: User, today: date) -> None:
    rules = rules_of(round_, on=today)
    for effect in _EFFECTS.get(move, ()):
        effect(round_, rules, actor=actor, today=today)


def pause_round(round_: Round, *, actor: User, reason: str) -> Round:
    """Nothing is written or moved until it is resumed. Raises: Refused, StaleState, ValidationError (no reason)."""
    return apply_move(round_, ROUND_STANDING, "pause", actor=actor, reason=reason)


def resume_round(round_: Round, *, actor: User) -> Round:
    """Raises: Refused, StaleState."""
    return apply_move(round_, ROUND_STANDING, "resume", actor=actor)


@register_effect("open_directly", "start_scoring")
def _open_first_step(round_: Round, rules: RoundRules, *, actor: User, today: date) -> None:
    from evaluations.services.steps import open_step

    first = round_.steps.order_by("number").first()
    if first is not None:
        open_step(first, actor=actor, due_on=today + timedelta(days=int(rules.value("evaluation.fill_days"))))
