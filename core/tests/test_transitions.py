"""A state changes in one place: who may, from where, with what reason, and once when two people press at once."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import F

from core import audit, transitions
from core.errors import Refused, StaleState
from core.management.commands.state_diagrams import section
from core.models import AuditEntry, Job, Notification
from core.notifications import Notice
from core.permissions import Decision
from core.transitions import Machine, Move, apply_move, available_moves, bulk_apply_move


def is_requester(user, job):
    return Decision.of(job.requested_by_id == user.pk, otherwise="仅发起人可以操作")


# The house's own table with a state serves as the object: a machine needs nothing but a state field.
MACHINE = Machine(
    "core.Job",
    "任务",
    moves=(
        Move("start", "开始", ("waiting",), "running", is_requester),
        Move(
            "stop",
            "停止",
            ("waiting", "running"),
            "cancelled",
            is_requester,
            needs_reason=True,
            danger="停止后不能恢复",
        ),
    ),
    name="test.job",
)


@pytest.fixture
def job(person):
    return Job.objects.create(kind="t", label="任务一", requested_by=person)


def state(job):
    return Job.objects.get(pk=job.pk).state


def test_move_changes_state_and_fields_and_writes_one_entry(job, person):
    moved = apply_move(job, MACHINE, "start", actor=person, changes={"message": "开工"}, detail={"n": 1})
    assert moved is job
    assert (job.state, job.message, state(job)) == ("running", "开工", "running")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.action_label, entry.actor, entry.object_id) == (
        "job.start",
        "开始",
        person,
        str(job.pk),
    )
    assert entry.detail == {"n": 1, "from": "waiting", "to": "running", "from_label": "等待中", "to_label": "进行中"}


def test_refusal_carries_the_reason_and_changes_nothing(job, other):
    with pytest.raises(Refused, match="仅发起人可以操作"):
        apply_move(job, MACHINE, "start", actor=other)
    assert (state(job), AuditEntry.objects.count()) == ("waiting", 0)


@pytest.mark.parametrize("reason", ["", "  "])
def test_reason_is_required_where_the_move_says_so(job, person, reason):
    with pytest.raises(ValidationError):
        apply_move(job, MACHINE, "stop", actor=person, reason=reason)
    assert state(job) == "waiting"


def test_reason_is_kept_in_the_history(job, person):
    apply_move(job, MACHINE, "stop", actor=person, reason=" 不需要了 ")
    assert audit.history(job).get().detail["reason"] == "不需要了"


def test_move_from_a_wrong_state_is_stale(job, person):
    Job.objects.filter(pk=job.pk).update(state="done")
    job.refresh_from_db()
    with pytest.raises(StaleState, match="已被他人处理，当前状态为“已完成”"):
        apply_move(job, MACHINE, "start", actor=person)
    assert state(job) == "done"


def test_object_read_before_somebody_else_moved_it_is_stale(job, person):
    mine = Job.objects.get(pk=job.pk)
    apply_move(job, MACHINE, "start", actor=person)
    with pytest.raises(StaleState):
        apply_move(mine, MACHINE, "stop", actor=person, reason="停")  # “running” is a source too, but not what was read
    assert (state(job), AuditEntry.objects.count()) == ("running", 1)


def test_state_cannot_be_slipped_in_among_the_changes(job, person):
    with pytest.raises(ValueError):
        apply_move(job, MACHINE, "start", actor=person, changes={"state": "done"})


def test_version_field_is_raised_by_every_move(job, person):
    machine = Machine("core.Job", "任务", MACHINE.moves, version_field="attempts", name="test.versioned")
    apply_move(job, machine, "start", actor=person)
    apply_move(job, machine, "stop", actor=person, reason="停")
    assert job.attempts == 2


def test_changes_may_be_expressions(job, person):
    apply_move(job, MACHINE, "start", actor=person, changes={"progress_total": F("progress_total") + 3})
    assert job.progress_total == 3


def test_notices_go_out_with_the_move(job, person, other):
    apply_move(
        job,
        MACHINE,
        "start",
        actor=person,
        notify=lambda moved: Notice([other, None], "job", f"{moved.label}：{moved.get_state_display()}", key="k"),
    )
    assert [(n.user, n.text) for n in Notification.objects.all()] == [(other, "任务一：进行中")]


def test_failing_notice_takes_the_move_back(job, person):
    def broken(moved):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        apply_move(job, MACHINE, "start", actor=person, notify=broken)
    assert (state(job), AuditEntry.objects.count()) == ("waiting", 0)


def test_buttons_show_the_moves_of_the_state_with_the_reason_against(job, person, other):
    assert [(m.name, d.allowed) for m, d in available_moves(MACHINE, job, person)] == [("start", True), ("stop", True)]
    assert next((m.name, d.reason) for m, d in available_moves(MACHINE, job, other)) == ("start", "仅发起人可以操作")
    job.state = "running"
    assert [m.name for m, _ in available_moves(MACHINE, job, person)] == ["stop"]
    job.state = "done"
    assert available_moves(MACHINE, job, person) == []


def test_many_at_one_click_move_what_may_and_say_why_not(person, other, django_assert_num_queries):
    jobs = [Job.objects.create(kind="t", label=str(n), requested_by=person) for n in range(40)]
    foreign = Job.objects.create(kind="t", label="他人", requested_by=other)
    done = Job.objects.create(kind="t", label="已完成", requested_by=person, state="done")
    with django_assert_num_queries(7):  # savepoint, rows, state of the finished one, update, signer, entries, release
        result = bulk_apply_move(Job.objects.all(), MACHINE, "start", actor=person)
    assert result.moved == [job.pk for job in jobs]
    assert result.refused[foreign.pk] == "仅发起人可以操作"
    assert result.refused[done.pk] == "已被他人处理，当前状态为“已完成”，请刷新后查看。"
    assert Job.objects.filter(state="running").count() == 40
    assert AuditEntry.objects.filter(action="job.start").count() == 40


def test_nothing_to_move_is_no_error(person):
    assert bulk_apply_move(Job.objects.none(), MACHINE, "start", actor=person).moved == []


def test_machine_names_are_unique_and_known():
    twin = Machine("core.Job", "另一", MACHINE.moves, name="test.job")
    try:
        assert transitions.register(MACHINE) is MACHINE
        assert transitions.machine_for("Test.Job") is MACHINE
        with pytest.raises(ValueError):
            transitions.register(twin)
    finally:
        transitions.MACHINES.pop("test.job", None)
    with pytest.raises(ValueError):
        Machine("core.Job", "任务", (MACHINE.moves[0], MACHINE.moves[0]))


def test_diagram_is_made_from_the_moves():
    text = section(MACHINE)
    assert '    state "等待中" as waiting' in text.splitlines()
    assert "    [*] --> waiting" in text.splitlines()
    assert "    running --> cancelled : 停止（须写明原因）" in text.splitlines()


def test_diagram_file_that_differs_from_the_code_is_found(tmp_path):
    out = tmp_path / "states.md"
    call_command("state_diagrams", out=out)
    call_command("state_diagrams", out=out, check=True)
    out.write_text(out.read_text(encoding="utf-8") + "x", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("state_diagrams", out=out, check=True)


# --- two people at once, on two real connections -----------------------------------------------------


def race(together, job, person):
    """Both have read the same state and been allowed before either writes."""
    start = threading.Barrier(2)

    def both_allowed(user, obj):
        start.wait(10)
        return Decision.yes()

    machine = Machine("core.Job", "任务", (Move("start", "开始", ("waiting",), "running", both_allowed),), name="r")

    def press():
        return apply_move(Job.objects.get(pk=job.pk), machine, "start", actor=person)

    return together(press, press)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_moves_and_the_other_is_told(job, person, together):
    results = race(together, job, person)
    assert sorted(type(result).__name__ for result in results) == ["Job", "StaleState"]
    assert AuditEntry.objects.filter(action="job.start").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_both_move_when_the_guard_is_off(job, person, together, monkeypatch):
    """Control: the race is real; without compare-and-swap the step is done twice."""
    monkeypatch.setattr(transitions, "_guard", lambda machine, before: {})
    assert [type(result).__name__ for result in race(together, job, person)] == ["Job", "Job"]
    assert AuditEntry.objects.filter(action="job.start").count() == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_clicks_for_many_move_each_row_once(person, together):
    for n in range(20):
        Job.objects.create(kind="t", label=str(n), requested_by=person)
    start = threading.Barrier(2)

    def press():
        start.wait(10)
        return bulk_apply_move(Job.objects.all(), MACHINE, "start", actor=person)

    first, second = together(press, press)
    assert sorted([len(first.moved), len(second.moved)]) == [0, 20]
    assert AuditEntry.objects.filter(action="job.start").count() == 20
