"""Objections: in time, by the subject, reviewed by others than before, then final; and what they hold up."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from core.errors import Refused, StaleState
from core.models import AuditEntry, Job, Notification
from districts.access import forget_access
from evaluations.models import Adjustment, Deliberation, Objection, Result, Round
from evaluations.services import objections as service
from evaluations.services.checklist import NotReady, checklist
from evaluations.services.rounds import move_round
from evaluations.tests.outcome_cases import announced, deliberated, result_of
from evaluations.tests.round_cases import make_site
from factories import make_membership, make_user

pytestmark = pytest.mark.django_db
EVERYBODY = ["bureau", "leader", "city", "unit_officer", "other_officer", "department", "owner", "planner", "colleague"]


@pytest.fixture
def site(db):
    return make_site("jincheng", demo=True)


@pytest.fixture
def notice(site):
    return announced(site)


@pytest.fixture
def own(site, notice):
    """龚䶮's result."""
    return result_of(notice, subject__planner=site.planners[0])


def objected(site, result, **extra):
    return service.raise_objection(result, actor=site.planner, grounds="驻场天数少计三天", **extra)


def reviewer(site, name="复核人"):
    """A leader who had no part in it."""
    user = make_user(name)
    make_membership(user, "leader", site.locality)
    return user


def test_the_period_begins_with_the_notice_and_everybody_is_told_that_it_stands_not_what_it_is(site, notice):
    days = notice.rules["evaluation.objection_days"]["value"]
    assert notice.objections_until == timezone.localdate() + timedelta(days=days)
    texts = set(Notification.objects.filter(kind="result.announced").values_list("text", flat=True))
    told = set(Notification.objects.filter(kind="result.announced").values_list("user_id", flat=True))
    assert {site.planner.pk, site.colleague.pk, site.unit_officer.pk} <= told
    assert not any("88" in text or "合格" in text or "91" in text for text in texts)
    assert Job.objects.filter(kind="evaluations.letters").count() == 1


@pytest.mark.parametrize("who", EVERYBODY)
def test_only_the_subject_objects(site, notice, own, who):
    user = getattr(site, who)
    if who == "planner":
        assert service.raise_objection(own, actor=user, grounds="理由").state == "raised"
    else:
        with pytest.raises(Refused):
            service.raise_objection(own, actor=user, grounds="理由")
        assert not Objection.objects.exists()


def test_an_office_objects_to_its_own_and_to_no_other(site, notice):
    of_unit = result_of(notice, subject__unit=site.unit)
    assert service.raise_objection(of_unit, actor=site.unit_officer, grounds="保障已到位").result == of_unit
    with pytest.raises(Refused):
        service.raise_objection(of_unit, actor=site.other_officer, grounds="保障已到位")


def test_after_the_last_day_nothing_is_taken_and_on_it_everything(site, notice, own):
    Round.objects.filter(pk=notice.pk).update(objections_until=timezone.localdate())
    objected(site, own)
    Objection.objects.all().delete()
    Round.objects.filter(pk=notice.pk).update(objections_until=timezone.localdate() - timedelta(days=1))
    with pytest.raises(Refused, match="异议期已于"):
        objected(site, own)


def test_before_the_notice_nobody_objects(site):
    round_ = deliberated(site)
    with pytest.raises(Refused, match="不在异议期内"):
        objected(site, result_of(round_, subject__planner=site.planners[0]))


def test_grounds_are_needed_and_evidence_is_looked_at(site, own):
    with pytest.raises(ValidationError, match="理由"):
        service.raise_objection(own, actor=site.planner, grounds=" \x00 ")
    with pytest.raises(ValidationError):
        objected(site, own, upload=SimpleUploadedFile("证明.pdf", b"MZ\x90\x00 not a pdf"))
    assert not Objection.objects.exists()


def test_one_at_a_time_and_again_after_withdrawing(site, own):
    first = objected(site, own)
    with pytest.raises(ValidationError, match="正在处理"):
        objected(site, own)
    service.withdraw_objection(first, actor=site.planner)
    assert objected(site, own).pk != first.pk


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("rated", "参与过"),
        ("recorded", "参与过"),
        ("adjusted", "参与过"),
        ("subject", "仅工作组"),
        ("city", "仅工作组"),
    ],
)
def test_who_had_a_part_in_it_does_not_review(site, notice, own, who, why):
    objection = objected(site, own)
    user = {"subject": site.planner, "city": site.city}.get(who) or reviewer(site)
    if who == "rated":
        own.subject.sheets.filter(pk=own.subject.sheets.first().pk).update(author=user)
    elif who == "recorded":
        Deliberation.objects.create(round=notice, body="工作组", held_on=timezone.localdate(), recorded_by=user)
    elif who == "adjusted":
        Adjustment.objects.create(result=own, reason="示例", made_by=user)
    with pytest.raises(Refused, match=why):
        service.take_objection(objection, actor=user)


def test_who_took_it_decides_and_nobody_else(site, own):
    objection = service.take_objection(objected(site, own), actor=reviewer(site))
    with pytest.raises(Refused, match="只有受理的复核人"):
        service.reject_objection(objection, actor=reviewer(site, "另一人"), decision="维持")
    with pytest.raises(ValidationError, match="复核意见"):
        service.reject_objection(objection, actor=objection.reviewer, decision="  ")
    assert service.reject_objection(objection, actor=objection.reviewer, decision="计算无误").state == "rejected"


def test_upheld_it_corrects_score_and_grade_and_says_why(site, own):
    objection = service.take_objection(objected(site, own), actor=reviewer(site))
    service.uphold_objection(objection, actor=objection.reviewer, decision="补计三天", to_score=Decimal("100"))
    own.refresh_from_db()
    best = service.grades_of(own.subject.round, "planner")[0]
    assert (own.final_score, own.final_grade) == (Decimal("100"), best)
    assert (own.score, own.grade) == (Decimal("88.50"), "合格")
    line = Adjustment.objects.get()
    assert (line.objection, line.from_score, line.to_score, line.reason) == (
        objection, Decimal("88.50"), Decimal("100"), "补计三天",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, "更正后的得分或等级"),
        ({"to_score": Decimal("88.50"), "to_grade": "合格"}, "更正后的得分或等级"),
        ({"to_score": Decimal("100.01")}, "0 到 100"),
        ({"to_grade": "特等"}, "没有这个等级"),
    ],
)
def test_upheld_without_a_sensible_change_is_refused_and_leaves_everything(site, own, change, why):
    objection = service.take_objection(objected(site, own), actor=reviewer(site))
    with pytest.raises(ValidationError, match=why):
        service.uphold_objection(objection, actor=objection.reviewer, decision="理由", **change)
    objection.refresh_from_db()
    assert objection.state == "reviewing" and not Adjustment.objects.exists()


def test_what_was_decided_is_final(site, own):
    objection = service.take_objection(objected(site, own), actor=reviewer(site))
    service.reject_objection(objection, actor=objection.reviewer, decision="维持")
    with pytest.raises(Refused, match="最终"):
        objected(site, own)
    with pytest.raises(StaleState):
        service.uphold_objection(objection, actor=objection.reviewer, decision="反悔", to_score=Decimal("99"))


def test_results_take_effect_only_after_the_period_and_with_nothing_open(site, notice, own):
    today = timezone.localdate()
    objection = objected(site, own)
    said = {o.text for o in checklist(notice, "publish", today=today) if o.blocking}
    assert any("1 件异议未办结" in text for text in said) and any("期满后" in text for text in said)
    later = notice.objections_until + timedelta(days=1)
    with pytest.raises(NotReady, match="未办结"):
        move_round(notice, "publish", actor=site.bureau, today=later)
    assert any("未办结" in o.text for o in checklist(notice, "deliberate_again", today=today))
    service.withdraw_objection(objection, actor=site.planner)
    assert not [o for o in checklist(notice, "publish", today=later) if "异议" in o.text]


def test_audit_says_that_it_was_raised_and_never_the_grounds(site, own):
    objected(site, own)
    entry = AuditEntry.objects.get(action="objection.raise")
    assert "驻场天数" not in str(entry.detail) and "驻场天数" not in entry.object_label


def test_who_sees_an_objection(site, own):
    objection = objected(site, own)
    seen = {
        who for who in EVERYBODY if Objection.objects.visible_to(getattr(site, who)).filter(pk=objection.pk).exists()
    }
    assert seen == {"bureau", "leader", "planner"}
    other = make_site("tongzhou", demo=True)
    assert not Objection.objects.visible_to(other.bureau).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_none_slips_past_a_round_that_takes_effect(site, guarded, monkeypatch):
    """One objects on the last day while another moves the round on; without holding the row both succeed."""
    round_ = announced(site)
    result = result_of(round_, subject__planner=site.planners[0])
    later = round_.objections_until + timedelta(days=1)
    looked, moved = threading.Event(), threading.Event()
    real = service.can_object

    def slow(user, row):
        decision = real(user, row)
        looked.set()
        moved.wait(3)
        return decision

    monkeypatch.setattr(service, "can_object", slow)
    if not guarded:
        monkeypatch.setattr(service, "hold_round", lambda pk: Round.objects.select_related("locality").get(pk=pk))
    failed = []

    def objects():
        try:
            objected(site, Result.objects.get(pk=result.pk))
        except Exception as error:  # what it was is looked at below
            failed.append(error)
        finally:
            connection.close()

    def publishes():
        try:
            looked.wait(5)
            forget_access(site.bureau)
            with transaction.atomic():
                move_round(Round.objects.get(pk=round_.pk), "publish", actor=site.bureau, today=later)
        except Exception as error:
            failed.append(error)
        finally:
            moved.set()
            connection.close()

    threads = [threading.Thread(target=work) for work in (objects, publishes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    state = Round.objects.get(pk=round_.pk).state
    slipped = state == "published" and Objection.objects.filter(state="raised").exists()
    assert slipped is not guarded, failed
