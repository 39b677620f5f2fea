"""Named reads that join accounts and memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.roles import THREE_ADMINISTRATORS, Role
from districts.access import access_of, places_reached
from districts.models import Membership

if TYPE_CHECKING:
    from accounts.querysets import UserQuerySet


def colleagues_of(membership: Membership) -> UserQuerySet:
    """Accounts in use that hold a role of the same office today, of whatever kind but the administrators'."""
    today = timezone.localdate()
    near = Q(organisation_id=membership.office_id) | Q(unit__office_id=membership.office_id)
    rows = Membership.objects.valid_on(today).filter(near, stands_in_for=None).exclude(role__in=THREE_ADMINISTRATORS)
    people = User.objects.filter(is_active=True).exclude(pk=membership.user_id)
    return people.filter(pk__in=rows.values("user_id")) if membership.office_id else people.none()


def grantable_people(user: Any) -> UserQuerySet:
    """Accounts that `user` may give a role to: kept in the localities reached, or holding a role there; not one's own.

    Nobody for anybody but a security administrator.
    """
    access = access_of(user)
    if not access.is_role(Role.SECADMIN):
        return User.objects.none()
    serving = Membership.objects.filter(locality_id__in=access.locality_ids).values("user_id")
    near = Q(locality_code__in=list(places_reached(user))) | Q(pk__in=serving)
    return User.objects.filter(near, is_active=True).exclude(pk=user.pk)
