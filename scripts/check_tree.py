"""What no tool looks for: machine paths, package hosts, secrets, inline script, files and functions grown long."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from machine import ROOT

LONGEST_FUNCTION = 60
LONGEST_FILE = 500
LONGEST_LINE = 120
LARGEST_BYTES = 3_000_000  # streets.csv, the largest thing that is data, is well under it
# Written in pieces so that this file does not find itself.
FORBIDDEN = {
    "本机路径": re.compile(r"(?<![\w.<])/(?:" + "ro" + r"ot|ho" + r"me/\w+|wo" + r"rk|Us" + r"ers/\w+)/\w"),
    "软件源地址": re.compile("|".join(("py" + r"pi\.org", "pythonho" + r"sted\.org", r"npm" + r"js\.(?:org|com)",
                                  "npm" + r"mirror\.com", r"/sim" + r"ple/?[\"'\s]", "deb" + r"\.debian\.org"))),
    "密钥": re.compile("-----BEGIN [A-Z ]*PRIV" + "ATE KEY|AK" + r"IA[0-9A-Z]{16}|gh" + "[pousr]_[0-9A-Za-z]{30}"),
    "外部脚本或样式": re.compile(r"<(?:script|link)[^>]+(?:src|href)=[\"']?(?:https?:)?//"),
    "内联脚本": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=[\"']application/json)[^>]*>"),
}  # fmt: skip
TEMPLATES_ONLY = {"内联脚本", "外部脚本或样式"}
TEXT = {
    ".py",
    ".html",
    ".txt",
    ".md",
    ".in",
    ".toml",
    ".ini",
    ".json",
    ".yaml",
    ".yml",
    ".css",
    ".js",
    ".csv",
    ".svg",
    "",
}


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def problems(path: Path) -> Iterator[str]:
    name = path.relative_to(ROOT)
    if path.stat().st_size > LARGEST_BYTES:
        yield f"{name}：文件过大"
    if path.suffix not in TEXT:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    for label, pattern in FORBIDDEN.items():
        if label in TEMPLATES_ONLY and path.suffix != ".html":
            continue
        for match in pattern.finditer(text):
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}：{label}：{match.group()[:60]}"
    if path.suffix == ".py" and "migrations" not in path.parts:
        yield from _too_long(name, text)


def _too_long(name: Path, text: str) -> Iterator[str]:
    in_test = "tests" in name.parts or name.name in {"factories.py", "conftest.py"}
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            yield f"{name}:{number}：{len(line)} 个字符，应不多于 {LONGEST_LINE} 个"
    lines = text.count("\n")
    if lines >= LONGEST_FILE and not in_test:
        yield f"{name}：{lines} 行，应少于 {LONGEST_FILE} 行"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            if length >= LONGEST_FUNCTION and not in_test:
                yield f"{name}:{node.lineno}：函数 {node.name} 有 {length} 行，应少于 {LONGEST_FUNCTION} 行"


if __name__ == "__main__":
    found = [problem for path in files() for problem in problems(path)]
    print("\n".join(found))
    sys.exit(bool(found))
