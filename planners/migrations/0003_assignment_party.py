"""Add the party to each assignment; 0004 fills it, 0005 refuses overlaps."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("planners", "0002_overlaps_refused")]

    operations = [
        migrations.AddField(
            model_name="assignment",
            name="party",
            field=models.CharField(blank=True, default="", editable=False, max_length=60),
        ),
    ]
