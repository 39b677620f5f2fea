"""The yearly review of the system, supervision and circulars: who, with which figures, seen by whom."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.jobs import run_one
from core.models import Job, Notification
from evaluations.models import Circular, Inspection, SystemReview
from evaluations.services import oversight as service
from evaluations.tests.round_cases import make_site
from factories import make_log

pytestmark = pytest.mark.django_db
EVERYBODY = ["bureau", "leader", "city", "unit_officer", "other_officer", "department", "owner", "planner", "colleague"]


@pytest.fixture
def site(db):
    return make_site("liaocheng", demo=True)


def sees(site, rows):
    return {who for who in EVERYBODY if rows.visible_to(getattr(site, who)).exists()}


def inspected(site, **extra):
    today = timezone.localdate()
    values = {
        "organisation": site.unit.office, "held_on": today, "due_on": today + timedelta(days=10), "findings": "未提供场所",
        "demands": "提供场所", "today": today,
    } | extra  # fmt: skip
    return service.make_inspection(site.locality, actor=values.pop("actor", site.bureau), **values)


def test_the_review_takes_its_figures_from_the_portal_and_keeps_them(site):
    year = timezone.localdate().year
    make_log(site.planners[0], site.unit.charge, site.contract, date(year, 1, 1), state="confirmed")
    draft = service.draft_review(site.locality, actor=site.bureau, year=year, today=timezone.localdate())
    assert service.draft_review(site.locality, actor=site.bureau, year=year, today=timezone.localdate()) == draft
    with pytest.raises(ValidationError, match="改进建议"):
        service.settle_review(draft, actor=site.bureau)
    draft = service.save_review(draft, actor=site.bureau, findings="场所不足", proposals="纳入考核", revision=0)
    with pytest.raises(StaleState, match="别处"):
        service.save_review(draft, actor=site.bureau, findings="旧页", proposals="旧页", revision=0)
    assert sees(site, SystemReview.objects.all()) == {"bureau", "leader"}
    settled = service.settle_review(draft, actor=site.bureau)
    logs = next(fact for fact in settled.facts if fact["label"] == "已确认履职记录")
    assert logs["value"] == "1"
    make_log(site.planners[0], site.unit.charge, site.contract, date(year, 1, 2), state="confirmed")
    settled.refresh_from_db()
    assert logs in settled.facts and sees(site, SystemReview.objects.all()) == {"bureau", "leader", "city"}
    with pytest.raises(StaleState):
        service.save_review(settled, actor=site.bureau, findings="改", proposals="改", revision=1)
    again = service.draft_review(site.locality, actor=site.bureau, year=year, today=timezone.localdate())
    assert (again.version, again.findings) == (2, "场所不足")
    assert "三(一)" in service.review_ground(site.locality)


@pytest.mark.parametrize("who", ["leader", "city", "planner", "unit_officer"])
def test_only_the_bureau_reviews(site, who):
    with pytest.raises(Refused):
        service.draft_review(site.locality, actor=getattr(site, who), year=2026, today=timezone.localdate())


def test_a_year_to_come_is_not_reviewed(site):
    with pytest.raises(ValidationError, match="今年或以前"):
        service.draft_review(site.locality, actor=site.bureau, year=2999, today=timezone.localdate())


def test_an_office_that_was_inspected_answers_and_whoever_inspects_closes(site):
    row = inspected(site)
    assert Notification.objects.filter(kind="inspection.made", user=site.unit_officer).exists()
    assert sees(site, Inspection.objects.all()) == {"bureau", "leader", "city", "unit_officer"}
    for user in (site.other_officer, site.department, site.bureau, site.city):
        with pytest.raises(Refused):
            service.answer_inspection(row, actor=user, answer="已办")
    with pytest.raises(ValidationError, match="整改情况"):
        service.answer_inspection(row, actor=site.unit_officer, answer=" ")
    row = service.answer_inspection(row, actor=site.unit_officer, answer="已提供")
    with pytest.raises(ValidationError, match="原因"):
        service.move_inspection(row, "again", actor=site.bureau)
    row = service.move_inspection(row, "again", actor=site.bureau, reason="面积不足")
    row = service.answer_inspection(row, actor=site.unit_officer, answer="已扩大")
    for user in (site.city, site.leader, site.unit_officer):
        with pytest.raises(Refused):
            service.move_inspection(row, "close", actor=user)
    assert service.move_inspection(row, "close", actor=site.bureau).state == "closed"
    with pytest.raises(StaleState):
        service.move_inspection(row, "close", actor=site.bureau)


def test_the_city_inspects_a_locality_as_a_whole_and_its_bureau_answers(site):
    row = inspected(site, actor=site.city, organisation=None)
    assert row.by_city
    row = service.answer_inspection(row, actor=site.bureau, answer="已整改")
    with pytest.raises(Refused):
        service.move_inspection(row, "close", actor=site.leader)
    assert service.move_inspection(row, "close", actor=site.city).state == "closed"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"organisation": None}, "受督查单位"),
        ({"held_on": timezone.localdate() + timedelta(days=1)}, "不能晚于今天"),
        ({"due_on": date(2020, 1, 1)}, "不能早于督查日期"),
        ({"findings": " "}, "督查发现|不能为空|空"),
    ],
)
def test_an_inspection_that_makes_no_sense_is_refused(site, values, why):
    with pytest.raises(ValidationError, match=why):
        inspected(site, **values)
    assert not Inspection.objects.exists()


def test_an_office_of_another_locality_is_not_inspected(site):
    other = make_site("tongzhou", demo=True)
    with pytest.raises(ValidationError, match="不是该地方"):
        inspected(site, organisation=other.unit.office)
    with pytest.raises(Refused):
        inspected(site, actor=other.bureau)


def test_a_circular_shows_each_unit_and_is_fixed_when_it_goes_out(client, site):
    make_log(site.planners[0], site.unit.charge, site.contract, date(2025, 3, 3), state="confirmed")
    inspected(site)
    client.force_login(site.bureau)
    sent = {"title": "上半年落实情况通报", "start": "2025-01-01", "end": "2025-06-30", "text": "总体良好。",
            "submission_key": new_key(), "state": "out"}  # fmt: skip
    page = client.post("/evaluations/circulars/new/", sent).url
    assert client.post("/evaluations/circulars/new/", sent).url == page
    row = Circular.objects.get()
    assert row.state == "draft" and sees(site, Circular.objects.all()) == {"bureau", "city"}
    client.post(f"{page}put-out/")
    row.refresh_from_db()
    assert {line[0]: line[1:] for line in row.rows} == {"甲街道": ["1", "1", "1"], "乙街道": ["1", "0", "0"]}
    assert sees(site, Circular.objects.all()) == {
        "bureau", "leader", "city", "unit_officer", "other_officer", "department", "owner",
    }  # fmt: skip
    client.force_login(site.unit_officer)
    assert "上半年落实情况通报" in client.get(page).content.decode()
    assert client.post(f"{page}put-out/").status_code == 403
    client.post(f"{page}pdf/")
    job = Job.objects.latest("pk")
    run_one(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.message


def test_pages_open_to_whom_they_concern(client, site):
    row = inspected(site)
    review = service.draft_review(site.locality, actor=site.bureau, year=2025, today=timezone.localdate())
    expected = {
        "/evaluations/inspections/": set(EVERYBODY),
        f"/evaluations/inspections/{row.pk}/": {"bureau", "leader", "city", "unit_officer"},
        "/evaluations/inspections/new/": {"bureau", "city"},
        "/evaluations/circulars/": set(EVERYBODY),
        "/evaluations/circulars/new/": {"bureau", "city"},
        "/evaluations/reviews/": {"bureau", "leader", "city"},
        f"/evaluations/reviews/{review.pk}/": {"bureau", "leader"},
    }
    for url, people in expected.items():
        found = set()
        for who in EVERYBODY:
            client.force_login(getattr(site, who))
            if client.get(url).status_code == 200:
                found.add(who)
        assert found == people, url
