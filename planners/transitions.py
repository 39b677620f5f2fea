"""The states of a contract and the moves between them."""

from core.audit import register_actions
from core.transitions import Machine, Move, register
from planners.models import Contract
from planners.permissions import can_cancel_contract, can_end_contract, can_sign_contract

_STATE = Contract.State

CONTRACT = register(
    Machine(
        "planners.Contract",
        "聘用合同",
        (
            Move(
                "sign", "登记签订", (_STATE.DRAFT,), _STATE.SIGNED, can_sign_contract,
                danger="签订后合同内容不能再修改，并始终适用签订时的制度版本。确定登记签订吗？",
            ),
            Move("cancel", "作废草稿", (_STATE.DRAFT,), _STATE.CANCELLED, can_cancel_contract, needs_reason=True),
            Move("end", "终止合同", (_STATE.SIGNED,), _STATE.ENDED, can_end_contract, needs_reason=True),
        ),
    )
)  # fmt: skip

register_actions(
    {
        "planner.create": "登记规划师",
        "planner.update": "修改规划师信息",
        "institution.create": "登记设计单位",
        "institution.update": "修改设计单位",
        "planner.link": "关联账号",
        "planner.unmask": "查看完整证件号码或电话",
        "planner.export": "导出规划师",
        "team.create": "登记团队",
        "team.update": "修改团队",
        "team.member_added": "添加团队成员",
        "team.member_ended": "登记成员退出",
        "team.member_role": "登记成员在团队中的类型",
        "group.create": "新设小组",
        "contract.create": "登记合同草稿",
        "contract.update": "修改合同草稿",
        "contract.annual_signing": "登记年度签约",
        "contract.export": "导出聘用合同",
        "qualification.judge": "判断任职条件",
        "qualification.override": "任职条件不符，仍予聘任",
        "credential.create": "登记证书材料",
        "credential.withdraw": "停用证书材料",
        "assignment.create": "安排派驻",
        "assignment.end": "调整派驻截止日期",
        "assignment.drop": "取消派驻安排",
    }
)
