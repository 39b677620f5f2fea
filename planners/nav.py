"""Entries of this app in the portal's navigation."""

from accounts.roles import Role
from core.nav import NavItem

_GROUP = "队伍"
_CONTRACTS = frozenset({Role.BUREAU, Role.LEADER, Role.CITY, Role.FINANCE, Role.UNIT, Role.LEAD, Role.PLANNER})
_REGISTRY = frozenset({Role.BUREAU, Role.LEADER, Role.CITY, Role.UNIT, Role.DEPARTMENT, Role.FINANCE, Role.LEAD})

NAV = [
    NavItem(
        "规划师",
        "planners:list",
        "users",
        order=40,
        group=_GROUP,
        roles=_REGISTRY,
        owns=("/planners/", "/imports/planners/"),
    ),
    NavItem(
        "团队与小组",
        "planners:team-list",
        "users-group",
        order=41,
        group=_GROUP,
        roles=_REGISTRY,
        owns=("/planners/(teams|groups|members)/",),
    ),
    NavItem(
        "聘用合同",
        "planners:contract-list",
        "file-certificate",
        order=42,
        group=_GROUP,
        roles=_CONTRACTS,
        short="合同",
        owns=("/planners/(contracts|assignments)/", "/imports/contracts/"),
    ),
    NavItem(
        "覆盖情况",
        "planners:coverage",
        "map-pin-question",
        order=44,
        group=_GROUP,
        roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY}),
    ),
    NavItem(
        "退出和再遴选",
        "planners:reselection-list",
        "user-search",
        order=45,
        group=_GROUP,
        roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY}),
    ),
    NavItem(
        "设计单位",
        "planners:institution-list",
        "building",
        order=43,
        group=_GROUP,
        roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY}),
    ),
]
