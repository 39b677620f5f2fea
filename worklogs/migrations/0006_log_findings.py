"""What deserves a second look in a log, the months to be looked through, and the parts of photos' fingerprints."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("planners", "0002_overlaps_refused"),
        ("worklogs", "0005_batch_of_core"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CheckTouch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "planner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planners.planner"
                    ),
                ),
            ],
            options={
                "verbose_name": "待核对的月份",
                "verbose_name_plural": "待核对的月份",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PhotoBand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("band", models.PositiveIntegerField(db_index=True)),
                (
                    "photo",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bands", to="worklogs.logphoto"
                    ),
                ),
            ],
            options={
                "verbose_name": "图像指纹分段",
                "verbose_name_plural": "图像指纹分段",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="LogFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("two_places", "同一时段在两处"),
                            ("overfull", "一天合计超过一天"),
                            ("same_hours", "同一时段有多条"),
                            ("sitting", "多天的记录一次填写"),
                            ("outside", "日期不在聘期内"),
                            ("same_words", "内容与其他记录相同"),
                            ("same_photo", "照片与其他记录相同"),
                            ("photo_day", "照片拍摄于其他日期"),
                            ("photo_place", "照片拍摄位置较远"),
                        ],
                        max_length=16,
                        verbose_name="提示",
                    ),
                ),
                ("fingerprint", models.CharField(editable=False, max_length=32)),
                ("facts", models.JSONField(default=dict, verbose_name="依据")),
                ("current", models.BooleanField(default=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待核对"), ("noted", "已核对")],
                        default="open",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="核对说明")),
                ("noted_at", models.DateTimeField(blank=True, null=True, verbose_name="核对时间")),
                ("found_at", models.DateTimeField(auto_now_add=True, verbose_name="提示时间")),
                (
                    "log",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="worklogs.worklog"
                    ),
                ),
                (
                    "noted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="核对人",
                    ),
                ),
            ],
            options={
                "verbose_name": "核对提示",
                "verbose_name_plural": "核对提示",
                "ordering": ["log", "code", "pk"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("current", True)), fields=["state", "code", "log"], name="finding_current"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("log", "code", "fingerprint"), name="finding_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "noted"), _negated=True),
                            models.Q(("noted_at__isnull", False), models.Q(("note", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="finding_noted_has_note",
                    ),
                ],
            },
        ),
    ]
