"""The states of an import."""

from __future__ import annotations

from typing import Any

from core.models import ImportBatch
from core.permissions import Decision
from core.transitions import Machine, Move, register

from .kinds import KINDS


def can_import(user: Any, batch: ImportBatch) -> Decision:
    """Whoever may import this kind for this locality; the operator at the command line (`user` None) may anything."""
    if user is None:
        return Decision.yes()
    importer = KINDS.get(batch.kind)
    return importer.can(user, batch.locality_code) if importer else Decision.no("这类数据已不能导入。")


def can_map(user: Any, batch: ImportBatch) -> Decision:
    decision = can_import(user, batch)
    open_still = batch.state in (ImportBatch.State.MAPPING, ImportBatch.State.CHECKED) and batch.file_id is not None
    return decision and Decision.of(open_still, otherwise="这批数据已经办理过，不能再对应表头。")


def can_run(user: Any, batch: ImportBatch) -> Decision:
    decision = can_import(user, batch)
    ready = batch.state == ImportBatch.State.CHECKED or batch.interrupted
    return decision and Decision.of(ready, otherwise="这批数据已经办理过，请查看结果。")


def can_undo(user: Any, batch: ImportBatch) -> Decision:
    decision = can_import(user, batch)
    if decision and batch.state == ImportBatch.State.UNDONE:
        return Decision.no("这批数据已经撤销。")
    done = batch.state == ImportBatch.State.DONE and bool(batch.report.get("written"))
    return decision and Decision.of(done, otherwise="这批数据没有写入任何内容，无需撤销。")


_STATE = ImportBatch.State
IMPORT = register(
    Machine(
        model="core.ImportBatch",
        label="数据导入",
        moves=(
            Move("map", "对应表头", (_STATE.MAPPING, _STATE.CHECKED), _STATE.CHECKED, can_map),
            Move("start", "提交后台导入", (_STATE.CHECKED, _STATE.RUNNING), _STATE.RUNNING, can_run),
            Move("recheck", "登记有变化，重新检查", (_STATE.CHECKED, _STATE.RUNNING), _STATE.CHECKED, can_import),
            Move("finish", "导入", (_STATE.CHECKED, _STATE.RUNNING), _STATE.DONE, can_import),
            Move("refuse", "有不合格的行，未导入", (_STATE.CHECKED, _STATE.RUNNING), _STATE.REFUSED, can_import),
            Move(
                "undo", "撤销导入", (_STATE.DONE,), _STATE.UNDONE, can_undo, needs_reason=True,
                danger="撤销后，这批数据新增的内容将删除、修改的内容将恢复原样。确定撤销吗？",
            ),
        ),
    )
)  # fmt: skip
