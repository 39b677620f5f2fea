"""What one key of the catalogue is, and the words that several keys share."""

from __future__ import annotations

from dataclasses import dataclass

from districts.policy.kinds import Choice, Items, Kind, Number, Struct, Table, Text
from districts.policy.kinds import Field as F

CONTRACT = "contract"
PROCESS = "process"

# Who may set what the document leaves open; a value that the document sets is changed by an amendment alone.
BUREAU = "规划主管部门依地方补充规定录入"
GOVERNMENT = "政府（或工作组）决定，规划主管部门录入"
FINANCE = "财政与规划主管部门共同决定，规划主管部门录入"
DOCUMENT = "仅由制度文件规定"


@dataclass(frozen=True)
class Key:
    """One rule value that a policy pack may hold.

    `binding`: CONTRACT values come from the version that a contract was signed under, PROCESS values from the version
    in force when the request or cycle opened. `unit_key` names the key whose value is this value's unit.
    """

    name: str
    label: str
    group: str
    kind: Kind
    unit: str = ""
    binding: str = PROCESS
    setter: str = BUREAU
    unit_key: str = ""


def number(minimum: int = 0, maximum: int = 1_000_000) -> Number:
    return Number(minimum, maximum)


def whole(minimum: int = 0, maximum: int = 1_000_000) -> Number:
    return Number(minimum, maximum, whole=True)


RATIO = Number(0, 1, percent=True)
LINE = Text(80)
PARAGRAPH = Text(300)
LINES = Items(Text(120))

PERIODS = {
    "week": "每周",
    "month": "每月",
    "quarter": "每季度",
    "half_year": "每半年",
    "year": "每年",
    "two_years": "每两年",
    "term": "每个任期",
    "regular": "定期（未写明周期）",
}
PERIOD = Choice(PERIODS)

LOG_KINDS = {
    "survey": "调研走访",
    "on_site": "驻场值班",
    "consulting": "方案咨询",
    "meeting": "会议",
    "inspection": "施工巡查",
    "participation": "公众参与",
    "training": "宣讲培训",
    "other": "其他",
}

# Sides of the system; what each is called locally stands in the pack's own titles.
SIDES = {
    "city_commission": "规委会",
    "city_bureau": "市级规划主管部门",
    "city": "市政府",
    "government": "区（县、市）政府、管委会",
    "workgroup": "工作组（领导小组）",
    "bureau": "规划主管部门（分局）",
    "department": "委办局及相关部门",
    "unit": "责任单元主管部门（街道、乡镇、园区）",
    "project_owner": "责任项目所在单位",
    "team": "责任规划师团队",
    "planner": "责任规划师",
    "institution": "所在设计单位",
    "association": "行业协会",
    "contractor": "施工单位",
    "builder": "建设单位",
    "public": "居民与公众",
    "parties": "相关各方",
    "finance": "财政部门",
    "expert": "专家",
}
SIDE = Choice(SIDES)

GRADE_SCORE = Table(
    Struct({"grade": F("等级", Text(20)), "min_score": F("最低分", Number(0, 100), suffix=" 分")}), ("grade",)
)


def table(*unique: str, **fields: F) -> Table:
    """A table whose rows may not repeat in the named columns."""
    return Table(Struct(fields), unique)
