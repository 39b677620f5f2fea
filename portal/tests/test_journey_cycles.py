"""Whole evaluations in a real browser, from setting up to the accepted filing: two-way in Beijing's core, one-way in
通州, two steps in 晋城 with exit and re-selection, and in 聊城 the half-yearly account, the term's and the yearly one."""

from __future__ import annotations

import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from core import jobs
from core.calendar import load_calendar
from districts.models import PolicyPack
from districts.policy.schema import load_supplement
from districts.services.policy_loading import add_supplement
from evaluations.models import Cycle as ReportCycle
from evaluations.models import DepartmentResponse, DutyReport, FilingPackage, Result, Sheet
from evaluations.sections import SECTIONS
from evaluations.services.consequences import tail_of
from evaluations.tests.filling_cases import logged_in
from evaluations.tests.round_cases import Site, make_site
from planners.models import Assessment, Contract, Reselection
from portal.tests.evaluation_cycle import Cycle, work

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _a_worker_of_its_own(monkeypatch):
    """Jobs wait for `work()`, as they would for a worker: no page waits for a PDF."""
    monkeypatch.setattr(jobs, "dispatch", lambda job_id: False)


def begun(slug: str, **more: Any) -> Site:
    """The locality with everybody, under a contract of last year and this."""
    cache.clear()
    this = timezone.localdate().year
    load_calendar(only={this - 1, this})
    return make_site(slug, demo=True, start=date(this - 1, 1, 1), **more)


def last_year() -> str:
    return f"{timezone.localdate().year - 1}年"


def names_in(package: FilingPackage) -> list[str]:
    assert package.archive is not None
    with zipfile.ZipFile(package.archive.path) as archive:
        return archive.namelist()


def test_beijing_core_both_sides_from_opening_to_the_filing(transactional_db, browse):
    """京核心区 五(二): offices and planners rate each other; the lead objects and is heard; an office answers."""
    site = begun("beijing-core")
    cycle = Cycle(site, browse)
    cycle.prepare(last_year())
    of_unit = Sheet.objects.get(round=cycle.pk, unit=site.unit, step__number=1)
    of_planner = Sheet.objects.get(round=cycle.pk, planner=site.planners[0], subject__unit=site.unit)
    cycle.fill("unit_officer", of_unit, 82)
    cycle.fill("planner", of_planner, 70)
    # Until it closes the other side, the bureau and the leader see that it is handed in, and not a word of it.
    sealed = f"/evaluations/sheets/{of_planner.pk}/"
    assert [logged_in(user).get(sealed).status_code for user in (site.bureau, site.leader, site.unit_officer)] == [
        403, 403, 404,
    ]  # fmt: skip
    cycle.fill_the_rest(78)
    cycle.close()
    cycle.deliberate()
    mine = cycle.result(subject__direction="planner")
    assert mine.final_score == Decimal("80.00") and mine.final_grade == "良好"

    told = cycle.at("planner", "/home/")
    told.click("main a:has-text('去查看') >> nth=0")
    objection = cycle.object_to("planner", mine)
    # The leader took the minutes: somebody else reviews.
    assert "受理并复核" not in cycle.at("leader", f"/evaluations/objections/{objection.pk}/").inner_text("main")
    cycle.decide("bureau", objection, score="84.50")
    assert cycle.result(subject__direction="planner").final_score == Decimal("84.50")
    page = cycle.at("planner", f"/evaluations/own-results/{mine.pk}/")
    page.fill("[name=text]", "同意复核结果。")
    cycle.press(page, "已阅知并回复", "已回复")

    public = cycle.put_out("notice")
    assert "良好" in public and "84.50" not in public
    cycle.take_effect()
    answered(cycle, site)
    package = cycle.file()
    assert Assessment.objects.get().grade == "良好"
    assert {"00 目录.xlsx", "02 评估结果表.xlsx"} <= set(names_in(package))
    reports(cycle, of_planner)


def answered(cycle: Cycle, site: Site) -> None:
    """The office says what it improves by when, reports it, and the bureau confirms."""
    response = DepartmentResponse.objects.get(result__subject__unit=site.unit)
    page = cycle.at("unit_officer", f"/evaluations/responses/{response.pk}/")
    page.fill("[name=statement]", "接受评价。")
    page.fill("[name=measures]", "每月五日前提供项目清单。")
    page.fill("[name=due_on]", timezone.localdate().isoformat())
    page.click("main form button:has-text('提交回应')")
    expect(page.locator(".messages")).to_contain_text("已提交")
    page.fill("[name=outcome]", "已按月提供。")
    page.click("main form button:has-text('报告改进情况')")
    expect(page.locator(".messages")).to_contain_text("已提交")
    cycle.press(cycle.at("bureau", f"/evaluations/responses/{response.pk}/"), "确认", "已确认改进")


def reports(cycle: Cycle, of_planner: Sheet) -> None:
    """绩效评价报告: its author's and, after the closing, the bureau's; never the office's that it is about."""
    url = f"/evaluations/sheets/{of_planner.pk}/report/"
    page = cycle.at("planner", url)
    page.click("main button:has-text('生成 PDF')")
    page.wait_for_load_state()
    work()
    assert "绩效评价报告" in cycle.at("bureau", url).inner_text("h1")
    assert logged_in(cycle.site.unit_officer).get(url).status_code == 404


DECISION = """\
schema: 1
supplements: tongzhou
decision: {number: 通政办〔2024〕示例1号, date: 2024-01-05, title: 尾款支付办法, issuer: 通州区人民政府, entered_by: 张某}
effective_from: 2024-01-01
values:
  pay.tail_ratios:
    value: [{grade: 优秀, ratio: 1}, {grade: 良好, ratio: 0.9}, {grade: 达标, ratio: 0.7}, {grade: 不达标, ratio: 0}]
    summary: 按等级支付尾款
"""


def test_tongzhou_one_side_and_the_tail_of_a_local_decision(transactional_db, browse):
    """通政办发〔2021〕10号 三(四)5: several offices rate, nobody is rated back; the grade settles the tail."""
    site = begun("tongzhou")
    pack = PolicyPack.objects.get(slug="tongzhou")
    original = pack.versions.filter(supplements=None).order_by("number").first()
    add_supplement(original, actor=site.bureau, supplement=load_supplement(DECISION.encode()))
    cycle = Cycle(site, browse)
    cycle.prepare(last_year())
    assert not cycle.round.sheets.exclude(planner=None).exists(), "planners rate nobody"
    sheet = Sheet.objects.get(round=cycle.pk, side="department")
    cycle.fill("department", sheet, 86)
    cycle.fill_the_rest(84)
    cycle.close()
    cycle.deliberate()
    result = cycle.result()
    assert result.final_grade == "良好"
    tail = tail_of(result, on=timezone.localdate())
    assert tail is not None and tail.ratio == Decimal("0.9") and "示例1号" in str(tail.clause)
    page = cycle.at("leader", f"/evaluations/results/{result.pk}/")
    expect(page.locator("main")).to_contain_text("尾款按 90% 支付")
    cycle.take_effect()
    assert "良好" in cycle.put_out("result")
    cycle.file()


def test_jincheng_two_steps_exit_and_reselection(transactional_db, browse):
    """晋市政办函〔2022〕24号 三(三): 履职评估, then the bureau's 统一考评; who fails leaves, and the unit is chosen for anew."""
    site = begun("jincheng")
    cycle = Cycle(site, browse)
    cycle.prepare(last_year())
    failing = cycle.round.subjects.get(direction="planner", planner=site.planners[0])
    owner = Sheet.objects.get(round=cycle.pk, side="project_owner", subject=failing)
    cycle.fill("owner", owner, 45)
    cycle.fill_the_rest(80, by={failing.pk: 45})
    cycle.close()
    cycle.begin_next()
    second = Sheet.objects.get(round=cycle.pk, side="bureau", subject=failing)
    assert second.step.number == 2
    cycle.fill("bureau", second, 50)
    cycle.fill_the_rest(85, by={failing.pk: 50})
    cycle.close()
    cycle.deliberate(recorder="leader")
    result = cycle.result(subject=failing)
    assert result.final_grade == "不合格"
    assert cycle.result(subject__planner=site.planners[1]).final_grade == "合格"
    cycle.take_effect()

    page = cycle.at("bureau", f"/evaluations/results/{result.pk}/")
    expect(page.locator("main")).to_contain_text("退出责任规划师队伍")
    page.click("main a:has-text('到合同办理')")
    page.click("main a:has-text('终止')")
    expect(page.locator("main")).to_contain_text("考评不合格")
    page.fill("[name=ended_on]", timezone.localdate().isoformat())
    page.fill("[name=reason]", "年底考评不合格，退出责任规划师队伍")
    page.click("main form button:has-text('终止合同')")
    expect(page.locator(".messages")).to_contain_text("合同已终止")
    assert Contract.objects.get(pk=site.contract.pk).state == "ended"
    left = set(Reselection.objects.open().values_list("charge__name", flat=True))
    assert {site.unit.name, site.other_unit.name} <= left
    page = cycle.at("bureau", "/planners/reselections/")
    expect(page.locator("main")).to_contain_text("待重新选聘")
    expect(page.locator("main")).to_contain_text("三(三)")
    cycle.file()


def test_liaocheng_half_yearly_account_yearly_and_term_evaluation(transactional_db, browse):
    """聊城市责任规划师制度 三(一)、三(四): three things with periods of their own, one beside the other."""
    site = begun("liaocheng")
    half_yearly(site, browse)
    yearly = Cycle(site, browse)
    yearly.prepare(f"{last_year()}度评议")
    sheet = Sheet.objects.get(round=yearly.pk, planner=site.planners[0], subject__unit=site.unit)
    yearly.fill("planner", sheet, 76)
    yearly.fill_the_rest(81)
    yearly.close()
    yearly.deliberate(recorder="bureau", settler="bureau")
    yearly.take_effect()
    yearly.file()

    term = Cycle(site, browse)
    term.prepare("任期考评")
    sheet = Sheet.objects.filter(round=term.pk, side="bureau").earliest("pk")
    term.fill("bureau", sheet, 92)
    term.fill_the_rest(80)
    term.close()
    term.deliberate(recorder="leader")
    assert {row.final_score for row in Result.objects.filter(subject__round=term.pk)} == {
        Decimal("92.00"),
        Decimal("80.00"),
    }
    term.take_effect()
    term.file()
    assert Assessment.objects.filter(contract=site.contract).exists()


def half_yearly(site: Site, browse: Any) -> None:
    """半年述职: the bureau opens the half-year, a planner writes and hands in, the lead of the team endorses."""
    pages = Cycle(site, browse)
    page = pages.at("bureau", "/evaluations/open/")
    page.locator(".field-group label", has_text="上半年").first.click()
    page.click("main form button[type=submit]")
    page.wait_for_load_state()
    opened = ReportCycle.objects.get()
    assert opened.start.month == 1 and opened.end.month == 6
    report = DutyReport.objects.get(cycle=opened, author=site.planners[1], is_collation=False)
    page = pages.at("colleague", f"/evaluations/reports/{report.pk}/edit/")
    for section in SECTIONS:
        page.fill(f"[name={section.code}]", f"{section.title}：走访三十次，提出意见二十条。")
    expect(page.locator("[data-autosave-status]")).to_contain_text("已自动保存")
    hand_on(page, "提交", "已提交")
    report.refresh_from_db()
    if report.state == "submitted":
        hand_on(pages.at("planner", f"/evaluations/reports/{report.pk}/"), "审核通过", "已审核")
        report.refresh_from_db()
    assert report.state == "frozen"


def hand_on(page: Any, label: str, said: str) -> None:
    """A button whose question, where it asks one, is answered with yes."""
    page.locator(f"main button:has-text('{label}')").first.click()
    if page.locator("#confirm-ok").is_visible():
        page.click("#confirm-ok")
    expect(page.locator(".messages")).to_contain_text(said)
