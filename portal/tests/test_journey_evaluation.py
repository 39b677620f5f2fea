"""Evaluating: ten indicators without the mouse, resumed on a phone, handed in; prepared and opened by the bureau."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from districts.models import PolicyPack, PolicyScope
from districts.policy.schema import load_supplement
from districts.services.policy_loading import add_supplement, load_policy_files
from evaluations.models import Indicator, Round, Sheet
from evaluations.services.answers import own_answers, submit_sheet
from evaluations.services.rounds import open_round
from evaluations.tests.filling_cases import everything
from evaluations.tests.round_cases import make_site
from factories import make_round
from portal.tests.conftest import until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = [
    "工作条件", "资料提供", "会议通知", "意见采纳", "反馈及时", "协调配合", "经费保障", "培训支持", "沟通顺畅", "改进落实",
]  # fmt: skip
FIFTH = Path(__file__).parents[2] / "districts/tests/data/fifth_locality.yaml"
DECISION = """\
schema: 1
supplements: yunhe-new-town
decision: {number: 云河规〔2024〕1号, date: 2024-01-05, title: 评议办法, issuer: 云河新城管理委员会, entered_by: 张某}
effective_from: 2024-01-01
values:
  evaluation.organiser: {value: government, summary: 管委会组织}
  evaluation.department_indicators: {value: [INDICATORS], summary: 十项}
  evaluation.department_weights: {value: [WEIGHTS], summary: 十项}
  evaluation.missing_raters: {value: ignore, summary: 不计}
  evaluation.abstentions: {value: excluded, summary: 不计}
  evaluation.not_applicable: {value: refused, summary: 不允许}
  evaluation.rater_shares: {value: equal, summary: 相同}
  evaluation.smallest_group: {value: 2, summary: 两人}
  evaluation.fill_days: {value: 10, summary: 十天}
"""


@pytest.fixture
def site(transactional_db, tmp_path):
    """A made-up locality whose planners rate its government by ten indicators."""
    cache.clear()
    (tmp_path / FIFTH.name).write_text(FIFTH.read_text(encoding="utf-8"), encoding="utf-8")
    load_policy_files(tmp_path)
    site = make_site("yunhe-new-town", demo=False, code="659900")
    pack = PolicyPack.objects.get(slug="yunhe-new-town")
    PolicyScope.objects.get_or_create(pack=pack, locality=site.locality)
    lines = ", ".join(f"{{code: i{n}, title: {name}}}" for n, name in enumerate(NAMES))
    weights = ", ".join(f"{{indicator: i{n}, weight: 10}}" for n in range(10))
    text = DECISION.replace("INDICATORS", lines).replace("WEIGHTS", weights)
    add_supplement(pack.versions.get(number=1), actor=site.bureau, supplement=load_supplement(text.encode()))
    return site


@pytest.fixture
def opened(site):
    """Open today: five lines by choice of steps, five typed; the worst needs a word."""
    made = make_round(
        site.locality, actor=site.bureau, scope="department", start=date(2024, 1, 1), end=date(2025, 12, 31),
        today=date(2025, 12, 20),
    )  # fmt: skip
    lines = Indicator.objects.filter(form__step__round=made)
    lines.filter(code__in=[f"i{n}" for n in range(5)]).update(low=1, high=5, increment=1)
    lines.filter(code="i9").update(comment_at_most=60)
    opened = open_round(made, actor=site.bureau, today=date(2025, 12, 20))
    opened.steps.update(due_on=timezone.localdate())
    return opened


def test_ten_indicators_without_the_mouse(site, opened, browse):
    """From the home page to handed in: Tab, arrows, figures, Enter; no pointer at all."""
    sheet = opened.sheets.get(planner=site.planners[0])
    page = browse(site.planner)
    page.goto("/home/")
    keys = page.keyboard

    def focused(words: str) -> None:
        """Tab until the focus is on a control with these words in its name or text."""
        for _ in range(80):
            keys.press("Tab")
            if page.evaluate("w => (document.activeElement.innerText || '').includes(w)", words):
                return
        raise AssertionError(f"no way to “{words}” by Tab")

    focused("去填写")
    keys.press("Enter")
    expect(page.locator("h1")).to_contain_text("我的评估表")
    focused("开始填写")
    keys.press("Enter")
    page.wait_for_selector("form[data-sheet-autosave]")

    while page.evaluate("!document.activeElement.closest('[data-line]')"):
        keys.press("Tab")
    for number in range(10):
        line = page.evaluate(
            "Number(document.activeElement.closest('[data-line]').querySelector('.line-number').innerText)"
        )
        assert line == number + 1, "the fields come in the order of the form"
        if number < 5:
            keys.press("Space")
            for _ in range(3):
                keys.press("ArrowRight")  # 1 → 4
        else:
            keys.type("55" if number == 9 else "85")
        keys.press("Enter")  # to the word about this line
        if number == 9:
            keys.type("资料迟交三次")
        keys.press("Tab")
    until(lambda: len(own_answers(sheet, author=site.planner)) == 10, page)
    expect(page.locator("[data-filled]")).to_have_text("10")
    keys.press("Control+Enter")
    page.wait_for_url("**/evaluations/sheets/")
    expect(page.locator(".messages")).to_contain_text("已提交")
    sheet.refresh_from_db()
    kept = own_answers(sheet, author=site.planner)
    values = [kept[line.pk].value for line in sheet.form.indicators.all()]
    assert sheet.state == "submitted" and values == [4] * 5 + [85] * 4 + [55]


def test_begun_at_a_desk_gone_on_with_on_a_phone(site, opened, browse):
    sheet = opened.sheets.get(planner=site.planners[0])
    desk = browse(site.planner)
    desk.goto(f"/evaluations/sheets/{sheet.pk}/")
    lines = list(sheet.form.indicators.all())
    desk.fill(f"#id_i{lines[6].pk}-value", "70")
    expect(desk.locator("[data-autosave-status]")).to_contain_text("已自动保存")

    phone = browse(site.planner, "phone")
    phone.goto(f"/evaluations/sheets/{sheet.pk}/")
    expect(phone.locator(f"#id_i{lines[6].pk}-value")).to_have_value("70")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.fill(f"#id_i{lines[6].pk}-value", "90")
    expect(phone.locator("[data-autosave-status]")).to_contain_text("已自动保存")
    # What is missing is said in words, and the focus is there.
    phone.click("button:has-text('提交') >> nth=0")
    expect(phone.locator("[data-error-summary]")).to_contain_text("工作条件：请评分")
    # The desk still shows 70: it does not write over the phone without being told.
    desk.fill(f"#id_i{lines[6].pk}-value", "60")
    expect(desk.locator("[data-autosave-status]")).to_contain_text("别处")
    assert own_answers(sheet, author=site.planner)[lines[6].pk].value == Decimal(90)


def test_the_deadline_moves_while_somebody_writes(site, opened, browse):
    """The page that stands open goes on saving; once the step has closed it says so and nothing goes in."""
    sheet = opened.sheets.get(planner=site.planners[0])
    line = sheet.form.indicators.all()[7]
    page = browse(site.planner)
    page.goto(f"/evaluations/sheets/{sheet.pk}/")
    page.fill(f"#id_i{line.pk}-value", "70")
    expect(page.locator("[data-autosave-status]")).to_contain_text("已自动保存")
    opened.steps.update(due_on=date(2099, 1, 1))
    page.fill(f"#id_i{line.pk}-value", "75")
    until(lambda: own_answers(sheet, author=site.planner)[line.pk].value == 75, page)


def test_the_bureau_prepares_opens_and_closes_on_its_pages(transactional_db, browse, hand):
    """Set up from the policy, opened with an empty checklist, filled in, closed for everybody."""
    cache.clear()
    site = make_site("tongzhou", demo=True)
    page = browse(site.bureau)
    page.goto("/evaluations/rounds/prepare/")
    officer = hand(page)
    officer.click(".field-group label >> nth=0")
    officer.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"/evaluations/rounds/\d+/$"))
    officer.click("main button:has-text('启动')")
    officer.click("#confirm-ok")
    expect(page.locator(".messages")).to_contain_text("已启动")
    made = Round.objects.get()
    if made.has_self_report:
        officer.click("main button:has-text('开始评分')")
        expect(page.locator(".messages")).to_contain_text("开始评分")
    sheet = Sheet.objects.filter(round=made, side="unit").first()
    rater = site.unit_officer if sheet.unit_id == site.unit.pk else site.other_officer
    submit_sheet(sheet, actor=rater, given=everything(sheet, 80), today=timezone.localdate())
    officer.click("button:has-text('截止') >> nth=0")
    officer.click("#confirm-ok")
    expect(page.locator(".messages")).to_contain_text("截止")
    assert made.steps.get().state == "closed"
    assert officer.clicks <= 7
