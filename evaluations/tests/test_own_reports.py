"""绩效评价报告 and 履职评估报告: what one rater handed in, read by nobody whom the seal keeps out, printed after the closing."""

from __future__ import annotations

import pytest
from django.urls import reverse

from core.jobs import run_waiting
from core.models import Job
from evaluations.services.own_reports import issue_report, report_of, report_paper, reports_in
from evaluations.services.papers import numeral
from evaluations.services.rounds import open_round
from evaluations.services.steps import close_step
from evaluations.tests.filling_cases import logged_in
from evaluations.tests.round_cases import TODAY, make_site
from factories import fill_sheet, make_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    return make_site("beijing-core", demo=True)


@pytest.fixture
def sheet(site):
    """龚䶮 about 甲街道, handed in while the step is open."""
    opened = open_round(make_round(site.locality, actor=site.bureau), actor=site.bureau, today=TODAY)
    from evaluations.services.rounds import move_round

    if opened.state == "self_report":
        opened = move_round(opened, "start_scoring", actor=site.bureau, today=TODAY)
    found = opened.sheets.get(planner=site.planners[0], subject__unit=site.unit)
    return fill_sheet(found, site.planner, 83, comment="资料提供及时")


def url(sheet, name="own-report"):
    return reverse(f"evaluations:{name}", args=[sheet.pk])


def status(user, sheet):
    return logged_in(user).get(url(sheet)).status_code


def test_before_the_closing_its_author_alone_reads_it_and_gets_no_document(site, sheet):
    page = logged_in(site.planner).get(url(sheet)).content.decode()
    assert "资料提供及时" in page and "生成 PDF" not in page
    assert [status(user, sheet) for user in (site.bureau, site.leader)] == [403, 403]
    assert [status(user, sheet) for user in (site.colleague, site.unit_officer, site.city)] == [404, 404, 404]
    assert logged_in(site.planner).post(url(sheet, "own-report-pdf")).status_code == 403
    with pytest.raises(ValueError, match="sealed"):
        issue_report(sheet.pk, actor=site.planner)
    assert reports_in(sheet.round) == []


def test_after_it_who_collates_reads_it_too_and_the_office_never(site, sheet):
    close_step(sheet.step, actor=site.bureau)
    assert [status(user, sheet) for user in (site.planner, site.bureau, site.leader)] == [200, 200, 200]
    assert [status(user, sheet) for user in (site.unit_officer, site.city, site.colleague)] == [404, 404, 404]
    assert [row.pk for row in reports_in(sheet.round)] == [sheet.pk]
    with pytest.raises(ValueError, match="sealed"):
        issue_report(sheet.pk, actor=site.unit_officer)


def test_the_document_is_made_once_and_names_nobody_in_public(site, sheet):
    close_step(sheet.step, actor=site.bureau)
    sheet.step.refresh_from_db()
    assert logged_in(site.planner).post(url(sheet, "own-report-pdf")).status_code == 302
    run_waiting()
    job = Job.objects.get(kind="evaluations.paper")
    assert job.state == "done" and job.result_file is not None
    again = issue_report(sheet.pk, actor=site.bureau)
    assert again.file_id == job.result_file_id, "the same content is the same document"
    assert sheet.subject.label not in str(again.public_summary) + again.title


def test_it_says_each_line_with_weight_and_word(site, sheet):
    paper = report_paper(report_of(sheet, reader=site.planner))
    rows = paper.sections[0].grid.rows
    assert paper.title.startswith("2025年度互评绩效评价报告") and len(rows) == sheet.form.indicators.count()
    assert {(row[2], row[3]) for row in rows} == {("83", "资料提供及时")}


def test_numerals_of_a_long_report():
    assert [numeral(number) for number in (1, 10, 11, 20, 34)] == ["一", "十", "十一", "二十", "三十四"]
