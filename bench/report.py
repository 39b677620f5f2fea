"""A figure is a measured value over a bare one; a table of them for people, JSON for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Figure:
    """`ratio` = `value` / `base`; `limit` is what quality asks, `way` whether the ratio must stay under or reach it.

    `value` and `base` are in `unit`; with `limit` None the figure only informs.
    """

    name: str
    value: float
    base: float
    unit: str
    limit: float | None = None
    way: str = "≤"
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.value / self.base

    @property
    def holds(self) -> bool:
        if self.limit is None:
            return True
        return self.ratio <= self.limit if self.way == "≤" else self.ratio >= self.limit


def _seconds(call: Callable[[], object]) -> float:
    began = perf_counter()
    call()
    return perf_counter() - began


def by_turns(
    calls: dict[str, Callable[[], object]],
    *,
    rounds: int,
    times: int = 1,
    before: dict[str, Callable[[], object]] | None = None,
) -> dict[str, float]:
    """The median seconds of each of several calls, taken in turns, so that a slow spell of the machine hits all.

    `before`: what a call needs done ahead of each round, outside its time.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            if before and name in before:
                before[name]()
            spent[name] += [_seconds(call) for _ in range(times)]
    return {name: median(found) for name, found in spent.items()}


@contextmanager
def told(text: str) -> Iterator[None]:
    began = perf_counter()
    print(f"▸ {text} …", end="", flush=True)
    yield
    print(f" {perf_counter() - began:.0f} 秒", flush=True)


def table(figures: list[Figure]) -> str:
    lines = [f"{'':2}{'比值':>8}  {'要求':>8}  {'实测 / 基准':>24}  项目"]
    for figure in figures:
        asked = f"{figure.way} {figure.limit:g}" if figure.limit is not None else "—"
        pair = f"{figure.value:,.2f} / {figure.base:,.2f} {figure.unit}"
        mark = "✓" if figure.holds else "✗"
        lines.append(f"{mark:2}{figure.ratio:>9.2f}  {asked:>9}  {pair:>28}  {figure.name}")
        if figure.note:
            lines.append(f"{'':54}{figure.note}")
    return "\n".join(lines)


def write(figures: list[Figure], target: Path, **facts: object) -> None:
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        **facts,
        "figures": [{**asdict(f), "ratio": round(f.ratio, 3), "holds": f.holds} for f in figures],
    }
    target.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def machine() -> str:
    """Processor, cores and Python, to read figures by; no name of the machine."""
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = f"{named[0]} × {len(named)}" if named else ""
    return f"{model or platform.machine()}, Python {platform.python_version()}"
