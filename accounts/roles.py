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
