"""Asking a worker for one paper: which there are, and who may ask for which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import User
from core.jobs import enqueue
from core.models import IssuedDocument, Job
from evaluations.services.letters import issue_result_paper
from evaluations.services.oversight import issue_circular, issue_review
from evaluations.services.own_reports import issue_report
from evaluations.services.yearly import issue_summary

PAPER_KIND = "evaluations.paper"
ISSUERS: Mapping[str, Callable[..., IssuedDocument]] = {
    "result": issue_result_paper,
    "summary": issue_summary,
    "review": issue_review,
    "circular": issue_circular,
    "report": issue_report,
}


def request_paper(what: str, obj: Any, *, actor: User, locality: Any, label: str) -> Job:
    """Ask for it; while it is being made, asking again gives the same job. The page has asked whether one may."""
    return enqueue(
        PAPER_KIND, actor=actor, arguments={"what": what, "pk": obj.pk}, key=f"paper-{what}-{obj.pk}-{actor.pk}",
        locality=locality, label=label[:120],
    )  # fmt: skip
