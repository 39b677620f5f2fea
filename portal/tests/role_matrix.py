"""Who gets which answer at which address: asked of the running pages, written as a table that people read.

`docs/role-matrix.md` is that table. `make matrix` writes it anew; the difference is for a person to judge, and
`test_role_matrix.py` fails while page and table disagree. A new address with an object in it needs one line in
`SAMPLES`: which object stands for all of its kind.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest import mock

import time_machine
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.cache import SessionStore
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.devices import KEY
from accounts.middleware import SEEN, STARTED
from accounts.models import User
from accounts.roles import Role
from districts.models import Locality
from factories import make_membership, make_organisation, make_unit, make_user
from portal.tests.role_matrix_made import make_missing_samples
from portal.tests.role_matrix_samples import SAMPLES
from portal.tests.site import ROLES, seeded, session_of

TABLE = Path(settings.BASE_DIR) / "docs" / "role-matrix.md"
# One Monday morning: states of the demo, and so the answers, would differ from day to day.
MOMENT = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
ANONYMOUS = "anonymous"
FOREIGN = "外地"
METHODS = ("get", "post")
# Which requests a page takes is not a matter of roles: two that have nothing in common are enough to tell.
TELLING = ("bureau", "auditor")
SHORT = {
    "bureau": "分局", "unit": "单元", "department": "委办局", "lead": "领衔", "planner": "规划师", "evaluator": "评估人",
    "leader": "区领导", "city": "市级", "finance": "财政", "sysadmin": "系统", "secadmin": "安全", "auditor": "审计",
    ANONYMOUS: "未登录", FOREIGN: "外地",
}  # fmt: skip
COLUMNS = (*ROLES, ANONYMOUS, FOREIGN)
NOT_OFFERED, OPEN, LOGIN, CONFIRM = "—", "可用", "登录", "验证"
INTRO = """# 角色与页面

每个地址对每种角色的回答；带对象的地址，用本地方的一个对象来试。本页由 `make matrix` 访问真实页面写出，
页面与本页不一致时测试不通过；重写以后，请逐行看过差异再提交。

| 格 | 意思 |
|---|---|
| 可用 | 可以打开；提交的，有权办理（空白提交时提示补填也算） |
| 403 | 看得到，但不能办，页面说明原因 |
| 404 | 对该角色不存在 |
| 409 | 有权办理，但样本对象已不在可办理的状态 |
| 登录 | 转到登录页 |
| 验证 | 先再输一次密码 |
| — | 该地址没有这种请求 |

“外地”一列：同一对象由另一地方的人打开时的回答：本地方能打开的各种角色，以及分局和系统管理员（不带对象的地址留空）。“对象”一列说明用什么样的对象试。
"""


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the resolver. `route`: as people read it, with its arguments in angle brackets."""

    name: str
    route: str
    arguments: tuple[str, ...]

    @property
    def group(self) -> str:
        """The first segment of the path, by which the table is cut into parts."""
        return self.route.split("/")[1] or "home"


def addresses() -> list[Address]:
    """Every address, in the order of its route."""
    found = [Address(name, _readable(route), tuple(sorted(args))) for name, route, args in _walk(get_resolver())]
    return sorted(found, key=lambda a: (a.group, a.route, a.name))


def _walk(resolver: Any, prefix: str = "", route: str = "/") -> Iterator[tuple[str, str, list[str]]]:
    for entry in resolver.url_patterns:
        here = route + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix, here)
        else:
            assert isinstance(entry, URLPattern)
            assert entry.name, f"address without a name: {entry.pattern}"
            yield prefix + entry.name, here, list(entry.pattern.regex.groupindex)


def _readable(route: str) -> str:
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route)
    return re.sub(r"<\w+:(\w+)>", r"<\1>", plain).replace("^", "").replace("$", "").replace("\\", "")


# --- the people who ask --------------------------------------------------------------------------


@contextmanager
def staged(blocker: Any) -> Iterator[Stage]:
    """The demo's 东城区 of `MOMENT` with everybody who asks; the clock stands still while it is open."""
    in_memory = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "role-matrix"}}
    changed = override_settings(
        ACCOUNT_RATE_LIMITS=False, CACHES=in_memory, SESSION_ENGINE="django.contrib.sessions.backends.cache"
    )
    with time_machine.travel(MOMENT, tick=False), changed, seeded(blocker) as people:
        make_missing_samples(people)
        yield Stage(people, _strangers())


def _strangers() -> dict[str, User]:
    """One person of each role in another locality."""
    place = Locality.objects.create(code="110112", name="通州区")
    unit = make_unit(place, office=make_organisation(place))
    scopes: dict[str, dict[str, Any]] = {
        "unit": {"unit": unit},
        "bureau": {"organisation": make_organisation(place, "bureau")},
        "department": {"organisation": make_organisation(place, "department")},
    }
    people = {}
    for role in ROLES:
        user = make_user(f"通州{role}", username=f"elsewhere-{role}", locality_code=place.code)
        make_membership(user, Role(role), place, **scopes.get(role, {}))
        people[role] = user
    return people


class Stage:
    """`own` and `strangers`: a person for each role, here and in another locality."""

    def __init__(self, own: dict[str, User], strangers: dict[str, User]) -> None:
        self.own, self.strangers = own, strangers
        self._client = Client(raise_request_exception=False)
        self._sessions = {user.pk: self._session(user) for user in (*own.values(), *strangers.values())}
        self._samples = self._arguments()

    def url(self, address: Address) -> str:
        """The address with the arguments of its sample object."""
        found = self._samples.get(address.name, {})
        return reverse(address.name, kwargs={key: found[key] for key in address.arguments})

    @staticmethod
    def _session(user: User) -> SessionBase:
        """A session that has just begun: as after the first page, so that asking writes nothing to it."""
        session = SessionStore(session_key=session_of(user))
        session[SEEN], session[STARTED], session[KEY] = int(time.time()), int(time.time()), session.session_key
        return session

    def _arguments(self) -> dict[str, dict[str, Any]]:
        """{name: arguments of its sample object}. Raises AssertionError with every name that has none."""
        found = {
            a.name: SAMPLES[a.name].find(self.own) if a.name in SAMPLES else None for a in addresses() if a.arguments
        }
        missing = [name for name, arguments in found.items() if arguments is None]
        assert missing == [], f"name a sample that the demo has, in portal/tests/role_matrix_samples.py: {missing}"
        return {name: arguments for name, arguments in found.items() if arguments is not None}

    def ask(
        self,
        user: User | None,
        method: str,
        url: str,
        data: dict[str, Any] | None = None,
        read: Callable[[Any], None] = lambda response: None,
    ) -> Any:
        """The response to one request, of which nothing stays: not in the database, not in the client. `read`: what
        looks into it before it is closed."""
        self._client.cookies.clear()
        if user is not None:
            # Written anew: the request before may have changed or ended it.
            session = self._sessions[user.pk]
            session.save(must_create=not session.exists(session.session_key))
            self._client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
        with transaction.atomic():
            response = getattr(self._client, method)(url, data or {})
            read(response)
            transaction.set_rollback(True)
        response.close()
        return response


def word(response: Any) -> str:
    """What a cell of the table says of this response."""
    status, where = response.status_code, response.headers.get("Location", "")
    if status == 302 and where.startswith(settings.LOGIN_URL):
        return LOGIN
    if status == 302 and where.startswith("/accounts/reauthenticate/"):
        return CONFIRM
    if status == 405:
        return NOT_OFFERED
    return OPEN if status in {200, 204, 302} else str(status)


# --- the table -----------------------------------------------------------------------------------

Matrix = dict[tuple[str, str], dict[str, str]]


def ask_everywhere(stage: Stage) -> Matrix:
    """{(name, method): {column: word}} of every address; rows of methods that nobody is offered are left out."""
    found: Matrix = {}
    with _blank_pages():
        for address in addresses():
            url = stage.url(address)
            for method in METHODS:
                cells = {role: word(stage.ask(stage.own[role], method, url)) for role in TELLING}
                if set(cells.values()) == {NOT_OFFERED}:
                    continue
                cells = {
                    role: cells[role] if role in cells else word(stage.ask(stage.own[role], method, url))
                    for role in ROLES
                }
                cells[ANONYMOUS] = word(stage.ask(None, method, url))
                cells[FOREIGN] = _abroad(stage, method, url, cells) if address.arguments else ""
                found[address.name, method.upper()] = cells
    return found


@contextmanager
def _blank_pages() -> Iterator[None]:
    """Statuses alone are asked for: pages are not rendered, which would take most of the time."""
    logging.disable(logging.WARNING)
    try:
        with mock.patch("django.template.backends.django.Template.render", return_value=""):
            yield
    finally:
        logging.disable(logging.NOTSET)


def _abroad(stage: Stage, method: str, url: str, cells: dict[str, str]) -> str:
    """What people of another locality get: of each role that gets something here, and of two that always ask."""
    askers = [role for role in ROLES if role in {"bureau", "sysadmin"} or cells[role] not in {"403", "404"}]
    return "/".join(sorted({word(stage.ask(stage.strangers[role], method, url)) for role in askers}))


def write(found: Matrix) -> str:
    """The whole page of `docs/role-matrix.md`."""
    parts = [INTRO]
    for group, rows in groupby(addresses(), key=lambda address: address.group):
        head = ["页面", "地址", "对象", "方法", *(SHORT[column] for column in COLUMNS)]
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for address in rows:
            sample = SAMPLES[address.name].what if address.arguments else ""
            for method in ("GET", "POST"):
                if cells := found.get((address.name, method)):
                    texts = [f"`{address.name}`", f"`{address.route}`", sample, method]
                    lines.append("| " + " | ".join([*texts, *(cells[column] for column in COLUMNS)]) + " |")
        parts.append(f"## {group}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def read(text: str) -> Matrix:
    """What `write` wrote."""
    found: Matrix = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4 + len(COLUMNS):
            found[cells[0].strip("`"), cells[3]] = dict(zip(COLUMNS, cells[4:], strict=True))
    return found


def differences(expected: Matrix, found: Matrix) -> list[str]:
    """One line for each row that is missing on either side and for each cell that differs."""
    lines = [f"{name} {method}: not in the table" for name, method in found.keys() - expected.keys()]
    lines += [f"{name} {method}: in the table, but no such address" for name, method in expected.keys() - found.keys()]
    for key in found.keys() & expected.keys():
        lines += [
            f"{' '.join(key)}, {SHORT[column]}: table {expected[key][column]!r}, page {found[key][column]!r}"
            for column in COLUMNS
            if expected[key][column] != found[key][column]
        ]
    return sorted(lines)
