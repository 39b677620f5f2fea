"""Writing, handing in, endorsing: each step by the right person, and what is frozen stays frozen."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused, StaleState
from core.models import Notification
from evaluations.models import DutyReport
from evaluations.services.cycles import close_cycle
from evaluations.services.reports import (
    endorse_report,
    return_report,
    save_sections,
    submit_report,
    supersede_report,
    withdraw_report,
)

from .conftest import TEXTS


def _written(report: DutyReport, cast) -> DutyReport:
    return save_sections(report, actor=cast.planner, texts=TEXTS, revision=report.revision)


def _submitted(report: DutyReport, cast) -> DutyReport:
    return submit_report(_written(report, cast), actor=cast.planner)


def _frozen(report: DutyReport, cast) -> DutyReport:
    return endorse_report(_submitted(report, cast), actor=cast.lead)


def test_sections_are_kept_one_by_one(cast, report):
    save_sections(report, actor=cast.planner, texts={"overview": "第一段"}, revision=0)
    save_sections(report, actor=cast.planner, texts={"plans": "第二段"}, revision=1)
    report.refresh_from_db()
    assert report.sections == {"overview": "第一段", "plans": "第二段"}


def test_text_written_in_two_places_is_not_overwritten(cast, report):
    stale = DutyReport.objects.get(pk=report.pk)
    save_sections(report, actor=cast.planner, texts={"overview": "先保存的"}, revision=0)
    with pytest.raises(StaleState, match="别处保存过"):
        save_sections(stale, actor=cast.planner, texts={"overview": "后保存的"}, revision=0)
    report.refresh_from_db()
    assert report.sections["overview"] == "先保存的"


@pytest.mark.parametrize("who", ["colleague", "lead", "bureau", "unit_officer", "foreign", "sysadmin"])
def test_nobody_else_writes_it(cast, report, who):
    with pytest.raises(Refused):
        save_sections(report, actor=getattr(cast, who), texts={"overview": "改"}, revision=0)


def test_too_long_and_unknown_sections_are_refused(cast, report):
    with pytest.raises(ValidationError, match="最多 5000 字"):
        save_sections(report, actor=cast.planner, texts={"overview": "字" * 5001}, revision=0)
    with pytest.raises(ValidationError, match="没有这一部分"):
        save_sections(report, actor=cast.planner, texts={"state": "frozen"}, revision=0)


def test_submitting_names_each_empty_section(cast, report):
    save_sections(report, actor=cast.planner, texts={**TEXTS, "plans": " \n"}, revision=0)
    with pytest.raises(ValidationError) as caught:
        submit_report(report, actor=cast.planner)
    assert set(caught.value.message_dict) == {"plans"}
    report.refresh_from_db()
    assert report.state == "draft"


def test_submitted_goes_to_the_lead_with_the_facts_of_the_day(cast, report):
    _submitted(report, cast)
    assert report.state == "submitted"
    assert report.facts["author"]["name"] == "单小雨"
    assert Notification.objects.filter(user=cast.lead, text__contains="请审核").count() == 1


@pytest.mark.parametrize("who", ["planner", "colleague", "bureau", "unit_officer", "foreign", "leader"])
def test_only_the_lead_endorses_and_never_ones_own(cast, report, who):
    _submitted(report, cast)
    with pytest.raises(Refused):
        endorse_report(report, actor=getattr(cast, who))


def test_endorsed_is_frozen_for_everybody(cast, report):
    _frozen(report, cast)
    assert report.state == "frozen" and report.endorsed_by == cast.lead_planner
    with pytest.raises(Refused, match="已定稿"):
        save_sections(report, actor=cast.planner, texts={"overview": "改"}, revision=report.revision)
    with pytest.raises(Refused):
        return_report(report, actor=cast.lead, reason="再改改")


def test_second_to_endorse_is_told_so(cast, report):
    mine = _submitted(report, cast)
    other = DutyReport.objects.get(pk=mine.pk)
    endorse_report(mine, actor=cast.lead)
    with pytest.raises(StaleState, match="已被他人处理"):
        endorse_report(other, actor=cast.lead)


def test_returned_needs_a_reason_and_can_be_handed_in_again(cast, report):
    _submitted(report, cast)
    with pytest.raises(ValidationError):
        return_report(report, actor=cast.lead, reason="  ")
    return_report(report, actor=cast.lead, reason="请补充数据")
    assert report.state == "returned" and report.return_reason == "请补充数据"
    submit_report(report, actor=cast.planner)
    assert report.state == "submitted" and report.return_reason == ""


def test_withdrawn_before_it_is_endorsed(cast, report):
    _submitted(report, cast)
    withdraw_report(report, actor=cast.planner)
    assert report.state == "draft" and report.submitted_at is None


def test_the_leads_own_is_settled_at_once(cast, cycle):
    own = cycle.reports.get(author=cast.lead_planner)
    save_sections(own, actor=cast.lead, texts=TEXTS, revision=0)
    submit_report(own, actor=cast.lead)
    assert own.state == "frozen" and own.endorsed_by is None


def test_new_version_keeps_the_old_one_and_is_made_once(cast, report):
    _frozen(report, cast)
    with pytest.raises(ValidationError, match="更正原因"):
        supersede_report(report, actor=cast.planner, reason="")
    fresh = supersede_report(report, actor=cast.planner, reason="数字有误")
    assert (fresh.version, fresh.state, fresh.sections) == (2, "draft", report.sections)
    with pytest.raises(StaleState, match="更新的版次"):
        supersede_report(report, actor=cast.planner, reason="再来一次")
    report.refresh_from_db()
    assert report.state == "frozen"


def test_closed_round_takes_no_more(cast, cycle, report):
    close_cycle(cycle, actor=cast.bureau)
    with pytest.raises(Refused, match="已截止"):
        save_sections(DutyReport.objects.get(pk=report.pk), actor=cast.planner, texts=TEXTS, revision=0)
