"""What the filling in of forms has to say to the checklist (`services.checklist`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from evaluations.models import Form, Indicator, Round
from evaluations.scoring.rules import WEIGHTS
from evaluations.services.checklist import OPEN, Obstacle, register_check
from evaluations.services.counts import uncounted
from evaluations.services.rules import RoundRules
from evaluations.services.seats import empty_seats


@register_check(*OPEN)
def _weights_add_up(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    """Of the policy itself too; but a decision may have been entered as a file by another version of the portal."""
    for direction in round_.directions:
        value = rules.get(WEIGHTS[direction])
        rows = value.value or ()
        total = sum((Decimal(row["weight"]) for row in rows), Decimal(0))
        if rows and total != 100:
            yield Obstacle(f"“{value.label}”合计 {total}，应为 100（{value.setter}）", value.key, value.setter)


@register_check(*OPEN)
def _forms_can_be_answered(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    for form in Form.objects.filter(step__round=round_).prefetch_related("indicators"):
        if all(line.kind == Indicator.Kind.COUNT for line in form.indicators.all()):
            yield Obstacle(f"《{form.title}》没有须由评估人填写的指标")
    for line, subject in uncounted(round_):
        yield Obstacle(f"《{line.form.title}》的“{line.title}”由系统数据计分，但{subject.label}的该项数据未设定")


@register_check(*OPEN)
def _somebody_can_fill_in(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    for rater in sorted({sheet.rater for sheet in empty_seats(round_, on=today)}):
        yield Obstacle(f"{rater}目前没有可以填写的人员（没有有效身份或登录账号）", blocking=False)


@register_check("collate", "deliberate")
def _nothing_is_out(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    """A form given back is waited for until its day is over; then it counts as not answered."""
    rows = round_.sheets.filter(state="draft", step__state="closed", reopened_until__gte=today)
    for sheet in rows.order_by("rater", "pk"):
        until = f"{sheet.reopened_until:%Y-%m-%d}"
        yield Obstacle(f"{sheet.rater}的一份评估表已重新开放至 {until}，尚未提交")


@register_check("start_scoring")
def _deadline_makes_sense(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    if round_.reports_due_on is not None and round_.reports_due_on > today:
        yield Obstacle(f"述职截止日期为 {round_.reports_due_on:%Y-%m-%d}，尚未到期", blocking=False)
