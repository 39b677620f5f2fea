"""Import of planners: who is meant, what changes, what is refused and why; taken back while nothing depends on it."""

from __future__ import annotations

import io
import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from core.idempotency import new_key
from core.imports import batches
from core.models import AuditEntry, ImportBatch, ImportedRow, ImportMapping
from core.tests.sheets import sheet, upload
from factories import make_contract, make_locality, make_planner
from planners.models import Institution, Planner
from planners.services.import_planners import PlannerImporter
from planners.services.registry import create_planner, update_planner

pytestmark = pytest.mark.django_db
HEADINGS = ("姓名", "证件号码", "电话", "设计单位", "专业", "职称", "执业资格", "学历", "从业起始日期", "下派干部")


def numbered(prefix: str = "1101011990030700", tail: int = 0) -> str:
    """A made-up resident number with a right check character."""
    body = f"{prefix}{tail % 10}"[:17]
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]


ONE, TWO = numbered(tail=1), numbered(tail=2)


def book(*rows: dict, headings=HEADINGS, titles: int = 0) -> bytes:
    return sheet(*rows, headings=headings, title="2026年责任规划师名册", titles=titles)


def run(tmp_path, *rows, options=(), locality="110101", **named) -> tuple[int, dict]:
    path = tmp_path / "planners.xlsx"
    path.write_bytes(book(*rows, **named))
    out, status = io.StringIO(), 0
    place = ["--locality", locality] if locality else []
    try:
        call_command("import_planners", str(path), "--json", *place, *options, stdout=out)
    except SystemExit as exc:
        status = exc.code
    return status, json.loads(out.getvalue())


def reasons(report) -> list[tuple[int, str]]:
    return [(error["row"], error["column"]) for error in report["errors"]]


def test_import_registers_people_as_the_sheet_words_them(cast, tmp_path):
    status, report = run(
        tmp_path,
        {"姓名": " 龚䶮 ", "证件号码": ONE, "电话": "１３８ 0000 0001", "设计单位": "示例规划设计院", "专业": "城乡规划",
         "职称": "高级工程师", "执业资格": "注册城乡规划师、一级注册建筑师", "学历": "硕士", "从业起始日期": "２０１２年７月１日"},
        {"姓名": "买买提•吐尔逊", "职称": "中级", "从业起始日期": 41091, "下派干部": "是", "设计单位": "示例新院"},
        titles=2,
    )  # fmt: skip
    assert (status, report["errors"]) == (0, [])
    first, second = Planner.objects.get(name="龚䶮", identity_tail=ONE[-4:]), Planner.objects.get(name="买买提·吐尔逊")
    assert (first.identity_number, first.title, first.registrations, first.education, str(first.practising_since)) == (
        ONE, "senior", ["first_class_architect", "registered_planner"], "硕士研究生", "2012-07-01",
    )  # fmt: skip
    assert first.sort_key and first.identity_index
    assert (second.title, second.is_secondee, str(second.practising_since)) == ("middle", True, "2012-07-01")
    assert second.institution == Institution.objects.get(name="示例新院")
    assert first.institution == cast.institution
    assert "一并登记设计单位：示例新院" in report["notes"][0]


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("姓名", "", "不能为空"),
        ("姓名", "张三3", "不能含数字"),
        ("证件号码", ONE[:-1] + ("0" if ONE[-1] != "0" else "1"), "校验位"),
        ("证件号码", 1.1010119900307e17, "存成了数字"),
        ("电话", "不详", "电话号码只能含"),
        ("职称", "总工", "可填：无、初级、中级"),
        ("执业资格", "驾驶证", "注册规划师"),
        ("学历", "自学", "博士研究生"),
        ("从业起始日期", "很久以前", "无法识别日期"),
        ("下派干部", "也许", "只能填“是”或“否”"),
    ],
)
def test_import_names_row_column_and_reason_and_writes_nothing(cast, tmp_path, column, value, words):
    before = Planner.objects.count()
    status, report = run(tmp_path, {"姓名": "甲好人"}, {"姓名": "乙坏行", "专业": "园林", column: value})
    assert (status, reasons(report)) == (1, [(3, column)])
    assert words in report["errors"][0]["reason"]
    assert (Planner.objects.count(), report["created"], ImportBatch.objects.count()) == (before, 0, 0)
    status, report = run(
        tmp_path, {"姓名": "甲好人"}, {"姓名": "乙坏行", "专业": "园林", column: value}, options=["--partial"]
    )
    assert (status, report["created"], Planner.objects.count()) == (1, 1, before + 1)


def test_import_changes_what_differs_and_leaves_what_is_empty(cast, tmp_path):
    planner = make_planner(cast.locality, name="单一人", title="junior", profession="建筑", education="本科")
    status, report = run(tmp_path, {"姓名": "单一人", "职称": "高级", "学历": "本科", "专业": None})
    assert (status, report["created"], report["changed"]) == (0, 0, 1)
    assert report["changes"][0]["changes"] == [{"column": "职称", "before": "初级", "after": "副高级"}]
    planner.refresh_from_db()
    assert (planner.title, planner.profession, planner.education) == ("senior", "建筑", "本科")
    entry = AuditEntry.objects.get(action="planner.import")
    assert entry.detail["changed"] == {"职称": ["初级", "副高级"]}
    # A name that is registered in another way of writing is found, and stays as it is.
    make_planner(cast.locality, name="双写（示例）")
    assert run(tmp_path, {"姓名": "双写(示例)", "专业": "园林"})[1]["changed"] == 1
    assert Planner.objects.get(profession="园林").name == "双写（示例）"
    assert run(tmp_path, {"姓名": "单一人", "职称": "高级"})[1]["existing"] == 1


def test_import_tells_namesakes_apart_by_number_or_by_its_tail(cast, tmp_path):
    for number in (ONE, TWO):
        create_planner(cast.locality, actor=cast.bureau, confirm_namesake=True, name="王伟", identity_number=number)
    headings = (*HEADINGS, "证件号后四位")
    status, report = run(tmp_path, {"姓名": "王伟", "专业": "园林"}, headings=headings)
    assert (status, reasons(report)) == (1, [(2, "姓名")])
    assert "有 2 位同名" in report["errors"][0]["reason"]
    assert (
        run(tmp_path, {"姓名": "王伟", "证件号后四位": "0000"}, headings=headings)[1]["errors"][0]["column"]
        == "证件号后四位"
    )
    status, report = run(tmp_path, {"姓名": "王伟", "专业": "园林", "证件号后四位": TWO[-4:]}, headings=headings)
    assert (status, report["changed"]) == (0, 1)
    assert Planner.objects.get(profession="园林").identity_number == TWO
    # A third person of the name, with a number of their own.
    status, report = run(tmp_path, {"姓名": "王伟", "证件号码": numbered(tail=3)})
    assert (status, report["created"], Planner.objects.filter(name="王伟").count()) == (0, 1, 3)


def test_import_refuses_a_number_registered_under_another_name(cast, tmp_path):
    create_planner(cast.locality, actor=cast.bureau, name="王伟", identity_number=ONE)
    status, report = run(tmp_path, {"姓名": "李伟", "证件号码": ONE})
    assert (status, reasons(report)) == (1, [(2, "证件号码")])
    assert "已登记为“王伟”" in report["errors"][0]["reason"]


def test_import_gives_a_number_to_somebody_registered_without_one(cast, tmp_path):
    planner = make_planner(cast.locality, name="单一人")
    _, report = run(tmp_path, {"姓名": "单一人", "证件号码": ONE})
    assert (report["created"], report["changed"]) == (0, 1)
    planner.refresh_from_db()
    assert (planner.identity_number, planner.identity_tail) == (ONE, ONE[-4:])


def test_import_reports_what_the_file_says_twice(cast, tmp_path):
    same = {"姓名": "赵同", "证件号码": ONE, "专业": "园林"}
    status, report = run(
        tmp_path, same, same, {**same, "专业": "建筑"}, {"姓名": "钱无号"}, {"姓名": "钱无号", "证件号码": TWO}
    )
    assert (status, report["repeated_rows"], reasons(report)) == (1, [3], [(4, "姓名"), (5, "姓名")])
    assert "与第 2 行是同一规划师，但内容不同" in report["errors"][0]["reason"]
    assert "第 6 行有同名" in report["errors"][1]["reason"]


def test_import_tells_the_locality_by_its_column(cast, tmp_path):
    headings = ("姓名", "区县")
    rows = [{"姓名": "甲东城", "区县": "东城区"}, {"姓名": "乙通州", "区县": "110112"}]
    status, report = run(tmp_path, *rows, headings=headings, locality="")
    assert (status, report["created"]) == (0, 2)
    assert Planner.objects.get(name="乙通州").locality == cast.other_locality
    status, report = run(tmp_path, {"姓名": "丙"}, {"姓名": "丁", "区县": "火星"}, headings=headings, locality="")
    assert [error["column"] for error in report["errors"]] == ["所属地方", "所属地方"]
    # A file for one locality does not reach another.
    assert run(tmp_path, {"姓名": "戊", "区县": "通州区"}, headings=headings)[0] == 1


def test_import_asks_as_many_questions_for_many_rows_as_for_few(cast, tmp_path):
    importer = PlannerImporter()

    def queries(count: int) -> int:
        table = batches.read_table(
            importer, book(*[{"姓名": f"人{chr(0x4E00 + n)}"} for n in range(count)]), filename="a.xlsx"
        )
        with CaptureQueriesContext(connection) as captured:
            batches.judge(importer, table, "110101", partial=True)
        return len(captured)

    assert queries(40) == queries(2)


# --- on the page ---------------------------------------------------------------------------------------


@pytest.fixture
def bureau(client, cast):
    client.force_login(cast.bureau)
    return client


def test_import_page_shows_each_row_with_its_changes_before_anything_is_written(bureau, cast):
    make_planner(cast.locality, name="单一人", title="junior")
    before = Planner.objects.count()
    _, batch = upload(
        bureau, book({"姓名": "单一人", "职称": "高级"}, {"姓名": "新来人"}, {"姓名": "坏行", "学历": "自学"})
    )
    page = bureau.get(f"/imports/{batch.pk}/").content.decode()
    for words in ("初级 → 副高级", "新来人", "自学", "只导入合格的 2 行"):
        assert words in page
    assert Planner.objects.count() == before
    assert "坏行" not in bureau.get(f"/imports/{batch.pk}/?show=changed").content.decode()
    bureau.post(f"/imports/{batch.pk}/run/", {"partial": "1"})
    assert (Planner.objects.count(), Planner.objects.get(name="单一人").title) == (before + 1, "senior")


def test_import_page_sent_twice_keeps_one_file_and_imports_once(bureau, cast):
    key = new_key()
    first = upload(bureau, book({"姓名": "新来人"}), key=key)[0]
    second = upload(bureau, book({"姓名": "新来人"}), key=key)[0]
    assert (first["Location"], ImportBatch.objects.count()) == (second["Location"], 1)
    batch = ImportBatch.objects.get()
    statuses = [bureau.post(f"/imports/{batch.pk}/run/").status_code for _ in range(2)]
    assert (statuses, Planner.objects.filter(name="新来人").count()) == ([302, 403], 1)


def test_import_of_one_file_by_two_people_registers_everybody_once(bureau, cast):
    data = book({"姓名": "新来人", "证件号码": ONE}, {"姓名": "后来人"})
    batches_ = [upload(bureau, data)[1] for _ in range(2)]
    for batch in batches_:
        bureau.post(f"/imports/{batch.pk}/run/")
    assert Planner.objects.filter(name__in=["新来人", "后来人"]).count() == 2
    batches_[1].refresh_from_db()
    assert (batches_[1].state, batches_[1].report["created"], batches_[1].report["existing"]) == ("done", 0, 2)


def test_import_writes_no_change_that_was_not_looked_over(bureau, cast):
    planner = make_planner(cast.locality, name="单一人", profession="建筑")
    _, batch = upload(bureau, book({"姓名": "单一人", "专业": "园林"}))
    update_planner(planner, actor=cast.bureau, profession="结构")
    response = bureau.post(f"/imports/{batch.pk}/run/", follow=True)
    assert "登记内容有变化" in response.content.decode()
    planner.refresh_from_db()
    batch.refresh_from_db()
    assert (planner.profession, batch.state) == ("结构", "checked")
    bureau.post(f"/imports/{batch.pk}/run/")
    planner.refresh_from_db()
    assert planner.profession == "园林"


def test_import_keeps_no_number_in_the_clear(bureau, cast):
    bad = ONE[:-1] + ("0" if ONE[-1] != "0" else "1")
    _, batch = upload(
        bureau, book({"姓名": "新来人", "证件号码": ONE, "电话": "13800000001"}, {"姓名": "坏", "证件号码": bad})
    )
    assert ONE not in json.dumps(batch.report) and bad not in json.dumps(batch.report)
    assert batch.report["errors"][0]["value"].endswith(bad[-4:])
    assert ONE.encode() not in batch.file.read() and batch.file.read()[:2] != b"PK"
    bureau.post(f"/imports/{batch.pk}/run/", {"partial": "1"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT after FROM core_importedrow")
        assert all("13800000001" not in after for (after,) in cursor.fetchall())
    # The refused row is given back whole to the person who brought it.
    sheet = bureau.get(f"/imports/{batch.pk}/rejected.xlsx")
    lines = (
        CalamineWorkbook.from_filelike(io.BytesIO(b"".join(sheet.streaming_content))).get_sheet_by_index(0).to_python()
    )
    assert (lines[1][0], lines[1][2], lines[1][-1]) == ("坏", bad, 3)


def test_import_asks_what_unknown_headings_mean_and_remembers(bureau, cast):
    data = book({"名字": "新来人", "行当": "园林", "星座": "白羊"}, headings=("名字", "行当", "星座"), titles=1)
    response, batch = upload(bureau, data)
    assert (response["Location"], batch.state) == (f"/imports/{batch.pk}/columns/", "mapping")
    page = bureau.get(f"/imports/{batch.pk}/columns/").content.decode()
    assert "名字" in page and "白羊" in page
    nothing = bureau.post(f"/imports/{batch.pk}/columns/", {"column_1": "专业"})
    assert "还没有对应必填的列：姓名" in nothing.content.decode()
    twice = bureau.post(f"/imports/{batch.pk}/columns/", {"column_0": "姓名", "column_1": "姓名"})
    assert "每个列只能选一次" in twice.content.decode()
    bureau.post(f"/imports/{batch.pk}/columns/", {"column_0": "姓名", "column_1": "专业", "column_2": ""})
    batch.refresh_from_db()
    assert (batch.state, batch.report["created"]) == ("checked", 1)
    bureau.post(f"/imports/{batch.pk}/run/")
    assert Planner.objects.get(name="新来人").profession == "园林"
    # The next file of the locality is understood at once, also at the command line; that of another is not.
    assert upload(bureau, data)[1].state == "checked"
    assert ImportMapping.objects.filter(locality_code="110101").count() == 3
    bureau.force_login(cast.other_bureau)
    assert upload(bureau, data, place="110112")[1].state == "mapping"


def test_import_template_can_be_uploaded_as_it_is(bureau, cast):
    response = bureau.get("/imports/planners/template.xlsx")
    data = b"".join(response.streaming_content)
    book_ = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert book_.sheet_names == ["规划师", "填写说明"]
    assert book_.get_sheet_by_index(0).to_python()[1][0].startswith("【示例】")
    response, _ = upload(bureau, data)
    assert "没有数据行" in response.content.decode()


def test_import_is_taken_back_whole(bureau, cast):
    planner = make_planner(cast.locality, name="单一人", profession="建筑", phone="13800000001")
    rows = [{"姓名": "单一人", "专业": "园林", "电话": "13900000002"}, {"姓名": "新来人", "设计单位": "示例新院"}]
    _, batch = upload(bureau, book(*rows))
    bureau.post(f"/imports/{batch.pk}/run/")
    assert "撤销" in bureau.get(f"/imports/{batch.pk}/").content.decode()
    assert bureau.post(f"/imports/{batch.pk}/undo/", {"reason": ""}).context["form"].errors
    bureau.post(f"/imports/{batch.pk}/undo/", {"reason": "上传错了文件"})
    planner.refresh_from_db()
    batch.refresh_from_db()
    assert (planner.profession, planner.phone, batch.state) == ("建筑", "13800000001", "undone")
    assert not Planner.objects.filter(name="新来人").exists()
    assert not Institution.objects.filter(name="示例新院").exists()
    entry = AuditEntry.objects.get(action="importbatch.undo")
    assert entry.detail["reason"] == "上传错了文件"
    assert bureau.post(f"/imports/{batch.pk}/undo/", {"reason": "再来"}).status_code == 403


def test_import_is_not_taken_back_when_something_depends_on_it(bureau, cast):
    make_planner(cast.locality, name="单一人", profession="建筑")
    _, batch = upload(bureau, book({"姓名": "单一人", "专业": "园林"}, {"姓名": "新来人"}))
    bureau.post(f"/imports/{batch.pk}/run/")
    make_contract(cast.locality, planner=Planner.objects.get(name="新来人"))
    update_planner(Planner.objects.get(name="单一人"), actor=cast.bureau, profession="结构")
    page = bureau.get(f"/imports/{batch.pk}/undo/").content.decode()
    assert "新来人：已有 1 条聘用合同" in page and "单一人：导入之后又被修改" in page
    with pytest.raises(ValidationError, match="已有后续办理"):
        batches.undo_batch(batch, actor=cast.bureau, reason="试试")
    batch.refresh_from_db()
    assert (batch.state, Planner.objects.filter(name="新来人").count(), ImportedRow.objects.count()) == ("done", 1, 2)


def test_import_interrupted_leaves_nothing_and_can_be_run_again(bureau, cast, monkeypatch):
    _, batch = upload(bureau, book({"姓名": "新来人"}, {"姓名": "后来人"}))
    real = PlannerImporter.save

    def dies(self, obj, outcome):
        if obj.name == "后来人":
            raise RuntimeError("cut off")
        real(self, obj, outcome)

    monkeypatch.setattr(PlannerImporter, "save", dies)
    with pytest.raises(RuntimeError):
        batches.run_batch(batch.pk, actor=cast.bureau, partial=False)
    batch.refresh_from_db()
    assert (batch.state, Planner.objects.filter(name="新来人").count()) == ("checked", 0)
    monkeypatch.setattr(PlannerImporter, "save", real)
    batches.run_batch(batch.pk, actor=cast.bureau, partial=False)
    assert Planner.objects.filter(name__in=["新来人", "后来人"]).count() == 2


def test_import_is_for_the_bureau_alone(client, cast):
    kinds = ("planners", "contracts", "units", "worklogs")
    rows = [ImportBatch.objects.create(kind=kind, locality_code="110101", filename="a.xlsx") for kind in kinds]
    for who in ("unit_officer", "department", "lead", "planner", "leader", "city", "finance", "sysadmin", "auditor"):
        client.force_login(getattr(cast, who))
        for batch in rows:
            assert client.get(f"/imports/{batch.kind}/").status_code == 403
            assert client.get(f"/imports/{batch.kind}/template.xlsx").status_code == 403
            paths = ("", "columns/", "undo/", "rejected.xlsx")
            assert {client.get(f"/imports/{batch.pk}/{path}").status_code for path in paths} == {404}
            assert client.post(f"/imports/{batch.pk}/run/").status_code == 404
    client.logout()
    assert client.get("/imports/planners/").status_code == 302


def test_import_of_another_bureau_is_not_found_and_not_offered(bureau, cast):
    _, batch = upload(bureau, book({"姓名": "新来人"}))
    bureau.force_login(cast.other_bureau)
    assert bureau.get(f"/imports/{batch.pk}/").status_code == 404
    assert bureau.post(f"/imports/{batch.pk}/undo/", {"reason": "x"}).status_code == 404
    response, _ = upload(bureau, book({"姓名": "新来人"}))
    assert list(response.context["form"].errors) == ["place"]


def test_import_of_a_city_reaches_its_counties(client, cast, tmp_path):
    city = make_locality("371500", "聊城市")
    county = make_locality("371502", "东昌府区", parent=city)
    _, report = run(tmp_path, {"姓名": "甲", "区县": "东昌府区"}, headings=("姓名", "区县"), locality="371500")
    assert (report["created"], Planner.objects.get(name="甲").locality) == (1, county)
