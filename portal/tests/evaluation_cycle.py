"""One evaluation driven on its pages, each by those whose turn it is, from setting up to the accepted filing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import expect

from core.jobs import run_waiting
from core.models import Job
from evaluations.models import FilingPackage, Objection, Result, Round, Sheet
from evaluations.services.answers import submit_sheet
from evaluations.tests.filling_cases import everything
from evaluations.tests.result_cases import writer
from evaluations.tests.round_cases import Site


class Cycle:
    """`page(who)`: one open page for each person; `round`: as it stands in the database."""

    def __init__(self, site: Site, browse: Any) -> None:
        self.site = site
        self._browse = browse
        self._pages: dict[str, Any] = {}
        self.pk = 0

    @property
    def round(self) -> Round:
        return Round.objects.get(pk=self.pk)

    def page(self, who: str) -> Any:
        if who not in self._pages:
            self._pages[who] = self._browse(getattr(self.site, who))
        return self._pages[who]

    def at(self, who: str, path: str = "") -> Any:
        """That person's page, at a page of the round or anywhere."""
        page = self.page(who)
        page.goto(path if path.startswith("/") else f"/evaluations/rounds/{self.pk}/{path}")
        return page

    def press(self, page: Any, label: str, said: str, *, sure: bool = False) -> None:
        """A button, its question answered with yes, and what the portal says to it."""
        page.locator(f"main button:has-text('{label}')").first.click()
        if sure:
            page.click("#confirm-ok")
        expect(page.locator(".messages")).to_contain_text(said)

    # --- setting up and filling in ---

    def prepare(self, label: str, *, days: tuple[str, str] | None = None) -> Round:
        """The bureau chooses the evaluation that its policy asks for, and starts it."""
        page = self.at("bureau", "/evaluations/rounds/prepare/")
        page.locator(".field-group label", has_text=label).first.click()
        if days is not None:
            page.fill("[name=start]", days[0])
            page.fill("[name=end]", days[1])
        page.click("main form button[type=submit]")
        page.wait_for_url(re.compile(r"/evaluations/rounds/\d+/$"))
        self.pk = int(page.url.rstrip("/").rpartition("/")[2])
        self.press(page, "启动", "已启动", sure=True)
        if self.round.state == Round.State.SELF_REPORT:
            self.press(page, "开始评分", "开始评分")
        return self.round

    def fill(self, who: str, sheet: Sheet, points: int) -> None:
        """One form on its page, line by line, handed in."""
        page = self.at(who, f"/evaluations/sheets/{sheet.pk}/")
        for line in sheet.form.indicators.exclude(kind="count"):
            name = "text" if line.kind == "text" else "value"
            page.fill(f"#id_i{line.pk}-{name}", str(points) if name == "value" else "已认真评阅")
        page.click("main button:has-text('提交') >> nth=0")
        page.wait_for_url("**/evaluations/sheets/")
        expect(page.locator(".messages")).to_contain_text("已提交")

    def fill_the_rest(self, points: int, *, by: Mapping[int, int] = {}) -> None:
        """All other forms of open steps, as their raters would."""
        for sheet in (
            Sheet.objects.unanswered().filter(round=self.pk, step__state="open").select_related("planner__user")
        ):
            given = everything(sheet, by.get(sheet.subject_id, points))
            submit_sheet(sheet, actor=writer(self.site, sheet), given=given, today=timezone.localdate())

    def close(self) -> None:
        self.press(self.at("bureau"), "截止", "截止", sure=True)

    def begin_next(self) -> None:
        """The second step, where the policy has one."""
        page = self.at("bureau")
        page.click("main a:has-text('开始填写')")
        page.click("main form button[type=submit]")
        expect(page.locator(".messages")).to_contain_text("已开始")

    # --- from collation to the notice ---

    def deliberate(self, *, recorder: str = "leader", settler: str = "leader") -> None:
        """Collated, computed by the worker, brought before the group, recorded, settled and told."""
        self.press(self.at("bureau"), "转入汇总", "转入汇总", sure=True)
        work()
        self.press(self.at("bureau"), "提请审议", "提请审议")
        page = self.at(recorder, "deliberation/")
        if not page.input_value("[name=body]"):
            page.fill("[name=body]", "评估工作组")
        page.fill("[name=attendees]", "甲、乙、丙")
        page.fill("[name=minutes]", "逐一核对得分和依据，同意评估结果。")
        page.click("main form button:has-text('登记审议')")
        expect(page.locator(".messages")).to_contain_text("审议已登记")
        self.press(self.at(settler, "results/"), "全部审定", "已审定", sure=True)
        self.press(self.at(settler), "公示并告知结果", "公示并告知结果")
        work()

    def result(self, **where: Any) -> Result:
        return Result.objects.current().get(subject__round=self.pk, **where)

    def object_to(self, who: str, result: Result) -> Objection:
        page = self.at(who, f"/evaluations/own-results/{result.pk}/")
        page.click("main a:has-text('提出异议')")
        page.fill("[name=grounds]", "三次走访已补录并经确认，评估时没有计入。")
        page.click("main form button:has-text('提出异议')")
        expect(page.locator(".messages")).to_contain_text("异议已提出")
        return Objection.objects.get(result=result)

    def decide(self, who: str, objection: Objection, *, score: str = "") -> None:
        page = self.at(who, f"/evaluations/objections/{objection.pk}/")
        self.press(page, "受理并复核", "已受理")
        page.check(f"[name=outcome][value={'uphold' if score else 'reject'}]")
        if score:
            page.fill("[name=to_score]", score)
        page.fill("[name=decision]", "经核对走访记录，复核如上。")
        page.click("main form button:has-text('作出决定')")
        expect(page.locator(".messages")).to_contain_text("已复核")

    def put_out(self, kind: str) -> str:
        """The chosen fields, put out; what the public then reads."""
        page = self.at("bureau", f"/evaluations/after/{self.pk}/publications/new/")
        page.check(f"[name=kind][value={kind}]")
        page.click("main form button:has-text('拟稿并核对')")
        self.press(page, "发布", "已发布", sure=True)
        public = self._browse()
        public.goto(
            page.get_attribute("main a:has-text('公开页面')", "href")
            or page.locator("a:has-text('公开页面')").get_attribute("href")
        )
        return str(public.inner_text("body"))

    def take_effect(self) -> None:
        """The days to object pass, then the results count."""
        Round.objects.filter(pk=self.pk).update(objections_until=timezone.localdate() - timedelta(days=1))
        self.press(self.at("bureau"), "结果生效", "结果生效", sure=True)

    # --- to the city ---

    def file(self) -> FilingPackage:
        """Made by a worker, sent, received with a receipt, accepted; the round is filed."""
        page = self.at("bureau", f"/evaluations/after/{self.pk}/")
        page.click("main button:has-text('制作备案材料')")
        page.wait_for_load_state()
        work()
        package = FilingPackage.objects.get(round=self.pk)
        self.press(self.at("bureau", f"/evaluations/filings/{package.pk}/"), "报送", "报送", sure=True)
        page = self.at("city", f"/evaluations/filings/{package.pk}/")
        self.press(page, "登记收到", "回执")
        self.press(page, "准予备案", "准予备案")
        self.press(self.at("bureau"), "完成备案", "完成备案")
        package.refresh_from_db()
        assert self.round.state == Round.State.FILED and package.state == "accepted" and package.receipt
        return package


def work() -> None:
    """What a worker would do meanwhile; nothing of it fails."""
    run_waiting()
    failed = Job.objects.filter(state="failed")
    assert not failed.exists(), list(failed.values_list("label", "message"))
