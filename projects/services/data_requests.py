"""Planners ask for data (R56): granted or refused with a reason, by level; who opened what is kept.

京核心区 六(一)2: 优先获取相关部门的技术资料和基础数据（有保密规定的按照保密规定执行）.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import StaleState
from core.files import DOCUMENTS, IMAGES, SPREADSHEETS, store_file
from core.models import StoredFile
from core.notifications import Notice, notify
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from planners.models import Planner
from projects.conflicts import conflict_of
from projects.models import DataRequest, DataRequestFile, Project
from projects.permissions_conflicts import can_ask_data
from projects.permissions_files import nda_signed
from projects.services.audience import logins_of, officers
from projects.services.files import MAX_BYTES
from projects.transitions import DATA_REQUEST

ROWS = DataRequest.objects.select_related("locality", "planner", "project", "answered_by")
_KEPT_AS = {
    DataRequest.Level.PUBLIC: StoredFile.Confidentiality.PUBLIC,
    DataRequest.Level.INTERNAL: StoredFile.Confidentiality.INTERNAL,
    DataRequest.Level.CONFIDENTIAL: StoredFile.Confidentiality.SENSITIVE,
}


@transaction.atomic
def ask_data(*, actor: User, what: str, purpose: str, project: Project | None = None) -> DataRequest:
    """A planner asks, for a project or for their work at large. Side effects: audit, notice to the bureau.

    Raises Refused, and ValidationError (no planner of the register; a project that they keep out of).
    """
    require(can_ask_data(actor))
    planner = Planner.objects.select_related("locality").get(user_id=actor.pk)
    if project is not None:
        conflict = conflict_of(planner, project)
        if conflict is not None:
            raise ValidationError({"project": f"您须回避该项目，不能申请其资料：{conflict.words}。"})
    locality = project.locality if project is not None else planner.locality
    row = DataRequest(locality=locality, planner=planner, project=project, what=what.strip(), purpose=purpose.strip())
    save_checked(row)
    detail = {"what": row.what, "purpose": row.purpose}
    audit.record("datarequest.create", actor=actor, obj=row, locality=locality, detail=detail)
    notify(
        officers(locality.pk, Role.BUREAU), kind="data_request", text=f"{planner.name}申请资料：{row.what}",
        url=row.get_absolute_url(), key=f"data-request-{row.pk}",
    )  # fmt: skip
    return row


def _held(request: DataRequest) -> DataRequest:
    """The request locked and still open. Raises StaleState when somebody was first."""
    row = ROWS.select_for_update(of=("self",)).get(pk=request.pk)
    if row.state != DataRequest.State.ASKED:
        raise StaleState(f"已被他人处理，当前状态为“{row.get_state_display()}”，请刷新后查看。")
    return row


@transaction.atomic
def grant_data(
    request: DataRequest,
    *,
    actor: User,
    level: str,
    uploads: Sequence[Any] = (),
    answer: str = "",
    valid_to: date | None = None,
) -> DataRequest:
    """Hand data over at a level; what demands a 保密协议 only to whoever has signed one.

    Raises Refused, StaleState, ValidationError: no level; nothing handed over and nothing said; no 保密协议 on file.
    """
    row = _held(request)
    today = timezone.localdate()
    if level not in DataRequest.Level.values:
        raise ValidationError({"level": "请选择资料级别。"})
    if level == DataRequest.Level.CONFIDENTIAL and not nda_signed(row.planner, row.locality_id, today):
        raise ValidationError({"level": f"{row.planner.name}在本地方的合同没有登记保密协议，不能提供这一级别的资料。"})
    if not uploads and not answer.strip():
        raise ValidationError({"answer": "没有上传资料的，请说明到哪里、怎样查阅。"})
    if valid_to is not None and valid_to < today:
        raise ValidationError({"valid_to": "查阅期限不能早于今天。"})
    changes = {
        "level": level, "answer": answer.strip()[:300], "answered_by": actor, "answered_at": timezone.now(),
        "valid_to": valid_to,
    }  # fmt: skip
    apply_move(
        row, DATA_REQUEST, "grant", actor=actor, changes=changes, notify=_answered,
        detail={"level": DataRequest.Level(level).label, "files": len(uploads)},
    )  # fmt: skip
    for upload in uploads:
        stored = store_file(
            upload, actor=actor, purpose="data_request", allowed=DOCUMENTS | IMAGES | SPREADSHEETS,
            max_bytes=MAX_BYTES, confidentiality=_KEPT_AS[DataRequest.Level(level)], locality_code=row.locality.code,
        )  # fmt: skip
        DataRequestFile.objects.create(request=row, file=stored)
    return row


@transaction.atomic
def refuse_data(request: DataRequest, *, actor: User, answer: str) -> DataRequest:
    """Raises Refused, StaleState, ValidationError (no reason)."""
    row = _held(request)
    if not answer.strip():
        raise ValidationError({"answer": "不提供须写明原因。"})
    changes = {"answer": answer.strip()[:300], "answered_by": actor, "answered_at": timezone.now()}
    return apply_move(
        row, DATA_REQUEST, "refuse", actor=actor, changes=changes, notify=_answered, detail={"reason": answer.strip()}
    )


@transaction.atomic
def withdraw_data(request: DataRequest, *, actor: User) -> DataRequest:
    """Raises Refused, StaleState."""
    return apply_move(_held(request), DATA_REQUEST, "withdraw", actor=actor)


def _answered(row: DataRequest) -> Notice:
    words = f"您申请的资料“{row.what}”{row.get_state_display()}" + (f"：{row.answer}" if row.answer else "")
    return Notice(
        logins_of([row.planner_id]), "data_request", words[:300], row.get_absolute_url(), f"data-answered-{row.pk}"
    )


def record_opening(file: DataRequestFile, *, actor: User) -> None:
    """Every opening of what was handed over is kept."""
    row = file.request
    detail = {"what": row.what, "file": file.file.original_name}
    audit.record("datarequest.open", actor=actor, obj=row, locality=row.locality, detail=detail)
