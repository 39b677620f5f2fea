"""The imports of work logs become batches of the one import of the house, under the numbers that they had."""

from django.db import migrations


def move(apps, schema_editor):
    old, new = apps.get_model("worklogs", "LogImport"), apps.get_model("core", "ImportBatch")
    for row in old.objects.select_related("locality").order_by("pk").iterator():
        made = new.objects.create(
            pk=row.pk,
            kind="worklogs",
            locality_code=row.locality.code,
            filename=row.filename,
            file_id=row.file_id,
            partial=row.partial,
            state=row.state,
            report=row.report,
            job_id=row.job_id,
            created_by_id=row.created_by_id,
            finished=row.finished,
        )
        new.objects.filter(pk=made.pk).update(created=row.created)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "SELECT setval(pg_get_serial_sequence('core_importbatch', 'id'),"
            " greatest((SELECT max(id) FROM core_importbatch), 1))"
        )


def move_back(apps, schema_editor):
    old, new = apps.get_model("worklogs", "LogImport"), apps.get_model("core", "ImportBatch")
    places = dict(apps.get_model("districts", "Locality").objects.values_list("code", "pk"))
    for row in new.objects.filter(kind="worklogs").order_by("pk").iterator():
        old.objects.create(
            pk=row.pk,
            locality_id=places[row.locality_code],
            filename=row.filename,
            file_id=row.file_id,
            partial=row.partial,
            state=row.state if row.state in ("checked", "running", "done") else "refused",
            report=row.report,
            job_id=row.job_id,
            created_by_id=row.created_by_id,
            finished=row.finished,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_imports"),
        ("worklogs", "0003_duty_figures"),
    ]

    operations = [migrations.RunPython(move, move_back)]
