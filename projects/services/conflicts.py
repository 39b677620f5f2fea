"""The conflict guard at work: recusals recorded and lifted, by whom somebody is replaced, what becomes of their seats.

Who has to keep out is read in `projects.conflicts`; lists and searches leave the rows out (`querysets.kept_out`).
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.notifications import notify
from core.permissions import require
from core.saving import save_checked
from planners.models import Planner
from planners.services.assignments import service_periods
from projects.conflicts import Conflict, conflict_of, conflicts_among
from projects.models import Consultee, Project, Recusal
from projects.permissions_conflicts import can_end_recusal, can_record_recusal
from projects.querysets import kept_out
from projects.services.audience import acting_for, bureau_of, logins_of
from projects.services.seats import leave_seat

__all__ = [
    "Conflict",
    "conflict_of",
    "conflicts_among",
    "end_recusal",
    "kept_out",
    "record_recusal",
    "settle_conflicts",
]

audit.register_actions({"recusal.create": "登记回避", "recusal.end": "解除回避"})


@transaction.atomic
def record_recusal(
    project: Project, planner: Planner, *, actor: User, ground: str, reason: str, replaced_by: Planner | None = None
) -> Recusal:
    """Write down that a planner keeps out, why, and who takes their place.

    Side effects: their open seats in the project's consultations are left, and taken by `replaced_by` where one is
    named; audit entry; notices to the planner or (when they declared it) the bureau, to who asked, and to whoever takes
    over. Raises Refused, StaleState (recorded already), ValidationError (no reason; the other keeps out as well).
    """
    project = Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=project.pk)
    require(can_record_recusal(actor, project, planner))
    if planner.recusals.filter(project=project, ended_at=None).exists():
        raise StaleState("已被他人处理：该规划师已登记回避，请刷新后查看。")
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "请写明原因。"})
    if replaced_by is not None:
        _check_heir(project, planner, replaced_by)
    row = Recusal(
        project=project, planner=planner, ground=ground, reason=reason, replaced_by=replaced_by, recorded_by=actor
    )
    save_checked(row)
    detail = {
        "planner": planner.name, "ground": row.get_ground_display(), "reason": reason,
        "replaced_by": replaced_by.name if replaced_by else "",
    }  # fmt: skip
    audit.record("recusal.create", actor=actor, obj=row, locality=project.locality, detail=detail)
    own, reason_words = planner.user_id == actor.pk, f"原因：{reason}"
    where = f"项目“{project.name}”："
    if own:
        leave_all_seats(
            row, actor=actor, head=f"{where}{planner.name}申请回避，{reason_words}。", also=bureau_of(project.locality)
        )
        return row
    leave_all_seats(row, actor=actor)
    _tell_recused(row, actor=actor, text=f"{where}您已被登记回避，{reason_words}")
    return row


def _check_heir(project: Project, planner: Planner, heir: Planner) -> None:
    if heir.pk == planner.pk:
        raise ValidationError({"replaced_by": "接替人不能是本人。"})
    if heir.locality_id not in (project.locality_id, project.locality.parent_id) or not heir.is_active:
        raise ValidationError({"replaced_by": "接替人须为本地方在册的规划师。"})
    conflict = conflict_of(heir, project)
    if conflict is not None:
        raise ValidationError({"replaced_by": f"接替人也须回避：{conflict.words}。"})


def _tell_recused(row: Recusal, *, actor: User, text: str) -> None:
    users = [pk for pk in logins_of([row.planner_id]) if pk != actor.pk]
    notify(users, kind="recusal", text=text, url=row.project.get_absolute_url(), key=f"recusal-{row.pk}")


def leave_all_seats(row: Recusal, *, actor: User, head: str = "", also: Iterable[int] = ()) -> None:
    """Their seats that are still open; whoever asked is told, with who goes on or that somebody has to be found.

    Each person hears of the recusal once, whatever the number of seats; `also` hear of it in the words of `head`,
    followed by what concerns them.
    """
    project = row.project
    heard: dict[int, list[str]] = {pk: [head] for pk in also}
    seats = Consultee.objects.select_for_update(of=("self",)).filter(
        planner_id=row.planner_id, consultation__project=project, state=Consultee.State.ASKED,
        consultation__state__in=["asked", "suspended"],
    )  # fmt: skip
    for seat in seats.select_related("consultation__project", "consultation__locality", "planner").order_by("pk"):
        heir = leave_seat(seat, actor=actor, reason=f"回避：{row.reason}"[:300], heir=row.replaced_by)
        consultation = seat.consultation
        after = f"，由{heir.planner.name}接替" if heir is not None else "，请另行选择规划师"
        for pk in {*acting_for([consultation.asker_id]), consultation.asked_by_id, *bureau_of(project.locality)}:
            heard.setdefault(pk, []).append(f"征询 {consultation.number}：{row.planner.name}回避{after}。")
        if heir is not None:
            notify(
                logins_of([heir.planner_id]), kind="consultation",
                text=f"请您接替答复“{project.name}”的征询（{consultation.number}）。", url=project.get_absolute_url(),
                key=f"seat-{heir.pk}",
            )  # fmt: skip
    for pk in sorted(heard.keys() - {actor.pk}):
        notify(
            [pk], kind="recusal", text="".join(heard[pk]), url=project.get_absolute_url(), key=f"recusal-{row.pk}"
        )  # fmt: skip


@transaction.atomic
def end_recusal(recusal: Recusal, *, actor: User, reason: str) -> Recusal:
    """Lift a recusal that was recorded. What the register tells of the institution goes on counting by itself.

    Raises Refused, StaleState (lifted already), ValidationError (no reason).
    """
    row = Recusal.objects.select_for_update(of=("self",)).select_related("project__locality", "planner").get(
        pk=recusal.pk
    )  # fmt: skip
    require(can_end_recusal(actor, row))
    if row.ended_at is not None:
        raise StaleState("已被他人处理：该回避已解除，请刷新后查看。")
    row.ended_at, row.end_reason = timezone.now(), reason.strip()
    if not row.end_reason:
        raise ValidationError({"reason": "请写明解除原因。"})
    save_checked(row)
    audit.record("recusal.end", actor=actor, obj=row, detail={"planner": row.planner.name, "reason": row.end_reason})
    notify(
        logins_of([row.planner_id]), kind="recusal",
        text=f"项目“{row.project.name}”：您的回避已解除，原因：{row.end_reason}", url=row.project.get_absolute_url(),
        key=f"recusal-end-{row.pk}",
    )  # fmt: skip
    return row


def settle_conflicts(project: Project, *, actor: User) -> list[Recusal]:
    """After the parties changed: whoever was asked, or is appointed to the project, and now keeps out by their
    institution is recorded as recused.

    In the caller's transaction, which holds the project. Returns the recusals that were made; nobody takes the seats
    over by itself: the asker and the bureau are told to choose.
    """
    open_seats = Consultee.objects.waiting().filter(consultation__project=project)
    today = timezone.localdate()
    serving = service_periods(charges=[project.charge_id], start=today, end=today) if project.charge_id else []
    concerned = {*open_seats.values_list("planner_id", flat=True), *(period.planner_id for period in serving)}
    planners = Planner.objects.in_bulk(concerned)
    known = set(project.recusals.filter(ended_at=None).values_list("planner_id", flat=True))
    made = []
    for pk, conflict in conflicts_among(planners, project).items():
        if pk in known or conflict.ground != Recusal.Ground.INSTITUTION:
            continue
        row = Recusal(
            project=project, planner=planners[pk], ground=conflict.ground, reason=conflict.words, recorded_by=actor
        )
        save_checked(row)
        detail = {"planner": row.planner.name, "ground": row.get_ground_display(), "reason": row.reason}
        audit.record("recusal.create", actor=actor, obj=row, locality=project.locality, detail=detail)
        where = f"项目“{project.name}”："
        head = f"{where}{row.planner.name}{conflict.words}，已登记回避。"
        leave_all_seats(row, actor=actor, head=head, also=bureau_of(project.locality))
        _tell_recused(row, actor=actor, text=f"{where}您{conflict.words}，已登记回避，原征询无须答复。")
        made.append(row)
    return made
