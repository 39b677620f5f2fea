"""A whole round as one ZIP with an index, made by a job that may be stopped at any document."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from core import audit
from core.jobs import enqueue
from core.models import Job
from core.permissions import require
from evaluations.models import Cycle, ReportBatch
from evaluations.permissions import can_export_cycle

BATCH_KIND = "evaluations.report_batch"


@transaction.atomic
def start_batch(cycle: Cycle, *, actor: User) -> ReportBatch:
    """Ask for the ZIP of every frozen document of the round; asked again while one is being made, gives that one.

    Side effects: a job, an audit entry. Raises: Refused.
    """
    require(can_export_cycle(actor, cycle))
    job: Job = enqueue(
        BATCH_KIND,
        actor=actor,
        arguments={"cycle": cycle.pk},
        key=f"report-batch-{cycle.pk}",
        locality=cycle.locality,
        label=f"导出{cycle.title}",
    )
    batch, made = ReportBatch.objects.get_or_create(job=job, defaults={"cycle": cycle})
    if made:
        audit.record("cycle.export", actor=actor, obj=cycle, detail={"job": job.pk})
    return batch
