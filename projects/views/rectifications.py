"""Pages of rectifications: list, one of them, and the steps it goes through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import audit
from core.errors import Refused
from core.files import stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.idempotency import FIELD, made_with
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from core.transitions import available_moves
from projects import permissions_rectifications as may
from projects.filters_field import RectificationFilter
from projects.forms_rectifications import ActForm, LinkForm, ReinspectionForm, ReplyForm
from projects.models import Project, Rectification, RectificationPhoto, RectificationReply
from projects.services import party_links, rectifications
from projects.services.party_links import IssuedLink
from projects.shown import RECTIFICATION_TONES, clause_words, due_words
from projects.transitions import RECTIFICATION

_ROWS = Rectification.objects.select_related(
    "project__locality", "project__owner", "locality", "stage", "raised_by", "contractor"
)


def _one(request: PersonRequest, pk: int, *predicates: Any) -> Rectification:
    return get_for(request.user, Rectification, pk, *predicates, queryset=_ROWS)


class RectificationList(FilteredListView):
    template_name = "projects/rectification_list.html"
    filter_class = RectificationFilter
    caption = sheet = "整改"
    columns = (
        Column("编号", kind="main"), Column("项目"), Column("类别"), Column("整改意见"), Column("整改单位"),
        Column("提出日期", "recent", "date"), Column("期限", kind="date"), Column("状态", "state", "status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return Rectification.objects.visible_to(self.request.user).select_related("project", "contractor")

    def row(self, row: Rectification) -> Sequence[Any]:
        late = due_words(row, timezone.localdate())
        return (
            format_html('<a class="serial" href="{}">{}</a>', row.get_absolute_url(), row.number), row.project.name,
            row.get_subject_display(), Truncator(row.text).chars(40), row.contractor.name, f"{row.raised_on}",
            format_html('{} <span class="late">{}</span>', row.due_on, late) if late else row.due_on or "未定",
            status_html(row.get_state_display(), RECTIFICATION_TONES[row.state]),
        )  # fmt: skip


@require_GET
@login_required
def rectification_detail(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk)
    photos = list(RectificationPhoto.objects.filter(rectification=row).select_related("plan__document"))
    return render(request, "projects/rectification.html", {
        "row": row, "tone": RECTIFICATION_TONES[row.state], "late": due_words(row, timezone.localdate()),
        "clause": clause_words(row.clause), "pairs": _pairs(photos), "replies": _replies(row, photos),
        "links": list(row.links.select_related("party", "created_by")), "now": timezone.now(),
        "moves": {move.name: decision for move, decision in available_moves(RECTIFICATION, row, request.user)},
        "may_link": may.can_send_link(request.user, row), "may_reinspect": may.can_reinspect(request.user, row),
        "is_near": may.is_officer(request.user, row) or may.is_follower(request.user, row),
        "sees_project": Project.objects.visible_to(request.user).filter(pk=row.project_id).exists(),
        "events": audit.timeline(row, limit=40),
    })  # fmt: skip


def _pairs(photos: Sequence[RectificationPhoto]) -> list[tuple[RectificationPhoto, list[RectificationPhoto]]]:
    """Each photo of what is wrong with those of the same place afterwards."""
    return [
        (photo, [other for other in photos if other.answers_id == photo.pk])
        for photo in photos
        if photo.reply_id is None
    ]


def _replies(
    row: Rectification, photos: Sequence[RectificationPhoto]
) -> list[tuple[RectificationReply, list[RectificationPhoto]]]:
    """What was written, in order, each with the photos that stand beside no original."""
    replies = row.replies.select_related("by", "link__party").order_by("pk")
    return [(reply, [p for p in photos if p.reply_id == reply.pk and p.answers_id is None]) for reply in replies]


@require_GET
@login_required
def rectification_photo(request: PersonRequest, pk: int, photo_pk: int) -> HttpResponseBase:
    row = _one(request, pk)
    photo = get_object_or_404(row.photos.select_related("file"), pk=photo_pk)
    return stream(photo.file, inline=True)


@require_GET
@login_required
def rectification_plan(request: PersonRequest, pk: int, photo_pk: int) -> HttpResponseBase:
    """The drawing that a photo is pinned to; one that meanwhile demands 保密协议 is opened among the project's files."""
    row = _one(request, pk)
    photo = get_object_or_404(row.photos.select_related("plan__document", "plan__file"), pk=photo_pk)
    if photo.plan is None:
        raise Http404("这张照片没有标注位置。")
    if photo.plan.document.needs_nda:
        raise Refused("这张平面图须签保密协议后查阅，请到项目资料中打开。")
    return stream(photo.plan.file, inline=True)


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def link_create(request: PersonRequest, pk: int) -> HttpResponse:
    """A one-time link for a party of the project; address and code are shown on the answer to this request alone."""
    row = _one(request, pk, may.can_send_link)
    first = {
        "party": row.contractor_id,
        "last_day": party_links.default_day(row, timezone.localdate()),
    }
    parties = row.project.parties.filter(is_active=True).order_by("role", "pk")
    form = LinkForm(request.POST or None, parties=parties, initial=first)
    if request.method == "POST" and form.is_valid():
        issued: list[IssuedLink] = []

        def make(data: dict[str, Any]) -> Any:
            issued.append(party_links.create_link(row, actor=request.user, **data))
            return issued[0].link

        if attempt_once(form, request.user, make) is not None:
            return _shown_once(request, row, issued[0] if issued else None)
    return render(request, "projects/link_create.html", {"row": row, "form": form})


def _shown_once(request: PersonRequest, row: Rectification, issued: IssuedLink | None) -> HttpResponse:
    return render(request, "projects/link_once.html", {"row": row, "issued": issued})


@require_POST
@login_required
def link_revoke(request: PersonRequest, pk: int, link_pk: int) -> HttpResponse:
    row = _one(request, pk)
    link = get_object_or_404(row.links.select_related("party"), pk=link_pk)
    link.rectification = row
    party_links.revoke_link(link, actor=request.user)
    messages.success(request, f"已作废发给{link.party.name}的回复链接。")
    return redirect(row)


@require_http_methods(["GET", "POST"])
@login_required
def rectification_reply(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, may.can_reply)
    form = ReplyForm(request.POST or None, request.FILES or None, originals=party_links.originals_of(row))
    if request.method == "POST" and form.is_valid():
        done = attempt_once(form, request.user, lambda data: rectifications.enter_reply(
            row, actor=request.user, text=data["text"], signed_as=data["signed_as"], uploads=form.uploads()
        ))  # fmt: skip
        if done is not None:
            messages.success(request, "已登记回复，等待责任规划师复查。")
            return redirect(row)
    return render(request, "projects/rectification_answer.html", {"row": row, "form": form, "title": "代登记整改回复"})


@require_http_methods(["GET", "POST"])
@login_required
def rectification_reinspect(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk)
    if isinstance(made_with(request.user, request.POST.get(FIELD, "")), RectificationReply):
        return redirect(row)
    require(may.can_reinspect(request.user, row))
    form = ReinspectionForm(
        request.POST or None, request.FILES or None, originals=party_links.originals_of(row),
        may_reject=row.state == Rectification.State.REPLIED,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        done = attempt_once(form, request.user, lambda data: rectifications.reinspect(
            row, actor=request.user, passed=data["passed"], text=data["text"], due_on=data.get("due_on"),
            uploads=form.uploads(),
        ))  # fmt: skip
        if done is not None:
            messages.success(request, "已销项。" if done.accepted else "已记录复查结果，继续整改。")
            return redirect(row)
    return render(request, "projects/rectification_answer.html", {"row": row, "form": form, "title": "复查"})


@require_http_methods(["GET", "POST"])
@login_required
def rectification_escalate(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, may.can_escalate)
    intro = "上报后通知规划主管部门、责任单元和项目所在单位；第二次起同时报告区领导。整改要求继续有效。"
    return _act(request, row, rectifications.escalate, title="上报整改", intro=intro, done="已上报。")


@require_http_methods(["GET", "POST"])
@login_required
def rectification_waive(request: PersonRequest, pk: int) -> HttpResponse:
    row = _one(request, pk, may.can_waive)
    intro = "批准后这项整改不再影响验收，原因随验收结论一并保留。"
    return _act(request, row, rectifications.waive, title="批准不再整改", intro=intro, done="已批准不再整改。")


def _act(
    request: PersonRequest, row: Rectification, act: Callable[..., Any], *, title: str, intro: str, done: str
) -> HttpResponse:
    form = ActForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        moved = attempt(form, lambda: act(row, actor=request.user, reason=form.cleaned_data["reason"]))
        if moved is not None:
            messages.success(request, done)
            return redirect(row)
    return render(request, "projects/rectification_act.html", {
        "row": row, "form": form, "title": title, "intro": intro
    })  # fmt: skip
