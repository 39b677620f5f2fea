"""The phases of a round. What stands in the way of each move is `services.checklist`, which its service asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.audit import register_actions
from core.transitions import Machine, Move, register
from evaluations.permissions import rounds as may

if TYPE_CHECKING:
    from accounts.models import User
    from core.permissions import Decision
    from evaluations.models import RoundStep


def _manage(user: User, step: RoundStep) -> Decision:
    return may.can_manage_round(user, step.round)


ROUND = register(
    Machine(
        "evaluations.Round",
        "评估",
        (
            Move(
                "open", "启动（先述职）", ("preparation",), "self_report", may.can_manage_round,
                danger="启动后适用规则和评估表样即锁定，不能再修改。确定启动吗？",
            ),
            Move(
                "open_directly", "启动（直接评分）", ("preparation",), "scoring", may.can_manage_round,
                danger="启动后适用规则和评估表样即锁定，不能再修改。确定启动吗？",
            ),
            Move("start_scoring", "开始评分", ("self_report",), "scoring", may.can_manage_round),
            Move(
                "collate", "转入汇总", ("scoring",), "collation", may.can_manage_round,
                danger="转入汇总后，各评估表内容对汇总人员开放。确定吗？",
            ),
            Move("deliberate", "提请审议", ("collation",), "deliberation", may.can_manage_round),
            Move("announce", "公示并告知结果", ("deliberation",), "notice", may.can_deliberate_round),
            Move(
                "deliberate_again", "重新审议", ("notice",), "deliberation", may.can_deliberate_round,
                needs_reason=True,
            ),
            Move(
                "publish", "结果生效", ("notice",), "published", may.can_publish_round,
                danger="生效后结果不能再修改，更正须另出新版。确定吗？",
            ),
            Move("file", "完成备案", ("published",), "filed", may.can_manage_round),
            Move(
                "cancel", "取消评估", ("preparation", "self_report", "scoring"), "cancelled", may.can_manage_round,
                needs_reason=True, danger="取消后已填写的评估表不再使用，也不对任何人开放。确定取消吗？",
            ),
        ),
    )
)  # fmt: skip

ROUND_STANDING = register(
    Machine(
        "evaluations.Round",
        "评估的暂停",
        (
            Move("pause", "暂停", ("active",), "paused", may.can_pause_round, needs_reason=True),
            Move("resume", "恢复", ("paused",), "active", may.can_resume_round),
        ),
        field="standing",
        name="evaluations.round.standing",
    )
)

STEP = register(
    Machine(
        "evaluations.RoundStep",
        "评估步骤",
        (
            Move("open", "开始填写", ("pending",), "open", _manage),
            Move(
                "close", "截止", ("open",), "closed", _manage,
                danger="截止对所有评估人同时生效，之后不能再填写或撤回。确定截止吗？",
            ),
        ),
    )
)  # fmt: skip

register_actions(
    {
        "round.prepare": "建立评估",
        "round.refresh": "重新计算受评对象和评估人",
        "round.freeze": "锁定评估规则和表样",
        "round.fill_rules": "补入启动时未设定的规则",
        "roundstep.extend": "调整评估截止日期",
    }
)
