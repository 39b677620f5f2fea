"""What the portal writes into a document by itself: figures with their parts, months, kinds, projects and photos.

Plain JSON, because it is frozen with the document. Nobody types a figure that the portal already has (rule 5).
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from districts.models import Charge
from evaluations.models import DutyReport
from planners.models import Contract
from planners.services.assignments import service_periods
from worklogs.models import LogPhoto, WorkLog
from worklogs.services.figures import SubjectFigures, figures_for
from worklogs.tally.words import tidy

PHOTOS = 6
# Money is settled elsewhere; a planner's own account speaks of the work.
LEFT_OUT = ("deduction",)
LOG_ROWS = 400


def facts_of(report: DutyReport) -> dict[str, Any]:
    """Everything about the report's period that the portal knows today.

    Counts the author's logs that count (submitted or confirmed, current version) between the cycle's first and last
    day under the report's contract; figures are those of the tally for the subjects that the author serves in.
    """
    cycle, contract = report.cycle, report.contract
    logs = list(_logs(report).select_related("project").order_by("date", "pk"))
    charges = _charges(report)
    return {
        "drawn_on": str(timezone.localdate()),
        "period": {"start": str(cycle.start), "end": str(cycle.end), "title": cycle.title},
        "author": {
            "name": report.author.name,
            "institution": report.author.institution.name if report.author.institution else "",
            "title": report.author.get_title_display(),
            "profession": report.author.profession,
        },
        "contract": {
            "number": contract.number,
            "start": str(contract.start),
            "end": str(contract.end),
            "party": str(contract.party),
            "signer": contract.signer.name,
        },
        "charges": [charge.name for charge in charges],
        "totals": {
            "logs": len(logs),
            "confirmed": sum(log.state == WorkLog.State.CONFIRMED for log in logs),
            "met": sum(log.met_principal for log in logs),
        },
        "months": _months(logs, cycle.start, cycle.end),
        "kinds": _kinds(logs),
        "subjects": [_subject(subject, cycle.end) for subject in _subjects(report, charges)],
        "projects": _projects(logs),
        "logs": [_row(log) for log in logs[:LOG_ROWS]],
        "logs_left_out": max(0, len(logs) - LOG_ROWS),
        "photos": _photos(logs),
        "members": _members(report) if report.is_collation else [],
        "policy": {"title": contract.policy_version.title, "number": contract.policy_version.document_number},
    }


def _logs(report: DutyReport) -> QuerySet[WorkLog]:
    """The author's own; for a team's collation those of everyone under its contracts."""
    rows = WorkLog.objects.counting().filter(
        contract__in=contracts_of(report), date__range=(report.cycle.start, report.cycle.end)
    )
    return rows if report.is_collation else rows.filter(planner_id=report.author_id)


def contracts_of(report: DutyReport) -> list[Contract]:
    """The contracts the report speaks of: its own, and those with the same party that the period also touches.

    A contract that ends in the middle of the period and the one that follows it are one account.
    """
    own = report.contract
    party: dict[str, Any] = {"planner": own.planner_id, "team": own.team_id, "institution": own.institution_id}
    same = Contract.objects.signed().filter(
        locality_id=own.locality_id, party_kind=own.party_kind,
        **party, start__lte=report.cycle.end, end__gte=report.cycle.start,
        role_type=own.role_type,
    )  # fmt: skip
    return list(same.select_related("locality").order_by("start", "pk"))


def _charges(report: DutyReport) -> list[Charge]:
    periods = service_periods(
        locality=report.cycle.locality_id,
        start=report.cycle.start,
        end=report.cycle.end,
        planners=None if report.is_collation else [report.author_id],
    )
    contracts = {contract.pk for contract in contracts_of(report)}
    ids = {p.charge_id for p in periods if p.contract_id in contracts}
    return list(Charge.objects.filter(pk__in=ids).order_by("name"))


def _subjects(report: DutyReport, charges: list[Charge]) -> list[SubjectFigures]:
    """The tally's subjects under the contract that the author belongs to: the year as it stood when the period ended.

    A half-yearly report (聊城 三(四)) handed in late still speaks of its half year.
    """
    mine = None if report.is_collation else report.author_id
    cycle = report.cycle
    return [
        f
        for contract in contracts_of(report)
        for f in figures_for(contract, year=cycle.start.year, planner_id=mine, until=cycle.end)
    ]


def _subject(subject: SubjectFigures, end: date) -> dict[str, Any]:
    # The tally stands at the morning after the last day; the document names the last day.
    day_after = str(end + timedelta(days=1))
    return {
        "label": f"{subject.label}（合同 {subject.row.contract.number}）",
        "standing": subject.tally.forecast.text,
        "final": subject.tally.final,
        "note": subject.tally.note.replace(day_after, str(end)),
        "figures": [
            {
                "code": line.code,
                "label": line.label,
                "value": None if line.figure.value is None else f"{tidy(line.figure.value)}{line.unit}",
                "unset": line.unset_labels,
                "note": line.figure.note.replace(day_after, str(end)),
                "clause": str(line.clause) if line.clause.origin != "unset" else "",
                "parts": [{"code": part.code, **part.as_json()} for part in line.figure.parts],
            }
            for line in subject.lines
            if line.code not in LEFT_OUT
        ],
    }


def _months(logs: list[WorkLog], start: date, end: date) -> list[dict[str, Any]]:
    """Each month of the period with its logs, distinct dates and meetings with the principal."""
    by_month: dict[tuple[int, int], list[WorkLog]] = {}
    for log in logs:
        by_month.setdefault((log.date.year, log.date.month), []).append(log)
    months = []
    year, month = start.year, start.month
    while (year, month) <= (end.year, end.month):
        found = by_month.get((year, month), [])
        months.append(
            {
                "month": f"{year}年{month}月",
                "logs": len(found),
                "dates": len({log.date for log in found}),
                "met": sum(log.met_principal for log in found),
            }
        )
        year, month = year + month // 12, month % 12 + 1
    return months


def _kinds(logs: list[WorkLog]) -> list[dict[str, Any]]:
    counts = Counter(log.get_kind_display() for log in logs)
    return [{"label": label, "count": count} for label, count in counts.most_common()]


def _projects(logs: list[WorkLog]) -> list[dict[str, Any]]:
    counts = Counter(log.project for log in logs if log.project)
    return [{"number": p.number, "name": p.name, "count": n} for p, n in counts.most_common(20)]


def _row(log: WorkLog) -> dict[str, Any]:
    return {
        "id": log.pk,
        "date": str(log.date),
        "slot": log.get_slot_display(),
        "charge": log.charge_name,
        "kind": log.get_kind_display(),
        "content": log.content,
        "met": log.met_whom if log.met_whom else ("是" if log.met_principal else ""),
        "confirmed": log.state == WorkLog.State.CONFIRMED,
    }


def _photos(logs: list[WorkLog]) -> list[dict[str, Any]]:
    """A few pictures as evidence, the latest first; where they were taken stays private."""
    dates = {log.pk: log for log in logs}
    photos = LogPhoto.objects.filter(log_id__in=dates).select_related("file").order_by("-log__date", "pk")[:PHOTOS]
    return [
        {
            "file": photo.file_id,
            "caption": "{0.date} {0.charge_name} {1}".format(
                dates[photo.log_id], dates[photo.log_id].get_kind_display()
            ),
        }
        for photo in photos
    ]


def _members(report: DutyReport) -> list[dict[str, Any]]:
    """What the members of the team have handed in for the same round and contract."""
    rows = (
        DutyReport.objects.filter(
            cycle_id=report.cycle_id, contract_id=report.contract_id, is_collation=False, superseded_by=None
        )
        .select_related("author", "charge")
        .order_by("charge__name", "author__sort_key")
    )
    return [
        {
            "author": row.author.name,
            "charge": row.charge.name if row.charge else "",
            "state": row.get_state_display(),
            "suggestions": row.sections.get("suggestions", "") if row.state == "frozen" else "",
        }
        for row in rows
    ]
