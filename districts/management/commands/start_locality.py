"""`manage.py start_locality CODE`: the first locality of an installation, before there is anybody to start one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from districts.models import Division
from districts.services.localities import locality_code, start_first_locality


class Command(BaseCommand):
    help = "启用一个地方（县、市、区或地级市）及其规划主管部门；以后的地方由系统管理员在页面上启用。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="六位行政区划代码，地级市补零，如 110112、140500")

    def handle(self, *args: Any, **options: Any) -> None:
        code = options["code"]
        levels = (Division.Level.CITY, Division.Level.COUNTY)
        near = Division.objects.filter(code__in=[code, code[:4]], level__in=levels)
        division = next((row for row in near if locality_code(row) == code), None)
        if division is None:
            raise CommandError(f"没有代码为 {code} 的县（市、区）或地级市。请先执行 import_divisions，并使用六位代码。")
        try:
            locality = start_first_locality(division)
        except ValidationError as error:
            raise CommandError("；".join(error.messages)) from error
        self.stdout.write(f"已启用{locality.name}（{locality.code}）。下一步：appoint_administrator 任命管理员。")
