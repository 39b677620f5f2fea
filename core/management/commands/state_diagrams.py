"""docs/states.md: the diagrams of all state machines, made from the code that runs them."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.transitions import MACHINES, Machine


class Command(BaseCommand):
    help = "根据代码生成 docs/states.md；--check 只检查文件是否与代码一致。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")
        parser.add_argument("--out", type=Path, default=Path(settings.BASE_DIR) / "docs" / "states.md")

    def handle(self, *args: Any, check: bool, out: Path, **options: Any) -> None:
        text = document(list(MACHINES.values()))
        if not check:
            out.write_text(text, encoding="utf-8")
            self.stdout.write(f"已写入 {out.name}：{len(MACHINES)} 个状态机")
        elif not out.exists() or out.read_text(encoding="utf-8") != text:
            raise CommandError(f"{out.name} 与代码不一致，请运行 manage.py state_diagrams。")


def document(machines: list[Machine]) -> str:
    """The whole page: one section per machine, in the order of their names."""
    parts = ["# 状态流转\n\n由 `manage.py state_diagrams` 根据代码生成，请勿手工修改。\n"]
    parts += [section(machine) for machine in sorted(machines, key=lambda each: each.name)]
    return "\n".join(parts)


def section(machine: Machine) -> str:
    """A Mermaid diagram with the labels of states and moves, and which moves ask for a reason."""
    states = dict.fromkeys(s for move in machine.moves for s in (*move.sources, move.target))
    lines = [f"## {machine.label}（{machine.model}.{machine.field}）", "", "```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{machine.state_label(state)}" as {state}' for state in states]
    state: Any = machine.model_class._meta.get_field(machine.field)
    default = state.get_default()
    if default in states:
        lines.append(f"    [*] --> {default}")
    lines += [
        f"    {source} --> {move.target} : {move.label}{'（须写明原因）' if move.needs_reason else ''}"
        for move in machine.moves
        for source in move.sources
    ]
    return "\n".join([*lines, "```", ""])
