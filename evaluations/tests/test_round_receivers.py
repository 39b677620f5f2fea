"""Units that change and raters that leave while people write: nothing written is lost, nothing opens, nothing stands
still without somebody being told."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from core.models import Notification
from districts.access import forget_access
from districts.models import Membership, Unit
from districts.services.memberships import end_membership
from districts.services.unit_changes import NewUnit, Order, end_unit, merge_units, rename_unit, split_unit
from evaluations.models import Sheet
from evaluations.services.answers import own_answers
from evaluations.services.seats import empty_seats
from evaluations.services.steps import close_step
from evaluations.tests.filling_cases import everything, make_filling, save, submit, values_of
from factories import make_membership, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def filling(db):
    cache.clear()
    return make_filling()


def order(filling):
    return Order(effective=filling.today, document_number="晋政发〔2026〕9号", document_date=filling.today)


def said(change):
    """What the change says of evaluation, kept with it."""
    return [row for row in change.effects if row["area"] == "评估"]


def merged(filling):
    site = filling.site
    return merge_units(
        site.unit, actor=site.bureau, order=order(filling), others=[site.other_unit],
        into=NewUnit("丙街道", Unit.Kind.STREET, office=site.unit.office),
    )  # fmt: skip


def test_units_merge_while_a_draft_is_written_and_the_same_people_go_on(filling):
    site, sheet = filling.site, filling.of_unit()
    other = filling.round.sheets.get(unit=site.other_unit)
    save(sheet, site.unit_officer, everything(sheet, 77))
    submit(other, site.other_officer, everything(other, 66))
    change = merged(filling)
    assert "由“丙街道”的人员继续填写" in said(change)[0]["becomes"]
    forget_access(site.unit_officer)
    assert set(values_of(sheet, site.unit_officer)) == {77}
    submit(sheet, site.unit_officer, everything(sheet, 79))
    other.refresh_from_db()
    assert other.state == "submitted"  # it counts as it was handed in
    close_step(filling.step, actor=site.bureau)


def test_after_a_merger_what_nobody_had_begun_is_open_to_the_people_of_the_new_unit(filling):
    site, sheet = filling.site, filling.of_unit()
    change = merged(filling)
    new = change.lines.first().successor
    newcomer = make_user("丙专人")
    make_membership(newcomer, "unit", site.locality, unit=new)
    assert empty_seats(filling.round, on=filling.today) == []
    assert set(Sheet.objects.owed_by(newcomer).values_list("unit", flat=True)) == {site.unit.pk, site.other_unit.pk}
    # Each of the two units served counts with its own sheet, as it served in the period.
    assert submit(sheet, newcomer, everything(sheet)).state == "submitted"


def test_a_merger_opens_no_draft_of_the_other_side(filling):
    site, sheet = filling.site, filling.of_unit()
    save(sheet, site.unit_officer, everything(sheet, 77))
    merged(filling)
    forget_access(site.other_officer)
    assert own_answers(sheet, author=site.other_officer) == {}
    assert not Sheet.objects.owed_by(site.other_officer).filter(pk=sheet.pk).exists()


def test_split_in_two_it_is_said_that_whoever_begins_goes_on(filling):
    site = filling.site
    change = split_unit(
        site.unit, actor=site.bureau, order=order(filling),
        into=[NewUnit("甲东", Unit.Kind.STREET), NewUnit("甲西", Unit.Kind.STREET)],
    )  # fmt: skip
    assert "谁先开始由谁完成" in said(change)[0]["becomes"] and said(change)[0]["tone"] == "warning"


def test_renamed_nothing_changes(filling):
    change = rename_unit(filling.site.unit, actor=filling.site.bureau, order=order(filling), name="甲新街道")
    assert "沿用启动时的名称" in said(change)[0]["becomes"]
    assert submit(filling.of_unit(), filling.site.unit_officer, everything(filling.of_unit())).state == "submitted"


def test_retired_without_a_successor_it_is_said_that_nobody_can_fill_in(filling):
    change = end_unit(filling.site.unit, actor=filling.site.bureau, order=order(filling))
    assert "无人可填" in said(change)[0]["becomes"] and said(change)[0]["tone"] == "warning"


def test_a_role_that_ends_tells_the_organisers_at_once(filling):
    site = filling.site
    keeper = make_user("安全管理员")
    make_membership(keeper, "secadmin", site.locality)
    end_membership(Membership.objects.get(user=site.unit_officer), actor=keeper, reason="调离本岗")
    assert Notification.objects.filter(user=site.bureau, text__contains="无人可填（甲街道办事处）").count() == 1


def test_who_has_left_keeps_what_was_handed_in(filling):
    site, sheet = filling.site, filling.of_unit()
    submit(sheet, site.unit_officer, everything(sheet, 70))
    Membership.objects.filter(user=site.unit_officer).update(ended_from=filling.today, end_reason="调离")
    close_step(filling.step, actor=site.bureau)
    sheet.refresh_from_db()
    assert sheet.state == "submitted" and empty_seats(filling.round, on=filling.today) == []
