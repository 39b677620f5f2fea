"""What a log owes to its inspection: it stays one, and handing it in asks for what is to be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.urls import reverse

from projects.services.rectifications import FoundPhoto, open_rectification
from worklogs.models import FindingPhoto, Inspection, InspectionFinding, WorkLog

from .entries import Entry

if TYPE_CHECKING:
    from accounts.models import User


def inspection_of(log: WorkLog) -> Inspection | None:
    """The inspection of a log or of the version that it corrects."""
    first = log
    while first.supersedes is not None:
        first = first.supersedes
    return Inspection.objects.filter(log=first).first()


def inspection_address(user: Any, log_id: int) -> str:
    """Where this reader opens the inspection of a log; empty when they may not see it."""
    found = Inspection.objects.visible_to(user).filter(log_id=log_id).values_list("pk", flat=True).first()
    return reverse("worklogs:inspection", args=[found]) if found is not None else ""


def check_kept(log: WorkLog, entry: Entry) -> None:
    """Kind and project stay as they are once an inspection hangs on them. Raises ValidationError by field."""
    if inspection_of(log) is None:
        return
    errors: dict[str, str] = {}
    if entry.kind != WorkLog.Kind.INSPECTION:
        errors["kind"] = "这条记录附有巡查发现，工作类别不能更改。"
    if entry.project is None or entry.project.pk != log.project_id:
        errors["project"] = "这条记录附有巡查发现，相关项目不能更改。"
    if errors:
        raise ValidationError(errors)


def open_from(log: WorkLog, *, actor: User) -> None:
    """Ask for everything that the inspection wants mended and that is not asked for yet, in the caller's transaction.

    Side effects: rectifications. Raises Refused and ValidationError, so that a log is handed in with all of it or not.
    """
    inspection = Inspection.objects.filter(log=log).first()
    if inspection is None or log.project is None:
        return
    rows = InspectionFinding.objects.select_for_update(of=("self",)).filter(inspection=inspection, rectification=None)
    for finding in rows.exclude(demand="").order_by("position"):
        if finding.contractor is None:
            continue
        try:
            finding.rectification = open_rectification(
                log.project, actor=actor, planner=log.planner, subject=finding.subject, text=finding.demand,
                basis=finding.basis, contractor=finding.contractor, due_on=finding.due_on, raised_on=log.date,
                source_log=log.pk, photos=[_photo(kept) for kept in finding.photos.select_related("photo")],
            )  # fmt: skip
        except ValidationError as problem:
            raise ValidationError([f"{finding}：{words}" for words in problem.messages]) from problem
        finding.save(update_fields=["rectification"])


def _photo(kept: FindingPhoto) -> FoundPhoto:
    return FoundPhoto(kept.photo.file_id, plan_id=kept.plan_id, x=kept.x, y=kept.y)
