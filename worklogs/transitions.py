"""The moves of a work log, and of what is remarked on it.

draft, returned, withdrawn → submitted → confirmed | returned; a correction, or an entry for a closed month, goes by
`proposed` instead of `submitted`, so that what was confirmed counts until the correction is confirmed too.
"""

from __future__ import annotations

from core.audit import register_actions
from core.transitions import Machine, Move, register

from . import permissions
from . import permissions_monthly as monthly

_IN_HAND = ("draft", "returned", "withdrawn")

WORKLOG = register(
    Machine(
        model="worklogs.WorkLog",
        label="履职记录",
        moves=(
            Move("submit", "提交", _IN_HAND, "submitted", permissions.can_submit),
            Move("propose", "提交更正（补报）", _IN_HAND, "proposed", permissions.can_submit, needs_reason=True),
            Move("withdraw", "撤回", ("submitted", "proposed"), "withdrawn", permissions.can_withdraw),
            Move("confirm", "确认", ("submitted", "proposed"), "confirmed", permissions.can_confirm),
            Move("confirm_void", "确认作废", ("proposed",), "void", permissions.can_confirm),
            Move("return", "退回", ("submitted", "proposed"), "returned", permissions.can_return, needs_reason=True),
        ),
    )
)

# A remark only ever goes from open to noted: other evidence is another remark.
FINDING = register(
    Machine(
        model="worklogs.LogFinding",
        label="核对提示",
        moves=(Move("note", "核对", ("open",), "noted", permissions.can_note),),
    )
)

# A report is accepted while the month is open and locked with it; for a month that is closed already the two are one.
MONTHLY = register(
    Machine(
        model="worklogs.MonthlyReport",
        label="工作月报",
        moves=(
            Move("submit", "提交", ("draft", "returned"), "submitted", monthly.can_write),
            Move("withdraw", "撤回", ("submitted",), "draft", monthly.can_withdraw),
            Move("accept", "接受", ("submitted",), "accepted", monthly.can_accept),
            Move("return", "退回", ("submitted", "accepted"), "returned", monthly.can_return, needs_reason=True),
            Move("lock", "随月锁定", ("accepted",), "locked", monthly.can_lock),
        ),
        version_field="revision",
    )
)

register_actions(
    {
        "monthlyreport.open": "建立工作月报",
        "monthlyreport.save": "保存工作月报",
        "monthlyreport.supersede": "工作月报发起新版次",
        "monthlyreport.export": "导出工作月报",
        "monthlyreport.pdf": "下载工作月报 PDF",
    }
)
