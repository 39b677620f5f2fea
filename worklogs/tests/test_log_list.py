"""The list: exactly what one may see, on the page, in the search, in the spreadsheet and on the calendar."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from core.models import AuditEntry
from factories import make_assignment, make_contract, make_log, make_project
from worklogs.models import WorkLog

DAY = date(2026, 3, 5)


@pytest.fixture
def logs(cast) -> dict[str, WorkLog]:
    """One log in every state and place that somebody might see or must not."""
    foreign = make_contract(cast.other_locality, planner=cast.foreign_planner)
    make_assignment(foreign, cast.foreign_unit.charge, planner=cast.foreign_planner)
    unit = cast.unit.charge

    def own(word, planner=cast.own_planner, charge=unit, contract=cast.contract, **extra):
        return make_log(planner, charge, contract, DAY, content=f"走访 {word}", **extra)

    return {
        "draft": own("甲草稿", state="draft"),
        "withdrawn": own("乙撤回", state="withdrawn"),
        "submitted": own("丙提交"),
        "confirmed": own("丁确认", state="confirmed"),
        "returned": own("戊退回", state="returned"),
        "colleague": own("己同事", planner=cast.colleague_planner),
        "colleague_draft": own("庚同事草稿", planner=cast.colleague_planner, state="draft"),
        "other_unit": own("辛外街", charge=cast.other_unit.charge),
        "foreign": own("壬外区", planner=cast.foreign_planner, charge=cast.foreign_unit.charge, contract=foreign),
    }


OPEN = {"submitted", "confirmed", "returned", "colleague"}
SEEN = {
    "planner": {"draft", "withdrawn", "submitted", "confirmed", "returned", "other_unit"},
    "colleague": {"colleague", "colleague_draft"},
    "lead": OPEN | {"other_unit"},
    "unit_officer": OPEN,
    "other_unit_officer": {"other_unit"},
    "bureau": OPEN | {"other_unit"},
    "leader": OPEN | {"other_unit"},
    "city": OPEN | {"other_unit"},
    "finance": OPEN | {"other_unit"},
    "other_bureau": {"foreign"},
    "foreign": {"foreign"},
    "department": set(),
    "evaluator": set(),
    "sysadmin": set(),
    "secadmin": set(),
    "auditor": set(),
}


def sheet_rows(response) -> list[list]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response.streaming_content)))
    return book.get_sheet_by_index(0).to_python()


def test_list_search_export_and_calendar_hold_the_same_rows(client, cast, logs):
    words = {key: log.content.split()[1] for key, log in logs.items()}

    def shown(response) -> set[str]:
        text = response.content.decode()
        return {key for key, log in logs.items() if f"/worklogs/{log.pk}/" in text}

    for who, seen in SEEN.items():
        client.force_login(getattr(cast, who))
        assert shown(client.get("/worklogs/")) == seen, who
        assert shown(client.get("/worklogs/?q=走访")) == seen, who
        rows = sheet_rows(client.get("/worklogs/export.xlsx?q=走访"))[1:]
        assert {key for key, word in words.items() for row in rows if word in row[6]} == seen, who
        days = client.get("/worklogs/calendar/2026/3/?history=1").content.decode()
        assert f"共 {len(seen)} 条" in days, who


def test_detail_answers_404_for_what_one_may_not_see(client, cast, logs):
    for who, seen in SEEN.items():
        client.force_login(getattr(cast, who))
        for key, log in logs.items():
            assert client.get(f"/worklogs/{log.pk}/").status_code == (200 if key in seen else 404), (who, key)


def test_list_asks_for_a_login(client, cast):
    for address in ("/worklogs/", "/worklogs/export.xlsx", "/worklogs/new/", "/worklogs/calendar/2026/3/"):
        response = client.get(address)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/accounts/login/")


@pytest.mark.parametrize("who", ["planner", "lead", "unit_officer", "bureau"])
def test_list_asks_as_many_questions_for_fifty_rows_as_for_one(client, cast, who):
    client.force_login(getattr(cast, who))
    client.get("/worklogs/")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/worklogs/?month=2026-03&q=走访").status_code == 200
        return len(captured)

    make_log(cast.own_planner, cast.unit.charge, cast.contract, DAY)
    one = queries()
    for number in range(49):
        make_log(
            cast.own_planner,
            cast.unit.charge,
            cast.contract,
            DAY + timedelta(days=number % 20),
            content=f"走访第{number}处",
        )
    fifty = queries()
    assert fifty == one
    # Session, user, membership and its locality, notices: the frame's; the rest is the list's.
    assert fifty <= 8


def test_list_pages_keep_every_row_once(client, cast):
    client.force_login(cast.planner)
    made = [
        make_log(cast.own_planner, cast.unit.charge, cast.contract, DAY + timedelta(days=number % 7))
        for number in range(120)
    ]
    seen, address = [], "/worklogs/?kind=survey"
    while address:
        page = client.get(address).context["page"]
        seen += [row[0] for row in page.rows]
        address = f"/worklogs/{page.next_url}" if page.next_url else ""
    assert seen == [log.pk for log in sorted(made, key=lambda log: (log.date, log.pk), reverse=True)]


FILTERS = [
    ("q=架空", {"wires"}),
    ("q=雄安", {"xiong"}),
    ("q=雄安+公园", {"xiong"}),
    ("q=100%25", {"percent"}),
    ("q=线", {"wires"}),
    ("q=_", set()),
    ("q=PARK", {"percent"}),
    ("q=䶮㛃", {"rare"}),
    ("month=2026-03", {"wires", "xiong", "rare"}),
    ("since=2026-04-01", {"percent"}),
    ("until=2026年3月5日", {"wires", "rare"}),
    ("kind=meeting", {"xiong"}),
    ("met=1", {"rare"}),
    ("name=shan", {"wires", "xiong", "percent", "rare"}),
    ("name=单小", {"wires", "xiong", "percent", "rare"}),
    ("unit=景山", {"wires", "percent", "rare"}),
    ("unit=东四", {"xiong"}),
    ("number=xm-9", {"wires"}),
    ("state=confirmed", {"percent"}),
    ("name=无此人", set()),
]


def test_list_filters(client, cast):
    project = make_project(cast.locality, number="XM-9")

    def log(charge, on, content, **extra):
        return make_log(cast.own_planner, charge, cast.contract, on, content=content, **extra)

    rows = {
        "wires": log(cast.unit.charge, DAY, "核对架空线", project=project),
        "xiong": log(cast.other_unit.charge, date(2026, 3, 6), "与雄安交流", kind="meeting", place="中心公园"),
        "percent": log(cast.unit.charge, date(2026, 4, 2), "完成率 100%，Park", state="confirmed"),
        "rare": log(cast.unit.charge, DAY, "议事会", met_principal=True, met_whom="龚䶮㛃"),
    }
    client.force_login(cast.bureau)
    for query, found in FILTERS:
        shown = {row[0] for row in client.get(f"/worklogs/?{query}").context["page"].rows}
        assert shown == {rows[key].pk for key in found}, query


NONSENSE = [
    "q=%00",
    "month=2026-13",
    "month=%00",
    "since=昨天",
    "charge=x",
    "charge=99999999999999999999",
    "planner=-1",
    "after=AAAA",
    "before=%FF",
    "state=nonsense",
    "name=%00",
    "batch=0",
    "q=" + "长" * 500,
    "sort=-pk;drop",
    "number=%00",
]


def test_list_survives_addresses_that_make_no_sense(client, cast):
    client.force_login(cast.bureau)
    for query in NONSENSE:
        for address in ("/worklogs/", "/worklogs/export.xlsx", "/worklogs/calendar/2026/3/"):
            assert client.get(f"{address}?{query}").status_code == 200, (address, query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("month=2026-13", "月份：请写成 2026-03 这样的月份。"),
        ("since=昨天", "起始日期：无法识别日期“昨天”"),
        ("state=nonsense", "状态："),
        ("charge=x", "责任单元（项目）："),
        ("sort=nonsense", "排序：不能按“nonsense”排列。"),
    ],
)
def test_list_says_which_filter_makes_no_sense_and_goes_on_without_it(client, cast, query, words):
    log = make_log(cast.own_planner, cast.unit.charge, cast.contract, DAY)
    client.force_login(cast.bureau)
    page = client.get(f"/worklogs/?kind=survey&{query}")
    text = page.content.decode()
    assert words in text.split("列表没有完全按它们筛选")[1]
    assert [row[0] for row in page.context["page"].rows] == [log.pk]
    assert text.count('class="chip"') == 1  # the one that holds


def test_list_keeps_what_a_link_narrowed_to_when_more_is_asked_for(client, cast):
    client.force_login(cast.bureau)
    text = client.get(f"/worklogs/?charge={cast.unit.charge_id}").content.decode()
    assert f'<input type="hidden" name="charge" value="{cast.unit.charge_id}">' in text
    assert "责任单元（项目）：景山街道" in text


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite compares, and needs no index")
def test_search_uses_the_index_for_rare_words_alone(cast):
    from worklogs.search import contains

    rows = [
        WorkLog(
            locality=cast.locality,
            planner=cast.own_planner,
            charge=cast.unit.charge,
            charge_name="景山街道",
            contract=cast.contract,
            date=DAY,
            slot="am",
            kind="survey",
            content=f"走访第{number}处{chr(0x4E00 + number)}{chr(0x5E00 + number % 1000)}",
            state="draft",
        )
        for number in range(6000)
    ]
    WorkLog.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE worklogs_worklog")
    rare, common = contains(WorkLog.objects.all(), rows[7].content[-2:]), contains(WorkLog.objects.all(), "走访")
    assert "log_words" in rare.explain()
    assert [log.content for log in rare] == [rows[7].content]
    assert "portal_bigrams" not in str(common.query)
    assert common.count() == 6000


def test_list_filter_by_a_row_of_another_locality_names_nothing(client, cast, logs):
    client.force_login(cast.bureau)
    page = client.get(f"/worklogs/?charge={cast.foreign_unit.charge_id}&planner={cast.foreign_planner.pk}")
    assert "宋庄镇" not in page.content.decode()
    assert cast.foreign_planner.name not in page.content.decode()
    assert page.context["page"].rows == []


def test_export_is_formula_safe_and_leaves_a_trace(client, cast):
    make_log(cast.own_planner, cast.unit.charge, cast.contract, DAY, content='=HYPERLINK("http://x","y")', place="@cmd")
    client.force_login(cast.bureau)
    response = client.get("/worklogs/export.xlsx")
    data = b"".join(response.streaming_content)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert (rows[1][6], rows[1][8]) == ('=HYPERLINK("http://x","y")', "@cmd")
    assert b"<f>" not in data
    entry = AuditEntry.objects.get(action="worklog.export")
    assert (entry.actor, entry.detail["rows"]) == (cast.bureau, 1)


def test_export_comes_back_through_the_import_as_already_there(client, cast, tmp_path):
    from .test_import_worklogs import run

    make_log(cast.own_planner, cast.unit.charge, cast.contract, DAY, content="核对架空线")
    client.force_login(cast.bureau)
    path = tmp_path / "out.xlsx"
    path.write_bytes(b"".join(client.get("/worklogs/export.xlsx").streaming_content))
    status, report = run(path)
    assert (status, report["existing"], report["created"]) == (0, 1, 0)


def test_list_shows_the_newest_version_unless_asked_for_all(client, cast):
    old = make_log(cast.own_planner, cast.unit.charge, cast.contract, DAY, state="confirmed")
    new = make_log(
        cast.own_planner,
        cast.unit.charge,
        cast.contract,
        DAY,
        state="confirmed",
        supersedes=old,
        correction_reason="半天",
    )
    WorkLog.objects.filter(pk=old.pk).update(superseded_by=new)
    client.force_login(cast.bureau)
    assert [row[0] for row in client.get("/worklogs/").context["page"].rows] == [new.pk]
    assert [row[0] for row in client.get("/worklogs/?history=1").context["page"].rows] == [new.pk, old.pk]


def test_calendar_marks_holidays_makeup_days_and_years_not_out(client, cast):
    make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 2, 14))
    client.force_login(cast.planner)
    page = client.get("/worklogs/calendar/2026/2/").content.decode()
    assert "春节" in page
    assert "上班" in page
    assert "尚未公布" not in page
    assert "尚未公布，暂按法定节假日推算" in client.get("/worklogs/calendar/2027/2/").content.decode()
    assert client.get("/worklogs/calendar/2026/13/").status_code == 404
