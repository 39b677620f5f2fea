"""Inspections, collected on the spot: each finding is kept as soon as it is entered, and handed in with the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q

from core import audit
from core.files import IMAGES
from core.filetypes import TYPES
from core.permissions import require
from core.saving import save_checked
from districts.models import Charge
from planners.models import Planner
from planners.services.assignments import service_periods
from projects.models import Project, ProjectFile, ProjectFileVersion, ProjectParty
from projects.permissions_rectifications import can_open
from worklogs import permissions_inspections as may
from worklogs.models import FindingPhoto, Inspection, InspectionFinding, WorkLog

from . import photos
from .entries import Entry
from .logs import record_log

if TYPE_CHECKING:
    from accounts.models import User

audit.register_actions(
    {
        "inspection.start": "记录施工巡查",
        "inspection.find": "记录巡查发现",
        "inspection.change": "修改巡查发现",
        "inspection.remove": "删除巡查发现",
        "inspection.pin": "标注照片位置",
    }
)
MAX_PHOTOS = 30
_PICTURES = frozenset(TYPES[key].mime for key in IMAGES)


@dataclass(frozen=True, slots=True)
class Pin:
    """A place on a drawing, in per mille of its width and height."""

    plan: ProjectFileVersion
    x: int
    y: int


# --- where and for whom -----------------------------------------------------------------------------------------


def charges_at(planner: Planner, project: Project, on: date) -> list[Charge]:
    """The charges under which the planner serves this project on that day, the closest first."""
    wanted = list(project.units.values_list("charge_id", flat=True))
    wanted += [project.charge_id] if project.charge_id is not None else []
    if not wanted:
        return []
    periods = service_periods(planners=[planner.pk], charges=wanted, start=on, end=on)
    ids = list(dict.fromkeys(period.charge_id for period in periods))
    found = Charge.objects.in_bulk(ids)
    return [found[pk] for pk in ids]


def projects_of(planner: Planner) -> Any:
    """Projects that the planner may inspect: in the units they serve or served, and their responsible projects."""
    charges = {period.charge_id for period in service_periods(planners=[planner.pk])}
    in_units = Project.units.through.objects.filter(unit__charge_id__in=charges).values("project_id")
    return Project.objects.filter(Q(pk__in=in_units) | Q(charge_id__in=charges)).exclude(stage=Project.Stage.DONE)


def plans_of(project: Project) -> list[ProjectFileVersion]:
    """The drawings that photos can be pinned to: pictures, the latest version of each, none that demands 保密协议
    (whoever sees a rectification sees its pins)."""
    rows = ProjectFileVersion.objects.filter(
        document__project=project, document__kind=ProjectFile.Kind.MAP, document__needs_nda=False,
        file__mime__in=_PICTURES,
    ).select_related("document", "file")  # fmt: skip
    latest: dict[int, ProjectFileVersion] = {}
    for row in rows.order_by("document_id", "-number"):
        latest.setdefault(row.document_id, row)
    return list(latest.values())


# --- collected --------------------------------------------------------------------------------------------------


def start_inspection(
    planner: Planner, *, actor: User, project: Project, on: date, slot: str, content: str, place: str = "",
    submission_key: UUID | None = None, accept_same_time: bool = False,
) -> Inspection:  # fmt: skip
    """A draft log of this day at the project, to which findings are added. The same key makes one.

    Side effects: log, audit. Raises: Refused, ValidationError by field.
    """
    require(may.can_inspect(actor, planner, project))
    charges = charges_at(planner, project, on)
    if not charges:
        raise ValidationError({"project": f"{on} 您不在该项目所在的责任单元（项目）服务，不能记录巡查。"})
    entry = Entry(
        charge=charges[0], date=on, slot=slot, kind=WorkLog.Kind.INSPECTION, content=content, place=place,
        project=project,
    )  # fmt: skip
    with transaction.atomic():
        log = record_log(
            planner, actor=actor, entry=entry, submission_key=submission_key, accept_same_time=accept_same_time
        )
        return _inspection_on(log, actor=actor)


@transaction.atomic
def attach_inspection(log: WorkLog, *, actor: User) -> Inspection:
    """Findings for a log that was entered as 施工巡查 by the ordinary form. Raises: Refused."""
    require(may.can_attach(actor, log))
    return _inspection_on(log, actor=actor)


def _inspection_on(log: WorkLog, *, actor: User) -> Inspection:
    inspection, made = Inspection.objects.get_or_create(log=log)
    if made:
        audit.record("inspection.start", actor=actor, obj=log, detail={"project": str(log.project)})
    return inspection


@transaction.atomic
def add_finding(
    inspection: Inspection, *, actor: User, values: Mapping[str, Any], pin: Pin | None = None,
    submission_key: UUID | None = None,
) -> InspectionFinding:  # fmt: skip
    """Keep one finding with the photos that wait under the key, all of them at the same `pin`.

    `values`: subject, text, and for what is to be mended demand, basis, contractor, due_on.
    Side effects: audit. Raises: Refused, ValidationError by field.
    """
    log = _held(inspection)
    require(may.can_collect(actor, inspection))
    last = inspection.findings.aggregate(last=Max("position"))["last"] or 0
    finding = InspectionFinding(inspection=inspection, position=last + 1)
    _fill(finding, log, actor=actor, values=values)
    save_checked(finding)
    _attach(finding, log, actor=actor, pin=pin, submission_key=submission_key)
    audit.record("inspection.find", actor=actor, obj=log, detail={"finding": finding.position})
    return finding


@transaction.atomic
def change_finding(
    finding: InspectionFinding, *, actor: User, values: Mapping[str, Any], pin: Pin | None = None,
    submission_key: UUID | None = None, drop: tuple[int, ...] = (),
) -> InspectionFinding:  # fmt: skip
    """Change a finding that is still in hand; new photos get the `pin`, photos named in `drop` go."""
    log = _held(finding.inspection)
    require(may.can_change_finding(actor, finding))
    _fill(finding, log, actor=actor, values=values)
    save_checked(finding)
    dropped = finding.photos.filter(pk__in=drop)
    photos.remove_photos(log, list(dropped.values_list("photo_id", flat=True)), actor=actor)
    _attach(finding, log, actor=actor, pin=pin, submission_key=submission_key)
    audit.record("inspection.change", actor=actor, obj=log, detail={"finding": finding.position})
    return finding


@transaction.atomic
def remove_finding(finding: InspectionFinding, *, actor: User) -> None:
    """Throw a finding away, with its photos. Raises: Refused."""
    log = _held(finding.inspection)
    require(may.can_change_finding(actor, finding))
    photos.remove_photos(log, list(finding.photos.values_list("photo_id", flat=True)), actor=actor)
    audit.record("inspection.remove", actor=actor, obj=log, detail={"finding": finding.position})
    finding.delete()


@transaction.atomic
def pin_photo(kept: FindingPhoto, *, actor: User, pin: Pin | None) -> FindingPhoto:
    """Move a photo's pin, or (None) take it off. Raises: Refused, ValidationError."""
    log = _held(kept.finding.inspection)
    require(may.can_change_finding(actor, kept.finding))
    _check_pin(log, pin)
    kept.plan, kept.x, kept.y = (pin.plan, pin.x, pin.y) if pin is not None else (None, None, None)
    save_checked(kept)
    audit.record("inspection.pin", actor=actor, obj=log, detail={"finding": kept.finding.position})
    return kept


def _held(inspection: Inspection) -> WorkLog:
    """The log with its row held, so that nothing is added to one that is being handed in."""
    rows = WorkLog.objects.select_for_update(of=("self",)).select_related("planner", "project", "charge", "locality")
    inspection.log = rows.get(pk=inspection.log_id)
    return inspection.log


def _fill(finding: InspectionFinding, log: WorkLog, *, actor: User, values: Mapping[str, Any]) -> None:
    finding.subject, finding.text = values["subject"], values["text"].strip()
    finding.demand, finding.basis = values.get("demand", "").strip(), values.get("basis", "").strip()
    finding.contractor, finding.due_on = values.get("contractor"), values.get("due_on")
    if not finding.demand:
        # Without a demand there is nobody to mend anything, and no day.
        finding.basis, finding.contractor, finding.due_on = "", None, None
        return
    project = log.project
    if project is None:
        raise ValidationError({"demand": "这条记录没有选定相关项目。"})
    decision = can_open(actor, project, log.planner)
    errors = {} if decision else {"demand": decision.reason}
    if not _is_party(finding.contractor, project):
        errors["contractor"] = "请从本项目的参建单位中选择整改单位。"
    if finding.due_on is not None and finding.due_on < log.date:
        errors["due_on"] = "整改期限不能早于巡查日期。"
    if errors:
        raise ValidationError(errors)


def _is_party(party: ProjectParty | None, project: Project) -> bool:
    return party is not None and party.project_id == project.pk and party.is_active


def _attach(
    finding: InspectionFinding, log: WorkLog, *, actor: User, pin: Pin | None, submission_key: UUID | None
) -> None:
    _check_pin(log, pin)
    place = {"plan": pin.plan, "x": pin.x, "y": pin.y} if pin is not None else {}
    # One picture may show what two findings speak of.
    own = finding.photos.values_list("photo__file__sha256", flat=True)
    for photo in photos.attach_pending(log, actor=actor, submission_key=submission_key, besides=own):
        FindingPhoto.objects.create(finding=finding, photo=photo, **place)


def _check_pin(log: WorkLog, pin: Pin | None) -> None:
    if pin is None:
        return
    if log.project is None or pin.plan.pk not in {plan.pk for plan in plans_of(log.project)}:
        raise ValidationError({"plan": "请选择本项目可以标注的平面图。"})
    if not (0 <= pin.x <= 1000 and 0 <= pin.y <= 1000):
        raise ValidationError({"plan": "标注的位置不在图上。"})
