"""Pages and rules of a unit's changes: choose, state, preview, act; who may; what is found under which name."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import AuditEntry, Notification
from districts.access import access_of, forget_access
from districts.models import Contact, Membership, Unit, UnitChange, UnitSuccession
from districts.services.lineage import charge_family, charge_name_on, former_names, history_of
from districts.services.unit_changes import (
    NewUnit,
    Order,
    end_unit,
    hand_over,
    merge_units,
    rehearse,
    rename_unit,
    settle_due,
    split_unit,
)
from factories import make_assignment, make_contract, make_log, make_membership, make_planner, make_unit, make_user

TODAY, DAY = date(2026, 11, 20), date(2026, 7, 1)
ORDER = Order(effective=DAY, document_number="东政发〔2026〕8号", document_date=date(2026, 6, 10))
LATER = Order(effective=date(2027, 1, 1), document_number="东政发〔2026〕20号", document_date=date(2026, 11, 1))


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: TODAY)


def new(name):
    return NewUnit(name, Unit.Kind.STREET)


def page(unit, kind=""):
    url = reverse("districts:unit-change", args=[unit.pk])
    return f"{url}?kind={kind}" if kind else url


def stated(**extra):
    return {
        "effective": "2026-07-01", "document_number": "东政发〔2026〕8号", "document_date": "2026-06-10", "note": "",
        "submission_key": new_key(), **extra,
    }  # fmt: skip


MATRIX = {
    "bureau": (200, 200, 200), "planner": (403, 200, 200), "unit_officer": (403, 200, 200), "leader": (403, 200, 200),
    "other_unit_officer": (404, 404, 200), "other_bureau": (404, 404, 200), "sysadmin": (403, 200, 200),
    "department": (403, 200, 200), None: (302, 302, 302),
}  # fmt: skip


@pytest.mark.parametrize("who", MATRIX)
def test_who_opens_which_page(cast, as_user, who):
    change = rename_unit(cast.unit, actor=cast.bureau, order=ORDER, name="景山责任街区")
    client = as_user(getattr(cast, who) if who else None)
    pages = [
        page(cast.unit),
        reverse("districts:unit-change-detail", args=[change.pk]),
        reverse("districts:unit-change-list"),
    ]
    assert tuple(client.get(url).status_code for url in pages) == MATRIX[who]
    assert client.get(reverse("districts:unit-change-export")).status_code == MATRIX[who][2]
    inside = "办理时随之变动的内容" in client.get(pages[1]).content.decode()
    assert inside == (who in ("bureau", "leader"))


@pytest.mark.parametrize("who", ["planner", "unit_officer", "leader", "city", "sysadmin", "other_bureau"])
def test_only_the_bureau_of_the_unit_changes_it(cast, who):
    for act in (
        lambda: rename_unit(cast.unit, actor=getattr(cast, who), order=ORDER, name="甲"),
        lambda: end_unit(cast.unit, actor=getattr(cast, who), order=ORDER),
        lambda: hand_over(cast.unit, actor=getattr(cast, who), order=ORDER, to=cast.other_locality),
    ):
        with pytest.raises(Refused):
            act()


def test_a_merge_is_previewed_row_by_row_and_nothing_is_done(cast, as_user):
    officer = Membership.objects.get(unit=cast.unit)
    Contact.objects.create(organisation=cast.unit.office, unit=cast.unit, duty="person", name="王示例")
    data = stated(others=[cast.other_unit.pk], into="new", name="景山东四街道", kind="street", step="preview")
    shown = as_user(cast.bureau).post(page(cast.unit, "merge"), data).content.decode()
    for words in (
        "到 2026-06-30 为止", "自 2026-07-01 起设立", f"示例团队：景山街道，合同 {cast.contract.number}",
        "景山专人（景山街道）", "专人 王示例", "继续履行，聘期、费用和适用制度不变", f'name="choice-membership-{officer.pk}"',
    ):  # fmt: skip
        assert words in shown
    assert "办理后不能撤销" in shown
    assert 'data-confirm="确定办理合并吗？办理后不能撤销。"' in shown
    assert not UnitChange.objects.exists()
    assert not Unit.objects.filter(name="景山东四街道").exists()
    assert Unit.objects.get(pk=cast.unit.pk).valid_to is None


def test_the_act_does_what_the_preview_said_once(cast, as_user):
    client, url = as_user(cast.bureau), page(cast.unit, "merge")
    scan = SimpleUploadedFile("批复.png", _png(), content_type="image/png")
    data = stated(others=[cast.other_unit.pk], into="new", name="景山东四街道", kind="street", step="apply")
    said = rehearse(
        lambda: merge_units(
            cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=new("景山东四街道")
        )
    ).rehearsal
    answer = client.post(url, {**data, "scan": scan})
    change = UnitChange.objects.get()
    assert answer["Location"] == change.get_absolute_url()
    assert change.effects == [effect.as_json() for effect in said]
    assert client.post(url, data)["Location"] == change.get_absolute_url()
    assert UnitChange.objects.count() == 1
    assert client.get(reverse("districts:unit-change-scan", args=[change.pk])).status_code == 200
    assert AuditEntry.objects.filter(action="unit.change").count() == 3
    made = Unit.objects.get(name="景山东四街道")
    assert (made.valid_from, made.charge.is_active) == (DAY, True)
    old = Unit.objects.get(pk=cast.unit.pk)
    assert (old.valid_to, old.charge.is_active, old.name) == (date(2026, 6, 30), False, "景山街道")
    row = type(cast.assignment).objects.get(charge=made.charge)
    assert (row.team, row.contract, row.start, row.end) == (cast.team, cast.contract, DAY, cast.contract.end)


def _png():
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.new("RGB", (8, 8), "white").save(buffer, "PNG")
    return buffer.getvalue()


def test_officers_keep_their_role_at_what_their_unit_became_and_get_no_other(cast):
    merge_units(cast.unit, actor=cast.bureau, order=LATER, others=[cast.other_unit], into=cast.other_unit)
    old = Membership.objects.get(unit=cast.unit)
    made = Membership.objects.get(user=cast.unit_officer, unit=cast.other_unit)
    assert (old.ended_from, old.ended_by, old.valid_from) == (LATER.effective, cast.bureau, date(2020, 1, 1))
    assert (made.role, made.valid_from, made.granted_by) == ("unit", LATER.effective, cast.bureau)
    assert Membership.objects.filter(user=cast.other_unit_officer).count() == 1
    assert Notification.objects.filter(user=cast.unit_officer, kind="membership").exists()


def test_a_split_shares_out_what_the_officer_chose(cast):
    choices = {
        f"assignment-{cast.assignment.pk}": "0",
        f"membership-{Membership.objects.get(unit=cast.unit).pk}": "none",
    }
    order = Order(DAY, "东政发〔2026〕8号", date(2026, 6, 10), choices=choices)
    change = split_unit(cast.unit, actor=cast.bureau, order=order, into=[new("景山东街道"), new("景山西街道")])
    east, west = (line.successor for line in change.lines.order_by("pk"))
    assert (east.charge.assignments.count(), west.charge.assignments.count()) == (1, 0)
    assert not Membership.objects.filter(unit__in=[east, west]).exists()
    with pytest.raises(ValidationError, match="去向无效"):
        wrong = Order(DAY, "号", date(2026, 6, 10), choices={f"assignment-{east.charge.assignments.get().pk}": "7"})
        end = Order(date(2026, 8, 1), "号", date(2026, 6, 10), choices=wrong.choices)
        merge_units(east, actor=cast.bureau, order=end, others=[west], into=west)


def test_what_is_split_off_leaves_the_old_unit_and_its_people_as_they_are(cast):
    split_unit(cast.unit, actor=cast.bureau, order=ORDER, into=[new("景山新街道")], keep=True)
    cast.unit.refresh_from_db()
    cast.assignment.refresh_from_db()
    assert (cast.unit.valid_to, cast.assignment.end) == (None, cast.contract.end)
    assert Membership.objects.get(unit=cast.unit).ended_from is None
    assert Unit.objects.get(name="景山新街道").charge.assignments.count() == 0


def test_what_stands_in_the_way_is_shown_beside_the_choice_that_clears_it(cast, as_user):
    make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 8, 3), state="confirmed")
    data = stated(name_1="景山东街道", name_2="景山西街道", step="preview")
    client, url, key = as_user(cast.bureau), page(cast.unit, "split"), f"choice-assignment-{cast.assignment.pk}"
    shown = client.post(url, data).content.decode()
    assert "不能办理" in shown
    assert f'name="{key}"' in shown
    assert 'value="apply"' not in shown
    refused = client.post(url, {**data, "step": "apply"})
    assert "无法确定归入哪个单元" in str(refused.context["form"].errors["effective"])
    assert 'value="apply"' in client.post(url, {**data, key: "1"}).content.decode()
    assert client.post(url, {**data, key: "1", "step": "apply"}).status_code == 302
    assert cast.contract.logs.get().charge_name == "景山西街道"


def merged_with(cast, **holder):
    """What a merge with a unit served under another contract says about contracts."""
    party = {"team": cast.team} if cast.own_planner in holder.values() else holder
    contract = make_contract(cast.locality, policy_version=cast.contract.policy_version, **party)
    other = make_unit(cast.locality)
    make_assignment(contract, other.charge, party=contract.party_key, **holder)
    change = rehearse(
        lambda: merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[other], into=new("新街道"))
    )
    pair = "、".join(sorted([contract.number, cast.contract.number]))
    return pair, {e.what: e.becomes for e in change.rehearsal if e.area == "合同" and e.tone == "warning"}


def test_contracts_that_come_together_at_one_unit_are_pointed_out(cast):
    pair, told = merged_with(cast, planner=make_planner(cast.locality))
    assert "重复覆盖" in told[pair]


def test_two_contracts_of_one_party_may_come_together_and_are_pointed_out(cast):
    type(cast.assignment).objects.filter(pk=cast.assignment.pk).update(party=cast.contract.party_key)
    pair, told = merged_with(cast, planner=cast.own_planner)
    assert "属同一受聘方" in told[pair]


def test_a_team_sent_twice_is_sent_once_and_the_other_contract_is_pointed_out(cast):
    _, told = merged_with(cast, team=cast.team)
    assert len(told) == 1
    assert "没有派驻安排" in next(iter(told.values()))


def test_of_two_leads_that_come_together_one_is_chosen(cast):
    other = make_assignment(
        cast.contract, cast.other_unit.charge, planner=cast.colleague_planner, is_lead=True,
        start=cast.contract.start, end=cast.contract.end,
    )  # fmt: skip
    type(cast.assignment).objects.filter(pk=cast.assignment.pk).update(is_lead=True)
    choices = {"lead-0": f"p{cast.assignment.pk}"}
    order = Order(DAY, "东政发〔2026〕8号", date(2026, 6, 10), choices=choices)
    merge_units(cast.unit, actor=cast.bureau, order=order, others=[cast.other_unit], into=cast.other_unit)
    rows = type(cast.assignment).objects.filter(charge=cast.other_unit.charge)
    assert rows.get(is_lead=True, start=DAY).team == cast.team
    other.refresh_from_db()
    assert (other.is_lead, other.end) == (True, date(2026, 6, 30))
    assert not rows.get(planner=cast.colleague_planner, start=DAY).is_lead


def test_old_names_find_what_became_of_them(cast, as_user):
    merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=new("景山东四街道"))
    made = Unit.objects.get(name="景山东四街道")
    rename_unit(made, actor=cast.bureau, order=Order(date(2026, 9, 1), "东政发〔2026〕12号", DAY), name="皇城街道")
    client = as_user(cast.bureau)
    for words in ("东四街道", "景山街道", "dongsi", "皇城"):
        shown = client.get(reverse("districts:unit-list"), {"q": words}).content.decode()
        assert "皇城街道" in shown, words
        assert "原：景山东四街道、景山街道、东四街道" in shown
    detail = client.get(reverse("districts:unit", args=[made.pk])).content.decode()
    assert reverse("districts:unit", args=[cast.unit.pk]) in detail
    made.refresh_from_db()
    assert [(step.label, step.name) for step in history_of(made)] == [
        ("曾用名", "景山东四街道"), ("前身", "景山街道"), ("前身", "东四街道"),
    ]  # fmt: skip
    assert [(step.label, step.name) for step in history_of(cast.unit)] == [("后继", "景山东四街道")]
    assert charge_name_on(made.charge_id, date(2026, 8, 31), made.charge.name) == "景山东四街道"
    assert charge_name_on(made.charge_id, date(2026, 9, 1), made.charge.name) == "皇城街道"


def test_an_officer_of_the_new_unit_finds_the_old_ones_and_nobody_else_does(cast):
    merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=cast.other_unit)
    forget_access(cast.other_unit_officer)
    access = access_of(cast.other_unit_officer)
    assert (access.unit_id, access.unit_ids) == (cast.other_unit.pk, {cast.unit.pk, cast.other_unit.pk})
    assert access.charge_ids == {cast.unit.charge_id, cast.other_unit.charge_id}
    stranger = make_user()
    make_membership(stranger, "unit", cast.locality, unit=make_unit(cast.locality))
    assert len(access_of(stranger).unit_ids) == 1
    assert charge_family(cast.unit.charge_id) == access.charge_ids


def test_a_change_to_come_shows_its_day_and_settles_on_it(cast, monkeypatch):
    change = rename_unit(cast.unit, actor=cast.bureau, order=LATER, name="皇城街道")
    cast.unit.refresh_from_db()
    assert (cast.unit.name, change.settled, settle_due()) == ("景山街道", None, 0)
    assert [(step.label, step.name) for step in history_of(cast.unit)] == [("将更名为", "皇城街道")]
    assert former_names([cast.unit]) == {}
    monkeypatch.setattr(timezone, "localdate", lambda *args: LATER.effective)
    assert (settle_due(), settle_due()) == (1, 0)
    cast.unit.refresh_from_db()
    assert (cast.unit.name, cast.unit.charge.name) == ("皇城街道", "皇城街道")


def test_a_name_taken_meanwhile_is_told_and_the_change_waits(cast, monkeypatch):
    rename_unit(cast.unit, actor=cast.bureau, order=LATER, name="皇城街道")
    make_unit(cast.locality, name="皇城街道")
    monkeypatch.setattr(timezone, "localdate", lambda *args: LATER.effective)
    assert settle_due() == 0
    assert Notification.objects.get(user=cast.bureau, kind="unit").text.startswith("责任单元变更“更名")
    assert UnitChange.objects.get().settled is None


def test_an_earlier_change_of_another_unit_is_no_reason_to_refuse_a_merge(cast, as_user):
    rename_unit(cast.other_unit, actor=cast.bureau, order=ORDER, name="东四北街道")
    client, url = as_user(cast.bureau), page(cast.unit, "merge")
    seen = client.get(url).context["form"].initial["seen"]
    data = stated(others=[cast.other_unit.pk], into=cast.other_unit.pk, kind="street", seen=seen, step="apply")
    assert client.post(url, {**data, "effective": "2026-09-01"}).status_code == 302
    listed = client.get(reverse("districts:unit-change-list"), {"q": "东四北 8号", "kind": "merge"}).content.decode()
    assert "景山街道 → 东四北街道" in listed
    assert "景山街道" not in client.get(reverse("districts:unit-change-list"), {"q": "没有"}).content.decode()


def test_the_second_of_two_officers_is_told_on_the_page(cast, as_user):
    client, url = as_user(cast.bureau), page(cast.unit, "rename")
    seen = client.get(url).context["form"].initial["seen"]
    rename_unit(cast.unit, actor=cast.bureau, order=ORDER, name="皇城街道")
    answer = client.post(url, stated(name="甲街道", seen=seen, step="apply"))
    assert answer.status_code == 409
    assert "已被他人处理" in answer.content.decode()
    with pytest.raises(StaleState):
        rename_unit(cast.unit, actor=cast.bureau, order=Order(TODAY, "号", DAY, seen=seen), name="乙街道")


@pytest.mark.parametrize(
    ("kind", "changed", "field", "words"),
    [
        ("rename", {"name": "景山街道"}, "name", "与现在的名称相同"),
        ("rename", {"name": "东四街道"}, "name", "已有同名"),
        ("rename", {"name": "甲", "effective": "2030-01-01"}, "effective", "最远填到一年之后"),
        ("rename", {"name": "甲", "document_date": "2027-01-01"}, "document_date", "不能晚于今天"),
        ("rename", {"name": "甲", "document_number": " "}, "document_number", "填"),
        ("merge", {"into": "new", "name": "甲"}, "others", "请选择要与之合并"),
        ("merge", {"others": ["other"], "into": "new", "name": ""}, "name", "请填写名称"),
        ("split", {"name_1": "甲"}, "name_2", "至少填写 2 个"),
        ("handover", {}, "to", "填"),
    ],
)
def test_errors_stand_beside_their_fields(cast, as_user, kind, changed, field, words):
    if changed.get("others"):
        changed = {**changed, "others": [cast.other_unit.pk]}
    answer = as_user(cast.bureau).post(page(cast.unit, kind), stated(step="preview", **{"kind": "street", **changed}))
    errors = answer.context["form"].errors
    assert list(errors) == [field]
    assert words in str(errors[field]) or field in ("document_number", "to")
    assert not UnitChange.objects.exists()


def test_the_list_narrows_to_units_that_nobody_serves_today(cast, as_user):
    shown = {
        served: as_user(cast.bureau).get(reverse("districts:unit-list"), {"served": served}).content.decode()
        for served in ("yes", "no")
    }
    assert ("景山街道" in shown["yes"], "东四街道" in shown["yes"]) == (True, False)
    assert ("景山街道" in shown["no"], "东四街道" in shown["no"]) == (False, True)


def test_days_are_kept_in_order(cast):
    rename_unit(cast.unit, actor=cast.bureau, order=ORDER, name="皇城街道")
    with pytest.raises(ValidationError, match="上一次变更于 2026-07-01 生效"):
        end_unit(cast.unit, actor=cast.bureau, order=Order(DAY - timedelta(days=1), "号", DAY))
    end_unit(cast.unit, actor=cast.bureau, order=Order(DAY, "号", DAY))
    with pytest.raises(Refused, match="不能再办理变更"):
        rename_unit(cast.unit, actor=cast.bureau, order=Order(TODAY, "号", DAY), name="甲")


def test_streets_and_contacts_go_along(cast):
    from districts.models import Division, UnitPart

    for code, name in (("110101001", "东华门街道"), ("110101002", "景山街道")):
        Division.objects.create(code=code, name=name, level="street")
    UnitPart.objects.create(unit=cast.unit, division_id="110101002")
    UnitPart.objects.create(unit=cast.other_unit, division_id="110101001", portion="南河沿大街以西")
    Contact.objects.create(
        organisation=cast.unit.office, unit=cast.unit, duty="person", name="王示例", phone="13812345678"
    )
    merge_units(cast.unit, actor=cast.bureau, order=ORDER, others=[cast.other_unit], into=cast.other_unit)
    assert sorted(str(part) for part in cast.other_unit.parts.all()) == ["东华门街道（南河沿大街以西）", "景山街道"]
    assert cast.unit.parts.count() == 1
    copied = Contact.objects.get(unit=cast.other_unit)
    assert (copied.name, copied.phone, copied.organisation) == ("王示例", "13812345678", cast.unit.office)
    assert UnitSuccession.objects.get().successor == cast.other_unit
