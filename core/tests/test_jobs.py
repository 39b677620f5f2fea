"""Long work: asked once, done once, survives its worker, and tells people how far it is."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import transaction
from django.utils import timezone

from core import jobs, tasks
from core.jobs import JobFailed, LeaseLost, enqueue, run_one
from core.models import AuditEntry, Heartbeat, Job, JobStep, Notification

pytestmark = pytest.mark.django_db


def expire(job: Job) -> None:
    """As time would: the worker has been silent for longer than its lease."""
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the worker's own clean-up runs (`_release` is switched off)."""


@pytest.fixture
def no_clean_up(monkeypatch):
    monkeypatch.setattr(jobs, "_release", lambda run: None)


def test_job_runs_and_keeps_its_result(person, kind):
    def count(run):
        run.progress(2, 2, "两项")
        return {"text": f"共 {run.arguments['n']} 项", "links": [{"label": "查看", "url": "/x/"}]}

    job = enqueue(kind(count), actor=person, arguments={"n": 2}, locality="110112")
    assert (job.state, job.requested_by, job.locality_code, job.label) == ("waiting", person, "110112", "测试任务")
    done = run_one(job.pk)
    assert (done.state, done.result["text"], done.progress_done, done.progress_total) == ("done", "共 2 项", 2, 2)
    assert (done.percent, done.attempts, done.lease_until) == (100, 1, None)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["job.enqueue", "job.done"]


def test_commit_wakes_a_worker(person, kind, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue(kind(_nothing), actor=person)
        assert Job.objects.get(pk=job.pk).state == "waiting"
    assert Job.objects.get(pk=job.pk).state == "done"


def _nothing(run):
    return None


def test_rolled_back_request_leaves_no_job(person, kind):
    name = kind(_nothing)
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue(name, actor=person)
        raise RuntimeError
    assert Job.objects.count() == 0


def test_asking_twice_is_one_job_until_it_is_finished(person, kind):
    name = kind(_nothing)
    first = enqueue(name, actor=person, key="report:7")
    assert enqueue(name, actor=person, key="report:7") == first
    assert enqueue(name, actor=person, key="report:8") != first
    run_one(first.pk)
    assert enqueue(name, actor=person, key="report:7") != first


def test_unknown_kind_is_refused_at_once(person):
    with pytest.raises(KeyError):
        enqueue("no.such", actor=person)


def test_broker_away_leaves_the_job_to_the_sweeper(person, kind, monkeypatch, django_capture_on_commit_callbacks):
    def away(*args):
        raise ConnectionError("broker")

    monkeypatch.setattr(tasks.run_job, "delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue(kind(_nothing), actor=person)
    assert Job.objects.get(pk=job.pk).state == "waiting"
    monkeypatch.undo()
    assert tasks.sweep_jobs() == 0  # just sent: its message may still be on the way
    Job.objects.update(dispatched_at=timezone.now() - dt.timedelta(minutes=2))
    assert tasks.sweep_jobs() == 1
    assert Job.objects.get(pk=job.pk).state == "done"


def test_vanished_or_finished_job_is_left_alone(person, kind):
    job = enqueue(kind(_nothing), actor=person)
    assert run_one(10**9) is None
    assert run_one(job.pk).state == "done"
    assert run_one(job.pk) is None
    assert Job.objects.get(pk=job.pk).attempts == 1


def test_error_is_tried_again_later_and_then_told_plainly(person, kind):
    def broken(run):
        raise RuntimeError("disk on fire")

    job = enqueue(kind(broken, max_attempts=2), actor=person)
    first = run_one(job.pk)
    assert (first.state, first.message) == ("waiting", "处理中断，稍后自动重试")
    assert run_one(job.pk) is None  # not before its time
    Job.objects.update(not_before=timezone.now())
    last = run_one(job.pk)
    assert (last.state, last.message) == ("failed", jobs.FAILED_MESSAGE)
    assert "disk on fire" in last.error
    assert AuditEntry.objects.get(action="job.failed").result == "error"


def test_handler_may_fail_for_good_in_its_own_words(person, kind):
    def no_rows(run):
        raise JobFailed("该年度没有可导出的报告。")

    done = run_one(enqueue(kind(no_rows), actor=person).pk)
    assert (done.state, done.message, done.attempts) == ("failed", "该年度没有可导出的报告。", 1)


def test_killed_worker_is_replaced_and_each_unit_is_done_once(person, kind, no_clean_up):
    tries: list[str] = []

    def letters(run):
        for n in range(5):
            if n == 3 and len(tries) == 3:
                tries.append("killed")
                raise Killed
            run.step(f"letter:{n}", lambda n=n: (tries.append(n), write(n))[1])
        return {"sent": run.job.steps.count()}

    def write(n):
        return Notification.objects.create(user=person, kind="t", text=str(n)).pk

    job = enqueue(kind(letters), actor=person)
    with pytest.raises(Killed):
        run_one(job.pk)
    assert run_one(job.pk) is None  # the lease still runs: nobody else may start
    expire(job)
    done = run_one(job.pk)
    assert (done.state, done.result, done.attempts) == ("done", {"sent": 5}, 2)
    assert [n.text for n in Notification.objects.order_by("pk")] == ["0", "1", "2", "3", "4"]


def test_unit_that_fails_in_the_middle_leaves_nothing(person, kind):
    def half(run):
        def work():
            Notification.objects.create(user=person, kind="t", text="半")
            raise RuntimeError

        run.step("a", work)

    run_one(enqueue(kind(half), actor=person).pk)
    assert (Notification.objects.count(), JobStep.objects.count()) == (0, 0)


def test_step_gives_what_it_gave_the_first_time(person, kind):
    def twice(run):
        first = run.step("a", lambda made: made + 1, prepare=lambda: 1)
        return {"both": [first, run.step("a", lambda made: made + 1, prepare=lambda: 99)]}

    assert run_one(enqueue(kind(twice), actor=person).pk).result == {"both": [2, 2]}


def test_overtaken_worker_writes_nothing_more(person, kind):
    def overtaken(run):
        expire(run.job)
        Job.objects.filter(pk=run.job.pk).update(lease_token="another")
        with pytest.raises(LeaseLost):
            run.step("a", lambda: Notification.objects.create(user=person, kind="t", text="晚").pk)
        return {"text": "我写的"}

    done = run_one(enqueue(kind(overtaken), actor=person).pk)
    assert (done.state, done.result, Notification.objects.count()) == ("running", {}, 0)


def test_progress_keeps_the_lease(person, kind):
    seen: list[bool] = []

    def slow(run):
        expire(run.job)
        run.progress(1, 1, "第一份")
        row = Job.objects.get(pk=run.job.pk)
        seen.append(row.lease_until > timezone.now() and row.message == "第一份")

    run_one(enqueue(kind(slow), actor=person).pk)
    assert seen == [True]


def test_stopping_a_worker_hands_the_job_on_at_once(person, kind):
    def interrupted(run):
        if run.job.attempts == 1 and not run.job.steps.exists():
            run.step("first", lambda: 1)
            raise KeyboardInterrupt

    job = enqueue(kind(interrupted), actor=person)
    with pytest.raises(KeyboardInterrupt):
        run_one(job.pk)
    assert run_one(job.pk).state == "done"


def test_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_sign(person, kind):
    def long(run):
        jobs.cancel(Job.objects.get(pk=run.job.pk), actor=person)
        run.progress(1, 1)
        raise AssertionError("went on after the cancellation")

    name = kind(long)
    waiting, running = enqueue(name, actor=person), enqueue(name, actor=person)
    assert jobs.cancel(waiting, actor=person)
    assert (waiting.state, run_one(waiting.pk)) == ("cancelled", None)
    assert run_one(running.pk).state == "cancelled"
    assert not jobs.cancel(running, actor=person)


def test_sweeper_wakes_for_lost_workers_and_gives_up_after_the_last_attempt(person, kind, no_clean_up):
    def dies(run):
        raise Killed

    job = enqueue(kind(dies, max_attempts=2), actor=person)
    for _ in range(2):
        with pytest.raises(Killed):
            run_one(job.pk)
        expire(job)
    assert tasks.sweep_jobs() == 0
    job.refresh_from_db()
    assert (job.state, job.message) == ("failed", jobs.FAILED_MESSAGE)
    assert Heartbeat.objects.get(name="worker").at <= timezone.now()


def test_run_waiting_needs_no_broker(person, kind):
    name = kind(_nothing)
    made = [enqueue(name, actor=person) for _ in range(3)]
    assert jobs.run_waiting() == 3
    assert {job.state for job in Job.objects.filter(pk__in=[job.pk for job in made])} == {"done"}


def test_a_kind_has_one_handler(kind):
    name = kind(_nothing)
    with pytest.raises(ValueError):
        jobs.job(name, label="另一个")(lambda run: None)


# --- two workers, on two real connections ------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_gets_the_job(person, kind, together):
    ran: list[int] = []
    start = threading.Barrier(2)
    job = enqueue(kind(lambda run: ran.append(1)), actor=person)
    Job.objects.update(state="waiting", attempts=0)
    ran.clear()

    def worker():
        start.wait(10)
        return run_one(job.pk)

    results = together(worker, worker)
    assert (len(ran), [r is None for r in results].count(True)) == (1, 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_the_same_unit_do_it_once(person, kind, together, monkeypatch):
    """The first worker was silent for too long and comes back while the second is inside the same unit."""
    monkeypatch.setattr(jobs, "dispatch", lambda job_id: False)
    inside = threading.Barrier(2)
    meeting = {"first": True}

    def unit(run):
        def work():
            if meeting.pop("first", None):
                expire_now(run.job.pk)
                inside.wait(10)
            return Notification.objects.create(user=person, kind="t", text=run.job.lease_token).pk

        return {"notice": run.step("a", work)}

    def expire_now(pk):
        # On another connection, as time would do it: the first worker's own transaction is still open.
        together(lambda: Job.objects.filter(pk=pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1)))

    job = enqueue(kind(unit), actor=person)

    def second():
        inside.wait(10)
        return run_one(job.pk)

    together(lambda: run_one(job.pk), second)
    job.refresh_from_db()
    assert (job.state, Notification.objects.count(), JobStep.objects.count()) == ("done", 1, 1)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_requests_with_one_key_make_one_job(person, kind, together, monkeypatch):
    monkeypatch.setattr(jobs, "dispatch", lambda job_id: False)
    name, start = kind(_nothing), threading.Barrier(2)

    def ask():
        start.wait(10)
        return enqueue(name, actor=person, key="once")

    first, second = together(ask, ask)
    assert first == second
    assert Job.objects.count() == 1
