"""Who can fill in a sheet today: the other way round from `SheetQuerySet.owed_by`, for reminders and empty seats."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from accounts.models import User
from accounts.roles import THREE_ADMINISTRATORS, Role
from districts.models import Locality, Membership
from districts.services.lineage import units_with_predecessors
from evaluations.models import Round, Sheet
from evaluations.querysets.sheets import SIDE_ROLES

OFFICE_ROLES = (Role.UNIT, Role.DEPARTMENT, Role.BUREAU, Role.LEADER)


class Seats:
    """Everybody who holds a role in a locality on a day, read once; then asked of sheet after sheet."""

    def __init__(self, locality: Locality, *, on: date) -> None:
        self.people: dict[int, User] = {}
        self.planning: set[int] = set()
        self.by_unit: dict[int, set[int]] = defaultdict(set)
        self.by_office: dict[int, set[int]] = defaultdict(set)
        self.by_role: dict[str, set[int]] = defaultdict(set)
        places = [pk for pk in (locality.pk, locality.parent_id) if pk is not None]
        rows = Membership.objects.valid_on(on).filter(locality_id__in=places, user__is_active=True)
        for row in rows.exclude(role__in=THREE_ADMINISTRATORS).select_related("user", "unit").order_by("pk"):
            self._add(row)

    def _add(self, row: Membership) -> None:
        pk, role = row.user_id, Role(row.role)
        self.people[pk] = row.user
        self.by_role[role].add(pk)
        if role in (Role.PLANNER, Role.LEAD):
            self.planning.add(pk)
        if role == Role.UNIT and row.unit is not None:
            units = units_with_predecessors([row.unit.pk]) if row.unit.has_past else {row.unit.pk}
            for unit in units:
                self.by_unit[unit].add(pk)
        if role in OFFICE_ROLES and row.organisation_id is not None:
            self.by_office[row.organisation_id].add(pk)

    def of(self, sheet: Sheet) -> list[User]:
        """The persons who may fill it in, by name; empty: nobody can."""
        found = self._seated(sheet)
        if sheet.author_id is not None:
            # Whoever began it goes on with it; nobody else reads the draft.
            found &= {sheet.author_id}
        return sorted((self.people[pk] for pk in found if pk in self.people), key=lambda user: (user.name, user.pk))

    def _seated(self, sheet: Sheet) -> set[int]:
        if sheet.assignee_id is not None:
            return {sheet.assignee_id}
        if sheet.planner_id is not None:
            user_id = sheet.planner.user_id if sheet.planner else None
            return {user_id} & self.planning if user_id else set()
        if sheet.unit_id is not None:
            return set(self.by_unit.get(sheet.unit_id, ()))
        if sheet.organisation_id is not None:
            return set(self.by_office.get(sheet.organisation_id, ()))
        return {pk for role in SIDE_ROLES.get(sheet.side, ()) for pk in self.by_role.get(role, ())}


def people_of(round_: Round, sheets: Iterable[Sheet], *, on: date) -> dict[int, list[User]]:
    """{sheet: persons who may fill it in}."""
    seats = Seats(round_.locality, on=on)
    return {sheet.pk: seats.of(sheet) for sheet in sheets}


def unanswered(round_: Round, *, step_id: int | None = None) -> list[Sheet]:
    """Sheets that are still owed, with what a page says of them."""
    rows = round_.sheets.unanswered().filter(step__state__in=["pending", "open"])
    if step_id is not None:
        rows = rows.filter(step_id=step_id)
    return list(rows.select_related("planner", "subject", "step").order_by("step__number", "rater", "pk"))


def empty_seats(round_: Round, *, on: date, sheets: Sequence[Sheet] | None = None) -> list[Sheet]:
    """Sheets still owed that nobody can fill in: the rater has left, never had a login, or holds no role here."""
    rows = unanswered(round_) if sheets is None else sheets
    found = people_of(round_, rows, on=on) if rows else {}
    return [sheet for sheet in rows if not found[sheet.pk]]
