"""The stages of a project: entered anywhere, passed, sent back, skipped, left; each round kept; each forbidden move."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import AuditEntry, Notification
from core.state_diagram import draw, lines_of
from core.tests.access import answers
from districts.models import PolicyVersion
from factories import make_project
from factories_review import make_consultation, make_opinion, make_rectification
from projects.models import Project, ProjectStage, StageDecision, Vote
from projects.services.registry import create_project, update_project
from projects.services.stages import decide_stage, go_back, record_vote, reopen_project, send_back, skip_stage
from projects.transitions import PROJECT, STAGE

TODAY = timezone.localdate
ROLES = (
    "bureau", "department", "unit_officer", "other_unit_officer", "planner", "lead", "leader", "city", "other_bureau",
    "sysadmin", "anonymous",
)  # fmt: skip


def passed(stage: ProjectStage, cast: Any, **values: Any) -> StageDecision:
    values.setdefault("unconsulted", True)
    return decide_stage(stage, actor=cast.bureau, decided_on=TODAY(), **values)


def current(project: Project) -> ProjectStage:
    return project.stages.get(state="open")


@pytest.mark.parametrize("entry", ["initiation", "scheme", "construction", "acceptance"])
def test_a_project_enters_at_any_stage_under_the_policy_of_the_day(cast, entry):
    made = create_project(cast.locality, actor=cast.bureau, number="XM-9", name="甲", kind="other", stage=entry)
    opened = current(made)
    assert (opened.stage, opened.round, opened.policy_version) == (entry, 1, cast.contract.policy_version)


def test_a_project_that_is_over_when_it_is_registered_opens_no_stage(cast):
    made = create_project(cast.locality, actor=cast.bureau, number="XM-9", name="甲", kind="other", stage="done")
    assert not made.stages.exists()


def test_a_project_goes_through_its_stages_to_the_end(cast, project):
    for code in ("scheme", "construction", "acceptance"):
        row = current(project)
        assert (row.stage, project.stage) == (code, code)
        passed(row, cast)
        project.refresh_from_db()
    assert project.stage == "done"
    assert not project.stages.filter(state="open").exists()
    assert [d.ground for d in StageDecision.objects.order_by("pk")] == ["unconsulted", "not_required", "unconsulted"]


def test_a_revised_scheme_is_the_next_round_and_what_was_said_before_stays(cast, project, stage):
    asked = make_consultation(project, asker=project.owner, asked_by=cast.department, planners=(cast.lead_planner,))
    opinion = make_opinion(asked.consultees.get())
    opened = send_back(stage, actor=cast.department, reason="沿街界面须调整")
    stage.refresh_from_db()
    assert (stage.state, stage.reason, stage.closed_on) == ("sent_back", "沿街界面须调整", TODAY())
    assert (opened.stage, opened.round, opened.state) == ("scheme", 2, "open")
    opinion.refresh_from_db()
    assert (opinion.state, opinion.consultee.consultation.stage) == ("submitted", stage)


def test_a_round_that_is_left_frees_whoever_has_not_answered_and_tells_them(cast, project, stage):
    asked = make_consultation(
        project, asker=project.owner, asked_by=cast.department, planners=(cast.lead_planner, cast.own_planner)
    )
    make_opinion(asked.consultees.get(planner=cast.lead_planner))
    asked.consultees.filter(planner=cast.lead_planner).update(state="answered")
    silent = make_consultation(project, asker=project.owner, asked_by=cast.department, planners=(cast.own_planner,))
    send_back(stage, actor=cast.department, reason="重做")
    asked.refresh_from_db()
    silent.refresh_from_db()
    assert (asked.state, silent.state) == ("answered", "withdrawn")
    assert set(cast.own_planner.consulted.values_list("state", flat=True)) == {"released"}
    words = Notification.objects.filter(user=cast.planner).values_list("text", flat=True)
    assert any("无须再答复" in text for text in words)


def test_skipping_keeps_the_reason_and_goes_on(cast, project, stage):
    skip_stage(stage, actor=cast.bureau, reason="已由上级审定")
    project.refresh_from_db()
    stage.refresh_from_db()
    assert (stage.state, stage.reason, project.stage) == ("skipped", "已由上级审定", "construction")
    skip_stage(current(project), actor=cast.bureau, reason="无施工")
    skip_stage(current(project), actor=cast.bureau, reason="无须验收")
    project.refresh_from_db()
    assert project.stage == "done"


def test_going_back_opens_a_further_round_of_an_earlier_stage_alone(cast, project, stage):
    passed(stage, cast)
    with pytest.raises(ValidationError, match="只能返回更早的阶段"):
        go_back(current(project), actor=cast.bureau, to="acceptance", reason="改线")
    opened = go_back(current(project), actor=cast.bureau, to="scheme", reason="方案重大调整")
    project.refresh_from_db()
    assert (opened.stage, opened.round, project.stage) == ("scheme", 2, "scheme")
    assert project.stages.get(stage="construction").state == "left"
    # It may go as far back as before the stage that it entered at.
    assert go_back(opened, actor=cast.bureau, to="initiation", reason="重新立项").round == 1


@pytest.mark.parametrize("act", [send_back, skip_stage])
def test_a_reason_is_asked_for(cast, stage, act):
    with pytest.raises(ValidationError, match="请填写原因"):
        act(stage, actor=cast.bureau, reason="  ")
    stage.refresh_from_db()
    assert stage.state == "open"


def closed(cast: Any, project: Project, how: str) -> ProjectStage:
    row = current(project)
    {
        "passed": lambda: passed(row, cast),
        "sent_back": lambda: send_back(row, actor=cast.bureau, reason="改"),
        "skipped": lambda: skip_stage(row, actor=cast.bureau, reason="免"),
        "left": lambda: go_back(row, actor=cast.bureau, to="initiation", reason="退"),
    }[how]()
    return row


@pytest.mark.parametrize("state", ["passed", "sent_back", "skipped", "left"])
@pytest.mark.parametrize("move", ["pass", "send_back", "skip", "go_back"])
def test_no_move_starts_from_a_round_that_is_closed(cast, project, state, move):
    row = closed(cast, project, state)
    acts = {
        "pass": lambda: passed(row, cast),
        "send_back": lambda: send_back(row, actor=cast.bureau, reason="改"),
        "skip": lambda: skip_stage(row, actor=cast.bureau, reason="免"),
        "go_back": lambda: go_back(row, actor=cast.bureau, to="initiation", reason="退"),
    }
    rounds = project.stages.count()
    with pytest.raises(StaleState, match="已被他人处理"):
        acts[move]()
    assert project.stages.count() == rounds


def test_a_finished_project_is_taken_up_again_by_the_bureau_alone_with_a_reason(cast, project, stage):
    for _ in range(3):
        passed(current(project), cast)
    project.refresh_from_db()
    with pytest.raises(Refused, match="仅规划主管部门"):
        reopen_project(project, actor=cast.department, to="acceptance", reason="漏项")
    with pytest.raises(ValidationError, match="请填写原因"):
        reopen_project(project, actor=cast.bureau, to="acceptance", reason="")
    opened = reopen_project(project, actor=cast.bureau, to="acceptance", reason="漏项")
    assert (opened.stage, opened.round) == ("acceptance", 2)
    with pytest.raises(StaleState):
        reopen_project(project, actor=cast.bureau, to="scheme", reason="再来")


def test_the_stage_is_no_field_that_an_editor_sets(cast, project, as_user):
    with pytest.raises(TypeError):
        update_project(project, actor=cast.bureau, stage="done")
    url = reverse("projects:project-edit", args=[project.pk])
    data = {"number": "XM-S1", "name": "改名", "kind": "other", "units": [cast.unit.pk], "stage": "done"}
    as_user("bureau").post(url, data)
    project.refresh_from_db()
    assert (project.name, project.stage) == ("改名", "scheme")


ACTS = ("stage-decide", "stage-send-back", "stage-skip", "stage-go-back")


def test_who_may_move_a_stage(cast, project, stage, as_user):
    expected = (200, 200, 200, 404, 403, 403, 403, 403, 404, 403, 302)
    urls = {act: reverse(f"projects:{act}", args=[stage.pk]) for act in ACTS}
    assert answers(as_user, ROLES, urls) == dict.fromkeys(ACTS, expected)
    for who in ("planner", "lead", "leader", "city", "sysadmin", "other_unit_officer", "other_bureau", "anonymous"):
        data = {"reason": "试", "to": "initiation", "decided_on": TODAY().isoformat(), "unconsulted": "on"}
        client = as_user(who)
        for url in urls.values():
            client.post(url, data)
    stage.refresh_from_db()
    assert stage.state == "open"


def test_a_department_that_does_not_own_the_project_moves_nothing(cast, project, stage):
    project.owner = cast.unit.office
    project.save()
    with pytest.raises(Refused, match="仅规划主管部门、项目所在单位"):
        send_back(stage, actor=cast.department, reason="改")


def test_a_page_records_once_however_often_it_is_sent(cast, project, stage, as_user):
    client, url = as_user("department"), reverse("projects:stage-decide", args=[stage.pk])
    data = {"submission_key": new_key(), "decided_on": TODAY().isoformat(), "unconsulted": "on"}
    first, second = client.post(url, data), client.post(url, data)
    assert first.status_code == second.status_code == 302
    assert StageDecision.objects.count() == 1
    other = as_user("bureau").post(url, {**data, "submission_key": new_key()})
    assert other.status_code == 409
    assert "已被他人处理" in other.content.decode()


def test_the_days_of_a_decision_stand_in_order(cast, project, stage):
    with pytest.raises(ValidationError, match="不能晚于今天"):
        decide_stage(stage, actor=cast.bureau, decided_on=TODAY() + timedelta(days=1), unconsulted=True)
    opened = send_back(stage, actor=cast.bureau, reason="改")
    with pytest.raises(ValidationError, match="不能早于前一轮"):
        decide_stage(opened, actor=cast.bureau, decided_on=TODAY() - timedelta(days=1), unconsulted=True)


def test_what_has_to_be_mended_blocks_acceptance_until_it_is_settled(cast, project):
    for _ in range(2):
        passed(current(project), cast)
    row = make_rectification(project, raised_by=cast.own_planner, stage=current(project))
    for act in (
        lambda: passed(current(project), cast),
        lambda: skip_stage(current(project), actor=cast.bureau, reason="免"),
    ):
        with pytest.raises(ValidationError, match=f"还有整改没有销项：{row.number}"):
            act()
    row.state, row.reason = "waived", "不影响使用"
    row.save()
    decision = passed(current(project), cast)
    assert decision.proof["waived_rectifications"] == [{"number": row.number, "reason": "不影响使用"}]


def test_acceptance_page_names_what_blocks(cast, project, as_user):
    for _ in range(2):
        passed(current(project), cast)
    row = make_rectification(project, raised_by=cast.own_planner, stage=current(project))
    page = as_user("bureau").get(reverse("projects:stage-decide", args=[current(project).pk])).content.decode()
    assert f"{row.number}：待整改" in page


# --- votes (R44) --------------------------------------------------------------------------------------------------


def with_votes(stage: ProjectStage) -> None:
    """The round under a pack that has a vote of residents, as chengdu's has."""
    from districts.services.policies import load_policy_files

    load_policy_files(only={"chengdu"})
    stage.policy_version = PolicyVersion.objects.filter(pack__slug="chengdu").first()
    stage.save()


def test_votes_are_recorded_where_the_pack_has_them(cast, stage):
    values = {
        "kind": "residents",
        "held_on": date(2026, 6, 1),
        "body": "居民代表",
        "outcome": "同意",
        "in_favour": 20,
        "against": 3,
    }
    with pytest.raises(Refused, match="制度方案未设定提级会审和群众表决"):
        record_vote(stage, actor=cast.bureau, **values)
    with_votes(stage)
    made = record_vote(ProjectStage.objects.get(pk=stage.pk), actor=cast.bureau, entitled=25, **values)
    assert (made.in_favour, made.entitled) == (20, 25)
    fresh = ProjectStage.objects.get(pk=stage.pk)
    with pytest.raises(ValidationError, match="未设定这一项"):
        record_vote(fresh, actor=cast.bureau, **{**values, "kind": "joint_review"})
    with pytest.raises(ValidationError, match="不能多于应到人数"):
        record_vote(fresh, actor=cast.bureau, entitled=10, **values)
    assert Vote.objects.count() == 1


def test_who_may_record_a_vote(cast, project, stage, as_user):
    with_votes(stage)
    url = reverse("projects:vote-create", args=[stage.pk])
    expected = (200, 200, 200, 404, 403, 403, 403, 403, 404, 403, 302)
    assert {who: as_user(who).get(url).status_code for who in ROLES} == dict(zip(ROLES, expected, strict=True))


# --- the picture --------------------------------------------------------------------------------------------------


def test_the_diagram_shows_every_move_of_the_code_and_where_the_project_is(cast, project, as_user):
    page = as_user("planner").get(reverse("projects:project", args=[project.pk])).content.decode()
    assert page.count('class="state-box state-now"') == 2
    for machine in (PROJECT, STAGE):
        for move in machine.moves:
            assert machine.state_label(move.target) in page
    assert {(line.source, line.target) for line in lines_of(STAGE)} == {
        ("进行中", "已通过"), ("进行中", "退回修改"), ("进行中", "已跳过"), ("进行中", "已返回前一阶段"),
    }  # fmt: skip
    assert 'aria-label="项目的状态图，当前为方案审查"' in draw(PROJECT, now="scheme")


def test_every_move_of_a_stage_is_in_the_log_in_words(cast, project, stage):
    send_back(stage, actor=cast.bureau, reason="改")
    labels = list(AuditEntry.objects.filter(object_type="projects.projectstage").values_list("action_label", flat=True))
    assert sorted(labels) == ["开始阶段", "开始阶段", "退回修改"]


def test_old_projects_without_rounds_of_their_own_go_on(cast):
    """Registered before stages were kept: the migration opened a round without an officer and without a policy."""
    old = make_project(cast.locality)
    passed(current(old), cast, unconsulted=False)
    old.refresh_from_db()
    assert old.stage == "scheme"
