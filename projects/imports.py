"""Projects as a kind of import: by number within their locality, with what a project is registered with."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.roles import Role
from core.imports.cells import name_key, several, word_key
from core.imports.kinds import EXAMPLE_MARK, ImportColumn, register
from core.imports.outcomes import CHANGED, Outcome, Report
from core.imports.records import RecordImporter
from core.models import ImportBatch
from core.permissions import Decision
from core.spreadsheets import Row
from districts.access import access_of
from districts.importing import PLACE, PLACE_COLUMN, Places, decide, lock_places
from districts.models import Charge, Locality, Organisation, Unit
from districts.services.policies import policy_in_force
from projects.lookalikes import same_in
from projects.models import KeyDate, Project
from projects.permissions import can_create_project
from projects.services.parties import name_parties
from projects.services.stages import open_stage

NUMBER, NAME, KIND, TIER, STAGE = "项目编号", "项目名称", "项目类型", "项目等级", "阶段"
SITE, UNITS, OWNER = "地点", "责任单元", "所在单位"
BUILDER, DESIGNER, CONTRACTOR = "建设单位", "设计单位", "施工单位"
SUMMARY, AREA, ALSO, START, FINISH = "项目概况", "必须咨询的地区和项目", "涉及的其他地方", "开工日期", "计划竣工日期"
_PARTIES = {
    BUILDER: ("builders", "builder"),
    DESIGNER: ("designers", "designer"),
    CONTRACTOR: ("contractors", "contractor"),
}
_ROLES = dict(_PARTIES.values())
_DAYS = {START: ("start_on", "开工"), FINISH: ("finish_on", "计划竣工")}
_TITLES = dict(_DAYS.values())
_NAME_LENGTH = 120
_KINDS = {word_key(label): value for value, label in Project.Kind.choices}
_STAGES = {word_key(label): value for value, label in Project.Stage.choices}


@dataclass(slots=True)
class Known:
    """What the rows are matched with; `words`: tiers and mandatory areas of each locality's pack, by locality id."""

    places: Places
    projects: dict[tuple[int, str], Project]
    units: dict[tuple[int, str], Unit]
    owners: dict[tuple[int, str], Organisation]
    everywhere: dict[str, Locality]
    # (number, name, place) of registered projects that a row may be, by locality id.
    near: dict[int, list[tuple[str, str, str]]] = field(default_factory=dict)
    words: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)

    def _words_of(self, locality: Locality) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if locality.pk not in self.words:
            policy = policy_in_force(locality)
            rows = (policy.value("review.tiers") if policy is not None else None) or ()
            areas = (policy.value("review.mandatory_areas") if policy is not None else None) or ()
            self.words[locality.pk] = tuple(dict.fromkeys(row["title"] for row in rows)), tuple(areas)
        return self.words[locality.pk]

    def tiers_of(self, locality: Locality) -> tuple[str, ...]:
        return self._words_of(locality)[0]

    def areas_of(self, locality: Locality) -> tuple[str, ...]:
        return self._words_of(locality)[1]


class ProjectImporter(RecordImporter):
    name = "projects"
    label = "项目"
    counter = "个"
    list_url = "projects:list"
    model = Project
    headings = {
        "number": NUMBER, "name": NAME, "kind": KIND, "tier": TIER, "stage": STAGE, "place": SITE,
        "unit_ids": UNITS, "owner": OWNER, "summary": SUMMARY, "mandatory_area": AREA, "also_ids": ALSO,
        **{name: heading for heading, (name, _) in (*_PARTIES.items(), *_DAYS.items())},
    }  # fmt: skip
    columns = (
        ImportColumn(NUMBER, aliases=("编号",), required=True, help="本地方内不重复。", example=f"{EXAMPLE_MARK}XM-2026-001"),
        ImportColumn(NAME, aliases=("名称",), required=True, example="示例街道公共空间提升"),
        ImportColumn(KIND, aliases=("类型",), required=True, help=f"{'、'.join(Project.Kind.labels)}。", example="公共空间"),
        ImportColumn(TIER, aliases=("等级",), help="制度方案中的等级；没有区分等级的地方不填。"),
        ImportColumn(
            STAGE, help=f"{'、'.join(Project.Stage.labels)}；不填为立项。已登记的项目在项目页面办理阶段。", example="方案审查"
        ),
        ImportColumn(SITE, example="示例胡同"),
        ImportColumn(UNITS, help="已设立的责任单元，多个用顿号分开。", example="示例街道"),
        ImportColumn(OWNER, aliases=("责任单位", "主管单位"), help="已登记的本地方单位。"),
        ImportColumn(BUILDER, help="多个用顿号分开；填写时以所填为准。"),
        ImportColumn(DESIGNER, help="同上；与“设计单位”登记同名的，用于利益回避。"),
        ImportColumn(CONTRACTOR, help="同上。"),
        ImportColumn(SUMMARY, aliases=("概况", "建设内容")),
        ImportColumn(AREA, aliases=("必须咨询地区",), help="制度方案中的叫法；没有规定的地方不填。"),
        ImportColumn(ALSO, help="项目跨地方的，填其他地方的名称或代码，多个用顿号分开。"),
        ImportColumn(START, kind="date"),
        ImportColumn(FINISH, aliases=("竣工日期",), kind="date"),
        PLACE_COLUMN,
    )  # fmt: skip

    def may(self, user: Any) -> Decision:
        return Decision.of(access_of(user).is_role(Role.BUREAU), otherwise="仅规划主管部门（市局、分局）可以导入项目。")

    def can(self, user: Any, place: str) -> Decision:
        return self.may(user) and decide(can_create_project, user, place)

    def lock(self, place: str) -> None:
        lock_places(place)

    def load(self, rows: Sequence[Row], place: str) -> Known:
        places = Places.around(place)
        homes = [locality.pk for locality in places.all]
        numbers = {row.cells[NUMBER] for row in rows if row.cells[NUMBER]}
        known = Project.objects.filter(locality_id__in=homes, number__in=numbers).select_related("owner", "locality")
        units = Unit.objects.filter(locality_id__in=homes, valid_to=None)
        owners = Organisation.objects.filter(locality_id__in=homes, is_active=True)
        hung = known.prefetch_related("units", "also_in", "parties", "key_dates")
        return Known(
            places,
            {(row.locality_id, row.number): row for row in hung},
            {(row.locality_id, name_key(row.name)): row for row in units},
            {(row.locality_id, name_key(row.name)): row for row in owners},
            {code: row for row in Locality.objects.all() for code in (row.code, name_key(row.name))},
            _near(rows, homes),
        )

    def read(self, row: Row, known: Known) -> Outcome:
        outcome = Outcome(row.number)
        text = {c.heading: str(row.cells[c.heading] or "") for c in self.columns if c.heading not in _DAYS}
        outcome.label = f"{text[NUMBER]} {text[NAME]}".strip()
        for heading in self.required:
            if not text[heading]:
                outcome.refuse(heading, "", f"“{heading}”不能为空。")
        outcome.fields.update(number=text[NUMBER], name=text[NAME])
        for heading, name in ((SITE, "place"), (SUMMARY, "summary")):
            if text[heading]:
                outcome.fields[name] = text[heading]
        for heading, (name, _) in _DAYS.items():
            if row.cells[heading]:
                outcome.fields[name] = row.cells[heading]
        for heading, name, allowed, labels in (
            (KIND, "kind", _KINDS, Project.Kind.labels), (STAGE, "stage", _STAGES, Project.Stage.labels),
        ):  # fmt: skip
            if text[heading] and word_key(text[heading]) not in allowed:
                outcome.refuse(heading, text[heading], f"没有这一项，可填：{'、'.join(labels)}。")
            elif text[heading]:
                outcome.fields[name] = allowed[word_key(text[heading])]
        locality = known.places.of(outcome, text[PLACE])
        if locality is not None:
            outcome.target = known.projects.get((locality.pk, text[NUMBER]))
            outcome.fields["locality"] = locality
            self._around(outcome, locality, text, known)
            self._parties(outcome, text)
            self._stands(outcome, locality, text, known)
        self.validate(outcome)
        return outcome

    @staticmethod
    def _parties(outcome: Outcome, text: dict[str, str]) -> None:
        for heading, (name, _) in _PARTIES.items():
            names = list(dict.fromkeys(several(text[heading])))
            for word in names:
                if len(word) > _NAME_LENGTH:
                    outcome.refuse(heading, word, f"单位名称最多 {_NAME_LENGTH} 字。")
            if names:
                outcome.fields[name] = sorted(names)

    @staticmethod
    def _stands(outcome: Outcome, locality: Locality, text: dict[str, str], known: Known) -> None:
        """What is registered already: a stage is not moved by a sheet; what looks like another project is told."""
        if outcome.target is not None:
            if outcome.fields.get("stage", outcome.target.stage) != outcome.target.stage:
                words = f"该项目已登记，现处于“{outcome.target.get_stage_display()}”；阶段在项目页面办理，请留空。"
                outcome.refuse(STAGE, text[STAGE], words)
            return
        others = [each for each in known.near.get(locality.pk, []) if each[0] != text[NUMBER]]
        found = same_in(others, text[NAME], text[SITE])
        if found:
            outcome.note = "请核对是否重复登记：" + "、".join(f"{number}（{why}）" for number, why in found)

    @staticmethod
    def _around(outcome: Outcome, locality: Locality, text: dict[str, str], known: Known) -> None:
        """Tier, units and owner: in the words of the locality's pack and register."""
        if text[TIER]:
            tiers = known.tiers_of(locality)
            found = next((tier for tier in tiers if word_key(tier) == word_key(text[TIER])), None)
            if found is None:
                words = f"可填：{'、'.join(tiers)}。" if tiers else "本地方的制度方案没有区分项目等级，请留空。"
                outcome.refuse(TIER, text[TIER], f"没有这个等级。{words}" if tiers else words)
            else:
                outcome.fields["tier"] = found
        units = [(word, known.units.get((locality.pk, name_key(word)))) for word in several(text[UNITS])]
        for word, unit in units:
            if unit is None:
                outcome.refuse(UNITS, word, "本地方没有这个责任单元，请写全称。")
        if units:
            outcome.fields["unit_ids"] = sorted(unit.pk for _, unit in units if unit is not None)
        if text[AREA]:
            areas = known.areas_of(locality)
            area = next((each for each in areas if word_key(each) == word_key(text[AREA])), None)
            words = f"可填：{'、'.join(areas)}。" if areas else "本地方的制度方案没有规定必须咨询的地区和项目，请留空。"
            if area is None:
                outcome.refuse(AREA, text[AREA], words)
            else:
                outcome.fields["mandatory_area"] = area
        also = [(word, known.everywhere.get(name_key(word))) for word in several(text[ALSO])]
        for word, place in also:
            if place is None or place.pk == locality.pk:
                outcome.refuse(ALSO, word, "没有这个地方。" if place is None else "不用填项目所在地方。")
        if also:
            outcome.fields["also_ids"] = sorted(place.pk for _, place in also if place is not None)
        if text[OWNER]:
            owner = known.owners.get((locality.pk, name_key(text[OWNER])))
            if owner is None:
                outcome.refuse(OWNER, text[OWNER], "本地方没有登记这个单位，请先在“单位”中登记。")
            else:
                outcome.fields["owner"] = owner

    def key(self, outcome: Outcome) -> Hashable:
        return outcome.fields["locality"].pk, outcome.fields["number"]

    def words(self, field: str, value: Any) -> str:
        if field == "unit_ids":
            return "、".join(Unit.objects.filter(pk__in=value).order_by("sort_key").values_list("name", flat=True))
        if field == "also_ids":
            return "、".join(Locality.objects.filter(pk__in=value).order_by("code").values_list("name", flat=True))
        if field in _ROLES:
            return "、".join(value)
        named = {"kind": dict(Project.Kind.choices), "stage": dict(Project.Stage.choices)}
        return "" if value in (None, "") else str(named.get(field, {}).get(value, value))

    def value_of(self, obj: Project, field: str) -> Any:
        """What hangs on a project is compared as a whole, as an import states it."""
        given = getattr(obj, "_given", {})
        if field in given:
            return given[field]
        if field == "unit_ids":
            return sorted(unit.pk for unit in obj.units.all())
        if field == "also_ids":
            return sorted(place.pk for place in obj.also_in.all())
        if field in _ROLES:
            return sorted(p.name for p in obj.parties.all() if p.is_active and p.role == _ROLES[field])
        if field in _TITLES:
            return next((each.day for each in obj.key_dates.all() if each.title == _TITLES[field]), None)
        return getattr(obj, field)

    def home(self, outcomes: Sequence[Outcome]) -> str:
        return str(outcomes[0].fields["locality"].code)

    def prepare(self, report: Report, batch: ImportBatch, *, actor: Any) -> None:
        for outcome in report.of(CHANGED):
            outcome.target._actor = actor

    def build(self, outcome: Outcome, batch: ImportBatch) -> models.Model:
        obj = Project(**{name: value for name, value in outcome.fields.items() if name not in _HUNG})
        obj._actor = batch.created_by  # type: ignore[attr-defined]
        return obj

    def assign(self, obj: Project, outcome: Outcome) -> None:
        for name, value in outcome.fields.items():
            if name not in _HUNG:
                setattr(obj, name, value)

    def save(self, obj: Project, outcome: Outcome) -> None:
        is_new, given = obj.pk is None, {n: v for n, v in outcome.fields.items() if n in _HUNG}
        actor = getattr(obj, "_actor", None)
        obj.save()
        if obj.charge_id:
            # A responsible project goes by the same name as what its planner is appointed to.
            Charge.objects.filter(pk=obj.charge_id).update(name=obj.name)
        if "unit_ids" in given:
            obj.units.set(given["unit_ids"])
        if "also_ids" in given:
            obj.also_in.set(given["also_ids"])
        for name in _ROLES.keys() & given.keys():
            name_parties(obj, _ROLES[name], given[name], actor=actor)
        for name in _TITLES.keys() & given.keys():
            _set_day(obj, _TITLES[name], given[name])
        if is_new and obj.stage != Project.Stage.DONE:
            open_stage(obj, obj.stage, actor=actor, on=timezone.localdate())
        # What was fetched ahead is not what stands now.
        obj._given = given  # type: ignore[attr-defined]

    def restore(self, obj: Any, fields: dict[str, Any]) -> None:
        days = {name: parse_date(value) if value else None for name, value in fields.items() if name in _TITLES}
        super().restore(obj, {**fields, **days})

    def whole(self, obj: Any) -> list[models.Model]:
        """A project and the round of the stage that it entered at."""
        return [*obj.stages.all(), obj]

    def obstacles(self, batch: ImportBatch) -> list[str]:
        rows = Project.objects.filter(pk__in=batch.rows.filter(action="new").values("object_id"), charge__isnull=False)
        return [*(f"{row.number}：已认定为责任项目。" for row in rows[:10]), *super().obstacles(batch)]


_HUNG = frozenset({"unit_ids", "also_ids", *_ROLES, *_TITLES})


def _near(rows: Sequence[Row], homes: Sequence[int]) -> dict[int, list[tuple[str, str, str]]]:
    """Registered projects at the same places or of the same names as rows of the sheet; one query."""
    names = {str(row.cells[NAME]) for row in rows if row.cells[NAME]}
    sites = {str(row.cells[SITE]) for row in rows if row.cells[SITE]}
    same = Project.objects.filter(Q(name__in=names) | Q(place__in=sites), locality_id__in=homes)
    found: dict[int, list[tuple[str, str, str]]] = {}
    for locality_id, number, name, place in same.values_list("locality_id", "number", "name", "place")[:5000]:
        found.setdefault(locality_id, []).append((number, name, place))
    return found


def _set_day(project: Project, title: str, day: date | None) -> None:
    rows = KeyDate.objects.filter(project=project, title=title)
    if day is None:
        rows.delete()
    elif not rows.update(day=day):
        KeyDate.objects.create(project=project, title=title, day=day)


PROJECTS = register(ProjectImporter())
