"""The spreadsheet of projects: exactly the rows of the list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.http import FileResponse

from core.exports import export_response
from core.spreadsheets import ExportColumn
from projects.models import Project

_COLUMNS = [
    ExportColumn("项目编号"), ExportColumn("项目名称", width=40), ExportColumn("类型"), ExportColumn("等级"),
    ExportColumn("阶段"), ExportColumn("地点", width=30), ExportColumn("责任单元", width=30),
    ExportColumn("所在单位", width=24), ExportColumn("责任项目"), ExportColumn("登记时间", kind="datetime"),
]  # fmt: skip
_FIELDS = ("pk", "number", "name", "kind", "tier", "stage", "place", "owner__name", "charge_id", "created")
_CHUNK = 2000
_KINDS, _STAGES = dict(Project.Kind.choices), dict(Project.Stage.choices)


def unit_names(ids: Sequence[int]) -> dict[int, list[str]]:
    """The names of the units of each project, by project id; one query."""
    names: dict[int, list[str]] = {}
    through = Project.units.through.objects.filter(project_id__in=ids).order_by("unit__sort_key", "unit__name")
    for project_id, name in through.values_list("project_id", "unit__name"):
        names.setdefault(project_id, []).append(name)
    return names


def export_projects(projects: Any) -> FileResponse:
    return export_response(_COLUMNS, _rows(projects), name="项目", title="项目")


def _rows(projects: Any) -> Iterator[Sequence[Any]]:
    found = projects.values_list(*_FIELDS).iterator(chunk_size=_CHUNK)
    while chunk := list(islice(found, _CHUNK)):
        units = unit_names([row[0] for row in chunk])
        for pk, number, name, kind, tier, stage, place, owner, charge, created in chunk:
            yield (
                number, name, _KINDS[kind], tier, _STAGES[stage], place, "、".join(units.get(pk, [])), owner or "",
                "是" if charge else "", created,
            )  # fmt: skip
