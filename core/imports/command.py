"""The commands `import_…`: one for each kind, all alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from .batches import import_table, read_table
from .kinds import KINDS, Importer
from .outcomes import Report


class ImportCommand(BaseCommand):
    """Import a spreadsheet of `kind`: all rows or none, or the good ones with `--partial`.

    Prints the report; exit status 1 when a row was refused or the file could not be read.
    """

    kind: ClassVar[str]

    @property
    def importer(self) -> Importer:
        return KINDS[self.kind]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help=".xlsx 或 .csv")
        parser.add_argument("--locality", default="", help="六位行政区划代码；不给则按表中内容判断所属地方")
        parser.add_argument("--actor", help="以哪个账号的名义导入（登录名）")
        parser.add_argument("--dry-run", action="store_true", help="只检查，不写入")
        parser.add_argument("--partial", action="store_true", help="导入合格的行，其余逐行说明原因")
        parser.add_argument("--json", action="store_true", help="以 JSON 输出结果")

    def handle(self, *args: Any, **options: Any) -> None:
        path, place = options["file"], options["locality"]
        self.check_place(place)
        actor = self._actor(options["actor"])
        try:
            table = read_table(self.importer, path, filename=path.name, place=place)
            report = import_table(
                self.importer,
                table,
                place=place,
                actor=actor,
                filename=path.name,
                partial=options["partial"],
                dry_run=options["dry_run"],
            )
        except FileNotFoundError as exc:
            raise CommandError(f"没有找到文件 {path}。") from exc
        except (ValidationError, OSError) as exc:
            words = exc.messages if isinstance(exc, ValidationError) else [str(exc)]
            self._unreadable(words, as_json=options["json"])
            return
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=1))
        else:
            self._tell(report)
        if report.refused:
            raise SystemExit(1)

    def check_place(self, place: str) -> None:
        """Raise CommandError for a code that is no locality of the portal: the app above knows them."""

    @staticmethod
    def _actor(name: str | None) -> Any:
        if not name:
            return None
        found = get_user_model().objects.filter(username=name).first()
        if found is None:
            raise CommandError(f"没有登录名为 {name} 的账号。")
        return found

    def _unreadable(self, words: list[str], *, as_json: bool) -> None:
        if not as_json:
            raise CommandError("；".join(words))
        errors = [{"row": 0, "column": "", "value": "", "reason": word} for word in words]
        self.stdout.write(json.dumps({"rows": 0, "created": 0, "errors": errors}, ensure_ascii=False, indent=1))
        raise SystemExit(1)

    def _tell(self, report: Report) -> None:
        counter = self.importer.counter
        told = report.as_json()
        if report.ignored:
            self.stdout.write(f"已忽略的列：{'、'.join(report.ignored)}")
        for note in report.notes:
            self.stdout.write(note)
        for problem in report.problems:
            self.stdout.write(f"第 {problem.row} 行 {problem.column} “{problem.value}”：{problem.reason}")
        will = "将" if report.dry_run else "已"
        self.stdout.write(
            f"共 {report.rows} 行：{will}新增 {report.created} {counter}，{will}修改 {report.changed} {counter}，"
            f"已存在 {told['existing']} {counter}，文件内重复 {told['repeated']} {counter}，"
            f"有问题 {told['refused']} 行。"
        )
        if report.refused and not report.partial and not report.dry_run:
            self.stdout.write("有不合格的行，没有写入任何数据（可用 --partial 只导入合格的行）。")
