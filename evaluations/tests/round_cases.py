"""A small locality under any pack, with everybody whom an evaluation may need on either side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.models import User
from accounts.roles import Role
from districts.models import Locality, Organisation, PolicyScope, PolicyVersion, Unit
from districts.services.policies import apply_demo_overlay, load_policy_files
from factories import (
    make_assignment,
    make_contract,
    make_locality,
    make_membership,
    make_organisation,
    make_planner,
    make_project,
    make_team,
    make_unit,
    make_user,
)
from factories_kept import once
from planners.models import Contract, Planner, Team
from projects.services.registry import recognise_project

# Where each pack serves, which scopes it asks for, and the day on which a test opens (聊城's trial lapsed in 2023).
PLACES = {"beijing-core": "110101", "tongzhou": "110112", "jincheng": "140500", "liaocheng": "371500"}
TODAY = date(2026, 1, 10)


@dataclass
class Site:
    locality: Locality
    bureau: User
    leader: User
    city: User
    unit_officer: User
    other_officer: User
    department: User
    owner: User
    planner: User
    colleague: User
    unit: Unit
    other_unit: Unit
    bureau_office: Organisation
    planners: list[Planner]
    team: Team
    contract: Contract


@once
def make_site(slug: str, *, demo: bool, code: str = "", start: date = date(2025, 1, 1)) -> Site:
    """Two units and a responsible project served by a team of two, under the pack as published or with the overlay."""
    place = make_locality(code or PLACES[slug], slug)
    if slug in PLACES:
        load_policy_files(only={slug})
        for pack in PolicyVersion.objects.filter(pack__slug=slug).values_list("pack_id", flat=True).distinct():
            PolicyScope.objects.get_or_create(pack_id=pack, locality=place)
        if demo:
            apply_demo_overlay()
    offices = {
        kind: make_organisation(place, kind, name=f"{slug}{kind}") for kind in ("bureau", "department", "government")
    }

    def person(name: str, role: Role, **scope: Any) -> User:
        user = make_user(name, locality_code=place.code)
        make_membership(user, role, place, **scope)
        return user

    unit = make_unit(place, name="甲街道", office=make_organisation(place, name="甲街道办事处"))
    other = make_unit(place, name="乙街道", office=make_organisation(place, name="乙街道办事处"))
    owner_office = make_organisation(place, "other", name="项目业主单位")
    users = {
        "bureau": person("主管干部", Role.BUREAU, organisation=offices["bureau"]),
        "leader": person("区领导", Role.LEADER),
        "city": person("市级监督员", Role.CITY),
        "unit_officer": person("甲专人", Role.UNIT, unit=unit),
        "other_officer": person("乙专人", Role.UNIT, unit=other),
        "department": person("委办局干部", Role.DEPARTMENT, organisation=offices["department"]),
        "owner": person("业主代表", Role.DEPARTMENT, organisation=owner_office),
        "planner": person("龚䶮", Role.PLANNER),
        "colleague": person("欧阳明", Role.PLANNER),
    }
    planners = [make_planner(place, name=users[key].name, user=users[key]) for key in ("planner", "colleague")]
    team = make_team(place, name=f"{slug}团队", lead=planners[0], members=tuple(planners))
    version = current_pack(slug)
    contract = make_contract(
        place, policy_version=version, team=team, signer=offices["bureau"], start=start,
        end=start.replace(year=start.year + 1, month=12, day=31),
    )  # fmt: skip
    make_assignment(contract, unit.charge, planner=planners[0])
    make_assignment(contract, other.charge, planner=planners[1])
    project = recognise_project(make_project(place, owner=owner_office, units=(unit,)), actor=users["bureau"])
    assert project.charge is not None
    make_assignment(contract, project.charge, planner=planners[0])
    return Site(
        locality=place, unit=unit, other_unit=other, bureau_office=offices["bureau"], planners=planners, team=team,
        contract=contract, **users,
    )  # fmt: skip


def current_pack(slug: str) -> PolicyVersion:
    version = PolicyVersion.objects.filter(pack__slug=slug, supplements=None).order_by("-number").first()
    assert version is not None
    return version
