"""Long work: `@job(kind)` names a handler, `enqueue` writes a row and wakes a worker, `run_one` does it under a lease.

The broker may lose a message and a worker may die, so the row is the truth: a lease that runs out is taken over by
another worker (`core.tasks.sweep_jobs`), and each unit of work is done once (`JobRun.step`).
Handlers live in `<app>/jobs.py`.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from core import audit, context
from core.models import Job, JobStep

log = logging.getLogger(__name__)

# Progress rows are for people: more often than this nobody sees, and each write costs the database.
PROGRESS_INTERVAL = 0.5
RETRY_AFTER = timedelta(seconds=20)
FAILED_MESSAGE = "处理没有完成，系统已多次重试。请稍后再试；如仍不成功，请联系系统管理员并告知任务编号。"

audit.register_actions(
    {
        "job.enqueue": "提交后台任务",
        "job.cancel": "取消后台任务",
        "job.done": "后台任务完成",
        "job.failed": "后台任务失败",
        "job.download": "下载任务结果",
    }
)


class LeaseLost(Exception):
    """Another worker has taken the job over: stop at once and write nothing more."""


class JobCancelled(Exception):
    """A person cancelled the job: raised to the handler at its next sign of progress."""


class JobFailed(Exception):
    """Raised by a handler when trying again cannot help; the message is shown to the person as it is."""


Handler = Callable[["JobRun"], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A registered kind of job. `lease`: how long silence may last before another worker takes over."""

    name: str
    label: str
    handler: Handler
    lease: timedelta
    max_attempts: int


KINDS: dict[str, Kind] = {}


def job(kind: str, *, label: str, lease_seconds: int = 60, max_attempts: int = 5) -> Callable[[Handler], Handler]:
    """Register `handler(run) -> result dict | None` for `kind`.

    The handler must be resumable: it may start again from the beginning after another worker died in the middle, so
    it does each unit through `run.step` and calls `run.progress` more often than the lease runs out.
    Keys of the result that the page knows: "text" and "links" (a list of {"label", "url"}), "file" (id of a
    StoredFile).
    """

    def remember(handler: Handler) -> Handler:
        if kind in KINDS and KINDS[kind].handler.__qualname__ != handler.__qualname__:
            raise ValueError(f"job kind {kind} is registered twice")
        KINDS[kind] = Kind(kind, label, handler, timedelta(seconds=lease_seconds), max_attempts)
        return handler

    return remember


def enqueue(
    kind: str,
    *,
    actor: Any,
    arguments: Mapping[str, Any] | None = None,
    key: str | None = None,
    locality: Any = "",
    label: str = "",
) -> Job:
    """Write the job in the caller's transaction and wake a worker when that commits.

    `key`: while a job with this key is unfinished, asking again gives that job. `locality`: code or object with one.
    Side effects: an audit entry for a person's job; a broker message on commit (the sweeper makes up for a lost one).
    """
    described = KINDS[kind]
    values = {
        "kind": kind,
        "label": label or described.label,
        "arguments": dict(arguments or {}),
        "key": key or None,
        "max_attempts": described.max_attempts,
        "requested_by": actor if getattr(actor, "pk", None) else None,
        "locality_code": str(getattr(locality, "code", locality) or ""),
    }
    if key and (known := Job.objects.unfinished().filter(key=key).first()):
        return known
    try:
        with transaction.atomic():
            made = Job.objects.create(**values)
    except IntegrityError:
        # Somebody asked for the same at the same moment; the constraint let one through.
        known = Job.objects.unfinished().filter(key=key).first()
        if known is None:
            raise
        return known
    if made.requested_by_id:
        audit.record("job.enqueue", actor=actor, obj=made, detail={"kind": kind})
    transaction.on_commit(lambda: dispatch(made.pk))
    return made


def dispatch(job_id: int) -> bool:
    """Wake a worker for the job; False (and a log line) when the broker is away: the sweeper tries again."""
    from core.tasks import run_job

    Job.objects.filter(pk=job_id).update(dispatched_at=timezone.now())
    try:
        run_job.delay(job_id)
    except Exception:  # any transport's error: the row stands, nothing is lost
        log.warning("broker unavailable, job %s waits for the sweeper", job_id, exc_info=True)
        return False
    return True


def cancel(job_row: Job, *, actor: Any) -> bool:
    """Ask for a stop: a waiting job is cancelled now, a running one at its next sign of progress. False if finished."""
    with transaction.atomic():
        rows = Job.objects.filter(pk=job_row.pk)
        stopped = rows.filter(state=Job.State.WAITING).update(
            state=Job.State.CANCELLED, cancel_requested=True, finished=timezone.now(), message="已取消"
        ) or rows.filter(state=Job.State.RUNNING).update(cancel_requested=True)
        if stopped:
            audit.record("job.cancel", actor=actor, obj=job_row)
    job_row.refresh_from_db()
    return bool(stopped)


class JobRun:
    """What a handler holds: its arguments, and the ways to report and to do each unit once."""

    def __init__(self, row: Job, kind: Kind) -> None:
        self.job = row
        self._kind = kind
        self._token = row.lease_token
        self._written = 0.0

    @property
    def arguments(self) -> dict[str, Any]:
        return self.job.arguments

    @property
    def actor(self) -> Any:
        """The person who asked, or None."""
        return self.job.requested_by

    @property
    def cancelled(self) -> bool:
        return Job.objects.filter(pk=self.job.pk, cancel_requested=True).exists()

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Say how far the work is, and keep the lease. Not to be called inside a long transaction: nobody would see it.

        Raises: LeaseLost, JobCancelled.
        """
        if time.monotonic() - self._written < PROGRESS_INTERVAL and done != total:
            return
        self._extend(progress_done=done, progress_total=total, message=message[:500])
        self._written = time.monotonic()
        if self.cancelled:
            raise JobCancelled

    def step(self, key: str, do: Callable[..., Any], *, prepare: Callable[[], Any] | None = None) -> Any:
        """Do one unit of work at most once over all attempts; gives what `do` returned then or now (JSON values).

        `do` runs in a transaction together with the row that says it is done. Slow work that may be repeated
        (rendering a PDF) goes into `prepare`, which runs before that transaction; `do` then gets its value.
        Raises: LeaseLost when another worker has taken over (the unit is then rolled back).
        """
        known = JobStep.objects.filter(job_id=self.job.pk, key=key).first()
        if known is not None:
            return known.result
        prepared = (prepare(),) if prepare else ()
        try:
            with transaction.atomic():
                # A second worker at the same unit waits here for the first to commit or to give up.
                row = JobStep.objects.create(job_id=self.job.pk, key=key)
                row.result = do(*prepared)
                row.save(update_fields=["result"])
                self._extend()
        except IntegrityError:
            known = JobStep.objects.filter(job_id=self.job.pk, key=key).first()
            if known is None:
                raise
            return known.result
        return row.result

    def _extend(self, **values: Any) -> None:
        until = timezone.now() + self._kind.lease
        rows = Job.objects.filter(pk=self.job.pk, lease_token=self._token, state=Job.State.RUNNING)
        if not rows.update(lease_until=until, **values):
            raise LeaseLost


# --- running -----------------------------------------------------------------------------------------


def run_one(job_id: int) -> Job | None:
    """Claim the job and run it; the row afterwards, or None when there was nothing to claim (done, taken, vanished)."""
    row = _claim(job_id)
    if row is None:
        return None
    run = JobRun(row, KINDS[row.kind])
    with context.bound(request_id=f"job-{row.pk}-{row.attempts}"):
        try:
            result = run._kind.handler(run)
            _finish(run, Job.State.DONE, result=dict(result or {}))
        except LeaseLost:
            log.warning("job %s was taken over by another worker", job_id)
        except JobCancelled:
            _finish(run, Job.State.CANCELLED, message="已取消")
        except JobFailed as exc:
            _finish(run, Job.State.FAILED, message=str(exc), error=traceback.format_exc())
        except Exception:
            log.exception("job %s (%s) attempt %s", job_id, row.kind, row.attempts)
            _retry_or_fail(run, traceback.format_exc())
        except BaseException:
            # The worker is being stopped: let another go on at once instead of waiting for the lease.
            _release(run)
            raise
    return Job.objects.filter(pk=job_id).first()


def _claimable() -> Q:
    now = timezone.now()
    waiting = Q(state=Job.State.WAITING) & (Q(not_before=None) | Q(not_before__lte=now))
    return waiting | Q(state=Job.State.RUNNING, lease_until__lt=now)


def _claim(job_id: int) -> Job | None:
    """Compare-and-swap: of several workers one gets the lease."""
    row = Job.objects.filter(pk=job_id).first()
    if row is None or row.kind not in KINDS:
        return None
    token, now = uuid4().hex, timezone.now()
    claimed = Job.objects.filter(_claimable(), pk=job_id, attempts__lt=F("max_attempts")).update(
        state=Job.State.RUNNING,
        lease_token=token,
        lease_until=now + KINDS[row.kind].lease,
        attempts=F("attempts") + 1,
        started=row.started or now,
    )
    if not claimed:
        return None
    row.refresh_from_db()
    return row if row.lease_token == token else None


def _finish(
    run: JobRun, state: str, *, result: dict[str, Any] | None = None, message: str = "", error: str = ""
) -> None:
    row = run.job
    values: dict[str, Any] = {"state": state, "finished": timezone.now(), "lease_until": None, "error": error[-8000:]}
    if message or state == Job.State.DONE:
        values["message"] = message[:500]
    if result is not None:
        values["result_file_id"] = result.pop("file", None)
        values["result"] = result
    if state == Job.State.DONE:
        values["progress_done"] = F("progress_total")
    with transaction.atomic():
        rows = Job.objects.filter(pk=row.pk, lease_token=run._token, state=Job.State.RUNNING)
        if not rows.update(**values):
            log.warning("job %s was taken over before it finished", row.pk)
            return
        if row.requested_by_id and state != Job.State.CANCELLED:
            done = state == Job.State.DONE
            audit.record(
                "job.done" if done else "job.failed", actor=row.requested_by, obj=row, result="ok" if done else "error"
            )


def _retry_or_fail(run: JobRun, error: str) -> None:
    row = run.job
    if row.attempts >= row.max_attempts:
        _finish(run, Job.State.FAILED, message=FAILED_MESSAGE, error=error)
        return
    Job.objects.filter(pk=row.pk, lease_token=run._token, state=Job.State.RUNNING).update(
        state=Job.State.WAITING,
        lease_until=None,
        not_before=timezone.now() + RETRY_AFTER * row.attempts,
        message="处理中断，稍后自动重试",
        error=error[-8000:],
    )


def _release(run: JobRun) -> None:
    Job.objects.filter(pk=run.job.pk, lease_token=run._token, state=Job.State.RUNNING).update(
        state=Job.State.WAITING, lease_until=None, attempts=F("attempts") - 1, dispatched_at=None
    )


# --- sweeping ----------------------------------------------------------------------------------------

REDISPATCH_AFTER = timedelta(seconds=45)


def give_up_exhausted() -> int:
    """Mark as failed the jobs whose workers died as often as they may be tried; the number marked."""
    return Job.objects.filter(_claimable(), attempts__gte=F("max_attempts")).update(
        state=Job.State.FAILED,
        finished=timezone.now(),
        lease_until=None,
        message=FAILED_MESSAGE,
        error="worker lost on every attempt",
    )


def due_ids(*, limit: int = 200) -> list[int]:
    """Jobs that somebody should be woken for: waiting ones whose message seems lost, and those with a run-out lease."""
    stale = timezone.now() - REDISPATCH_AFTER
    silent = (
        Q(dispatched_at=None)
        | Q(dispatched_at__lt=stale)
        | Q(state=Job.State.RUNNING)
        | Q(not_before__gt=F("dispatched_at"))
    )
    rows = Job.objects.filter(_claimable() & silent, attempts__lt=F("max_attempts"))
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def run_waiting(*, limit: int = 1000) -> int:
    """Run in this process every job that may be claimed now (no broker needed); the number run."""
    done = 0
    ids = Job.objects.filter(_claimable(), attempts__lt=F("max_attempts")).order_by("pk").values_list("pk", flat=True)
    for job_id in list(ids[:limit]):
        done += run_one(job_id) is not None
    return done
