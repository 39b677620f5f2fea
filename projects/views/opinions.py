"""Pages of an opinion: written with autosave, read, handed in, endorsed, renewed, printed; and what came on paper."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from core import audit
from core.errors import StaleState
from core.files import store_file, stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.permissions import get_for, require
from projects import permissions_opinions as may
from projects.forms_consultations import NothingForm, ReasonForm
from projects.forms_opinions import SCAN_TYPES, ItemFormSet, OpinionForm, PaperForm, item_rows, row_kwargs, written_of
from projects.models import Consultee, ItemAnswer, Opinion
from projects.permissions_disputes import fileable
from projects.reads_consultations import OPINION_TONES, SEVERITY_TONES, clause_of
from projects.services import opinion_documents as documents
from projects.services import opinions as service
from projects.services.choosing import policy_of
from projects.services.consultees import ROWS as CONSULTEES
from projects.services.consultees import colleagues_of
from projects.services.opinions import ROWS
from projects.views.consultations import act_page, sent

# --- written --------------------------------------------------------------------------------------------------------


@login_required
def opinion_write(request: PersonRequest, pk: int) -> HttpResponse:
    """The items, saved as one writes; `pk` is the consultee, so that nothing is made before something is written."""
    consultee = get_for(request.user, Consultee, pk, queryset=CONSULTEES)
    opinion = service.in_hand(consultee)
    require(may.can_write(request.user, opinion) if opinion else may.can_begin(request.user, consultee))
    form, items = _forms(request, consultee, opinion)
    if request.method == "POST" and _valid(form, items):
        saved = _saved(request, consultee, form, items)
        if saved is not None:
            return _after_save(request, consultee, saved, form, items)
    return _write_page(request, consultee, opinion, form, items)


def _after_save(request: PersonRequest, consultee: Consultee, saved: Opinion, form: Any, items: Any) -> HttpResponse:
    if "submit" not in request.POST:
        messages.success(request, "已保存。")
        return redirect("projects:opinion-write", consultee.pk)
    handed = attempt(form, lambda: service.submit_opinion(saved, actor=request.user))
    if handed is not None:
        done = "已提交，待领衔规划师审核。" if handed.state == "endorsing" else "意见书已提交。"
        messages.success(request, done)
        return redirect(handed)
    # Saved, though not handed in: the form goes on from what is kept now.
    form.data = {**form.data.dict(), "revision": str(saved.revision)}
    form.data |= {"co_authors": request.POST.getlist("co_authors")}
    return _write_page(request, consultee, saved, form, items)


def _forms(request: PersonRequest, consultee: Consultee, opinion: Opinion | None) -> tuple[Any, Any]:
    written = service.written_in(opinion) if opinion else service.Written()
    sections = _sections(consultee, written)
    author = may.is_planner(request.user, consultee.planner)
    colleagues = colleagues_of(consultee.planner) if author else ()
    initial = {
        "revision": opinion.revision if opinion else 0, "verdict": written.verdict, "summary": written.summary,
        "co_authors": list(opinion.co_authors.values_list("planner_id", flat=True)) if opinion else [],
    }  # fmt: skip
    form = OpinionForm(sent(request), initial=initial, colleagues=colleagues)
    items = ItemFormSet(
        sent(request), prefix="items", initial=item_rows(written.items, sections),
        form_kwargs=row_kwargs(sections),
    )  # fmt: skip
    return form, items


def _sections(consultee: Consultee, written: Any) -> list[str]:
    known = service.sections_for(consultee)
    return [*known, *dict.fromkeys(i.section for i in written.items if i.section and i.section not in known)]


def _valid(form: Any, items: Any) -> bool:
    """Both are looked at, so that every error shows at once."""
    both = [form.is_valid(), items.is_valid()]
    for error in items.non_form_errors():
        form.add_error(None, error)
    return all(both)


def _saved(request: PersonRequest, consultee: Consultee, form: Any, items: Any) -> Opinion | None:
    def save() -> Opinion:
        return service.save_opinion(
            consultee, actor=request.user, written=written_of(form, items), revision=form.cleaned_data["revision"]
        )

    try:
        return attempt(form, save)
    except StaleState as stale:
        # The author's words stay in the form: nothing written is lost.
        form.add_error(None, stale.reason)
        return None


def _write_page(
    request: PersonRequest, consultee: Consultee, opinion: Opinion | None, form: Any, items: Any
) -> HttpResponse:
    consultation = consultee.consultation
    return render(request, "projects/opinion_write.html", {
        "form": form, "items": items, "management": items.management_form, "consultee": consultee, "row": consultation,
        "opinion": opinion, "bases": service.bases_for(consultee), "endorser": may.endorser_of(consultee),
        "clause": clause_of(consultee.clause), "scheme": consultation.scheme,
        "author": may.is_planner(request.user, consultee.planner), "form_words": consultee.opinion_form or "意见",
        "with_points": bool(_sections(consultee, service.written_in(opinion) if opinion else service.Written())),
    })  # fmt: skip


@require_POST
@login_required
def opinion_autosave(request: PersonRequest, pk: int) -> JsonResponse:
    """Keep what stands in the form; answers {"revision", "saved"} or {"error"} with 400 or 409."""
    consultee = get_for(request.user, Consultee, pk, queryset=CONSULTEES)
    opinion = service.in_hand(consultee)
    require(may.can_write(request.user, opinion) if opinion else may.can_begin(request.user, consultee))
    form, items = _forms(request, consultee, opinion)
    if not _valid(form, items):
        problems = [e for errors in (form.errors, *items.errors) for each in errors.values() for e in each]
        return JsonResponse({"error": "；".join(problems) or "内容无法识别。"}, status=400)
    try:
        saved = service.save_opinion(
            consultee, actor=request.user, written=written_of(form, items), revision=form.cleaned_data["revision"]
        )
    except StaleState as stale:
        return JsonResponse({"error": stale.reason}, status=409)
    except ValidationError as error:
        return JsonResponse({"error": "；".join(error.messages)}, status=400)
    return JsonResponse({"revision": saved.revision, "saved": timezone.localtime().strftime("%H:%M")})


# --- read -----------------------------------------------------------------------------------------------------------


@require_GET
@login_required
def opinion(request: PersonRequest, pk: int) -> HttpResponse:
    return render(request, "projects/opinion.html", _page(request, get_for(request.user, Opinion, pk, queryset=ROWS)))


def _page(request: PersonRequest, row: Opinion) -> dict[str, Any]:
    user, consultee = request.user, row.consultee
    consultation = consultee.consultation
    policy = policy_of(consultation)
    answers = {a.item_id: a for a in ItemAnswer.objects.visible_to(user).filter(item__opinion=row).current()}
    due, submitted = consultation.due_on, row.submitted_at
    items = list(row.items.order_by("position", "pk"))
    for item in items:
        item.opinion = row
    adopted = {pk for pk, one in answers.items() if one.decision == "adopted"}
    may_dispute = fileable(user, [item for item in items if item.pk not in adopted])
    return {
        "opinion": row, "row": consultation, "consultee": consultee, "tone": OPINION_TONES[row.state],
        "role": policy.role_title(consultee.role_type) if policy and consultee.role_type else "",
        "clause": clause_of(consultee.clause), "form_words": consultee.opinion_form or "意见",
        "items": [
            {"row": item, "tone": SEVERITY_TONES[item.severity], "answer": answers.get(item.pk),
             "may_dispute": item.pk in may_dispute}
            for item in items
        ],
        "co_authors": [one.planner.name for one in row.co_authors.select_related("planner")],
        "late": bool(due and submitted and timezone.localtime(submitted).date() > due),
        "may_write": may.can_write(user, row), "may_endorse": may.can_endorse(user, row),
        "may_return": may.can_return(user, row), "may_take_back": may.can_take_back(user, row),
        "may_renew": may.can_renew(user, row), "may_discard": may.can_discard(user, row),
        "newer": Opinion.objects.visible_to(user).filter(supersedes=row).first(),
        "older": Opinion.objects.visible_to(user).filter(pk=row.supersedes_id).first(),
        "history": audit.timeline(row, limit=30),
    }  # fmt: skip


# --- handed on ------------------------------------------------------------------------------------------------------


def _act(request: PersonRequest, row: Opinion, form: Any, do: Any, **words: Any) -> HttpResponse:
    words.setdefault("back", row.get_absolute_url())
    note = f"{row.consultee.consultation.project.name}，{row.author.name}"
    return act_page(request, form, do, note=note, **words)


@require_POST
@login_required
def opinion_take_back(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Opinion, pk, may.can_take_back, queryset=ROWS)
    service.take_back(row, actor=request.user)
    messages.success(request, "已撤回，可以继续修改。")
    return redirect("projects:opinion-write", row.consultee_id)


@require_POST
@login_required
def opinion_endorse(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Opinion, pk, may.can_endorse, queryset=ROWS)
    service.endorse_opinion(row, actor=request.user)
    messages.success(request, f"已审核通过，{row.author.name}的意见书已提交。")
    return redirect("projects:opinion", pk)


@login_required
def opinion_return(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Opinion, pk, may.can_return, queryset=ROWS)
    return _act(
        request, row, ReasonForm(sent(request)),
        lambda data: service.return_opinion(row, actor=request.user, reason=data["reason"]),
        title="退回意见书", done="已退回撰写人修改。", submit="退回", intro="答复期限照常计算。",
    )  # fmt: skip


@login_required
def opinion_renew(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Opinion, pk, may.can_renew, queryset=ROWS)
    return _act(
        request, row, ReasonForm(sent(request)),
        lambda data: service.renew_opinion(row, actor=request.user, reason=data["reason"]),
        title="发起新版次", done="已建立新版次，提交前原版次继续有效。", submit="建立新版次",
        intro="已提交的意见书不能修改。新版次提交后取代原版次，采纳情况须重新反馈。", back=_write_url(row),
    )  # fmt: skip


def _write_url(row: Opinion) -> str:
    return reverse("projects:opinion-write", args=[row.consultee_id])


@login_required
def opinion_discard(request: PersonRequest, pk: int) -> HttpResponse:
    row = get_for(request.user, Opinion, pk, may.can_discard, queryset=ROWS)
    return _act(
        request, row, NothingForm(sent(request)),
        lambda data: service.discard_draft(row, actor=request.user),
        title="放弃草稿", done="草稿已删除。", submit="放弃草稿", warning="草稿删除后不能恢复。",
        back=row.consultee.consultation.get_absolute_url(),
    )  # fmt: skip


# --- on paper -------------------------------------------------------------------------------------------------------


@login_required
def opinion_paper(request: PersonRequest, pk: int) -> HttpResponse:
    """An opinion that came on paper, entered by the desk."""
    consultee = get_for(request.user, Consultee, pk, may.can_enter_paper, queryset=CONSULTEES)
    sections = service.sections_for(consultee)
    form = PaperForm(sent(request), request.FILES or None, initial={"received_on": timezone.localdate()})
    items = ItemFormSet(
        sent(request), prefix="items", initial=item_rows((), sections), form_kwargs=row_kwargs(sections)
    )
    if request.method == "POST" and _valid(form, items):
        made = attempt_once(form, request.user, lambda data: _enter(request, consultee, form, items, data))
        if made is not None:
            messages.success(request, f"已录入{consultee.planner.name}的纸质意见，并已通知本人核对。")
            return redirect(made)
    return render(request, "projects/opinion_paper.html", {
        "form": form, "items": items, "management": items.management_form, "consultee": consultee,
        "row": consultee.consultation, "bases": service.bases_for(consultee), "with_points": bool(sections),
    })  # fmt: skip


def _enter(request: PersonRequest, consultee: Consultee, form: Any, items: Any, data: dict[str, Any]) -> Opinion:
    try:
        scan = store_file(
            data["scan"], actor=request.user, purpose="opinion_scan", allowed=SCAN_TYPES,
            locality_code=consultee.consultation.locality.code,
        )  # fmt: skip
    except ValidationError as error:
        raise ValidationError({"scan": error.messages}) from error
    return service.enter_paper_opinion(
        consultee, actor=request.user, written=written_of(form, items), scan=scan, received_on=data["received_on"]
    )


@require_GET
@login_required
def opinion_scan(request: PersonRequest, pk: int) -> FileResponse:
    row = get_for(request.user, Opinion, pk, queryset=ROWS)
    if row.scan is None:
        raise Http404("这份意见书没有扫描件。")
    audit.record("opinion.scan", actor=request.user, obj=row, locality=row.locality)
    return stream(row.scan, inline=True)


# --- printed --------------------------------------------------------------------------------------------------------


@require_POST
@login_required
def opinion_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask for the PDF: the document itself when it is submitted, a marked draft before."""
    row = get_for(request.user, Opinion, pk, queryset=ROWS)
    if row.document_id:
        return redirect("projects:opinion-download", pk)
    return redirect("core:job", documents.request_pdf(row, actor=request.user).pk)


@require_GET
@login_required
def opinion_download(request: PersonRequest, pk: int) -> FileResponse:
    row = get_for(request.user, Opinion, pk, queryset=ROWS)
    if row.document is None or row.document.file is None:
        raise Http404("这份意见书还没有生成 PDF。")
    audit.record("opinion.pdf", actor=request.user, obj=row, locality=row.locality)
    return stream(row.document.file, as_name=documents.file_name(row))
