"""Demo data by the thousand, for measuring: one block is 20 units, 60 planners, 2,000 projects and 20,000 logs."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from core.names import sort_key
from districts.models import Charge, Locality, Organisation, PolicyVersion, Unit
from planners.models import Assignment, Contract, Planner
from projects.models import Project, ProjectStage
from worklogs.models import WorkLog

from .texts import LOG_TEXTS, PLACES, PROJECT_NAMES

UNITS, PLANNERS, PROJECTS, LOGS = 20, 60, 2_000, 20_000
CODES = ("110101", "110112", "140500", "371500")


def build_scale(scale: int, today: date) -> str:
    """Bring the number of blocks up to `scale - 1`; blocks already there stay. Returns a line that says so."""
    have = Unit.objects.filter(name__startswith="规模单元", name__endswith="-1（示例）").count()
    for block in range(have, scale - 1):
        with transaction.atomic():
            build_block(block, today)
    return f"{max(have, scale - 1)} 块，每块 {UNITS} 个单元、{PLANNERS} 名规划师、{PROJECTS} 个项目、{LOGS} 条记录"


def build_block(block: int, today: date, *, logs: int = LOGS, projects: int = PROJECTS) -> None:
    """One block in one of the demo localities, in turn."""
    rng = random.Random(block)
    locality = Locality.objects.get(code=CODES[block % len(CODES)])
    version = PolicyVersion.objects.filter(pack__scopes__locality=locality, kind="original").first()
    signer = Organisation.objects.filter(locality=locality, kind="bureau").first()
    charges = Charge.objects.bulk_create(
        Charge(kind="unit", locality=locality, name=f"规模单元{block}-{n + 1}（示例）") for n in range(UNITS)
    )
    units = Unit.objects.bulk_create(
        Unit(charge=c, locality=locality, name=c.name, kind="street", origin="document", source="示例数据")
        for c in charges
    )
    names = [f"规模人员{block}-{n + 1}（示例）" for n in range(PLANNERS)]
    planners = Planner.objects.bulk_create(Planner(locality=locality, name=n, sort_key=sort_key(n)) for n in names)
    start, end = date(today.year - 2, 1, 1), date(today.year + 2, 12, 31)
    contracts = Contract.objects.bulk_create(
        Contract(
            locality=locality,
            number=f"GM-{block}-{n + 1}",
            policy_version=version,
            role_type="member",
            party_kind="person",
            planner=planner,
            signer=signer,
            start=start,
            end=end,
            state="signed",
            signed_on=start,
            annual_fee=Decimal("50000.00"),
        )
        for n, planner in enumerate(planners)
    )
    Assignment.objects.bulk_create(
        Assignment(contract=c, charge=charges[n % UNITS], planner=planners[n], start=start, end=end, party=c.party_key)
        for n, c in enumerate(contracts)
    )
    made = Project.objects.bulk_create(
        Project(
            locality=locality,
            number=f"GM-{block}-{n + 1:05d}",
            kind=("renewal", "building", "municipal")[n % 3],
            name=f"{units[n % UNITS].name}{PROJECT_NAMES[n % 8]}{n + 1}",
            stage=("initiation", "scheme")[n % 2],
        )
        for n in range(projects)
    )
    rounds = (ProjectStage(project=project, stage=project.stage, opened_on=start) for project in made)
    ProjectStage.objects.bulk_create(rounds, batch_size=2000)
    through = Project.units.through
    through.objects.bulk_create(through(project_id=p.pk, unit_id=units[n % UNITS].pk) for n, p in enumerate(made))
    days = (today - date(today.year - 1, 1, 1)).days + 1
    WorkLog.objects.bulk_create(
        (
            _log(rng, n % PLANNERS, planners, charges, contracts, today - timedelta(days=rng.randrange(days)))
            for n in range(logs)
        ),
        batch_size=2000,
    )


def _log(
    rng: random.Random, who: int, planners: list[Planner], charges: list[Charge], contracts: list[Contract], day: date
) -> WorkLog:
    kind = rng.choice(tuple(LOG_TEXTS))
    charge = charges[who % UNITS]
    at = timezone.make_aware(datetime.combine(day, time(17, 30)))
    return WorkLog(
        locality_id=charge.locality_id,
        planner=planners[who],
        charge=charge,
        charge_name=charge.name,
        contract=contracts[who],
        date=day,
        slot=rng.choice(("full", "am", "pm")),
        kind=kind,
        content=rng.choice(LOG_TEXTS[kind]),
        place=rng.choice(PLACES),
        met_principal=rng.random() < 0.5,
        state="confirmed",
        submitted_at=at,
        confirmed_at=at,
    )
