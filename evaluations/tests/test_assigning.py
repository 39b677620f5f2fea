"""Who rates whom is changed by the bureau alone, with a reason; a new rater never reads the old one's sheet."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.errors import Refused, StaleState
from core.models import AuditEntry, Notification
from districts.access import forget_access
from evaluations.models import Sheet, Subject
from evaluations.services.answers import decline_sheet, own_answers
from evaluations.services.assigning import (
    add_rater,
    excuse_rater,
    in_bulk,
    insist_on_rater,
    leave_out,
    name_rater,
    reopen_sheet,
    replace_rater,
    restore_rater,
    set_share,
    take_in,
)
from evaluations.services.rounds import open_round, refresh_round
from evaluations.services.steps import close_step
from evaluations.services.subjects import TOO_SHORT
from evaluations.tests.filling_cases import everything, later, logged_in, make_filling, save, submit, values_of
from factories import make_membership, make_user

pytestmark = pytest.mark.django_db
OTHERS = ["leader", "city", "unit_officer", "other_officer", "department", "owner", "planner"]


@pytest.fixture
def filling(db):
    cache.clear()
    return make_filling()


@pytest.fixture
def newcomer(filling):
    user = make_user("新来的")
    make_membership(user, "unit", filling.site.locality, unit=filling.site.unit)
    return user


def acts(filling, sheet, who):
    """Every act, by `who`."""
    actor, today = getattr(filling.site, who), filling.today
    subject, person = sheet.subject, filling.site.department
    return {
        "name": lambda: name_rater(sheet, actor=actor, person=person, reason="r", today=today),
        "replace": lambda: replace_rater(sheet, actor=actor, person=person, reason="r", today=today),
        "excuse": lambda: excuse_rater(sheet, actor=actor, kind="recusal", reason="r"),
        "share": lambda: set_share(sheet, actor=actor, share=Decimal(2), reason="r"),
        "add": lambda: add_rater(
            sheet.step, subject, actor=actor, side="unit", reason="r", today=today, person=person
        ),
        "out": lambda: leave_out(subject, actor=actor, reason="r"),
    }  # fmt: skip


def test_nobody_but_the_bureau_changes_who_rates(filling, subtests):
    sheet = filling.of_unit()
    for who in OTHERS:
        for name, act in acts(filling, sheet, who).items():
            with subtests.test(who=who, act=name):
                with pytest.raises(Refused):
                    act()
                assert Sheet.objects.get(pk=sheet.pk).state == "waiting"


def test_not_once_the_step_has_closed(filling):
    sheet = filling.of_unit()
    close_step(filling.step, actor=filling.site.bureau)
    for name, act in acts(filling, sheet, "bureau").items():
        with pytest.raises((Refused, StaleState)):
            act()
        assert Sheet.objects.get(pk=sheet.pk).state == "waiting", name


def test_replaced_the_new_rater_starts_anew_and_the_old_one_keeps_what_was_theirs(filling, newcomer):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    submit(sheet, officer, everything(sheet, 44))
    fresh = replace_rater(sheet, actor=filling.site.bureau, reason="调离", person=newcomer, today=filling.today)
    assert (fresh.state, fresh.rater, fresh.assignee, fresh.supersedes_id) == (
        "waiting",
        sheet.rater,
        newcomer,
        sheet.pk,
    )
    assert own_answers(fresh, author=newcomer) == {} and values_of(sheet, newcomer) == [None] * len(everything(sheet))
    assert set(values_of(sheet, officer)) == {44}
    forget_access(officer)
    with pytest.raises(Refused):
        save(Sheet.objects.get(pk=sheet.pk), officer, everything(sheet, 99))
    submit(fresh, newcomer, everything(fresh, 88))
    close_step(filling.step, actor=filling.site.bureau)
    from evaluations.models import Answer

    assert set(Answer.objects.opened().values_list("value", flat=True)) == {88}  # the old sheet counts no more
    assert Notification.objects.filter(user=newcomer, text__contains="请填写").exists()
    assert AuditEntry.objects.get(action="sheet.replace").detail["reason"] == "调离"


def test_replaced_by_whoever_acts_for_the_office_now(filling, newcomer):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    save(sheet, officer, everything(sheet, 44))
    fresh = replace_rater(sheet, actor=filling.site.bureau, reason="填写人离任", today=filling.today)
    assert fresh.assignee is None and submit(fresh, newcomer, everything(fresh)).state == "submitted"


def test_a_planner_is_replaced_by_a_person_named(filling):
    sheet = filling.of_planner()
    with pytest.raises(ValidationError, match="请指定"):
        replace_rater(sheet, actor=filling.site.bureau, reason="病假", today=filling.today)
    fresh = replace_rater(
        sheet, actor=filling.site.bureau, reason="病假", person=filling.site.department, today=filling.today
    )
    assert (fresh.planner, fresh.rater_key) == (None, f"person:{filling.site.department.pk}")
    assert submit(fresh, filling.site.department, everything(fresh)).state == "submitted"


def test_nobody_is_made_to_judge_themselves_or_their_own_office(filling):
    sheet, back = filling.of_unit(), filling.of_planner()
    for row, person in ((sheet, filling.site.planner), (back, filling.site.unit_officer)):
        for act in (name_rater, replace_rater):
            with pytest.raises(ValidationError, match="不能评估自己"):
                act(row, actor=filling.site.bureau, person=person, reason="r", today=filling.today)
    with pytest.raises(ValidationError, match="单位不能评估自己"):
        add_rater(
            back.step, back.subject, actor=filling.site.bureau, side="planner", reason="r", today=filling.today,
            unit=filling.site.unit,
        )  # fmt: skip


def test_a_person_without_a_role_here_rates_nobody(filling):
    stranger = make_user("过路人")
    with pytest.raises(ValidationError, match="没有有效身份"):
        name_rater(filling.of_unit(), actor=filling.site.bureau, person=stranger, reason="r", today=filling.today)
    auditor = make_user("审计")
    make_membership(auditor, "auditor", filling.site.locality)
    with pytest.raises(ValidationError, match="没有有效身份"):
        name_rater(filling.of_unit(), actor=filling.site.bureau, person=auditor, reason="r", today=filling.today)


def test_named_is_only_who_has_not_begun(filling, newcomer):
    sheet = filling.of_unit()
    save(sheet, filling.site.unit_officer, everything(sheet))
    with pytest.raises(StaleState, match="办理改派"):
        name_rater(sheet, actor=filling.site.bureau, person=newcomer, reason="r", today=filling.today)


def test_excused_it_owes_nothing_and_can_be_taken_back(filling):
    sheet = filling.of_unit()
    save(sheet, filling.site.unit_officer, everything(sheet, 61))
    done = excuse_rater(sheet, actor=filling.site.bureau, kind="conflict", reason="亲属")
    assert done.reason == "利益冲突：亲属" and not filling.round.sheets.counting().filter(pk=sheet.pk).exists()
    restore_rater(done, actor=filling.site.bureau, reason="核实无此情况", today=filling.today)
    assert set(values_of(sheet, filling.site.unit_officer)) == {61}
    assert submit(sheet, filling.site.unit_officer).state == "submitted"


@pytest.mark.parametrize("kind, reason", [("recusal", " "), ("no-such", "r"), ("", "r")])
def test_excused_with_a_reason_of_a_kind(filling, kind, reason):
    with pytest.raises(ValidationError):
        excuse_rater(filling.of_unit(), actor=filling.site.bureau, kind=kind, reason=reason)


def test_a_wish_to_be_let_off_is_granted_or_not(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    decline_sheet(sheet, actor=officer, reason="认识")
    insisted = insist_on_rater(sheet, actor=filling.site.bureau, reason="仅为同事", today=filling.today)
    assert insisted.state == "waiting"
    forget_access(officer)
    decline_sheet(insisted, actor=officer, reason="亲属")
    assert excuse_rater(insisted, actor=filling.site.bureau, kind="declined", reason="亲属").state == "excused"


def test_shares_are_above_nothing_and_stay_when_the_round_is_drawn_anew():
    filling = make_filling(prepared=True)
    sheet = filling.of_unit()
    for share in (Decimal(0), Decimal(-1)):
        with pytest.raises(ValidationError):
            set_share(sheet, actor=filling.site.bureau, share=share, reason="r")
    set_share(sheet, actor=filling.site.bureau, share=Decimal("2.5"), reason="服务两个片区")
    refresh_round(filling.round, actor=filling.site.bureau, today=filling.today)
    assert Sheet.objects.get(pk=sheet.pk).share == Decimal("2.5")


def test_what_was_arranged_by_hand_stays_through_the_opening():
    """Named, replaced, excused, added while it was prepared: opening computes anew and undoes none of it."""
    filling = make_filling(prepared=True)
    bureau, today, site = filling.site.bureau, filling.today, filling.site
    sheet, back = filling.of_unit(), filling.round.sheets.get(side="project_owner")
    fresh = replace_rater(sheet, actor=bureau, reason="换人", person=site.department, today=today)
    excuse_rater(back, actor=bureau, kind="recusal", reason="回避")
    added = add_rater(
        sheet.step, sheet.subject, actor=bureau, side="unit", reason="共同管理", today=today, person=site.leader
    )
    leave_out(Subject.objects.get(round=filling.round, planner=site.planners[1]), actor=bureau, reason="借调")
    opened = open_round(filling.round, actor=bureau, today=today)
    assert opened.state == "scoring"
    states = dict(opened.sheets.values_list("pk", "state"))
    assert [states[row.pk] for row in (sheet, fresh, back, added)] == ["replaced", "waiting", "excused", "waiting"]
    assert opened.sheets.filter(step=sheet.step, subject=sheet.subject, unit=site.unit).count() == 2
    assert not opened.subjects.taking_part().filter(planner=site.planners[1]).exists()


def test_an_added_rater_is_of_a_side_of_the_step_and_counts_once(filling):
    sheet = filling.of_unit()
    more = {"actor": filling.site.bureau, "reason": "r", "today": filling.today}
    with pytest.raises(ValidationError, match="没有这一评估主体"):
        add_rater(sheet.step, sheet.subject, side="finance", person=filling.site.department, **more)
    with pytest.raises(ValidationError, match="只选其一"):
        add_rater(sheet.step, sheet.subject, side="unit", **more)
    add_rater(sheet.step, sheet.subject, side="unit", person=filling.site.department, **more)
    with pytest.raises(ValidationError, match="已评估这一对象"):
        add_rater(sheet.step, sheet.subject, side="unit", person=filling.site.department, **more)


def test_who_is_left_out_is_not_rated_and_can_be_taken_in(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    subject = leave_out(sheet.subject, actor=filling.site.bureau, reason="借调半年以上")
    with pytest.raises(Refused, match="不参评"):
        save(Sheet.objects.get(pk=sheet.pk), officer, everything(sheet))
    with pytest.raises(StaleState):
        leave_out(sheet.subject, actor=filling.site.bureau, reason="再来一次")
    take_in(subject, actor=filling.site.bureau, reason="已返岗")
    assert submit(Sheet.objects.get(pk=sheet.pk), officer, everything(sheet)).state == "submitted"


def test_who_served_less_than_the_policy_asks_is_not_the_bureaus_to_take_in(filling):
    subject = filling.of_unit().subject
    Subject.objects.filter(pk=subject.pk).update(left_out_reason=f"{TOO_SHORT}（服务 10 天，不足 90 天）")
    subject.refresh_from_db()
    with pytest.raises(Refused, match="最少服务天数"):
        take_in(subject, actor=filling.site.bureau, reason="想让他参评")


def test_given_back_is_one_form_until_a_day_and_to_nobody_who_has_read_the_others(filling):
    sheet, officer, bureau = filling.of_unit(), filling.site.unit_officer, filling.site.bureau
    submit(sheet, officer, everything(sheet, 40))
    with pytest.raises(Refused, match="尚未截止"):
        reopen_sheet(sheet, actor=bureau, reason="r", until=later(filling.today, 3), today=filling.today)
    close_step(filling.step, actor=bureau)
    sheet = Sheet.objects.get(pk=sheet.pk)
    with pytest.raises(ValidationError):
        reopen_sheet(sheet, actor=bureau, reason="r", until=later(filling.today, -1), today=filling.today)
    reopen_sheet(sheet, actor=bureau, reason="漏项", until=later(filling.today, 3), today=filling.today)
    other = filling.of_planner()
    with pytest.raises(Refused):
        save(other, filling.site.planner, everything(other))  # everybody else's stays closed
    with pytest.raises(StaleState, match="已过截止日期"):
        submit(sheet, officer, everything(sheet, 50), today=later(filling.today, 4))
    assert submit(sheet, officer, everything(sheet, 50), today=later(filling.today, 3)).state == "submitted"


def test_many_at_once_do_what_can_be_done_and_say_why_not(filling):
    sheets = list(filling.round.sheets.filter(step__number=1).order_by("pk"))
    excuse_rater(sheets[0], actor=filling.site.bureau, kind="recusal", reason="r")
    done = in_bulk(
        sheets, lambda s: excuse_rater(s, actor=filling.site.bureau, kind="recusal", reason="整体回避")
    )  # fmt: skip
    assert len(done.moved) == len(sheets) - 1 and list(done.refused) == [sheets[0].pk]
    assert "已被他人处理" in done.refused[sheets[0].pk]


# --- pages ------------------------------------------------------------------------------------------------------


def test_the_list_is_the_organisers_and_asks_the_same_at_any_length(filling):
    url = reverse("evaluations:round-sheets", args=[filling.round.pk])
    for who in ("unit_officer", "planner", "department", "city"):
        assert logged_in(getattr(filling.site, who)).get(url).status_code == 403
    client = logged_in(filling.site.bureau)
    client.get(url)
    counts = []
    first = filling.of_unit()
    for extra in (0, 40):
        for n in range(extra):
            Sheet.objects.create(
                round=first.round, step=first.step, form=first.form, subject=first.subject, side="unit",
                rater_key=f"x{n}", rater=f"甲{n}", unit=first.unit,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1], counts


def test_bulk_on_the_page(filling):
    client = logged_in(filling.site.bureau)
    url = reverse("evaluations:round-sheets-bulk", args=[filling.round.pk])
    sheets = list(filling.round.sheets.filter(side="unit"))
    data = {"sheet": [s.pk for s in sheets], "act": "share", "share": "", "reason": "按面积"}
    assert "请填写这一项" in client.post(url, data).content.decode()
    assert client.post(url, {**data, "share": "3"}).status_code == 302
    assert set(filling.round.sheets.filter(side="unit").values_list("share", flat=True)) == {3}
    assert "请先勾选" in client.post(url, {"act": "share", "share": "3", "reason": "r"}).content.decode()
    assert client.post(url, {**data, "sheet": ["9" * 40, "x", "-1"]}).status_code == 200
    assert logged_in(filling.site.leader).post(url, data).status_code == 403


def test_one_sheet_is_managed_on_its_page_without_what_it_says(filling, newcomer):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    submit(sheet, officer, everything(sheet, 37, comment="不得外泄"))
    client, url = logged_in(filling.site.bureau), reverse("evaluations:sheet-manage", args=[sheet.pk])
    text = client.get(url).content.decode()
    assert "改派" in text and "不得外泄" not in text
    assert client.post(url, {"act": "excuse", "kind": "", "reason": "r"}).status_code == 200
    assert client.post(url, {"act": "restore", "reason": "r"}).status_code == 302  # not offered in this state
    moved = client.post(url, {"act": "replace", "person": newcomer.pk, "reason": "调离"})
    assert moved.status_code == 302
    fresh = Sheet.objects.get(supersedes=sheet)
    assert moved["Location"] == reverse("evaluations:sheet-manage", args=[fresh.pk])


def test_the_lookup_names_people_of_the_place_to_its_bureau_alone(filling):
    url = reverse("evaluations:rater-lookup") + "?q=专人"
    names = {row["text"] for row in logged_in(filling.site.bureau).get(url).json()["results"]}
    assert names == {"甲专人", "乙专人"}
    assert logged_in(filling.site.leader).get(url).json()["results"] == []
    make_user("外地专人")
    assert "外地专人" not in {row["text"] for row in logged_in(filling.site.bureau).get(url).json()["results"]}
