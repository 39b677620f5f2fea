"""What the pages of a project show: its stages, the open round with what the pack says of it, the board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from core.permissions import Decision
from core.transitions import available_moves
from districts.access import access_of
from planners.models import Planner
from projects.conflicts import Conflict, conflicts_among
from projects.exports import unit_names
from projects.gate import Gate, gate_of
from projects.models import Project, ProjectFile, ProjectFileVersion, ProjectParty, ProjectStage, StageDecision
from projects.permissions_files import can_open_version
from projects.permissions_stages import can_read_proof, can_record_vote
from projects.querysets import offices_of, own_planners
from projects.review import VOTE_KEYS, Seat, StageRule, points_of, rule_for, seats_of
from projects.rounds import policy_of_stage
from projects.services.files import LEVELS, level_of
from projects.services.proofs import CERTIFIED
from projects.transitions import ORDER, STAGE

TONES = {"initiation": "info", "scheme": "info", "construction": "waiting", "acceptance": "waiting", "done": "good"}
ROUND_TONES = {"open": "info", "passed": "good", "sent_back": "waiting", "skipped": "neutral", "left": "neutral"}
GROUND_TONES = {
    "consulted": "good", "invited": "good", "not_required": "neutral", "waived": "waiting", "unconsulted": "bad",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Round:
    """One round as the page shows it; `ground` is None for whoever has to keep out of the project."""

    row: ProjectStage
    decision: StageDecision | None
    may_read_proof: bool

    @property
    def tone(self) -> str:
        if self.decision is not None and self.decision.is_red:
            return "bad"
        return ROUND_TONES[self.row.state]

    @property
    def ground_tone(self) -> str:
        return GROUND_TONES[self.decision.ground] if self.decision else "neutral"

    @property
    def certified(self) -> bool:
        return self.decision is not None and self.decision.ground in CERTIFIED


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the path, with its rounds, the latest first."""

    code: str
    label: str
    rounds: Sequence[Round]
    is_now: bool
    is_done: bool

    @property
    def latest(self) -> Round | None:
        return self.rounds[0] if self.rounds else None


@dataclass(frozen=True, slots=True)
class Now:
    """The open round: what the pack says of it and, for whoever may know, what there is to show for it."""

    row: ProjectStage
    rule: StageRule
    seats: Sequence[Seat]
    points: Sequence[str]
    gate: Gate | None
    moves: Sequence[tuple[Any, Decision]]
    may_vote: Decision


def with_surroundings(rows: Any) -> Any:
    """Projects with what several parts of their page ask for: rounds, parties, recusals, units."""
    return rows.select_related("locality", "owner", "charge").prefetch_related(
        Prefetch("stages", ProjectStage.objects.select_related("policy_version", "opened_by", "decision__document")),
        Prefetch("parties", ProjectParty.objects.select_related("institution").order_by("-is_active", "role", "pk")),
        "recusals", "units",
    )  # fmt: skip


def path_of(project: Project, user: Any, *, silent: bool) -> list[Step]:
    """The four stages with every round; `silent`: without the grounds."""
    rounds = sorted(project.stages.all(), key=lambda row: row.pk, reverse=True)
    by_stage: dict[str, list[Round]] = defaultdict(list)
    may_read: bool | None = None
    for row in rounds:
        decision = None if silent else getattr(row, "decision", None)
        if decision is not None and may_read is None:
            may_read = bool(can_read_proof(user, decision))
        by_stage[row.stage].append(Round(row, decision, bool(may_read)))
    place = list(ORDER).index(Project.Stage(project.stage)) if project.stage != Project.Stage.DONE else len(ORDER)
    return [
        Step(str(stage), stage.label, by_stage.get(str(stage), []), stage == project.stage, number < place)
        for number, stage in enumerate(ORDER)
    ]


def now_of(project: Project, user: Any) -> Now | None:
    """The open round; None when the project is finished."""
    row = next((row for row in project.stages.all() if row.state == ProjectStage.State.OPEN), None)
    if row is None:
        return None
    policy = policy_of_stage(row)
    rule = rule_for(policy, stage=row.stage, kind=project.kind, mandatory_area=project.mandatory_area)
    return Now(
        row, rule, seats_of(policy, project.tier) if project.tier else [],
        points_of(policy, row.stage, kind=project.kind),
        gate_of(row) if knows_of_asking(user, project) else None, available_moves(STAGE, row, user),
        can_record_vote(user, row),
    )  # fmt: skip


def knows_of_asking(user: Any, project: Project) -> bool:
    """Those who see all of the project's consultations."""
    access = access_of(user)
    if access.is_role(Role.BUREAU, Role.LEADER, Role.CITY):
        return access.covers(project.locality_id)
    if access.is_role(Role.UNIT):
        return bool(access.unit_ids & set(project.units.values_list("pk", flat=True)))
    return access.is_role(Role.DEPARTMENT) and project.owner_id is not None and project.owner_id in offices_of(access)


def own_conflict(user: Any, project: Project) -> Conflict | None:
    """What keeps the person themselves out of the project."""
    if not access_of(user).is_role(Role.PLANNER, Role.LEAD):
        return None
    return next(iter(conflicts_among(own_planners(user), project).values()), None)


def serving_conflicts(project: Project, user: Any, today: date) -> list[tuple[Planner, Conflict]]:
    """Planners of the units and of the project who have to keep out, as far as whoever chooses may see them."""
    from planners.services.assignments import service_periods

    charges = [*(unit.charge_id for unit in project.units.all()), *([project.charge_id] if project.charge_id else [])]
    periods = service_periods(charges=charges, start=today, end=today) if charges else []
    people = Planner.objects.visible_to(user).in_bulk({period.planner_id for period in periods})
    found = conflicts_among(people, project)
    return sorted(((people[pk], conflict) for pk, conflict in found.items()), key=lambda pair: pair[0].sort_key)


@dataclass(frozen=True, slots=True)
class FileLine:
    """A document with its versions, newest first, and whether the person may open it."""

    row: ProjectFile
    versions: Sequence[Any]
    level: str
    may_open: Decision


def file_lines(project: Project, user: Any) -> list[FileLine]:
    """Every document of the project; two queries for one as for fifty."""
    versions_first = ProjectFileVersion.objects.select_related("file", "uploaded_by")
    rows = project.files.select_related("stage").prefetch_related(Prefetch("versions", versions_first))
    found, known = [], {}
    for row in rows:
        row.project = project
        versions = list(row.versions.all())
        if not versions:
            continue
        versions[0].document = row
        level = level_of(versions[0])
        # The answer is the same for all of one level.
        if level not in known:
            known[level] = can_open_version(user, versions[0])
        found.append(FileLine(row, versions, dict(LEVELS)[level], known[level]))
    return found


def vote_values(now: Now | None) -> list[Any]:
    """What the pack has of votes and joint reviews, with origin; shown where it has any."""
    policy = policy_of_stage(now.row) if now is not None else None
    if policy is None:
        return []
    found = [policy.get(key) for key in (*VOTE_KEYS.values(), "review.suggestion_letter")]
    return [value for value in found if value.is_set]


# --- the board ----------------------------------------------------------------------------------------------------

CARDS = 12


@dataclass(frozen=True, slots=True)
class Card:
    project: Project
    units: str
    days: int | None
    round: int
    red: bool

    @property
    def url(self) -> str:
        return reverse("projects:project", args=[self.project.pk])


@dataclass(frozen=True, slots=True)
class Lane:
    code: str
    label: str
    tone: str
    count: int
    cards: Sequence[Card]

    @property
    def more(self) -> int:
        return self.count - len(self.cards)


def board_of(rows: Any) -> list[Lane]:
    """The newest projects of each stage; as many queries for one project as for thousands."""
    from django.db.models import Count

    counts = dict(rows.order_by().values_list("stage").annotate(n=Count("pk")))
    by_stage = {
        str(stage): list(rows.filter(stage=stage).order_by("-pk")[:CARDS]) for stage in (*ORDER, Project.Stage.DONE)
    }
    ids = [project.pk for found in by_stage.values() for project in found]
    units, today = unit_names(ids), timezone.localdate()
    opened = {
        pk: (day, number)
        for pk, day, number in ProjectStage.objects.filter(project_id__in=ids, state="open").values_list(
            "project_id", "opened_on", "round"
        )
    }
    red = set(
        StageDecision.objects.filter(ground="unconsulted", stage__project_id__in=ids).values_list(
            "stage__project_id", flat=True
        )
    )

    def card(project: Project) -> Card:
        day, number = opened.get(project.pk, (None, 1))
        days = (today - day).days if day is not None else None
        return Card(project, "、".join(units.get(project.pk, [])), days, number, project.pk in red)

    return [
        Lane(code, Project.Stage(code).label, TONES[code], counts.get(code, 0), [card(each) for each in found])
        for code, found in by_stage.items()
    ]
