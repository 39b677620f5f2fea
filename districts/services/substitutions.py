"""Standing in for a colleague who is away (代理): the same role and scope, for a time, signed “甲 代 乙”."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.audit import record, register_actions
from core.errors import StaleState
from core.notifications import notify
from core.permissions import require
from core.saving import save_checked
from districts.models import Membership
from districts.models.memberships import Standing
from districts.permissions import can_end_substitution, can_grant_to, can_hand_over
from districts.reads import colleagues_of
from districts.services.memberships import check_not_administrator, held_between, locked

register_actions({"membership.substitute": "安排代理", "membership.substitute_end": "提前结束代理"})
PAGE = "/districts/substitutions/"


@transaction.atomic
def substitute(
    membership: Membership, *, person: User, actor: User, valid_from: date, valid_to: date, reason: str
) -> Membership:
    """Let `person` stand in for the holder of `membership` from `valid_from` to `valid_to`, both days included.

    What is handed over is what the holder has, no more and no longer: it ends by itself, and with the role it is of.
    Side effects: audit entry, notices to both.
    Raises: Refused (not the holder's to give), ValidationError by field (no colleague, reason, days outside of the
    role, an administrator, somebody else standing in at the time).
    """
    person = locked(person)
    rows = Membership.objects.select_related("user", "locality", "unit", "organisation")
    membership = rows.select_for_update(of=("self",)).get(pk=membership.pk)
    require(can_hand_over(actor, membership))
    _check_person(membership, person, actor)
    _check_days(membership, valid_from, valid_to)
    check_not_administrator(list(held_between(person, valid_from, valid_to)))
    _check_free(membership, valid_from, valid_to)
    if len(reason.strip()) < 2:
        raise ValidationError({"reason": "请写明代理原因。"})
    made = Membership(
        user=person, role=membership.role, locality=membership.locality, unit=membership.unit,
        organisation=membership.organisation, valid_from=valid_from, valid_to=valid_to, granted_by=actor,
        stands_in_for=membership, reason=reason.strip(),
    )  # fmt: skip
    save_checked(made)
    _tell(made, principal=membership.user, actor=actor)
    return made


def _check_person(membership: Membership, person: User, actor: User) -> None:
    if person.pk == membership.user_id:
        raise ValidationError({"person": "不能由本人代理本人。"})
    if membership.user_id != actor.pk:
        require(can_grant_to(actor, person))
    elif not colleagues_of(membership).filter(pk=person.pk).exists():
        raise ValidationError({"person": "只能交给同一单位在岗的同事；交给其他人请联系安全管理员办理。"})


def _check_days(membership: Membership, start: date, end: date) -> None:
    if start < timezone.localdate():
        raise ValidationError({"valid_from": "起始日期不能早于今天。"})
    if end < start:
        raise ValidationError({"valid_to": "截止日期不能早于起始日期。"})
    if start < membership.valid_from:
        raise ValidationError({"valid_from": f"被代理的身份自 {membership.valid_from} 起有效，代理不能更早。"})
    if membership.last_day is not None and end > membership.last_day:
        raise ValidationError({"valid_to": f"被代理的身份到 {membership.last_day} 为止，代理不能更晚。"})


def _check_free(membership: Membership, start: date, end: date) -> None:
    other = membership.substitutions.overlapping(start, end).select_related("user").first()
    if other is not None:
        raise ValidationError(
            f"该身份在 {other.valid_from} 至 {other.last_day} 已由 {other.user} 代理，请调整日期或先结束原有代理。"
        )


def _tell(made: Membership, *, principal: User, actor: User) -> None:
    period, role = f"{made.valid_from} 至 {made.valid_to}", f"{made.get_role_display()} · {made.scope_label}"
    detail = {
        "user": made.user.username, "for": principal.username, "role": made.role, "scope": made.scope_label,
        "period": period, "reason": made.reason,
    }  # fmt: skip
    record("membership.substitute", actor=actor, obj=made, locality=made.locality, detail=detail)
    key = f"membership-substitute-{made.pk}"
    text = f"{period}，您代理 {principal} 的身份：{role}。原因：{made.reason}"
    notify(made.user, kind="membership", text=text, url=PAGE, key=key)
    if principal.pk != actor.pk:
        text = f"{period}，您的身份“{role}”由 {made.user} 代理。原因：{made.reason}"
        notify(principal, kind="membership", text=text, url=PAGE, key=key)


@transaction.atomic
def end_substitution(membership: Membership, *, actor: User) -> Membership:
    """End it before its day, at once: taken back by the principal or given back by who stands in.

    Side effects: audit entry, notice to the other one. Raises: Refused, StaleState (over already).
    """
    rows = Membership.objects.select_related("user", "stands_in_for__user", "locality", "unit", "organisation")
    membership = rows.select_for_update(of=("self",)).get(pk=membership.pk)
    require(can_end_substitution(actor, membership))
    today = timezone.localdate()
    if membership.standing(today) == Standing.OVER:
        raise StaleState("该代理已经结束，请刷新后查看。")
    given_back = actor.pk == membership.user_id
    membership.ended_from, membership.ended_by = today, actor
    membership.end_reason = "代理人交回" if given_back else "被代理人收回"
    save_checked(membership)
    detail = {"user": membership.user.username, "reason": membership.end_reason}
    record("membership.substitute_end", actor=actor, obj=membership, locality=membership.locality, detail=detail)
    text = f"代理已提前结束（{membership.end_reason}）：{membership}。"
    other = membership.principal if given_back else membership.user
    notify(other, kind="membership", text=text, url=PAGE, key=f"membership-substitute-end-{membership.pk}")
    return membership
