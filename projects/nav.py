"""Entries of this app in the portal's navigation."""

from accounts.roles import Role
from core.nav import NavItem

REVIEWERS = frozenset({Role.BUREAU, Role.UNIT, Role.DEPARTMENT, Role.LEADER, Role.CITY, Role.LEAD, Role.PLANNER})
_GROUP = "项目审查"
# Planners see on their own pages what became of what they said; the bodies ask for it by name.
_ASKING = REVIEWERS - {Role.CITY}
_DATA = frozenset({Role.BUREAU, Role.LEADER, Role.CITY, Role.LEAD, Role.PLANNER})

NAV = [
    NavItem("审查待办", "projects:desk", "inbox", order=30, group=_GROUP, roles=REVIEWERS, short="待办"),
    NavItem("项目", "projects:list", "building-community", order=31, group=_GROUP, roles=REVIEWERS),
    NavItem(
        "征询意见",
        "projects:consultation-list",
        "message-question",
        order=32,
        group=_GROUP,
        roles=REVIEWERS,
        short="征询",
        owns=(
            "/projects/(consultations|consultees|opinions|extensions)/",
            r"/projects/\d+/consultations/",
        ),
    ),
    NavItem(
        "采纳情况",
        "projects:adoption",
        "chart-bar",
        order=33,
        group=_GROUP,
        roles=REVIEWERS,
        short="采纳",
        owns=("/projects/(adoption|answers|proofs)/",),
    ),
    NavItem("意见函告", "projects:dispatches", "mail-forward", order=34, group=_GROUP, roles=REVIEWERS, short="函告"),
    NavItem("整改", "projects:rectifications", "tools", order=35, group=_GROUP, roles=REVIEWERS),
    NavItem(
        "分歧协调",
        "projects:disputes",
        "scale",
        order=36,
        group=_GROUP,
        roles=REVIEWERS,
        short="分歧",
        owns=(
            "/projects/disputes/",
            r"/projects/\d+/disputes/",
        ),
    ),
    NavItem("疑难问题", "projects:questions", "help-circle", order=37, group=_GROUP, roles=_ASKING, short="疑难"),
    NavItem(
        "资料申请",
        "projects:data-request-list",
        "folder-open",
        order=38,
        group=_GROUP,
        roles=_DATA,
        short="资料",
        owns=("/projects/(data-requests|data-files)/",),
    ),
]
