"""The states of a local decision on the policy, and the moves between them."""

from __future__ import annotations

from core.audit import register_actions
from core.transitions import Machine, Move, register
from districts.models import PolicyDecision
from districts.permissions import can_decide_policy

_STATE = PolicyDecision.State

POLICY_DECISION = register(
    Machine(
        "districts.PolicyDecision",
        "制度决定",
        (
            # Read again after each new run: what was read before may have been of other values.
            Move("read", "已阅试算结果", (_STATE.DRAFT, _STATE.TRIED), _STATE.TRIED, can_decide_policy),
            Move("revise", "修改内容", (_STATE.TRIED,), _STATE.DRAFT, can_decide_policy),
            Move(
                "enforce", "施行", (_STATE.TRIED,), _STATE.IN_FORCE, can_decide_policy,
                danger="施行后，取值自执行之日起生效，不能再修改或撤回，只能以新的决定改变。确定施行吗？",
            ),
            Move(
                "discard", "作废", (_STATE.DRAFT, _STATE.TRIED), _STATE.DISCARDED, can_decide_policy,
                danger="作废后不能恢复，需要时只能重新录入。确定作废吗？",
            ),
        ),
    )
)  # fmt: skip

register_actions(
    {
        "policydecision.create": "录入制度决定",
        "policydecision.update": "修改制度决定",
        "policydecision.scan": "查看决定扫描件",
    }
)
