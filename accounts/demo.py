"""The demo's logins as the login page offers them; who they are is made by `seed_demo`."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from accounts.roles import Role

_ORDER = (
    Role.PLANNER,
    Role.LEAD,
    Role.UNIT,
    Role.BUREAU,
    Role.DEPARTMENT,
    Role.EVALUATOR,
    Role.LEADER,
    Role.CITY,
    Role.FINANCE,
    Role.SYSADMIN,
    Role.SECADMIN,
    Role.AUDITOR,
)


@dataclass(frozen=True, slots=True)
class DemoChoice:
    value: str
    label: str


def demo_roles() -> list[DemoChoice]:
    """The roles a visitor of the demo can try: value is the first half of the login name."""
    return [DemoChoice(role.value, str(role.label)) for role in _ORDER]


def demo_places() -> list[DemoChoice]:
    """The localities: value is the second half of the login name."""
    return [DemoChoice(suffix, label) for suffix, label in settings.DEMO_PLACES.items()]
