"""The moves of cycles and duty reports."""

from core.audit import register_actions
from core.transitions import Machine, Move, register
from evaluations.permissions import cycles as may

CYCLE = register(
    Machine(
        "evaluations.Cycle",
        "述职周期",
        (
            Move(
                "close", "截止", ("open",), "closed", may.can_close_cycle,
                danger="截止后撰写人不能再修改或提交，未定稿的文书不进入汇编。",
            ),
            Move("reopen", "重新开启", ("closed",), "open", may.can_manage_cycle, needs_reason=True),
        ),
    )
)  # fmt: skip

REPORT = register(
    Machine(
        "evaluations.DutyReport",
        "述职文书",
        (
            Move("submit", "提交", ("draft", "returned"), "submitted", may.can_submit_report),
            Move("withdraw", "撤回", ("submitted",), "draft", may.can_withdraw_report),
            Move("return", "退回", ("submitted",), "returned", may.can_endorse_report, needs_reason=True),
            Move(
                "endorse", "审核通过", ("submitted",), "frozen", may.can_endorse_report,
                danger="审核通过后文书定稿，不能再修改；确需更正的，由撰写人发起新版次。",
            ),
            # Where nobody leads the author (a person under contract, or the lead), submitting settles it.
            Move(
                "settle", "提交并定稿", ("draft", "returned"), "frozen", may.can_submit_report,
                danger="提交后文书定稿，不能再修改；确需更正的，须发起新版次。",
            ),
        ),
        version_field="revision",
    )
)  # fmt: skip

register_actions(
    {
        "cycle.open": "开启述职周期",
        "dutyreport.create": "建立述职文书",
        "dutyreport.save": "保存述职文书",
        "dutyreport.supersede": "发起新版次",
        "dutyreport.pdf": "生成述职文书 PDF",
        "cycle.export": "批量导出述职文书",
    }
)
