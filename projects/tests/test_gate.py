"""The gate: consulted, invited, not required, waived, or approved without asking; and the proof of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused
from core.files import store_generated
from core.jobs import run_one
from core.models import IssuedDocument, Job, Notification
from core.pdf import verify_bytes
from districts.models import PolicyVersion
from districts.services.policies import apply_demo_overlay, load_policy_files
from factories import make_membership, make_user
from factories_review import make_consultation, make_consultee, make_opinion, make_party
from projects.gate import gate_of
from projects.models import ProjectStage, Recusal, StageDecision
from projects.services.registry import create_project
from projects.services.stages import decide_stage, send_back

TODAY = timezone.localdate
CHINA = ZoneInfo("Asia/Shanghai")


def asked(project: Any, cast: Any, *planners: Any, **extra: Any) -> Any:
    return make_consultation(project, asker=project.owner, asked_by=cast.department, planners=planners, **extra)


def meeting(project: Any, cast: Any, *planners: Any, days: int = -3, **extra: Any) -> Any:
    at = timezone.now() + timedelta(days=days)
    return asked(project, cast, *planners, way="meeting", meeting_at=at, meeting_place="第一会议室", **extra)


def decide(stage: ProjectStage, actor: Any, **values: Any) -> StageDecision:
    values.setdefault("decided_on", TODAY())
    return decide_stage(stage, actor=actor, **values)


def test_a_submitted_opinion_is_the_proof(cast, project, stage):
    seat = make_consultee(asked(project, cast), cast.lead_planner, opinion_form="审查意见")
    make_opinion(seat, items=3)
    decision = decide(stage, cast.department, approval_number="京规〔2026〕8号")
    assert (decision.ground, decision.is_red) == ("consulted", False)
    (row,) = decision.proof["opinions"]
    assert (row["planner"], row["items"], row["verdict"]) == (cast.lead_planner.name, 3, "修改后同意")
    assert decision.clause["article"] == "四(二)"


@pytest.mark.parametrize("state", ["draft", "endorsing", "returned"])
def test_an_opinion_that_is_not_handed_in_is_none(cast, project, stage, state):
    make_opinion(make_consultee(asked(project, cast), cast.lead_planner), state=state)
    assert gate_of(stage).ground == ""


def test_what_was_handed_in_after_the_approval_is_no_proof_of_it(cast, project, stage):
    """京核心区 四(二): before approval."""
    opinion = make_opinion(make_consultee(asked(project, cast), cast.lead_planner))
    opinion.submitted_at = datetime(2026, 7, 10, 9, tzinfo=CHINA)
    opinion.save()
    assert gate_of(stage, on=date(2026, 7, 9)).ground == ""
    assert gate_of(stage, on=date(2026, 7, 10)).ground == "consulted"
    with pytest.raises(ValidationError, match="制度要求先征询责任规划师"):
        decide(stage, cast.bureau, decided_on=date(2026, 7, 9))


def test_a_moment_after_midnight_in_shanghai_is_the_next_day(cast, project, stage):
    opinion = make_opinion(make_consultee(asked(project, cast), cast.lead_planner))
    opinion.submitted_at = datetime(2026, 7, 10, 0, 30, tzinfo=CHINA)
    opinion.save()
    assert (gate_of(stage, on=date(2026, 7, 9)).ground, gate_of(stage, on=date(2026, 7, 10)).ground) == (
        "",
        "consulted",
    )


def test_an_opinion_on_the_former_scheme_is_none_on_the_revised_one(cast, project, stage):
    make_opinion(make_consultee(asked(project, cast), cast.lead_planner))
    opened = send_back(stage, actor=cast.bureau, reason="重做")
    assert gate_of(opened).ground == ""


@pytest.mark.parametrize("state", ["withdrawn", "superseded"])
def test_an_opinion_in_a_request_that_was_taken_back_counts_no_more(cast, project, stage, state):
    row = asked(project, cast)
    make_opinion(make_consultee(row, cast.lead_planner))
    row.state, row.reason = state, "误发"
    row.save()
    assert gate_of(stage).ground == ""


def test_the_word_of_somebody_who_keeps_out_counts_nothing(cast, project, stage):
    make_opinion(make_consultee(asked(project, cast), cast.lead_planner))
    party = make_party(project, "designer", name=cast.institution.name)
    assert gate_of(stage).ground == ""
    party.is_active = False
    party.save()
    assert gate_of(stage).ground == "consulted"
    Recusal.objects.create(
        project=project, planner=cast.lead_planner, ground="declared", reason="亲属任职", recorded_by=cast.bureau
    )
    assert gate_of(stage).ground == ""


def test_an_invitation_counts_with_a_record_of_who_came_or_minutes(cast, project, stage):
    row = meeting(project, cast, cast.lead_planner)
    assert gate_of(stage).ground == ""
    row.consultees.update(state="absent")
    assert gate_of(stage).ground == "invited"
    row.consultees.update(state="asked")
    row.minutes = store_generated(b"x", name="纪要.pdf", mime="application/pdf", actor=cast.bureau, purpose="minutes")
    row.save()
    decision = decide(stage, cast.bureau)
    assert decision.ground == "invited"
    assert decision.proof["meetings"][0]["invited"][0]["planner"] == cast.lead_planner.name


def test_a_meeting_to_come_is_no_proof(cast, project, stage):
    meeting(project, cast, cast.lead_planner, days=3).consultees.update(state="attended")
    assert gate_of(stage).ground == ""


def test_where_the_pack_does_not_require_it_nothing_is_asked(cast):
    made = create_project(
        cast.locality, actor=cast.bureau, number="XM-2", name="乙", kind="other", stage="construction"
    )
    decision = decide(made.stages.get(), cast.bureau)
    assert (decision.ground, decision.clause["key"]) == ("not_required", "review.stages")


def test_approval_without_asking_is_possible_red_counted_and_told_to_the_bureau(cast, project, stage, as_user):
    second = make_user("另一分局干部")
    make_membership(second, "bureau", cast.locality)
    with pytest.raises(ValidationError) as error:
        decide(stage, cast.department)
    assert list(error.value.message_dict) == ["unconsulted"]
    stage.refresh_from_db()
    assert stage.state == "open"
    decision = decide(stage, cast.department, unconsulted=True)
    assert decision.is_red
    told = Notification.objects.filter(kind="unconsulted")
    assert {row.user for row in told} == {cast.bureau, second}
    assert "未经征询即通过" in told[0].text
    client = as_user("bureau")
    assert "未经征询即通过：1 次" in client.get(reverse("projects:board")).content.decode()
    found = client.get(reverse("projects:list"), {"ground": "unconsulted"}).content.decode()
    assert project.name in found
    assert project.name not in client.get(reverse("projects:list"), {"ground": "waived"}).content.decode()


def test_nobody_may_call_it_consulted_when_it_was_not(cast, project, stage, as_user):
    data = {"decided_on": TODAY().isoformat(), "ground": "consulted", "proof": "{}", "submission_key": "0" * 16}
    page = as_user("department").post(reverse("projects:stage-decide", args=[stage.pk]), data)
    assert "制度要求先征询责任规划师" in page.content.decode()
    assert not StageDecision.objects.exists()


def test_a_waiver_needs_a_reason_and_somebody_whom_the_pack_entitles(cast, project, stage):
    with pytest.raises(ValidationError, match="未设定谁可批准免予征询"):
        decide(stage, cast.bureau, waiver="抢险")
    apply_demo_overlay()
    stage = ProjectStage.objects.get(pk=stage.pk)
    with pytest.raises(ValidationError, match="可以批准免予征询"):
        decide(stage, cast.department, waiver="抢险")
    decision = decide(ProjectStage.objects.get(pk=stage.pk), cast.bureau, waiver="抢险工程")
    assert (decision.ground, decision.reason) == ("waived", "抢险工程")


def test_whoever_may_only_waive_records_nothing_else(cast, stage, as_user):
    """A pack that names the district's leaders: they waive, they do not approve without asking."""
    from districts.policy.keys_process import REVIEW_KEYS

    assert any(key.name == "review.waiver_by" for key in REVIEW_KEYS)
    load_policy_files(only={"tongzhou"})
    apply_demo_overlay()
    stage.policy_version = PolicyVersion.objects.filter(pack__slug="tongzhou", kind="original").first()
    stage.save()
    stage.project.kind = "renewal"
    stage.project.save()
    fresh = ProjectStage.objects.get(pk=stage.pk)
    with pytest.raises(Refused):
        decide(fresh, cast.leader, unconsulted=True)
    page = as_user("leader").get(reverse("projects:stage-decide", args=[stage.pk])).content.decode()
    assert "免予征询的原因" in page
    assert 'name="unconsulted"' not in page
    decision = decide(ProjectStage.objects.get(pk=stage.pk), cast.leader, waiver="会议审定")
    assert (decision.ground, decision.recorded_by) == ("waived", cast.leader)


def test_a_waiver_where_there_is_proof_is_refused(cast, project, stage):
    apply_demo_overlay()
    make_opinion(make_consultee(asked(project, cast), cast.lead_planner))
    with pytest.raises(ValidationError, match="无须免予征询"):
        decide(stage, cast.bureau, waiver="省事")


def test_a_renewal_scheme_asks_by_its_own_row(cast, stage):
    """通政办发〔2021〕10号 三(一)6: only 城市更新 is spoken of there."""
    load_policy_files(only={"tongzhou"})
    stage.policy_version = PolicyVersion.objects.filter(pack__slug="tongzhou", kind="original").first()
    stage.save()
    assert gate_of(ProjectStage.objects.get(pk=stage.pk)).ground == "not_required"
    stage.project.kind = "renewal"
    stage.project.save()
    gate = gate_of(ProjectStage.objects.get(pk=stage.pk))
    assert (gate.ground, gate.rule.how) == ("", "对城市更新项目实施方案出具书面意见")


def test_the_tier_table_says_who_is_still_to_be_asked(cast, project, stage):
    load_policy_files(only={"tongzhou"})
    stage.policy_version = PolicyVersion.objects.filter(pack__slug="tongzhou", kind="original").first()
    stage.save()
    project.kind, project.tier = "renewal", "区级重点项目"
    project.save()
    make_opinion(make_consultee(asked(project, cast), cast.lead_planner, role_type="chief"))
    gate = gate_of(ProjectStage.objects.get(pk=stage.pk))
    assert gate.ground == "consulted"
    assert [seat.role for seat in gate.lacking] == ["architect"]
    assert gate.tone == "waiting"


def test_the_project_page_says_what_the_pack_asks_and_hides_the_facts_from_who_was_not_asked(
    cast, project, stage, as_user
):
    make_opinion(make_consultee(asked(project, cast), cast.lead_planner))
    url = reverse("projects:project", args=[project.pk])
    for who, knows in (
        ("bureau", True),
        ("unit_officer", True),
        ("department", True),
        ("colleague", False),
        ("planner", False),
    ):
        page = as_user(who).get(url).content.decode()
        assert "必须征求" in page
        assert ("意见书 1 份" in page) == knows, who


# --- the document -------------------------------------------------------------------------------------------------


def certified(cast: Any, project: Any, stage: Any) -> StageDecision:
    make_opinion(make_consultee(asked(project, cast), cast.lead_planner, opinion_form="审查意见", weight="重要参考"))
    return decide(stage, cast.department)


def test_the_proof_is_issued_once_verified_and_says_what_it_rests_on(cast, project, stage, as_user):
    decision = certified(cast, project, stage)
    client = as_user("department")
    for _ in range(2):
        assert client.post(reverse("projects:decision-pdf", args=[decision.pk])).status_code == 302
    for job in Job.objects.filter(kind="projects.stage_proof_pdf"):
        run_one(job.pk)
    decision.refresh_from_db()
    assert IssuedDocument.objects.count() == 1
    assert decision.document.number.startswith("PZ-")
    content = b"".join(client.get(reverse("projects:decision-download", args=[decision.pk])))
    assert verify_bytes(content).intact
    assert not verify_bytes(content[:-40] + b"x" + content[-39:]).intact
    page = client.get(reverse("core:verify", args=[decision.document.code])).content.decode()
    assert project.name in page
    assert cast.lead_planner.name not in page


def test_a_changed_byte_of_what_it_rests_on_would_be_another_document(cast, project, stage):
    from projects.services.proofs import issue_proof

    decision = certified(cast, project, stage)
    first = issue_proof(decision.pk, actor=cast.bureau)
    assert issue_proof(decision.pk, actor=cast.bureau) == first
    StageDecision.objects.filter(pk=decision.pk).update(document=None)
    # A worker that died after the PDF and before the note: the same document is found again.
    assert issue_proof(decision.pk, actor=cast.bureau) == first
    StageDecision.objects.filter(pk=decision.pk).update(document=None, approval_number="改过")
    assert issue_proof(decision.pk, actor=cast.bureau) != first


def test_what_was_not_asked_is_not_certified(cast, project, stage, as_user):
    decision = decide(stage, cast.bureau, unconsulted=True)
    client = as_user("bureau")
    page = client.get(reverse("projects:decision", args=[decision.pk]))
    assert "未经征询即通过" in page.content.decode()
    assert client.post(reverse("projects:decision-pdf", args=[decision.pk])).status_code == 403


@pytest.mark.parametrize("page", ["decision", "decision-download"])
def test_who_may_read_what_a_stage_was_passed_on(cast, project, stage, as_user, page):
    decision = certified(cast, project, stage)
    url = reverse(f"projects:{page}", args=[decision.pk])
    fine = 200 if page == "decision" else 404
    expected = {
        "bureau": fine, "department": fine, "unit_officer": fine, "leader": fine, "city": fine, "lead": fine,
        "planner": 403, "colleague": 403, "other_unit_officer": 404, "other_bureau": 404, "sysadmin": 403,
        "anonymous": 302,
    }  # fmt: skip
    assert {who: as_user(who).get(url).status_code for who in expected} == expected
    make_party(project, "designer", name=cast.institution.name)
    assert as_user("lead").get(url).status_code == 403


def test_the_scan_of_a_vote_is_not_for_everybody(cast, project, stage, as_user):
    from projects.models import Vote

    scan = store_generated(
        ContentFile(b"%PDF-1.4").read(), name="表决.pdf", mime="application/pdf", actor=cast.bureau, purpose="vote"
    )
    row = Vote.objects.create(
        stage=stage, kind="residents", held_on=TODAY(), body="居民", outcome="同意", scan=scan, recorded_by=cast.bureau
    )
    url = reverse("projects:vote-scan", args=[row.pk])
    expected = {
        "bureau": 200,
        "department": 200,
        "unit_officer": 200,
        "planner": 403,
        "other_bureau": 404,
        "anonymous": 302,
    }
    assert {who: as_user(who).get(url).status_code for who in expected} == expected
