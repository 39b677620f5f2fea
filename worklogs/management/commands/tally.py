"""The tally of a locality's year on the command line: for people, or as JSON for programs."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.workdays import CalendarGap
from districts.models import Locality
from planners.models import Planner
from worklogs.services.figures import LABELS, SubjectFigures, explain
from worklogs.services.subjects import localities_below, subjects_of
from worklogs.tally.words import label_of, tidy

_NUMBERS = (
    "required_days", "days", "visits", "required_visits", "shortfall_days", "shortfall_visits", "principal_met",
    "deduction",
)  # fmt: skip


class Command(BaseCommand):
    help = "计算一个地方一年的履职天数、走访次数、不足和扣减，逐项列出依据。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--locality", required=True, help="六位行政区划代码")
        parser.add_argument("--year", required=True, type=int, help="年份")
        parser.add_argument("--planner", type=int, help="只看这名规划师（编号）所在的对象")
        parser.add_argument("--as-published", action="store_true", help="只按公布的文件计算，不用地方补充规定")
        parser.add_argument("--json", action="store_true", help="以 JSON 输出")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints every subject of the locality and those below it. Raises CommandError on an unknown argument."""
        locality = Locality.objects.filter(code=options["locality"]).first()
        if locality is None:
            raise CommandError(f"没有行政区划代码为 {options['locality']} 的地方。")
        year, planner_id = options["year"], options["planner"]
        if not 2000 <= year <= 2100:
            raise CommandError("年份应在 2000 到 2100 之间。")
        if planner_id is not None and not Planner.objects.filter(pk=planner_id).exists():
            raise CommandError(f"没有编号为 {planner_id} 的规划师。")
        rows = subjects_of(year, localities=localities_below(locality), as_published=options["as_published"])
        if planner_id is not None:
            rows = [row for row in rows if any(m.planner_id == planner_id for m in row.subject.members)]
        try:
            found = explain(rows, year=year)
        except CalendarGap as exc:
            raise CommandError(str(exc)) from exc
        if options["json"]:
            self.stdout.write(json.dumps([as_json(one) for one in found], ensure_ascii=False, indent=1))
            return
        for one in found:
            self._tell(one)
        if not found:
            self.stdout.write("该年度没有履职中的聘用合同。")

    def _tell(self, one: SubjectFigures) -> None:
        self.stdout.write(f"{one.label}  合同 {one.row.contract.number}  {one.tally.forecast.text}")
        for line in one.lines:
            if line.figure.value is None:
                self.stdout.write(f"  {line.label}：未设定（{'、'.join(line.unset_labels)}）")
            else:
                self.stdout.write(f"  {line.label}：{tidy(line.figure.value)}{line.unit}")
            if line.figure.note:
                self.stdout.write(f"    {line.figure.note}")


def as_json(one: SubjectFigures) -> dict[str, Any]:
    """One subject in the published format; numbers as decimal strings, null while unset."""
    found, figures = one.tally, one.tally.figures()
    project = bool(one.row.charges) and all(charge.kind == "project" for charge in one.row.charges)
    names = "、".join(charge.name for charge in one.row.charges) or None
    return {
        "subject": one.label,
        "planner": one.row.planner_name or None,
        "planner_id": found.subject.planner_id,
        "project" if project else "unit": names,
        "contract": one.row.contract.number,
        "locality": one.row.contract.locality.code,
        "year": found.year,
        "as_of": found.as_of.isoformat(),
        "final": found.final,
        "day_kind": found.day_kind,
        **{name: _number(figures[name].value) for name in _NUMBERS},
        "forecast": found.forecast.text,
        "unset": list(found.unset),
        "unset_by_figure": {name: list(figure.unset) for name, figure in figures.items() if figure.unset},
        "notes": {name: figure.note for name, figure in figures.items() if figure.note},
        "unset_labels": {key: label_of(key) for key in found.unset},
        "months": [
            {
                "month": month.month, "days": _number(month.days.value), "visits": _number(month.visits.value),
                "principal_met": _number(month.principal_met.value),
                "required_visits": _number(month.required_visits), "records": list(month.records),
                "parts": _parts(month.days, "days") + _parts(month.visits, "visits"),
            }
            for month in found.months if month.records
        ],
        "parts": [part for name, figure in figures.items() for part in _parts(figure, name)],
    }  # fmt: skip


def _parts(figure: Any, name: str) -> list[dict[str, Any]]:
    return [
        {**part.as_json(), "figure": name, "figure_label": LABELS.get(name, ""), "code": part.code}
        for part in figure.parts
    ]


def _number(value: Any) -> str | None:
    return None if value is None else tidy(value)
