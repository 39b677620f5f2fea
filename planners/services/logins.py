"""Which account is a planner's own: without one nobody logs visits or writes a document under that name."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.permissions import require
from districts.access import places_reached
from planners.models import Planner
from planners.permissions import can_link_login


@transaction.atomic
def link_login(planner: Planner, *, actor: User, username: str) -> Planner:
    """Make the account with this user name the planner's; an empty one takes the account off again.

    What was recorded stays the planner's. Side effects: audit entry.
    Raises Refused (not the bureau of the locality), ValidationError (no such account within the bureau's localities,
    shut, the actor's own, or another planner's), StaleState (the planner's account changed meanwhile).
    """
    require(can_link_login(actor, planner))
    locked = Planner.objects.select_for_update(of=("self",)).select_related("locality", "user").get(pk=planner.pk)
    if locked.user_id != planner.user_id:
        raise StaleState
    before, account = locked.user, _account(username, actor, locked) if username.strip() else None
    if before != account:
        locked.user = account
        locked.save(update_fields=["user"])
        names = {"from": before.username if before else "", "to": account.username if account else ""}
        audit.record("planner.link", actor=actor, obj=locked, locality=locked.locality, detail=names)
    return locked


def _account(username: str, actor: User, planner: Planner) -> User:
    account = User.objects.filter(username__iexact=username.strip()).first()
    # An account of another locality is not told apart from one that does not exist.
    if account is None or account.locality_code not in places_reached(actor):
        raise ValidationError({"username": "本地方没有这个用户名的账号，请核对，或请系统管理员建立。"})
    if account.pk == actor.pk:
        raise ValidationError({"username": "不能把自己的账号关联到规划师。"})
    if not account.is_active:
        raise ValidationError({"username": "该账号已停用。"})
    other = Planner.objects.filter(user=account).exclude(pk=planner.pk).first()
    if other is not None:
        raise ValidationError({"username": f"该账号已关联规划师“{other.name}”。"})
    return account
