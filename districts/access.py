"""What a person's current role lets them see: computed once a request from the memberships valid today."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.roles import Role
from core.prepared import Prepared
from core.roles import HeldRole

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

    from .models import Locality, Membership


@dataclass(frozen=True, slots=True)
class Access:
    """The current role with its scope. `locality_ids` holds the locality and those below it.

    `unit_id` is the unit of an officer, where they act; `unit_ids` and `charge_ids` hold its predecessors too, whose
    records are found under it.
    """

    role: Role | None = None
    membership_id: int | None = None
    locality_id: int | None = None
    locality_ids: frozenset[int] = field(default=frozenset())
    unit_id: int | None = None
    charge_id: int | None = None
    unit_ids: frozenset[int] = field(default=frozenset())
    charge_ids: frozenset[int] = field(default=frozenset())
    organisation_id: int | None = None
    # For whom the person stands in under this role, as (id, name).
    principal_id: int | None = None
    principal: str = ""

    def is_role(self, *roles: Role) -> bool:
        return self.role in roles

    def covers(self, locality_id: int) -> bool:
        return locality_id in self.locality_ids


def _memberships() -> QuerySet[Membership]:
    from .models import Membership

    return Membership.objects.select_related("locality", "unit", "organisation").order_by("pk")


def _localities() -> QuerySet[Locality]:
    from .models import Locality

    return Locality.objects.order_by("code")


NOBODY = Access()
_ALL_OF = Prepared(_memberships, "user_id")
_BELOW = Prepared(_localities, "parent_id")
_CACHE = "_access"
_MEMBERSHIPS = "_memberships"
_PLACES = "_places_reached"


def access_of(user: User | Any) -> Access:
    """The access of `user` under the membership they work under now; `NOBODY` without a valid one.

    Kept on the user object, which lives as long as one request: a revoked role is gone at the next one.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return NOBODY
    cached = user.__dict__.get(_CACHE)
    if cached is None:
        cached = user.__dict__[_CACHE] = _compute(user)
    return cached


def forget_access(user: User) -> None:
    """Drop what is kept on this user object (after switching roles, and in tests)."""
    user.__dict__.pop(_CACHE, None)
    user.__dict__.pop(_MEMBERSHIPS, None)
    user.__dict__.pop(_PLACES, None)


def valid_memberships(user: User) -> list[Membership]:
    """The memberships of `user` that are valid today, oldest first; read once for each user object."""
    from .models.memberships import Standing

    kept: list[Membership] | None = user.__dict__.get(_MEMBERSHIPS)
    if kept is None:
        today = timezone.localdate()
        kept = user.__dict__[_MEMBERSHIPS] = [
            m for m in _ALL_OF.rows(user.pk) if m.standing(today) is Standing.CURRENT and not m.is_suspended
        ]
    return kept


def current_membership(user: User) -> Membership | None:
    """The chosen membership when it is still valid, else the first valid one."""
    rows = valid_memberships(user)
    first = rows[0] if rows else None
    return next((m for m in rows if m.pk == user.active_membership_id), first)


def persons_behind(user: User | Any) -> frozenset[int]:
    """The person and whoever they stand in for now: what one may not decide in their own matter, the other may not
    decide for them."""
    return frozenset(pk for pk in (user.pk, access_of(user).principal_id) if pk is not None)


def place_of(user: User | Any) -> Locality | None:
    """The locality of the role that `user` works under now; no query beyond what `access_of` needs."""
    membership = current_membership(user) if access_of(user).role else None
    return membership.locality if membership is not None else None


def places_reached(user: User | Any) -> dict[str, str]:
    """{six-digit code: name} of the localities the current role reaches; kept on the user object like the access."""
    from .models import Locality

    kept: dict[str, str] | None = user.__dict__.get(_PLACES)
    if kept is None:
        ids = access_of(user).locality_ids
        found = Locality.objects.filter(pk__in=ids).order_by("code").values_list("code", "name") if ids else ()
        kept = user.__dict__[_PLACES] = dict(found)
    return kept


def held_roles(user: User | Any) -> tuple[HeldRole, ...]:
    """Every role of `user` that is valid today or will be, in any locality; never kept, since decisions rest on it."""
    from .models import Membership

    rows = Membership.objects.filter(user_id=user.pk).not_over(timezone.localdate())
    return tuple(HeldRole(role, code) for role, code in rows.values_list("role", "locality__code"))


def _compute(user: User) -> Access:
    membership = current_membership(user)
    if membership is None:
        return NOBODY
    below = (locality.pk for locality in _BELOW.rows(membership.locality_id))
    units = _with_predecessors(membership)
    return Access(
        role=Role(membership.role),
        membership_id=membership.pk,
        locality_id=membership.locality_id,
        locality_ids=frozenset([membership.locality_id, *below]),
        unit_id=membership.unit_id,
        charge_id=membership.unit.charge_id if membership.unit else None,
        unit_ids=frozenset(units),
        charge_ids=frozenset(units.values()),
        organisation_id=membership.organisation_id,
        principal_id=membership.principal.pk if membership.principal else None,
        principal=str(membership.principal or ""),
    )


def _with_predecessors(membership: Membership) -> dict[int, int]:
    """{unit id: charge id} of an officer's unit and of what it came from; a query more only for units with a past."""
    from .models import Unit
    from .services.lineage import units_with_predecessors

    if membership.unit is None:
        return {}
    if not membership.unit.has_past:
        return {membership.unit.pk: membership.unit.charge_id}
    ids = units_with_predecessors([membership.unit.pk])
    return dict(Unit.objects.filter(pk__in=ids).values_list("pk", "charge_id"))
