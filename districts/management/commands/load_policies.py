"""Load the shipped policy packs; with --demo lay the marked trial overlay over them, with --no-demo take it off."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from districts.policy.problems import PolicyError
from districts.services.policy_loading import apply_demo_overlay, load_policy_files, remove_demo_overlay


class Command(BaseCommand):
    help = "载入制度方案文件（可重复执行）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        overlay = parser.add_mutually_exclusive_group()
        overlay.add_argument("--demo", action="store_true", help="同时启用示例补充规定")
        overlay.add_argument("--no-demo", action="store_true", help="撤回示例补充规定")

    def handle(self, *args: Any, demo: bool, no_demo: bool, **options: Any) -> None:
        try:
            done = load_policy_files()
        except PolicyError as error:
            raise CommandError(f"制度方案文件有问题：\n{error}") from None
        self.stdout.write(
            f"制度方案：新载入 {len(done.created)}，更正 {len(done.corrected)}，未变 {len(done.unchanged)}"
        )
        if done.kept:
            self.stdout.write(f"已被合同或评估引用，保留原内容：{'、'.join(done.kept)}")
        if demo:
            self.stdout.write(f"示例补充规定：{len(apply_demo_overlay())} 份已启用")
        if no_demo:
            self.stdout.write(f"示例补充规定：{remove_demo_overlay()} 份已撤回")
