"""Spreadsheets as people send them, and the page that takes them: for the tests of every app that imports."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile

from core.idempotency import new_key
from core.models import ImportBatch


def sheet(*rows: Mapping[str, Any], headings: Sequence[str], title: str = "", titles: int = 0) -> bytes:
    """A workbook with `titles` merged lines of `title`, the headings, and the rows by heading."""
    out = openpyxl.Workbook()
    page = out.active
    for _ in range(titles):
        page.append([title])
    if titles:
        page.merge_cells(start_row=1, start_column=1, end_row=titles, end_column=len(headings))
    page.append(list(headings))
    for row in rows:
        page.append([row.get(heading) for heading in headings])
    held = io.BytesIO()
    out.save(held)
    return held.getvalue()


def upload(client: Any, data: bytes, *, place: str = "110101", kind: str = "planners", key: str = "",
           name: str = "名册.xlsx") -> tuple[Any, ImportBatch | None]:  # fmt: skip
    """Post the table; the answer, and the newest batch."""
    file = SimpleUploadedFile(name, data)
    body = {"place": place, "file": file, "submission_key": key or new_key()}
    response = client.post(f"/imports/{kind}/", body)
    return response, ImportBatch.objects.order_by("-pk").first()
