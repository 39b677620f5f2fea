"""What a home page is put together from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Act:
    label: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class Part:
    """`tiles` as partials/stat_tiles.html wants them."""

    title: str
    tiles: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Chart:
    """`option`: an ECharts option; `words`: the same figures for those who do not see the drawing."""

    caption: str
    option: dict[str, Any]
    words: str


@dataclass(frozen=True, slots=True)
class Glance:
    """`idle_text` is said when nothing waits."""

    parts: list[Part] = field(default_factory=list)
    actions: list[Act] = field(default_factory=list)
    idle_text: str = "新的事项出现时会在这里列出。"
    chart: Chart | None = None
