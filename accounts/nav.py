"""Entries of this app in the portal's navigation."""

from accounts.roles import THREE_ADMINISTRATORS
from core.nav import NavItem

NAV = [
    NavItem(
        "账号",
        "accounts-people",
        "users",
        roles=frozenset(THREE_ADMINISTRATORS),
        order=80,
        group="账号与授权",
        tab=True,
    )
]
