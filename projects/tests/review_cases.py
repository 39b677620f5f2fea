"""Four localities with a project each, and short ways to ask and answer, for the tests of project review."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from accounts.roles import Role
from core.calendar import load_calendar
from core.files import store_file
from districts.models import Locality, PolicyVersion
from districts.services.policy_loading import apply_demo_overlay
from factories import (
    Cast,
    make_assignment,
    make_contract,
    make_locality,
    make_membership,
    make_organisation,
    make_planner,
    make_policy_version,
    make_project,
    make_team,
    make_unit,
    make_user,
)
from planners.models import Group, Planner, TeamMember
from projects.models import Consultation, Opinion, Project
from projects.services.consultations import Request, ask
from projects.services.opinions import ItemGiven, Written, save_opinion, submit_opinion

SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Monday in June 2026, between holidays.
MONDAY = date(2026, 6, 1)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@contextmanager
def on_day(day: date, hour: int = 10) -> Iterator[None]:
    """Within it is this day, ten in the morning in Shanghai."""
    with time_machine.travel(datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI), tick=False):
        yield


@dataclass
class Place:
    """A locality under its own pack: a project, who asks about it, and its planners by role."""

    locality: Locality
    project: Project
    bureau: User
    people: dict[str, Planner]


def make_place(code: str, name: str, slug: str, *, demo: bool = False) -> tuple[Locality, PolicyVersion, User]:
    load_calendar(only={2025, 2026, 2027, 2028})
    place = make_locality(code, name)
    version = make_policy_version(place, slug)
    if demo:
        apply_demo_overlay()
    bureau = make_user(f"{name}分局", locality_code=code)
    make_membership(bureau, Role.BUREAU, place, organisation=make_organisation(place, "bureau", name=f"{name}分局"))
    return place, version, bureau


def planner_with_login(place: Locality, name: str, role: Role = Role.PLANNER, **extra: Any) -> Planner:
    user = make_user(name, locality_code=place.code)
    make_membership(user, role, place)
    return make_planner(place, name=name, user=user, **extra)


def tongzhou(*, tier: str = "区级重点项目", demo: bool = False, **extra: Any) -> Place:
    """A team of chief, area planner and architect serves the town; a top chief the whole district."""
    place, version, bureau = make_place("110112", "通州区", "tongzhou", demo=demo)
    town = make_unit(place, name="宋庄镇")
    chief = planner_with_login(place, "首席甲", Role.LEAD)
    area, architect = planner_with_login(place, "片区乙"), planner_with_login(place, "建筑师丙")
    top = planner_with_login(place, "顶级丁")
    team = make_team(place, lead=chief)
    for member, role in ((chief, ""), (area, "area"), (architect, "architect")):
        TeamMember.objects.create(team=team, planner=member, start=date(2020, 1, 1), role_type=role)
    contract = make_contract(place, team=team, role_type="chief", policy_version=version)
    make_assignment(contract, town.charge, team=team)
    make_contract(place, planner=top, role_type="top_chief", policy_version=version)
    extra.setdefault("stage", "scheme")
    project = make_project(place, name="张家湾老厂区更新", tier=tier, units=[town], **extra)
    return Place(place, project, bureau, {"chief": chief, "area": area, "architect": architect, "top_chief": top})


def beijing(*, demo: bool = False, **extra: Any) -> Place:
    """A team of three serves the street."""
    place, version, bureau = make_place("110101", "东城区", "beijing-core", demo=demo)
    street = make_unit(place, name="景山街道")
    lead = planner_with_login(place, "领衔甲", Role.LEAD)
    members = [planner_with_login(place, name) for name in ("骨干乙", "骨干丙")]
    team = make_team(place, lead=lead, members=(lead, *members))
    contract = make_contract(place, team=team, role_type="lead", policy_version=version)
    make_assignment(contract, street.charge, team=team)
    extra.setdefault("stage", "scheme")
    project = make_project(place, name="张家湾老厂区更新", units=[street], **extra)
    return Place(place, project, bureau, {"lead": lead, "member": members[0], "other": members[1]})


def jincheng(*, demo: bool = False, **extra: Any) -> Place:
    """A planner for the unit, another one for the project itself, a seconded chief of the county."""
    place, version, bureau = make_place("140502", "晋城市城区", "jincheng", demo=demo)
    unit = make_unit(place, name="东街街道")
    own, other = planner_with_login(place, "单元甲"), planner_with_login(place, "项目乙")
    make_assignment(
        make_contract(place, planner=own, role_type="unit_urban", policy_version=version), unit.charge, planner=own
    )
    extra.setdefault("stage", "scheme")
    project = make_project(place, name="张家湾老厂区更新", units=[unit], **extra)
    from projects.services.registry import recognise_project

    project = recognise_project(project, actor=bureau)
    make_assignment(
        make_contract(place, planner=other, role_type="project", policy_version=version), project.charge, planner=other
    )
    return Place(place, project, bureau, {"unit": own, "project": other})


def liaocheng(*, demo: bool = True, **extra: Any) -> Place:
    """A group of two of the one team serves the unit. The published trial has lapsed; the overlay renews it."""
    place, version, bureau = make_place("371502", "聊城市东昌府区", "liaocheng", demo=demo)
    unit, elsewhere = make_unit(place, name="古楼街道"), make_unit(place, name="柳园街道")
    far, near = planner_with_login(place, "外地甲"), planner_with_login(place, "本地乙")
    lead = planner_with_login(place, "组长丙", Role.LEAD)
    team = make_team(place, lead=lead)
    group, others = (Group.objects.create(team=team, name=f"第{n}小组") for n in (1, 2))
    for member, where in ((far, group), (near, group), (lead, others)):
        TeamMember.objects.create(team=team, group=where, planner=member, start=date(2020, 1, 1))
    contract = make_contract(place, team=team, role_type="first_tier", policy_version=version)
    make_assignment(contract, unit.charge, group=group)
    make_assignment(contract, elsewhere.charge, group=others)
    extra.setdefault("stage", "scheme")
    project = make_project(place, name="张家湾老厂区更新", units=[unit], **extra)
    return Place(place, project, bureau, {"far": far, "near": near, "lead": lead})


# --- in the cast's district, beijing-core as published -------------------------------------------------------------


def asked(cast: Cast, *, actor: User | None = None, day: date = MONDAY, **request: Any) -> Consultation:
    """A written request of the bureau about a scheme in the cast's unit, of the team's lead; ten workdays."""
    project = request.pop("project", None) or make_project(
        cast.locality, name="雄安路口公共空间提升", stage="scheme", units=[cast.unit]
    )
    if request.get("way") != "meeting":
        request.setdefault("term_days", 10)
    request.setdefault("subject", "请对方案提出意见")
    with on_day(day):
        return ask(project, actor=actor or cast.bureau, request=Request(**request))


def of_planner(cast: Cast, **request: Any) -> Consultation:
    """The same, of the planner alone, chosen by hand."""
    request.setdefault("planners", [cast.own_planner])
    request.setdefault("change_reason", "由具体负责的规划师答复")
    return asked(cast, **request)


WRITTEN = Written(
    verdict="agree_after", summary="总体可行，沿街界面须调整。",
    items=(
        ItemGiven("沿街首层应向街道开放。", "是否落实上位规划", "must", "《街区城市设计导则》第 12 条"),
        ItemGiven("建议增加遮阴座椅。", "", "should", "公共空间设计规范"),
    ),
)  # fmt: skip


def write(consultation: Consultation, planner: Planner, written: Written = WRITTEN) -> Opinion:
    consultee = consultation.consultees.get(planner=planner, state__in=["asked", "attended", "absent"])
    return save_opinion(consultee, actor=planner.user, written=written, revision=0)


def answer(consultation: Consultation, planner: Planner, written: Written = WRITTEN) -> Opinion:
    return submit_opinion(write(consultation, planner, written), actor=planner.user)


def scan_of(user: User) -> Any:
    upload = SimpleUploadedFile("意见.pdf", PDF, content_type="application/pdf")
    return store_file(upload, actor=user, purpose="opinion_scan", allowed={"pdf"})
