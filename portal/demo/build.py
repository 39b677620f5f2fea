"""Builds the demo: localities from `places`, invented people, contracts and logins. Deterministic but for dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import make_password

from accounts.models import User
from accounts.roles import Role
from core.crypto import blind_index
from core.names import sort_key
from districts.models import (
    Charge,
    Contact,
    Division,
    Locality,
    Membership,
    Organisation,
    PolicyPack,
    PolicyScope,
    PolicyVersion,
    Unit,
    UnitPart,
)
from districts.services.policies import policy_for_version
from planners.models import AnnualSigning, Assignment, Contract, Group, Institution, Planner, Team, TeamMember
from projects.models import Project
from projects.services.stages import open_stage

from . import people
from .places import PLANS, LocalityPlan, UnitPlan
from .texts import PROJECT_NAMES

# Logins of the demo by role; `-bj`, `-tz`, `-jc`, `-lc` are appended.
LOGINS = {
    "bureau": (Role.BUREAU, "分局干部"),
    "unit": (Role.UNIT, "街道专人"),
    "department": (Role.DEPARTMENT, "委办局干部"),
    "lead": (Role.LEAD, ""),
    "planner": (Role.PLANNER, ""),
    "evaluator": (Role.EVALUATOR, "评估人"),
    "leader": (Role.LEADER, "区领导"),
    "city": (Role.CITY, "市级监督员"),
    "finance": (Role.FINANCE, "财政审核员"),
    "sysadmin": (Role.SYSADMIN, "系统管理员"),
    "secadmin": (Role.SECADMIN, "安全管理员"),
    "auditor": (Role.AUDITOR, "审计管理员"),
}
# A second person of the office, to whom the first can hand over while away and who reviews what the first decided.
COLLEAGUES = {"bureau2": (Role.BUREAU, "分局干部乙")}
MEMBERS_SINCE = date(2021, 1, 1)


@dataclass
class World:
    """What has been built so far; `today` fixes the dates."""

    today: date
    password: str
    localities: dict[str, Locality] = field(default_factory=dict)
    bureaus: dict[str, Organisation] = field(default_factory=dict)
    governments: dict[str, Organisation] = field(default_factory=dict)
    names: Iterator[str] = field(default_factory=people.names)
    people_made: int = 0

    def year(self, offset: int = 0) -> int:
        return self.today.year + offset


def build_world(today: date, password: str) -> World:
    """Create every locality with its bodies, units, planners, contracts, projects and logins."""
    # One hash serves all demo logins: hashing 48 times would take longer than everything else.
    world = World(today=today, password=make_password(password))
    for plan in PLANS:
        _build_locality(world, plan)
    return world


def _build_locality(world: World, plan: LocalityPlan) -> None:
    parent = world.localities.get(plan.parent)
    division = Division.objects.filter(code__in=[plan.code, plan.code[:4], plan.code[:2]]).order_by("-code").first()
    locality, _ = Locality.objects.get_or_create(
        code=plan.code, defaults={"name": plan.name, "parent": parent, "division": division}
    )
    world.localities[plan.code] = locality
    bureau = _organisation(locality, plan.bureau, Organisation.Kind.BUREAU)
    world.bureaus[plan.code] = bureau
    world.governments[plan.code] = _organisation(locality, plan.government, Organisation.Kind.GOVERNMENT)
    if not plan.pack:
        return
    _organisation(locality, "财政局", Organisation.Kind.FINANCE)
    department = _organisation(locality, "住房和城乡建设委员会", Organisation.Kind.DEPARTMENT)
    PolicyScope.objects.get_or_create(pack=PolicyPack.objects.get(slug=plan.pack), locality=locality)
    units = [_unit(world, locality, unit_plan) for unit_plan in plan.units]
    projects = _projects(world, locality, units)
    arrange = ARRANGEMENTS[plan.arrangement]
    planners = arrange(world, locality, plan, units, projects)
    if plan.suffix:
        _logins(world, plan, locality, units, planners, bureau, department)


def _organisation(locality: Locality, name: str, kind: str) -> Organisation:
    return Organisation.objects.get_or_create(locality=locality, name=name, defaults={"kind": kind})[0]


def _unit(world: World, locality: Locality, plan: UnitPlan) -> Unit:
    office_name = plan.name + {"street": "办事处", "town": "人民政府", "park": "管理委员会"}.get(plan.kind, "管理机构")
    office = _organisation(locality, office_name, Organisation.Kind.UNIT_OFFICE)
    charge = Charge.objects.create(kind=Charge.Kind.UNIT, locality=locality, name=plan.name)
    origin = Unit.Origin.DOCUMENT if plan.source else Unit.Origin.DIVISION
    unit = Unit.objects.create(
        charge=charge, locality=locality, name=plan.name, kind=plan.kind, area_type=plan.area_type, office=office,
        origin=origin, source=plan.source,
    )  # fmt: skip
    UnitPart.objects.bulk_create(
        UnitPart(unit=unit, division_id=code, portion=portion) for code, portion in plan.divisions
    )
    serial = world.people_made
    Contact.objects.bulk_create(
        [
            Contact(organisation=office, unit=unit, duty=Contact.Duty.LEADER, name="分管领导（示例）", post="副职"),
            Contact(organisation=office, unit=unit, duty=Contact.Duty.DEPARTMENT, name="城市管理办公室（示例）"),
            Contact(
                organisation=office,
                unit=unit,
                duty=Contact.Duty.PERSON,
                name="专人（示例）",
                post="科员",
                phone=people.phone(serial + unit.pk),
            ),
        ]
    )
    return unit


def _projects(world: World, locality: Locality, units: list[Unit]) -> list[Project]:
    kinds = list(Project.Kind)
    stages = list(Project.Stage)
    made = []
    for number, unit in enumerate(units):
        project = Project.objects.create(
            locality=locality,
            number=f"{locality.code}-{world.year()}-{number + 1:03d}",
            name=unit.name + PROJECT_NAMES[number % len(PROJECT_NAMES)],
            kind=kinds[number % 4],
            stage=stages[number % 4],
            place=unit.name,
            owner=unit.office,
        )
        project.units.add(unit)
        open_stage(project, project.stage, actor=None, on=world.today - timedelta(days=20 + number))
        made.append(project)
    return made


# --- planners -------------------------------------------------------------------------------------


def _planner(world: World, locality: Locality, institution: Institution | None, **extra: object) -> Planner:
    world.people_made += 1
    serial = world.people_made
    name = next(world.names)
    number = people.identity_number(serial)
    titles = [Planner.Title.MIDDLE, Planner.Title.SENIOR, Planner.Title.PROFESSOR]
    return Planner.objects.create(
        locality=locality,
        name=name,
        sort_key=sort_key(name),
        identity_number=number,
        identity_index=blind_index(number, "identity"),
        identity_tail=number[-4:],
        phone=people.phone(serial),
        institution=institution,
        profession=("城乡规划", "建筑学", "风景园林", "道路交通")[serial % 4],
        title=titles[serial % 3],
        registrations=["registered_planner"] if serial % 2 else ["first_class_architect"],
        education="硕士研究生" if serial % 3 else "本科",
        practising_since=date(world.year(-20) + serial % 12, 7, 1),
        **extra,
    )


def _team(
    world: World, locality: Locality, name: str, institution: Institution, size: int, role: str = ""
) -> tuple[Team, list[Planner]]:
    """A team with its first member as lead; `role`: what the others serve as."""
    members = [_planner(world, locality, institution) for _ in range(size)]
    team = Team.objects.create(locality=locality, name=name, institution=institution, lead=members[0])
    TeamMember.objects.bulk_create(
        TeamMember(team=team, planner=m, start=MEMBERS_SINCE, role_type="" if m == team.lead else role) for m in members
    )
    return team, members


def _institution(name: str, city: str, first_tier: bool) -> Institution:
    return Institution.objects.get_or_create(
        name=name, defaults={"grade": "甲级", "city": city, "is_first_tier_city": first_tier}
    )[0]


def _version(slug: str, on: date) -> PolicyVersion:
    """The newest version of the pack that may be signed under on `on`, else the first one."""
    rows = PolicyVersion.objects.filter(pack__slug=slug).exclude(kind=PolicyVersion.Kind.SUPPLEMENT).order_by("number")
    usable = [
        v for v in rows if (v.valid_from is None or v.valid_from <= on) and (v.valid_to is None or v.valid_to >= on)
    ]
    return (usable or list(rows))[-1]


def _contract(
    world: World,
    locality: Locality,
    slug: str,
    *,
    number: str,
    party: Planner | Team | Institution,
    signer: Organisation,
    start: date,
    end: date,
    fee: Decimal | None,
    role_type: str,
    mode: str = "commission",
) -> Contract:
    kind = str(type(party)._meta.model_name)
    signed_on = start
    version = _version(slug, signed_on)
    policy = policy_for_version(version, signed_on, locality=locality)
    offered = [row["mode"] for row in policy.value("appointment.modes") or ()]
    contract = Contract.objects.create(
        locality=locality,
        number=number,
        policy_version=version,
        role_type=role_type,
        appointment_mode=mode if mode in offered else "",
        party_kind="person" if kind == "planner" else kind,
        signer=signer,
        start=start,
        end=end,
        annual_fee=fee,
        pay_mode="" if fee is None else policy.value("pay.mode") or "",
        state=Contract.State.SIGNED,
        signed_on=signed_on,
        nda_signed_on=signed_on,
        duties="调研走访、方案咨询、施工巡查、公众参与和宣讲培训，具体任务按年度工作计划执行。",
        **{kind: party},
    )
    if end < world.today:
        Contract.objects.filter(pk=contract.pk).update(state="ended", ended_on=end, end_reason="聘期届满")
    first = start
    while first <= min(end, world.today):
        last = min(date(first.year, 12, 31), end)
        AnnualSigning.objects.create(
            contract=contract, start=first, end=last, fee=fee, signed_on=first, work="见合同约定的年度任务清单。"
        )
        first = date(first.year + 1, 1, 1)
    return contract


def _office(unit: Unit) -> Organisation:
    """The street or town itself, which signs; every unit of the demo has one. Raises ValueError otherwise."""
    if unit.office is None:
        raise ValueError(f"{unit} has no office")
    return unit.office


def _assign(contract: Contract, unit_charges: list[Charge], **holder: object) -> None:
    Assignment.objects.bulk_create(
        Assignment(
            contract=contract, charge=charge, start=contract.start, end=contract.end, party=contract.party_key, **holder
        )
        for charge in unit_charges
    )


def _team_streets(
    world: World, locality: Locality, plan: LocalityPlan, units: list[Unit], projects: list[Project]
) -> list[Planner]:
    """One team for three streets, three-year terms signed yearly (京核心区 五(一))."""
    everyone: list[Planner] = []
    institution = _institution("北京示例城市规划设计研究院（示例）", "北京市", True)
    for number in range(0, len(units), 3):
        name = f"{plan.name}第{number // 3 + 1}责任规划师团队（示例）"
        team, members = _team(world, locality, name, institution, 3, role="member")
        charges = [unit.charge for unit in units[number : number + 3]]
        for first, last in ((world.year(-3), world.year(-1)), (world.year(), world.year(2))):
            contract = _contract(
                world,
                locality,
                plan.pack,
                number=f"{plan.code}-{first}-{number // 3 + 1:02d}",
                party=team,
                signer=world.governments[plan.code],
                start=date(first, 1, 1),
                end=date(last, 12, 31),
                fee=Decimal("180000.00"),
                role_type="lead",
            )
            _assign(contract, charges, team=team)
        everyone += members
    return everyone


def _team_unit(
    world: World, locality: Locality, plan: LocalityPlan, units: list[Unit], projects: list[Project]
) -> list[Planner]:
    """A team of two for each unit, signed by its street or town for one year (通政办发〔2021〕10号 三(四)1)."""
    everyone: list[Planner] = []
    institution = _institution("副中心示例规划设计有限公司（示例）", "北京市", True)
    for number, unit in enumerate(units):
        team, members = _team(
            world, locality, f"{unit.name.removesuffix('（示例）')}责任双师团队（示例）", institution, 2, role="area"
        )
        for first in range(world.year(-2), world.year(1)):
            contract = _contract(
                world,
                locality,
                plan.pack,
                number=f"TZ-{first}-{number + 1:02d}",
                party=team,
                signer=_office(unit),
                start=date(first, 1, 1),
                end=date(first, 12, 31), fee=Decimal("120000.00"), role_type="area",
            )  # fmt: skip
            _assign(contract, [unit.charge], team=team)
        everyone += members
    return [*everyone, *_specialists(world, locality, plan, units)]


def _specialists(world: World, locality: Locality, plan: LocalityPlan, units: list[Unit]) -> list[Planner]:
    """A chief for three years and an architect for all units, whom the tier table asks (通政办发〔2021〕10号 三(四)2)."""
    institution = _institution("京东示例建筑设计院（示例）", "北京市", True)
    made: list[Planner] = []
    for role, years in (("chief", 3), ("architect", 2)):
        planner = _planner(world, locality, institution)
        first = world.year(1 - years)
        contract = _contract(
            world, locality, plan.pack, number=f"TZ-{first}-{role}", party=planner, signer=world.bureaus[plan.code],
            start=date(first, 1, 1), end=date(first + years - 1, 12, 31), fee=Decimal("90000.00"), role_type=role,
        )  # fmt: skip
        _assign(contract, [unit.charge for unit in units[:3]], planner=planner)
        made.append(planner)
    return made


def _persons(
    world: World, locality: Locality, plan: LocalityPlan, units: list[Unit], projects: list[Project]
) -> list[Planner]:
    """A person for each unit, a seconded chief without pay, and a project planner (晋市政办函〔2022〕24号 二)."""
    everyone: list[Planner] = []
    institution = _institution("太行示例规划设计院（示例）", "晋城市", False)
    terms = ((world.year(-3), world.year(-2)), (world.year(-1), world.year()))
    for number, unit in enumerate(units):
        planner = _planner(world, locality, institution)
        for first, last in terms:
            contract = _contract(
                world,
                locality,
                plan.pack,
                number=f"JC-{first}-{number + 1:02d}",
                party=planner,
                signer=world.governments[plan.code],
                start=date(first, 1, 1),
                end=date(last, 12, 31),
                fee=Decimal("48000.00"),
                role_type="unit_rural" if unit.area_type == "rural" else "unit_urban",
            )
            _assign(contract, [unit.charge], planner=planner)
        everyone.append(planner)
    chief = _planner(world, locality, None, is_secondee=True)
    government = world.governments[plan.code]
    charge = Charge.objects.create(kind=Charge.Kind.PROJECT, locality=locality, name=projects[0].name)
    Project.objects.filter(pk=projects[0].pk).update(charge=charge)
    project_planner = _planner(world, locality, institution)
    for first, last in terms:
        days: dict[str, Any] = {"start": date(first, 1, 1), "end": date(last, 12, 31)}
        contract = _contract(
            world,
            locality,
            plan.pack,
            number=f"JC-{first}-总",
            party=chief,
            signer=government,
            fee=None,
            role_type="chief_county_seconded",
            mode="secondment",
            **days,
        )
        _assign(contract, [unit.charge for unit in units[:3]], planner=chief)
        contract = _contract(
            world,
            locality,
            plan.pack,
            number=f"JC-{first}-项目",
            party=project_planner,
            signer=government,
            fee=Decimal("30000.00"),
            role_type="project",
            mode="recognition",
            **days,
        )
        _assign(contract, [charge], planner=project_planner)
    return [*everyone, chief, project_planner]


def _groups(
    world: World, locality: Locality, plan: LocalityPlan, units: list[Unit], projects: list[Project]
) -> list[Planner]:
    """The one team, from one institution, in ten groups of one plus one (聊城市责任规划师制度 一(二)).

    The first contract is signed while the published policy was in force and outlives it; the second follows under
    whichever version may be signed under then.
    """
    far = _institution("上海示例规划设计研究院（示例）", "上海市", True)
    near = _institution("水城示例规划设计院（示例）", "聊城市", False)
    team = Team.objects.create(locality=locality, name="聊城主城区责任规划师团队（示例）", institution=far)
    groups: list[tuple[Group, Charge]] = []
    everyone: list[Planner] = []
    for number, unit in enumerate(units):
        group = Group.objects.create(team=team, name=f"第{number + 1}小组")
        pair = {"first_tier": _planner(world, locality, far), "local": _planner(world, locality, near)}
        for role, member in pair.items():
            TeamMember.objects.create(team=team, group=group, planner=member, start=MEMBERS_SINCE, role_type=role)
        groups.append((group, unit.charge))
        everyone += pair.values()
    Team.objects.filter(pk=team.pk).update(lead=everyone[0])
    terms = [(date(2023, 5, 31), date(2026, 5, 30))]
    if _version(plan.pack, date(2026, 5, 31)).valid_to is None:
        terms.append((date(2026, 5, 31), date(2029, 5, 30)))
    for start, end in terms:
        contract = _contract(
            world,
            locality,
            plan.pack,
            number=f"LC-{start.year}",
            party=team,
            signer=world.bureaus[plan.code],
            start=start,
            end=end,
            fee=Decimal("1500000.00"),
            role_type="first_tier",
        )
        for group, charge in groups:
            _assign(contract, [charge], group=group)
    return everyone


ARRANGEMENTS = {
    "team_streets": _team_streets,
    "team_unit": _team_unit,
    "persons": _persons,
    "groups": _groups,
}


# --- logins ---------------------------------------------------------------------------------------


def _logins(
    world: World,
    plan: LocalityPlan,
    locality: Locality,
    units: list[Unit],
    planners: list[Planner],
    bureau: Organisation,
    department: Organisation,
) -> None:
    """One login for each role, and a colleague; `lead` and `planner` are the first two planners of the registry."""
    city = world.localities.get(plan.parent, locality)
    leading = TeamMember.objects.filter(team__lead=planners[0]).exists()
    for login, (role, title) in (LOGINS | COLLEAGUES).items():
        planner = {"lead": planners[0], "planner": planners[1]}.get(login)
        user = User.objects.create(
            username=f"{login}-{plan.suffix}",
            name=planner.name if planner else f"{plan.name}{title}（示例）",
            password=world.password,
            is_demo=True,
            locality_code=(city if role == Role.CITY else locality).code,
        )
        if planner is not None:
            Planner.objects.filter(pk=planner.pk).update(user=user)
        if login == "lead" and not leading:
            role = Role.PLANNER  # where persons are appointed, nobody leads
        Membership.objects.create(
            user=user,
            role=role,
            locality=city if role == Role.CITY else locality,
            valid_from=MEMBERS_SINCE,
            unit=units[0] if role == Role.UNIT else None,
            organisation={Role.BUREAU: bureau, Role.DEPARTMENT: department}.get(role),
        )
