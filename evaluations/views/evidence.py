"""What a figure beside an evaluation is made of: its parts, and the logs and opinions behind them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.roles import Role
from core.http import PersonRequest
from core.permissions import get_for
from core.templatetags.ui import Table
from districts.access import access_of
from evaluations.evidence import ADOPTION_CODES, Evidence
from evaluations.models import Sheet, Subject
from evaluations.querysets.rounds import ORGANISERS
from evaluations.services.counts import ask, query_of
from projects.filters_adoption import ItemFilter
from projects.services.adoption_reads import items_seen
from projects.views.adoption_rates import ItemList, item_cells
from worklogs.models import WorkLog
from worklogs.tables import light, log_table

SUBJECTS = Subject.objects.select_related("round__locality", "contract", "unit").prefetch_related("service")
MOST = 200
_OPINIONS = "opinion__consultee__consultation"


@require_GET
@login_required
def evidence(request: PersonRequest, pk: int, code: str) -> HttpResponse:
    """One figure, or one for each charge or year; records as far as the person may see them."""
    subject = get_for(request.user, Subject, pk, queryset=SUBJECTS)
    found, problem = ask(query_of(subject, sheet=_own_sheet(request.user, subject)), only=[code])
    if not found and not problem:
        raise Http404("没有这一项。")
    round_ = subject.round
    context = {
        "subject": subject, "round": round_, "problem": problem,
        "groups": [(item, *_records(request.user, item)) for item in found],
        "label": found[0].label.split("（")[0] if found else "",
        "crumbs": [
            ("首页", "/home/"), (round_.title, reverse("evaluations:round", args=[round_.pk])), (subject.label, ""),
        ],
    }  # fmt: skip
    return render(request, "evaluations/evidence.html", context)


def _own_sheet(user: User, subject: Subject) -> Sheet | None:
    """A rater sees what lies between the two, as beside the form; the organisers and the city see all of it."""
    if access_of(user).is_role(*ORGANISERS, Role.CITY):
        return None
    rows = Sheet.objects.owed_by(user).filter(subject=subject).select_related("unit")
    return rows.order_by("pk").first()


def _records(user: User, item: Evidence) -> tuple[Table, int, int]:
    """A table of those that the person may see, how many these are, and how many more there are."""
    ids = {pk for part in item.figure.parts for pk in part.records}
    if item.code in ADOPTION_CODES:
        rows: Any = ItemFilter({}, items_seen(user), user=user).qs.filter(pk__in=ids).order_by("-pk")
        joined = rows.select_related(
            "opinion__author", f"{_OPINIONS}__project", f"{_OPINIONS}__stage", f"{_OPINIONS}__asker"
        )
        shown = [item_cells(row) for row in joined[:MOST]]
        return Table(list(ItemList.columns), shown, caption="意见"), len(shown), len(ids) - len(shown)
    found = list(light(WorkLog.objects.visible_to(user).filter(pk__in=ids).order_by("date", "pk"))[:MOST])
    return log_table(found), len(found), len(ids) - len(found)
