"""Imports of every kind get one home: the batch, what its rows did, and which headings mean what."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.crypto


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_audit_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40, verbose_name="类别")),
                ("locality_code", models.CharField(blank=True, max_length=6, verbose_name="行政区划代码")),
                ("filename", models.CharField(max_length=200, verbose_name="文件名")),
                ("partial", models.BooleanField(default=False, verbose_name="允许部分导入")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("mapping", "待对应表头"),
                            ("checked", "待确认导入"),
                            ("running", "导入中"),
                            ("done", "已导入"),
                            ("refused", "未导入"),
                            ("undone", "已撤销"),
                        ],
                        default="checked",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("report", models.JSONField(default=dict, verbose_name="结果")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="上传时间")),
                ("finished", models.DateTimeField(blank=True, null=True, verbose_name="完成时间")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="导入人",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.storedfile",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="core.job",
                    ),
                ),
            ],
            options={
                "verbose_name": "数据导入",
                "verbose_name_plural": "数据导入",
                "ordering": ["-pk"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["kind", "locality_code", "-id"], name="import_kind_place")],
            },
        ),
        migrations.CreateModel(
            name="ImportedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="行号")),
                (
                    "action",
                    models.CharField(choices=[("new", "新增"), ("changed", "修改")], max_length=8, verbose_name="结果"),
                ),
                ("object_type", models.CharField(max_length=100)),
                ("object_id", models.BigIntegerField()),
                ("before", core.crypto.EncryptedTextField(blank=True, default="")),
                ("after", core.crypto.EncryptedTextField(blank=True, default="")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="core.importbatch"
                    ),
                ),
            ],
            options={
                "verbose_name": "导入的行",
                "verbose_name_plural": "导入的行",
                "ordering": ["pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "object_type", "object_id"), name="imported_row_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("locality_code", models.CharField(blank=True, max_length=6)),
                ("heading", models.CharField(max_length=120, verbose_name="表头")),
                ("column", models.CharField(blank=True, max_length=60, verbose_name="对应的列")),
            ],
            options={
                "verbose_name": "表头对应",
                "verbose_name_plural": "表头对应",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "locality_code", "heading"), name="import_heading_once")
                ],
            },
        ),
    ]
