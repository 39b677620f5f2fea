"""Granting and ending roles (等保 8.1.4.2, 8.1.5): by security administrators, in their own localities, never to
themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import THREE_ADMINISTRATORS, Role
from core.audit import record, register_actions
from core.errors import StaleState
from core.notifications import notify
from core.permissions import Decision, require
from core.saving import save_checked
from districts.access import access_of
from districts.models import Locality, Membership, Organisation, Unit
from districts.models.memberships import Standing
from districts.permissions import can_end_membership, can_export_memberships, can_grant_in, can_grant_to
from districts.scopes import scope_rule
from districts.signals import membership_ended

register_actions(
    {
        "membership.grant": "授予身份",
        "membership.end": "结束身份",
        "membership.export": "导出身份与授权",
    }
)
_ME = "/accounts/me/"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a role applies: a locality, within it one unit or one organisation where the role asks for it."""

    locality: Locality
    unit: Unit | None = None
    organisation: Organisation | None = None


@transaction.atomic
def grant_membership(
    user: User, *, actor: User, role: str, scope: Scope, valid_from: date, valid_to: date | None = None
) -> Membership:
    """Give `user` a role from `valid_from` to `valid_to` (both days included; None: for good).

    Side effects: audit entry, notice to the person.
    Raises: Refused (not entitled, or the person may not be given a role), ValidationError by field (scope does not fit
    the role, dates, the same role and scope held at the time, an administrator's role beside another role).
    """
    require(can_grant_in(actor, scope.locality))
    user = locked(user)
    require(can_grant_to(actor, user))
    return _grant(user, actor=actor, role=role, scope=scope, valid_from=valid_from, valid_to=valid_to)


@transaction.atomic
def appoint_first_administrator(user: User, *, role: str, locality: Locality) -> Membership:
    """An administrator's role given by the operator of the server where no administrator can give it.

    Side effects: audit entry, notice. Raises ValidationError like `grant_membership`, and for any other role.
    """
    if role not in THREE_ADMINISTRATORS:
        raise ValidationError({"role": "只能任命系统管理员、安全管理员和审计管理员，其他身份由安全管理员授予。"})
    today = timezone.localdate()
    return _grant(locked(user), actor=None, role=role, scope=Scope(locality), valid_from=today, valid_to=None)


def appoint_starter(user: User, *, locality: Locality) -> Membership:
    """The system administrator who has just started `locality` keeps its accounts too: somebody must, before it has
    administrators of its own, and nobody there could grant it.

    The one role that somebody gets by their own act; it adds a place to a role they hold already, never a right. The
    caller, `start_locality`, has asked whether they may start it, and does both in one transaction.
    Side effects: audit entry, notice. Raises Refused for anybody else, ValidationError like `grant_membership`.
    """
    require(Decision.of(access_of(user).is_role(Role.SYSADMIN), otherwise="仅系统管理员随启用地方取得该地方的管理身份"))
    today = timezone.localdate()
    return _grant(locked(user), actor=user, role=Role.SYSADMIN, scope=Scope(locality), valid_from=today, valid_to=None)


def locked(user: User) -> User:
    """The person's row, held until the end of the transaction: of two grants at once the second waits and then sees
    what the first one gave. SQLite locks the whole database when the transaction begins."""
    return User.objects.select_for_update().get(pk=user.pk)


def _grant(
    user: User, *, actor: User | None, role: str, scope: Scope, valid_from: date, valid_to: date | None
) -> Membership:
    _check_dates(valid_from, valid_to)
    _check_scope(role, scope)
    _check_held(list(held_between(user, valid_from, valid_to)), role, scope, actor=actor)
    membership = Membership(
        user=user, role=role, locality=scope.locality, unit=scope.unit, organisation=scope.organisation,
        valid_from=valid_from, valid_to=valid_to, granted_by=actor,
    )  # fmt: skip
    save_checked(membership)
    period = f"{valid_from} 至 {valid_to or '长期'}"
    detail = {"user": user.username, "role": role, "scope": membership.scope_label, "period": period}
    record("membership.grant", actor=actor, obj=membership, locality=scope.locality, detail=detail)
    text = f"您已被授予身份：{membership}（{scope.locality}），{period}。"
    notify(user, kind="membership", text=text, url=_ME, key=f"membership-grant-{membership.pk}")
    return membership


def held_between(user: User, start: date, end: date | None) -> Any:
    """The memberships of `user` that count on some day of the period, anywhere."""
    return (
        Membership.objects.filter(user=user).overlapping(start, end).select_related("locality", "unit", "organisation")
    )


def _check_dates(start: date, end: date | None) -> None:
    if start < timezone.localdate():
        raise ValidationError({"valid_from": "起始日期不能早于今天。"})
    if end is not None and end < start:
        raise ValidationError({"valid_to": "截止日期不能早于起始日期。"})


def _check_scope(role: str, scope: Scope) -> None:
    """The parts of the scope fit the role and lie in its locality."""
    if role not in Role.values:
        raise ValidationError({"role": "没有这个角色。"})
    if not scope.locality.is_active:
        raise ValidationError({"locality": "该地方已停用。"})
    rule, label = scope_rule(role), Role(role).label
    if rule.unit and scope.unit is None:
        raise ValidationError({"unit": f"“{label}”须指定责任单元。"})
    if not rule.unit and scope.unit is not None:
        raise ValidationError({"unit": f"“{label}”的范围不是责任单元，请留空。"})
    if rule.organisation and scope.organisation is None:
        raise ValidationError({"organisation": f"“{label}”须指定单位。"})
    if not rule.kinds and scope.organisation is not None:
        raise ValidationError({"organisation": f"“{label}”的范围不是单位，请留空。"})
    if scope.unit is not None:
        _check_unit(scope.unit, scope.locality)
    if scope.organisation is not None:
        _check_organisation(scope.organisation, scope.locality, rule.kinds)


def _check_unit(unit: Unit, locality: Locality) -> None:
    if unit.locality_id != locality.pk:
        raise ValidationError({"unit": "责任单元不属于所选地方。"})
    if unit.valid_to is not None and unit.valid_to < timezone.localdate():
        raise ValidationError({"unit": "该责任单元已撤销。"})


def _check_organisation(organisation: Organisation, locality: Locality, kinds: frozenset[str]) -> None:
    if organisation.locality_id != locality.pk:
        raise ValidationError({"organisation": "单位不属于所选地方。"})
    if not organisation.is_active:
        raise ValidationError({"organisation": "该单位已停用。"})
    if organisation.kind not in kinds:
        allowed = "、".join(kind.label for kind in Organisation.Kind if kind in kinds)
        raise ValidationError({"organisation": f"单位类别不符，应为：{allowed}。"})


def check_not_administrator(held: Sequence[Membership]) -> None:
    """等保 8.1.5: none of the three administrators stands in for anybody."""
    if any(row.role in THREE_ADMINISTRATORS for row in held):
        raise ValidationError({"person": "系统、安全、审计管理员不能兼任或代理其他身份，请选择其他人。"})


def _check_held(held: Sequence[Membership], role: str, scope: Scope, *, actor: User | None) -> None:
    """`held`: what the person holds at some time of the new role's period; of other localities the actor learns no
    more than that there is something."""
    key = (role, scope.locality.pk, scope.unit and scope.unit.pk, scope.organisation and scope.organisation.pk)
    for row in held:
        if (row.role, row.locality_id, row.unit_id, row.organisation_id) == key:
            raise ValidationError(
                f"该人员在此范围已有“{row.get_role_display()}”身份（{_period(row)}），不能重复授予。"
                "请调整起止日期，或先结束原有身份。"
            )
    # 等保 8.1.5: system, security and audit administration are three people, who do nothing else here.
    others = [row for row in held if row.role != role]
    if not others:
        return
    access = access_of(actor) if actor is not None else None
    names = "、".join(dict.fromkeys(
        f"{row.get_role_display()}（{row.locality}）" if access is None or access.covers(row.locality_id)
        else "其他地方的身份"
        for row in others
    ))  # fmt: skip
    if role in THREE_ADMINISTRATORS:
        raise ValidationError({"role": f"系统、安全、审计管理员不能兼任其他身份；该人员同期已有：{names}。"})
    if any(row.role in THREE_ADMINISTRATORS for row in others):
        raise ValidationError({"role": f"该人员同期已有：{names}，管理员不能兼任其他身份。"})


def _period(row: Membership) -> str:
    return f"{row.valid_from} 至 {row.last_day or '长期'}"


@transaction.atomic
def end_membership(membership: Membership, *, actor: User, reason: str, last_day: date | None = None) -> Membership:
    """Let a role end after `last_day`, or at once (None): then it is gone at the person's next request.

    The row stays, with what was granted. Side effects: audit entry, notice to the person.
    Raises: Refused, ValidationError (no reason, a day that is over or no earlier than the present end), StaleState
    (over already).
    """
    row = Membership.objects.select_for_update(of=("self",)).select_related("locality", "unit", "organisation", "user")
    membership = row.get(pk=membership.pk)
    require(can_end_membership(actor, membership))
    today = timezone.localdate()
    if membership.standing(today) == Standing.OVER:
        raise StaleState("该身份已经结束，请刷新后查看。")
    if len(reason.strip()) < 2:
        raise ValidationError({"reason": "请写明结束原因。"})
    membership.ended_from = _ends_from(membership, last_day, today)
    membership.end_reason, membership.ended_by = reason.strip(), actor
    save_checked(membership)
    end_substitutions(membership, actor=actor)
    detail = {"user": membership.user.username, "ended_from": str(membership.ended_from), "reason": reason.strip()}
    record("membership.end", actor=actor, obj=membership, locality=membership.locality, detail=detail)
    when = f"最后一天为 {last_day}" if last_day else "即时生效"
    key = f"membership-end-{membership.pk}-{membership.ended_from}"
    text = f"您的身份“{membership}”（{membership.locality}）将结束，{when}。原因：{reason.strip()}"
    notify(membership.user, kind="membership", text=text, url=_ME, key=key)
    membership_ended.send(sender=Membership, membership=membership)
    return membership


def end_substitutions(membership: Membership, *, actor: User) -> None:
    """What somebody no longer holds nobody holds in their place.

    Side effects: audit entries, notices to those who stood in.
    """
    ended = membership.ended_from
    for row in membership.substitutions.exclude(valid_to__lt=ended).exclude(ended_from__lte=ended):
        row.ended_from, row.end_reason, row.ended_by = ended, "被代理的身份已结束", actor
        save_checked(row)
        record("membership.end", actor=actor, obj=row, locality=row.locality, detail={"reason": row.end_reason})
        text = f"您代理的身份“{row}”自 {ended} 起停用：被代理的身份已结束。"
        notify(row.user, kind="membership", text=text, url=_ME, key=f"membership-end-{row.pk}-{ended}")


def _ends_from(membership: Membership, last_day: date | None, today: date) -> date:
    if last_day is None:
        return today
    if last_day < max(today, membership.valid_from):
        raise ValidationError({"last_day": "最后一天不能早于今天和起始日期；立即结束请留空。"})
    if membership.last_day is not None and last_day >= membership.last_day:
        raise ValidationError({"last_day": f"该身份本来就到 {membership.last_day} 为止，请填写更早的日期。"})
    return last_day + timedelta(days=1)


def record_export(*, actor: User, count: int, filters: str) -> None:
    """Who took away the list of who may do what. Raises Refused."""
    require(can_export_memberships(actor))
    record("membership.export", actor=actor, detail={"rows": count, "filters": filters})
