"""The package for the city: made once, whole, with hashes; sent, received, returned, accepted; and who is late."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from core.errors import Refused, StaleState
from core.jobs import run_one
from core.models import IssuedDocument, Job, Notification
from districts.models import Locality, PolicyVersion
from evaluations.models import FilingPackage, Result, Round
from evaluations.services import filing as service
from evaluations.services.checklist import NotReady
from evaluations.services.rounds import move_round
from evaluations.tests.outcome_cases import announced, published, result_of
from evaluations.tests.round_cases import make_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    return make_site("beijing-core", demo=True)


def made(site, round_):
    """Made by the worker, as after the click."""
    package = service.make_package(round_, actor=site.bureau)
    run_one(package.job_id)
    return FilingPackage.objects.select_related("job", "round__locality", "archive").get(pk=package.pk)


def test_due_is_the_first_such_day_after_the_period():
    assert service.due_after(date(2025, 12, 31), "03-31") == date(2026, 3, 31)
    assert service.due_after(date(2025, 3, 30), "03-31") == date(2025, 3, 31)
    assert service.due_after(date(2025, 3, 31), "03-31") == date(2026, 3, 31)
    assert service.due_after(date(2026, 12, 31), "02-29") == date(2027, 2, 28)
    assert service.due_after(date(2027, 12, 31), "02-29") == date(2028, 2, 29)
    assert service.due_after(date(2025, 12, 31), None) is None


def test_one_click_makes_letter_table_papers_and_an_index_whose_hashes_are_right(site):
    round_ = published(site)
    package = made(site, round_)
    assert (package.due_on, package.recipient) == (date(2026, 3, 31), "市规划和自然资源委员会")
    with zipfile.ZipFile(io.BytesIO(package.archive.read())) as archive:
        names = archive.namelist()
        assert names[0] == "01 报送函.pdf" and "00 目录.xlsx" in names and "02 评估结果表.xlsx" in names
        assert (
            sum(name.startswith("04 评估表/") for name in names) == round_.subjects.filter(direction="planner").count()
        )
        assert {row["name"] for row in package.index} == set(names) - {"00 目录.xlsx"}
        for row in package.index:
            data = archive.read(row["name"])
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (row["sha256"], row["size"])
        table = CalamineWorkbook.from_filelike(io.BytesIO(archive.read("02 评估结果表.xlsx"))).get_sheet_by_index(0)
    rows = table.to_python()
    # Offices that few rated give nobody away, also not to the city; nothing that was written goes along.
    assert any(88.5 in row for row in rows) and not any(91.25 in row for row in rows)
    assert "密封内容" not in str(rows)
    # Asked again the same one is given, and nothing is made twice.
    papers = IssuedDocument.objects.count()
    assert service.make_package(round_, actor=site.bureau).pk == package.pk
    assert (FilingPackage.objects.count(), IssuedDocument.objects.count()) == (1, papers)


def test_a_worker_that_dies_in_the_middle_makes_each_paper_once(site, monkeypatch):
    from evaluations import jobs_papers

    round_ = published(site)
    package = service.make_package(round_, actor=site.bureau)
    real, calls = jobs_papers._archive, []

    def dies(*args):
        calls.append(1)
        if len(calls) == 1:
            raise OSError("disk away")
        return real(*args)

    monkeypatch.setattr(jobs_papers, "_archive", dies)
    run_one(package.job_id)
    papers = set(IssuedDocument.objects.values_list("pk", flat=True))
    assert papers
    Job.objects.filter(pk=package.job_id).update(not_before=None, lease_until=None)
    run_one(package.job_id)
    package.refresh_from_db()
    assert package.archive_id and set(IssuedDocument.objects.values_list("pk", flat=True)) == papers


def test_the_way_from_sent_to_accepted_with_a_return_between(site):
    round_ = published(site)
    first = made(site, round_)
    with pytest.raises(NotReady):
        move_round(round_, "file", actor=site.bureau, today=timezone.localdate())
    with pytest.raises(Refused):
        service.send_package(first, actor=site.leader)
    first = service.send_package(first, actor=site.bureau)
    assert Notification.objects.filter(kind="filing.sent", user=site.city).exists()
    with pytest.raises(Refused, match="仅市级"):
        service.receive_package(first, actor=site.bureau)
    with pytest.raises(StaleState):
        service.accept_package(first, actor=site.city)
    with pytest.raises(ValidationError, match="不能另行制作"):
        service.make_package(round_, actor=site.bureau)
    first = service.receive_package(first, actor=site.city)
    assert first.receipt.startswith("HZ-")
    with pytest.raises(ValidationError, match="原因"):
        service.return_package(first, actor=site.city, reason="")
    first = service.return_package(first, actor=site.city, reason="缺少盖章件")
    second = made(site, round_)
    assert (second.version, second.supersedes) == (2, first)
    second = service.accept_package(
        service.receive_package(service.send_package(second, actor=site.bureau), actor=site.city), actor=site.city
    )
    with pytest.raises(StaleState):
        service.return_package(second, actor=site.city, reason="太晚")
    assert move_round(round_, "file", actor=site.bureau, today=timezone.localdate()).state == "filed"


def test_nothing_is_made_before_the_results_are_in_effect_nor_sent_when_one_was_corrected(site):
    round_ = announced(site)
    with pytest.raises(ValidationError, match="结果生效后"):
        service.make_package(round_, actor=site.bureau)
    Round.objects.filter(pk=round_.pk).update(state="published")
    unmade = service.make_package(round_, actor=site.bureau)
    with pytest.raises(ValidationError, match="还没有制作完成"):
        service.send_package(unmade, actor=site.bureau)
    run_one(unmade.job_id)
    old = result_of(round_, subject__direction="planner", subject=round_.subjects.filter(direction="planner").first())
    Result.objects.create(subject=old.subject, version=2, supersedes=old, state="published", final_grade="优秀")
    with pytest.raises(ValidationError, match="有更正"):
        service.send_package(FilingPackage.objects.get(), actor=site.bureau)
    again = service.remake_package(FilingPackage.objects.get(), actor=site.bureau)
    run_one(again.job_id)
    assert service.send_package(FilingPackage.objects.get(), actor=site.bureau).state == "sent"


def test_a_result_corrected_while_it_is_made_leaves_no_package(site):
    round_ = published(site)
    package = service.make_package(round_, actor=site.bureau)
    old = result_of(round_, subject=round_.subjects.filter(direction="planner").first())
    Result.objects.create(subject=old.subject, version=2, supersedes=old, state="published", final_grade="优秀")
    run_one(package.job_id)
    package.refresh_from_db()
    assert package.archive_id is None and "有更正" in Job.objects.get(pk=package.job_id).message


def test_a_pack_that_asks_for_no_filing_says_so(db):
    site = make_site("tongzhou", demo=True)
    round_ = published(site, scope="planner")
    Round.objects.filter(pk=round_.pk).update(
        rules={key: row for key, row in round_.rules.items() if key != "evaluation.filing"}
    )
    PolicyVersion.objects.filter(is_demo=True).update(is_withdrawn=True)
    with pytest.raises(ValidationError, match="结果备案”未设定"):
        service.make_package(round_, actor=site.bureau)


def test_the_city_sees_who_is_late_and_no_draft(site):
    round_ = published(site)
    package = made(site, round_)
    late = package.due_on + timedelta(days=3)

    def line(day=late):
        return next(row for row in service.filing_lines(site.city, year=2025, today=day) if row.round == round_)

    assert (line().days_late, line().standing, line().package) == (3, "待报送", None)
    assert line(package.due_on).days_late == 0
    service.send_package(package, actor=site.bureau)
    assert (line().days_late, line().package) == (0, package)


def test_the_view_of_the_city_costs_the_same_for_many(site, client):
    published(site)
    client.force_login(site.city)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/evaluations/filings/?year=2025").status_code == 200
        return len(seen)

    queries()
    one = queries()
    Locality.objects.bulk_create(
        Locality(code=f"1102{n:02d}", name=f"示例{n}", parent=site.locality, division=None) for n in range(12)
    )
    assert queries() <= one + 2
