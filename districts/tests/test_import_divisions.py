"""The division table: whole, repeatable, and clear about files that are not what they should be."""

from __future__ import annotations

import time
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from districts.models import Division
from districts.services.divisions import DivisionsUnreadable, import_divisions

SHIPPED = settings.BASE_DIR / "districts/data/divisions"

FILES = {
    "provinces.csv": "code,name\n11,北京市\n",
    "cities.csv": "code,name,provinceCode\n1101,市辖区,11\n",
    "areas.csv": "code,name,cityCode,provinceCode\n110101,东城区,1101,11\n",
    "streets.csv": "code,name,areaCode,provinceCode,cityCode\n"
    "110101001,东华门街道,110101,11,1101\n110101002,景山街道,110101,11,1101\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.django_db
def test_shipped_table_comes_in_whole_within_a_minute_and_a_second_time_changes_nothing():
    begun = time.monotonic()
    first = import_divisions(SHIPPED)
    assert time.monotonic() - begun < 60
    assert (first.added, first.changed) == (44703, 0)
    assert first.per_level == {"省级": 31, "地级": 342, "县级": 2978, "乡级": 41352}
    second = import_divisions(SHIPPED)
    assert (second.added, second.changed, second.unchanged) == (0, 0, 44703)
    street = Division.objects.select_related("parent__parent__parent").get(code="371502001")
    assert street.parent.name == "东昌府区"
    assert street.parent.parent.name == "聊城市"


@pytest.mark.django_db
def test_renamed_street_is_renamed_and_a_vanished_one_is_kept(folder):
    import_divisions(folder)
    (folder / "streets.csv").write_text(
        "code,name,areaCode,provinceCode,cityCode\n110101001,东华门新街道,110101,11,1101\n", encoding="utf-8"
    )
    result = import_divisions(folder)
    assert (result.added, result.changed, result.missing) == (0, 1, 1)
    assert Division.objects.get(code="110101001").name == "东华门新街道"
    assert Division.objects.filter(code="110101002").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("streets.csv", None, "streets.csv：无法读取文件"),
        ("areas.csv", "code,title\n110101,东城区\n", "areas.csv：缺少列 name、cityCode"),
        ("streets.csv", "code,name,areaCode\n11010100,东华门街道,110101\n", "第 2 行，区划代码“11010100”应为 9 位数字"),
        ("streets.csv", "code,name,areaCode\n110101001,东华门街道,999999\n", "上级代码“999999”不在上一级的文件中"),
        ("streets.csv", "code,name,areaCode\n110101001,,110101\n", "名称为空"),
        (
            "streets.csv",
            "code,name,areaCode\n110101001,甲,110101\n110101001,乙,110101\n",
            "第 3 行，区划代码 110101001 重复",
        ),
        ("provinces.csv", "code,name\n", "provinces.csv：没有任何数据行"),
    ],
)
def test_a_bad_file_is_named_with_its_line_and_nothing_is_written(folder, file, text, words):
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(DivisionsUnreadable) as refused:
        import_divisions(folder)
    assert words in str(refused.value)
    assert not Division.objects.exists()


@pytest.mark.django_db
def test_a_file_in_another_encoding_is_refused(folder):
    (folder / "areas.csv").write_bytes("code,name,cityCode\n110101,东城区,1101\n".encode("gb18030"))
    with pytest.raises(DivisionsUnreadable, match="不是 UTF-8"):
        import_divisions(folder)


@pytest.mark.django_db
def test_command_tells_what_it_did_and_fails_with_words(folder):
    out = StringIO()
    call_command("import_divisions", str(folder), stdout=out)
    assert "新增 5" in out.getvalue()
    with pytest.raises(CommandError, match="行政区划未导入"):
        call_command("import_divisions", str(folder / "nowhere"))
