"""Whom a change of units takes along: the officers of the unit's office, and its contacts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils import timezone

from core import audit
from core.notifications import notify
from core.saving import save_checked
from districts.models import Contact, Membership, Unit
from districts.passing import NONE, WARNING, Effect, Passing
from districts.services.memberships import end_substitutions

audit.register_actions({"membership.pass_on": "身份随责任单元变更转移"})
_AREA = "单元主管部门人员"


def pass_memberships(passing: Passing) -> list[Effect]:
    """Officers keep their role at what their unit became; nobody gets a right that they had not. Who stands in for one
    of them does so no longer than the role lasts.

    A role never begins in the past: a change entered late moves roles from today. Side effects: memberships ended and
    begun, audit entries, a notice to each person.
    """
    if passing.is_rename:
        return []
    start = max(passing.first_day, timezone.localdate())
    rows = (
        Membership.objects.select_for_update(of=("self",))
        .filter(unit__in=[unit.pk for unit in passing.sources], stands_in_for=None)
        .not_over(start)
        .select_related("user", "locality", "unit")
        .order_by("pk")
    )
    return [_pass_membership(row, passing, start) for row in rows]


def _pass_membership(row: Membership, passing: Passing, start: date) -> Effect:
    key = f"membership-{row.pk}"
    source = next(unit for unit in passing.sources if unit.pk == row.unit_id)
    value = passing.choice(key, source)
    found = passing.targets_of(value)
    stays = any(unit.pk == source.pk for unit in found)
    became = [unit.name for unit in found if unit.pk != source.pk and _grant_at(row, unit, passing, start)]
    if not stays:
        row.ended_from, row.ended_by = start, passing.actor
        row.end_reason = f"{source}{passing.change.get_kind_display()}（{passing.change.document_number}）"[:200]
        save_checked(row)
        end_substitutions(row, actor=passing.actor)
    detail = {"user": row.user.username, "from": source.name, "to": became, "ended": not stays, "start": str(start)}
    audit.record("membership.pass_on", actor=passing.actor, obj=row, locality=row.locality, detail=detail)
    if became or not stays:
        text = f"责任单元“{source}”{passing.change.get_kind_display()}，您的身份自 {start} 起"
        text += f"转到：{'、'.join(became)}。" if became else "结束。" if not stays else "不变。"
        notify(
            row.user, kind="membership", text=text, url="/accounts/me/", key=f"unit-change-{passing.change.pk}-{row.pk}"
        )
    words = passing.words(source, value).replace(str(passing.first_day), str(start))
    tone = WARNING if value == NONE else ""
    return Effect(_AREA, f"{row.user}（{source}）", words, tone, key, passing.options_for(source), value)


def _grant_at(row: Membership, unit: Unit, passing: Passing, start: date) -> bool:
    """The same role at `unit`, to the same last day; nothing where the person holds it already."""
    begins = max(start, row.valid_from)
    if row.valid_to is not None and row.valid_to < begins:
        return False
    held = Membership.objects.filter(user=row.user, role=row.role, unit=unit).overlapping(begins, row.valid_to)
    if held.exists():
        return True
    save_checked(
        Membership(
            user=row.user, role=row.role, locality=unit.locality, unit=unit, valid_from=begins, valid_to=row.valid_to,
            granted_by=passing.actor,
        )
    )  # fmt: skip
    return True


def contacts_to_pass(passing: Passing) -> list[Effect]:
    """What `pass_contacts` will do on the effective day, for units that end."""
    ending = [unit for unit in passing.sources if all(unit.pk != other.pk for other in passing.targets)]
    rows = Contact.objects.filter(unit__in=[unit.pk for unit in ending], is_active=True).select_related("organisation")
    became = "、".join(f"“{unit}”" for unit in passing.targets if unit not in passing.sources)
    words = f"自 {passing.first_day:%Y-%m-%d} 起也登记在{became}" if passing.targets else "留在原单元名下备查"
    return [Effect("联系人", f"{row}（{row.organisation}）", words) for row in rows]


def pass_contacts(predecessors: Iterable[Unit], successors: Iterable[Unit]) -> None:
    """Copy the contacts of units that ended to their successors; the old ones stay where they were."""
    there = list(successors)
    for contact in Contact.objects.filter(unit__in=list(predecessors), is_active=True).order_by("pk"):
        for unit in there:
            known = Contact.objects.filter(unit=unit, organisation=contact.organisation_id, duty=contact.duty)
            if known.filter(name=contact.name).exists():
                continue
            Contact.objects.create(
                organisation_id=contact.organisation_id, unit=unit, duty=contact.duty, name=contact.name,
                post=contact.post, phone=contact.phone,
            )  # fmt: skip
