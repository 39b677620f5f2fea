"""A monthly report on its way: written, handed in, returned, accepted, locked with its month, superseded."""

from __future__ import annotations

from itertools import product

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused, StaleState
from core.models import Notification
from core.tests.undone import undone
from factories import make_log
from worklogs.models import MonthClosing, MonthlyReport, WorkLog
from worklogs.services.entries import Entry
from worklogs.services.logs import confirm_log, correct_log
from worklogs.services.monthly import (
    ROWS,
    accept_report,
    return_report,
    save_texts,
    submit_report,
    supersede_report,
    withdraw_report,
)
from worklogs.services.monthly_facts import facts_of, is_outdated
from worklogs.services.months import close_month, confirm_and_close
from worklogs.tests.monthly_cases import MARCH, TEXTS, march_logs, report_of


def close(cast) -> MonthClosing:
    return close_month(cast.unit.charge, actor=cast.unit_officer, month=MARCH)


@pytest.fixture
def locked(cast) -> MonthlyReport:
    march_logs(cast)
    accept_report(report_of(cast, submitted=True), actor=cast.unit_officer)
    close(cast)
    return ROWS.get()


def test_monthly_figures_come_from_the_logs_alone(cast):
    march_logs(cast)
    make_log(cast.own_planner, cast.unit.charge, cast.contract, MARCH.replace(month=4))
    make_log(cast.own_planner, cast.unit.charge, cast.contract, MARCH, state="draft")
    make_log(cast.colleague_planner, cast.unit.charge, cast.contract, MARCH)
    facts = facts_of(report_of(cast))
    totals = {"logs": 3, "confirmed": 3, "dates": 3, "met": 1, "meetings": 1, "consulting": 1, "inspections": 0,
              "photos": 0}  # fmt: skip
    assert facts["totals"] == totals
    assert sum(kind["count"] for kind in facts["kinds"]) == sum(len(kind["logs"]) for kind in facts["kinds"]) == 3
    assert {figure["code"] for figure in facts["figures"]} == {"days", "visits", "principal_met"}
    assert all(figure["value"] is not None or figure["unset"] for figure in facts["figures"])
    # The unit's days are the team's together: beside the author's own counts the report says so.
    assert all(figure["shared"] for figure in facts["figures"])


def test_monthly_needs_its_texts_and_a_month_that_is_over(cast):
    report = report_of(cast)
    with pytest.raises(ValidationError) as refused:
        submit_report(report, actor=cast.planner)
    assert set(refused.value.message_dict) == {"summary", "plans"}
    save_texts(report, actor=cast.planner, texts=TEXTS, revision=report.revision)
    MonthlyReport.objects.filter(pk=report.pk).update(month=MARCH.replace(year=2199))
    report.refresh_from_db()
    with pytest.raises(ValidationError, match="尚未结束"):
        submit_report(report, actor=cast.planner)


def test_monthly_saved_in_two_places_keeps_the_first(cast):
    report = report_of(cast)
    other = ROWS.get(pk=report.pk)
    save_texts(report, actor=cast.planner, texts=TEXTS, revision=0)
    with pytest.raises(StaleState, match="别处保存"):
        save_texts(other, actor=cast.planner, texts={"summary": "另一页"}, revision=0)
    assert MonthlyReport.objects.get().texts == TEXTS


ACTS = {
    "accept": lambda report, actor: accept_report(report, actor=actor),
    "return": lambda report, actor: return_report(report, actor=actor, reason="请补充计划"),
    "withdraw": lambda report, actor: withdraw_report(report, actor=actor),
}
MAY = {"accept": {"unit_officer", "bureau"}, "return": {"unit_officer", "bureau"}, "withdraw": {"planner"}}


PEOPLE = (
    "planner", "lead", "colleague", "unit_officer", "other_unit_officer", "bureau", "other_bureau", "department",
    "leader", "city", "finance", "sysadmin", "auditor",
)  # fmt: skip


def test_monthly_acts_by_role(cast, subtests):
    report_of(cast, submitted=True)
    for (act, do), who in product(ACTS.items(), PEOPLE):
        report = MonthlyReport.objects.get()
        with subtests.test(act=act, who=who), undone():
            if who in MAY[act]:
                assert do(report, getattr(cast, who)).state in {"accepted", "returned", "draft"}
                continue
            with pytest.raises(Refused):
                do(report, getattr(cast, who))
            assert MonthlyReport.objects.get().state == "submitted"


def test_monthly_returned_with_a_reason_is_mended_and_handed_in_again(cast):
    report = report_of(cast, submitted=True)
    with pytest.raises(ValidationError, match="原因"):
        return_report(report, actor=cast.unit_officer, reason=" ")
    return_report(report, actor=cast.unit_officer, reason="请补充计划")
    assert Notification.objects.filter(user=cast.planner, kind="monthly.returned", text__contains="请补充计划").exists()
    save_texts(report, actor=cast.planner, texts={**TEXTS, "plans": "补充"}, revision=report.revision)
    assert submit_report(report, actor=cast.planner).return_reason == ""


def test_monthly_accepted_by_the_second_of_two_is_refused(cast):
    march_logs(cast)
    first, second = report_of(cast, submitted=True), ROWS.get()
    accept_report(first, actor=cast.unit_officer)
    with pytest.raises(StaleState, match="已被他人处理"):
        accept_report(second, actor=cast.bureau)
    assert MonthlyReport.objects.get().accepted_by == cast.unit_officer


def test_monthly_waits_for_its_logs_to_be_confirmed(cast):
    march_logs(cast, state="submitted")
    with pytest.raises(ValidationError, match="还有 3 条履职记录待确认"):
        accept_report(report_of(cast, submitted=True), actor=cast.unit_officer)


def test_monthly_is_one_flow_with_its_month(client, cast):
    """One click on the month's page confirms the logs, accepts the report, closes the month and locks both."""
    logs = march_logs(cast, state="submitted")
    report = report_of(cast, submitted=True)
    client.force_login(cast.unit_officer)
    address = f"/worklogs/months/{cast.unit.charge_id}/2026/3/"
    page = client.get(address).content.decode()
    assert f'name="reports" value="{report.pk}" checked' in page
    sent = {"logs": [log.pk for log in logs], "reports": [report.pk], "close": "1"}
    page = client.post(f"{address}confirm/", sent, follow=True).content.decode()
    assert "已确认 3 条，已接受工作月报 1 份，2026年3月已锁定" in page
    report.refresh_from_db()
    assert (report.state, report.facts["totals"]["confirmed"]) == ("locked", 3)
    assert set(report.facts["records"]) == {log.pk for log in logs}


def test_monthly_that_waits_keeps_its_month_open_and_nothing_is_half_done(cast):
    logs = march_logs(cast, state="submitted")
    report_of(cast, submitted=True)
    with pytest.raises(ValidationError, match="还有 1 份工作月报待接受"):
        confirm_and_close(cast.unit.charge, actor=cast.unit_officer, month=MARCH, ids=[log.pk for log in logs])
    assert not MonthClosing.objects.exists() and not WorkLog.objects.filter(state="confirmed").exists()


def test_monthly_still_unwritten_does_not_keep_its_month_open_and_is_locked_when_it_comes(cast):
    march_logs(cast)
    report_of(cast)
    close(cast)
    report = report_of(cast, submitted=True)
    assert accept_report(report, actor=cast.unit_officer).state == "locked"


def test_monthly_locked_is_never_edited_but_superseded_with_a_reason(cast, locked):
    for act in (
        lambda: save_texts(locked, actor=cast.planner, texts=TEXTS, revision=locked.revision),
        lambda: return_report(locked, actor=cast.unit_officer, reason="改"),
        lambda: supersede_report(locked, actor=cast.unit_officer, reason="改"),
    ):
        with pytest.raises(Refused):
            act()
    with pytest.raises(ValidationError, match="更正原因"):
        supersede_report(locked, actor=cast.planner, reason=" ")
    fresh = supersede_report(locked, actor=cast.planner, reason="漏记一次会议")
    with pytest.raises(StaleState):
        supersede_report(locked, actor=cast.planner, reason="再来")
    assert (fresh.version, fresh.state, fresh.texts) == (2, "draft", locked.texts)
    fresh = submit_report(ROWS.get(pk=fresh.pk), actor=cast.planner)
    assert accept_report(fresh, actor=cast.unit_officer).state == "locked"
    locked.refresh_from_db()
    assert locked.state == "locked" and set(MonthlyReport.objects.newest()) == {fresh}


def test_monthly_locked_says_when_the_logs_have_been_corrected_since(client, cast, locked):
    log = WorkLog.objects.first()
    assert not is_outdated(locked)
    kept = locked.facts
    version = correct_log(
        log, actor=cast.planner, entry=Entry(log.charge, log.date, "am", "survey", "改为上午"), reason="时段填错"
    )
    assert not is_outdated(locked)
    confirm_log(version, actor=cast.unit_officer)
    locked.refresh_from_db()
    assert is_outdated(locked) and locked.facts == kept
    assert Notification.objects.filter(user=cast.planner, kind="monthly.outdated").count() == 1
    client.force_login(cast.planner)
    assert "锁定之后，当月记录有更正" in client.get(locked.get_absolute_url()).content.decode()
