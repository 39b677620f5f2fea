"""Dry runs of a local decision over every real contract that it concerns.

The same subjects, the same statement, the same pure tally as the kept figures; only the policy is another one. Nothing
but the trial's own rows is written. Which contracts the decision then reaches is another matter and said for each row:
a supplement reaches those under its version, an amendment none that is signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.jobs import enqueue
from core.name_search import search_text
from core.names import sort_key
from core.permissions import require
from districts.models import PolicyDecision
from districts.permissions import can_edit_decision, own_only
from districts.policy.values import EffectivePolicy
from districts.services.decisions import fingerprint, propose, proposed_policy, record_trial
from planners.models import Contract
from worklogs.models import PolicyTrial, PolicyTrialRow
from worklogs.services.mass import count_atoms
from worklogs.services.subjects import SubjectRow, policy_day, subjects_of
from worklogs.tally import Assessment, assess
from worklogs.tally.shapes import year_span

audit.register_actions({"policytrial.export": "导出制度试算"})

# Up to here the answer is there before a person would look for a progress bar.
AT_ONCE = 150
CHUNK = 200
Side = PolicyTrialRow.Side


# --- which contracts ------------------------------------------------------------------------------------------


def contracts_concerned(decision: PolicyDecision, year: int) -> QuerySet[Contract]:
    """The signed contracts that run in `year` under the decision's pack; for an adoption, those of its locality."""
    first, last = year_span(year)
    rows = Contract.objects.signed().filter(start__lte=last, end__gte=first)
    if decision.kind == PolicyDecision.Kind.ADOPTION:
        return rows.filter(locality_id=decision.locality_id)
    return rows.filter(policy_version__pack_id=decision.base.pack_id)


def _reached(decision: PolicyDecision, rows: QuerySet[Contract]) -> QuerySet[Contract]:
    """Of these, the ones that the decision will bind."""
    if decision.kind != PolicyDecision.Kind.SUPPLEMENT:
        return rows.none()
    rows = rows.filter(policy_version_id=decision.base_id)
    alone = own_only(decision.base.pack, decision.locality)
    return rows.filter(locality__code__in=alone) if alone else rows


def _counted(decision: PolicyDecision, year: int) -> QuerySet[Contract]:
    """The contracts that are counted under the new values: those it will bind, else what it would mean for all."""
    rows = contracts_concerned(decision, year)
    return _reached(decision, rows) if decision.kind == PolicyDecision.Kind.SUPPLEMENT else rows


# --- running --------------------------------------------------------------------------------------------------


@transaction.atomic
def start_trial(decision: PolicyDecision, *, actor: User, year: int) -> PolicyTrial:
    """Count at once where there is little to count, else as a job.

    Side effects: the trial with its rows (or the job that makes them); earlier trials nobody has read are dropped.
    Raises: Refused, ValidationError (the values do not go together).
    """
    require(can_edit_decision(actor, decision))
    propose(decision)
    PolicyDecision.objects.select_for_update().get(pk=decision.pk)
    mark, today = fingerprint(decision), timezone.localdate()
    waiting = decision.trials.filter(finished=None, fingerprint=mark, year=year, job__state__in=["waiting", "running"])
    if (known := waiting.first()) is not None:
        return known
    earlier = decision.trials.all()
    if decision.trial:
        earlier = earlier.exclude(fingerprint=decision.trial.get("fingerprint"))
    earlier.delete()
    trial = PolicyTrial.objects.create(decision=decision, year=year, as_of=today, fingerprint=mark, asked_by=actor)
    ids = list(_counted(decision, year).order_by("pk").values_list("pk", flat=True))
    if len(ids) <= AT_ONCE:
        count_contracts(trial, ids)
        finish(trial)
    else:
        trial.job = enqueue(
            "worklogs.policy_trial", actor=actor, arguments={"trial": trial.pk, "contracts": ids},
            locality=decision.locality,
            label=f"制度试算：{decision.title}"[:200],
        )  # fmt: skip
        trial.save(update_fields=["job"])
    return trial


def count_contracts(trial: PolicyTrial, contract_ids: Sequence[int]) -> int:
    """Write the rows of these contracts; the number written."""
    before = {row.key: (row, found) for row, found in _assessed(trial, contract_ids, proposed=False)}
    after = {row.key: (row, found) for row, found in _assessed(trial, contract_ids, proposed=True)}
    reached = set(_reached(trial.decision, Contract.objects.filter(pk__in=contract_ids)).values_list("pk", flat=True))
    rows = [_row(trial, key, before.get(key), after.get(key), reached) for key in dict.fromkeys([*before, *after])]
    PolicyTrialRow.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def subjects_tried(trial: PolicyTrial, contract_ids: Iterable[int], *, proposed: bool) -> list[SubjectRow]:
    """The subjects as they are, or as the decision would make them."""
    if not proposed:
        return subjects_of(trial.year, contracts=contract_ids, today=trial.as_of)
    return subjects_of(
        trial.year, contracts=contract_ids, today=trial.as_of, policy=lambda contract: policy_tried(trial, contract)
    )


def policy_tried(trial: PolicyTrial, contract: Contract) -> EffectivePolicy:
    """What would bind the contract if it stood under the decision."""
    return proposed_policy(trial.decision, on=policy_day(trial.year, trial.as_of), locality=contract.locality)


def _assessed(
    trial: PolicyTrial, contract_ids: Sequence[int], *, proposed: bool
) -> list[tuple[SubjectRow, Assessment]]:
    rows = subjects_tried(trial, contract_ids, proposed=proposed)
    atoms = count_atoms([(row.subject, row.rules) for row in rows], trial.year)
    return [
        (row, assess(row.subject, year=trial.year, atoms=counts, rules=row.rules, today=trial.as_of))
        for row, counts in zip(rows, atoms, strict=True)
    ]


Found = tuple[SubjectRow, Assessment]


def _row(trial: PolicyTrial, key: str, before: Found | None, after: Found | None, reached: set[int]) -> PolicyTrialRow:
    shown = after or before
    if shown is None:
        raise ValueError("a row needs one side")
    subject = shown[0].subject
    row = PolicyTrialRow(
        trial=trial, contract_id=subject.contract_id, subject=key, label=subject.label,
        sort_key=sort_key(subject.label)[:255], search_text=search_text(subject.label, limit=600),
        side=Side.BOTH if before and after else Side.AFTER if after else Side.BEFORE,
        applies=subject.contract_id in reached, planners=sorted({m.planner_id for m in subject.members}),
    )  # fmt: skip
    for side, found in (("before", before), ("after", after)):
        _fill(row, side, found)
    pairs = [(getattr(row, f"{name}_before"), getattr(row, f"{name}_after")) for name in PolicyTrialRow.FIGURES]
    row.differs = row.unset_before != row.unset_after or any(one != other for one, other in pairs)
    if row.deduction_before is not None and row.deduction_after is not None:
        row.change = row.deduction_after - row.deduction_before
    return row


def _fill(row: PolicyTrialRow, side: str, found: Found | None) -> None:
    if found is None:
        return
    numbers = found[1]
    for name in PolicyTrialRow.FIGURES:
        setattr(row, f"{name}_{side}", numbers.outcome(name).value)
    open_figures = {name: list(numbers.outcome(name).unset) for name in PolicyTrialRow.FIGURES}
    setattr(row, f"unset_{side}", {name: keys for name, keys in open_figures.items() if keys})
    short = bool(numbers.shortfall_days.value) or bool(numbers.shortfall_visits.value)
    setattr(row, f"short_{side}", short)


# --- what it came to ------------------------------------------------------------------------------------------


def finish(trial: PolicyTrial) -> None:
    """Count and sum the rows; from now on the trial can be read."""
    rows = trial.rows.all()
    newly = rows.filter(short_after=True).exclude(short_before=True)
    known = rows.exclude(deduction_before=None).exclude(deduction_after=None)
    sums = known.aggregate(before=Sum("deduction_before"), after=Sum("deduction_after"))
    concerned = contracts_concerned(trial.decision, trial.year)
    bound = _reached(trial.decision, concerned)
    kept = concerned.exclude(pk__in=bound.values("pk")).values("policy_version__number", "policy_version__title")
    trial.report = {
        "contracts": concerned.count(),
        "reached": bound.count(),
        "kept": [
            [f"第 {one['policy_version__number']} 版 {one['policy_version__title']}", one["count"]]
            for one in kept.annotate(count=Count("pk")).order_by("policy_version__number")
        ],
        "subjects": rows.count(),
        "differing": rows.filter(differs=True).count(),
        "short_before": rows.filter(short_before=True).count(),
        "short_after": rows.filter(short_after=True).count(),
        "newly_short": newly.count(),
        "no_longer_short": rows.filter(short_before=True).exclude(short_after=True).count(),
        "planners_newly_short": len({pk for ids in newly.values_list("planners", flat=True) for pk in ids}),
        "deduction_before": str(sums["before"] or Decimal(0)),
        "deduction_after": str(sums["after"] or Decimal(0)),
        "deduction_known": known.count(),
        "settled": rows.filter(deduction_before=None).exclude(deduction_after=None).count(),
        "opened": rows.filter(deduction_after=None).exclude(deduction_before=None).count(),
        "unset_after": rows.filter(deduction_after=None).count(),
    }
    trial.finished = timezone.now()
    trial.save(update_fields=["report", "finished"])


def summary_of(trial: PolicyTrial) -> list[str]:
    """The outcome in sentences, the one that matters most first."""
    found = trial.report
    if not found.get("contracts"):
        return [f"{trial.year} 年没有相关的聘用合同，本决定不影响任何已有的履职统计。"]
    return [_reach_words(trial, found), *_figure_words(trial, found)]


def _reach_words(trial: PolicyTrial, found: dict[str, Any]) -> str:
    kept = "、".join(f"{count} 份按{label}" for label, count in found["kept"])
    if trial.decision.kind == PolicyDecision.Kind.SUPPLEMENT:
        words = f"本决定约束 {found['reached']} 份合同"
        if trial.decision.effective_from > policy_day(trial.year, trial.as_of):
            words += f"（自 {trial.decision.effective_from} 起，{trial.year} 年的统计实际不变，以下为按新值试算）"
        return f"{words}；其余 {kept}，不受影响。" if kept else f"{words}。"
    return f"已签订的 {found['contracts']} 份合同（{kept}）保留签订时的版本，实际不变；以下为全部改按新值的结果。"


def _figure_words(trial: PolicyTrial, found: dict[str, Any]) -> list[str]:
    if not found["differing"]:
        return [f"{found['subjects']} 个计量对象的天数、走访和扣减都没有变化。"]
    words = [
        f"{found['planners_newly_short']} 名规划师（{found['newly_short']} 个对象）将不达标，"
        f"{found['no_longer_short']} 个对象不再不达标；"
        f"不达标的对象由 {found['short_before']} 个变为 {found['short_after']} 个。"
    ]
    if trial.year == trial.as_of.year:
        words.append(f"年度尚未结束：以截至 {trial.as_of} 的记录与全年要求比较，走访只计已过的月份。")
    change = Decimal(found["deduction_after"]) - Decimal(found["deduction_before"])
    sign = "增加" if change > 0 else "减少"
    total = f"{sign} {abs(change):,.2f} 元" if change else "不变"
    words.append(
        f"扣减合计{total}（{Decimal(found['deduction_before']):,.2f} 元 → {Decimal(found['deduction_after']):,.2f} 元，"
        f"按前后都可计算的 {found['deduction_known']} 个对象）。"
    )
    if found["settled"]:
        words.append(f"{found['settled']} 个对象的扣减由“未设定”变为可以计算。")
    if found["opened"]:
        words.append(f"{found['opened']} 个对象的扣减变为“未设定”。")
    if found["unset_after"]:
        words.append(f"按新值仍有 {found['unset_after']} 个对象的扣减为“未设定”。")
    return words


def read_trial(trial: PolicyTrial, *, actor: User) -> PolicyDecision:
    """Somebody has read it: the decision may be put in force. Raises: Refused, StaleState (also while it runs)."""
    if trial.finished is None:
        raise StaleState("试算还没有算完，请稍后再看。")
    return record_trial(
        trial.decision, actor=actor, fingerprint_seen=trial.fingerprint, summary=summary_of(trial),
        url=trial.get_absolute_url(), year=trial.year,
    )  # fmt: skip
