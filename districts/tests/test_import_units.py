"""Import of units: of streets, of parts of streets, from a document; taken back with their charges."""

from __future__ import annotations

import json

import pytest

from core.imports import batches
from core.models import ImportBatch
from core.tests.sheets import sheet, upload
from districts.models import Charge, Division, Unit
from districts.services.imports import UNITS
from factories import make_assignment

pytestmark = pytest.mark.django_db
HEADINGS = ("责任单元", "类别", "覆盖街道", "片区类型", "主管部门", "来源", "文件依据", "设立日期", "备注")


@pytest.fixture
def streets(cast):
    """东城区 stands on the division table, with three streets."""
    for code, name, level, parent in (
        ("11", "北京市", "province", None), ("1101", "市辖区", "city", "11"), ("110101", "东城区", "county", "1101"),
        ("110101001", "东华门街道", "street", "110101"), ("110101002", "景山街道", "street", "110101"),
        ("110101003", "交道口街道", "street", "110101"),
    ):  # fmt: skip
        Division.objects.create(code=code, name=name, level=level, parent_id=parent)
    cast.locality.division_id = "110101"
    cast.locality.save()
    return cast


def imported(cast, *rows, partial=False):
    table = batches.read_table(UNITS, sheet(*rows, headings=HEADINGS), filename="单元.xlsx", place="110101")
    return batches.import_table(UNITS, table, place="110101", actor=cast.bureau, filename="单元.xlsx", partial=partial)


def parts(name: str) -> list[tuple[str, str]]:
    return sorted(Unit.objects.get(name=name).parts.values_list("division__name", "portion"))


def test_import_sets_up_units_of_streets_parts_and_documents(streets):
    report = imported(
        streets,
        {"责任单元": "东华门街道", "主管部门": "东四街道办事处", "设立日期": "2024.1.1"},
        {"责任单元": "交道口南片", "类别": "组团", "覆盖街道": "交道口街道（鼓楼东大街以南）、东华门街道"},
        {"责任单元": "故宫周边", "类别": "其它", "来源": "文件确定", "文件依据": "某文件 三(一)"},
    )
    assert [(p.column, p.reason) for p in report.problems] == []
    one = Unit.objects.get(name="东华门街道")
    assert (one.kind, one.origin, str(one.valid_from), one.office.name) == (
        "street", "division", "2024-01-01", "东四街道办事处",
    )  # fmt: skip
    assert one.charge.name == "东华门街道" and one.sort_key
    assert parts("交道口南片") == [("东华门街道", ""), ("交道口街道", "鼓楼东大街以南")]
    assert (Unit.objects.get(name="故宫周边").origin, parts("故宫周边")) == ("document", [])


@pytest.mark.parametrize(
    "row, column, words",
    [
        ({"责任单元": "无名片区"}, "覆盖街道（乡镇）", "没有同名的街道"),
        ({"责任单元": "甲", "覆盖街道": "宋庄镇"}, "覆盖街道（乡镇）", "本地方没有这个街道"),
        ({"责任单元": "甲", "来源": "文件确定"}, "文件依据", "须写明文件依据"),
        ({"责任单元": "甲", "覆盖街道": "东华门街道", "类别": "公园"}, "类别", "没有这一项"),
        ({"责任单元": "甲", "覆盖街道": "东华门街道", "主管部门": "某局"}, "主管部门", "没有登记这个单位"),
        ({"责任单元": "", "备注": "无名"}, "名称", "不能为空"),
    ],
)
def test_import_names_what_is_wrong(streets, row, column, words):
    report = imported(streets, row)
    assert [p.column for p in report.problems] == [column]
    assert words in report.problems[0].reason


def test_import_changes_a_unit_shows_how_and_takes_it_back(streets, client):
    unit = streets.unit
    unit.parts.create(division_id="110101002", portion="")
    client.force_login(streets.bureau)
    data = sheet(
        {"责任单元": "景山街道", "覆盖街道": "景山街道（以东）", "备注": "调整"},
        {"责任单元": "东华门街道"},
        headings=HEADINGS,
    )
    _, batch = upload(client, data, kind="units")
    page = client.get(f"/imports/{batch.pk}/").content.decode()
    assert "景山街道 → 景山街道（以东）" in page
    client.post(f"/imports/{batch.pk}/run/")
    assert parts("景山街道") == [("景山街道", "以东")]
    client.post(f"/imports/{batch.pk}/undo/", {"reason": "范围有误"})
    unit.refresh_from_db()
    assert (parts("景山街道"), unit.note) == ([("景山街道", "")], "")
    assert not Unit.objects.filter(name="东华门街道").exists()
    assert not Charge.objects.filter(name="东华门街道").exists()


def test_import_is_not_taken_back_once_somebody_is_assigned(streets):
    imported(streets, {"责任单元": "东华门街道"})
    make_assignment(streets.contract, Unit.objects.get(name="东华门街道").charge, team=streets.team)
    assert UNITS.obstacles(ImportBatch.objects.get()) == ["东华门街道：已有 1 条派驻安排。"]


def test_import_command_imports_units(streets, tmp_path, capsys):
    from django.core.management import call_command

    path = tmp_path / "units.csv"
    path.write_text("名称,备注\n东华门街道,一\n不存在街道,二\n", encoding="gb18030")
    with pytest.raises(SystemExit) as stopped:
        call_command("import_units", str(path), "--locality", "110101", "--json", "--partial")
    report = json.loads(capsys.readouterr().out)
    assert (stopped.value.code, report["created"], report["refused"], report["errors"][0]["row"]) == (1, 1, 1, 3)
