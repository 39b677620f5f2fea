"""Entries of this app in the portal's navigation."""

from accounts.roles import THREE_ADMINISTRATORS, Role
from core.nav import NavItem

_GROUP = "地方与制度"

NAV = [
    NavItem(
        "地方",
        "districts:list",
        "map-2",
        order=60,
        group=_GROUP,
        owns=(r"/districts/$", r"/districts/(start|decisions|\d{6})/", "/worklogs/trials/"),
    ),
    NavItem(
        "责任单元",
        "districts:unit-list",
        "map-pin",
        order=61,
        group=_GROUP,
        short="单元",
        owns=("/districts/units/", "/districts/contacts/", "/imports/units/", r"/districts/\d{6}/(units|streets)/"),
    ),
    NavItem(
        "单位与联系人",
        "districts:organisation-list",
        "building-bank",
        order=62,
        group=_GROUP,
        roles=frozenset({Role.BUREAU, Role.UNIT, Role.LEADER, Role.CITY, Role.SYSADMIN}),
        owns=("/districts/organisations/", r"/districts/\d{6}/organisations/"),
    ),
    NavItem(
        "身份与授权",
        "districts:memberships",
        "id-badge-2",
        order=81,
        group="账号与授权",
        tab=True,
        short="授权",
        roles=frozenset(THREE_ADMINISTRATORS),
    ),
]
