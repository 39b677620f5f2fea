"""`manage.py demo_logins`: the demo logins and their password, printed by `make run`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import User
from portal.demo.build import COLLEAGUES, LOGINS
from portal.demo.password import demo_password


class Command(BaseCommand):
    help = "列出示例账号和口令（仅演示方式）。"

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO or not User.objects.filter(is_demo=True).exists():
            return
        self.stdout.write(
            f"  示例账号：{'、'.join([*LOGINS, *COLLEAGUES])}，后加 -bj（东城）、-tz（通州）、-jc（晋城）、-lc（聊城），例如 planner-bj\n"
            f"  口令：{demo_password()}"
        )
