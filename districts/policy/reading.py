"""Reads YAML that may come from anybody: bounded, without aliases or tags, with line numbers and duplicate keys named.

Nothing here knows what a policy is. Whatever the bytes are, the answer is data or problems, never another exception.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from districts.policy.problems import PolicyError, Problem, Report

LARGEST = 512 * 1024
DEEPEST = 24
MOST_NODES = 40_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"-?(0|[1-9]\d*)")
_FLOAT = re.compile(r"-?\d{1,15}\.\d{1,15}")


def read_source(source: Path | str | bytes, *, name: str = "") -> tuple[str, str]:
    """The text of a file (`Path`) or of what was handed over, with the name for messages. Raises PolicyError."""
    name = name or (source.name if isinstance(source, Path) else "")

    def fail(wrong: str, allowed: str) -> PolicyError:
        return PolicyError([Problem(path="", wrong=wrong, allowed=allowed, file=name)])

    if isinstance(source, Path):
        try:
            with source.open("rb") as handle:
                source = handle.read(LARGEST + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "路径无效"
            raise fail(f"文件无法读取（{reason}）", "可读取的 YAML 文件") from None
    raw = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    if len(raw) > LARGEST:
        raise fail("文件过大", f"不超过 {LARGEST // 1024} KB")
    try:
        return raw.decode("utf-8-sig"), name
    except UnicodeDecodeError:
        raise fail("不是 UTF-8 文本", "UTF-8 编码的 YAML 文件") from None


def read_yaml(text: str, *, name: str = "") -> tuple[Any, dict[str, int], Report]:
    """Data, the line of each path, and what was wrong with the YAML itself. Raises PolicyError when it cannot be read.

    Decimals arrive as Decimal (never through a float), dates and anything unusual as the text that was written.
    """
    try:
        _refuse_hostile(text, name)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        problem = Problem(path="", wrong="不是有效的 YAML", allowed="缩进和引号正确的 YAML", file=name, line=line)
        raise PolicyError([problem]) from None
    report = Report()
    lines: dict[str, int] = {}
    data = None if root is None else _build(root, "", lines, report)
    return data, lines, report


def _refuse_hostile(text: str, name: str) -> None:
    """Walk the events before building anything: an alias bomb or a deep nest never gets to be built."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        wrong = allowed = ""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            wrong, allowed = "不能使用锚点和引用（& 与 *）", "把值写全"
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > DEEPEST:
                wrong, allowed = "嵌套过深", f"不超过 {DEEPEST} 层"
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                wrong, allowed = "一个文件只能有一份文档", "去掉多余的 ---"
        if count > MOST_NODES:
            wrong, allowed = "内容过多", f"不超过 {MOST_NODES} 个节点"
        if wrong:
            line = event.start_mark.line + 1 if event.start_mark else None
            raise PolicyError([Problem(path="", wrong=wrong, allowed=allowed, file=name, line=line)])


def _build(node: yaml.Node, path: str, lines: dict[str, int], report: Report) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, path, lines, report)
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, f"{path}[{index}]", lines, report) for index, child in enumerate(node.value)]
    return _scalar(node, path, report)


def _build_mapping(node: yaml.MappingNode, path: str, lines: dict[str, int], report: Report) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            report.add(path, "键必须是文字", "键: 值")
            continue
        key = key_node.value
        child = f"{path}.{key}" if path else key
        if key in mapping:
            again = key_node.start_mark.line + 1
            report.add(child, f"键“{key[:60]}”在第 {again} 行重复", "每个键只写一次")
            continue
        lines[child] = key_node.start_mark.line + 1
        mapping[key] = _build(value_node, child, lines, report)
    return mapping


def _scalar(node: yaml.Node, path: str, report: Report) -> Any:
    text, kind = str(node.value), node.tag.rpartition(":")[2]
    if not node.tag.startswith("tag:yaml.org,2002:") or kind not in {
        "str",
        "int",
        "float",
        "bool",
        "null",
        "timestamp",
    }:
        report.add(path, f"不能使用标签 {node.tag[:40]}", "普通的文字、数字、true / false")
        return None
    if kind == "null":
        return None
    if kind == "bool":
        # YAML 1.1 reads yes, no, on and off as booleans; a policy says true or false.
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "int" and _INT.fullmatch(text) and len(text) <= 15:
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text):
        return Decimal(text)
    return text
