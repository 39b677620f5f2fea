"""`policy list | show SLUG | validate FILE | diff A B`, each with --json: the packs, every value with its clause."""

from __future__ import annotations

import datetime as dt
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from districts.policy.problems import PolicyError
from districts.policy.schema import is_supplement, load_pack, load_supplement
from districts.policy.values import EffectivePolicy, diff
from districts.services.policy_lookup import UnknownPolicy, find_policy, list_packs


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"日期“{text}”应形如 2021-06-01") from None


class Command(BaseCommand):
    help = "查看和校验制度方案：每个取值及其文件、条款"

    def add_arguments(self, parser: ArgumentParser) -> None:
        subs = parser.add_subparsers(dest="act", required=True, metavar="list|show|validate|diff")
        listing = subs.add_parser("list", help="列出全部制度方案")
        show = subs.add_parser("show", help="一个方案的全部取值（默认不含示例补充规定）")
        show.add_argument("name", metavar="SLUG", help="方案代号，可带版本号：tongzhou@2；也可以是 .yaml 文件")
        validate = subs.add_parser("validate", help="校验一个 YAML 文件，列出全部问题")
        validate.add_argument("file", metavar="FILE")
        compare = subs.add_parser("diff", help="比较两个方案、版本或文件")
        compare.add_argument("a", metavar="A")
        compare.add_argument("b", metavar="B")
        for sub in (show, compare):
            sub.add_argument("--date", help="按这一天有效的版本和补充规定，默认今天")
            sub.add_argument("--demo", action="store_true", help="包含示例补充规定")
        for sub in (listing, show, validate, compare):
            sub.add_argument("--json", action="store_true", help="输出 JSON")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        try:
            getattr(self, f"_{act}")(**options)
        except UnknownPolicy as error:
            raise CommandError(str(error)) from None
        except PolicyError as error:
            raise CommandError(f"文件有 {len(error.problems)} 处问题：\n{error}") from None

    def _write_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, ensure_ascii=False, indent=2))

    def _list(self, **options: Any) -> None:
        lines = list_packs()
        if options["json"]:
            keys = ("slug", "title", "versions", "values", "second_hand", "document")
            self._write_json(
                [
                    {
                        **{key: getattr(line, key) for key in keys},
                        "localities": list(line.localities),
                        "valid_from": line.valid_from and line.valid_from.isoformat(),
                        "valid_to": line.valid_to and line.valid_to.isoformat(),
                    }
                    for line in lines
                ]
            )
            return
        for line in lines:
            marks = "（论文转述）" if line.second_hand else ""
            until = f" 有效期至 {line.valid_to}" if line.valid_to else ""
            self.stdout.write(
                f"{line.slug:<14} {line.title}{marks} [{'、'.join(line.localities)}]"
                f" {line.versions} 个版本，{line.values} 项取值{until}"
            )

    def _find(self, name: str, options: dict[str, Any]) -> EffectivePolicy:
        on = _day(options["date"]) if options["date"] else None
        return find_policy(name, on=on, demo=options["demo"])

    def _show(self, name: str, **options: Any) -> None:
        policy = self._find(name, options)
        if options["json"]:
            self._write_json(policy.to_json())
            return
        self.stdout.write(f"{policy.title}（{policy.version_label}） {policy.document}")
        for chapter, found, unset in policy.chapters():
            self.stdout.write(f"\n【{chapter}】")
            for value in found:
                self.stdout.write(f"  {value.label}：{value.display}")
                self.stdout.write(f"      {value.key} · {value.origin_label} {value.document} {value.article}".rstrip())
            for value in unset:
                self.stdout.write(f"  {value.label}：未设定（{value.key}；{value.setter}）")

    def _validate(self, file: str, **options: Any) -> None:
        path = Path(file)
        problems: tuple[Any, ...] = ()
        summary = ""
        try:
            if is_supplement(path):
                supplement = load_supplement(path)
                summary = f"{supplement.title}：{len(supplement.values)} 项取值"
            else:
                pack = load_pack(path)
                summary = (
                    f"{pack.title}：{len(pack.versions)} 个版本，{sum(len(v.values) for v in pack.versions)} 项取值"
                )
        except PolicyError as error:
            problems = error.problems
        if options["json"]:
            self._write_json({"valid": not problems, "problems": [problem.as_json() for problem in problems]})
        else:
            for problem in problems:
                self.stdout.write(str(problem))
            self.stdout.write(f"共 {len(problems)} 处问题" if problems else f"校验通过。{summary}")
        if problems:
            raise SystemExit(1)

    def _diff(self, a: str, b: str, **options: Any) -> None:
        rows = diff(self._find(a, options), self._find(b, options))
        if options["json"]:
            self._write_json([row.as_json() for row in rows])
            return
        for row in rows:
            self.stdout.write(f"{row.label}（{row.key}）{row.what}")
            self.stdout.write(f"  - {row.before.display}  {row.before.clause}")
            self.stdout.write(f"  + {row.after.display}  {row.after.clause}")
        self.stdout.write(f"共 {len(rows)} 项不同")
