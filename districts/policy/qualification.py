"""Qualifications as a tree of "all of" and "any of" over leaves, each a fact or a criterion that a person judges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from districts.policy.kinds import NO_NAMES, Choice, Flag, Kind, Names, Number, Struct, Text
from districts.policy.kinds import Field as F
from districts.policy.problems import Report

DEEPEST = 5

TITLES = {
    "intermediate": "中级以上职称",
    "senior": "高级以上职称",
    "senior_engineer": "高级工程师以上职称",
}
CERTIFICATES = {
    "registered_planner": "注册规划师",
    "registered_architect": "注册建筑师",
    "first_class_architect": "一级注册建筑师",
}
DEGREES = {"bachelor": "本科以上学历", "graduate": "研究生以上学历"}

_LEAVES: dict[str, Struct] = {
    "title": Struct({"min": F("职称", Choice(TITLES))}),
    "certificate": Struct({"name": F("执业资格", Choice(CERTIFICATES))}),
    "experience": Struct(
        {"years": F("年限", Number(1, 60, whole=True)), "field": F("从业领域", Text(60), required=False)}
    ),
    "degree": Struct({"min": F("学历", Choice(DEGREES)), "preferred": F("优先条件", Flag(), required=False)}),
    # Never computed: a person records met or not met, with evidence.
    "judged": Struct({"text": F("条件", Text(120)), "preferred": F("优先条件", Flag(), required=False)}),
}


class Qualification(Kind):
    """`{all: [...]}`, `{any: [...]}` or one leaf such as `{certificate: {name: registered_planner}}`."""

    def parse(self, raw: Any, path: str, report: Report) -> dict[str, Any] | None:
        before = len(report.problems)
        value = self._node(raw, path, report, DEEPEST)
        return value if len(report.problems) == before else None

    def _node(self, raw: Any, path: str, report: Report, depth: int) -> Any:
        if not isinstance(raw, Mapping) or len(raw) != 1:
            self.refuse(raw, path, report)
            return None
        ((name, body),) = raw.items()
        if name in ("all", "any"):
            if depth == 0:
                report.add(path, "条件嵌套过深", f"不超过 {DEEPEST} 层")
                return None
            if not isinstance(body, (list, tuple)) or not 1 <= len(body) <= 20:
                report.add(f"{path}.{name}", "条件组不能为空", "1 到 20 个条件的列表")
                return None
            children = enumerate(body)
            return {name: [self._node(entry, f"{path}.{name}[{i}]", report, depth - 1) for i, entry in children]}
        if name not in _LEAVES:
            report.add(f"{path}.{name}", f"未知条件“{name}”", self.allowed())
            return None
        return {name: _LEAVES[name].parse(body, f"{path}.{name}", report)}

    def plain(self, value: Any) -> Any:
        ((name, body),) = value.items()
        if name in ("all", "any"):
            return {name: [self.plain(child) for child in body]}
        return {name: _LEAVES[name].plain(body)}

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return self._words(value, outermost=True)

    def _words(self, value: Any, *, outermost: bool = False) -> str:
        ((name, body),) = value.items()
        if name in ("all", "any"):
            glue = "，且" if name == "all" else "，或"
            words = glue.join(self._words(child) for child in body)
            return words if outermost or len(body) == 1 else f"（{words}）"
        if name == "experience":
            return f"从事{body.get('field', '相关工作')} {body['years']} 年以上"
        words = {
            "title": lambda: TITLES[body["min"]],
            "certificate": lambda: CERTIFICATES[body["name"]],
            "degree": lambda: DEGREES[body["min"]],
            "judged": lambda: body["text"],
        }[name]()
        return f"{words}（优先）" if body.get("preferred") else words

    def allowed(self) -> str:
        return "all / any 条件组，或 " + "、".join(_LEAVES)
