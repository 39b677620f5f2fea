"""A 重点 project of 城市更新 in 通州 goes through all four stages in a real browser: the planners whom the tier table
names are asked, one item is refused with a reason and taken to the district, what was built wrongly is photographed
and mended, and each stage is passed on its proof. In other places the same project asks whom their packs say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from accounts.roles import Role
from core.calendar import load_calendar
from districts.access import forget_access
from districts.models import Division, Locality, Membership, Unit
from districts.services.policies import policy_in_force
from planners.models import Contract, Planner
from planners.services.assignments import service_periods
from planners.services.qualifications import roles_in
from portal.demo import build
from portal.demo.places import PLANS, LocalityPlan
from portal.tests.conftest import Hand, picture
from projects.models import Consultation, Dispute, ItemAnswer, Opinion, Project, Rectification, StageDecision
from projects.review import seats_of
from projects.services.adoption import rates_for
from worklogs.models import Inspection

TIER, NAME = "区级重点项目", "张家湾老厂区更新（示例）"
REFUSED = "该处为已批复的道路红线，不再调整。"
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


def build_place(code: str, units: int = 3) -> dict[str, User]:
    """The demo of one place, with its first units, its pack and the overlay; its logins by role."""
    cache.clear()
    today = timezone.localdate()
    plans = [_shortened(plan, units) for plan in PLANS if plan.code in {code, f"{code[:2]}0000"}]
    load_calendar(only={today.year - 1, today.year, today.year + 1})
    call_command("load_policies", "--demo", verbosity=0)
    levels = Division.Level
    for number in (code[:2], code[:4], code):
        Division.objects.get_or_create(code=number, defaults={"name": number, "level": levels.COUNTY})
    for unit in (unit for plan in plans for unit in plan.units):
        for number, _ in unit.divisions:
            Division.objects.get_or_create(code=number, defaults={"name": unit.name, "level": levels.STREET})
    with mock.patch.object(build, "PLANS", tuple(plans)):
        build.build_world(today, "Demo-Password-1!")
    suffix = next(plan.suffix for plan in plans if plan.code == code)
    return {role: User.objects.get(username=f"{role}-{suffix}") for role in build.LOGINS}


def _shortened(plan: LocalityPlan, units: int) -> LocalityPlan:
    return replace(plan, units=plan.units[:units])


def login_of(role: str) -> User:
    """The demo's planner of this role, with an account: as published, the demo lets the first two planners log in."""
    planner = Planner.objects.get(contracts__role_type=role)
    user = User.objects.create(username=f"{role}-tz", name=planner.name, locality_code="110112", is_demo=True)
    Membership.objects.create(user=user, role=Role.PLANNER, locality=planner.locality, valid_from=build.MEMBERS_SINCE)
    forget_access(user)
    Planner.objects.filter(pk=planner.pk).update(user=user)
    return user


# --- in 通州, by clicks ----------------------------------------------------------------------------------------------


@dataclass
class Town:
    """Who acts, each in a browser of their own; the project once it is registered."""

    people: dict[str, User]
    pages: dict[str, Any]
    project: Project | None = None

    def __getitem__(self, who: str) -> Any:
        return self.pages[who]

    def open_project(self, who: str) -> Any:
        page = self[who]
        assert self.project is not None
        page.goto(self.project.get_absolute_url())
        return page


@pytest.fixture
def town(transactional_db: None, browse: Any) -> Iterator[Town]:
    people = build_place("110112", units=1)
    people |= {"chief": login_of("chief"), "architect": login_of("architect")}
    phones = {"planner"}
    acting = ("department", "bureau", "chief", "architect", "planner", "leader")
    # The PDF of each opinion is a worker's: here the request would wait for it (projects/tests/test_opinion_submit.py).
    with mock.patch("projects.services.opinion_documents.enqueue"):
        yield Town(people, {who: browse(people[who], "phone" if who in phones else "desk") for who in acting})


@pytest.mark.slow
@pytest.mark.browser
def test_a_key_renewal_project_goes_through_all_four_stages(town: Town, browse: Any) -> None:
    register(town)
    initiation(town)
    scheme(town)
    construction(town, browse)
    acceptance(town)
    told_to_the_end(town)
    assert Project.objects.get(number="110112-R-001").stage == Project.Stage.DONE


def register(town: Town) -> None:
    page = town["department"]
    page.goto("/projects/")
    page.get_by_role("link", name="登记项目").click()
    page.fill("#id_number", "110112-R-001")
    page.fill("#id_name", NAME)
    page.select_option("#id_kind", label="城市更新")
    page.select_option("#id_tier", label=TIER)
    page.select_option("#id_stage", label="立项")
    page.get_by_label("组团一（示例）").check()
    page.fill("#id_builder", "示例建设公司")
    page.fill("#id_designer", "示例设计公司")
    page.fill("#id_contractor", "示例施工公司")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile(r"/projects/\d+/$"))
    town.project = Project.objects.get(number="110112-R-001")
    assert (town.project.kind, town.project.tier, town.project.stage) == ("renewal", TIER, "initiation")


def ask(town: Town, subject: str) -> Consultation:
    """The department asks; the page proposes whom the tier table names, and says why."""
    page = town.open_project("department")
    page.get_by_role("link", name="征询意见", exact=True).last.click()
    page.wait_for_url("**/consultations/new/")
    table = policy_in_force(town.project.locality, timezone.localdate())
    seats = seats_of(table, TIER)
    assert {seat.role for seat in seats} == {"chief", "architect"}
    expect(page.locator("main")).to_contain_text(f"按项目等级（{TIER}）")
    expect(page.locator("main")).to_contain_text("通政办发〔2021〕10号")
    ticked = page.locator("input[name=planners]:checked")
    expect(ticked).to_have_count(2)
    for who, seat in zip(("chief", "architect"), seats, strict=True):
        label = page.locator("label", has_text=town.people[who].name)
        expect(label).to_contain_text(seat.title)
        expect(label).to_contain_text("审查意见")
        expect(label.locator("xpath=..").locator("input")).to_be_checked()
    page.fill("#id_subject", subject)
    page.get_by_role("button", name="发出征询").click()
    page.wait_for_url(re.compile(r"/consultations/\d+/$"))
    made = Consultation.objects.get(subject=subject)
    asked = set(made.consultees.values_list("planner__user__username", "role_type", "opinion_form", "chosen"))
    assert asked == {("chief-tz", "chief", "审查意见", "tier"), ("architect-tz", "architect", "审查意见", "tier")}
    clauses = {(row.clause["document"], row.clause["article"]) for row in made.consultees.all()}
    assert clauses == {("通政办发〔2021〕10号", "三(四)2")}
    assert set(made.consultees.values_list("weight", flat=True)) == {"上报区政府决策的重要依据"}
    return made


def answer(town: Town, who: str, verdict: str, *items: str) -> None:
    """From the home page to the opinion handed in."""
    page = town[who]
    page.goto("/home/")
    page.locator(".todo a:has-text('去答复')").first.click()
    page.get_by_role("link", name="撰写意见书").first.click()
    for number, text in enumerate(items):
        page.fill(f"[name=items-{number}-text]", text)
        page.fill(f"[name=items-{number}-basis]", "通州区城市更新实施方案编制要求（示例）")
    page.get_by_label(verdict, exact=True).check()
    page.fill("[name=summary]", "已对照上位规划核对。")
    page.get_by_role("button", name="提交", exact=True).click()
    page.locator("dialog[open]").get_by_role("button", name="提交").click()
    page.wait_for_url(re.compile(r"/opinions/\d+/$"))
    expect(page.locator("main")).to_contain_text("办理记录")


def feed_back(town: Town, consultation: Consultation, *, refuse: str = "") -> None:
    """The department answers each item; the one with the words `refuse` is refused with a reason."""
    page = town["department"]
    page.goto("/home/")
    page.locator(".todo a:has-text('去反馈')").first.click()
    page.wait_for_url("**/adoption/")
    page.fill("#id_owner", "更新科（示例）")
    page.fill("#id_due_on", f"{timezone.localdate().replace(day=1):%Y}-12-31")
    if refuse:
        item = page.locator(".adopt-item", has_text=refuse)
        item.locator("label", has_text="不采纳").click()
        item.locator("textarea, input[type=text]").first.fill(REFUSED)
    page.get_by_role("button", name="其余全部采纳").click()
    page.get_by_role("button", name="提交反馈").click()
    expect(page.locator(".messages")).to_contain_text("各条意见均有了答复")
    consultation.refresh_from_db()
    assert consultation.state == "settled"


def pass_stage(town: Town, stage: str) -> StageDecision:
    """The department records that the stage was passed; what it rests on is read there and kept."""
    page = town.open_project("department")
    page.get_by_role("link", name=re.compile(r"^登记(验收)?通过$")).click()
    expect(page.locator("main")).to_contain_text("征询情况")
    page.fill("#id_approval_number", f"示例批〔2026〕{stage}")
    page.get_by_role("button", name="登记通过").click()
    page.wait_for_url(re.compile(r"/projects/\d+/"))
    expect(page.locator(".messages")).to_be_visible()
    return StageDecision.objects.get(stage__project=town.project, stage__stage=stage)


def initiation(town: Town) -> None:
    asked = ask(town, "老厂区更新立项咨询")
    assert asked.stage.stage == "initiation"
    answer(town, "chief", "同意", "更新后的总规模不应突破上位规划。")
    answer(town, "architect", "同意", "建议保留烟囱和红砖厂房。")
    asked.refresh_from_db()
    assert asked.state == "answered"
    feed_back(town, asked)
    decision = pass_stage(town, "initiation")
    assert {row["planner"] for row in decision.proof["opinions"]} == {
        town.people["chief"].name, town.people["architect"].name,
    }  # fmt: skip
    town.project.refresh_from_db()
    assert town.project.stage == "scheme"


def scheme(town: Town) -> None:
    asked = ask(town, "老厂区更新实施方案征求意见")
    # 三(一)6: on the 实施方案 of a renewal project a written opinion is required.
    assert (asked.stage.stage, asked.mode) == ("scheme", "required")
    answer(town, "chief", "修改后同意", "首层应向街道开放。")
    answer(town, "architect", "修改后同意", "街角应再退让三米。", "屋面设备应遮挡。")
    feed_back(town, asked, refuse="退让三米")
    refused = asked.consultees.get(role_type="architect").opinions.get().items.get(position=1).answers.get()
    assert (refused.decision, refused.reason) == ("refused", REFUSED)
    dispute(town)
    decision = pass_stage(town, "scheme")
    assert (decision.ground, decision.is_red) == ("consulted", False)


def dispute(town: Town) -> None:
    """The architect takes what was refused to the district; the other side speaks; the leader rules."""
    page = town["architect"]
    opinion = Opinion.objects.get(author__user=town.people["architect"], consultee__consultation__stage__stage="scheme")
    page.goto(opinion.get_absolute_url())
    item = page.locator("li.panel", has_text="退让三米")
    expect(item).to_contain_text(REFUSED)
    item.get_by_role("link", name="提请协调").click()
    page.fill("#id_title", "街角退让三米")
    page.fill("#id_text", "街角人行道不足两米，建议结合更新退让。")
    page.get_by_role("button", name="提请协调").click()
    page.wait_for_url(re.compile(r"/disputes/\d+/$"))
    row = Dispute.objects.get()
    assert (row.item.text, row.raised_side, row.route) == ("街角应再退让三米。", "planner", "区政府（工作组）")
    page = town.open_project("department")
    expect(page.locator("main")).to_contain_text("街角退让三米")
    page.goto("/home/")
    page.locator(".todo a:has-text('去陈述')").first.click()
    page.get_by_role("link", name="陈述意见").click()
    page.fill("#id_text", "红线已经批复，退让影响地下管线。")
    page.get_by_role("button", name="提交陈述").click()
    expect(page.locator("main")).to_contain_text("红线已经批复")
    page = town["leader"]
    page.goto("/home/")
    page.locator(".todo a:has-text('去裁定')").first.click()
    page.get_by_role("link", name="裁定", exact=True).click()
    page.get_by_label(Dispute.Outcome.labels[0], exact=True).check()
    page.fill("#id_ruling", "街角退让两米，管线同步迁改。")
    page.fill("#id_principle", "街角人行道不足时应结合更新退让。")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile(r"/disputes/\d+/$"))
    row.refresh_from_db()
    assert (row.state, row.ruled_by) == ("ruled", town.people["leader"])


def construction(town: Town, browse: Any) -> None:
    """The planner of the unit on the site, phone in hand; the contractor by its link; looked at again and closed."""
    page, project = town["planner"], town.project
    project.refresh_from_db()
    assert project.stage == "construction"
    hand = Hand(page)
    page.goto(f"/worklogs/inspections/new/?project={project.pk}")
    hand.click("label:has-text('上午')")
    hand.write("#id_content", "主体完工，正在铺装。")
    hand.click("button:has-text('下一步')")
    page.wait_for_url(re.compile(r"/inspections/\d+/$"))
    hand.click("a:has-text('记录发现')")
    hand.click("label:has-text('重要节点')")
    hand.write("#id_text", "入口坡道与审定方案不符。")
    hand.attach("label:has-text('选照片')", picture())
    page.wait_for_selector("text=已选 1 张")
    hand.click("label:has-text('需要整改')")
    hand.write("#id_demand", "按审定方案返工。")
    contractor = page.locator("#id_contractor option", has_text="示例施工公司")
    page.select_option("#id_contractor", contractor.get_attribute("value"))
    assert page.evaluate(FITS)
    hand.click("button:has-text('保存') >> nth=0")
    page.wait_for_selector("text=已记录发现 1")
    page.locator("button:has-text('提交巡查')").click()
    page.locator("dialog[open] button:has-text('提交')").click()
    page.wait_for_selector("text=已提出 1 项整改意见")
    row = Rectification.objects.get()
    assert (row.state, row.source_log) == ("open", Inspection.objects.get().log_id)
    page.goto(row.get_absolute_url())
    assert page.evaluate(FITS)
    page.get_by_role("link", name="发送回复链接").click()
    page.get_by_role("button", name="生成链接和校验码").click()
    link, code = page.locator(".once").all_inner_texts()
    stranger = browse(None, "phone")
    stranger.goto(link[link.index("/r/") :])
    stranger.fill("#id_code", code.strip())
    stranger.get_by_role("button", name="打开").click()
    stranger.wait_for_selector("text=按审定方案返工。")
    assert stranger.evaluate(FITS)
    stranger.fill("#id_text", "已返工，坡度 1:12。")
    stranger.fill("#id_signed_as", "示例施工公司张三")
    stranger.set_input_files(f"#id_beside_{row.photos.get().pk}", [picture("整改后.jpg", "seagreen")])
    stranger.get_by_role("button", name="提交回复").click()
    stranger.wait_for_selector("h1:has-text('回复已收到')")
    blocked_while_open(town, row)
    page.goto("/home/")
    page.locator(".todo a:has-text('去复查')").first.click()
    expect(page.get_by_alt_text("整改后照片 1-1")).to_be_visible()
    page.get_by_role("link", name="复查").first.click()
    page.locator("label:has-text('已整改到位')").click()
    page.fill("#id_text", "现场复核，坡道已按图返工。")
    page.get_by_role("button", name="提交复查结果").click()
    page.wait_for_selector("text=已销项")
    assert page.evaluate(FITS)
    row.refresh_from_db()
    assert (row.state, row.closed_on) == ("closed", timezone.localdate())


def blocked_while_open(town: Town, row: Rectification) -> None:
    """The stage of construction is over, but what waits for re-inspection follows the project and stops acceptance."""
    pass_stage(town, "construction")
    page = town.open_project("department")
    page.get_by_role("link", name="登记验收通过").click()
    expect(page.locator(".notice-error")).to_contain_text(row.number)


def acceptance(town: Town) -> None:
    town.project.refresh_from_db()
    assert town.project.stage == "acceptance"
    asked = ask(town, "老厂区更新规划验收")
    answer(town, "chief", "同意", "验收资料应补充绿化苗木清单。")
    answer(town, "architect", "同意")
    feed_back(town, asked)
    decision = pass_stage(town, "acceptance")
    assert decision.ground in ("consulted", "not_required")
    assert [row["form"] for row in decision.proof["opinions"]] == ["审查意见", "审查意见"]
    town.project.refresh_from_db()
    assert town.project.stage == "done"
    page = town["department"]
    page.goto(reverse("projects:decision", args=[decision.pk]))
    expect(page.locator("main")).to_contain_text(town.people["architect"].name)
    page.get_by_role("button", name="生成凭证").click()
    page.goto(reverse("projects:decision", args=[decision.pk]))
    with page.expect_download() as waiting:
        page.get_by_role("link", name="下载凭证").click()
    with open(waiting.value.path(), "rb") as file:
        assert file.read(5) == b"%PDF-"
    decision.refresh_from_db()
    stranger = Client()
    shown = stranger.get(reverse("core:verify", args=[decision.document.code])).content.decode()
    assert decision.document.number in shown


def told_to_the_end(town: Town) -> None:
    """The bureau reads the whole course on the project's page; the figures of adoption are what was answered."""
    page = town["bureau"]
    page.goto(reverse("projects:timeline", args=[town.project.pk]))
    for words in ("发出征询", "提请分歧协调", "裁定", "反馈采纳情况", "复查通过"):
        expect(page.locator("main")).to_contain_text(words)
    today = timezone.localdate()
    rates = rates_for(town.project.locality, start=today, end=today, kind="renewal")
    given = ItemAnswer.objects.filter(is_current=True).values_list("decision", flat=True)
    assert (len(given), sum(one == "refused" for one in given)) == (6, 1)
    assert rates.bundle.count("refused") == 1


# --- elsewhere, by their packs ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Elsewhere:
    """What a pack says of the scheme of a renewal project, and as what those serve whom it therefore asks."""

    code: str
    slug: str
    mode: str
    roles: frozenset[str]
    invited: bool = False


ELSEWHERE = [
    # 四(二): the team of the street by its lead, before approval; it is asked, not invited.
    Elsewhere("110101", "beijing-core", "required", frozenset({"lead"})),
    # 二(二)1: who serves the unit, the county's seconded chief among them, takes part.
    Elsewhere("140500", "jincheng", "takes_part", frozenset({"unit_urban", "chief_county_seconded"})),
    # 二(一)3: both of the group that serves the unit, when they are invited.
    Elsewhere("371500", "liaocheng", "invited", frozenset({"first_tier", "local"}), invited=True),
]


@pytest.mark.django_db
@pytest.mark.parametrize("place", ELSEWHERE, ids=lambda place: place.code)
def test_elsewhere_the_same_project_asks_whom_that_pack_says(place: Elsewhere) -> None:
    people = build_place(place.code)
    locality, today = Locality.objects.get(code=place.code), timezone.localdate()
    policy = policy_in_force(locality, today)
    (row,) = [row for row in policy.value("review.stages") if row["stage"] == "scheme"]
    assert (policy.slug, row["mode"], policy.value("review.tiers")) == (place.slug, place.mode, None)
    unit = Unit.objects.filter(locality=locality).order_by("pk").first()
    client = Client()
    client.force_login(people["bureau"], backend=settings.AUTHENTICATION_BACKENDS[-1])
    fields = {"number": "R-001", "name": NAME, "kind": "renewal", "stage": "scheme", "units": unit.pk}
    # There is no tier to choose where the pack has no table of them.
    new = reverse("projects:project-create", args=[place.code])
    assert client.post(new, {**fields, "tier": TIER, "submission_key": "a" * 20}).status_code == 200
    assert not Project.objects.filter(number="R-001").exists()
    made = client.post(new, {**fields, "submission_key": "b" * 20})
    project = Project.objects.get(number="R-001")
    assert made.url == project.get_absolute_url()

    url = reverse("projects:consultation-create", args=[project.pk])
    page = client.get(url)
    ticked = page.context["form"].initial["planners"]
    sent = {"subject": "实施方案征求意见", "way": "written", "planners": ticked, "submission_key": "c" * 20}
    assert client.post(url, sent).status_code == 302
    asked = Consultation.objects.get(project=project)
    assert (asked.mode, asked.policy_version_id) == (place.mode, policy.version_id)
    assert asked.clause["document"] == policy.get("review.stages").clause.document
    seats = asked.consultees.select_related("planner")
    assert {seat.role_type for seat in seats} == place.roles <= {role["code"] for role in policy.value("roles.types")}
    assert {(seat.chosen, seat.weight) for seat in seats} == {("charge", row.get("weight") or "")}
    assert {seat.planner_id for seat in seats} == speakers(unit, place.roles)
    term = policy.value("review.opinion_days")
    assert (asked.term_days, row["how"] in page.content.decode()) == (term, True)
    told = [n.text for seat in seats if seat.planner.user for n in seat.planner.user.notifications.all()]
    assert told and all(("邀请您" in text) == place.invited for text in told)


def speakers(unit: Unit, roles: frozenset[str]) -> set[int]:
    """Read from the register alone: who serves the unit today in one of these roles; of a team only its lead."""
    today = timezone.localdate()
    found = set()
    for period in service_periods(charges=[unit.charge_id], start=today, end=today):
        contract = Contract.objects.get(pk=period.contract_id)
        planner = Planner.objects.get(pk=period.planner_id)
        if roles_in(contract, [planner])[planner.pk] in roles:
            found.add(planner.pk)
    return found
