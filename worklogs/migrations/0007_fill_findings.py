"""Photos kept so far get their parts of the fingerprint, and every month so far is looked through by the next run."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import migrations

from worklogs.plausibility.shapes import bands


def fill(apps: Any, schema_editor: Any) -> None:
    photo, band, log, touch = (
        apps.get_model("worklogs", name) for name in ("LogPhoto", "PhotoBand", "WorkLog", "CheckTouch")
    )
    marks = photo.objects.exclude(picture_hash="").values_list("pk", "picture_hash").iterator(chunk_size=2000)
    band.objects.bulk_create(
        [band(photo_id=pk, band=key) for pk, mark in marks for key in bands(mark)], batch_size=2000
    )
    months = log.objects.order_by().values_list("planner_id", "date__year", "date__month").distinct()
    touch.objects.bulk_create(
        [touch(planner_id=planner_id, month=date(year, month, 1)) for planner_id, year, month in months],
        batch_size=2000,
    )


class Migration(migrations.Migration):
    dependencies = [("worklogs", "0006_log_findings")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
