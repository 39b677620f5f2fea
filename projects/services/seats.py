"""Where stages, conflicts and units touch a request that is running: a seat is left, a round is over, a project moves
to other units."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from accounts.models import User
from core.notifications import notify
from core.saving import save_checked
from core.transitions import apply_move
from planners.models import Planner
from projects.models import Consultation, Consultee, Project, ProjectStage
from projects.services.audience import bureau_of, desk_of, unit_officers, waiting_users
from projects.services.course import fall_back, finish, let_all_go, locked, project_moved, tell
from projects.transitions import CONSULTATION, CONSULTEE


def leave_seat(seat: Consultee, *, actor: User, reason: str, heir: Planner | None = None) -> Consultee | None:
    """The planner keeps out: the seat is closed as recused, an opinion that waits for the lead goes back; `heir` takes
    over what was asked unless they are asked already. Returns the heir's seat. In the caller's transaction."""
    consultation = locked(seat.consultation_id)
    seat.consultation = consultation
    changes = {"closed_at": timezone.now(), "reason": reason[:300]}
    seat = apply_move(seat, CONSULTEE, "keep_out", actor=actor, reason=reason, changes=changes)
    fall_back(seat, actor=actor, reason="已办理回避")
    asked = consultation.consultees.exclude(state__in=["replaced", "recused", "released"])
    made = None
    if heir is not None and not asked.filter(planner=heir).exists():
        made = Consultee(
            consultation=consultation, planner=heir, role_type=seat.role_type, opinion_form=seat.opinion_form,
            weight=seat.weight, clause=seat.clause, chosen=Consultee.Chosen.SUBSTITUTE, reason=reason[:300],
            replaces=seat,
        )  # fmt: skip
        save_checked(made)
    finish(consultation, actor=actor)
    return made


def close_requests(stage: ProjectStage, *, actor: User, reason: str) -> int:
    """The round is over without a decision: what was asked about it and not answered need not be answered any more;
    what was answered stays to be answered for. The number of requests closed. In the caller's transaction."""
    ids = list(Consultation.objects.filter(stage=stage).running().order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        row = locked(pk)
        told = {*waiting_users(row), *desk_of(row)} - {actor.pk}
        let_all_go(row, actor=actor, reason=reason)
        if row.consultees.filter(state=Consultee.State.ANSWERED).exists():
            finish(row, actor=actor)
        else:
            apply_move(row, CONSULTATION, "close", actor=actor, reason=reason, changes={"reason": reason[:300]})
        text = f"征询 {row.number}（{row.project.name}）无须再答复：{reason}"
        tell(row, told, "consultation.closed", text, key=f"request-over-{row.pk}")
    return len(ids)


def tell_project_moved(project: Project, *, actor: User, before: Iterable[int], words: tuple[str, str]) -> int:
    """The units of a project change: the offices on both sides and the bureau are told; what is being asked goes on
    with those who were asked. `before`: ids of the units until now; `words`: the units before and after.
    The number of requests running. In the caller's transaction."""
    now = set(project.units.values_list("pk", flat=True))
    told = {*unit_officers({*before} | now), *bureau_of(project.locality)} - {actor.pk}
    text = f"项目“{project.name}”的责任单元由{words[0] or '未定单元'}调整为{words[1] or '未定单元'}。"
    notify(sorted(told), kind="project", text=text, url=project.get_absolute_url())
    return project_moved(project, actor=actor, before=words[0], after=words[1])
