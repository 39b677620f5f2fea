"""公示 and 公布 for everybody: the fields that were chosen, as they were put out, while they are to be read."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from evaluations.services.publications import field_labels, labelled, public_now

# An explicit list: what a public page knows of a publication.
FIELDS = ("pk", "kind", "fields", "rows", "start", "until", "round__title", "round__locality__name")
KINDS = {"notice": "公示", "result": "公布"}


@require_GET
def notice_list(request: HttpRequest) -> HttpResponse:
    found = public_now(today=timezone.localdate()).values(*(name for name in FIELDS if name not in {"fields", "rows"}))
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    rows = [{**row, "word": KINDS[row["kind"]]} for row in page]
    return render(request, "portal/notice_list.html", {"notices": rows, "page_obj": page})


@require_GET
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them; what was taken down, is over or was never out does not exist."""
    try:
        row = public_now(today=timezone.localdate()).filter(pk=pk).values(*FIELDS).first()
    except OverflowError:
        row = None
    if row is None:
        raise Http404("没有找到这份公示。")
    context = {
        "title": f"{row['round__locality__name']}{row['round__title']}结果{KINDS[row['kind']]}",
        "start": row["start"], "until": row["until"], "is_notice": row["kind"] == "notice",
        "heads": field_labels(row["fields"]),
        "cells": labelled(row["fields"], row["rows"]),
    }  # fmt: skip
    return render(request, "portal/notice.html", context)
