"""A sheet's states. Its audit entries say that it moved and never what it says (the seal)."""

from core.audit import register_actions
from core.transitions import Machine, Move, register
from evaluations.permissions import sheets as may

SHEET = register(
    Machine(
        "evaluations.Sheet",
        "评估表",
        (
            Move("begin", "开始填写", ("waiting",), "draft", may.can_fill),
            Move("submit", "提交", ("draft",), "submitted", may.can_fill),
            Move("abstain", "弃权", ("waiting", "draft"), "abstained", may.can_fill, needs_reason=True),
            Move("withdraw", "撤回", ("submitted", "abstained"), "draft", may.can_withdraw_sheet),
            Move("decline", "申请回避", ("waiting", "draft"), "declined", may.can_decline, needs_reason=True),
            Move("take_back", "撤回回避申请", ("declined",), "waiting", may.can_take_back),
            Move("insist", "不同意回避", ("declined",), "waiting", may.can_assign, needs_reason=True),
            Move(
                "excuse", "回避（不评）", ("waiting", "draft", "submitted", "abstained", "declined"), "excused",
                may.can_assign, needs_reason=True,
            ),
            Move("restore", "恢复评估", ("excused",), "waiting", may.can_assign, needs_reason=True),
            Move(
                "replace", "改派", ("waiting", "draft", "submitted", "abstained", "declined"), "replaced",
                may.can_assign, needs_reason=True, danger="改派后由新的评估人重新填写，原评估人填写的内容不再计入，也不转给他人。",
            ),
            Move(
                "reopen", "重新开放", ("submitted", "abstained", "draft"), "draft",
                may.can_reopen_sheet, needs_reason=True,
            ),
        ),
        version_field="revision",
    )
)  # fmt: skip

register_actions(
    {
        "sheet.create": "安排评估人",
        "sheet.name": "指定评估人",
        "sheet.save": "保存评估表",
        "sheet.share": "调整评估人份额",
        "subject.leave_out": "不参评",
        "subject.take_in": "恢复参评",
        "roundstep.chase": "催办评估",
        "form.edit": "修改评估表样",
        "form.copy": "沿用评估表样",
    }
)
