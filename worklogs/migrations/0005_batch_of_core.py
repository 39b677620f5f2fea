"""Logs point to the batches of the house; the table that held them before goes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_imports"),
        ("worklogs", "0004_imports_move_to_core"),
    ]

    operations = [
        migrations.AlterField(
            model_name="worklog",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="logs",
                to="core.importbatch",
                verbose_name="导入批次",
            ),
        ),
        migrations.DeleteModel(name="LogImport"),
    ]
