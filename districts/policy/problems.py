"""What is wrong with a policy file: all of it, together, in words for the person who wrote the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where (file, path inside it, line when known), what is wrong, what is allowed."""

    path: str
    wrong: str
    allowed: str = ""
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or "（文本）"
        if self.line is not None:
            place = f"{place} 第 {self.line} 行"
        path = f" {self.path}" if self.path else ""
        allowed = f"；允许：{self.allowed}" if self.allowed else ""
        return f"{place}{path}：{self.wrong}{allowed}"

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "path": self.path, "line": self.line, "wrong": self.wrong, "allowed": self.allowed}


class PolicyError(ValueError):
    """A policy document that cannot be used; `problems` lists every fault that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Report:
    """Collects problems while a document is checked."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, path: str, wrong: str, allowed: str = "") -> None:
        self.problems.append(Problem(path=path, wrong=wrong, allowed=allowed))

    def located(self, file: str, lines: dict[str, int]) -> list[Problem]:
        """The problems with the file and the nearest known line (the path itself, else what contains it)."""
        return [replace(problem, file=file, line=_line_of(problem.path, lines)) for problem in self.problems]


def _line_of(path: str, lines: dict[str, int]) -> int | None:
    while path:
        if path in lines:
            return lines[path]
        cut = max(path.rfind("."), path.rfind("["))
        if cut < 0:
            return None
        path = path[:cut]
    return lines.get("")
