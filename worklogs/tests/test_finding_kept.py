"""Remarks kept beside the logs: they follow every change, show on the pages with their evidence, and stop nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.files import store_generated
from factories import make_assignment, make_contract, make_log
from planners.models import Assignment, Contract
from planners.signals import contract_ended
from worklogs.models import CheckTouch, LogFinding, LogPhoto, WorkLog
from worklogs.services import checks
from worklogs.services.entries import Entry
from worklogs.services.logs import confirm_log, correct_log, submit_log, withdraw_log
from worklogs.services.photos import mark_photos
from worklogs.tests.sheets import row, saved, sheet

MARCH = date(2026, 3, 1)
MARK = "0123456789abcdef" * 2


@pytest.fixture
def both_units(cast):
    """The planner serves two units, and has a log in each for the same morning."""
    make_assignment(cast.contract, cast.other_unit.charge, team=cast.team)
    here = make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 5), slot="am", content="走访甲处")
    there = make_log(
        cast.own_planner, cast.other_unit.charge, cast.contract, date(2026, 3, 5), slot="am", content="走访乙处"
    )
    checks.check_all()
    return here, there


def kept(**filters) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for pk, code in LogFinding.objects.filter(current=True, **filters).values_list("log_id", "code"):
        found.setdefault(pk, []).append(code)
    return found


def photo_of(log: WorkLog, content: bytes = b"x", **facts) -> LogPhoto:
    stored = store_generated(content, name="a.jpg", mime="image/jpeg", actor=None, purpose="worklog")
    photo = LogPhoto.objects.create(log=log, file=stored, **facts)
    mark_photos([photo])
    return photo


def test_finding_follows_the_log_through_its_states(cast, both_units):
    here, there = both_units
    assert kept() == {here.pk: ["two_places"], there.pk: ["two_places"]}
    withdraw_log(there, actor=cast.planner)
    assert checks.check_pending() == 1 and not CheckTouch.objects.exists()
    assert kept() == {}
    there.refresh_from_db()
    submit_log(there, actor=cast.planner)
    checks.check_pending()
    assert kept() == {here.pk: ["two_places"], there.pk: ["two_places"]}
    confirm_log(here, actor=cast.unit_officer)
    checks.check_pending()
    assert kept() == {here.pk: ["two_places"], there.pk: ["two_places"]}
    version = correct_log(
        here, actor=cast.planner, entry=Entry(cast.unit.charge, here.date, "pm", "survey", "甲下午"), reason="时段填错"
    )
    confirm_log(version, actor=cast.unit_officer)
    checks.check_pending()
    assert kept() == {}


def test_finding_is_the_same_when_looked_through_again(cast, both_units):
    before = list(LogFinding.objects.values_list("pk", "found_at"))
    said = StringIO()
    call_command("check_worklogs", stdout=said)
    assert "已比对 1 人月，现有待核对提示 2 项" in said.getvalue()
    assert list(LogFinding.objects.values_list("pk", "found_at")) == before


def test_finding_comes_when_a_contract_ends_behind_the_log(cast, both_units):
    Contract.objects.filter(pk=cast.contract.pk).update(state="ended", ended_on=date(2026, 3, 1))
    contract_ended.send(sender=Contract, contract=Contract.objects.get(pk=cast.contract.pk))
    checks.check_pending()
    assert set(kept(code="outside")) == {log.pk for log in both_units}


def test_finding_of_a_shared_photo_is_told_on_both_sides_whoever_came_last(cast):
    mine = make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 2, 5), content="走访甲处")
    photo_of(mine, b"one", picture_hash=MARK)
    checks.check_all()
    assert kept() == {}
    theirs = make_log(cast.colleague_planner, cast.unit.charge, cast.contract, date(2026, 3, 9), content="走访乙处")
    nearly = f"{int(MARK, 16) ^ 0b11:032x}"
    photo_of(theirs, b"two", picture_hash=nearly)
    checks.touch([theirs])
    # The other's month is told by what was found, and then has nothing more to tell.
    assert checks.check_pending() == 3
    assert kept() == {mine.pk: ["same_photo"], theirs.pk: ["same_photo"]}
    withdraw_log(theirs, actor=cast.colleague)
    checks.check_pending()
    assert kept() == {}


def test_finding_rests_on_day_and_place_of_photos_as_the_camera_kept_them(cast):
    square = {"latitude": "39.908700", "longitude": "116.397500"}
    for day in (2, 3, 4):
        photo_of(
            make_log(cast.own_planner, cast.unit.charge, cast.contract, MARCH.replace(day=day), content=str(day)),
            str(day).encode(), **square,
        )  # fmt: skip
    away = make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 6), content="丁")
    # 16:30 UTC on the 5th is the 6th in China.
    taken = datetime(2026, 3, 5, 16, 30, tzinfo=UTC)
    photo = photo_of(away, b"far", taken_at=taken, latitude="39.916300", longitude="116.665600")
    checks.check_all()
    assert kept() == {away.pk: ["photo_place"]}
    LogPhoto.objects.filter(pk=photo.pk).update(taken_at=taken - timedelta(hours=1))
    checks.check_all()
    assert kept() == {away.pk: ["photo_day", "photo_place"]}


def test_finding_on_the_log_page_links_only_what_one_may_see(client, cast, both_units):
    here, there = both_units
    client.force_login(cast.bureau)
    page = client.get(f"/worklogs/{here.pk}/").content.decode()
    assert "请核对：同一时段在两处" in page and f'href="/worklogs/{there.pk}/"' in page
    client.force_login(cast.unit_officer)
    page = client.get(f"/worklogs/{here.pk}/").content.decode()
    assert "2026-03-05 上午，东四街道（不在您的查看范围内）" in page
    assert f"/worklogs/{there.pk}/" not in page and "走访乙处" not in page


def test_finding_on_the_month_page_stops_nothing(client, cast, both_units):
    here, _ = both_units
    client.force_login(cast.unit_officer)
    address = f"/worklogs/months/{cast.unit.charge_id}/2026/3/"
    page = client.get(address).content.decode()
    assert "同一时段在其他责任单元（项目）另有 1 条记录" in page
    assert f'name="logs" value="{here.pk}" checked' in page
    client.post(f"{address}confirm/", {"logs": [here.pk], "close": "1"})
    here.refresh_from_db()
    assert here.state == "confirmed"


def test_finding_is_what_the_list_can_be_asked_for(client, cast, both_units):
    here, there = both_units
    plain = make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 9), content="丙")
    LogFinding.objects.filter(log=there).update(
        state="noted", note="已核实", noted_at=timezone.now(), noted_by=cast.bureau
    )
    client.force_login(cast.bureau)

    def shown(asked: str) -> set[int]:
        return {row[0] for row in client.get(f"/worklogs/?check={asked}").context["page"].rows}

    assert shown("") == {here.pk, there.pk, plain.pk}
    assert shown("open") == {here.pk}
    assert shown("noted") == {there.pk}
    assert shown("two_places") == {here.pk, there.pk}
    assert shown("sitting") == set()
    assert client.get("/worklogs/").content.decode().count("待核对</span>") == 1


def test_finding_pages_cost_the_same_however_many_there_are(client, cast, both_units):
    address = f"/worklogs/months/{cast.unit.charge_id}/2026/3/"
    client.force_login(cast.unit_officer)

    def queries() -> tuple[int, int]:
        costs = []
        for run in (lambda: client.get(address), lambda: checks.check_months({(cast.own_planner.pk, MARCH)})):
            with CaptureQueriesContext(connection) as seen:
                run()
            costs.append(len(seen))
        return costs[0], costs[1]

    client.get(address)
    few = queries()
    for day in range(1, 21):
        for slot in ("am", "full"):
            log = make_log(
                cast.own_planner, cast.unit.charge, cast.contract, MARCH.replace(day=day), slot=slot, content="同样的话"
            )
            photo_of(log, b"same", picture_hash=MARK)
    checks.check_all()
    assert LogFinding.objects.count() > 80
    many = queries()
    assert many[0] <= few[0] and many[0] < 30
    assert many[1] <= few[1] + 6, "photos add queries of their own, once"


def test_finding_of_an_import_knows_its_words_and_hours_but_no_sitting(cast, tmp_path):
    rows = [row(日期=f"2026-03-{day:02d}", 内容="走访" if day < 4 else f"第{day}处走访") for day in range(2, 12)]
    call_command("import_worklogs", str(saved(tmp_path, sheet(*rows))), locality="110101")
    assert set(CheckTouch.objects.values_list("planner_id", "month")) == {(cast.own_planner.pk, MARCH)}
    checks.check_pending()
    assert sorted(code for codes in kept().values() for code in codes) == ["same_words", "same_words"]


# --- before submitting ----------------------------------------------------------------------------------


def test_hints_tell_the_planner_first_and_let_them_submit(client, cast, both_units):
    client.force_login(cast.planner)
    asked = {"date": "2026-03-05", "slot": "full", "charge": cast.unit.charge_id}
    page = client.get("/worklogs/hints/", asked).content.decode()
    assert "提交前请核对" in page and "不影响提交" in page and "同一时段在两处" in page and "合计 2 天" in page
    assert client.get("/worklogs/hints/", {**asked, "date": "2026-03-06"}).content.decode().strip() == ""
    assert client.get("/worklogs/hints/", {"date": "2026-03-05"}).content.decode().strip() == ""
    # A log being changed is not held against itself.
    here, there = both_units
    withdraw_log(there, actor=cast.planner)
    page = client.get("/worklogs/hints/", {**asked, "slot": "pm", "log": there.pk}).content.decode()
    assert page.strip() == ""
    draft = make_log(
        cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 7), state="draft", content=here.content
    )
    page = client.get(f"/worklogs/{draft.pk}/").content.decode()
    assert "内容与其他记录相同" in page and "请核对：" not in page
    assert not LogFinding.objects.filter(log=draft).exists()
    draft.refresh_from_db()
    assert submit_log(draft, actor=cast.planner).state == "submitted"


@pytest.mark.parametrize("who, status", [("planner", 200), ("lead", 200), ("unit_officer", 403), ("bureau", 403)])
def test_hints_are_for_those_who_record(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get("/worklogs/hints/").status_code == status


def test_hints_say_nothing_of_places_that_the_planner_does_not_serve(client, cast, both_units):
    Assignment.objects.filter(charge=cast.other_unit.charge).delete()
    client.force_login(cast.planner)
    asked = {"date": "2026-03-05", "slot": "am", "charge": cast.other_unit.charge_id}
    assert client.get("/worklogs/hints/", asked).content.decode().strip() == ""


def test_hints_of_another_contract_are_none_of_the_form(client, cast, both_units):
    make_contract(cast.locality, planner=cast.colleague_planner)
    client.force_login(cast.colleague)
    asked = {"date": "2026-03-05", "slot": "am", "charge": cast.unit.charge_id, "log": both_units[0].pk}
    assert client.get("/worklogs/hints/", asked).content.decode().strip() == ""
