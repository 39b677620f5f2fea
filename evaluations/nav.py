"""Entries of this app in the portal's navigation."""

from accounts.roles import Role
from core.nav import NavItem

_GROUP = "述职与评估"

NAV = [
    NavItem(
        "述职文书",
        "evaluations:list",
        "file-text",
        roles=frozenset({Role.PLANNER, Role.LEAD, Role.BUREAU, Role.LEADER, Role.CITY, Role.UNIT}),
        order=50,
        group=_GROUP,
        short="述职",
        tab=True,
    ),
    NavItem(
        "评估",
        "evaluations:round-list",
        "clipboard-list",
        roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY}),
        order=52,
        group=_GROUP,
        owns=("/evaluations/rounds/",),
    ),
    NavItem(
        "我的评估表",
        "evaluations:sheet-list",
        "clipboard-check",
        roles=frozenset({Role.PLANNER, Role.LEAD, Role.UNIT, Role.DEPARTMENT, Role.EVALUATOR}),
        order=53,
        group=_GROUP,
        short="评估",
        owns=("/evaluations/sheets/",),
    ),
    NavItem(
        "结果与备案",
        "evaluations:after-list",
        "award",
        roles=frozenset({Role.BUREAU, Role.LEADER}),
        order=54,
        group=_GROUP,
        owns=("/evaluations/after/", "/evaluations/publications/", "/evaluations/reviews/"),
    ),
    NavItem(
        "异议",
        "evaluations:objection-list",
        "message-circle",
        roles=frozenset({Role.BUREAU, Role.LEADER}),
        order=55,
        group=_GROUP,
    ),
    NavItem(
        "我的评估结果",
        "evaluations:own-result-list",
        "award",
        roles=frozenset({Role.PLANNER, Role.LEAD, Role.UNIT, Role.DEPARTMENT, Role.EVALUATOR}),
        order=55,
        group=_GROUP,
        short="结果",
        owns=("/evaluations/own-results/", "/evaluations/responses/"),
    ),
    NavItem(
        "结果备案",
        "evaluations:filing-list",
        "archive",
        roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY}),
        order=56,
        group=_GROUP,
    ),
    NavItem(
        "督查",
        "evaluations:inspection-list",
        "checklist",
        roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY, Role.UNIT, Role.DEPARTMENT}),
        order=57,
        group=_GROUP,
    ),
    NavItem(
        "通报",
        "evaluations:circular-list",
        "news",
        roles=frozenset({Role.BUREAU, Role.LEADER, Role.CITY, Role.UNIT, Role.DEPARTMENT}),
        order=58,
        group=_GROUP,
    ),
]
