"""What a person enters as a log, and the rules it must meet before it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone

from districts.models import Charge
from districts.services.lineage import charge_family, charge_name_on, has_past
from planners.models import Planner
from planners.services.assignments import ServicePeriod, service_periods
from projects.models import Project
from worklogs.models import MonthClosing, WorkLog

# Slots that share hours of a day.
_OVERLAP = {"am": ("am", "full"), "pm": ("pm", "full"), "full": ("am", "pm", "full")}
SHORTEST_CONTENT = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """The fields of one log as entered; nothing here says who may or in which state it ends."""

    charge: Charge
    date: date
    slot: str
    kind: str
    content: str
    met_principal: bool = False
    met_whom: str = ""
    place: str = ""
    project: Project | None = None
    # What the charge was called on that day, where that is not its present name (see `place`).
    charge_name: str = ""

    def as_fields(self) -> dict[str, object]:
        return {
            "charge": self.charge,
            "locality_id": self.charge.locality_id,
            "charge_name": self.charge_name or self.charge.name,
            "project": self.project,
            "date": self.date,
            "slot": self.slot,
            "kind": self.kind,
            "content": self.content,
            "met_principal": self.met_principal,
            "met_whom": self.met_whom,
            "place": self.place,
        }

    @classmethod
    def of(cls, log: WorkLog) -> Entry:
        return cls(
            charge=log.charge,
            date=log.date,
            slot=log.slot,
            kind=log.kind,
            content=log.content,
            met_principal=log.met_principal,
            met_whom=log.met_whom,
            place=log.place,
            project=log.project,
            charge_name=log.charge_name,
        )


def place(planner: Planner, entry: Entry) -> Entry:
    """The entry at the unit that there was on its day, under the name of that day.

    A log of June entered in August goes to the unit that was merged in July, whichever of the two was chosen; the
    planner's service on that day says which. Where it says nothing, or several, the choice stays.
    """
    if not has_past(entry.charge.pk):
        return replace(entry, charge_name="")
    charge = entry.charge
    periods = service_periods(planners=[planner.pk], charges=charge_family(charge.pk), start=entry.date, end=entry.date)
    found = {period.charge_id for period in periods}
    if charge.pk not in found and len(found) == 1:
        charge = Charge.objects.get(pk=found.pop())
    name = charge_name_on(charge.pk, entry.date, charge.name)
    return replace(entry, charge=charge, charge_name=name)


def check_entry(planner: Planner, entry: Entry) -> ServicePeriod:
    """The period of service that the entry falls in (京核心区 五(一), 聊城 一(二): work is done under a contract).

    Raises ValidationError by field: a date in the future or out of term (naming the days that are in term), too
    little content, a project of another locality.
    """
    errors: dict[str, str] = {}
    if len(entry.content.strip()) < SHORTEST_CONTENT:
        errors["content"] = "请写明做了什么。"
    if entry.project is not None and entry.project.locality_id != entry.charge.locality_id:
        errors["project"] = "所选项目不属于该责任单元（项目）所在的地方。"
    period = None
    if entry.date > timezone.localdate():
        errors["date"] = "日期不能晚于今天。"
    else:
        periods = service_periods(planners=[planner.pk], charges=[entry.charge.pk])
        period = next((p for p in periods if p.holds(entry.date)), None)
        if period is None:
            errors["date"] = out_of_term(entry.charge.name, periods)
    if errors or period is None:
        raise ValidationError(errors)
    return period


def out_of_term(charge_name: str, periods: Iterable[ServicePeriod]) -> str:
    """Why the date is refused, with the days that would be accepted."""
    spans = sorted({(p.start, p.end) for p in periods})
    if not spans:
        return f"没有在“{charge_name}”的聘用合同或派驻安排，请核对责任单元（项目）。"
    days = "、".join(f"{start} 至 {end}" for start, end in spans[:3])
    return f"该日期不在“{charge_name}”的聘期内（可填 {days}）。"


def is_closed(charge_id: int, on: date) -> bool:
    return MonthClosing.objects.holding(charge_id, on).exists()


def same_time_logs(planner: Planner, entry: Entry, *, besides: int | None = None) -> list[WorkLog]:
    """The planner's other living logs for the same charge in the same hours: asked about, never forbidden."""
    rows = WorkLog.objects.filter(
        planner=planner, charge=entry.charge, date=entry.date, slot__in=_OVERLAP[entry.slot], superseded_by=None
    ).exclude(state__in=["withdrawn", "void"])
    if besides is not None:
        rows = rows.exclude(pk=besides)
    return list(rows.order_by("pk")[:3])
