"""A rater fills in: field by field, on one device or two, until the deadline and no longer."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused, StaleState
from core.explain import Figure
from core.models import AuditEntry
from districts.access import forget_access
from evaluations.evidence import Evidence
from evaluations.models import Indicator, RoundStep, Sheet
from evaluations.permissions.sheets import can_read_answers
from evaluations.services import counts
from evaluations.services.answers import (
    Given,
    abstain_sheet,
    answers_for,
    decline_sheet,
    own_answers,
    progress_of,
    side_by_side,
    take_back_sheet,
    withdraw_sheet,
)
from evaluations.services.rounds import pause_round
from evaluations.services.steps import close_step, extend_step
from evaluations.tests.filling_cases import everything, later, lines_of, make_filling, save, submit, values_of
from factories import make_membership, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def filling(db):
    return make_filling()


def test_what_is_saved_field_by_field_is_there_again(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    first, second = lines_of(sheet)[:2]
    save(sheet, officer, {first.pk: Given(value=Decimal(71))})
    done = save(sheet, officer, {second.pk: Given(value=Decimal(64), comment="会议少")})
    kept = own_answers(sheet, author=officer)
    assert kept[first.pk] == Given(value=Decimal(71))
    assert kept[second.pk] == Given(value=Decimal(64), comment="会议少")
    assert (done.progress.filled, done.sheet.state, done.sheet.author) == (2, "draft", officer)
    assert progress_of([done.sheet], author=officer)[sheet.pk].filled == 2


def test_a_colleague_of_the_office_neither_goes_on_with_it_nor_reads_it(filling):
    sheet = filling.of_unit()
    save(sheet, filling.site.unit_officer, everything(sheet))
    colleague = make_user("甲专人二")
    make_membership(colleague, "unit", filling.site.locality, unit=filling.site.unit)
    with pytest.raises(Refused, match="已由本单位其他人开始填写"):
        save(sheet, colleague, everything(sheet, 20))
    assert own_answers(sheet, author=colleague) == {}
    with pytest.raises(Refused, match="截止前只有填写人本人"):
        answers_for(sheet, reader=colleague)
    assert values_of(sheet, filling.site.unit_officer) == [80] * len(lines_of(sheet))


@pytest.mark.parametrize("value, why", [(101, "0 到 100"), (-1, "0 到 100"), (Decimal("70.5"), "每档 1 分")])
def test_what_is_off_the_scale_is_refused_by_name_and_nothing_is_kept(filling, value, why):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    line = lines_of(sheet)[0]
    with pytest.raises(ValidationError) as refusal:
        save(sheet, officer, {line.pk: Given(value=Decimal(value))})
    assert why in refusal.value.message_dict[f"i{line.pk}-value"][0]
    assert own_answers(sheet, author=officer) == {}
    sheet.refresh_from_db()
    assert sheet.state == "waiting"


def test_a_line_of_another_form_is_refused(filling):
    sheet, other = filling.of_unit(), filling.of_planner()
    with pytest.raises(ValidationError, match="没有这一项"):
        save(sheet, filling.site.unit_officer, {lines_of(other)[0].pk: Given(value=Decimal(1))})


def test_submitting_says_what_is_missing_and_keeps_what_is_there(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    first, *rest = lines_of(sheet)
    save(sheet, officer, {first.pk: Given(value=Decimal(90))})
    with pytest.raises(ValidationError) as refusal:
        submit(sheet, officer)
    assert set(refusal.value.message_dict) == {f"i{line.pk}-value" for line in rest}
    sheet.refresh_from_db()
    assert (sheet.state, values_of(sheet, officer)[0]) == ("draft", 90)
    submit(sheet, officer, {line.pk: Given(value=Decimal(80)) for line in rest})
    sheet.refresh_from_db()
    assert sheet.state == "submitted" and sheet.submitted_at is not None


def test_an_extreme_needs_a_word(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    line = lines_of(sheet)[0]
    Indicator.objects.filter(pk=line.pk).update(comment_at_most=60, comment_at_least=95)
    for value in (60, 95):
        with pytest.raises(ValidationError) as refusal:
            submit(sheet, officer, {**everything(sheet), line.pk: Given(value=Decimal(value))})
        assert list(refusal.value.message_dict) == [f"i{line.pk}-comment"]
    submit(sheet, officer, {**everything(sheet), line.pk: Given(value=Decimal(95), comment="多次协调成功")})
    assert values_of(sheet, officer)[0] == 95


def test_not_applicable_only_where_the_policy_allows_it(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    line = lines_of(sheet)[0]
    rules = filling.round.rules
    for allowed in ("refused", "reweight"):
        rules["evaluation.not_applicable"]["value"] = allowed
        filling.round.rules = rules
        filling.round.save(update_fields=["rules"])
        given = {line.pk: Given(value=Decimal(5), not_applicable=True)}
        if allowed == "refused":
            with pytest.raises(ValidationError, match="不能选择"):
                save(sheet, officer, given)
        else:
            save(sheet, officer, given)
            kept = own_answers(sheet, author=officer)[line.pk]
            assert kept == Given(not_applicable=True)  # what was chosen before goes


def test_from_two_devices_a_line_changed_elsewhere_is_not_written_over(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    first, second = lines_of(sheet)[:2]
    empty = {line.pk: Given().mark for line in (first, second)}
    save(sheet, officer, {first.pk: Given(value=Decimal(70))}, seen=empty)
    # The other device still shows both lines empty: another line goes in, the changed one is refused.
    save(sheet, officer, {second.pk: Given(value=Decimal(60))}, seen=empty)
    with pytest.raises(ValidationError) as refusal:
        save(sheet, officer, {first.pk: Given(value=Decimal(10))}, seen=empty)
    assert "别处" in refusal.value.message_dict[f"i{first.pk}-value"][0]
    # The same again is no conflict, and who has seen what is there may change it.
    save(sheet, officer, {first.pk: Given(value=Decimal(70))}, seen=empty)
    save(sheet, officer, {first.pk: Given(value=Decimal(10))}, seen={first.pk: Given(value=Decimal(70)).mark})
    assert values_of(sheet, officer)[:2] == [10, 60]


def test_submitted_from_the_other_device_it_says_so_and_stays_as_submitted(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    submit(sheet, officer, everything(sheet, 80))
    for act in (submit, save):
        with pytest.raises(StaleState, match="已在另一处提交"):
            act(Sheet.objects.get(pk=sheet.pk), officer, everything(sheet, 20))
    assert values_of(sheet, officer) == [80] * len(lines_of(sheet))


def test_the_deadline_is_the_same_midnight_for_everybody_and_moves_for_everybody(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    due = filling.step.due_on
    save(sheet, officer, everything(sheet, 50), today=due)
    for act in (save, submit):
        with pytest.raises(StaleState, match="已过截止日期"):
            act(sheet, officer, everything(sheet, 60), today=later(due, 1))
    assert values_of(sheet, officer) == [50] * len(lines_of(sheet))
    extend_step(filling.step, actor=filling.site.bureau, due_on=later(due, 5), reason="春节", today=due)
    submit(sheet, officer, everything(sheet, 60), today=later(due, 1))
    with pytest.raises(StaleState, match="已过截止日期"):
        withdraw_sheet(sheet, actor=officer, today=later(due, 6))


def test_a_deadline_moved_while_somebody_writes_costs_them_nothing(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    saved = save(sheet, officer, everything(sheet, 50))
    extend_step(
        filling.step, actor=filling.site.bureau, due_on=later(filling.today, 40), reason="延期", today=filling.today
    )
    done = submit(sheet, officer, everything(sheet, 55), seen=saved.marks, today=later(filling.today, 30))
    assert done.state == "submitted" and values_of(sheet, officer) == [55] * len(lines_of(sheet))


def test_taken_back_until_the_step_closes_and_not_afterwards(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    submit(sheet, officer, everything(sheet))
    withdraw_sheet(sheet, actor=officer, today=filling.today)
    submit(sheet, officer, everything(sheet, 70))
    close_step(filling.step, actor=filling.site.bureau)
    with pytest.raises(StaleState):
        withdraw_sheet(Sheet.objects.get(pk=sheet.pk), actor=officer, today=filling.today)
    assert values_of(sheet, officer) == [70] * len(lines_of(sheet))


def test_paused_nothing_is_written_and_nothing_is_lost(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    save(sheet, officer, everything(sheet, 66))
    pause_round(filling.round, actor=filling.site.bureau, reason="机构调整")
    with pytest.raises(Refused, match="已暂停"):
        save(sheet, officer, everything(sheet, 20))
    assert values_of(sheet, officer) == [66] * len(lines_of(sheet))


def test_abstaining_takes_a_reason_and_can_be_taken_back(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    with pytest.raises(ValidationError):
        abstain_sheet(sheet, actor=officer, reason="  ", today=filling.today)
    done = abstain_sheet(sheet, actor=officer, reason="接触很少", today=filling.today)
    assert (done.state, done.reason, done.author) == ("abstained", "接触很少", officer)
    assert withdraw_sheet(done, actor=officer, today=filling.today).state == "draft"


def test_asking_to_be_let_off_waits_for_the_organisers_and_can_be_taken_back(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    done = decline_sheet(sheet, actor=officer, reason="亲属关系")
    assert done.state == "declined" and filling.round.sheets.unanswered().filter(pk=sheet.pk).exists()
    forget_access(officer)
    with pytest.raises(Refused):
        save(done, officer, everything(sheet))
    assert take_back_sheet(done, actor=officer).state == "waiting"
    assert submit(sheet, officer, everything(sheet)).state == "submitted"


def test_who_is_asked_to_judge_themselves_cannot_but_can_ask_to_be_let_off(filling):
    sheet = filling.of_unit()
    Sheet.objects.filter(pk=sheet.pk).update(assignee=filling.site.planner)
    sheet.refresh_from_db()
    with pytest.raises(Refused, match="不能评估自己"):
        save(sheet, filling.site.planner, everything(sheet))
    assert decline_sheet(sheet, actor=filling.site.planner, reason="评估自己").state == "declined"


def test_own_forms_side_by_side_hold_ones_own_alone(filling):
    sheets = list(filling.round.sheets.filter(side="planner", step__number=1))
    mine = [s for s in sheets if s.planner_id == filling.site.planners[0].pk]
    theirs = next(s for s in sheets if s.planner_id != filling.site.planners[0].pk)
    save(mine[0], filling.site.planner, everything(mine[0], 91))
    save(theirs, filling.site.colleague, everything(theirs, 13))
    found = side_by_side([*mine, theirs], author=filling.site.planner)
    assert {given.value for given in found[mine[0].pk].values()} == {91} and found[theirs.pk] == {}


def test_the_log_says_that_and_not_what(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    sheet.form.indicators.exclude(kind="text").update(increment=Decimal("0.01"))
    submit(sheet, officer, everything(sheet, "37.37", comment="机密说明"))
    for entry in AuditEntry.objects.filter(object_type="evaluations.sheet", object_id=str(sheet.pk)):
        assert "37.37" not in str(entry.detail) and "机密" not in str(entry.detail)
    assert {"sheet.begin", "sheet.save", "sheet.submit"} <= set(
        AuditEntry.objects.filter(object_id=str(sheet.pk)).values_list("action", flat=True)
    )


def test_the_second_step_is_not_written_while_the_first_is_open(filling):
    second = filling.round.sheets.filter(step__number=2, side="bureau").first()
    with pytest.raises(Refused, match="未开始"):
        save(second, filling.site.bureau, everything(second))
    assert not can_read_answers(filling.site.bureau, second)


def test_text_loses_what_nobody_sees_and_keeps_rare_characters(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    line = lines_of(sheet)[0]
    save(sheet, officer, {line.pk: Given(value=Decimal(70), comment="龚䶮\x00 𠮷\u202e 㛃 ")})
    assert own_answers(sheet, author=officer)[line.pk].comment == "龚䶮 𠮷 㛃"
    with pytest.raises(ValidationError, match="最多 1000 字"):
        save(sheet, officer, {line.pk: Given(value=Decimal(70), comment="长" * 1001)})


def test_what_the_portal_counts_nobody_types_and_all_raters_get_the_same(filling, monkeypatch):
    sheet, officer, site = filling.of_unit(), filling.site.unit_officer, filling.site
    line = lines_of(sheet)[0]
    Indicator.objects.filter(pk=line.pk).update(kind="count", source="days", full_at=100)
    figure = [Evidence("days", "服务天数", Figure(Decimal(30)))]
    monkeypatch.setattr(counts, "evidence_for", lambda query, only=None: figure)
    submit(sheet, officer, {**everything(sheet), line.pk: Given(value=Decimal(100), comment="我数的")})
    assert own_answers(sheet, author=officer)[line.pk].value is None
    owner = filling.round.sheets.get(side="project_owner")
    submit(owner, site.owner, everything(owner))
    figure[:] = [Evidence("days", "服务天数", Figure(Decimal(45)))]
    close_step(filling.step, actor=site.bureau)
    for row in (sheet, owner):
        given = answers_for(Sheet.objects.select_related("step").get(pk=row.pk), reader=site.bureau)[line.pk]
        assert given.value == 45
    assert own_answers(sheet, author=officer)[line.pk].comment == "我数的"


def test_a_count_that_cannot_be_computed_closes_nothing(filling, monkeypatch):
    sheet = filling.of_unit()
    Indicator.objects.filter(pk=lines_of(sheet)[0].pk).update(kind="count", source="days", full_at=100)
    submit(sheet, filling.site.unit_officer, everything(sheet))
    unset = [Evidence("days", "服务天数", Figure(None, unset=("quota.days",)))]
    monkeypatch.setattr(counts, "evidence_for", lambda query, only=None: unset)
    with pytest.raises(ValidationError, match="未设定，不能计算"):
        close_step(filling.step, actor=filling.site.bureau)
    assert RoundStep.objects.get(pk=filling.step.pk).state == "open"
