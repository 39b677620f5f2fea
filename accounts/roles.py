"""Names of the roles; where a role applies (its scope) stands in districts.Membership."""

from django.db import models


class Role(models.TextChoices):
    CITY = "city", "市级监督"
    LEADER = "leader", "区领导（工作组）"
    BUREAU = "bureau", "规划分局"
    DEPARTMENT = "department", "委办局"
    UNIT = "unit", "责任单元主管部门"
    LEAD = "lead", "领衔规划师"
    PLANNER = "planner", "责任规划师"
    EVALUATOR = "evaluator", "评估人"
    FINANCE = "finance", "财政审核"
    SYSADMIN = "sysadmin", "系统管理员"
    SECADMIN = "secadmin", "安全管理员"
    AUDITOR = "auditor", "审计管理员"


# 等保 8.1.5: system, security and audit administration are three people; none may hold another's rights.
THREE_ADMINISTRATORS = frozenset({Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR})

# What each may do, in words, for whoever answers for rights; address by address it stands in docs/role-matrix.md.
MAY: dict[Role, str] = {
    Role.CITY: "查看所辖各地方的登记、履职、项目和评估结果；登记督查、发布通报；接收或退回备案材料。不办理各地方的业务。",
    Role.LEADER: "查看本地方的全部业务；审议和审定评估结果，复核异议，确认单位的改进；裁定项目分歧。",
    Role.BUREAU: "维护本地方的制度补充、单位、责任单元、规划师、团队和聘用合同；登记项目，发起征询，反馈采纳情况，登记阶段决定；组织述职和评估，报送备案。",
    Role.DEPARTMENT: "登记本单位的项目，发起征询，对规划师意见逐条反馈采纳情况；填写交给本单位的评估表，回应对本单位的评价。",
    Role.UNIT: "确认或退回本责任单元的履职记录和月报；登记本单元的项目，发起征询和反馈；填写交给本单元的评估表，回应对本单元的评价。",
    Role.LEAD: "责任规划师的全部事项；审核团队成员的意见书和述职文书，汇总团队材料。",
    Role.PLANNER: "填写本人的履职记录、月报、意见书、述职文书和评估表；提出整改意见、分歧、资料申请和异议。",
    Role.EVALUATOR: "填写交给本人或所在单位的评估表；查看评估规则。",
    Role.FINANCE: "查看本地方的合同、履职记录和履职计量，供经费审核；不能修改。",
    Role.SYSADMIN: "建立、停用账号，重置密码；启用地方，公布节假日安排；查看后台任务。不能查看业务内容和审计记录。",
    Role.SECADMIN: "授予和结束身份、安排代理，解除双因素认证，结束登录；查看审计记录。不能建立账号，不能查看业务内容。",
    Role.AUDITOR: "查看审计记录、账号和身份；不能修改任何内容。",
}
