"""A person's figures on the home page, and the acts they do most; each tile opens to what is behind it.

What the offices and the administrators see stands in `glance_offices`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Q
from django.urls import reverse

from accounts.roles import Role
from districts.access import Access, access_of
from districts.models import Unit
from planners.models import Assignment, Contract, Planner
from planners.services.assignments import charges_of
from portal.glance_offices import OFFICES, months_chart, review_part
from portal.glance_parts import Act, Glance, Part
from worklogs.models import DutyFigure, WorkLog
from worklogs.services.figures import figures_for
from worklogs.tally.words import tidy

if TYPE_CHECKING:
    from accounts.models import User


def glance_for(user: User, *, today: date) -> Glance:
    """What the current role wants to see at once."""
    access = access_of(user)
    if access.is_role(Role.PLANNER, Role.LEAD):
        return _planner(user, today)
    if access.is_role(Role.UNIT):
        return _unit(user, access, today)
    if access.is_role(Role.BUREAU, Role.LEADER, Role.CITY):
        return _locality(user, access, today)
    for role, make in OFFICES.items():
        if access.is_role(role):
            return make(user, today)
    return Glance()


def _planner(user: User, today: date) -> Glance:
    own = WorkLog.objects.filter(planner__user_id=user.pk, superseded_by=None)
    month = own.in_month(today.year, today.month).aggregate(
        logs=Count("pk"),
        waiting=Count("pk", filter=Q(state="submitted")),
        met=Count("pk", filter=Q(met_principal=True, state__in=["submitted", "confirmed"])),
    )
    figures = reverse("worklogs:figures")
    listed = f"{reverse('worklogs:list')}?month={today:%Y-%m}"
    tiles = [
        {"label": "本月记录", "value": month["logs"], "unit": "条", "url": listed},
        {
            "label": "本月待确认",
            "value": month["waiting"],
            "unit": "条",
            "url": listed,
            "tone": "waiting" if month["waiting"] else "good",
        },
        {"label": "本月会见负责人", "value": month["met"], "unit": "次", "url": listed},
        *_standing(user, today, figures),
    ]
    return Glance(
        [Part(f"{today.year}年{today.month}月", tiles)],
        [Act("记一次履职", reverse("worklogs:create"), "plus")],
        "记录一次走访只要半分钟。",
    )


def _standing(user: User, today: date, url: str) -> list[dict[str, Any]]:
    """This year's standing against the quota of each subject the planner belongs to, in the tally's own words."""
    planner = Planner.objects.of_user(user).first()
    if planner is None:
        return []
    contracts = {served.contract.pk: served.contract for served in charges_of(planner, today)}
    found = [f for c in contracts.values() for f in figures_for(c, year=today.year, planner_id=planner.pk)]
    return [
        {
            "label": f"{today.year}年 {subject.label}",
            "value": subject.tally.days.value and tidy(subject.tally.days.value),
            "unit": subject.tally.unit, "note": subject.tally.forecast.text, "url": url,
        }
        for subject in found[:4]
    ]  # fmt: skip


def _unit(user: User, access: Access, today: date) -> Glance:
    logs = WorkLog.objects.visible_to(user).current().in_month(today.year, today.month)
    counts = logs.aggregate(
        logs=Count("pk"), days=Count("date", distinct=True), waiting=Count("pk", filter=Q(state="submitted"))
    )
    people = Planner.objects.visible_to(user).count()
    listed = f"{reverse('worklogs:list')}?month={today:%Y-%m}"
    return Glance([Part(
        f"{today.year}年{today.month}月",
        [
            {"label": "本月到访记录", "value": counts["logs"], "unit": "条", "url": listed},
            {"label": "有人到访的日子", "value": counts["days"], "unit": "天", "url": listed},
            {
                "label": "待确认",
                "value": counts["waiting"],
                "unit": "条",
                "url": reverse("worklogs:waiting"),
                "tone": "waiting" if counts["waiting"] else "good",
            },
            {"label": "服务本单元的规划师", "value": people, "unit": "人", "url": reverse("planners:list")},
        ],
    )])  # fmt: skip


def _reached(user: User, today: date) -> dict[str, Any]:
    """How many subjects have the days their rules ask for; 未设定 where no rule asks for any."""
    kept = DutyFigure.objects.visible_to(user).filter(year=today.year)
    counts = kept.aggregate(
        asked=Count("pk", filter=Q(required_days__isnull=False)),
        reached=Count("pk", filter=Q(days__gte=F("required_days"))),
    )
    value = f"{counts['reached']} / {counts['asked']}" if counts["asked"] else None
    return {"label": f"{today.year}年已达天数要求", "value": value, "unit": "个", "url": reverse("worklogs:figures")}


def _locality(user: User, access: Access, today: date) -> Glance:
    units = Unit.objects.visible_to(user).current(today)
    total = units.count()
    served = units.filter(charge_id__in=Assignment.objects.running(today).values("charge_id")).count()
    contracts = Contract.objects.visible_to(user).running(today).count()
    logs = WorkLog.objects.visible_to(user).current().in_month(today.year, today.month)
    counts = logs.aggregate(logs=Count("pk"), waiting=Count("pk", filter=Q(state="submitted")))
    upload = Act("导入履职记录", reverse("core:import-upload", args=["worklogs"]), "upload")
    actions = [upload] if access.is_role(Role.BUREAU) else []
    place = Part(
        "本地方概况",
        [
            {
                "label": "责任单元有规划师", "value": f"{served} / {total}", "unit": "个", "url": reverse("districts:unit-list"),
                "tone": "good" if served == total else "waiting",
            },
            {"label": "履行中的合同", "value": contracts, "unit": "份",
                "url": f"{reverse('planners:contract-list')}?state=running",
           },
            {
                "label": "本月履职记录", "value": counts["logs"], "unit": "条",
                "url": f"{reverse('worklogs:list')}?month={today:%Y-%m}",
            },
            {
                "label": "待责任单元确认", "value": counts["waiting"], "unit": "条",
                "url": f"{reverse('worklogs:list')}?state=submitted",
                "tone": "waiting" if counts["waiting"] else "good",
            },
            _reached(user, today),
        ],
    )  # fmt: skip
    return Glance([place, review_part(user, today)], actions, chart=months_chart(user, today))
