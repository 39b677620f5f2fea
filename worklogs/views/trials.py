"""Dry runs of local decisions: started from the decision, read row by row, each row opened to its parts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.exports import export_response
from core.http import PersonRequest
from core.paging import KeysetPage
from core.permissions import get_for
from districts.models import PolicyDecision
from districts.permissions import can_edit_decision
from districts.services.decisions import fingerprint
from worklogs.models import PolicyTrial, PolicyTrialRow, WorkLog
from worklogs.services.figure_pages import Explained
from worklogs.services.trial_pages import explained
from worklogs.services.trials import read_trial, start_trial, summary_of
from worklogs.tables import light, log_table
from worklogs.trial_filters import TrialRowFilter
from worklogs.trial_tables import EXPORT, export_row, standing_of, trial_table

_DECISIONS = PolicyDecision.objects.select_related("base__pack", "locality", "entered_by")
_TRIALS = PolicyTrial.objects.select_related(
    "decision__base__pack", "decision__locality", "decision__entered_by", "job", "asked_by"
)
_ROWS = PolicyTrialRow.objects.select_related(
    "trial__decision__base__pack", "trial__decision__locality", "trial__decision__entered_by", "contract__locality"
)


@require_POST
@login_required
def trial_start(request: PersonRequest, pk: int) -> HttpResponse:
    decision = get_for(request.user, PolicyDecision, pk, can_edit_decision, queryset=_DECISIONS)
    this_year = timezone.localdate().year
    year = this_year - 1 if request.POST.get("year") == str(this_year - 1) else this_year
    try:
        trial = start_trial(decision, actor=request.user, year=year)
    except ValidationError as error:
        messages.error(request, "不能试算：" + "；".join(error.messages))
        return redirect(decision)
    return redirect(trial)


@require_GET
@login_required
def trial_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """What it came to, in sentences and row by row; while it runs, how far it is."""
    trial = get_for(request.user, PolicyTrial, pk, queryset=_TRIALS)
    chosen = TrialRowFilter(request.GET, trial.rows.select_related("contract"), user=request.user)
    page = KeysetPage(chosen.qs, request=request, order=chosen.order())
    decision = trial.decision
    current = fingerprint(decision) == trial.fingerprint
    return render(request, "worklogs/trial.html", {
        "trial": trial, "decision": decision, "summary": summary_of(trial) if trial.finished else [],
        "filter": chosen, "page": page, "table": trial_table(page.rows), "is_current": current,
        "may_read": trial.finished and current and can_edit_decision(request.user, decision),
        "crumbs": _crumbs(trial, "试算"),
    })  # fmt: skip


def _crumbs(trial: PolicyTrial, last: str, *, through: bool = False) -> list[tuple[str, str]]:
    decision = trial.decision
    return [
        ("制度方案", reverse("districts:policy", args=[decision.locality.code])),
        (str(decision), decision.get_absolute_url()),
        *([("试算", trial.get_absolute_url())] if through else []),
        (last, ""),
    ]


@require_GET
@login_required
def trial_export(request: PersonRequest, pk: int) -> HttpResponseBase:
    """What the page shows under the same filters, every page of it."""
    trial = get_for(request.user, PolicyTrial, pk, queryset=_TRIALS)
    rows = TrialRowFilter(request.GET, trial.rows.select_related("contract"), user=request.user).qs
    audit.record("policytrial.export", actor=request.user, obj=trial, detail={"filters": request.GET.urlencode()})
    found = (export_row(row) for row in rows.iterator(chunk_size=1000))
    return export_response(EXPORT, found, name=f"制度试算{trial.year}", title="制度试算")


@require_POST
@login_required
def trial_read(request: PersonRequest, pk: int) -> HttpResponse:
    """The officer has read it, and says so: after that the decision may be put in force."""
    trial = get_for(request.user, PolicyTrial, pk, queryset=_TRIALS)
    decision = read_trial(trial, actor=request.user)
    messages.success(request, "已记录：试算结果已阅。确认无误后可以施行。")
    return redirect(decision)


# --- one row --------------------------------------------------------------------------------------------------


def _row(request: PersonRequest, pk: int) -> PolicyTrialRow:
    return get_for(request.user, PolicyTrialRow, pk, queryset=_ROWS)


@require_GET
@login_required
def trial_row(request: PersonRequest, pk: int) -> HttpResponse:
    """Every figure of one subject on both sides, each with its parts, the records and the clause behind it."""
    row = _row(request, pk)
    current = fingerprint(row.trial.decision) == row.trial.fingerprint
    sides: list[tuple[str, str, Explained]] = []
    for side, label in (("before", "现行"), ("after", "按新值")):
        found = explained(row, proposed=side == "after") if current else None
        if found is not None:
            sides.append((side, label, found))
    return render(request, "worklogs/trial_row.html", {
        "row": row, "trial": row.trial, "sides": sides, "is_current": current, "standing": standing_of(row),
        "crumbs": _crumbs(row.trial, row.label, through=True), "table": trial_table([row]),
    })  # fmt: skip


@require_GET
@login_required
def trial_records(request: PersonRequest, pk: int, side: str, code: str, part: int) -> HttpResponse:
    """The records behind one part of one figure of one side."""
    row = _row(request, pk)
    found = explained(row, proposed=side == "after") if side in ("before", "after") else None
    records = found.records(code, part) if found is not None else None
    if records is None:
        raise Http404("没有这一项。")
    logs = list(light(WorkLog.objects.visible_to(request.user).filter(pk__in=records[1]).order_by("date", "pk")))
    context: dict[str, Any] = {
        "row": row, "label": records[0], "table": log_table(logs), "count": len(logs),
        "crumbs": [*_crumbs(row.trial, row.label, through=True)[:-1], (row.label, row.get_absolute_url()), ("记录", "")],
    }  # fmt: skip
    return render(request, "worklogs/trial_records.html", context)
