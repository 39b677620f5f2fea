"""What reaches into a running request from outside: contracts that end, units that change, holidays; and reminders."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from core import audit
from core.calendar import load_work_calendar
from core.models import CalendarDay, Notification
from core.signals import calendar_changed
from districts.models import Organisation, Unit
from districts.services.unit_changes import NewUnit, Order, end_unit, merge_units, rehearse, rename_unit
from factories import make_assignment, make_contract, make_planner, make_unit, make_user
from planners.models import Contract
from planners.services.contracts import end_contract
from projects.models import Consultation, Consultee, Opinion
from projects.services.consultees import release_ended
from projects.services.course import suspend
from projects.services.extensions import answer_extension, ask_extension
from projects.services.opinions import return_opinion
from projects.services.registry import update_project
from projects.services.reminders import LONG_OVER, OVER, SOON, level_of, remind
from projects.tasks import sweep_consultations
from projects.tests.review_cases import MONDAY, asked, of_planner, on_day, write


def told(user, text):
    return Notification.objects.filter(user=user, text__contains=text).exists()


# --- a contract that ends with opinions open ----------------------------------------------------------------


def test_a_contract_that_is_over_releases_its_seats_and_a_successor_is_proposed(cast):
    successor = make_planner(cast.locality, name="接任者")
    contract = make_contract(cast.locality, planner=successor, policy_version=cast.contract.policy_version)
    make_assignment(contract, cast.unit.charge, planner=successor)
    row = asked(cast, planners=[cast.lead_planner], change_reason="由领衔答复")
    with on_day(date(2026, 6, 10)):
        draft = write(row, cast.lead_planner)
        end_contract(cast.contract, actor=cast.bureau, on=date(2026, 6, 5), reason="团队解散")
    seat = row.consultees.get()
    row.refresh_from_db()
    assert (seat.state, row.state) == ("released", "unanswered")
    assert told(cast.bureau, f"聘用合同 {cast.contract.number} 已终止，龚䶮不再答复")
    assert told(cast.bureau, "建议由接任者替补")
    assert told(cast.lead, "无须再答复；已写的草稿仍可查看")
    assert Opinion.objects.visible_to(cast.lead).get() == draft


def test_what_waits_for_the_lead_goes_back_when_the_contract_is_over(cast):
    row = of_planner(cast)
    with on_day(date(2026, 6, 10)):
        draft = write(row, cast.own_planner)
        Opinion.objects.filter(pk=draft.pk).update(state="endorsing")
        end_contract(cast.contract, actor=cast.bureau, on=date(2026, 6, 5), reason="团队解散")
    draft.refresh_from_db()
    assert (draft.state, "已终止" in draft.return_reason) == ("returned", True)


def test_a_contract_that_will_end_is_told_now_and_released_on_its_day(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 3)):
        end_contract(cast.contract, actor=cast.bureau, on=date(2026, 6, 8), reason="团队解散")
        assert row.consultees.get().state == "asked"
        assert told(cast.lead, "将于 2026-06-08 终止") and told(cast.bureau, "其后由征询单位另行安排")
    with on_day(date(2026, 6, 8)):
        # The last day of the contract still counts.
        assert release_ended() == 0
    with on_day(date(2026, 6, 9)):
        assert release_ended() == 1
        assert release_ended() == 0
    row.refresh_from_db()
    assert row.state == "unanswered"


def test_a_term_that_runs_out_is_swept_too(cast):
    row = asked(cast)
    Contract.objects.filter(pk=cast.contract.pk).update(end=date(2026, 6, 8))
    with on_day(date(2026, 6, 9)):
        sweep_consultations()
    assert row.consultees.get().state == "released"


def test_whoever_serves_on_under_the_next_contract_stays_asked(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 9)):
        Contract.objects.filter(pk=cast.contract.pk).update(end=date(2026, 6, 8))
        cast.contract.assignments.update(end=date(2026, 6, 8))
        following = make_contract(
            cast.locality, team=cast.team, start=date(2026, 6, 9), policy_version=cast.contract.policy_version
        )
        make_assignment(following, cast.unit.charge, team=cast.team)
        assert release_ended() == 0
    seat = row.consultees.get()
    assert (seat.state, seat.contract) == ("asked", following)
    assert audit.history(seat).get().detail["to"] == following.number


def test_somebody_else_of_the_request_answers_on(cast):
    person = make_planner(cast.locality, name="个人", user=make_user("个人"))
    own = make_contract(cast.locality, planner=person, policy_version=cast.contract.policy_version)
    make_assignment(own, cast.unit.charge, planner=person)
    row = asked(cast)
    assert row.consultees.count() == 2
    with on_day(date(2026, 6, 10)):
        end_contract(own, actor=cast.bureau, on=date(2026, 6, 5), reason="离职")
    row.refresh_from_db()
    assert row.state == "asked" and row.consultees.get(planner=cast.lead_planner).state == "asked"


# --- the project moves, the units change --------------------------------------------------------------------


def test_a_project_that_moves_goes_on_being_asked_about_and_everybody_hears(cast, as_user):
    newcomer = make_planner(cast.locality, name="东四规划师")
    contract = make_contract(cast.locality, planner=newcomer, policy_version=cast.contract.policy_version)
    make_assignment(contract, cast.other_unit.charge, planner=newcomer)
    row = asked(cast)
    with on_day(date(2026, 6, 3)):
        update_project(row.project, actor=cast.bureau, units=[cast.other_unit])
        row.refresh_from_db()
        assert (row.state, row.due_on, row.consultees.get().state) == ("asked", date(2026, 6, 15), "asked")
        assert told(cast.lead, "由景山街道改属东四街道，征询 ZX-110101-2026-0001 继续进行，期限不变")
        assert told(cast.bureau, "龚䶮不再负责该项目，可改由东四规划师答复")
        assert told(cast.other_unit_officer, "可改由东四规划师答复")
        page = as_user("bureau").get(row.get_absolute_url()).content.decode()
        assert "龚䶮现在不再负责该项目所在的责任单元" in page
        # The new unit's office reads it now, the old one no longer.
        assert as_user("other_unit_officer").get(row.get_absolute_url()).status_code == 200
        assert as_user("unit_officer").get(row.get_absolute_url()).status_code == 404
    assert audit.history(row).first().detail["proposed"] == ["东四规划师"]


def test_whoever_asked_keeps_the_request_when_the_project_leaves_their_unit(cast, as_user):
    row = asked(cast, actor=cast.unit_officer)
    with on_day(date(2026, 6, 3)):
        update_project(row.project, actor=cast.bureau, units=[cast.other_unit])
        assert as_user("unit_officer").get(row.get_absolute_url()).status_code == 200
        assert suspend(row, actor=cast.unit_officer, reason="核对归属").state == "suspended"


def order(day=date(2026, 6, 10)):
    return Order(effective=day, document_number="东政发〔2026〕8号", document_date=date(2026, 6, 1))


def effects(change):
    return [effect for effect in change.rehearsal if effect.area == "征询意见"]


def test_units_that_merge_carry_their_requests_along(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 15)):
        new = NewUnit("新街道", Unit.Kind.STREET)

        def merge():
            return merge_units(cast.unit, actor=cast.bureau, order=order(), others=[cast.other_unit], into=new)

        found = effects(rehearse(merge))
        assert [(e.what, e.becomes, e.tone) for e in found] == [
            ("ZX-110101-2026-0001（雄安路口公共空间提升）：待龚䶮答复", "继续进行，被征询人和期限不变", "")
        ]
        assert not told(cast.lead, "继续进行")
        merge()
        assert told(cast.lead, "自 2026-06-10 起合并，征询 ZX-110101-2026-0001 继续进行")
        # A further request finds the planners of the unit that there is now.
        again = asked(cast, project=row.project, day=date(2026, 6, 15))
    assert [c.planner for c in again.consultees.all()] == [cast.lead_planner]


def test_a_unit_that_ends_leaves_its_requests_to_the_desk(cast):
    row = asked(cast)
    with on_day(date(2026, 6, 15)):
        change = rehearse(lambda: end_unit(cast.unit, actor=cast.bureau, order=order()))
        (found,) = effects(change)
    assert found.tone == "warning" and "龚䶮自 2026-06-10 起不再负责，目前没有接替的规划师" in found.becomes
    row.refresh_from_db()
    assert row.state == "asked"


def test_a_rename_changes_nothing(cast):
    asked(cast)
    with on_day(date(2026, 6, 15)):
        assert effects(rehearse(lambda: rename_unit(cast.unit, actor=cast.bureau, order=order(), name="新名"))) == []


def test_a_department_that_was_dissolved_leaves_its_requests_to_the_bureau(cast):
    row = of_planner(cast, actor=cast.department)
    Organisation.objects.filter(kind="department").update(is_active=False)
    with on_day(date(2026, 6, 3)):
        from projects.services.consultees import decline

        decline(row.consultees.get(), actor=cast.planner, reason="无暇")
        assert told(cast.bureau, "谢绝答复") and not told(cast.department, "谢绝答复")
        from projects.services.course import withdraw

        row.refresh_from_db()
        assert withdraw(row, actor=cast.bureau, reason="单位撤销").state == "withdrawn"


# --- holidays that are published later ----------------------------------------------------------------------


def test_a_last_day_that_became_a_holiday_moves_and_everybody_hears(cast):
    row = asked(cast)
    CalendarDay.objects.filter(date=date(2026, 6, 15)).update(is_workday=False, kind="holiday")
    with on_day(date(2026, 6, 3)):
        calendar_changed.send(sender=None, years={2026})
        calendar_changed.send(sender=None, years={2026})
    row.refresh_from_db()
    assert row.due_on == date(2026, 6, 16)
    assert told(cast.lead, "答复期限调整为 2026-06-16") and told(cast.bureau, "答复期限调整为 2026-06-16")
    assert audit.history(row).filter(action="consultation.recount").count() == 1


def test_years_that_do_not_concern_it_change_nothing(cast):
    asked(cast)
    CalendarDay.objects.filter(date=date(2026, 6, 15)).update(is_workday=False, kind="holiday")
    calendar_changed.send(sender=None, years={2027})
    assert Consultation.objects.get().due_on == date(2026, 6, 15)


def test_what_is_settled_keeps_its_day(cast):
    row = asked(cast)
    Consultation.objects.filter(pk=row.pk).update(state="settled")
    CalendarDay.objects.filter(date=date(2026, 6, 15)).update(is_workday=False, kind="holiday")
    calendar_changed.send(sender=None, years={2026})
    assert Consultation.objects.get().due_on == date(2026, 6, 15)


# --- reminders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "level"),
    [
        (date(2026, 6, 10), 0), (date(2026, 6, 11), SOON), (date(2026, 6, 14), SOON), (date(2026, 6, 15), SOON),
        (date(2026, 6, 16), OVER), (date(2026, 6, 20), OVER), (date(2026, 6, 23), LONG_OVER),
    ],
)  # fmt: skip
def test_how_urgent_an_answer_is(cast, today, level):
    calendar = load_work_calendar(date(2026, 1, 1), date(2026, 12, 31))
    assert level_of(date(2026, 6, 15), today, calendar) == level


def test_each_word_is_said_once_and_reaches_further_as_time_goes_on(cast):
    row = of_planner(cast)
    seen = {}
    for day in (date(2026, 6, 10), date(2026, 6, 11), date(2026, 6, 12), date(2026, 6, 16), date(2026, 6, 23)):
        with on_day(day):
            remind()
            remind()
        rows = Notification.objects.filter(kind="consultation.due").order_by("pk")
        seen[day.day] = [(n.user.name, n.text.partition("征询")[0]) for n in rows][sum(map(len, seen.values())) :]
    assert seen == {
        10: [],
        11: [("单小雨", "请答复")],
        12: [],
        16: [("单小雨", "请答复"), ("分局干部", "单小雨尚未答复")],
        23: [
            ("单小雨", "请答复"), ("分局干部", "单小雨尚未答复"), ("龚䶮", "逾期未答复：单小雨，"),
            ("分局干部", "逾期未答复：单小雨，"),
        ],
    }  # fmt: skip
    assert row.consultees.get().escalation == LONG_OVER


def test_an_escalation_survives_that_the_lead_returns_the_opinion(cast):
    row = of_planner(cast)
    with on_day(date(2026, 6, 23)):
        draft = write(row, cast.own_planner)
        Opinion.objects.filter(pk=draft.pk).update(state="endorsing")
        remind()
        assert told(cast.lead, "单小雨的意见书待您审核")
        from unittest import mock

        with mock.patch("projects.permissions_opinions.endorser_of", return_value=cast.lead_planner):
            draft.refresh_from_db()
            return_opinion(draft, actor=cast.lead, reason="依据不足")
        assert told(cast.planner, "被退回（答复期限 2026-06-15，已逾期）：依据不足")
        before = Notification.objects.count()
        remind()
    assert row.consultees.get().escalation == LONG_OVER
    assert Notification.objects.count() == before


def test_after_an_extension_the_new_day_is_reminded_of_anew(cast):
    row = of_planner(cast)
    with on_day(date(2026, 6, 16)):
        remind()
        answer_extension(ask_extension(row, actor=cast.planner, days=5, reason="核实"), actor=cast.bureau, granted=True)
        remind()
        assert Notification.objects.filter(user=cast.planner, kind="consultation.due").count() == 1
    with on_day(date(2026, 6, 23)):
        remind()
    row.refresh_from_db()
    assert row.due_on == date(2026, 6, 23)
    assert told(cast.planner, "期限 2026-06-23") and row.consultees.get().escalation == OVER


@pytest.mark.parametrize("mode", ["invited", "advisory", ""])
def test_who_owes_nothing_is_reminded_and_never_reported(cast, mode):
    row = of_planner(cast)
    Consultation.objects.filter(pk=row.pk).update(mode=mode)
    with on_day(date(2026, 6, 23)):
        remind()
    assert told(cast.planner, "请答复") and told(cast.bureau, "单小雨尚未答复")
    assert not Notification.objects.filter(text__contains="逾期未答复").exists()


def test_what_rests_or_is_over_is_not_reminded_of(cast):
    row, other = of_planner(cast), of_planner(cast)
    with on_day(date(2026, 6, 3)):
        suspend(row, actor=cast.bureau, reason="补充资料")
    Consultee.objects.filter(consultation=other).update(state="answered")
    with on_day(date(2026, 6, 23)):
        assert remind() == 0
    assert not Notification.objects.filter(kind="consultation.due").exists()


def test_a_meeting_is_reminded_of_before_and_its_desk_after(cast):
    from datetime import datetime

    from projects.tests.review_cases import SHANGHAI

    row = asked(cast, way="meeting", meeting_at=datetime(2026, 6, 10, 14, tzinfo=SHANGHAI), meeting_place="区规划馆")
    with on_day(date(2026, 6, 9)):
        remind()
        assert told(cast.lead, "专家会将于 2026-06-10 14:00 召开，区规划馆")
    with on_day(date(2026, 6, 11)):
        remind()
        assert told(cast.bureau, "请登记到会情况")
    assert row.consultees.get().escalation == 0


def test_everything_is_reminded_of_by_the_morning_sweep(cast):
    of_planner(cast)
    with on_day(date(2026, 6, 16)):
        assert sweep_consultations() == 1
        assert sweep_consultations() == 1
    assert Notification.objects.filter(kind="consultation.due").count() == 2


def test_nothing_is_due_in_a_place_without_a_term(cast):
    of_planner(cast, term_days=None)
    make_unit(cast.locality)
    with on_day(date(2026, 12, 1)):
        assert remind() == 0
    assert timezone.localdate() > MONDAY
