"""How rectifications and disputes are worded on pages: tones, due days, clauses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.explain import Clause
from projects.models import Dispute, Rectification

RECTIFICATION_TONES = {"open": "waiting", "replied": "info", "closed": "good", "escalated": "bad", "waived": "neutral"}
DISPUTE_TONES = {"filed": "waiting", "stated": "waiting", "ruled": "good", "withdrawn": "neutral"}


def due_words(row: Rectification, today: date) -> str:
    """逾期 N 天 for what is neither settled nor answered; empty else."""
    if row.due_on is None or row.due_on >= today or row.state not in {"open", "escalated"}:
        return ""
    return f"逾期 {(today - row.due_on).days} 天"


def late_words(row: Dispute, today: date) -> str:
    """The term that has passed while a dispute is open; empty when none has."""
    if row.state == Dispute.State.FILED and row.statement_due_on is not None and row.statement_due_on < today:
        return f"已过陈述期限 {row.statement_due_on}"
    if row.state in {"filed", "stated"} and row.ruling_due_on is not None and row.ruling_due_on < today:
        return f"已过裁定期限 {row.ruling_due_on}"
    return ""


def clause_words(kept: Mapping[str, Any]) -> str:
    """The clause that a row keeps, as it is cited; 未设定 where there was none."""
    return str(Clause(**kept)) if kept else "未设定"
