"""Findings in plain, neutral words: what is there to be looked at, never what somebody did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

# Code → the short form, for chips and filters.
CODES = {
    "two_places": "同一时段在两处",
    "overfull": "一天合计超过一天",
    "same_hours": "同一时段有多条",
    "sitting": "多天的记录一次填写",
    "outside": "日期不在聘期内",
    "same_words": "内容与其他记录相同",
    "same_photo": "照片与其他记录相同",
    "photo_day": "照片拍摄于其他日期",
    "photo_place": "照片拍摄位置较远",
}
_WHY = {
    "two_places": "同一位规划师同一时段在两个责任单元（项目）都有记录。可能是时段填错，也可能当天往返两处。",
    "overfull": "同一位规划师当天各条记录的时段相加超过一天。可能是重复填写，也可能时段偏大。",
    "same_hours": "同一位规划师同一时段在同一处有多条记录。可能是重复填写，也可能同时办了两件事。",
    "sitting": "集中补填很常见，只影响细节是否记得准确。",
    "outside": "提交之后合同或派驻安排有变更时，也会出现这种情况。",
    "same_words": "内容完全相同的记录，可能是复制后忘了修改。",
    "same_photo": "同一张照片出现在多条记录中。多人同行、同日两条记录共用照片的，也会提示。",
    "photo_day": "按照片自带的拍摄时间比较。相机时间不准、补拍或使用往日照片的，也会提示。",
    "photo_place": "按照片自带的位置，与同一责任单元（项目）其他照片的中间位置比较。在室外调研或外出开会的，也会提示。",
}
_SLOTS = {"am": "上午", "pm": "下午", "full": "全天"}


def title(code: str) -> str:
    return f"请核对：{CODES[code]}"


def explanation(code: str) -> str:
    """Why this is pointed out, and what harmless reasons there may be."""
    return _WHY[code]


def sentence(code: str, facts: Mapping[str, Any]) -> str:
    """The evidence in one sentence; other records are linked beside it."""
    return _SENTENCES[code](facts)


def limit_words(facts: Mapping[str, Any]) -> str:
    """The limits by which it was found, in words; empty where none is needed."""
    said = facts.get("limits", {})
    parts = {
        "sitting_minutes": lambda v: f"{v} 分钟之内",
        "sitting_days": lambda v: f"涉及 {v} 天起",
        "place_km": lambda v: f"{v:g} 公里以上",
        "place_photos": lambda v: f"已有 {v} 张带位置的照片时才比较",
        "photo_days": lambda v: f"相差超过 {v} 天" if v else "不是同一天",
        "photo_bits": lambda v: f"图像指纹相差不超过 {v} 位（共 128 位）",
    }
    return "，".join(word(said[name]) for name, word in parts.items() if name in said)


def other_words(other: Mapping[str, Any]) -> str:
    """Day, hours and place of another record, as far as they may be said."""
    if "on" not in other:
        return "另一条记录"
    return f"{other['on']} {_SLOTS[other['slot']]}，{other['place']}"


def _sitting(facts: Mapping[str, Any]) -> str:
    begun, done = datetime.fromisoformat(facts["from"]), datetime.fromisoformat(facts["to"])
    minutes = max(1, round((done - begun).total_seconds() / 60))
    return (
        f"{facts['days']} 天的 {facts['records']} 条记录是在 {begun:%Y-%m-%d %H:%M} 至 {done:%H:%M} 的"
        f"约 {minutes} 分钟内填写的。"
    )


def _taken(facts: Mapping[str, Any]) -> str:
    days = "、".join(facts["taken"][:5])
    return f"记录日期是 {date.fromisoformat(facts['on'])}，照片拍摄日期是 {days}。"


_SENTENCES = {
    "two_places": lambda f: f"同一时段在其他责任单元（项目）另有 {len(f['others'])} 条记录。",
    "overfull": lambda f: f"当天各条记录合计 {f['days']} 天。",
    "same_hours": lambda f: f"同一时段在同一处另有 {len(f['others'])} 条记录。",
    "sitting": _sitting,
    "outside": lambda f: f"{f['on']} 没有这一责任单元（项目）的聘用合同或派驻安排。",
    "same_words": lambda f: f"本月另有 {len(f['others'])} 条记录的内容与此完全相同。",
    "same_photo": lambda f: (
        f"有 {f['photos']} 张照片与另外 {len(f['others'])} 条记录的照片{'相同' if f['exact'] else '相同或几乎相同'}。"
    ),
    "photo_day": _taken,
    "photo_place": lambda f: f"有 {f['photos']} 张照片的拍摄位置距此处其他照片约 {f['km']} 公里。",
}
