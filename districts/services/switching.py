"""Which of their own roles somebody works under."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from core.audit import record
from core.errors import Refused
from districts.access import forget_access, valid_memberships

if TYPE_CHECKING:
    from accounts.models import User
    from districts.models import Membership


@transaction.atomic
def switch_membership(user: User, *, membership_id: int | str, actor: User) -> Membership:
    """Let `user` work under one of their own memberships that is valid today.

    Side effects: audit entry. Raises Refused for somebody else's user, and for any other membership with the same
    words whether it exists or not.
    """
    if user.pk != actor.pk:
        raise Refused("只能切换自己的身份。")
    chosen = next((m for m in valid_memberships(user) if str(m.pk) == str(membership_id)), None)
    if chosen is None:
        raise Refused("该身份不存在、已到期或不属于您。")
    if user.active_membership_id != chosen.pk:
        user.active_membership_id = chosen.pk
        user.save(update_fields=["active_membership_id"])
        record("account.role_switched", actor=actor, obj=user, locality=chosen.locality, detail={"to": str(chosen)})
    forget_access(user)
    return chosen
