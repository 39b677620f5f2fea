"""`manage.py seed_demo`: the demo that `make run` shows. Deterministic but for dates, which count from today."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from portal.demo.activity import build_activity
from portal.demo.build import build_world
from portal.demo.evaluations import build_evaluations
from portal.demo.monthly import build_monthly
from portal.demo.password import demo_password
from portal.demo.reports import build_reports
from portal.demo.review import build_reviews
from portal.demo.scale import build_scale
from worklogs.services.checks import check_all
from worklogs.services.figures import recount_year


class Command(BaseCommand):
    help = "建立示例数据：真实街道与制度方案、虚构人员（均标“示例”）。已有示例数据时不重复建立。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale", type=int, default=1, help="规模倍数：大于 1 时另加成批的示例单元、规划师、项目和记录。"
        )
        parser.add_argument("--today", type=date.fromisoformat, default=None, help="以该日为“今天”，如 2026-11-20。")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("示例数据只能在演示方式下建立（PORTAL_DEMO=true），生产环境不允许。")
        if options["scale"] < 1:
            raise CommandError("--scale 应为不小于 1 的整数。")
        today = options["today"] or timezone.localdate()
        if User.objects.filter(is_demo=True).exists():
            self.stdout.write("已有示例数据，未重复建立。")
        else:
            with transaction.atomic():
                world = build_world(today, demo_password())
                logs = build_activity(world)
            build_reports(today)
            build_monthly(today)
            build_reviews(today)
            build_evaluations(today)
            check_all()
            self.stdout.write(
                f"示例数据已建立：{len(world.localities)} 个地方，{world.people_made} 名规划师，{logs} 条履职记录。"
            )
        if options["scale"] > 1:
            self.stdout.write(f"规模数据：{build_scale(options['scale'], today)}")
        _recount(today)


def _recount(today: date) -> None:
    for year in (today.year - 1, today.year):
        recount_year(year=year)
