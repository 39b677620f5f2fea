"""Import on the page: see what would happen, then let it happen, once; mend what was refused."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from core.idempotency import new_key
from core.imports import batches as services
from core.jobs import run_waiting
from core.models import AuditEntry, ImportBatch, Job
from core.tests.examples import few
from worklogs.models import FigureTouch, WorkLog
from worklogs.services import imports as log_imports
from worklogs.services.imports import LOGS

from .sheets import HEADINGS, row, sheet

pytestmark = pytest.mark.django_db


@pytest.fixture
def bureau(client, cast):
    client.force_login(cast.bureau)
    return client


def upload(client, cast, *rows, data=None, name="履职记录.xlsx"):
    file = SimpleUploadedFile(name, sheet(*rows) if data is None else data)
    return client.post("/imports/worklogs/", {"place": cast.locality.code, "file": file, "submission_key": new_key()})


def many(count: int) -> list[dict]:
    return [
        row(日期=date(2025, 1, 1) + timedelta(days=n % 600), 时段=("上午", "下午")[n // 600 % 2], 来源编号=f"N{n}")
        for n in range(count)
    ]


def test_import_page_checks_first_and_imports_on_demand(bureau, cast):
    response = upload(bureau, cast, *many(3))
    batch = ImportBatch.objects.get()
    assert response["Location"] == f"/imports/{batch.pk}/"
    assert (batch.state, batch.report["created"], WorkLog.objects.count()) == ("checked", 3, 0)
    assert "导入 3 行" in bureau.get(f"/imports/{batch.pk}/").content.decode()
    bureau.post(f"/imports/{batch.pk}/run/")
    batch.refresh_from_db()
    assert (batch.state, batch.logs.count(), batch.created_by) == ("done", 3, cast.bureau)
    assert WorkLog.objects.first().created_by == cast.bureau
    shown = bureau.get(f"/worklogs/?batch={batch.pk}")
    assert len(shown.context["page"].rows) == 3


def test_import_page_twice_imports_once(bureau, cast):
    upload(bureau, cast, *many(3))
    batch = ImportBatch.objects.get()
    bureau.post(f"/imports/{batch.pk}/run/")
    again = bureau.post(f"/imports/{batch.pk}/run/")
    assert (again.status_code, WorkLog.objects.count()) == (403, 3)
    assert AuditEntry.objects.filter(action="importbatch.finish").count() == 1


def test_import_page_gives_the_refused_rows_back_with_their_reasons(bureau, cast):
    upload(bureau, cast, row(), row(日期="明天", 内容="=1+1"), row(日期="2026-03-09", 规划师="查无此人"))
    batch = ImportBatch.objects.get()
    page = bureau.get(f"/imports/{batch.pk}/").content.decode()
    assert "只导入合格的 1 行" in page
    # A refused row is known by what it says, not by its number alone.
    assert "2026-03-09 查无此人 景山街道" in page
    response = bureau.get(f"/imports/{batch.pk}/rejected.xlsx")
    lines = (
        CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response.streaming_content)))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert lines[0] == [*HEADINGS, "未导入原因", "原行号"]
    assert [(line[0], line[-1]) for line in lines[1:]] == [("明天", 3), ("2026-03-09", 4)]
    assert "无法识别日期" in lines[1][-2]
    bureau.post(f"/imports/{batch.pk}/run/", {"partial": "1"})
    assert WorkLog.objects.count() == 1


def test_import_page_without_partial_is_all_or_nothing(bureau, cast):
    upload(bureau, cast, row(), row(日期="明天"))
    batch = ImportBatch.objects.get()
    bureau.post(f"/imports/{batch.pk}/run/")
    batch.refresh_from_db()
    assert (batch.state, WorkLog.objects.count()) == ("refused", 0)


def test_import_page_many_rows_go_to_a_job(bureau, cast, monkeypatch):
    monkeypatch.setattr(log_imports.LogImporter, "at_once", 5)
    upload(bureau, cast, *many(12))
    batch = ImportBatch.objects.get()
    bureau.post(f"/imports/{batch.pk}/run/")
    batch.refresh_from_db()
    assert (batch.state, WorkLog.objects.count(), batch.job.kind) == ("running", 0, "core.import")
    assert "正在导入" in bureau.get(f"/imports/{batch.pk}/").content.decode()
    assert run_waiting() == 1
    batch.refresh_from_db()
    assert (batch.state, WorkLog.objects.count(), Job.objects.get().state) == ("done", 12, "done")


def test_import_job_killed_after_writing_adds_nothing_on_the_second_run(bureau, cast, monkeypatch):
    monkeypatch.setattr(log_imports.LogImporter, "at_once", 5)
    upload(bureau, cast, *many(12))
    batch = ImportBatch.objects.get()
    bureau.post(f"/imports/{batch.pk}/run/")
    run_waiting()
    # The lease of a worker that died after its commit runs out, and another one starts from the beginning.
    Job.objects.update(state="waiting", lease_token="", finished=None)
    run_waiting()
    assert WorkLog.objects.count() == 12


def test_import_run_again_answers_with_the_first_result(bureau, cast):
    upload(bureau, cast, *many(3))
    batch = ImportBatch.objects.get()
    first = services.run_batch(batch.pk, actor=cast.bureau, partial=False)
    assert services.run_batch(batch.pk, actor=cast.bureau, partial=False) == first
    batch.refresh_from_db()
    assert (first["created"], batch.report["existing"], WorkLog.objects.count()) == (3, 0, 3)


def test_import_interrupted_leaves_nothing(bureau, cast, monkeypatch):
    upload(bureau, cast, *many(6))
    batch = ImportBatch.objects.get()

    def dies(*args, **kwargs):
        raise RuntimeError("cut off")

    monkeypatch.setattr(log_imports, "_tell_confirmers", dies)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.run_batch(batch.pk, actor=cast.bureau, partial=False)
    batch.refresh_from_db()
    assert (WorkLog.objects.count(), batch.state) == (0, "checked")


@pytest.mark.parametrize(
    "who, status",
    [("bureau", 200), ("unit_officer", 403), ("planner", 403), ("leader", 403), ("sysadmin", 403), ("department", 403)],
)
def test_import_page_by_role(client, cast, who, status):
    client.force_login(getattr(cast, who))
    assert client.get("/imports/worklogs/").status_code == status
    assert client.get("/imports/worklogs/template.xlsx").status_code == status


def test_import_of_another_bureau_is_not_found(client, cast):
    client.force_login(cast.bureau)
    upload(client, cast, row(), row(日期="明天"))
    batch = ImportBatch.objects.get()
    client.force_login(cast.other_bureau)
    for path in ("", "rejected.xlsx"):
        assert client.get(f"/imports/{batch.pk}/{path}").status_code == 404
    assert client.post(f"/imports/{batch.pk}/run/").status_code == 404


def test_import_for_another_locality_is_not_offered(bureau, cast):
    file = SimpleUploadedFile("a.xlsx", sheet(row()))
    response = bureau.post("/imports/worklogs/", {"place": cast.other_locality.code, "file": file})
    assert list(response.context["form"].errors) == ["place"]


@pytest.mark.parametrize(
    "data, name",
    [
        (b"MZ\x90\x00" + b"\0" * 100, "a.xlsx"),
        (b"MZ\x90\x00" + b"\0" * 100, "a.csv"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 50, "a.png"),
        (b"PK\x03\x04", "b.xlsx"),
        (b"\0\0\0", "d.csv"),
    ],
)
def test_import_page_says_what_is_wrong_with_the_file(bureau, cast, data, name):
    response = upload(bureau, cast, data=data, name=name)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not ImportBatch.objects.exists()


def test_import_page_headings_alone_are_told(bureau, cast):
    response = upload(bureau, cast)
    assert "没有数据行" in str(response.context["form"].errors)


_CELL = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.booleans(),
    st.sampled_from(
        ["景山", "单小雨", "全天", "调研走访", "2026-03-05", "２０２６年３月５日", "是", "=1+1", "\x01", "𠮷", "9" * 40]
    ),
)


@few
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(HEADINGS), _CELL, max_size=11), min_size=1, max_size=6),
    partial=st.booleans(),
)
def test_import_of_anything_never_breaks_and_never_keeps_half(cast, rows, partial):
    table = services.read_table(LOGS, io.BytesIO(sheet(*[{**row(), **changed} for changed in rows])), filename="a.xlsx")
    report = services.import_table(
        LOGS, table, place=cast.locality.code, actor=cast.bureau, filename="a.xlsx", partial=partial
    )
    made = WorkLog.objects.count()
    assert made == report.created
    assert report.rows == len(report.refused) + len(report.of("unchanged", "repeated")) + made or not partial
    if report.refused and not partial:
        assert made == 0
    ImportBatch.objects.update(file=None)
    WorkLog.objects.all().delete()


def test_import_is_taken_back_until_a_log_is_confirmed(bureau, cast):
    upload(bureau, cast, *many(3))
    batch = ImportBatch.objects.get()
    bureau.post(f"/imports/{batch.pk}/run/")
    log = WorkLog.objects.first()
    WorkLog.objects.filter(pk=log.pk).update(state="confirmed", confirmed_at=timezone.now())
    assert "已确认" in bureau.get(f"/imports/{batch.pk}/undo/").content.decode()
    bureau.post(f"/imports/{batch.pk}/undo/", {"reason": "传错了月份"})
    assert WorkLog.objects.count() == 3
    WorkLog.objects.filter(pk=log.pk).update(state="submitted")
    FigureTouch.objects.all().delete()
    bureau.post(f"/imports/{batch.pk}/undo/", {"reason": "传错了月份"})
    batch.refresh_from_db()
    assert (WorkLog.objects.count(), batch.state, FigureTouch.objects.exists()) == (0, "undone", True)
    # The same file can come in anew.
    upload(bureau, cast, *many(3))
    assert ImportBatch.objects.first().report["created"] == 3


def test_import_job_that_gave_up_can_be_started_again(bureau, cast, monkeypatch):
    monkeypatch.setattr(log_imports.LogImporter, "at_once", 1)
    upload(bureau, cast, *many(3))
    batch = ImportBatch.objects.get()
    bureau.post(f"/imports/{batch.pk}/run/")
    assert bureau.post(f"/imports/{batch.pk}/run/").status_code == 403
    Job.objects.update(state="failed")
    assert "没有写入任何数据，可以重新导入" in bureau.get(f"/imports/{batch.pk}/").content.decode()
    bureau.post(f"/imports/{batch.pk}/run/")
    assert run_waiting() == 1
    batch.refresh_from_db()
    assert (batch.state, WorkLog.objects.count()) == ("done", 3)
