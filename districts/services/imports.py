"""Units as a kind of import: by name within their locality, with the streets and towns that they cover."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from accounts.roles import Role
from core.imports.cells import name_key, several, word_key
from core.imports.kinds import EXAMPLE_MARK, ImportColumn, register
from core.imports.outcomes import CHANGED, NEW, Outcome
from core.imports.records import RecordImporter
from core.models import ImportBatch
from core.permissions import Decision
from core.spreadsheets import Row
from core.text import DATE_FORMS
from districts.access import access_of
from districts.importing import PLACE, PLACE_COLUMN, Places, decide, lock_places
from districts.models import Division, Locality, Organisation, Unit, UnitPart
from districts.permissions import can_manage_locality
from districts.policy.keys_appointment import AREA_TYPES
from districts.services.localities import streets_of
from districts.services.units import PartGiven, build_unit, kind_of

NAME, KIND, STREETS, AREA, OFFICE = "名称", "类别", "覆盖街道（乡镇）", "片区类型", "主管部门"
ORIGIN, SOURCE, SINCE, NOTE = "来源", "文件依据", "设立日期", "备注"
_KINDS = {label: value for value, label in Unit.Kind.choices} | {
    "街道": "street", "街区": "street", "镇": "town", "乡": "town", "园区": "park", "开发区": "park", "片区": "cluster",
}  # fmt: skip
_ORIGINS = {label: value for value, label in Unit.Origin.choices}
_AREAS = {label: code for code, label in AREA_TYPES.items()}


@dataclass(slots=True)
class Known:
    places: Places
    units: dict[tuple[int, str], Unit]
    streets: dict[tuple[int, str], list[Division]]
    offices: dict[tuple[int, str], Organisation]


class UnitImporter(RecordImporter):
    name = "units"
    label = "责任单元"
    counter = "个"
    list_url = "districts:unit-list"
    model = Unit
    headings = {
        "name": NAME, "kind": KIND, "streets": STREETS, "area_type": AREA, "office": OFFICE, "origin": ORIGIN,
        "source": SOURCE, "valid_from": SINCE, "note": NOTE,
    }  # fmt: skip
    columns = (
        ImportColumn(NAME, aliases=("责任单元", "单元名称", "责任单元名称", "责任片区", "责任街区"), required=True,
                     help="本地方内不重复。", example=f"{EXAMPLE_MARK}示例街道"),
        ImportColumn(KIND, help=f"{'、'.join(Unit.Kind.labels)}；不填则按名称判断。", example="街道（街区）"),
        ImportColumn(STREETS, aliases=("覆盖范围", "覆盖街道", "街道", "所辖街道"),
                     help="多个用顿号分开；只含一部分的，在名称后用括号写明范围。不填则按名称找同名街道（乡镇）。",
                     example="示例街道、示例镇（以北部分）"),
        ImportColumn(AREA, aliases=("地区类型",), help=f"{'、'.join(AREA_TYPES.values())}。"),
        ImportColumn(OFFICE, help="已登记的本地方单位。", example="示例街道办事处"),
        ImportColumn(ORIGIN, help="行政区划、文件确定；不填则有对应街道的按行政区划。"),
        ImportColumn(SOURCE, aliases=("依据",), help="由文件确定的，写明文件和条款。"),
        ImportColumn(SINCE, kind="date", help=f"可写成 {DATE_FORMS}。"),
        ImportColumn(NOTE),
        PLACE_COLUMN,
    )  # fmt: skip

    def may(self, user: Any) -> Decision:
        return Decision.of(
            access_of(user).is_role(Role.BUREAU), otherwise="仅规划主管部门（市局、分局）可以导入责任单元。"
        )

    def can(self, user: Any, place: str) -> Decision:
        return decide(can_manage_locality, user, place)

    def lock(self, place: str) -> None:
        lock_places(place)

    # --- reading ---

    def load(self, rows: Sequence[Row], place: str) -> Known:
        places = Places.around(place)
        homes = {locality.pk: locality for locality in places.all}
        streets: dict[tuple[int, str], list[Division]] = defaultdict(list)
        for locality in homes.values():
            for street in streets_of(locality.division) if locality.division else ():
                streets[locality.pk, name_key(street.name)].append(street)
        units = Unit.objects.filter(locality__in=homes, valid_to=None).select_related("locality", "office", "charge")
        return Known(
            places,
            {(row.locality_id, name_key(row.name)): row for row in units.prefetch_related("parts__division")},
            dict(streets),
            {
                (row.locality_id, name_key(row.name)): row
                for row in Organisation.objects.filter(locality__in=homes, is_active=True)
            },
        )

    def read(self, row: Row, known: Known) -> Outcome:
        outcome = Outcome(row.number)
        text = {c.heading: str(row.cells[c.heading] or "") for c in self.columns}
        outcome.label = text[NAME]
        if not text[NAME]:
            outcome.refuse(NAME, "", f"“{NAME}”不能为空。")
        for heading, field in ((SOURCE, "source"), (NOTE, "note")):
            if text[heading]:
                outcome.fields[field] = text[heading]
        if row.cells[SINCE] is not None:
            outcome.fields["valid_from"] = row.cells[SINCE]
        for heading, field, allowed in (
            (KIND, "kind", _KINDS),
            (AREA, "area_type", _AREAS),
            (ORIGIN, "origin", _ORIGINS),
        ):
            if text[heading]:
                self._choice(outcome, heading, text[heading], field, allowed)
        locality = known.places.of(outcome, text[PLACE])
        if locality is not None and text[NAME]:
            outcome.target = known.units.get((locality.pk, name_key(text[NAME])))
            outcome.fields["locality"] = locality
            if outcome.target is None:
                outcome.fields["name"] = text[NAME]
            self._office(outcome, locality, text[OFFICE], known)
            self._streets(outcome, locality, text, known)
        self.validate(outcome)
        return outcome

    @staticmethod
    def _choice(outcome: Outcome, heading: str, typed: str, field: str, allowed: dict[str, str]) -> None:
        found = {word_key(label): value for label, value in allowed.items()}.get(word_key(typed))
        if found is None:
            outcome.refuse(heading, typed, f"没有这一项，可填：{'、'.join(allowed)}。")
        else:
            outcome.fields[field] = found

    @staticmethod
    def _office(outcome: Outcome, locality: Locality, name: str, known: Known) -> None:
        if not name:
            return
        office = known.offices.get((locality.pk, name_key(name)))
        if office is None:
            outcome.refuse(OFFICE, name, "本地方没有登记这个单位，请先在“单位”中登记。")
        else:
            outcome.fields["office"] = office

    def _streets(self, outcome: Outcome, locality: Locality, text: dict[str, str], known: Known) -> None:
        """What the unit covers, as [code, portion]; what a new unit lacks is taken from its name."""
        given = several(text[STREETS])
        if not given and outcome.target is not None:
            return
        from_document = outcome.fields.get("origin") == Unit.Origin.DOCUMENT
        wanted = given or ([] if from_document else [text[NAME]])
        parts: dict[str, tuple[Division, str]] = {}
        for word in wanted:
            name, portion = _parted(word)
            found = known.streets.get((locality.pk, name_key(name)), [])
            if len(found) != 1:
                self._not_a_street(outcome, text, word, found)
                return
            parts[found[0].code] = (found[0], portion)
        outcome.fields["streets"] = [[code, parts[code][1]] for code in sorted(parts)]
        if outcome.target is None:
            outcome.fields.setdefault("origin", Unit.Origin.DIVISION if parts else Unit.Origin.DOCUMENT)
            divisions = [division for division, _ in parts.values()]
            outcome.fields.setdefault("kind", kind_of(divisions[0]) if len(divisions) == 1 else Unit.Kind.CLUSTER)

    @staticmethod
    def _not_a_street(outcome: Outcome, text: dict[str, str], word: str, found: Sequence[Division]) -> None:
        if text[STREETS]:
            several_words = f"有 {len(found)} 个同名的街道（乡镇），请先在页面上设立这个责任单元。"
            outcome.refuse(STREETS, word, several_words if found else "本地方没有这个街道（乡镇），请写全称。")
            return
        words = "没有同名的街道（乡镇），请填写覆盖街道；没有对应行政区划的，来源填“文件确定”并写明文件依据。"
        outcome.refuse(STREETS, "", words)

    def check(self, outcome: Outcome, known: Known) -> None:
        fields, target = outcome.fields, outcome.target
        origin = fields.get("origin", target.origin if target else "")
        source = fields.get("source", target.source if target else "")
        if outcome.action in (NEW, CHANGED) and origin == Unit.Origin.DOCUMENT and not source:
            outcome.refuse(SOURCE, "", "由文件确定的责任单元须写明文件依据。")

    def key(self, outcome: Outcome) -> Hashable:
        return outcome.fields["locality"].pk, name_key(outcome.label)

    def words(self, field: str, value: Any) -> str:
        if field == "streets":
            names = dict(Division.objects.filter(code__in=[code for code, _ in value]).values_list("code", "name"))
            return "、".join(names[code] + (f"（{portion}）" if portion else "") for code, portion in value)
        named = {"kind": dict(Unit.Kind.choices), "origin": dict(Unit.Origin.choices), "area_type": AREA_TYPES}
        return "" if value in (None, "") else str(named.get(field, {}).get(value, value))

    def value_of(self, obj: Unit, field: str) -> Any:
        if field != "streets":
            return getattr(obj, field)
        given = getattr(obj, "_streets", None)
        return given if given is not None else sorted([p.division_id, p.portion] for p in obj.parts.all())

    # --- writing ---

    def home(self, outcomes: Sequence[Outcome]) -> str:
        return str(outcomes[0].fields["locality"].code)

    def build(self, outcome: Outcome, batch: ImportBatch) -> models.Model:
        values = dict(outcome.fields)
        divisions = Division.objects.in_bulk([code for code, _ in values["streets"]])
        parts = [PartGiven(divisions[code], portion) for code, portion in values.pop("streets")]
        return build_unit(values.pop("locality"), parts=parts, **values)

    def assign(self, obj: Unit, outcome: Outcome) -> None:
        for name, value in outcome.fields.items():
            setattr(obj, "_streets" if name == "streets" else name, value)

    def save(self, obj: Unit, outcome: Outcome) -> None:
        if outcome.action == NEW and outcome.number:
            return  # built with its charge and its parts
        obj.save()
        if "streets" in outcome.fields:
            obj.parts.all().delete()
            rows = [UnitPart(unit=obj, division_id=code, portion=words) for code, words in outcome.fields["streets"]]
            UnitPart.objects.bulk_create(rows)

    def whole(self, obj: Any) -> list[models.Model]:
        return [obj, obj.charge]


def _parted(word: str) -> tuple[str, str]:
    """`某镇（以北部分）` as the name and the part of it that is meant."""
    name, opened, rest = word.replace("(", "（").replace(")", "）").partition("（")
    return (name.strip(), rest.removesuffix("）").strip()) if opened else (word, "")


UNITS = register(UnitImporter())
