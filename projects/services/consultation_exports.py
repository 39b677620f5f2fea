"""The spreadsheet of requests: exactly the rows of the list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.http import FileResponse

from core.exports import export_response
from core.spreadsheets import ExportColumn
from districts.policy.keys_process import STAGE_MODES
from projects.models import Consultation, Consultee, ProjectStage

_COLUMNS = [
    ExportColumn("征询编号"), ExportColumn("项目编号"), ExportColumn("项目名称", width=40), ExportColumn("阶段"),
    ExportColumn("方式"), ExportColumn("征询事项", width=40), ExportColumn("征询单位", width=24),
    ExportColumn("征询日期", kind="date"), ExportColumn("制度要求"), ExportColumn("答复期限", kind="date"),
    ExportColumn("被征询人", width=40), ExportColumn("状态"), ExportColumn("答复齐备日期", kind="date"),
    ExportColumn("反馈期限", kind="date"),
]  # fmt: skip
_FIELDS = (
    "pk", "number", "project__number", "project__name", "stage__stage", "way", "subject", "asker__name", "asked_on",
    "mode", "due_on", "state", "answered_on", "feedback_due_on",
)  # fmt: skip
_CHUNK = 1000
_STAGES, _WAYS = dict(ProjectStage.STAGES), dict(Consultation.Way.choices)
_STATES, _PEOPLE = dict(Consultation.State.choices), dict(Consultee.State.choices)


def export_consultations(rows: Any) -> FileResponse:
    return export_response(_COLUMNS, _rows(rows), name="征询", title="征询")


def _rows(consultations: Any) -> Iterator[Sequence[Any]]:
    found = consultations.values_list(*_FIELDS).iterator(chunk_size=_CHUNK)
    while chunk := list(islice(found, _CHUNK)):
        people = _people([row[0] for row in chunk])
        for pk, number, code, name, stage, way, subject, asker, asked_on, mode, due, state, answered, feedback in chunk:
            yield (
                number, code, name, _STAGES[stage], _WAYS[way], subject, asker, asked_on, STAGE_MODES.get(mode, ""),
                due, "、".join(people.get(pk, [])), _STATES[state], answered, feedback,
            )  # fmt: skip


def _people(ids: Sequence[int]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    rows = Consultee.objects.filter(consultation_id__in=ids).order_by("pk")
    for pk, name, state in rows.values_list("consultation_id", "planner__name", "state"):
        names.setdefault(pk, []).append(f"{name}（{_PEOPLE[state]}）")
    return names
