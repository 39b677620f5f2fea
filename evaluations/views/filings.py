"""备案: the package from its making to the city's acceptance, and who is late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import Role
from core import audit
from core.files import stream
from core.formtools import attempt
from core.http import PersonRequest
from core.permissions import Decision, get_for, require
from core.transitions import available_moves
from districts.access import access_of
from evaluations.forms_outcomes import ReasonForm
from evaluations.models import FilingPackage, Round
from evaluations.permissions import can_manage_round
from evaluations.querysets.rounds import ORGANISERS
from evaluations.services import filing as service
from evaluations.transitions.outcomes import FILING

HOME = ("首页", "/home/")
TONES = {"draft": "waiting", "sent": "info", "received": "info", "returned": "bad", "accepted": "good"}
ROWS = FilingPackage.objects.select_related("round__locality", "archive", "letter", "job", "sent_by", "supersedes")


@require_GET
@login_required
def filing_list(request: PersonRequest) -> HttpResponse:
    """For the year asked (last year's by default): each locality, how far it is and whether it is late."""
    access = access_of(request.user)
    require(Decision.of(access.is_role(*ORGANISERS, Role.CITY), otherwise="仅评估组织方和市级监督人员可以查看备案"))
    today = timezone.localdate()
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and 2000 <= int(asked) <= today.year else today.year - 1
    lines = service.filing_lines(request.user, year=year, today=today)
    context = {
        "lines": lines, "year": year, "years": range(today.year, today.year - 5, -1),
        "tiles": [
            {"label": "应备案", "value": len(lines), "unit": "项"},
            {"label": "逾期", "value": sum(bool(line.days_late) for line in lines), "unit": "项", "tone": "bad"},
            {"label": "已备案", "value": sum(_accepted(line) for line in lines), "unit": "项", "tone": "good"},
        ],
        "is_city": access.is_role(Role.CITY), "crumbs": [HOME, ("结果备案", "")],
    }  # fmt: skip
    return render(request, "evaluations/filing_list.html", context)


def _accepted(line: service.FilingLine) -> bool:
    return line.package is not None and line.package.state == "accepted"


@require_POST
@login_required
def filing_create(request: PersonRequest, pk: int) -> HttpResponse:
    """One click: everything is put together by a worker."""
    round_ = get_for(request.user, Round, pk, can_manage_round, queryset=Round.objects.select_related("locality"))
    made = _attempt(request, lambda: service.make_package(round_, actor=request.user))
    return redirect("evaluations:filing", made.pk) if made else redirect("evaluations:after", pk)


@require_GET
@login_required
def filing(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, FilingPackage, pk, queryset=ROWS)
    today = timezone.localdate()
    waits = row.state in ("draft", "returned")
    context = {
        "package": row, "round": row.round, "tone": TONES[row.state], "index": row.index,
        "moves": {move.name: decision for move, decision in available_moves(FILING, row, request.user)},
        "late": (today - row.due_on).days if waits and row.due_on and today > row.due_on else 0,
        "newer": FilingPackage.objects.visible_to(request.user).filter(supersedes=row).first(),
        "is_organiser": access_of(request.user).is_role(*ORGANISERS), "reason_form": ReasonForm(),
        "events": audit.timeline(row),
        "crumbs": [HOME, ("结果备案", reverse("evaluations:filing-list")), (str(row.round.locality), "")],
    }  # fmt: skip
    return render(request, "evaluations/filing.html", context)


@require_GET
@login_required
def filing_download(request: PersonRequest, pk: int) -> FileResponse:
    row = get_for(request.user, FilingPackage, pk, queryset=ROWS)
    if row.archive is None:
        raise Http404("备案材料还没有制作完成。")
    audit.record("filing.download", actor=request.user, obj=row, locality=row.round.locality)
    return stream(row.archive, as_name=row.archive.original_name)


def _attempt(request: PersonRequest, act: Callable[[], Any]) -> Any:
    """What the act gives, or None after its errors have become messages."""
    form = django_forms.Form({})
    form.full_clean()
    made = attempt(form, act)
    for error in form.non_field_errors():
        messages.error(request, str(error))
    return made


def _act(request: PersonRequest, pk: int, act: Callable[..., Any], said: str, **values: Any) -> HttpResponse:
    row = get_for(request.user, FilingPackage, pk, queryset=ROWS)
    if _attempt(request, lambda: act(row, actor=request.user, **values)) is not None:
        messages.success(request, said)
    return redirect("evaluations:filing", pk)


@require_POST
@login_required
def filing_remake(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(request, pk, service.remake_package, "已重新提交制作。")


@require_POST
@login_required
def filing_send(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(request, pk, service.send_package, "已报送。")


@require_POST
@login_required
def filing_receive(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(request, pk, service.receive_package, "已登记收到并生成回执编号。")


@require_POST
@login_required
def filing_return(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(request, pk, service.return_package, "已退回补正。", reason=request.POST.get("reason", ""))


@require_POST
@login_required
def filing_accept(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(request, pk, service.accept_package, "已准予备案。")
