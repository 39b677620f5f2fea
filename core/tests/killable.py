"""A job whose worker can be killed in the middle of a unit: run as `python -m core.tests.killable JOB_ID`."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

KIND = "test.killable"
UNITS = 6


def register() -> None:
    from core import jobs
    from core.models import Notification

    @jobs.job(KIND, label="可中断的任务", lease_seconds=1)
    def handler(run: jobs.JobRun) -> dict[str, Any]:
        def unit(number: int) -> int:
            made = Notification.objects.create(user=run.actor, kind="t", text=str(number))
            if number == 3 and os.environ.get("WAIT_TO_BE_KILLED"):
                print("inside", flush=True)
                time.sleep(60)
            return made.pk

        for number in range(UNITS):
            run.step(f"unit:{number}", lambda number=number: unit(number))
            run.progress(number + 1, UNITS)
        return {"units": run.job.steps.count()}


if __name__ == "__main__":
    import django

    django.setup()
    from core.jobs import run_one

    register()
    run_one(int(sys.argv[1]))
