"""Test data: a small fixed cast of people in two localities, and builders for single rows.

Used by tests alone. Each builder gives a valid row with sensible defaults; keyword arguments override.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

import factories_kept
from accounts.models import User
from accounts.roles import Role
from core.calendar import load_calendar
from core.names import sort_key
from districts.access import forget_access
from districts.models import Charge, Locality, Membership, Organisation, PolicyPack, PolicyScope, PolicyVersion, Unit
from evaluations.models import Answer, Indicator, Round, Sheet
from planners.models import AnnualSigning, Assignment, Contract, Institution, Planner, Team, TeamMember
from projects.models import Project, ProjectStage
from worklogs.models import WorkLog

_serial = itertools.count(1)
PASSWORD = "Cast-Password-1!"


def make_locality(code: str = "110101", name: str = "东城区", **extra: Any) -> Locality:
    return Locality.objects.get_or_create(code=code, defaults={"name": name, **extra})[0]


def make_user(name: str = "", **extra: Any) -> User:
    number = next(_serial)
    user = User(username=extra.pop("username", f"user{number}"), name=name or f"用户{number}", **extra)
    user.set_password(PASSWORD)
    user.save()
    return user


def make_membership(user: User, role: Role, locality: Locality, **extra: Any) -> Membership:
    extra.setdefault("valid_from", date(2020, 1, 1))
    membership = Membership.objects.create(user=user, role=role, locality=locality, **extra)
    forget_access(user)
    return membership


def make_organisation(locality: Locality, kind: str = "unit_office", **extra: Any) -> Organisation:
    extra.setdefault("name", f"单位{next(_serial)}")
    return Organisation.objects.create(locality=locality, kind=kind, **extra)


def make_unit(locality: Locality, **extra: Any) -> Unit:
    name = extra.pop("name", f"第{next(_serial)}街道")
    extra.setdefault("kind", Unit.Kind.STREET)
    extra.setdefault("origin", Unit.Origin.DIVISION)
    charge = Charge.objects.create(kind=Charge.Kind.UNIT, locality=locality, name=name)
    return Unit.objects.create(charge=charge, locality=locality, name=name, **extra)


def make_planner(locality: Locality, **extra: Any) -> Planner:
    name = extra.pop("name", f"规划师{next(_serial)}")
    return Planner.objects.create(locality=locality, name=name, sort_key=sort_key(name), **extra)


def make_team(
    locality: Locality, *, lead: Planner | None = None, members: tuple[Planner, ...] = (), **extra: Any
) -> Team:
    extra.setdefault("name", f"团队{next(_serial)}")
    team = Team.objects.create(locality=locality, lead=lead, **extra)
    for member in members:
        TeamMember.objects.create(team=team, planner=member, start=date(2020, 1, 1))
    return team


def make_policy_version(locality: Locality, slug: str = "beijing-core", **extra: Any) -> PolicyVersion:
    """The published version of `slug`, loaded from the shipped file and made to serve `locality`."""
    from districts.services.policies import load_policy_files

    if not PolicyVersion.objects.filter(pack__slug=slug).exists():
        load_policy_files(only={slug})
    pack = PolicyPack.objects.get(slug=slug)
    PolicyScope.objects.get_or_create(pack=pack, locality=locality)
    return pack.versions.filter(kind=PolicyVersion.Kind.ORIGINAL).order_by("number").first()


def make_contract(locality: Locality, *, policy_version: PolicyVersion | None = None, **extra: Any) -> Contract:
    """A signed contract for 2025–2027; the party is `planner`, `team` or `institution`, whichever is given."""
    party = next(kind for kind in ("planner", "team", "institution") if extra.get(kind) is not None)
    extra.setdefault("party_kind", "person" if party == "planner" else party)
    extra.setdefault("number", f"HT-{next(_serial):04d}")
    extra.setdefault("signer", Organisation.objects.filter(locality=locality).first() or make_organisation(locality))
    extra.setdefault("start", date(2025, 1, 1))
    extra.setdefault("end", date(2027, 12, 31))
    extra.setdefault("annual_fee", Decimal("60000.00"))
    extra.setdefault("state", Contract.State.SIGNED)
    extra.setdefault("signed_on", extra["start"])
    extra.setdefault("role_type", "member")
    return Contract.objects.create(
        locality=locality, policy_version=policy_version or make_policy_version(locality), **extra
    )


def make_signing(contract: Contract, year: int, **extra: Any) -> AnnualSigning:
    extra.setdefault("fee", contract.annual_fee)
    return AnnualSigning.objects.create(
        contract=contract, start=date(year, 1, 1), end=date(year, 12, 31), signed_on=date(year, 1, 1), **extra
    )


def make_assignment(contract: Contract, charge: Charge, **extra: Any) -> Assignment:
    extra.setdefault("start", contract.start)
    extra.setdefault("end", contract.end)
    return Assignment.objects.create(contract=contract, charge=charge, **extra)


def make_project(locality: Locality, **extra: Any) -> Project:
    number = next(_serial)
    units = extra.pop("units", ())
    extra.setdefault("number", f"XM-{number:04d}")
    extra.setdefault("name", f"项目{number}")
    extra.setdefault("kind", Project.Kind.RENEWAL)
    project = Project.objects.create(locality=locality, **extra)
    project.units.set(units)
    if project.stage != Project.Stage.DONE:
        ProjectStage.objects.create(project=project, stage=project.stage, opened_on=date(2025, 1, 1))
    return project


def make_log(planner: Planner, charge: Charge, contract: Contract, on: date, **extra: Any) -> WorkLog:
    extra.setdefault("slot", WorkLog.Slot.DAY)
    extra.setdefault("kind", WorkLog.Kind.SURVEY)
    extra.setdefault("content", "走访社区，了解公共空间使用情况。")
    extra.setdefault("state", WorkLog.State.SUBMITTED)
    if extra["state"] in {WorkLog.State.SUBMITTED, WorkLog.State.CONFIRMED}:
        extra.setdefault("submitted_at", timezone.now())
    if extra["state"] == WorkLog.State.CONFIRMED:
        extra.setdefault("confirmed_at", timezone.now())
    return WorkLog.objects.create(
        locality=charge.locality,
        planner=planner,
        charge=charge,
        charge_name=charge.name,
        contract=contract,
        date=on,
        **extra,
    )


def make_round(locality: Locality, *, actor: User, scope: str = "both", year: int = 2025, **extra: Any) -> Round:
    """A round in preparation, as the pack in force asks for it (`evaluations.services.rounds.prepare_round`)."""
    from evaluations.services.rounds import prepare_round

    extra.setdefault("start", date(year, 1, 1))
    extra.setdefault("end", date(year, 12, 31))
    extra.setdefault("today", date(year + 1, 1, 10))
    return prepare_round(locality, actor=actor, scope=scope, **extra)


def fill_sheet(sheet: Sheet, author: User, points: Any = 90, *, submit: bool = True, comment: str = "") -> Sheet:
    """Answers of the same points to every scored line, as if `author` had written them; straight into the tables."""
    for line in Indicator.objects.filter(form_id=sheet.form_id).exclude(kind=Indicator.Kind.TEXT):
        Answer.objects.update_or_create(
            sheet=sheet, indicator=line, defaults={"value": points, "points": points, "comment": comment}
        )
    sheet.author, sheet.state = author, Sheet.State.SUBMITTED if submit else Sheet.State.DRAFT
    sheet.submitted_at = timezone.now() if submit else None
    sheet.save(update_fields=["author", "state", "submitted_at"])
    return sheet


@dataclass
class Cast:
    """东城区 with two units and a team of three; 通州区 beside it. Attribute names are the roles in the matrices."""

    locality: Locality
    other_locality: Locality
    unit: Unit
    other_unit: Unit
    foreign_unit: Unit
    institution: Institution
    team: Team
    contract: Contract
    assignment: Assignment
    lead_planner: Planner
    own_planner: Planner
    colleague_planner: Planner
    foreign_planner: Planner
    bureau: User
    other_bureau: User
    unit_officer: User
    other_unit_officer: User
    department: User
    lead: User
    planner: User
    colleague: User
    foreign: User
    leader: User
    city: User
    finance: User
    evaluator: User
    sysadmin: User
    secadmin: User
    auditor: User


def make_cast() -> Cast:
    """The cast, with the calendar: the team serves `unit` under a contract 2025–2027 (beijing-core as published)."""
    return factories_kept.give() or cast_anew()


def cast_anew() -> Cast:
    load_calendar(only={2025, 2026, 2027})
    own, other = make_locality(), make_locality("110112", "通州区")
    bureau_office = make_organisation(own, "bureau", name="东城分局")
    unit = make_unit(own, name="景山街道", office=make_organisation(own, name="景山街道办事处"))
    other_unit = make_unit(own, name="东四街道", office=make_organisation(own, name="东四街道办事处"))
    foreign_unit = make_unit(other, name="宋庄镇", kind=Unit.Kind.TOWN)
    institution = Institution.objects.create(name="示例规划设计院", grade="甲级", city="北京市")

    def person(name: str, role: Role, locality: Locality = own, **scope: Any) -> User:
        user = make_user(name, locality_code=locality.code)
        make_membership(user, role, locality, **scope)
        return user

    users = {
        "bureau": person("分局干部", Role.BUREAU, organisation=bureau_office),
        "other_bureau": person("外区分局干部", Role.BUREAU, other),
        "unit_officer": person("景山专人", Role.UNIT, unit=unit),
        "other_unit_officer": person("东四专人", Role.UNIT, unit=other_unit),
        "department": person("委办局干部", Role.DEPARTMENT, organisation=make_organisation(own, "department")),
        "lead": person("龚䶮", Role.LEAD),
        "planner": person("单小雨", Role.PLANNER),
        "colleague": person("欧阳明", Role.PLANNER),
        "foreign": person("外区规划师", Role.PLANNER, other),
        "leader": person("区领导", Role.LEADER),
        "city": person("市级监督员", Role.CITY),
        "finance": person("财政审核员", Role.FINANCE),
        "evaluator": person("评估人", Role.EVALUATOR),
        "sysadmin": person("系统管理员", Role.SYSADMIN),
        "secadmin": person("安全管理员", Role.SECADMIN),
        "auditor": person("审计管理员", Role.AUDITOR),
    }
    planners = {
        key: make_planner(locality, name=users[key].name, user=users[key], institution=institution)
        for key, locality in (("lead", own), ("planner", own), ("colleague", own), ("foreign", other))
    }
    team = make_team(
        own,
        name="示例团队",
        institution=institution,
        lead=planners["lead"],
        members=(planners["lead"], planners["planner"], planners["colleague"]),
    )
    contract = make_contract(own, team=team, signer=bureau_office)
    assignment = make_assignment(contract, unit.charge, team=team)
    return Cast(
        locality=own,
        other_locality=other,
        unit=unit,
        other_unit=other_unit,
        foreign_unit=foreign_unit,
        institution=institution,
        team=team,
        contract=contract,
        assignment=assignment,
        lead_planner=planners["lead"],
        own_planner=planners["planner"],
        colleague_planner=planners["colleague"],
        foreign_planner=planners["foreign"],
        **users,
    )
