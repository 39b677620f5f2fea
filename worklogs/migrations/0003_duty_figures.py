import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("districts", "0002_membership_ending"),
        ("planners", "0002_overlaps_refused"),
        ("worklogs", "0002_search_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="FigureTouch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField()),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="planners.contract"
                    ),
                ),
            ],
            options={
                "verbose_name": "待重算",
                "verbose_name_plural": "待重算",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DutyFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(editable=False, max_length=80)),
                ("year", models.PositiveSmallIntegerField(verbose_name="年度")),
                ("label", models.CharField(max_length=240, verbose_name="对象")),
                ("sort_key", models.CharField(editable=False, max_length=255)),
                ("search_text", models.CharField(editable=False, max_length=600)),
                ("day_kind", models.CharField(blank=True, max_length=10, verbose_name="计量单位")),
                (
                    "days",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="天数"),
                ),
                (
                    "required_days",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="应完成天数"
                    ),
                ),
                (
                    "shortfall_days",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="天数不足"
                    ),
                ),
                (
                    "visits",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="走访次数"
                    ),
                ),
                (
                    "principal_met",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="会见主要负责人次数"
                    ),
                ),
                (
                    "required_visits",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="应走访次数"
                    ),
                ),
                (
                    "shortfall_visits",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="次数不足"
                    ),
                ),
                (
                    "deduction",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="扣减（元）"
                    ),
                ),
                ("logs", models.PositiveIntegerField(default=0, verbose_name="记录数")),
                ("waiting", models.PositiveIntegerField(default=0, verbose_name="待确认")),
                ("unset", models.JSONField(default=dict, verbose_name="未设定")),
                ("months", models.JSONField(default=list, verbose_name="各月")),
                ("atoms", models.JSONField(default=dict)),
                ("start", models.DateField(null=True, verbose_name="服务起")),
                ("end", models.DateField(null=True, verbose_name="服务止")),
                ("final", models.BooleanField(default=False, verbose_name="年度已结束")),
                ("as_of", models.DateField(verbose_name="截至")),
                ("signature", models.CharField(editable=False, max_length=40)),
                (
                    "charge",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="figures",
                        to="districts.charge",
                        verbose_name="责任单元（项目）",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="planners.contract",
                        verbose_name="聘用合同",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="planners.group",
                        verbose_name="小组",
                    ),
                ),
                (
                    "locality",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="districts.locality",
                        verbose_name="地方",
                    ),
                ),
                (
                    "planner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="figures",
                        to="planners.planner",
                        verbose_name="规划师",
                    ),
                ),
            ],
            options={
                "verbose_name": "履职统计",
                "verbose_name_plural": "履职统计",
                "ordering": ["-year", "sort_key", "pk"],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["locality", "year", "sort_key", "id"], name="figure_locality_year"),
                    models.Index(fields=["contract", "year"], name="figure_contract_year"),
                    models.Index(fields=["charge", "year"], name="figure_charge_year"),
                ],
                "constraints": [models.UniqueConstraint(fields=("year", "subject"), name="figure_once")],
            },
        ),
    ]
