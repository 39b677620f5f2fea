"""The moves of hard questions."""

from __future__ import annotations

from core.transitions import Machine, Move, register
from projects import permissions_followup as followup

QUESTION = register(
    Machine(
        model="projects.HardQuestion",
        label="疑难问题咨询",
        moves=(
            Move("answer", "解答", ("asked",), "answered", followup.can_answer_question),
            Move("withdraw", "撤回", ("asked",), "withdrawn", followup.can_withdraw_question, needs_reason=True),
        ),
    )
)
