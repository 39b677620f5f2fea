"""Results, objections, responses, publications, filing."""

from core.audit import register_actions
from core.transitions import Machine, Move, register
from evaluations.permissions import outcomes as may

RESULT = register(
    Machine(
        "evaluations.Result",
        "评估结果",
        (
            Move("settle", "审定", ("computed",), "settled", may.can_settle_result),
            Move("unsettle", "撤回审定", ("settled",), "computed", may.can_settle_result, needs_reason=True),
            Move("publish", "生效", ("settled",), "published", may.can_publish_result),
        ),
    )
)

OBJECTION = register(
    Machine(
        "evaluations.Objection",
        "异议",
        (
            Move("withdraw", "撤回", ("raised", "reviewing"), "withdrawn", may.can_withdraw_objection),
            Move("take", "受理", ("raised",), "reviewing", may.can_take_objection),
            Move("uphold", "异议成立", ("reviewing",), "upheld", may.can_decide_objection, needs_reason=True),
            Move("reject", "维持原结果", ("reviewing",), "rejected", may.can_decide_objection, needs_reason=True),
        ),
    )
)

RESPONSE = register(
    Machine(
        "evaluations.DepartmentResponse",
        "主管单位回应",
        (
            Move("answer", "提交回应", ("asked",), "answered", may.can_answer_result),
            Move("done", "报告改进情况", ("answered",), "done", may.can_answer_result),
            Move("confirm", "确认改进", ("done",), "confirmed", may.can_confirm_response),
            Move("again", "要求继续改进", ("done",), "answered", may.can_confirm_response, needs_reason=True),
        ),
    )
)

PUBLICATION = register(
    Machine(
        "evaluations.Publication",
        "公示公布",
        (
            Move(
                "put_out", "发布", ("draft",), "out", may.can_put_out,
                danger="发布后任何人都可以看到所列字段。确定发布吗？",
            ),
            Move("withdraw", "撤下", ("out",), "withdrawn", may.can_take_down, needs_reason=True),
        ),
    )
)  # fmt: skip

FILING = register(
    Machine(
        "evaluations.FilingPackage",
        "备案材料",
        (
            Move("send", "报送", ("draft",), "sent", may.can_prepare_filing),
            Move("receive", "收到", ("sent",), "received", may.can_receive_filing),
            Move("return", "退回补正", ("sent", "received"), "returned", may.can_receive_filing, needs_reason=True),
            Move("accept", "准予备案", ("received",), "accepted", may.can_receive_filing),
        ),
    )
)

register_actions(
    {
        "result.compute": "测算评估结果",
        "result.adjust": "调整评估结果",
        "deliberation.record": "登记审议",
        "objection.raise": "提出异议",
        "filing.make": "制作备案材料",
    }
)
