"""Planners as a kind of import: who a row is about is told by the document number, else by the name.

Namesakes are told apart by the last four of the number. A number that is registered under another name, and a name
that several people bear, are refused with what to do; nobody is guessed at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from accounts.roles import Role
from core import audit
from core.crypto import blind_index, mask_identity, mask_phone
from core.imports.cells import name_key, several, tail_key, word_key, yes_or_no
from core.imports.kinds import EXAMPLE_MARK, ImportColumn
from core.imports.outcomes import NEW, Outcome, Report
from core.imports.records import RecordImporter, remember
from core.models import ImportBatch
from core.names import normalise_name
from core.permissions import Decision
from core.spreadsheets import Row
from core.text import DATE_FORMS, to_halfwidth
from districts.access import access_of
from districts.importing import PLACE, PLACE_COLUMN, Places, decide, lock_places
from districts.models import Locality
from districts.policy.qualification import CERTIFICATES
from planners.models import Institution, Planner
from planners.permissions import can_register
from planners.services.registry import fill_derived
from planners.validators import clean_other_document, clean_resident_number

NAME, KIND, NUMBER, TAIL, PHONE = "姓名", "证件类型", "证件号码", "证件号后四位", "电话"
EMPLOYER, PROFESSION, TITLE, CERTIFICATE, DEGREE = "设计单位", "专业", "职称", "执业资格", "学历"
SINCE, SECONDEE, NOTE = "从业起始日期", "下派干部", "备注"

# Titles and degrees as certificates word them, beside the words of the register.
_TITLES = {label: value for value, label in Planner.Title.choices} | {
    "助理工程师": "junior", "助理规划师": "junior", "初级职称": "junior",
    "工程师": "middle", "规划师": "middle", "建筑师": "middle", "中级职称": "middle",
    "高级工程师": "senior", "高级规划师": "senior", "高级建筑师": "senior", "副高": "senior", "高级": "senior",
    "高级职称": "senior", "副教授": "senior",
    "正高级工程师": "professor", "教授级高级工程师": "professor", "正高": "professor", "教授": "professor",
}  # fmt: skip
_CERTIFICATES = {label: code for code, label in CERTIFICATES.items()} | {
    "注册城乡规划师": "registered_planner", "注册城市规划师": "registered_planner", "国家注册规划师": "registered_planner",
}  # fmt: skip
_DEGREES = {word: word for word in ("博士研究生", "硕士研究生", "本科", "专科", "其他")} | {
    "博士": "博士研究生", "硕士": "硕士研究生", "研究生": "硕士研究生", "大学本科": "本科", "学士": "本科", "大专": "专科",
}  # fmt: skip
_KINDS = {label: value for value, label in Planner.IdentityKind.choices} | {"身份证": "resident"}
_CHUNK = 5000


@dataclass(slots=True)
class Known:
    """What the rows are matched with; `institutions` also takes the new ones that the file names, not yet saved."""

    places: Places
    by_name: dict[tuple[int, str], list[Planner]]
    by_number: dict[tuple[int, str], Planner]
    institutions: dict[str, Institution]


class PlannerImporter(RecordImporter):
    name = "planners"
    label = "规划师"
    counter = "位"
    list_url = "planners:list"
    model = Planner
    hints = ("同名的人以证件号码（或后四位）区分。",)
    headings = {
        "name": NAME, "identity_kind": KIND, "identity_number": NUMBER, "phone": PHONE, "institution": EMPLOYER,
        "profession": PROFESSION, "title": TITLE, "registrations": CERTIFICATE, "education": DEGREE,
        "practising_since": SINCE, "is_secondee": SECONDEE, "note": NOTE,
    }  # fmt: skip
    columns = (
        ImportColumn(NAME, aliases=("规划师", "责任规划师", "规划师姓名", "人员姓名"), required=True,
                     help="与证件一致；生僻字、间隔号照写。", example=f"{EXAMPLE_MARK}张示例"),
        ImportColumn(KIND, help=f"不填按居民身份证；可填{'、'.join(Planner.IdentityKind.labels)}。", example="居民身份证"),
        ImportColumn(NUMBER, aliases=("身份证号", "身份证号码", "证件号", "身份证"), secret=True,
                     help="请把这一列设为文本，否则表格软件会改掉末几位。加密保存，页面上只显示首尾。"),
        ImportColumn(TAIL, aliases=("身份证后四位",), help="没有完整证件号码、又有同名的人时填写。"),
        ImportColumn(PHONE, aliases=("联系电话", "手机", "手机号", "手机号码"), secret=True, help="加密保存。"),
        ImportColumn(EMPLOYER, aliases=("单位", "工作单位", "所在单位", "机构"), help="尚未登记的设计单位会一并登记。",
                     example="示例规划设计院"),
        ImportColumn(PROFESSION, aliases=("专业领域",), example="城乡规划"),
        ImportColumn(TITLE, aliases=("职称等级", "技术职称"), help=f"{'、'.join(Planner.Title.labels)}，或职称全称。",
                     example="高级工程师"),
        ImportColumn(CERTIFICATE, aliases=("注册资格", "资格证书", "执业资格证书"),
                     help=f"{'、'.join(CERTIFICATES.values())}，多项用顿号分开。", example="注册规划师"),
        ImportColumn(DEGREE, aliases=("最高学历",), help="博士研究生、硕士研究生、本科、专科、其他。", example="硕士研究生"),
        ImportColumn(SINCE, aliases=("从业时间", "从业起始时间", "开始从业日期", "从业日期"), kind="date",
                     help=f"从事相关工作的第一天，用来算从业年限。可写成 {DATE_FORMS}。", example="2012-07-01"),
        ImportColumn(SECONDEE, help="是、否；公务人员由上级下派的填“是”。", example="否"),
        ImportColumn(NOTE),
        PLACE_COLUMN,
    )  # fmt: skip

    def may(self, user: Any) -> Decision:
        return Decision.of(
            access_of(user).is_role(Role.BUREAU), otherwise="仅规划主管部门（市局、分局）可以导入规划师。"
        )

    def can(self, user: Any, place: str) -> Decision:
        return decide(can_register, user, place)

    def lock(self, place: str) -> None:
        lock_places(place)

    # --- reading ---

    def load(self, rows: Sequence[Row], place: str) -> Known:
        places = Places.around(place)
        homes = [locality.pk for locality in places.all]
        # By key, not as written: a name may be registered with other brackets or dots than people type.
        names = {name_key(row.cells[NAME]) for row in rows if row.cells[NAME]}
        indexes = {blind_index(number) for row in rows for number in _possible_numbers(row)}
        by_name: dict[tuple[int, str], list[Planner]] = defaultdict(list)
        by_number: dict[tuple[int, str], Planner] = {}
        people = Planner.objects.filter(locality_id__in=homes).select_related("institution", "locality")
        everybody = Planner.objects.filter(locality_id__in=homes).order_by().values_list("pk", "name")
        ids = [pk for pk, name in everybody if name_key(name) in names]
        found = {p.pk: p for some in _chunks(ids) for p in people.filter(pk__in=some)}
        found |= {p.pk: p for some in _chunks(indexes) for p in people.filter(identity_index__in=some)}
        for planner in found.values():
            by_name[planner.locality_id, name_key(planner.name)].append(planner)
            if planner.identity_index:
                by_number[planner.locality_id, planner.identity_index] = planner
        return Known(places, by_name, by_number, {name_key(row.name): row for row in Institution.objects.all()})

    def read(self, row: Row, known: Known) -> Outcome:
        outcome = Outcome(row.number)
        text = {column.heading: row.cells[column.heading] or "" for column in self.columns}
        locality = known.places.of(outcome, text[PLACE])
        name = normalise_name(text[NAME])
        outcome.label = name
        if not name:
            outcome.refuse(NAME, "", f"“{NAME}”不能为空。")
        outcome.fields["name"] = name
        number = self._number(outcome, text)
        self._words(outcome, text, known)
        if row.cells[SINCE] is not None:
            outcome.fields["practising_since"] = row.cells[SINCE]
        self.validate(outcome)
        if locality is not None and name:
            self._who(outcome, locality, number, text, known)
        if outcome.target is not None and name_key(outcome.target.name) == name_key(name):
            # Another way of writing the same name (brackets, dots) is no change.
            outcome.fields["name"] = outcome.target.name
        tail = number[-4:] or (outcome.target.identity_tail if outcome.target else "")
        outcome.label = f"{name}（…{tail}）" if tail else name
        return outcome

    def _number(self, outcome: Outcome, text: dict[str, str]) -> str:
        """The document number in the form it is kept in; "" when there is none or it is wrong."""
        kind = _KINDS.get(word_key(text[KIND]), "" if text[KIND] else "resident")
        if not kind:
            outcome.refuse(KIND, text[KIND], f"只能填：{'、'.join(Planner.IdentityKind.labels)}。")
        typed = text[NUMBER]
        if not typed:
            return ""
        if "e+" in typed.lower():
            outcome.refuse(NUMBER, typed, "表格把号码存成了数字，末几位已经丢失；请把这一列设为文本后重新填写。")
            return ""
        try:
            number = clean_resident_number(typed) if kind == "resident" else clean_other_document(typed)
        except ValidationError as exc:
            outcome.refuse(NUMBER, typed, "；".join(exc.messages))
            return ""
        outcome.fields.update(identity_kind=kind or "resident", identity_number=number)
        return number

    def _words(self, outcome: Outcome, text: dict[str, str], known: Known) -> None:
        for heading, field in ((PHONE, "phone"), (PROFESSION, "profession"), (NOTE, "note")):
            if text[heading]:
                outcome.fields[field] = to_halfwidth(text[heading]) if heading == PHONE else text[heading]
        for heading, field, allowed in ((TITLE, "title", _TITLES), (DEGREE, "education", _DEGREES)):
            if not text[heading]:
                continue
            value = allowed.get(word_key(text[heading]))
            if value is None:
                shown = Planner.Title.labels if field == "title" else dict.fromkeys(_DEGREES.values())
                outcome.refuse(heading, text[heading], f"没有这一项，可填：{'、'.join(shown)}。")
            else:
                outcome.fields[field] = value
        self._certificates(outcome, text[CERTIFICATE])
        if text[SECONDEE]:
            said = yes_or_no(text[SECONDEE])
            if said is None:
                outcome.refuse(SECONDEE, text[SECONDEE], "只能填“是”或“否”。")
            else:
                outcome.fields["is_secondee"] = said
        if text[EMPLOYER]:
            key = name_key(text[EMPLOYER])
            outcome.fields["institution"] = known.institutions.setdefault(key, Institution(name=text[EMPLOYER]))

    def _certificates(self, outcome: Outcome, text: str) -> None:
        codes = []
        for word in several(text):
            code = _CERTIFICATES.get(word_key(word))
            if code is None and word_key(word) != "无":
                outcome.refuse(CERTIFICATE, word, f"没有这一项，可填：{'、'.join(CERTIFICATES.values())}。")
            elif code is not None and code not in codes:
                codes.append(code)
        if codes:
            outcome.fields["registrations"] = sorted(codes)

    def _who(self, outcome: Outcome, locality: Locality, number: str, text: dict[str, str], known: Known) -> None:
        """Find whom the row is about, or refuse it; `fields` names the register for a new person."""
        outcome.fields["locality"] = locality
        name = outcome.fields["name"]
        index = blind_index(number) if number else ""
        registered = known.by_number.get((locality.pk, index)) if index else None
        if registered is not None:
            if name_key(registered.name) != name_key(name):
                outcome.refuse(NUMBER, number, f"该证件号码已登记为“{registered.name}”，请核对姓名或号码。")
            outcome.target = registered
            return
        same = known.by_name.get((locality.pk, name_key(name)), [])
        if number:
            # Somebody registered without a number gets it; those with another number are other people.
            open_ones = [planner for planner in same if not planner.identity_number]
            outcome.target = open_ones[0] if len(open_ones) == 1 else None
            if outcome.target is None and same:
                outcome.note = f"登记簿中已有 {len(same)} 位同名规划师，证件号码不同，将作为另一人登记。"
            return
        tail = text[TAIL]
        if tail:
            same = [planner for planner in same if planner.identity_tail.upper() == tail_key(tail)] if same else []
            if not same and known.by_name.get((locality.pk, name_key(name))):
                outcome.refuse(TAIL, tail, f"与登记的“{name}”的证件号后四位不符。")
                return
        if len(same) > 1:
            outcome.refuse(NAME, name, f"有 {len(same)} 位同名的规划师，请填写证件号码或后四位加以区分。")
        elif same:
            outcome.target = same[0]

    def key(self, outcome: Outcome) -> Hashable:
        if outcome.target is not None:
            return outcome.target.pk
        fields = outcome.fields
        return fields["locality"].pk, fields.get("identity_number") or name_key(fields["name"])

    def judge(self, rows: Sequence[Row], place: str) -> list[Outcome]:
        outcomes = super().judge(rows, place)
        _refuse_nameless_twins(outcomes)
        return outcomes

    def words(self, field: str, value: Any) -> str:
        if value in (None, "", []):
            return ""
        if field in ("identity_number", "phone"):
            return mask_identity(value) if field == "identity_number" else mask_phone(value)
        if field == "title":
            return str(Planner.Title(value).label)
        if field == "identity_kind":
            return str(Planner.IdentityKind(value).label)
        if field == "registrations":
            return "、".join(CERTIFICATES.get(code, code) for code in value)
        return "是" if value is True else "否" if value is False else str(value)

    def value_of(self, obj: Planner, field: str) -> Any:
        return sorted(obj.registrations or []) if field == "registrations" else getattr(obj, field)

    def notes(self, outcomes: Sequence[Outcome]) -> list[str]:
        fresh = _new_institutions(outcomes)
        return [f"一并登记设计单位：{'、'.join(fresh)}。"] if fresh else []

    # --- writing ---

    def home(self, outcomes: Sequence[Outcome]) -> str:
        return str(outcomes[0].fields["locality"].code)

    def prepare(self, report: Report, batch: ImportBatch, *, actor: Any) -> None:
        for name, (number, institution) in _new_institutions(report.outcomes).items():
            institution.save()
            remember(batch, number, institution, None, {"name": name}).save()
            audit.record("institution.create", actor=actor, obj=institution, locality=batch.locality_code)

    def build(self, outcome: Outcome, batch: ImportBatch) -> models.Model:
        return Planner(**outcome.fields)

    def save(self, obj: Planner, outcome: Outcome) -> None:
        name = obj.name
        fill_derived(obj)
        # Rewriting a registered name is a change of its own, which nobody has looked over here.
        obj.name = name
        obj.save()


def _possible_numbers(row: Row) -> Iterator[str]:
    """The number in the forms it may be registered in; which one is right `read` finds out."""
    typed = row.cells[NUMBER] or ""
    for clean in (clean_resident_number, clean_other_document):
        try:
            yield clean(typed)
        except ValidationError:
            continue


def _refuse_nameless_twins(outcomes: Iterable[Outcome]) -> None:
    """Two new people of one name need a number each; one without cannot be told from the other later."""
    named: dict[tuple[int, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.action == NEW and outcome.target is None and "locality" in outcome.fields:
            named[outcome.fields["locality"].pk, name_key(outcome.fields["name"])].append(outcome)
    for same in named.values():
        for outcome in same:
            if len(same) > 1 and not outcome.fields.get("identity_number"):
                others = "、".join(str(other.number) for other in same if other is not outcome)
                words = f"本表第 {others} 行有同名的规划师，请填写证件号码加以区分。"
                outcome.refuse(NAME, outcome.fields["name"], words)


def _new_institutions(outcomes: Iterable[Outcome]) -> dict[str, tuple[int, Institution]]:
    """Institutions that good rows name and nobody has registered, with the first row that does."""
    found: dict[str, tuple[int, Institution]] = {}
    for outcome in outcomes:
        institution = outcome.fields.get("institution")
        if institution is not None and institution.pk is None and outcome.action in ("new", "changed"):
            found.setdefault(institution.name, (outcome.number, institution))
    return found


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    rows = sorted(values)
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
