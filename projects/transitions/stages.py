"""The moves of a project, of the rounds of its stages, and of requests for data."""

from __future__ import annotations

from core.audit import register_actions
from core.transitions import Machine, Move, register
from projects.models import DataRequest, Project, ProjectStage
from projects.permissions_conflicts import can_answer_data, can_withdraw_data
from projects.permissions_stages import can_decide_stage, can_move_project, can_move_stage

# --- stages -----------------------------------------------------------------------------------------------------

_ROUND = ProjectStage.State

# One round of one stage. What follows a round is the service's business: the next stage, or the next round.
STAGE = register(
    Machine(
        "projects.ProjectStage",
        "项目阶段的一轮",
        (
            Move("pass", "登记通过", (_ROUND.OPEN,), _ROUND.PASSED, can_decide_stage),
            Move("send_back", "退回修改", (_ROUND.OPEN,), _ROUND.SENT_BACK, can_move_stage, needs_reason=True),
            Move("skip", "跳过", (_ROUND.OPEN,), _ROUND.SKIPPED, can_move_stage, needs_reason=True),
            Move("go_back", "返回前一阶段", (_ROUND.OPEN,), _ROUND.LEFT, can_move_stage, needs_reason=True),
        ),
    )
)

_IN = Project.Stage
ORDER = (_IN.INITIATION, _IN.SCHEME, _IN.CONSTRUCTION, _IN.ACCEPTANCE)

# The project follows its open round: on to the next stage, back to any earlier one, and up again once it was finished.
PROJECT = register(
    Machine(
        "projects.Project",
        "项目",
        (
            *(
                Move(
                    f"enter_{stage}", f"进入{stage.label}",
                    (*ORDER[max(number - 1, 0) : number], *ORDER[number + 1 :], _IN.DONE), stage, can_move_project,
                )
                for number, stage in enumerate(ORDER)
            ),
            Move("finish", "办结", (_IN.ACCEPTANCE,), _IN.DONE, can_move_project),
        ),
        field="stage",
    )
)  # fmt: skip

# --- planners' requests for data ----------------------------------------------------------------------------------

_DATA = DataRequest.State

DATA_REQUEST = register(
    Machine(
        "projects.DataRequest",
        "资料申请",
        (
            Move("grant", "提供", (_DATA.ASKED,), _DATA.GRANTED, can_answer_data),
            Move("refuse", "不予提供", (_DATA.ASKED,), _DATA.REFUSED, can_answer_data),
            Move("withdraw", "撤回", (_DATA.ASKED,), _DATA.WITHDRAWN, can_withdraw_data),
        ),
    )
)

register_actions({"datarequest.create": "申请资料", "datarequest.open": "查阅资料"})
