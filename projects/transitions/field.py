"""The moves of rectifications and disputes."""

from __future__ import annotations

from core.transitions import Machine, Move, register
from projects import permissions_disputes as disputes
from projects import permissions_rectifications as rectifications

# --- rectifications: open → replied → closed; escalated when nothing happens; waived by whom the policy names -------

RECTIFICATION = register(
    Machine(
        model="projects.Rectification",
        label="整改",
        moves=(
            Move("reply", "登记回复", rectifications.UNSETTLED, "replied", rectifications.can_reply),
            Move("answer", "参建单位回复", rectifications.UNSETTLED, "replied", rectifications.can_answer),
            Move("close", "复查通过，销项", rectifications.UNSETTLED, "closed", rectifications.can_reinspect),
            Move("reject", "复查未通过", ("replied",), "open", rectifications.can_reject),
            Move("escalate", "上报", ("open", "replied"), "escalated", rectifications.can_escalate, needs_reason=True),
            Move("overdue", "逾期上报", ("open",), "escalated", rectifications.can_fall_overdue, needs_reason=True),
            Move(
                "waive", "批准不再整改", rectifications.UNSETTLED, "waived", rectifications.can_waive, needs_reason=True
            ),
            Move(
                "lift", "据裁定不再整改", rectifications.UNSETTLED, "waived", rectifications.can_lift, needs_reason=True
            ),
        ),
    )
)

# --- disputes: both sides are heard, then the district rules --------------------------------------------------------

DISPUTE = register(
    Machine(
        model="projects.Dispute",
        label="分歧协调",
        moves=(
            Move("hear", "对方陈述", ("filed",), "stated", disputes.can_answer_filing),
            Move("rule", "裁定", ("filed", "stated"), "ruled", disputes.can_rule),
            Move("withdraw", "撤回", ("filed", "stated"), "withdrawn", disputes.can_withdraw, needs_reason=True),
        ),
    )
)
