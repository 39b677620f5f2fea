"""The moves of a request, of those who were asked, of more time, and of opinions."""

from __future__ import annotations

from core.audit import register_actions
from core.transitions import Machine, Move, register
from projects import permissions_adoption as adoption
from projects import permissions_consultations as asking
from projects import permissions_opinions as answering

# --- asking: a request, those who were asked, more time ---------------------------------------------------------

CONSULTATION = register(
    Machine(
        "projects.Consultation",
        "征询",
        (
            Move("suspend", "中止", ("asked",), "suspended", asking.can_suspend, needs_reason=True),
            Move("resume", "恢复", ("suspended",), "asked", asking.can_resume),
            Move(
                "withdraw", "撤回", ("asked", "suspended", "unanswered"), "withdrawn", asking.can_withdraw,
                needs_reason=True, danger="撤回后被征询人不再需要答复，已写的草稿不能再提交。",
            ),
            # These follow from the answers of those who were asked.
            Move("complete", "答复齐备", ("asked", "suspended", "unanswered"), "answered", asking.follows),
            Move("conclude", "无意见条目，办结", ("asked", "suspended", "unanswered"), "settled", asking.follows),
            Move("lapse", "已无人可以答复", ("asked", "suspended"), "unanswered", asking.follows),
            Move("replace", "由新征询取代", ("asked", "suspended", "unanswered"), "superseded", asking.follows),
            # An opinion of a later version, or one put after the meeting, has items of its own to be answered.
            Move("renew", "意见书有新版次", ("settled",), "answered", asking.follows),
            Move("settle", "反馈完毕", ("answered",), "settled", asking.follows),
            Move(
                "close", "随阶段结束撤回", ("asked", "suspended", "unanswered"), "withdrawn", asking.follows,
                needs_reason=True,
            ),
            Move(
                "withdraw_answered", "撤回已答复的征询", ("answered",), "withdrawn", adoption.can_withdraw_answered,
                needs_reason=True, danger="撤回后，尚未反馈的意见不再要求反馈；意见书保留，并单独计数。确定撤回吗？",
            ),
        ),
    )
)  # fmt: skip

CONSULTEE = register(
    Machine(
        "projects.Consultee",
        "被征询人",
        (
            Move("answer", "提交意见", ("asked", "attended", "absent"), "answered", asking.follows),
            Move("decline", "谢绝", ("asked",), "declined", asking.can_decline, needs_reason=True),
            Move("recuse", "回避", ("asked",), "recused", asking.can_recuse, needs_reason=True),
            Move("substitute", "安排替补", ("asked",), "replaced", asking.can_substitute, needs_reason=True),
            Move("release", "无须答复", ("asked",), "released", asking.can_release, needs_reason=True),
            Move("let_go", "随征询或合同终止", ("asked",), "released", asking.follows),
            Move("keep_out", "因利益冲突回避", ("asked",), "recused", asking.follows),
            Move("attend", "已参会", ("asked",), "attended", asking.follows),
            Move("miss", "未参会", ("asked",), "absent", asking.follows),
        ),
    )
)  # fmt: skip

EXTENSION = register(
    Machine(
        "projects.Extension",
        "延期申请",
        (
            Move("grant", "同意延期", ("asked",), "granted", asking.can_answer_extension),
            Move("refuse", "不同意延期", ("asked",), "refused", asking.can_answer_extension, needs_reason=True),
            Move("drop", "征询已办结", ("asked",), "refused", asking.follows),
        ),
    )
)

# --- answering ---------------------------------------------------------------------------------------------------

OPINION = register(
    Machine(
        "projects.Opinion",
        "意见书",
        (
            Move("send", "提交领衔审核", ("draft", "returned"), "endorsing", answering.can_submit),
            Move(
                "submit", "提交", ("draft", "returned"), "submitted", answering.can_submit,
                danger="提交后意见书定稿，不能再修改；确需更正的，须发起新版次。",
            ),
            Move("take_back", "撤回修改", ("endorsing",), "draft", answering.can_take_back),
            Move(
                "endorse", "审核通过", ("endorsing",), "submitted", answering.can_endorse,
                danger="审核通过后意见书定稿，不能再修改。",
            ),
            Move("return", "退回", ("endorsing",), "returned", answering.can_return, needs_reason=True),
            Move("fall_back", "征询已办结，退回撰写人", ("endorsing",), "returned", asking.follows),
            Move("renew", "由新版取代", ("submitted",), "superseded", asking.follows),
        ),
        version_field="revision",
    )
)  # fmt: skip

register_actions(
    {
        "consultation.ask": "发出征询",
        "consultation.add": "增补被征询人",
        "consultation.meeting": "登记会议",
        "consultation.move_meeting": "会议改期",
        "consultation.moved": "项目所属单元有变化",
        "consultation.export": "导出征询",
        "consultee.retain": "续签合同，继续答复",
        "extension.ask": "申请延期",
        "opinion.begin": "开始撰写意见书",
        "opinion.save": "保存意见书",
        "opinion.discard": "放弃意见书草稿",
        "opinion.paper": "录入纸质意见",
        "opinion.version": "意见书发起新版次",
        "opinion.pdf": "下载意见书 PDF",
        "opinion.scan": "查看意见书扫描件",
    }
)
