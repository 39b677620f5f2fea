"""`load_calendar`: fill the working calendar; with `--file`, enter one year's notice."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from core.calendar import load_calendar, notice_title, read_notice
from core.calendar_publishing import publish_year


class Command(BaseCommand):
    help = (
        "装入节假日与调休日历（可重复执行）；--file 录入某一年的放假通知（CSV：日期,类型,名称；类型为 放假 或 上班）。"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, help="某一年放假安排的 CSV")
        parser.add_argument("--year", type=int, help="年份（与 --file 同用）")
        parser.add_argument("--source", default="", help="依据，如“国务院办公厅关于2027年部分节假日安排的通知”")
        parser.add_argument("--notice", default="", help="通知文号")
        parser.add_argument("--reason", default="", help="更正已公布年份的原因")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"] is None:
            years = load_calendar()
            provisional = [str(year) for year, status in years.items() if status == "provisional"]
            self.stdout.write(
                f"日历已装入 {len(years)} 年（{min(years)}–{max(years)}）" if years else "日历没有需要更新的年份"
            )
            if provisional:
                self.stdout.write(f"{'、'.join(provisional)} 年尚未公布，暂按法定节假日推算。")
            return
        if options["year"] is None:
            raise CommandError("请用 --year 指明年份。")
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as handle:
                rows = [(*row, "", "", "")[:3] for row in list(csv.reader(handle))[1:] if any(row)]
            holidays, makeup = read_notice(rows)
            notice = publish_year(
                options["year"], holidays=holidays, makeup_days=makeup, notice_number=options["notice"], actor=None,
                title=options["source"] or notice_title(options["year"]), reason=options["reason"],
            )  # fmt: skip
        except (OSError, UnicodeDecodeError) as exc:
            raise CommandError(f"无法读取文件：{exc}") from exc
        except ValidationError as exc:
            raise CommandError("\n".join(exc.messages)) from exc
        self.stdout.write(f"{notice} 已公布。")
