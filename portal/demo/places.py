"""What the demo puts where: real streets, real packs, invented bodies' people. Data alone, no logic.

`arrangement` says how planners are appointed there, which follows each document: a team for several streets
(京核心区), a team for each unit (通州), persons for units, a county and a project (晋城), one institution with
groups of two (聊城).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class UnitPlan:
    name: str
    kind: str
    divisions: tuple[tuple[str, str], ...] = ()  # (nine-digit code, portion or "")
    area_type: str = ""
    source: str = ""


@dataclass(frozen=True)
class LocalityPlan:
    code: str
    name: str
    parent: str
    pack: str
    suffix: str  # of the demo logins; empty where nobody logs in
    bureau: str
    government: str
    arrangement: str
    units: tuple[UnitPlan, ...] = field(default=())
    # Whom the year-end documents address, where the policy document says no more than 政府; empty: as the pack has it.
    report_to: str = ""


def _streets(county: str, rows: str, *, kind: str = "street", area_type: str = "") -> tuple[UnitPlan, ...]:
    """`rows`: "001 东华门街道, 002 景山街道 …" under one county."""
    plans = []
    for row in rows.split(","):
        number, name = row.split()
        plans.append(UnitPlan(name, kind, ((county + number, ""),), area_type))
    return tuple(plans)


DONGCHENG = _streets(
    "110101",
    "001 东华门街道, 002 景山街道, 003 交道口街道, 004 安定门街道, 005 北新桥街道, 006 东四街道, 007 朝阳门街道, 008 建国门街道,"
    "009 东直门街道, 010 和平里街道, 011 前门街道, 012 崇文门外街道, 013 东花市街道, 014 龙潭街道, 015 体育馆路街道, 016 天坛街道,"
    "017 永定门外街道",
)
XICHENG = _streets(
    "110102",
    "001 西长安街街道, 003 新街口街道, 007 月坛街道, 009 展览路街道, 010 德胜街道, 011 金融街街道, 012 什刹海街道, 013 大栅栏街道",
)
TONGZHOU = (
    UnitPlan("组团一（示例）", "cluster", (("110112001", ""), ("110112002", "北运河以西部分（示例）"))),
    UnitPlan("组团二（示例）", "cluster", (("110112003", ""), ("110112004", ""))),
    *_streets(
        "110112",
        "104 宋庄镇, 105 张家湾镇, 106 漷县镇, 109 马驹桥镇, 110 西集镇, 114 台湖镇, 117 永乐店镇, 119 潞城镇, 209 于家务回族乡",
        kind="town",
    ),
)
JINCHENG = (
    *_streets(
        "140502",
        "001 东街街道, 002 西街街道, 003 南街街道, 004 北街街道, 006 钟家庄街道, 007 西上庄街道",
        area_type="urban",
    ),
    UnitPlan("高都、巴公片区（示例）", "town", (("140525107", ""), ("140525108", "")), "rural"),
    UnitPlan("大阳镇", "town", (("140525109", ""),), "rural"),
)
_LC = "聊城市责任规划师制度（试行） 一(二)"
LIAOCHENG = (
    UnitPlan("古楼街道", "street", (("371502001", ""),), "historic"),
    UnitPlan("柳园街道", "street", (("371502002", ""),), "built"),
    UnitPlan("新区街道", "street", (("371502003", ""),), "built"),
    UnitPlan("嘉明开发区", "park", (), "new", _LC),
    UnitPlan("凤凰工业园", "park", (), "new", _LC),
    UnitPlan("高铁新区", "park", (("371502100", ""),), "new", _LC),
    UnitPlan("湖西街道", "street", (("371502004", ""),), "built"),
    UnitPlan("蒋官屯街道", "street", (("371502010", ""),), "built"),
    UnitPlan("北城街道", "street", (("371502008", ""),), "new"),
    UnitPlan("九州街道", "street", (), "new", _LC),
)

PLANS = (
    LocalityPlan("110000", "北京市", "", "", "", "北京市规划和自然资源委员会", "北京市人民政府", "none"),
    LocalityPlan(
        "110101",
        "东城区",
        "110000",
        "beijing-core",
        "bj",
        "市规划自然资源委东城分局",
        "东城区人民政府",
        "team_streets",
        DONGCHENG,
        report_to="东城区人民政府",
    ),
    LocalityPlan(
        "110102",
        "西城区",
        "110000",
        "beijing-core",
        "",
        "市规划自然资源委西城分局",
        "西城区人民政府",
        "team_streets",
        XICHENG,
        report_to="西城区人民政府",
    ),
    LocalityPlan(
        "110112",
        "通州区",
        "110000",
        "tongzhou",
        "tz",
        "市规划自然资源委通州分局",
        "通州区人民政府",
        "team_unit",
        TONGZHOU,
    ),
    LocalityPlan(
        "140500", "晋城市", "", "jincheng", "jc", "晋城市规划和自然资源局", "晋城市人民政府", "persons", JINCHENG
    ),
    LocalityPlan(
        "371500", "聊城市", "", "liaocheng", "lc", "聊城市自然资源和规划局", "聊城市人民政府", "groups", LIAOCHENG
    ),
)
