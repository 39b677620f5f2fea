"""One thing that waits, and how urgent it is."""

from __future__ import annotations

from dataclasses import dataclass

OVERDUE, SOON, WAITING, LATER = range(4)
TONES = {OVERDUE: "bad", SOON: "waiting", WAITING: "info", LATER: "neutral"}


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing that waits: what, how many, why now, and where the act is."""

    urgency: int
    text: str
    url: str
    action: str
    count: int = 1
    note: str = ""

    @property
    def tone(self) -> str:
        return TONES[self.urgency]
