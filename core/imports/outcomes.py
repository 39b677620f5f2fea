"""What a row of an import comes to, and what the whole file does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

# What a row means: a record made, one changed, one that is there already, one the file says twice, or none.
NEW, CHANGED, UNCHANGED, REPEATED, REFUSED = "new", "changed", "unchanged", "repeated", "refused"
LABELS = {NEW: "新增", CHANGED: "修改", UNCHANGED: "已存在", REPEATED: "文件内重复", REFUSED: "有问题"}
TONES = {NEW: "good", CHANGED: "info", UNCHANGED: "neutral", REPEATED: "neutral", REFUSED: "bad"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of one cell. `value` is as the sheet has it, cut at 80 characters."""

    row: int
    column: str
    value: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "value": self.value, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a row changes, in words."""

    column: str
    before: str
    after: str

    def as_json(self) -> dict[str, str]:
        return {"column": self.column, "before": self.before, "after": self.after}


@dataclass(slots=True)
class Outcome:
    """A row as read: `fields` is what it says when `problems` is empty; `target` the record that it is about."""

    number: int
    fields: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    action: str = NEW
    label: str = ""
    note: str = ""
    changes: list[Change] = field(default_factory=list)
    target: Any = None

    def refuse(self, column: str, value: Any, reason: str) -> None:
        self.problems.append(Problem(self.number, column, str(value)[:80], reason))
        self.action = REFUSED

    def as_line(self) -> dict[str, Any]:
        line: dict[str, Any] = {"row": self.number, "action": self.action, "label": self.label}
        if self.note:
            line["note"] = self.note
        if self.changes:
            line["changes"] = [change.as_json() for change in self.changes]
        return line

    @property
    def digest(self) -> str:
        """Tells one set of changes from another: what was looked over is what may be written."""
        words = "\x1f".join(f"{self.number}\x1e{c.column}\x1e{c.before}\x1e{c.after}" for c in self.changes)
        return blake2b(words.encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Report:
    """What an import comes to (dry run) or came to; `created` and `changed` count what is, or would be, written."""

    outcomes: list[Outcome]
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dry_run: bool = False
    partial: bool = False
    written: bool = False

    def of(self, *actions: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.action in actions]

    @property
    def rows(self) -> int:
        return len(self.outcomes)

    @property
    def refused(self) -> list[Outcome]:
        return self.of(REFUSED)

    @property
    def writable(self) -> bool:
        return self.partial or not self.refused

    @property
    def created(self) -> int:
        return len(self.of(NEW)) if self.writable else 0

    @property
    def changed(self) -> int:
        return len(self.of(CHANGED)) if self.writable else 0

    @property
    def problems(self) -> list[Problem]:
        return [problem for outcome in self.refused for problem in outcome.problems]

    @property
    def digests(self) -> list[str]:
        return [outcome.digest for outcome in self.of(CHANGED)]

    def as_json(self) -> dict[str, Any]:
        existing, repeated = self.of(UNCHANGED), self.of(REPEATED)
        return {
            "rows": self.rows,
            "created": self.created,
            "changed": self.changed,
            "existing": len(existing),
            "existing_rows": _numbers(existing),
            "repeated": len(repeated),
            "repeated_rows": _numbers(repeated),
            "refused": len(self.refused),
            "ignored_columns": self.ignored,
            "notes": self.notes,
            "dry_run": self.dry_run,
            "partial": self.partial,
            "written": self.written,
            "changes": [outcome.as_line() for outcome in self.of(CHANGED)[:1000]],
            "errors": [problem.as_json() for problem in self.problems],
        }


def _numbers(outcomes: Iterable[Outcome]) -> list[int]:
    return [outcome.number for outcome in outcomes][:1000]
