"""Who has not answered is reminded before and after, once each; what nobody can fill in is told to the organisers."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from core.errors import Refused
from core.models import AuditEntry, Notification
from districts.models import Membership
from evaluations.models import Sheet
from evaluations.services.answers import decline_sheet
from evaluations.services.reminders import chase, remind
from evaluations.services.rounds import pause_round
from evaluations.services.seats import empty_seats, people_of
from evaluations.services.steps import close_step, extend_step
from evaluations.tasks import remind_raters
from evaluations.tests.filling_cases import everything, later, make_filling, save, submit
from factories import make_membership, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def filling(db):
    cache.clear()
    return make_filling()


def told(user, words):
    return Notification.objects.filter(user=user, text__contains=words).count()


def test_the_opening_tells_everybody_how_many_and_until_when(filling):
    site = filling.site
    assert Notification.objects.get(user=site.planner, text__contains="2 份评估表待填写").url == "/evaluations/sheets/"
    assert told(site.unit_officer, f"1 份评估表待填写，请于 {filling.step.due_on} 前提交") == 1
    assert told(site.city, "评估表") == 0


def test_reminded_before_and_after_once_each_and_only_who_still_owes(filling):
    site, due = filling.site, filling.step.due_on
    sheet = filling.of_unit()
    submit(sheet, site.unit_officer, everything(sheet))
    remind(later(due, -10))
    assert told(site.planner, "将于") == 0
    for _ in range(2):
        remind(later(due, -2))
        remind(later(due, 1))
    assert [told(site.planner, words) for words in ("将于", "已过截止日期")] == [1, 1]
    assert [told(site.unit_officer, words) for words in ("将于", "已过截止日期")] == [0, 0]
    assert told(site.bureau, "还有 5 份未提交") == 1


def test_a_moved_deadline_is_told_and_reminded_of_anew(filling):
    due = filling.step.due_on
    remind(later(due, -1))
    extend_step(filling.step, actor=filling.site.bureau, due_on=later(due, 20), reason="春节", today=filling.today)
    assert told(filling.site.planner, "截止日期已调整") == 1
    remind(later(due, 19))
    assert told(filling.site.planner, "将于") == 2


def test_chased_once_a_day_by_the_bureau_alone(filling):
    step, site = filling.step, filling.site
    for _ in range(2):
        chase(step, actor=site.bureau, today=filling.today)
    chase(step, actor=site.bureau, today=later(filling.today, 1))
    assert told(site.planner, "请尽快完成") == 2
    assert AuditEntry.objects.filter(action="roundstep.chase").count() == 3
    with pytest.raises(Refused):
        chase(step, actor=site.leader, today=filling.today)
    close_step(step, actor=site.bureau)
    step.refresh_from_db()
    with pytest.raises(Refused):
        chase(step, actor=site.bureau, today=filling.today)


def test_nobody_is_chased_while_it_is_paused_or_while_a_wish_is_not_decided(filling):
    site, due = filling.site, filling.step.due_on
    decline_sheet(filling.of_unit(), actor=site.unit_officer, reason="亲属")
    remind(later(due, -1))
    assert told(site.unit_officer, "将于") == 0 and told(site.planner, "将于") == 1
    pause_round(filling.round, actor=site.bureau, reason="r")
    remind(later(due, 1))
    assert told(site.planner, "已过截止日期") == 0


def test_the_task_runs_twice_and_tells_once(filling):
    filling.round.steps.filter(number=1).update(due_on=filling.today)
    remind_raters()
    before = Notification.objects.count()
    remind_raters()
    assert Notification.objects.count() == before and told(filling.site.planner, "将于") == 1


def test_who_may_fill_in_is_the_same_asked_either_way(filling):
    """`Seats` is `owed_by` the other way round: for everybody in the place and every sheet."""
    colleague = make_user("甲专人二")
    make_membership(colleague, "unit", filling.site.locality, unit=filling.site.unit)
    save(filling.of_unit(), filling.site.unit_officer, everything(filling.of_unit()))
    sheets = list(filling.round.sheets.select_related("planner"))
    found = people_of(filling.round, sheets, on=filling.today)
    for user in [
        colleague,
        *(
            getattr(filling.site, n)
            for n in (
                "bureau",
                "leader",
                "city",
                "unit_officer",
                "other_officer",
                "department",
                "owner",
                "planner",
                "colleague",
            )
        ),
    ]:
        owed = set(Sheet.objects.owed_by(user).filter(round=filling.round).values_list("pk", flat=True))
        assert {s.pk for s in sheets if user in found[s.pk]} == owed, user


@pytest.mark.parametrize("how", ["account", "role"])
def test_an_evaluator_who_has_left_is_seen_and_told_of(filling, how):
    site = filling.site
    save(filling.of_unit(), site.unit_officer, everything(filling.of_unit()))
    if how == "account":
        type(site.unit_officer).objects.filter(pk=site.unit_officer.pk).update(is_active=False)
    else:
        Membership.objects.filter(user=site.unit_officer).update(ended_from=filling.today, end_reason="调离")
    assert [sheet.pk for sheet in empty_seats(filling.round, on=filling.today)] == [filling.of_unit().pk]
    for _ in range(2):
        remind(filling.today)
    assert told(site.bureau, "1 份评估表无人可填（甲街道办事处）") == 1


def test_a_successor_in_the_office_does_not_fall_heir_to_a_draft(filling):
    """Begun by who left: the office has somebody new, but the sheet waits for the bureau to have it written anew."""
    site = filling.site
    save(filling.of_unit(), site.unit_officer, everything(filling.of_unit()))
    Membership.objects.filter(user=site.unit_officer).update(ended_from=filling.today, end_reason="调离")
    successor = make_user("接任者")
    make_membership(successor, "unit", site.locality, unit=site.unit)
    assert filling.of_unit() in empty_seats(filling.round, on=filling.today)
    assert not Sheet.objects.owed_by(successor).exists()
