"""What the portal writes into a monthly report by itself: figures, and the month's work by kind. Plain JSON, because it
is kept with the report; nobody types what the logs already say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone

from worklogs.models import MonthlyReport, WorkLog
from worklogs.services.figures import SubjectFigures, explain
from worklogs.services.subjects import subjects_of
from worklogs.tally import rules as keys
from worklogs.tally.words import label_of, tidy

_KINDS = dict(WorkLog.Kind.choices)
_SLOTS = dict(WorkLog.Slot.choices)
_FIGURES = (
    ("days", "服务天数", keys.DAY_KIND, ""),
    ("visits", "走访次数", keys.KINDS, "次"),
    ("principal_met", "与主要负责人当面交流", keys.PRINCIPAL, "次"),
)


def logs_of(report: MonthlyReport) -> QuerySet[WorkLog]:
    """The logs that the report speaks of, oldest first: the author's, or everybody's under the contract."""
    rows = WorkLog.objects.counting().filter(contract_id=report.contract_id, charge_id=report.charge_id)
    rows = rows.in_month(report.month.year, report.month.month).order_by("date", "pk")
    return rows if report.is_team else rows.filter(planner_id=report.author_id)


def facts_of(report: MonthlyReport) -> dict[str, Any]:
    """Everything about the report's month that the portal knows now."""
    logs = list(logs_of(report).select_related("planner", "project").annotate(photo_count=Count("photos")))
    return {
        "drawn_on": str(timezone.localdate()),
        "author": report.author.name,
        "institution": report.author.institution.name if report.author.institution else "",
        "contract": {"number": report.contract.number, "party": str(report.contract.party)},
        "charge": report.charge.name,
        "totals": {
            "logs": len(logs),
            "confirmed": sum(log.state == "confirmed" for log in logs),
            "dates": len({log.date for log in logs}),
            "met": sum(log.met_principal for log in logs),
            "meetings": sum(log.kind == "meeting" for log in logs),
            "consulting": sum(log.kind == "consulting" for log in logs),
            "inspections": sum(log.kind == "inspection" for log in logs),
            "photos": sum(log.photo_count for log in logs),
        },
        "figures": [figure for subject in _subjects(report) for figure in _figures(subject, report)],
        "kinds": _by_kind(logs),
        "projects": [
            {"number": project.number, "name": project.name, "count": count}
            for project, count in Counter(log.project for log in logs if log.project).most_common()
        ],
        "people": [
            {"name": name, "count": count}
            for name, count in sorted(Counter(log.planner.name for log in logs).items(), key=lambda row: -row[1])
        ],
        "records": [log.pk for log in logs],
    }


def _subjects(report: MonthlyReport) -> list[SubjectFigures]:
    """The tally's subjects that these logs count for: those of the charge, else the person's over all charges."""
    rows = [
        row
        for row in subjects_of(report.month.year, contracts=[report.contract_id])
        if row.subject.charge_id in (None, report.charge_id)
        and any(
            m.charge_id == report.charge_id and (report.is_team or m.planner_id == report.author_id)
            for m in row.subject.members
        )
    ]
    return explain(rows, year=report.month.year)


def _figures(subject: SubjectFigures, report: MonthlyReport) -> list[dict[str, Any]]:
    month = subject.tally.months[report.month.month - 1]
    # Whose work the figure is of: beside the author's own counts it would otherwise read as the author's.
    shared = not report.is_team and len({member.planner_id for member in subject.row.subject.members}) > 1
    found = []
    for code, label, key, unit in _FIGURES:
        figure = getattr(month, code)
        clause = subject.row.rules.clause(key)
        found.append(
            {
                "code": code,
                "label": label,
                "subject": subject.label,
                "shared": shared,
                "value": None if figure.value is None else f"{tidy(figure.value)} {unit or subject.tally.unit}",
                "unset": [label_of(name) for name in figure.unset],
                "clause": str(clause) if clause.origin != "unset" else "",
                "parts": [part.as_json() for part in figure.parts],
            }
        )
    return found


def _by_kind(logs: Sequence[WorkLog]) -> list[dict[str, Any]]:
    """The list of work, kind by kind, the most frequent first."""
    kinds = Counter(log.kind for log in logs)
    return [
        {
            "label": _KINDS[kind],
            "count": count,
            "logs": [
                {
                    "id": log.pk, "date": str(log.date), "slot": _SLOTS[log.slot], "who": log.planner.name,
                    "content": log.content, "met": log.met_whom or ("是" if log.met_principal else ""),
                    "project": log.project.name if log.project else "", "confirmed": log.state == "confirmed",
                }
                for log in logs
                if log.kind == kind
            ],
        }
        for kind, count in kinds.most_common()
    ]  # fmt: skip


def is_outdated(report: MonthlyReport) -> bool:
    """Have logs of a locked month been corrected since? Then the report no longer says what the logs say."""
    if report.state != MonthlyReport.State.LOCKED:
        return False
    return set(report.facts.get("records", ())) != set(logs_of(report).values_list("pk", flat=True))
