"""What happens below while a round runs: units that change, raters that leave; in the same transaction.

Nothing is rewritten: a round judges a period that is over, and who served whom then does not change. What somebody has
to look after is told; whatever was submitted stands.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from districts.models import Membership, Unit
from districts.passing import WARNING, Effect, Passing
from districts.signals import membership_ended, unit_changed
from evaluations.models import Round, Sheet
from evaluations.services.reminders import tell_empty_seats

_AREA = "评估"
RUNNING = ("preparation", "self_report", "scoring")


@receiver(unit_changed)
def unit_passed_on(passing: Passing, **kwargs: Any) -> list[Effect]:
    """Sheets stay with the unit of the period, and its successor's people go on with them (`Access.unit_ids`)."""
    effects = []
    for source in passing.sources:
        rows = Sheet.objects.filter(unit=source, round__state__in=RUNNING).unanswered()
        for round_ in Round.objects.filter(pk__in=rows.values("round_id")).order_by("pk"):
            count = rows.filter(round=round_).count()
            effects.append(_effect(passing, source, round_, count))
    return effects


def _effect(passing: Passing, source: Unit, round_: Round, count: int) -> Effect:
    what = f"{round_}：{source}还有 {count} 份评估表未提交"
    stays = passing.is_rename or any(unit.pk == source.pk for unit in passing.targets)
    if stays:
        return Effect(_AREA, what, "仍由该单元填写，评估表沿用启动时的名称")
    here = [unit for unit in passing.targets if unit.locality_id == round_.locality_id]
    names = "、".join(f"“{unit}”" for unit in here)
    if not here:
        return Effect(_AREA, what, "今后无人可填，请组织单位改派或办理回避", WARNING)
    if len(here) > 1:
        words = f"由{names}的人员继续填写，谁先开始由谁完成；要指定其中一家，请组织单位指定评估人"
        return Effect(_AREA, what, words, WARNING)
    return Effect(_AREA, what, f"由{names}的人员继续填写，仍是对变更前服务的评估；已提交的照常计入")


@receiver(membership_ended)
def rater_left(membership: Membership, **kwargs: Any) -> None:
    """Somebody's role ends today: the organisers learn at once what nobody can fill in any more. A role that ends on a
    coming day is found on that day (`reminders.remind`)."""
    today = timezone.localdate()
    if membership.ended_from is None or membership.ended_from > today:
        return
    rounds = Round.objects.filter(locality_id=membership.locality_id, state__in=("self_report", "scoring"))
    for round_ in rounds.select_related("locality"):
        tell_empty_seats(round_, today=today)
