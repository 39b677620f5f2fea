"""`manage.py check_worklogs`: look through every month again, after a limit of detection has changed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from worklogs.models import LogFinding
from worklogs.services.checks import check_all


class Command(BaseCommand):
    help = "重新比对全部履职记录，更新核对提示（调整 PORTAL_CHECK_* 之后使用）。已核对的说明保留。"

    def handle(self, *args: Any, **options: Any) -> None:
        months = check_all()
        open_now = LogFinding.objects.standing().filter(state=LogFinding.State.OPEN).count()
        self.stdout.write(f"已比对 {months} 人月，现有待核对提示 {open_now} 项。")
