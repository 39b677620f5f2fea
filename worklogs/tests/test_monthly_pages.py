"""The pages of the monthly report: whose is seen by whom, written, accepted by the dozen, exported, printed."""

from __future__ import annotations

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from core.jobs import run_one
from core.models import IssuedDocument, Job
from factories import make_assignment
from planners.models import Planner
from worklogs.models import MonthlyReport
from worklogs.services.monthly import accept_report
from worklogs.services.monthly_documents import issue_report
from worklogs.services.monthly_plan import start_report
from worklogs.services.months import close_month
from worklogs.tests.monthly_cases import MARCH, TEXTS, march_logs, report_of

EVERYBODY = [
    "planner", "lead", "colleague", "unit_officer", "other_unit_officer", "bureau", "other_bureau", "department",
    "leader", "city", "finance", "evaluator", "sysadmin", "secadmin", "auditor",
]  # fmt: skip
READERS = {"planner", "lead", "unit_officer", "bureau", "leader", "city"}


def sheet(response) -> list[list]:
    data = b"".join(response.streaming_content)
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def test_monthly_seen_on_each_channel_by_the_same_people(client, cast, subtests):
    march_logs(cast)
    report = report_of(cast, submitted=True)
    for who in EVERYBODY:
        client.force_login(getattr(cast, who))
        seen = {report} if who in READERS else set()
        with subtests.test(who=who):
            assert {line.report for line in client.get("/worklogs/monthly/").context["lines"]} == seen
            assert client.get(report.get_absolute_url()).status_code == (200 if seen else 404)
            rows = sheet(client.get("/worklogs/monthly/export.xlsx"))
            assert sum(TEXTS["summary"] in row for row in rows) == len(seen)
            assert client.post(f"/worklogs/monthly/{report.pk}/pdf/").status_code == (302 if seen else 404)


@pytest.mark.parametrize("who", ["lead", "unit_officer", "bureau", "leader"])
def test_monthly_draft_is_known_to_be_owed_but_read_by_its_author_alone(client, cast, who):
    report = report_of(cast)
    MonthlyReport.objects.filter(pk=report.pk).update(texts={"summary": "还没写完"})
    client.force_login(getattr(cast, who))
    page = client.get("/worklogs/monthly/").content.decode()
    assert "未提交" in page and report.get_absolute_url() not in page
    assert client.get(report.get_absolute_url()).status_code == 404
    rows = sheet(client.get("/worklogs/monthly/export.xlsx"))
    assert not any("还没写完" in str(cell) for row in rows for cell in row)
    # The same when its author has no login.
    Planner.objects.filter(pk=report.author_id).update(user=None)
    assert client.get(report.get_absolute_url()).status_code == 404


def test_monthly_written_and_handed_in_on_its_page(client, cast):
    march_logs(cast)
    client.force_login(cast.planner)
    started = {"month": "2026-03", "charge": cast.unit.charge_id}
    address = client.post("/worklogs/monthly/new/", started).url
    assert client.post("/worklogs/monthly/new/", started).url == address and MonthlyReport.objects.count() == 1
    page = client.get(address).content.decode()
    assert 'data-autosave="monthly:' in page and "3 条记录，不必重复填写" in page
    # Figures are nobody's to send.
    sent = {"revision": "0", **TEXTS, "facts": '{"totals": {"logs": 99}}', "state": "locked"}
    client.post(address, {**sent, "save": "1"})
    page = client.post(address, {**sent, "save": "1"}).content.decode()
    assert "已在别处保存过" in page and TEXTS["plans"] in page
    page = client.post(address, {"revision": "1", "summary": "", "plans": "有", "submit": "1"}).content.decode()
    assert "请填写“本月小结”" in page
    revision = MonthlyReport.objects.get().revision
    client.post(address, {**sent, "revision": revision, "submit": "1"})
    report = MonthlyReport.objects.get()
    assert (report.state, report.texts, report.facts["totals"]["logs"]) == ("submitted", TEXTS, 3)
    assert client.get(address).status_code == 403


def test_monthly_accepted_by_the_dozen_and_the_others_say_why(client, cast):
    make_assignment(cast.contract, cast.other_unit.charge, team=cast.team)
    first = report_of(cast, submitted=True)
    other = start_report(cast.own_planner, actor=cast.planner, charge=cast.other_unit.charge, month=MARCH)
    client.force_login(cast.bureau)
    page = client.post("/worklogs/monthly/accept/", {"reports": [first.pk, other.pk]}, follow=True).content.decode()
    assert "已接受 1 份工作月报" in page
    first.refresh_from_db()
    assert first.state == "accepted"
    page = client.post("/worklogs/monthly/accept/", {"reports": [first.pk]}, follow=True).content.decode()
    assert "没有接受" in page
    assert "没有勾选" in client.post("/worklogs/monthly/accept/", {}, follow=True).content.decode()
    client.force_login(cast.planner)
    client.post("/worklogs/monthly/accept/", {"reports": [first.pk]})
    first.refresh_from_db()
    assert first.accepted_by == cast.bureau


def test_monthly_list_is_asked_by_its_address_and_costs_the_same_for_many(client, cast):
    report = report_of(cast, submitted=True)
    client.force_login(cast.bureau)

    def shown(query: str) -> int:
        return len(client.get(f"/worklogs/monthly/?{query}").context["lines"])

    assert (shown("month=2026-03"), shown("month=2026-04"), shown("state=draft"), shown("q=景山")) == (1, 0, 0, 1)
    assert (shown("q=单小雨"), shown("late=1"), shown("sort=-charge")) == (1, 0, 1)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get("/worklogs/monthly/")
        return len(seen)

    queries()
    one = queries()
    MonthlyReport.objects.bulk_create(
        MonthlyReport(
            locality=report.locality, contract=report.contract, charge=report.charge, author=report.author,
            month=MARCH.replace(year=1990 + n), title="工作月报",
        )
        for n in range(30)
    )  # fmt: skip
    assert shown("") == 31
    assert queries() == one <= 8


def test_monthly_on_paper_is_issued_once_when_it_is_locked(client, cast, django_capture_on_commit_callbacks):
    march_logs(cast)
    report = report_of(cast, submitted=True)
    with pytest.raises(ValueError, match="locked"):
        issue_report(report.pk, actor=cast.planner)
    accept_report(report, actor=cast.unit_officer)
    close_month(cast.unit.charge, actor=cast.unit_officer, month=MARCH)
    client.force_login(cast.planner)
    client.post(f"/worklogs/monthly/{report.pk}/pdf/")
    run_one(Job.objects.get().pk)
    document = IssuedDocument.objects.get()
    assert document.number.startswith("YB-") and document.title == "景山街道2026年3月工作月报"
    assert issue_report(report.pk, actor=None) == document
    response = client.get(f"/worklogs/monthly/{report.pk}/download/")
    assert b"".join(response.streaming_content).startswith(b"%PDF")
    # Anybody with the code reads what it is, and nobody's name.
    assert "单小雨" not in str(document.public_summary)
