"""The monthly report (工作月报)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_imports"),
        ("districts", "0003_policy_decision"),
        ("planners", "0002_overlaps_refused"),
        ("worklogs", "0008_policy_trial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MonthlyReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_team", models.BooleanField(default=False, verbose_name="团队月报")),
                ("month", models.DateField(help_text="该月第一天。", verbose_name="月份")),
                ("title", models.CharField(max_length=40, verbose_name="名称")),
                ("is_required", models.BooleanField(default=False, verbose_name="须报送")),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="报送期限")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "未提交"),
                            ("submitted", "待接受"),
                            ("returned", "已退回"),
                            ("accepted", "已接受"),
                            ("locked", "已锁定"),
                        ],
                        default="draft",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, verbose_name="版次")),
                ("revision", models.PositiveIntegerField(default=0, help_text="每次保存加一，用于发现两处同时修改。")),
                ("texts", models.JSONField(default=dict, verbose_name="撰写内容")),
                ("facts", models.JSONField(default=dict, verbose_name="当月数据")),
                ("submitted_at", models.DateTimeField(blank=True, null=True, verbose_name="提交时间")),
                ("accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="接受时间")),
                ("locked_at", models.DateTimeField(blank=True, null=True, verbose_name="锁定时间")),
                ("return_reason", models.CharField(blank=True, max_length=300, verbose_name="退回原因")),
                ("correction_reason", models.CharField(blank=True, max_length=300, verbose_name="更正原因")),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "accepted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="接受人",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="monthly_reports",
                        to="planners.planner",
                    ),
                ),
                (
                    "charge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="monthly_reports",
                        to="districts.charge",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="monthly_reports",
                        to="planners.contract",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.issueddocument",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="districts.locality", verbose_name="地方"
                    ),
                ),
                (
                    "supersedes",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="superseded_by",
                        to="worklogs.monthlyreport",
                    ),
                ),
            ],
            options={
                "verbose_name": "工作月报",
                "verbose_name_plural": "工作月报",
                "ordering": ["-month", "-pk"],
                "indexes": [
                    models.Index(fields=["locality", "-month", "-id"], name="monthly_locality_recent"),
                    models.Index(fields=["charge", "month"], name="monthly_charge_month"),
                    models.Index(fields=["author", "-month"], name="monthly_author_recent"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_team", True)),
                        fields=("charge", "contract", "month", "version"),
                        name="monthly_team_once",
                        violation_error_message="该月的团队月报已存在。",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_team", False)),
                        fields=("charge", "contract", "author", "month", "version"),
                        name="monthly_once",
                        violation_error_message="该月的月报已存在。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("supersedes", None), models.Q(("correction_reason", ""), _negated=True), _connector="OR"
                        ),
                        name="monthly_version_has_reason",
                        violation_error_message="更正须写明原因。",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "locked"), _negated=True), ("locked_at__isnull", False), _connector="OR"
                        ),
                        name="monthly_locked_has_time",
                    ),
                ],
            },
        ),
    ]
