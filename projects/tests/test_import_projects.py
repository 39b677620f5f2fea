"""Import of projects: what one is registered with, in the locality's words; taken back while nothing points to it."""

from __future__ import annotations

import io
import json
from datetime import date

import pytest
from django.core.management import call_command

from core.imports import batches
from core.models import ImportBatch
from core.tests.sheets import sheet, upload
from factories import make_log, make_project
from projects.imports import PROJECTS
from projects.models import Project

pytestmark = pytest.mark.django_db
HEADINGS = (
    "项目编号", "项目名称", "项目类型", "项目等级", "阶段", "地点", "责任单元", "所在单位", "建设单位", "设计单位", "施工单位",
    "项目概况", "涉及的其他地方", "开工日期", "计划竣工日期", "必须咨询的地区和项目",
)  # fmt: skip
GOOD = {"项目编号": "XM-1", "项目名称": "示例街巷提升", "项目类型": "公共空间"}


def run(tmp_path, *rows, options=()) -> tuple[int, dict]:
    path, out, status = tmp_path / "projects.xlsx", io.StringIO(), 0
    path.write_bytes(sheet(*rows, headings=HEADINGS, title="项目台账", titles=1))
    try:
        call_command("import_projects", str(path), "--locality", "110101", "--json", *options, stdout=out)
    except SystemExit as exc:
        status = exc.code
    return status, json.loads(out.getvalue())


def test_import_registers_and_changes_projects(cast, tmp_path):
    office = cast.unit.office.name
    status, report = run(tmp_path, {**GOOD, "阶段": "施工巡查", "责任单元": "景山街道、东四街道", "所在单位": office})
    assert (status, report["errors"]) == (0, [])
    project = Project.objects.get(number="XM-1")
    assert (project.kind, project.stage, project.owner) == ("public_space", "construction", cast.unit.office)
    assert set(project.units.all()) == {cast.unit, cast.other_unit}
    status, report = run(tmp_path, {**GOOD, "责任单元": "景山街道", "地点": "示例胡同"})
    assert report["changes"][0]["changes"] == [
        {"column": "地点", "before": "", "after": "示例胡同"},
        {"column": "责任单元", "before": "东四街道、景山街道", "after": "景山街道"},
    ]
    assert list(project.units.all()) == [cast.unit]
    assert run(tmp_path, GOOD)[1]["existing"] == 1


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("项目编号", "", "不能为空"),
        ("项目类型", "种树", "可填：城市更新"),
        ("阶段", "竣工", "可填：立项"),
        ("责任单元", "宋庄镇", "本地方没有这个责任单元"),
        ("所在单位", "某局", "没有登记这个单位"),
        ("项目等级", "特级", "等级"),
    ],
)
def test_import_names_what_is_wrong(cast, tmp_path, column, value, words):
    status, report = run(tmp_path, {**GOOD, column: value})
    assert (status, [error["column"] for error in report["errors"]]) == (1, [column])
    assert words in report["errors"][0]["reason"]
    assert not Project.objects.exists()


def test_import_is_taken_back_unless_a_log_points_to_the_project(client, cast):
    old = make_project(cast.locality, number="XM-9", name="旧名", units=[cast.unit])
    client.force_login(cast.bureau)
    rows = [GOOD, {**GOOD, "项目编号": "XM-9", "责任单元": "东四街道"}]
    _, batch = upload(client, sheet(*rows, headings=HEADINGS), kind="projects")
    client.post(f"/imports/{batch.pk}/run/")
    log = make_log(
        cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 5), project=Project.objects.get(number="XM-1")
    )
    assert any("1 条履职记录" in words for words in PROJECTS.obstacles(ImportBatch.objects.get()))
    log.delete()
    batches.undo_batch(batch, actor=cast.bureau, reason="传错了")
    old.refresh_from_db()
    assert (old.name, list(old.units.all())) == ("旧名", [cast.unit])
    assert not Project.objects.filter(number="XM-1").exists()


def test_import_is_for_the_bureau_alone(client, cast):
    for who, status in (("bureau", 200), ("unit_officer", 403), ("planner", 403), ("department", 403), ("leader", 403)):
        client.force_login(getattr(cast, who))
        assert client.get("/imports/projects/").status_code == status


WHOLE = {
    **GOOD, "阶段": "方案审查", "建设单位": "甲公司、乙公司", "设计单位": "示例规划设计院", "施工单位": "丙建工", "项目概况": "街角改造",
    "涉及的其他地方": "110112", "开工日期": "2026年5月1日", "计划竣工日期": "2026/12/1",
}  # fmt: skip


def test_import_brings_parties_dates_other_places_and_opens_the_stage_entered_at(cast, tmp_path):
    status, report = run(tmp_path, WHOLE)
    assert (status, report["errors"]) == (0, [])
    project = Project.objects.get()
    assert (project.summary, list(project.also_in.all())) == ("街角改造", [cast.other_locality])
    assert set(project.parties.values_list("role", "name")) == {
        ("builder", "甲公司"), ("builder", "乙公司"), ("designer", "示例规划设计院"), ("contractor", "丙建工"),
    }  # fmt: skip
    assert project.parties.get(role="designer").institution == cast.institution
    assert list(project.key_dates.values_list("title", "day")) == [
        ("开工", date(2026, 5, 1)),
        ("计划竣工", date(2026, 12, 1)),
    ]
    stage = project.stages.get()
    assert (stage.stage, stage.state, stage.policy_version) == ("scheme", "open", cast.contract.policy_version)
    assert run(tmp_path, WHOLE)[1]["existing"] == 1


def test_import_replaces_the_parties_of_a_role_that_it_names_and_no_others(cast, tmp_path):
    run(tmp_path, WHOLE)
    _, report = run(tmp_path, {**GOOD, "建设单位": "乙公司、丁公司", "开工日期": "2026-06-01"})
    assert report["changes"][0]["changes"] == [
        {"column": "开工日期", "before": "2026-05-01", "after": "2026-06-01"},
        {"column": "建设单位", "before": "乙公司、甲公司", "after": "丁公司、乙公司"},
    ]
    project = Project.objects.get()
    active = set(project.parties.filter(is_active=True).values_list("name", flat=True))
    assert active == {"乙公司", "丁公司", "示例规划设计院", "丙建工"}
    assert project.parties.get(name="甲公司").is_active is False
    assert project.key_dates.get(title="开工").day == date(2026, 6, 1)


def test_import_does_not_move_a_registered_project_to_another_stage(cast, tmp_path):
    run(tmp_path, WHOLE)
    status, report = run(tmp_path, {**GOOD, "阶段": "验收"})
    assert status == 1
    assert "现处于“方案审查”；阶段在项目页面办理" in report["errors"][0]["reason"]
    assert run(tmp_path, {**GOOD, "阶段": "方案审查"})[1]["existing"] == 1


def test_import_points_out_what_may_be_registered_already(cast, client):
    make_project(cast.locality, number="XM-8", name="示例街巷提升", place="示例胡同")
    client.force_login(cast.bureau)
    _, batch = upload(client, sheet({**GOOD, "地点": "示例胡同"}, headings=HEADINGS), kind="projects")
    page = client.get(f"/imports/{batch.pk}/").content.decode()
    assert "请核对是否重复登记：XM-8（名称和地点相同）" in page
    # It is pointed out, not refused.
    client.post(f"/imports/{batch.pk}/run/")
    assert Project.objects.count() == 2


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("涉及的其他地方", "天上", "没有这个地方"),
        ("涉及的其他地方", "东城区", "不用填项目所在地方"),
        ("设计单位", "院" * 121, "最多 120 字"),
        ("开工日期", "明年", ""),
        ("必须咨询的地区和项目", "中央活动区", "没有规定必须咨询的地区和项目"),
    ],
)
def test_import_names_what_is_wrong_with_what_hangs_on_a_project(cast, tmp_path, column, value, words):
    status, report = run(tmp_path, {**GOOD, column: value})
    assert (status, [error["column"] for error in report["errors"]]) == (1, [column])
    assert words in report["errors"][0]["reason"]
    assert not Project.objects.exists()


def test_a_whole_import_is_taken_back_with_all_that_hung_on_it(client, cast):
    old = make_project(cast.locality, number="XM-9", name="旧名")
    old.parties.create(role="builder", name="原建设单位")
    old.key_dates.create(title="开工", day=date(2026, 1, 1))
    client.force_login(cast.bureau)
    rows = [
        WHOLE,
        {**GOOD, "项目编号": "XM-9", "建设单位": "新建设单位", "开工日期": "2026-02-02", "涉及的其他地方": "通州区"},
    ]
    _, batch = upload(client, sheet(*rows, headings=HEADINGS), kind="projects")
    client.post(f"/imports/{batch.pk}/run/")
    old.refresh_from_db()
    assert old.parties.get(is_active=True).name == "新建设单位"
    batch.refresh_from_db()
    batches.undo_batch(batch, actor=cast.bureau, reason="传错了")
    assert Project.objects.get() == old
    assert old.parties.get(is_active=True).name == "原建设单位"
    assert old.key_dates.get().day == date(2026, 1, 1)
    assert not old.also_in.exists()


def test_an_import_is_not_taken_back_over_a_project_that_has_moved_on(client, cast):
    from projects.services.stages import skip_stage

    client.force_login(cast.bureau)
    _, batch = upload(client, sheet(WHOLE, headings=HEADINGS), kind="projects")
    client.post(f"/imports/{batch.pk}/run/")
    skip_stage(Project.objects.get().stages.get(), actor=cast.bureau, reason="免")
    assert any("导入之后又被修改" in words for words in PROJECTS.obstacles(ImportBatch.objects.get()))
