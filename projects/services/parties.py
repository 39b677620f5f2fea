"""Who builds, designs and constructs a project, and the dates that people plan by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import audit
from core.permissions import require
from core.saving import changes_of, save_checked
from planners.models import Institution
from projects.models import KeyDate, Project, ProjectParty
from projects.permissions import can_edit_project
from projects.services.conflicts import settle_conflicts

audit.register_actions(
    {
        "projectparty.create": "登记参建单位",
        "projectparty.update": "修改参建单位",
        "keydate.create": "登记重要日期",
        "keydate.update": "修改重要日期",
        "keydate.delete": "删除重要日期",
    }
)


@dataclass(frozen=True, slots=True)
class PartyGiven:
    """A party as it was entered: its role and its name; an institution of the register is found by the name."""

    role: str
    name: str


def register_of(name: str) -> Institution | None:
    return Institution.objects.filter(name=name).first()


def _held(project: Project) -> Project:
    return Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=project.pk)


def enter_parties(project: Project, parties: Sequence[PartyGiven]) -> None:
    """Parties of a new project; in the transaction that makes it, whose entry tells of them."""
    for given in dict.fromkeys(parties):
        if given.name.strip():
            name = given.name.strip()
            save_checked(ProjectParty(project=project, role=given.role, name=name, institution=register_of(name)))


def name_parties(project: Project, role: str, names: Iterable[str], *, actor: User | None) -> bool:
    """Make these the project's active parties in one role: others of the role are no longer party, former ones are
    again. True when something changed. In the caller's transaction (imports); without an actor (a command) nobody is
    recorded as recused, whoever has to keep out does so by the register all the same."""
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    rows = list(project.parties.filter(role=role).order_by("pk"))
    changed = False
    for row in rows:
        if row.is_active and row.name not in wanted:
            row.is_active, changed = False, True
            row.save(update_fields=["is_active"])
    for name in wanted:
        known = [row for row in rows if row.name == name]
        if any(row.is_active for row in known):
            continue
        changed = True
        if known:
            known[0].is_active = True
            known[0].save(update_fields=["is_active"])
        else:
            save_checked(ProjectParty(project=project, role=role, name=name, institution=register_of(name)))
    if changed and actor is not None:
        settle_conflicts(project, actor=actor)
    return changed


@transaction.atomic
def add_party(project: Project, *, actor: User, **values: Any) -> ProjectParty:
    """Register a party. A planner of its institution who is asked about the project keeps out from now on.

    Side effects: audit entry; recusals with their notices. Raises Refused and ValidationError.
    """
    project = _held(project)
    require(can_edit_project(actor, project))
    row = ProjectParty(project=project, **values)
    row.institution = row.institution or register_of(row.name.strip())
    save_checked(row)
    detail = {"party": str(row)}
    audit.record("projectparty.create", actor=actor, obj=row, locality=project.locality, detail=detail)
    settle_conflicts(project, actor=actor)
    return row


@transaction.atomic
def update_party(party: ProjectParty, *, actor: User, **values: Any) -> ProjectParty:
    """Change a party, or say that it is no longer party. What was addressed to it stays. Raises Refused and
    ValidationError."""
    project = _held(party.project)
    require(can_edit_project(actor, project))
    row = ProjectParty.objects.select_for_update(of=("self",)).get(pk=party.pk)
    changed = changes_of(row, values)
    if "name" in changed and "institution" not in changed:
        row.institution = register_of(row.name.strip())
    save_checked(row)
    if changed:
        detail = {"party": str(row), "changed": changed}
        audit.record("projectparty.update", actor=actor, obj=row, locality=project.locality, detail=detail)
        settle_conflicts(project, actor=actor)
    return row


@transaction.atomic
def add_key_date(project: Project, *, actor: User, title: str, day: date, note: str = "") -> KeyDate:
    """Raises Refused and ValidationError."""
    require(can_edit_project(actor, project))
    row = KeyDate(project=project, title=title.strip(), day=day, note=note.strip())
    save_checked(row)
    detail = {"title": row.title, "day": row.day.isoformat()}
    audit.record("keydate.create", actor=actor, obj=row, locality=project.locality, detail=detail)
    return row


def _held_date(row: KeyDate) -> KeyDate:
    held = KeyDate.objects.select_for_update(of=("self",)).select_related("project__locality").filter(pk=row.pk).first()
    if held is None:
        raise ValidationError("该日期已删除。")
    return held


@transaction.atomic
def update_key_date(row: KeyDate, *, actor: User, **values: Any) -> KeyDate:
    """Raises Refused and ValidationError (also: it is gone)."""
    row = _held_date(row)
    require(can_edit_project(actor, row.project))
    changed = changes_of(row, values)
    save_checked(row)
    if changed:
        detail = {"title": row.title, "changed": changed}
        audit.record("keydate.update", actor=actor, obj=row, locality=row.project.locality, detail=detail)
    return row


@transaction.atomic
def remove_key_date(row: KeyDate, *, actor: User) -> None:
    """Take a date out that was entered by mistake; the entry says what it was. Raises Refused, ValidationError."""
    held = _held_date(row)
    require(can_edit_project(actor, held.project))
    detail = {"title": held.title, "day": held.day.isoformat()}
    audit.record("keydate.delete", actor=actor, obj=held.project, locality=held.project.locality, detail=detail)
    held.delete()
