"""Pages against the bare view and the empty frame; the list of logs at two sizes, first page and deep."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date
from functools import partial

from accounts.models import User
from bench import data
from bench.report import Figure, by_turns, told
from bench.server import Visitor

LIST = "/worklogs/"
SMALL, LARGE = 2_000, 200_000
ROUNDS, TIMES = 8, 25
DEPTH = 40  # pages in, of 50 rows each


def measure(port: int, today: date) -> list[Figure]:
    with told(f"{SMALL:,} 条记录"):
        block = data.grow_to(SMALL, today, block=0)
    with told("各页"):
        small = _measured(port, deep=SMALL // 50 // 2)
    with told(f"{LARGE:,} 条记录"):
        data.grow_to(LARGE, today, block=block)
    with told("各页"):
        large = _measured(port, deep=DEPTH, admin=True)
    return [
        Figure("空页框（已登录） / 最简视图", large["frame"], large["hello"], "ms", 5),
        Figure(f"记录列表 {LARGE:,} 条，第一页 / 空页框", large["first"], large["frame"], "ms", 5),
        Figure(f"记录列表 {LARGE:,} 条，深页 / 空页框", large["deep"], large["frame"], "ms", 5),
        # Each over the frame of its own minutes, because the machine may have been slower in one than in the other.
        *(
            Figure(
                f"记录列表{name}，{LARGE:,} 条 / {SMALL:,} 条",
                large[page] / large["frame"],
                small[page] / small["frame"],
                "倍空页框",
                1.2,
            )
            for name, page in (("第一页", "first"), ("深页", "deep"))
        ),
        Figure(f"记录列表 {LARGE:,} 条，深页 / 第一页", large["deep"], large["first"], "ms", 1.2),
        Figure("两字搜索 / 列表", large["search"], large["first"], "ms", 1.5),
        Figure(
            "Django admin 同样的行 / 记录列表",
            large["admin"],
            large["first"],
            "ms",
            note="仅供参考：要求的 7 倍是在全省规模（200 万条）下",
        ),
    ]


def _measured(port: int, *, deep: int, admin: bool = False) -> dict[str, float]:
    """Median milliseconds of each page, visited in turns on one kept connection."""
    visitor = Visitor(port, data.viewer())
    pages = {
        "hello": "/bench/hello/",
        "frame": "/bench/frame/",
        "first": LIST,
        "deep": deep_address(visitor, deep),
        "search": f"{LIST}?q=街巷",
    }
    calls: dict[str, Callable[[], object]] = {name: partial(visitor.get, _quoted(path)) for name, path in pages.items()}
    if admin:
        root = User.objects.create_superuser("bench-root", password=None, name="基准")
        calls["admin"] = partial(Visitor(port, root).get, "/bench/admin/worklogs/worklog/")
    return {name: seconds * 1000 for name, seconds in by_turns(calls, rounds=ROUNDS, times=TIMES).items()}


def deep_address(visitor: Visitor, pages: int) -> str:
    """Where one gets by pressing 下一页 that often."""
    address = LIST
    for _ in range(pages):
        found = re.search(r'href="(\?[^"]*\bafter=[^"]+)"', visitor.get(address))
        if found is None:
            raise RuntimeError(f"{address} has no next page")
        address = LIST + html.unescape(found.group(1))
    return address


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/?=&%")
