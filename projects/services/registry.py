"""Projects: registered, changed, recognised as responsible projects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import StaleState
from core.notifications import notify
from core.permissions import require
from core.saving import changes_of, save_checked
from districts.access import access_of
from districts.models import Charge, Locality, Unit
from projects.lookalikes import lookalikes
from projects.models import KeyDate, Project
from projects.permissions import can_create_project, can_edit_project, can_recognise_project
from projects.querysets import offices_of
from projects.services.audience import officers
from projects.services.parties import PartyGiven, enter_parties
from projects.services.seats import tell_project_moved
from projects.services.stages import open_stage

audit.register_actions(
    {
        "project.create": "登记项目",
        "project.update": "修改项目",
        "project.recognise": "认定责任项目",
        "project.export": "导出项目",
    }
)
# The stage is said once, on entering; after that it follows the rounds (projects.services.stages).
FIELDS = frozenset({"number", "name", "tier", "kind", "place", "owner", "summary", "mandatory_area"})


def _set(project: Project, values: dict[str, Any], fields: frozenset[str]) -> dict[str, list[str]]:
    unknown = values.keys() - fields
    if unknown:
        raise TypeError(f"not fields of a project: {sorted(unknown)}")
    return changes_of(project, values)


def _check_units(project: Project, units: Sequence[Unit], actor: User) -> None:
    if any(unit.locality_id != project.locality_id for unit in units):
        raise ValidationError({"units": "责任单元不属于本地方。"})
    access = access_of(actor)
    if access.is_role(Role.UNIT) and not access.unit_ids & {unit.pk for unit in units}:
        raise ValidationError({"units": "须包含本责任单元。"})
    if project.owner is not None and project.owner.locality_id != project.locality_id:
        raise ValidationError({"owner": "所在单位不属于本地方。"})
    if access.is_role(Role.DEPARTMENT) and project.owner_id not in offices_of(access):
        raise ValidationError({"owner": "委办局登记的项目，所在单位须为本单位。"})


def _also_in(project: Project, places: Iterable[Locality]) -> list[Locality]:
    found = sorted(set(places), key=lambda place: place.code)
    if any(place.pk == project.locality_id for place in found):
        raise ValidationError({"also_in": "涉及的其他地方不含项目所在地方。"})
    return found


@transaction.atomic
def create_project(
    locality: Locality,
    *,
    actor: User,
    units: Sequence[Unit] = (),
    also_in: Iterable[Locality] = (),
    parties: Sequence[PartyGiven] = (),
    key_dates: Sequence[tuple[str, Any]] = (),
    not_the_same: bool = True,
    **values: Any,
) -> Project:
    """Register a project; `values` are the fields named in FIELDS, and `stage`, at which it enters (立项 unless told).

    `not_the_same=False`: refuse what looks like a project that is registered (ValidationError on `not_the_same`).
    Side effects: the first round of its stage, its parties and dates, audit entry, a notice to the bureaus of the other
    localities. Raises Refused and ValidationError (by field).
    """
    require(can_create_project(actor, locality))
    project = Project(locality=locality)
    _set(project, values, FIELDS | {"stage"})
    _check_units(project, units, actor)
    places = _also_in(project, also_in)
    if not not_the_same and lookalikes(locality, name=project.name, place=project.place):
        raise ValidationError({"not_the_same": "本地方已有相同或相近的项目，请先核对。"})
    save_checked(project)
    project.units.set(units)
    project.also_in.set(places)
    enter_parties(project, parties)
    KeyDate.objects.bulk_create([KeyDate(project=project, title=title, day=day) for title, day in key_dates if day])
    if project.stage != Project.Stage.DONE:
        open_stage(project, project.stage, actor=actor, on=timezone.localdate())
    detail = {"number": project.number, "stage": project.get_stage_display()}
    audit.record("project.create", actor=actor, obj=project, locality=locality, detail=detail)
    _tell_places(project, places, actor=actor)
    return project


def _tell_places(project: Project, places: Iterable[Locality], *, actor: User) -> None:
    for place in places:
        text = f"{project.locality.name}的项目“{project.name}”（{project.number}）涉及{place.name}。"
        notify(
            [pk for pk in officers(place.pk, Role.BUREAU) if pk != actor.pk], kind="project", text=text,
            url=project.get_absolute_url(), key=f"project-shared-{project.pk}-{place.pk}",
        )  # fmt: skip


@transaction.atomic
def update_project(
    project: Project,
    *,
    actor: User,
    units: Sequence[Unit] | None = None,
    also_in: Iterable[Locality] | None = None,
    **values: Any,
) -> Project:
    """Change a project; a new name goes to its charge as well. A unit's office may neither take its own unit out nor
    touch others'.

    Side effects: audit entry; when its units change, notices to both sides, and what is being asked goes on with those
    who were asked (projects.services.seats). Raises Refused and ValidationError.
    """
    project = Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=project.pk)
    require(can_edit_project(actor, project))
    changed = _set(project, values, FIELDS)
    before = {unit.pk: unit for unit in project.units.all()}
    if units is not None and access_of(actor).is_role(Role.UNIT) and {u.pk for u in units} != set(before):
        raise ValidationError({"units": "责任单元由规划主管部门调整。"})
    _check_units(project, list(before.values()) if units is None else units, actor)
    save_checked(project)
    if "name" in changed and project.charge_id:
        Charge.objects.filter(pk=project.charge_id).update(name=project.name)
    if units is not None and set(before) != {unit.pk for unit in units}:
        names = "、".join(u.name for u in before.values()), "、".join(u.name for u in units)
        changed["units"] = list(names)
        project.units.set(units)
        tell_project_moved(project, actor=actor, before=before, words=names)
    if also_in is not None:
        _set_places(project, also_in, changed, actor=actor)
    if changed:
        audit.record("project.update", actor=actor, obj=project, locality=project.locality, detail={"changed": changed})
    return project


def _set_places(project: Project, also_in: Iterable[Locality], changed: dict[str, list[str]], *, actor: User) -> None:
    places, before = _also_in(project, also_in), list(project.also_in.order_by("code"))
    if before == places:
        return
    changed["also_in"] = ["、".join(p.name for p in before), "、".join(p.name for p in places)]
    project.also_in.set(places)
    _tell_places(project, [place for place in places if place not in before], actor=actor)


@transaction.atomic
def recognise_project(project: Project, *, actor: User) -> Project:
    """Make it a responsible project, to which a planner can be appointed (晋市政办函〔2022〕24号 三(一) 认定).

    Side effects: its charge, an audit entry. Raises Refused, and StaleState when somebody was first.
    """
    locked = Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=project.pk)
    if locked.charge_id is not None and project.charge_id is None:
        raise StaleState
    require(can_recognise_project(actor, locked))
    locked.charge = Charge.objects.create(kind=Charge.Kind.PROJECT, locality=locked.locality, name=locked.name)
    locked.save(update_fields=["charge"])
    audit.record("project.recognise", actor=actor, obj=locked, locality=locked.locality, detail={"name": locked.name})
    return locked
