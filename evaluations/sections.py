"""What the author writes with their own judgement; the facts around it come from the portal."""

from __future__ import annotations

from dataclasses import dataclass

MAX_LENGTH = 5000
NUMERALS = ("零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十")


@dataclass(frozen=True, slots=True)
class Section:
    code: str
    title: str
    help: str
    required: bool = True


SECTIONS = (
    Section("overview", "工作总体情况", "概括本期主要工作和总体评价。天数、次数已由系统写入，不必重复填写。"),
    Section("results", "主要做法与成效", "写具体事例：做了什么，起了什么作用，有何可推广之处。"),
    Section("problems", "存在问题与原因", "责任片区的突出问题，以及自身工作的不足。"),
    Section("suggestions", "意见建议", "对规划建设管理和责任规划师工作机制的建议。"),
    Section("plans", "下一步工作打算", "下一期的重点任务。"),
    Section("support", "需要协调支持的事项", "可不填。", required=False),
)
CODES = tuple(section.code for section in SECTIONS)


def missing(sections: dict[str, str]) -> list[Section]:
    """Required sections still empty, in order."""
    return [s for s in SECTIONS if s.required and not (sections.get(s.code) or "").strip()]
