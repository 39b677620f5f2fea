"""Projects that were registered before their stages were kept: the stage that each is in becomes its first round."""

from django.db import migrations


def open_stages(apps, schema_editor):
    Project = apps.get_model("projects", "Project")
    Stage = apps.get_model("projects", "ProjectStage")
    rows = Project.objects.exclude(stage="done").filter(stages=None).values_list("pk", "stage", "created")
    made = (Stage(project_id=pk, stage=stage, opened_on=created.date()) for pk, stage, created in rows.iterator())
    Stage.objects.bulk_create(made, batch_size=2000)


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_review")]
    operations = [migrations.RunPython(open_stages, migrations.RunPython.noop)]
