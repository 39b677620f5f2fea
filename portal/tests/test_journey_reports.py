"""The year's document: written while it saves itself, endorsed, printed, proved genuine, and gathered into one ZIP."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from evaluations.models import DutyReport
from evaluations.sections import SECTIONS
from evaluations.services.cycles import open_cycle
from evaluations.services.reports import endorse_report, save_sections, submit_report
from factories import make_log
from portal.tests.conftest import until

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]

MOST_CLICKS = 4
WORDS = {section.code: f"{section.title}：本期情况如下，示例文字。" for section in SECTIONS}


@pytest.fixture
def cycle(cast):
    today = timezone.localdate()
    for month in range(1, 13):
        make_log(cast.own_planner, cast.unit.charge, cast.contract, date(today.year - 1, month, 5), state="confirmed")
    return open_cycle(
        cast.locality,
        actor=cast.bureau,
        start=date(today.year - 1, 1, 1),
        end=date(today.year - 1, 12, 31),
        due_on=None,
        today=today,
    )


def test_document_is_written_endorsed_downloaded_and_verified(cast, cycle, browse, hand):
    report = cycle.reports.get(author=cast.own_planner)
    page = browse(cast.planner)
    page.goto("/home/")
    writer = hand(page)
    writer.click(".todo a:has-text('去撰写')")
    status = page.locator("[data-autosave-status]")
    for code, words in WORDS.items():
        writer.write(f"#id_{code}", words)
    until(lambda: DutyReport.objects.get(pk=report.pk).sections == WORDS, page)
    expect(status).to_contain_text("已自动保存")
    # Somewhere else, with nothing kept by this browser.
    page = browse(cast.planner)
    writer = hand(page)
    page.goto(f"/evaluations/reports/{report.pk}/edit/")
    for code, words in WORDS.items():
        expect(page.locator(f"#id_{code}")).to_have_value(words)
    writer.click("button:has-text('提交审核')")
    writer.click("#confirm-ok")
    expect(page.locator(".messages")).to_contain_text("待领衔规划师审核")

    page = browse(cast.lead)
    page.goto("/home/")
    lead = hand(page)
    lead.click(".todo a:has-text('去审核')")
    expect(page.locator("main")).to_contain_text(WORDS["results"])
    lead.click("button:has-text('审核通过')")
    lead.click("#confirm-ok")
    expect(page.locator(".messages")).to_contain_text("已定稿")
    assert lead.clicks == 3
    report.refresh_from_db()
    assert (report.state, report.endorsed_by) == (DutyReport.State.FROZEN, cast.lead_planner)

    lead.click("button:has-text('生成 PDF')")
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    pdf = lead.download("#job-progress a")
    assert pdf.startswith(b"%PDF-")

    stranger = browse()
    stranger.goto("/verify/")
    stranger.set_input_files("input[type=file]", {"name": "述职报告.pdf", "mimeType": "application/pdf", "buffer": pdf})
    stranger.click("#compare button:has-text('比对')")
    expect(stranger.locator("#compare .notice-success")).to_be_visible()
    altered = pdf.replace(b"/Producer", b"/Pr0ducer", 1) + b"\n% altered"
    stranger.set_input_files(
        "input[type=file]", {"name": "述职报告.pdf", "mimeType": "application/pdf", "buffer": altered}
    )
    stranger.click("#compare button:has-text('比对')")
    expect(stranger.locator("#compare .notice-error")).to_be_visible()


def test_whole_round_leaves_as_one_zip_within_four_clicks(cast, cycle, browse, hand):
    for planner, user in ((cast.own_planner, cast.planner), (cast.colleague_planner, cast.colleague)):
        report = cycle.reports.get(author=planner)
        save_sections(report, actor=user, texts=WORDS, revision=report.revision)
        submit_report(report, actor=user)
        endorse_report(report, actor=cast.lead)
    page = browse(cast.bureau)
    page.goto("/home/")
    mouse = hand(page)
    mouse.click(".sidebar >> text=述职文书")
    mouse.click(f"main a:has-text('{cycle.title}')")
    mouse.click("button:has-text('导出全部文书')")
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    content = mouse.download("#job-progress a")
    assert mouse.clicks <= MOST_CLICKS
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        pdfs = [name for name in names if name.endswith(".pdf") and "目录" not in name]
        assert len([name for name in pdfs if cast.planner.name in name]) == 1
        assert len([name for name in pdfs if cast.colleague.name in name]) == 1
        assert all(archive.read(name).startswith(b"%PDF-") for name in pdfs)
        assert any("目录" in name for name in names)
