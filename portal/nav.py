from accounts.roles import Role
from core.nav import NavItem

NAV = [
    NavItem("首页", "portal:home", "home", order=1, tab=True),
    NavItem(
        "会议与采纳监测", "portal:measures", "activity", roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY}), order=35,
        group="项目审查", short="监测",
    ),
    NavItem("节假日", "core:calendar-list", "calendar-event", roles=frozenset({Role.SYSADMIN}), order=70, tab=True),
    NavItem(
        "审计记录", "portal:audit", "clipboard-list", roles=frozenset({Role.AUDITOR, Role.SECADMIN}), order=90, tab=True
    ),
]  # fmt: skip
