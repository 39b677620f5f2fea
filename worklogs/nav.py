"""The entries of the work logs in the menu."""

from accounts.roles import Role
from core.nav import NavItem

_PLANNERS = frozenset({Role.PLANNER, Role.LEAD})
_REVIEWERS = frozenset({Role.UNIT, Role.DEPARTMENT, Role.BUREAU})
_READERS = _PLANNERS | _REVIEWERS | {Role.LEADER, Role.CITY, Role.FINANCE}
_GROUP = "履职"

NAV = [
    NavItem(
        "填写履职记录",
        "worklogs:create",
        "pencil-plus",
        roles=_PLANNERS,
        order=20,
        group=_GROUP,
        tab=True,
        short="记一笔",
    ),
    NavItem(
        "施工巡查",
        "worklogs:inspection-create",
        "helmet",
        roles=_PLANNERS,
        order=21,
        group=_GROUP,
        short="巡查",
        owns=("/worklogs/inspections/",),
    ),
    NavItem(
        "待确认",
        "worklogs:waiting",
        "checklist",
        roles=_REVIEWERS,
        order=21,
        group=_GROUP,
        tab=True,
        owns=("/worklogs/(waiting|months)/",),
    ),
    NavItem(
        "履职记录",
        "worklogs:list",
        "notebook",
        roles=_READERS,
        order=22,
        group=_GROUP,
        tab=True,
        short="记录",
        owns=("/worklogs/", "/imports/worklogs/"),
    ),
    NavItem(
        "履职日历",
        "worklogs:calendar",
        "calendar-month",
        roles=_READERS,
        order=23,
        group=_GROUP,
        short="日历",
        owns=("/worklogs/calendar/", "/calendar/"),
    ),
    NavItem(
        "工作月报",
        "worklogs:monthly-list",
        "report",
        roles=_READERS - {Role.FINANCE},
        order=23,
        group=_GROUP,
        short="月报",
    ),
    NavItem("履职统计", "worklogs:figures", "chart-bar", roles=_READERS, order=24, group=_GROUP, short="统计"),
]
