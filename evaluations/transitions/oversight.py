"""Reviews of the system, inspections, circulars."""

from core.audit import register_actions
from core.transitions import Machine, Move, register
from evaluations.permissions import oversight as may

SYSTEM_REVIEW = register(
    Machine(
        "evaluations.SystemReview",
        "制度评估",
        (
            Move(
                "settle", "定稿", ("draft",), "settled", may.can_edit_review,
                danger="定稿后不能再修改，更正须另出新版。确定定稿吗？",
            ),
        ),
    )
)  # fmt: skip

INSPECTION = register(
    Machine(
        "evaluations.Inspection",
        "督查",
        (
            Move("answer", "反馈整改情况", ("open",), "answered", may.can_answer_inspection),
            Move("close", "办结", ("answered",), "closed", may.can_close_inspection),
            Move("again", "要求继续整改", ("answered",), "open", may.can_close_inspection, needs_reason=True),
            Move("cancel", "撤销", ("open",), "cancelled", may.can_close_inspection, needs_reason=True),
        ),
    )
)

CIRCULAR = register(
    Machine(
        "evaluations.Circular",
        "通报",
        (
            Move(
                "put_out", "印发", ("draft",), "out", may.can_edit_circular,
                danger="印发后各有关单位都可以看到，不能再修改。确定印发吗？",
            ),
        ),
    )
)  # fmt: skip

register_actions(
    {
        "result.reply": "回复评估结果",
        "letter.download": "下载评估结果告知书",
        "objection.evidence": "下载异议证明材料",
        "filing.download": "下载备案材料",
        "systemreview.draft": "起草制度评估",
        "inspection.make": "登记督查",
        "circular.draft": "拟定通报",
    }
)
