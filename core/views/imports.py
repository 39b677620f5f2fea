"""Imports on the page: upload, map headings, look over what would happen, import, mend what was refused, take back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import audit
from core.exports import export_response
from core.forms_imports import ImportForm, MappingForm, UndoForm
from core.formtools import attempt, attempt_once
from core.imports import batches as services
from core.imports.kinds import KINDS, Importer
from core.imports.machine import can_map, can_run, can_undo
from core.imports.outcomes import LABELS, TONES
from core.imports.template_book import template_response
from core.models import ImportBatch
from core.permissions import get_for, require
from core.roles import places_of
from core.spreadsheets import ExportColumn
from core.spreadsheets.reader import cell_text

_ROWS = ImportBatch.objects.select_related("created_by", "job", "file")
_PAGE = 50


def _importer(request: HttpRequest, kind: str) -> Importer:
    importer = KINDS.get(kind)
    if importer is None:
        raise Http404("没有这类数据的导入。")
    require(importer.may(request.user))
    return importer


def _batch(request: HttpRequest, pk: int, *predicates: Any) -> ImportBatch:
    batch = get_for(request.user, ImportBatch, pk, *predicates, queryset=_ROWS)
    if batch.kind not in KINDS:
        raise Http404("没有这类数据的导入。")
    return batch


@login_required
@require_http_methods(["GET", "POST"])
def import_upload(request: HttpRequest, kind: str) -> HttpResponse:
    importer = _importer(request, kind)
    form = ImportForm(request.POST or None, request.FILES or None, user=request.user, importer=importer)
    if request.method == "POST" and form.is_valid():
        batch = attempt_once(
            form,
            request.user,
            lambda data: services.check_upload(importer, data["file"], place=data["place"], actor=request.user),
        )
        if batch is not None:
            target = "core:import-columns" if batch.state == ImportBatch.State.MAPPING else "core:import"
            return redirect(target, pk=batch.pk)
    recent = _ROWS.visible_to(request.user).filter(kind=kind)[:10]
    places = places_of(request.user)
    context = {
        "form": form, "importer": importer,
        "recent": [(batch, places.get(batch.locality_code, batch.locality_code)) for batch in recent],
    }  # fmt: skip
    return render(request, "core/import_upload.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def import_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what the headings of the file mean; remembered for the next file of this locality."""
    batch = _batch(request, pk, can_map)
    importer = services.importer_of(batch)
    form = MappingForm(request.POST or None, importer=importer, headings=services.headings_of(batch))
    if request.method == "POST" and form.is_valid():
        done = attempt(form, lambda: services.map_columns(batch, form.mapping, actor=request.user))
        if done is not None:
            messages.success(request, "已记住表头的对应关系，下次导入同样的表格不再询问。")
            return redirect("core:import", pk=pk)
    return render(request, "core/import_columns.html", {"batch": batch, "importer": importer, "form": form})


@login_required
@require_GET
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Before: what importing would do, row by row. After: what came of it."""
    batch = _batch(request, pk)
    if batch.state == ImportBatch.State.MAPPING:
        return redirect("core:import-columns", pk=pk)
    importer, report = services.importer_of(batch), batch.report
    lines = services.lines_of(report)
    shown = request.GET.get("show", "")
    chosen = [line for line in lines if line["action"] == shown] if shown in LABELS else lines
    return render(request, "core/import_detail.html", {
        "batch": batch, "importer": importer, "report": report, "place": _place(request, batch),
        "page_obj": Paginator(chosen, _PAGE).get_page(request.GET.get("page")), "shown": shown, "tones": TONES,
        "more": max(0, report.get("rows", 0) - len(lines)), "tiles": _tiles(batch, report),
        "can_run": can_run(request.user, batch), "can_map": can_map(request.user, batch),
        "can_undo": can_undo(request.user, batch),
        "list_url": reverse(importer.list_url) + importer.filtered_list(batch),
        "history": audit.timeline(batch, limit=10),
    })  # fmt: skip


def _place(request: HttpRequest, batch: ImportBatch) -> str:
    return places_of(request.user).get(batch.locality_code, batch.locality_code)


def _tiles(batch: ImportBatch, report: dict[str, Any]) -> list[dict[str, Any]]:
    """The counts as links that narrow the rows below."""
    done = batch.state in (ImportBatch.State.DONE, ImportBatch.State.UNDONE)
    word = "已" if done else "将"
    tiles = [("", "数据行", report.get("rows", 0), "", "")]
    tiles += [("new", f"{word}新增", report.get("created", 0), "", "good")]
    tiles += [("changed", f"{word}修改", report.get("changed", 0), "", "")]
    tiles += [("unchanged", "已存在", report.get("existing", 0), "与登记一致，不动", "")]
    tiles += [("repeated", "文件内重复", report.get("repeated", 0), "只取一行", "")]
    tiles += [("refused", "有问题的行", report.get("refused", 0), "", "bad" if report.get("refused") else "")]
    return [
        {"show": show, "label": label, "value": value, "note": note, "tone": tone}
        for show, label, value, note, tone in tiles
    ]


@login_required
@require_POST
def import_run(request: HttpRequest, pk: int) -> HttpResponse:
    batch = _batch(request, pk, can_run)
    batch = services.start_import(batch, actor=request.user, partial="partial" in request.POST)
    report, counter = batch.report, services.importer_of(batch).counter
    if report.get("stale"):
        messages.warning(request, report["stale"])
    elif batch.state == ImportBatch.State.DONE:
        changed = f"，修改 {report['changed']} {counter}" if report["changed"] else ""
        messages.success(request, f"已导入 {report['created']} {counter}{changed}。")
    elif batch.state == ImportBatch.State.REFUSED:
        messages.error(request, "有不合格的行，一条也没有导入。")
    else:
        messages.info(request, "数据较多，正在后台导入，可以离开本页。")
    return redirect("core:import", pk=pk)


@login_required
@require_http_methods(["GET", "POST"])
def import_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """What taking the import back would do, or what stands in the way; then do it."""
    batch = _batch(request, pk, can_undo)
    importer = services.importer_of(batch)
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if attempt(form, lambda: services.undo_batch(batch, actor=request.user, reason=reason)) is not None:
            messages.success(request, "已撤销这批导入。")
            return redirect("core:import", pk=pk)
    return render(request, "core/import_undo.html", {
        "batch": batch, "importer": importer, "form": form, "obstacles": importer.obstacles(batch),
        "place": _place(request, batch),
    })  # fmt: skip


@login_required
@require_GET
def import_rejected(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The refused rows as they are in the file, with a column of reasons: mend and upload again."""
    batch = _batch(request, pk)
    reasons: dict[int, list[str]] = {}
    for error in batch.report.get("errors", []):
        words = f"{error['column']}：{error['reason']}" if error["column"] else error["reason"]
        reasons.setdefault(error["row"], []).append(words)
    if not reasons or batch.file is None:
        raise Http404("这批数据没有未通过的行。")
    table = services.table_of(batch)
    audit.record("importbatch.rejected", actor=request.user, obj=batch, label="下载未导入的行")
    headings = [column.heading for column in services.importer_of(batch).columns]
    rows = (
        [*(cell_text(row.cells.get(h)) or _typed(row, h) for h in headings), "；".join(reasons[row.number]), row.number]
        for row in table.rows
        if row.number in reasons
    )
    columns = [ExportColumn(heading) for heading in (*headings, "未导入原因", "原行号")]
    return export_response(columns, rows, name="未导入的行", title="未导入的行")


def _typed(row: Any, heading: str) -> str:
    """What stands in a cell that could not be read."""
    return cell_text(row.raw.get(heading)) if heading in row.errors else ""


@login_required
@require_GET
def import_template(request: HttpRequest, kind: str) -> HttpResponseBase:
    """A sheet with the headings, one example row that is passed over, and what each column means."""
    return template_response(_importer(request, kind))
