"""A construction site, phone in hand: what is wrong is photographed, pinned and sent; the contractor answers by its
link; the planner looks again and closes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from core.files import store_photo
from factories import make_project
from factories_review import make_party
from portal.tests.conftest import picture
from portal.tests.test_pages_audit import AXE
from projects.models import ProjectFile, ProjectFileVersion, Rectification
from projects.tests.field_cases import picture as upload
from worklogs.models import FindingPhoto, Inspection

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]
NARROW = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture
def project(cast):
    made = make_project(cast.locality, name="景山口袋公园提升", units=[cast.unit], stage="construction")
    make_party(made, "contractor", name="示例施工公司")
    drawing = ProjectFile.objects.create(project=made, kind="map", title="总平面图")
    stored, _ = store_photo(upload("总平面图.jpg", "white"), actor=cast.bureau)
    ProjectFileVersion.objects.create(document=drawing, number=1, file=stored, uploaded_by=cast.bureau)
    return made


def sound(page):
    """Fits the phone, and nothing serious for whoever reads it otherwise."""
    assert page.evaluate(NARROW), page.url
    page.evaluate((Path(settings.NODE_MODULES) / "axe-core/axe.min.js").read_text())
    assert page.evaluate(AXE, ["html", {}]) == [], page.url


def test_from_the_site_to_the_closed_rectification(cast, project, browse, hand):
    page = browse(cast.planner, "phone")
    page.goto(f"/worklogs/inspections/new/?project={project.pk}")
    finger = hand(page)
    finger.click("label:has-text('上午')")
    finger.write("#id_content", "主体完工，正在铺装。")
    finger.click("button:has-text('下一步')")
    page.wait_for_url(re.compile(r"/inspections/\d+/$"))
    sound(page)
    finger.click("a:has-text('记录发现')")
    finger.click("label:has-text('重要节点')")
    finger.write("#id_text", "檐口高出 20 厘米。")
    finger.attach("label:has-text('选照片')", picture())
    page.wait_for_selector("text=已选 1 张")
    expect(page.locator("#id_demand")).to_be_hidden()
    page.select_option("#id_plan", index=1)
    plan = page.locator("[data-pin-pick]:visible")
    box = plan.bounding_box()
    plan.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.5})
    assert (float(page.input_value("#id_x")), float(page.input_value("#id_y"))) == pytest.approx((25, 50), abs=1)
    plan.press("ArrowRight")
    assert float(page.input_value("#id_x")) == pytest.approx(26, abs=1), "the keys move it too"
    finger.click("label:has-text('需要整改')")
    finger.write("#id_demand", "按审定方案返工。")
    page.select_option("#id_contractor", index=1)
    sound(page)
    finger.click("button:has-text('保存') >> nth=0")
    page.wait_for_selector("text=已记录发现 1")
    kept = FindingPhoto.objects.get()
    assert (kept.x, kept.y) == pytest.approx((260, 500), abs=15)
    page.locator("button:has-text('提交巡查')").click()
    page.locator("dialog[open] button:has-text('提交')").click()
    page.wait_for_selector("text=已提出 1 项整改意见")
    row = Rectification.objects.get()
    assert (Inspection.objects.get().log.state, row.state) == ("submitted", "open")

    page.goto(f"{row.get_absolute_url()}links/new/")
    page.locator("button:has-text('生成链接和校验码')").click()
    link, code = page.locator(".once").all_inner_texts()
    sound(page)

    stranger = browse(None, "phone")
    stranger.goto(link[link.index("/r/") :])
    expect(stranger.locator("body")).not_to_contain_text("口袋公园")
    sound(stranger)
    stranger.fill("#id_code", code.strip())
    stranger.locator("button:has-text('打开')").click()
    stranger.wait_for_selector("text=按审定方案返工。")
    sound(stranger)
    assert stranger.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    stranger.fill("#id_text", "已按审定方案返工。")
    stranger.fill("#id_signed_as", "张三")
    stranger.set_input_files(f"#id_beside_{row.photos.get().pk}", [picture("整改后.jpg", "seagreen")])
    stranger.locator("button:has-text('提交回复')").dblclick(no_wait_after=True)
    stranger.wait_for_selector("h1:has-text('回复已收到')")
    sound(stranger)
    assert row.replies.count() == 1

    page.goto(row.get_absolute_url())
    expect(page.get_by_alt_text("整改后照片 1-1")).to_be_visible()
    page.locator("a:has-text('复查')").first.click()
    page.locator("label:has-text('已整改到位')").click()
    page.fill("#id_text", "现场已改正。")
    page.locator("button:has-text('提交复查结果')").click()
    page.wait_for_selector("text=已销项")
    row.refresh_from_db()
    assert (row.state, row.closed_on) == ("closed", timezone.localdate())
