"""The way of a log: who may move it where, what a correction replaces, what two people at once get."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.utils import timezone

from core.errors import Refused, StaleState
from core.models import AuditEntry, Notification
from districts.access import forget_access
from factories import make_log
from worklogs.models import MonthClosing, WorkLog
from worklogs.services.entries import Entry
from worklogs.services.logs import (
    confirm_log,
    correct_log,
    delete_draft,
    edit_log,
    record_log,
    return_log,
    submit_log,
    versions_of,
    withdraw_log,
)  # fmt: skip
from worklogs.services.months import close_month, confirm_and_close, confirm_logs


def last_month() -> date:
    return (timezone.localdate().replace(day=1) - timedelta(days=1)).replace(day=10)


def entry_of(cast, **changed) -> Entry:
    values = {
        "charge": cast.unit.charge, "date": last_month(), "slot": "full", "kind": "survey", "content": "走访胡同公共空间。",
        **changed,
    }  # fmt: skip
    return Entry(**values)


@pytest.fixture
def draft(cast) -> WorkLog:
    return record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast))


@pytest.fixture
def submitted(draft, cast) -> WorkLog:
    return submit_log(draft, actor=cast.planner)


@pytest.fixture
def confirmed(submitted, cast) -> WorkLog:
    return confirm_log(submitted, actor=cast.unit_officer)


def close(cast, month: date) -> MonthClosing:
    WorkLog.objects.filter(state="submitted").update(state="confirmed", confirmed_at=timezone.now())
    return close_month(cast.unit.charge, actor=cast.unit_officer, month=month)


def test_log_is_kept_under_the_contract_and_name_of_its_day(draft, cast):
    assert (draft.contract, draft.charge_name, draft.locality) == (cast.contract, "景山街道", cast.locality)
    assert draft.state == "draft"


@pytest.mark.parametrize(
    "who, allowed",
    [("unit_officer", True), ("bureau", True), ("planner", False), ("lead", False), ("other_unit_officer", False),
     ("other_bureau", False), ("department", False), ("leader", False), ("city", False), ("finance", False),
     ("sysadmin", False), ("auditor", False)],
)  # fmt: skip
def test_log_confirm_by_the_unit_or_the_bureau_alone(submitted, cast, who, allowed):
    if allowed:
        assert confirm_log(submitted, actor=getattr(cast, who)).state == "confirmed"
        return
    with pytest.raises(Refused):
        confirm_log(submitted, actor=getattr(cast, who))
    submitted.refresh_from_db()
    assert submitted.state == "submitted"


def test_log_confirm_never_by_its_own_planner(submitted, cast):
    # Somebody who serves as a planner and sits in the unit's office.
    cast.own_planner.user = cast.unit_officer
    cast.own_planner.save()
    submitted.refresh_from_db()
    with pytest.raises(Refused, match="自己"):
        confirm_log(WorkLog.objects.get(pk=submitted.pk), actor=cast.unit_officer)


def test_log_return_needs_a_reason_and_tells_the_planner(submitted, cast):
    with pytest.raises(ValidationError):
        return_log(submitted, actor=cast.unit_officer, reason="  ")
    returned = return_log(submitted, actor=cast.unit_officer, reason="请补充会见人员")
    assert (returned.state, returned.return_reason) == ("returned", "请补充会见人员")
    assert "请补充会见人员" in Notification.objects.get(user=cast.planner, kind="worklog.returned").text


def test_log_returned_is_mended_and_handed_in_again(submitted, cast):
    returned = return_log(submitted, actor=cast.unit_officer, reason="请写具体")
    again = edit_log(
        returned, actor=cast.planner, entry=entry_of(cast, content="走访黄化门街，核对架空线。"), submit=True
    )
    assert (again.state, again.return_reason, again.content) == ("submitted", "", "走访黄化门街，核对架空线。")


def test_log_withdraw_only_before_it_is_confirmed(submitted, cast):
    assert withdraw_log(submitted, actor=cast.planner).state == "withdrawn"
    again = submit_log(submitted, actor=cast.planner)
    confirmed = confirm_log(again, actor=cast.unit_officer)
    with pytest.raises(Refused, match="已确认"):
        withdraw_log(confirmed, actor=cast.planner)


def test_log_confirmed_cannot_be_edited(confirmed, cast):
    with pytest.raises(Refused, match="更正"):
        edit_log(confirmed, actor=cast.planner, entry=entry_of(cast, content="改写"))
    confirmed.refresh_from_db()
    assert confirmed.content == "走访胡同公共空间。"


def test_log_draft_vanishes_but_nothing_else_does(draft, submitted, cast):
    with pytest.raises(Refused):
        delete_draft(submitted, actor=cast.planner)
    other = record_log(
        cast.own_planner, actor=cast.planner, entry=entry_of(cast, date=last_month() + timedelta(days=1))
    )
    delete_draft(other, actor=cast.planner)
    assert list(WorkLog.objects.all()) == [submitted]


def test_log_stale_copy_is_told_that_somebody_was_first(submitted, cast):
    stale = WorkLog.objects.get(pk=submitted.pk)
    confirm_log(submitted, actor=cast.unit_officer)
    with pytest.raises(StaleState, match="已被他人处理"):
        return_log(stale, actor=cast.bureau, reason="不清楚")
    assert AuditEntry.objects.filter(action="worklog.return").count() == 0


# --- corrections ---------------------------------------------------------------------------------------


def test_correction_waits_beside_the_confirmed_log(confirmed, cast):
    version = correct_log(confirmed, actor=cast.planner, entry=entry_of(cast, slot="am"), reason="实为半天")
    confirmed.refresh_from_db()
    assert (version.state, version.supersedes, confirmed.superseded_by) == ("proposed", confirmed, None)
    # Until it is confirmed, what was confirmed counts, and nothing twice.
    assert list(WorkLog.objects.counting()) == [confirmed]


def test_correction_confirmed_replaces_and_keeps_the_old_version(confirmed, cast):
    version = correct_log(confirmed, actor=cast.planner, entry=entry_of(cast, slot="am"), reason="实为半天")
    confirm_log(version, actor=cast.unit_officer)
    confirmed.refresh_from_db()
    assert (confirmed.superseded_by, confirmed.slot, confirmed.state) == (version, "full", "confirmed")
    assert list(WorkLog.objects.counting()) == [version]
    assert [v.pk for v in versions_of(version)] == [confirmed.pk, version.pk]


def test_correction_returned_leaves_the_old_one_counting(confirmed, cast):
    version = correct_log(confirmed, actor=cast.planner, entry=entry_of(cast, slot="am"), reason="实为半天")
    return_log(version, actor=cast.unit_officer, reason="签到表为全天")
    assert list(WorkLog.objects.counting()) == [confirmed]


def test_correction_needs_a_reason_and_only_one_at_a_time(confirmed, cast):
    with pytest.raises(ValidationError):
        correct_log(confirmed, actor=cast.planner, entry=entry_of(cast, slot="am"), reason=" ")
    correct_log(confirmed, actor=cast.planner, entry=entry_of(cast, slot="am"), reason="实为半天")
    with pytest.raises(Refused, match="已有一份更正"):
        correct_log(confirmed, actor=cast.planner, entry=entry_of(cast, slot="pm"), reason="又改")
    assert WorkLog.objects.count() == 2


def test_correction_by_an_officer_is_confirmed_by_somebody_else(confirmed, cast):
    version = correct_log(confirmed, actor=cast.unit_officer, entry=entry_of(cast, slot="am"), reason="签到表为半天")
    with pytest.raises(Refused, match="自己"):
        confirm_log(version, actor=cast.unit_officer)
    assert confirm_log(version, actor=cast.bureau).state == "confirmed"


def test_void_takes_the_log_out_of_the_count(confirmed, cast):
    version = correct_log(confirmed, actor=cast.planner, entry=entry_of(cast), reason="日期填错单元", void=True)
    assert list(WorkLog.objects.counting()) == [confirmed]
    confirm_log(version, actor=cast.unit_officer)
    assert (version.state, list(WorkLog.objects.counting())) == ("void", [])


# --- months --------------------------------------------------------------------------------------------


def test_month_close_waits_for_every_log(submitted, cast):
    with pytest.raises(ValidationError, match="1 条"):
        close_month(cast.unit.charge, actor=cast.unit_officer, month=last_month())
    assert not MonthClosing.objects.exists()


def test_month_close_not_before_it_is_over(cast):
    with pytest.raises(Refused, match="尚未结束"):
        close_month(cast.unit.charge, actor=cast.unit_officer, month=timezone.localdate())


def test_month_close_twice_tells_the_second(cast):
    close_month(cast.unit.charge, actor=cast.unit_officer, month=last_month())
    with pytest.raises(StaleState, match="已被他人处理"):
        close_month(cast.unit.charge, actor=cast.bureau, month=last_month())


def test_closed_month_takes_a_late_log_with_a_reason_and_a_confirmation(cast):
    close(cast, last_month())
    with pytest.raises(ValidationError) as told:
        record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submit=True)
    assert "补报" in told.value.message_dict["reason"][0]
    assert not WorkLog.objects.exists()
    late = record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submit=True, reason="当时出差")
    assert (late.state, late.correction_reason) == ("proposed", "当时出差")
    assert not WorkLog.objects.counting().exists()
    confirm_log(late, actor=cast.unit_officer)
    assert list(WorkLog.objects.counting()) == [late]


def test_month_confirm_many_at_once_with_reasons_for_the_rest(cast):
    own = [
        make_log(cast.own_planner, cast.unit.charge, cast.contract, last_month() + timedelta(days=n)) for n in range(3)
    ]
    done = make_log(cast.own_planner, cast.unit.charge, cast.contract, last_month(), state="confirmed")
    foreign = make_log(cast.foreign_planner, cast.foreign_unit.charge, cast.contract, last_month())
    result = confirm_logs([*(log.pk for log in own), done.pk, foreign.pk], actor=cast.unit_officer)
    assert sorted(result.moved) == [log.pk for log in own]
    assert list(result.refused) == [done.pk]
    foreign.refresh_from_db()
    assert foreign.state == "submitted"
    assert Notification.objects.filter(user=cast.planner, kind="worklog.confirmed").count() == 1


def test_month_confirm_and_close_is_both_or_neither(cast):
    own = [
        make_log(cast.own_planner, cast.unit.charge, cast.contract, last_month() + timedelta(days=n)) for n in range(2)
    ]
    with pytest.raises(ValidationError, match="1 条"):
        confirm_and_close(cast.unit.charge, actor=cast.unit_officer, month=last_month(), ids=[own[0].pk])
    assert set(WorkLog.objects.values_list("state", flat=True)) == {"submitted"}
    confirm_and_close(cast.unit.charge, actor=cast.unit_officer, month=last_month(), ids=[log.pk for log in own])
    assert set(WorkLog.objects.values_list("state", flat=True)) == {"confirmed"}
    assert MonthClosing.objects.get().month == last_month().replace(day=1)


def test_month_confirm_takes_corrections_along(confirmed, cast):
    version = correct_log(confirmed, actor=cast.planner, entry=entry_of(cast, slot="am"), reason="实为半天")
    assert confirm_logs([version.pk], actor=cast.unit_officer).moved == [version.pk]
    confirmed.refresh_from_db()
    assert confirmed.superseded_by == version


# --- entering ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed, field, words",
    [
        ({"date": date(2999, 1, 1)}, "date", "不能晚于今天"),
        ({"date": date(2024, 12, 31)}, "date", "2025-01-01 至 2027-12-31"),
        ({"content": " "}, "content", "做了什么"),
    ],
)
def test_log_record_refuses_with_the_field_and_the_way_out(cast, changed, field, words):
    with pytest.raises(ValidationError) as told:
        record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast, **changed))
    assert list(told.value.message_dict) == [field]
    assert words in told.value.message_dict[field][0]
    assert not WorkLog.objects.exists()


def test_log_record_refuses_a_unit_that_is_not_served(cast):
    with pytest.raises(ValidationError) as told:
        record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast, charge=cast.other_unit.charge))
    assert "没有在“东四街道”" in told.value.message_dict["date"][0]


def test_log_record_for_oneself_alone(cast):
    with pytest.raises(Refused):
        record_log(cast.own_planner, actor=cast.colleague, entry=entry_of(cast))
    with pytest.raises(Refused):
        record_log(cast.own_planner, actor=cast.unit_officer, entry=entry_of(cast))


@pytest.mark.parametrize("slot, asked", [("full", True), ("am", True), ("pm", False)])
def test_log_record_asks_about_the_same_hours(cast, slot, asked):
    record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast, slot="am"))
    again = entry_of(cast, slot=slot)
    if not asked:
        record_log(cast.own_planner, actor=cast.planner, entry=again)
        return
    with pytest.raises(ValidationError) as told:
        record_log(cast.own_planner, actor=cast.planner, entry=again)
    assert list(told.value.message_dict) == ["accept_same_time"]
    record_log(cast.own_planner, actor=cast.planner, entry=again, accept_same_time=True)
    assert WorkLog.objects.count() == 2


def test_log_record_same_key_makes_one(cast):
    key = uuid4()
    first = record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submission_key=key, submit=True)
    again = record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submission_key=key, submit=True)
    assert first.pk == again.pk
    assert WorkLog.objects.count() == 1


def test_log_key_of_a_draft_hands_the_draft_in(cast):
    key = uuid4()
    first = record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submission_key=key)
    again = record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submission_key=key, submit=True)
    assert (again.pk, again.state) == (first.pk, "submitted")


# --- at the same moment --------------------------------------------------------------------------------


def at_once(*calls):
    """Run each call in a thread of its own, all released together; what each gave or raised."""
    barrier = threading.Barrier(len(calls))
    results = [None] * len(calls)

    def run(number, call):
        try:
            barrier.wait(5)
            results[number] = call()
        except Exception as exc:
            results[number] = exc
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs two writers at once")
class TestAtOnce:
    @pytest.fixture
    def waiting(self, cast):
        log = record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submit=True)
        return log

    def test_confirm_and_return_one_wins(self, waiting, cast):
        one, two = WorkLog.objects.get(pk=waiting.pk), WorkLog.objects.get(pk=waiting.pk)
        for user in (cast.unit_officer, cast.bureau):
            forget_access(user)
        results = at_once(
            lambda: confirm_log(one, actor=cast.unit_officer),
            lambda: return_log(two, actor=cast.bureau, reason="请补充"),
        )
        assert sorted(type(r).__name__ for r in results) == ["StaleState", "WorkLog"]
        assert AuditEntry.objects.filter(action__in=["worklog.confirm", "worklog.return"]).count() == 1

    def test_same_form_twice_makes_one(self, cast):
        key = uuid4()

        def send():
            return record_log(
                cast.own_planner,
                actor=cast.planner,
                entry=entry_of(cast),
                submission_key=key,
                submit=True,
                accept_same_time=True,
            )

        results = at_once(send, send, send)
        assert {type(r).__name__ for r in results} == {"WorkLog"}
        assert WorkLog.objects.count() == 1

    def test_same_form_twice_makes_two_without_the_key(self, cast):
        """The control: what happens when the guard is off."""

        def send():
            return record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), accept_same_time=True)

        at_once(send, send)
        assert WorkLog.objects.count() == 2

    def test_month_closes_against_a_log_coming_in(self, cast):
        results = at_once(
            lambda: close_month(cast.unit.charge, actor=cast.unit_officer, month=last_month()),
            lambda: record_log(cast.own_planner, actor=cast.planner, entry=entry_of(cast), submit=True),
        )
        # Whoever is second is told; a closed month with a waiting log never is the outcome.
        assert sum(isinstance(r, Exception) for r in results) == 1
        assert MonthClosing.objects.count() + WorkLog.objects.filter(state="submitted").count() == 1
