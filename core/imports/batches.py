"""What happens to an import: checked, its headings mapped, written whole or in part, taken back.

A check writes nothing. Writing judges the rows again under the kind's lock and in one transaction: of two people with
the same file the second finds everything there, and a worker that dies leaves all or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.crypto import mask_identity
from core.errors import StaleState
from core.files import SPREADSHEETS, read_content, store_file, store_sealed
from core.jobs import enqueue
from core.models import ImportBatch, ImportMapping
from core.permissions import require
from core.spreadsheets import Column, Sheet, SpreadsheetError, read_headings, read_rows
from core.spreadsheets.reader import plain_heading
from core.transitions import apply_move

from .kinds import EXAMPLE_MARK, KINDS, Importer
from .machine import IMPORT, can_map, can_run
from .outcomes import CHANGED, LABELS, NEW, REFUSED, Report

JOB = "core.import"
IGNORED = ""


class ChangedSince(StaleState):
    """What is registered has changed since the check: a change that nobody has looked over is not written."""

    def __init__(self) -> None:
        super().__init__("检查之后登记内容有变化，已重新检查，请核对后再导入。")


def importer_of(batch: ImportBatch) -> Importer:
    return KINDS[batch.kind]


# --- reading -------------------------------------------------------------------------------------------


def read_table(importer: Importer, source: BinaryIO | Path | bytes, *, filename: str, place: str = "") -> Sheet:
    """The rows of a sheet, without the template's example; headings that people of `place` mapped are known.

    Raises SpreadsheetError (a ValidationError) when the file is no spreadsheet or lacks a heading.
    """
    sheet = read_rows(source, columns_for(importer, place), filename=filename)
    sheet.rows = [row for row in sheet.rows if not _is_example(row.raw)]
    return sheet


def columns_for(importer: Importer, place: str) -> list[Column]:
    """The kind's columns, each also found by the headings that are remembered for it."""
    named: dict[str, list[str]] = {}
    for heading, column in remembered(importer, place).items():
        named.setdefault(column, []).append(heading)
    return [replace(c, aliases=(*c.aliases, *named.get(c.heading, ()))) for c in importer.columns]


def remembered(importer: Importer, place: str) -> dict[str, str]:
    """{heading: column} as people of the locality chose before; "" is a heading to be ignored."""
    rows = ImportMapping.objects.filter(kind=importer.name, locality_code=place)
    return dict(rows.values_list("heading", "column"))


def _is_example(raw: Mapping[str, Any]) -> bool:
    first = next(iter(raw.values()), None)
    return isinstance(first, str) and first.startswith(EXAMPLE_MARK)


# --- judging and writing -------------------------------------------------------------------------------


def import_table(
    importer: Importer,
    table: Sheet,
    *,
    place: str,
    actor: Any,
    filename: str,
    partial: bool = False,
    dry_run: bool = False,
    batch: ImportBatch | None = None,
) -> Report:
    """Import the rows of `table`: all or none, or with `partial` the good ones.

    `place` "": rows of any locality, which tell it themselves. `actor` None: the operator at the command line.
    Side effects (not with `dry_run`): the records, the batch with its report, audit entries, and what the kind tells
    others; all in one transaction.
    Raises: Refused, ChangedSince, ValidationError (somebody was first).
    """
    if actor is not None:
        require(importer.can(actor, place))
    try:
        with transaction.atomic():
            if not dry_run:
                importer.lock(place)
            report = judge(importer, table, place, partial=partial)
            report.dry_run = dry_run
            if not dry_run:
                _write(importer, report, place=place, actor=actor, filename=filename, batch=batch)
    except IntegrityError as exc:
        raise ValidationError("内容与刚刚保存的记录冲突，没有写入任何数据，请重新检查后再导入。") from exc
    return report


def judge(importer: Importer, table: Sheet, place: str, *, partial: bool) -> Report:
    outcomes = importer.judge(table.rows, place)
    ignored = [heading for heading in table.unknown_headings if heading]
    return Report(outcomes, ignored, notes=importer.notes(outcomes), partial=partial)


def _write(
    importer: Importer, report: Report, *, place: str, actor: Any, filename: str, batch: ImportBatch | None
) -> None:
    if batch is not None and not set(report.digests) <= set(batch.report.get("digests", [])):
        raise ChangedSince
    if report.created or report.changed:
        if batch is None:
            batch = ImportBatch.objects.create(
                kind=importer.name,
                locality_code=place or importer.home(report.of(NEW, CHANGED)),
                filename=filename[-200:],
                created_by=actor,
                state=ImportBatch.State.RUNNING,
            )
        importer.write(report, batch, actor=actor)
        report.written = True
    if batch is not None:
        _finish(importer, batch, report, actor=actor)


def _finish(importer: Importer, batch: ImportBatch, report: Report, *, actor: Any) -> None:
    """Keep what came of it. The move's audit entry holds the counts."""
    counts = {"file": batch.filename, "kind": importer.label, "rows": report.rows, "partial": report.partial}
    counts |= {"created": report.created, "changed": report.changed, "refused": len(report.refused)}
    apply_move(
        batch,
        IMPORT,
        "finish" if report.written or not report.refused else "refuse",
        actor=actor,
        changes={"report": kept(importer, report), "partial": report.partial, "finished": timezone.now()},
        detail=counts,
    )


def kept(importer: Importer, report: Report) -> dict[str, Any]:
    """The report as it is kept and shown: secret columns masked, as many lines as the kind shows."""
    secret = {column.heading for column in importer.columns if column.secret}
    whole = report.as_json()
    del whole["changes"]
    for error in whole["errors"]:
        if error["column"] in secret:
            error["value"] = mask_identity(error["value"])
    shown = [o for o in report.outcomes if o.action != REFUSED][: importer.lines_kept]
    labels = {str(outcome.number): outcome.label for outcome in report.refused if outcome.label}
    lines = [outcome.as_line() for outcome in shown]
    return {**whole, "lines": lines, "labels": labels, "digests": report.digests}


# --- on the page: upload and check, map headings, import ------------------------------------------------


def check_upload(importer: Importer, upload: Any, *, place: str, actor: Any) -> ImportBatch:
    """Keep the file and say what importing it would do; nothing is imported yet.

    A sheet whose headings are not understood is kept too, waiting for somebody to say what they mean.
    Raises: Refused, ValidationError (no spreadsheet, too large, no rows).
    """
    require(importer.can(actor, place))
    data = upload.read()
    state, report = _checked(importer, data, filename=upload.name, place=place)
    upload.seek(0)
    keep = store_sealed if importer.is_secret else store_file
    with transaction.atomic():
        stored = keep(upload, actor=actor, purpose=f"import_{importer.name}", allowed=SPREADSHEETS, locality_code=place)
        return ImportBatch.objects.create(
            kind=importer.name,
            locality_code=place,
            filename=stored.original_name[-200:],
            file=stored,
            created_by=actor,
            state=state,
            report=report,
        )


def _checked(importer: Importer, data: bytes, *, filename: str, place: str) -> tuple[str, dict[str, Any]]:
    """The state and report of a file that has just been read."""
    try:
        table = read_table(importer, data, filename=filename, place=place)
    except SpreadsheetError as exc:
        if exc.code not in ("heading", "required"):
            raise
        top = read_headings(data, columns_for(importer, place), filename=filename)
        if not top.headings:
            raise
        return ImportBatch.State.MAPPING, {"headings": top.headings, "samples": top.samples, "reason": exc.messages[0]}
    if not table.rows:
        raise ValidationError("表中没有数据行。")
    report = judge(importer, table, place, partial=True)
    return ImportBatch.State.CHECKED, kept(importer, report)


def headings_of(batch: ImportBatch) -> list[tuple[str, list[str], str]]:
    """Of the file: each heading, what stands below it (first rows, masked where secret), the column it means now."""
    importer = importer_of(batch)
    columns = columns_for(importer, batch.locality_code)
    known = {plain_heading(name): c for c in columns for name in (c.heading, *c.aliases)}
    top = read_headings(content_of(batch), columns, filename=batch.filename)
    found = []
    for at, heading in enumerate(top.headings):
        column = known.get(plain_heading(heading))
        samples = [sample[at] for sample in top.samples if at < len(sample) and sample[at]]
        if column is None or getattr(column, "secret", False):
            samples = [mask_identity(s) if len(s) >= 10 and s.isascii() else s for s in samples]
        found.append((heading, samples, column.heading if column is not None else IGNORED))
    return found


def map_columns(batch: ImportBatch, mapping: Mapping[str, str], *, actor: Any) -> ImportBatch:
    """Say what the headings of a checked file mean, remember it for the locality, and check the file again.

    `mapping`: heading → column, "" to ignore. Raises Refused, StaleState, and ValidationError: one column named twice,
    a required one still missing.
    """
    require(can_map(actor, batch))
    importer = importer_of(batch)
    chosen = [column for column in mapping.values() if column]
    twice = sorted({column for column in chosen if chosen.count(column) > 1})
    if twice:
        raise ValidationError(f"“{'、'.join(twice)}”对应了两列，每个列只能选一次。")
    missing = [heading for heading in importer.required if heading not in chosen]
    if missing:
        raise ValidationError(f"还没有对应必填的列：{'、'.join(missing)}。")
    with transaction.atomic():
        for heading, column in mapping.items():
            ImportMapping.objects.update_or_create(
                kind=importer.name,
                locality_code=batch.locality_code,
                heading=heading[:120],
                defaults={"column": column},
            )
        state, report = _checked(importer, content_of(batch), filename=batch.filename, place=batch.locality_code)
        if state != ImportBatch.State.CHECKED:
            raise ValidationError(report["reason"])
        return apply_move(batch, IMPORT, "map", actor=actor, changes={"report": report})


def start_import(batch: ImportBatch, *, actor: Any, partial: bool) -> ImportBatch:
    """Import a checked file: at once when it is short, else as a job. Raises: Refused, StaleState."""
    require(can_run(actor, batch))
    importer = importer_of(batch)
    if int(batch.report.get("rows", 0)) <= importer.at_once:
        run_batch(batch.pk, actor=actor, partial=partial)
        batch.refresh_from_db()
        return batch
    with transaction.atomic():
        job = enqueue(
            JOB,
            actor=actor,
            arguments={"batch": batch.pk, "partial": partial},
            key=f"{JOB}:{batch.pk}",
            locality=batch.locality_code,
            label=f"导入{importer.label}：{batch.filename}",
        )
        return apply_move(batch, IMPORT, "start", actor=actor, changes={"job_id": job.pk, "partial": partial})


def run_batch(batch_id: int, *, actor: Any, partial: bool, table: Sheet | None = None) -> dict[str, Any]:
    """Do the import of a batch, once: a second run finds it finished and gives its report.

    When what is registered has changed since the check, nothing is written: the report is made anew, for the person
    to look over (`stale` in the report).
    """
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update(of=("self",)).select_related("file").get(pk=batch_id)
        if batch.finished is not None:
            return dict(batch.report)
        importer, place = importer_of(batch), batch.locality_code
        table = table or table_of(batch)
        try:
            import_table(
                importer, table, place=place, actor=actor, filename=batch.filename, partial=partial, batch=batch
            )
        except ChangedSince as exc:
            fresh = {**kept(importer, judge(importer, table, place, partial=True)), "stale": exc.reason}
            apply_move(batch, IMPORT, "recheck", actor=actor, changes={"report": fresh})
        return dict(batch.report)


def content_of(batch: ImportBatch) -> bytes:
    """The uploaded file. Raises ValidationError when it is gone."""
    if batch.file is None:
        raise ValidationError("导入文件已不存在，请重新上传。")
    try:
        return read_content(batch.file)
    except FileNotFoundError as exc:
        raise ValidationError("导入文件已不存在，请重新上传。") from exc


def table_of(batch: ImportBatch) -> Sheet:
    return read_table(importer_of(batch), content_of(batch), filename=batch.filename, place=batch.locality_code)


def lines_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What every row means, by number: the refused ones with their reasons, the others with what they change."""
    refused: dict[int, dict[str, Any]] = {}
    labels = report.get("labels", {})
    for error in report.get("errors", []):
        number = error["row"]
        empty = {"row": number, "action": REFUSED, "label": labels.get(str(number), ""), "errors": []}
        line = refused.setdefault(number, empty)
        line["errors"].append(error)
    lines = [*report.get("lines", []), *refused.values()]
    return sorted(({**line, "word": LABELS[line["action"]]} for line in lines), key=lambda line: line["row"])


# --- taking it back ------------------------------------------------------------------------------------


def undo_batch(batch: ImportBatch, *, actor: Any, reason: str) -> ImportBatch:
    """Take a whole import back: what it made is removed, what it changed gets its former values.

    Raises Refused, StaleState (somebody was first) and ValidationError: no reason, or what stands in the way.
    """
    importer = importer_of(batch)
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
        importer.lock(batch.locality_code)
        # The move checks who, state and reason; when something stands in the way it is rolled back with the rest.
        batch = apply_move(batch, IMPORT, "undo", actor=actor, reason=reason, detail={"file": batch.filename})
        stands = importer.obstacles(batch)
        if stands:
            raise ValidationError(["不能撤销，以下内容已有后续办理：", *stands])
        importer.revert(batch, actor=actor)
    return batch
