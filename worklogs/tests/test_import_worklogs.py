"""Import of work logs: every form people type, every fault named, all or nothing unless told otherwise."""

from __future__ import annotations

import io
import json
from datetime import date

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import AuditEntry, ImportBatch
from factories import make_assignment, make_contract, make_locality, make_planner, make_project, make_unit
from worklogs.models import WorkLog
from worklogs.services.months import close_month

from .sheets import HEADINGS, row, saved, sheet

pytestmark = pytest.mark.django_db


def run(path, *options, locality="110101") -> tuple[int, dict]:
    """Exit status and report of the command."""
    out, status = io.StringIO(), 0
    try:
        call_command(
            "import_worklogs",
            str(path),
            "--json",
            *(["--locality", locality] if locality else []),
            *options,
            stdout=out,
        )
    except SystemExit as exc:
        status = exc.code
    return status, json.loads(out.getvalue())


def imported(tmp_path, *rows, options=(), **named) -> tuple[int, dict]:
    return run(saved(tmp_path, sheet(*rows)), *options, **named)


def reasons(report) -> list[str]:
    return [error["reason"] for error in report["errors"]]


def test_import_lands_as_submitted_under_contract_and_unit(cast, tmp_path):
    status, report = imported(tmp_path, row(来源编号="LZ-001"))
    log = WorkLog.objects.get()
    assert (status, report["created"], report["errors"]) == (0, 1, [])
    assert (log.state, log.planner, log.charge, log.contract) == (
        "submitted",
        cast.own_planner,
        cast.unit.charge,
        cast.contract,
    )
    assert (log.date, log.slot, log.kind, log.met_principal, log.place) == (
        date(2026, 3, 5),
        "full",
        "survey",
        True,
        "黄化门街",
    )
    assert (log.locality, log.charge_name, log.source_number, log.submitted_at is not None) == (
        cast.locality,
        "景山街道",
        "LZ-001",
        True,
    )


@pytest.mark.parametrize(
    "typed",
    [
        "2026-03-05",
        "2026/3/5",
        "2026年3月5日",
        "20260305",
        "２０２６－０３－０５",
        "２０２６年３月５日",
        date(2026, 3, 5),
        46086,
        20260305,
        " 2026.3.5 ",
    ],
)
def test_import_reads_dates_in_any_form(cast, tmp_path, typed):
    status, report = imported(tmp_path, row(日期=typed))
    assert (status, report["errors"]) == (0, [])
    assert WorkLog.objects.get().date == date(2026, 3, 5)


@pytest.mark.parametrize("typed", ["景山街道", "景山", "景 山 街道"])
def test_import_finds_the_unit_by_its_name_and_without_its_ending(cast, tmp_path, typed):
    assert imported(tmp_path, row(责任单元=typed))[0] == 0
    assert WorkLog.objects.get().charge == cast.unit.charge


@pytest.mark.parametrize(
    "typed, met",
    [("是", True), ("√", True), ("Y", True), ("有", True), ("否", False), ("", False), (None, False), ("无", False)],
)
def test_import_reads_yes_and_no_as_people_write_them(cast, tmp_path, typed, met):
    assert imported(tmp_path, row(会见负责人=typed))[0] == 0
    assert WorkLog.objects.get().met_principal is met


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("日期", "2199-01-01", "不能晚于今天"),
        ("日期", "2024-12-31", "2025-01-01 至 2027-12-31"),
        ("日期", "三月五日", "无法识别日期"),
        ("日期", "2026-02-30", "没有“2026-02-30”这一天"),
        ("日期", "", "“日期”不能为空"),
        ("规划师", "查无此人", "没有登记"),
        ("规划师", "", "“规划师”不能为空"),
        ("责任单元", "不存在街道", "没有这个责任单元"),
        ("责任单元", "东四街道", "没有在“东四街道”的聘用合同"),
        ("责任单元", "宋庄镇", "没有这个责任单元"),
        ("时段", "晚上", "上午、下午、全天"),
        ("工作类别", "喝茶", "调研走访、驻场值班"),
        ("内容", "", "“内容”不能为空"),
        ("内容", "长" * 2001, "不能超过 2000 字"),
        ("会见负责人", "也许", "只能填“是”或“否”"),
        ("项目编号", "XM-404", "没有这个编号的项目"),
        ("证件号后四位", "0000", "证件号后四位不符"),
    ],
)
def test_import_names_row_column_value_and_reason(cast, tmp_path, column, value, words):
    good = row(日期="2026-03-06")
    status, report = imported(tmp_path, good, row(**{column: value}))
    assert status == 1
    assert [(e["row"], e["column"]) for e in report["errors"]] == [(3, column)]
    assert report["errors"][0]["value"] == str(value)[:80]
    assert words in report["errors"][0]["reason"]
    # All or nothing: the good row is not there either.
    assert (report["created"], WorkLog.objects.count(), ImportBatch.objects.count()) == (0, 0, 0)


def test_import_names_every_fault_of_a_row(cast, tmp_path):
    status, report = imported(tmp_path, row(日期="明天", 时段="夜", 工作类别="其它事", 内容=""))
    assert {e["column"] for e in report["errors"]} == {"日期", "时段", "工作类别", "内容"}
    assert status == 1


def test_import_partial_keeps_the_good_rows_and_tells_of_the_others(cast, tmp_path):
    status, report = imported(
        tmp_path, row(), row(日期="2026-03-06", 时段="夜"), row(日期="2026-03-07"), options=["--partial"]
    )
    assert (status, report["created"], report["refused"]) == (1, 2, 1)
    assert WorkLog.objects.count() == 2
    batch = ImportBatch.objects.get()
    assert [(error["row"], error["column"]) for error in batch.report["errors"]] == [(3, "时段")]


def test_import_dry_run_writes_nothing_but_says_what_it_would(cast, tmp_path):
    status, report = imported(tmp_path, row(), options=["--dry-run"])
    assert (status, report["created"], report["dry_run"]) == (0, 1, True)
    assert (
        WorkLog.objects.count(),
        ImportBatch.objects.count(),
        AuditEntry.objects.filter(action__startswith="import").count(),
    ) == (0, 0, 0)


def test_import_again_makes_nothing_twice(cast, tmp_path):
    rows = [row(来源编号="A1"), row(日期="2026-03-06", 来源编号="A2"), row(日期="2026-03-07")]
    imported(tmp_path, *rows)
    status, report = imported(tmp_path, *rows)
    assert (status, report["created"], report["existing"]) == (0, 0, 3)
    assert WorkLog.objects.count() == 3


def test_import_same_number_twice_in_a_file_makes_one(cast, tmp_path):
    status, report = imported(tmp_path, row(来源编号="A1"), row(日期="2026-03-06", 来源编号="A1"))
    assert (status, report["created"], report["repeated"], report["repeated_rows"]) == (0, 1, 1, [3])
    assert WorkLog.objects.get().date == date(2026, 3, 5)


def test_import_same_number_in_two_localities_makes_two(cast, tmp_path):
    planner = make_planner(cast.other_locality, name="通州师")
    make_assignment(make_contract(cast.other_locality, planner=planner), cast.foreign_unit.charge, planner=planner)
    imported(tmp_path, row(来源编号="A1"))
    status, report = imported(tmp_path, row(来源编号="A1", 规划师="通州师", 责任单元="宋庄"), locality="110112")
    assert (status, report["created"]) == (0, 1)


def namesakes(cast):
    for tail in ("123X", "0042"):
        planner = make_planner(cast.locality, name="王伟", identity_tail=tail)
        make_assignment(make_contract(cast.locality, planner=planner), cast.unit.charge, planner=planner)


def test_import_namesakes_are_asked_for_their_identity_tail(cast, tmp_path):
    namesakes(cast)
    status, report = imported(tmp_path, row(规划师="王伟"))
    assert status == 1
    assert "有 2 位同名的规划师" in report["errors"][0]["reason"]
    assert "证件号后四位" in report["errors"][0]["reason"]


@pytest.mark.parametrize("typed, tail", [("123x", "123X"), ("０１２３", None), (42, "0042"), ("0042", "0042")])
def test_import_namesakes_are_told_apart(cast, tmp_path, typed, tail):
    namesakes(cast)
    status, report = imported(tmp_path, row(规划师="王伟", 证件号后四位=typed))
    if tail is None:
        assert (status, report["errors"][0]["column"]) == (1, "证件号后四位")
        return
    assert (status, report["errors"]) == (0, [])
    assert WorkLog.objects.get().planner.identity_tail == tail


@pytest.mark.parametrize(
    "kept, typed", [("买买提·吐尔逊", "买买提•吐尔逊"), ("龚䶮", "龚䶮"), ("𠮷田", "𠮷 田"), ("阿依古丽", "阿依古丽")]
)
def test_import_finds_rare_and_dotted_names(cast, tmp_path, kept, typed):
    planner = cast.lead_planner if kept == "龚䶮" else make_planner(cast.locality, name=kept)
    if kept != "龚䶮":
        make_assignment(make_contract(cast.locality, planner=planner), cast.unit.charge, planner=planner)
    status, report = imported(tmp_path, row(规划师=typed))
    assert (status, report["errors"]) == (0, [])
    assert WorkLog.objects.get().planner == planner


def test_import_points_to_the_project(cast, tmp_path):
    project = make_project(cast.locality, number="XM-7")
    assert imported(tmp_path, row(项目编号="XM-7"))[0] == 0
    assert WorkLog.objects.get().project == project


def test_import_refuses_a_closed_month(cast, tmp_path):
    close_month(cast.unit.charge, actor=cast.unit_officer, month=date(2026, 3, 1))
    status, report = imported(tmp_path, row(), row(日期="2026-04-01"))
    assert (status, [e["row"] for e in report["errors"]], WorkLog.objects.count()) == (1, [2], 0)
    assert "已锁定" in report["errors"][0]["reason"]


def test_import_reports_and_ignores_other_columns_in_any_order(cast, tmp_path):
    headings = ["备注", *reversed(HEADINGS), "天气"]
    status, report = run(saved(tmp_path, sheet({**row(), "备注": "无", "天气": "晴"}, headings=headings)))
    assert (status, report["created"], report["ignored_columns"]) == (0, 1, ["备注", "天气"])


def test_import_reads_csv_too(cast, tmp_path):
    text = ",".join(HEADINGS) + "\n2026/3/5,单小雨,,景山街道,上午,会议,参加例会,否,,,\n"
    for name, data in (("a.csv", text.encode("utf-8-sig")), ("b.csv", text.replace("上午", "下午").encode("gb18030"))):
        status, report = run(saved(tmp_path, data, name))
        assert (status, report["created"]) == (0, 1)
    assert sorted(WorkLog.objects.values_list("slot", flat=True)) == ["am", "pm"]


def test_import_skips_merged_titles_and_blank_rows(cast, tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["2026年3月责任规划师履职记录表"])
    page.merge_cells("A1:K2")
    page.append([])
    page.append([])
    page.append(list(HEADINGS))
    page.append([])
    page.append([row().get(h) for h in HEADINGS])
    page.append([" "] * 4)
    page.append([row(日期="2026-03-06", 时段="夜").get(h) for h in HEADINGS])
    book.save(tmp_path / "merged.xlsx")
    _, report = run(tmp_path / "merged.xlsx", "--partial")
    assert (report["rows"], report["created"], [e["row"] for e in report["errors"]]) == (2, 1, [8])


def test_import_formula_is_a_fault_of_its_cell_or_plain_text(cast, tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(list(HEADINGS))
    page.append([row(内容='=HYPERLINK("http://x","点我")').get(h) for h in HEADINGS])
    book.save(tmp_path / "formula.xlsx")
    status, report = run(tmp_path / "formula.xlsx")
    assert (status, report["errors"][0]["column"], "公式" in report["errors"][0]["reason"]) == (1, "内容", True)
    text = ",".join(HEADINGS) + '\n2026/3/5,单小雨,,景山街道,上午,会议,"=1+1 号楼现场",否,,,\n'
    assert run(saved(tmp_path, text.encode(), "f.csv"))[0] == 0
    assert WorkLog.objects.get().content == "=1+1 号楼现场"


def test_import_a_million_empty_rows_is_quick(cast, tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(list(HEADINGS))
    page.append([row().get(h) for h in HEADINGS])
    # A styled cell at the very end is what makes a sheet claim a million rows.
    page.cell(row=1_048_576, column=1).number_format = "0.00"
    book.save(tmp_path / "million.xlsx")
    status, report = run(tmp_path / "million.xlsx")
    assert (status, report["rows"], report["created"]) == (0, 1, 1)


@pytest.mark.parametrize(
    "data, name",
    [
        (b"MZ\x90\x00" + b"\0" * 200, "logs.xlsx"),
        (b"", "logs.xlsx"),
        (b"\x89PNG\r\n\x1a\n", "a.csv"),
        (b"PK\x03\x04broken", "b.xlsx"),
    ],
)
def test_import_says_when_the_file_is_no_spreadsheet(cast, tmp_path, data, name):
    status, report = run(saved(tmp_path, data, name))
    assert (status, report["errors"][0]["row"], WorkLog.objects.count()) == (1, 0, 0)
    with pytest.raises(CommandError):
        call_command("import_worklogs", str(tmp_path / name), "--locality", "110101")


def test_import_says_which_heading_is_missing(cast, tmp_path):
    headings = [h for h in HEADINGS if h != "时段"]
    status, report = run(saved(tmp_path, sheet(row(), headings=headings)))
    assert status == 1
    assert "时段" in report["errors"][0]["reason"]


def test_import_without_locality_tells_it_by_the_unit(cast, tmp_path):
    county = make_locality("371502", "东昌府区", parent=make_locality("371500", "聊城市"))
    unit = make_unit(county, name="古楼街道")
    planner = make_planner(county, name="单小雨")
    make_assignment(make_contract(county, planner=planner), unit.charge, planner=planner)
    status, report = imported(tmp_path, row(), row(责任单元="古楼", 日期="2026-03-06"), locality=None)
    assert (status, report["errors"]) == (0, [])
    assert {log.planner.locality.code: log.locality.code for log in WorkLog.objects.all()} == {
        "110101": "110101",
        "371502": "371502",
    }


def test_import_of_a_city_reaches_its_counties(cast, tmp_path):
    city = make_locality("371500", "聊城市")
    unit = make_unit(make_locality("371502", "东昌府区", parent=city), name="古楼街道")
    planner = make_planner(city, name="市里来的")
    make_assignment(make_contract(city, planner=planner), unit.charge, planner=planner)
    status, report = imported(tmp_path, row(责任单元="古楼街道", 规划师="市里来的"), locality="371500")
    assert (status, report["errors"], WorkLog.objects.get().locality.code) == (0, [], "371502")


def test_import_short_name_of_two_units_is_the_one_served_or_a_question(cast, tmp_path):
    town = make_unit(cast.locality, name="景山镇")
    assert imported(tmp_path, row(责任单元="景山"))[0] == 0
    assert WorkLog.objects.get().charge == cast.unit.charge
    make_assignment(cast.contract, town.charge, team=cast.team)
    status, report = imported(tmp_path, row(责任单元="景山", 日期="2026-03-06"))
    assert status == 1
    assert "有 2 个责任单元" in report["errors"][0]["reason"]


def test_import_is_one_entry_in_the_audit_log_and_one_notice(cast, tmp_path):
    imported(
        tmp_path, *[row(日期=f"2026-03-{day:02d}") for day in range(2, 12)], options=["--actor", cast.bureau.username]
    )
    entry = AuditEntry.objects.get(action="importbatch.finish")
    assert (entry.actor, entry.detail["created"]) == (cast.bureau, 10)
    assert cast.unit_officer.notifications.filter(kind="worklog.waiting").count() == 1


def test_import_asks_as_many_questions_for_many_rows_as_for_few(cast, tmp_path):
    def queries(*rows) -> int:
        path = saved(tmp_path, sheet(*rows))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert run(path)[0] == 0
        return len(captured)

    few = queries(row(来源编号="1"))
    many = queries(*[row(日期=f"2026-03-{day:02d}", 来源编号=f"N{day}") for day in range(6, 31)])
    assert many == few
