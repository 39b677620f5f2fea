"""The bureau fills what the policy leaves open: enters the decision, reads its dry run, puts it in force, and sees the
figures and their origins change."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from districts.models import PolicyDecision
from factories import make_log
from worklogs.models import DutyFigure
from worklogs.services.figures import recount_pending, recount_year

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]

HEAD = {"number": "东规发〔2026〕3号", "title": "走访和扣减的补充规定", "issuer": "东城分局"}
CHOICES = {
    "quota.same_day_members": "one", "visits.principal_required": "false", "deduction.formula": "larger",
    "deduction.basis": "annual_fee", "deduction.share": "equal",
}  # fmt: skip
PDF = {
    "name": "补充规定.pdf",
    "mimeType": "application/pdf",
    "buffer": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n",
}


def field(key: str) -> str:
    return f"[name='v-{key}']"


def test_decision_is_entered_tried_put_in_force_and_shows_in_the_figures(cast, browse, hand):
    year = timezone.localdate().year - 1
    for month in (3, 4):
        make_log(cast.own_planner, cast.unit.charge, cast.contract, date(year, month, 12), state="confirmed")
    recount_year(year=year)
    kept = DutyFigure.objects.get(year=year)
    assert (kept.required_visits, kept.deduction) == (None, None)
    page = browse(cast.bureau)
    page.goto("/districts/110101/policy/")
    mouse = hand(page)
    mouse.click("text=录入补充规定")
    for name, text in HEAD.items():
        page.fill(f"[name={name}]", text)
    page.fill("[name=date]", f"{year}-01-05")
    page.fill("[name=effective_from]", f"{year}-01-10")
    page.set_input_files("[name=scan]", PDF)
    for chapter in ("服务时间", "走访", "扣减"):
        mouse.click(f"summary:has-text('{chapter}')")
    page.fill(field("visits.required_per_month"), "1")
    for key, value in CHOICES.items():
        page.select_option(field(key), value)
    page.check(f"{field('visits.log_kinds')}[value=survey]")
    for trigger in ("days", "visits"):
        page.check(f"{field('deduction.triggers')}[value={trigger}]")
    mouse.click("text=保存拟稿")
    page.wait_for_url(re.compile(r"/districts/decisions/\d+/$"))
    # Prepared, and nothing counts yet: old and new stand side by side.
    expect(page.locator(".policy-change", has_text="每月最低走访次数")).to_contain_text("未设定")
    expect(page.locator("button:has-text('施行')")).to_have_count(0)
    page.select_option("[name=year]", str(year))
    mouse.click("button:has-text('试算')")
    page.wait_for_url(re.compile(r"/worklogs/trials/\d+/$"))
    expect(page.locator("main")).to_contain_text("本决定约束 1 份合同")
    expect(page.locator("main")).to_contain_text("的扣减由“未设定”变为可以计算")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    after = row.locator("[data-label='扣减（元）'] strong").inner_text()
    kept.refresh_from_db()
    assert kept.deduction is None
    mouse.click("text=已阅试算结果")
    mouse.click(".page-actions >> text=施行")
    mouse.click("dialog[open] button:has-text('施行')")
    expect(page.locator(".messages")).to_contain_text("已施行")
    assert PolicyDecision.objects.get().made.scan_id is not None
    # The figures are what the dry run said, under the decision.
    recount_pending()
    page.goto(f"/worklogs/figures/?year={year}")
    expect(page.locator("[data-label='扣减（元）']")).to_have_text(after)
    mouse.click(".figure-name a")
    deduction = page.locator("details#deduction")
    deduction.locator("> summary").click()
    expect(deduction).to_contain_text(HEAD["number"])
    page.goto("/districts/110101/policy/")
    value = page.locator("[id='visits.required_per_month']")
    expect(value).to_contain_text("1 次")
    expect(value.locator(".origin-decision")).to_contain_text(HEAD["number"])
