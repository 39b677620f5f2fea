"""Keys of the first half: who governs, who serves, on which terms, for how many days, for what fee."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from districts.policy.keys import (
    CONTRACT,
    DOCUMENT,
    FINANCE,
    GOVERNMENT,
    LINE,
    LINES,
    LOG_KINDS,
    PARAGRAPH,
    PERIOD,
    RATIO,
    SIDE,
    Key,
    number,
    table,
    whole,
)
from districts.policy.kinds import NO_NAMES, Choice, Code, Day, Flag, Items, Names, Number, Struct, Table, Text, tidy
from districts.policy.kinds import Field as F
from districts.policy.problems import Report
from districts.policy.qualification import Qualification

SCOPES = {
    "city": "全市",
    "county": "县（市、区）",
    "unit": "责任单元",
    "project": "责任项目",
    "team": "团队",
}
PARTIES = {"person": "个人", "team": "团队", "institution": "机构"}
MODES = {
    "open": "公开招聘",
    "volunteer_institution": "社会招募（机构志愿者）",
    "volunteer_person": "社会招募（个人志愿者）",
    "commission": "定向委托",
    "secondment": "下派",
    "recognition": "认定",
    "two_way": "双向选择",
    "transfer": "选调",
    "dispatch": "选派",
    "appointment": "任命",
    "community_choice": "街道自行选择聘任",
}
PAY_MODES = {
    "yearly": "按年付费",
    "by_workdays": "按实际工作日付费",
    "service_fee": "服务费",
    "labour_fee": "劳务报酬",
}
AREA_TYPES = {
    "historic": "历史街区",
    "built": "已建城区",
    "new": "新建城区",
    "urban": "中心城区",
    "rural": "乡镇地区",
}
ANY_ROLE = "*"


class RoleCode(Code):
    """The code of a role type of the same pack, or "*" for every role not named."""

    def parse(self, raw: object, path: str, report: Report) -> str | None:
        return ANY_ROLE if raw == ANY_ROLE else super().parse(raw, path, report)

    def display(self, value: str, names: Names = NO_NAMES) -> str:
        return "各类责任规划师" if value == ANY_ROLE else super().display(value, names)


def _ordered(value: dict, path: str, report: Report) -> None:
    if value["min"] > value["max"]:
        report.add(path, "下限大于上限", "min 不大于 max")


def span(shortest: Decimal, longest: Decimal) -> str:
    """2–3 年, or 3 年 where both are the same."""
    ends = tidy(shortest), tidy(longest)
    return f"{ends[0]} 年" if shortest == longest else f"{ends[0]}–{ends[1]} 年"


class Span(Struct):
    """A range of years, worded in one piece."""

    def display(self, value: Mapping[str, Any], names: Names = NO_NAMES) -> str:
        return span(value["min"], value["max"])


class Terms(Table):
    """The term of each role type: two columns for readers, role and range."""

    def headings(self, value: Any) -> list[str]:
        return ["类型", "任期"]

    def grid(self, value: Any, names: Names = NO_NAMES) -> list[list[str]]:
        return [[ROLE.display(row["role"], names), span(row["min"], row["max"])] for row in value]

    def display(self, value: Any, names: Names = NO_NAMES) -> str:
        return "；".join(" ".join(row) for row in self.grid(value, names))


ROLE = RoleCode()
YEARS = Number(0, 20)

GOVERNANCE = "组织领导"
ROLES = "角色与任职条件"
UNITS = "责任范围"
APPOINTMENT = "选聘与合同"
PAY = "经费与报酬"
QUOTA = "服务时间"
VISITS = "走访"
DEDUCTION = "扣减"

KEYS = [
    Key("governance.body", "领导机构", GOVERNANCE, LINE, setter=DOCUMENT),
    Key("governance.head", "领导机构负责人", GOVERNANCE, LINE, setter=DOCUMENT),
    Key("governance.office", "日常办事机构", GOVERNANCE, LINE, setter=GOVERNMENT),
    Key("governance.supervisor", "上级指导监督", GOVERNANCE, LINE, setter=DOCUMENT),
    Key("governance.lower_level", "下级参照设立", GOVERNANCE, LINE, setter=DOCUMENT),
    Key(
        "governance.chain",
        "运行链条",
        GOVERNANCE,
        table("side", "duty", side=F("主体", SIDE), duty=F("职责", Text(120))),
        setter=GOVERNMENT,
    ),
    Key(
        "governance.contacts",
        "对接人",
        GOVERNANCE,
        table("side", side=F("主体", SIDE), contacts=F("须明确", Text(120))),
        setter=GOVERNMENT,
    ),
    Key("roles.party_kinds", "责任规划师的形态", ROLES, Items(Choice(PARTIES)), setter=DOCUMENT),
    Key("roles.independent", "独立第三方", ROLES, Flag("要求为独立第三方", "不要求"), setter=DOCUMENT),
    Key(
        "roles.types",
        "责任规划师类型",
        ROLES,
        table(
            "code",
            code=F("代码", Code(), hidden=True),
            title=F("名称", Text(40)),
            scope=F("服务范围", Choice(SCOPES)),
            min_years=F("最低从业年限", whole(1, 60), required=False, suffix=" 年"),
            third_party=F("独立第三方", Flag("是", "否（公职人员）"), required=False),
            duty=F("主要职责", Text(160), required=False),
        ),
        setter=DOCUMENT,
    ),
    Key(
        "roles.qualifications",
        "任职条件",
        ROLES,
        table("role", role=F("类型", ROLE), needs=F("条件", Qualification())),
        setter=GOVERNMENT,
    ),
    Key("roles.institution", "机构条件", ROLES, LINES, setter=GOVERNMENT),
    Key("roles.professions", "专业领域", ROLES, Items(Text(20)), setter=GOVERNMENT),
    Key("roles.professions_open", "专业领域是否开放", ROLES, Flag("不限于所列专业", "限于所列专业"), setter=GOVERNMENT),
    Key(
        "roles.headcount",
        "配备人数",
        ROLES,
        table(
            "role",
            "per",
            role=F("类型", ROLE),
            count=F("人数", whole(1, 1000), suffix=" 名", required=False),
            per=F("配备单位", Text(60)),
        ),
        setter=GOVERNMENT,
    ),
    Key(
        "roles.group_size",
        "每组人数",
        ROLES,
        table("role", role=F("类型", ROLE), count=F("人数", whole(1, 100), suffix=" 名")),
        setter=GOVERNMENT,
    ),
    Key("units.term", "责任范围的名称", UNITS, LINE, setter=DOCUMENT),
    Key("units.kinds", "责任范围的划分", UNITS, Items(Text(40)), setter=GOVERNMENT),
    Key("units.delimited_by", "具体范围由谁确定", UNITS, LINE, setter=GOVERNMENT),
    Key(
        "units.exclusive",
        "同一范围同类规划师由几家担任",
        UNITS,
        Flag("只由一家担任", "可以由几家担任"),
        setter=GOVERNMENT,
    ),
    Key("units.named", "文件列明的责任范围", UNITS, Items(Text(40)), setter=DOCUMENT),
    Key("units.opt_in", "其他地区自愿参加", UNITS, Flag("可以自愿参加", "不可以"), setter=DOCUMENT),
    Key(
        "units.focus",
        "各类地区的工作重点",
        UNITS,
        table("area", area=F("地区类型", Choice(AREA_TYPES)), focus=F("重点", Text(160))),
    ),
    Key(
        "appointment.modes",
        "选聘方式",
        APPOINTMENT,
        table("mode", "role", mode=F("方式", Choice(MODES)), role=F("适用类型", ROLE, required=False)),
        setter=GOVERNMENT,
    ),
    Key(
        "appointment.appointers",
        "选聘单位",
        APPOINTMENT,
        table("role", "side", role=F("类型", ROLE), side=F("选聘单位", SIDE), note=F("说明", Text(80), required=False)),
        setter=GOVERNMENT,
    ),
    Key("appointment.assisted_by", "协助招募选聘", APPOINTMENT, LINE),
    Key("appointment.pool", "责任规划师库", APPOINTMENT, Flag("建立", "不建立")),
    Key("appointment.full_time", "专职与兼职", APPOINTMENT, LINES),
    Key(
        "contract.signer",
        "与谁签订合同",
        APPOINTMENT,
        Items(SIDE),
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key(
        "contract.term_years",
        "任期",
        APPOINTMENT,
        Terms(
            Struct(
                {"role": F("类型", ROLE), "min": F("最短", YEARS, suffix=" 年"), "max": F("最长", YEARS, suffix=" 年")},
                check=_ordered,
            ),
            ("role",),
        ),
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key(
        "contract.other_term_years",
        "其他类型的任期",
        APPOINTMENT,
        Span({"min": F("最短", YEARS, suffix=" 年"), "max": F("最长", YEARS, suffix=" 年")}, check=_ordered),
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key("contract.yearly_signing", "按年度签约", APPOINTMENT, Flag("任期内逐年签约", "不逐年签约"), binding=CONTRACT),
    Key("contract.contents", "合同须约定的内容", APPOINTMENT, Items(Text(40)), binding=CONTRACT),
    Key("contract.duties_negotiable", "职责可协商", APPOINTMENT, Flag("可协商增加", "不可协商"), binding=CONTRACT),
    Key(
        "contract.renewal_gate",
        "续聘条件",
        APPOINTMENT,
        Choice({"excellent": "期满且表现优秀", "qualified": "期满且考评合格", "assessed": "以履职评估结果为依据"}),
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key("contract.notice_months", "中途退出提前申请", APPOINTMENT, whole(0, 24), "个月", binding=CONTRACT),
    Key("contract.notice_written", "退出申请形式", APPOINTMENT, Flag("书面申请", "不限形式"), binding=CONTRACT),
    Key(
        "contract.exit_settlement",
        "退出时费用结算",
        APPOINTMENT,
        Choice({"pro_rata": "按比例结算", "by_days": "按已服务天数结算", "none": "不结算"}),
        binding=CONTRACT,
        setter=FINANCE,
    ),
    Key("contract.confidentiality", "保密协议", APPOINTMENT, Flag("查阅资料前须签订", "不要求"), binding=CONTRACT),
    Key("contract.exit_grounds", "退出情形", APPOINTMENT, LINES, binding=CONTRACT, setter=GOVERNMENT),
    Key("contract.reselect_vacancy", "空缺补选", APPOINTMENT, Flag("须重新选聘", "不要求")),
    Key("pay.modes", "付费方式", PAY, Items(Choice(PAY_MODES)), binding=CONTRACT, setter=FINANCE),
    Key("pay.mode", "本地采用的付费方式", PAY, Choice(PAY_MODES), binding=CONTRACT, setter=FINANCE),
    Key("pay.unpaid_roles", "不领取报酬的类型", PAY, Items(ROLE), binding=CONTRACT, setter=DOCUMENT),
    Key("pay.tail_by_grade", "尾款与评估等级挂钩", PAY, Flag("挂钩", "不挂钩"), binding=CONTRACT, setter=FINANCE),
    Key("pay.tail_share", "尾款占合同费用比例", PAY, RATIO, binding=CONTRACT, setter=FINANCE),
    Key(
        "pay.tail_ratios",
        "各等级尾款支付比例",
        PAY,
        table("grade", grade=F("等级", Text(20)), ratio=F("支付比例", RATIO)),
        binding=CONTRACT,
        setter=FINANCE,
    ),
    Key(
        "pay.funding",
        "经费来源",
        PAY,
        table("source", "use", source=F("来源", Text(60)), use=F("用途", Text(120))),
        setter=FINANCE,
    ),
    Key("pay.fund_uses", "经费用途", PAY, Items(Text(20)), setter=FINANCE),
    Key("pay.budget_chain", "预算申报流程", PAY, LINES, setter=FINANCE),
    Key("pay.note", "待遇确定方式", PAY, PARAGRAPH, setter=FINANCE),
    Key(
        "quota.required_days",
        "每年最低服务时间",
        QUOTA,
        number(0, 366),
        unit_key="quota.day_kind",
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key(
        "quota.day_kind",
        "计量单位",
        QUOTA,
        Choice({"workday": "工作日", "day": "天"}),
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key(
        "quota.counts_non_workdays",
        "周末和节假日的服务",
        QUOTA,
        Flag("计入", "不计入"),
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key(
        "quota.half_day",
        "半天的计法",
        QUOTA,
        Choice({"counts_half": "按半天累计", "counts_whole": "按一天计", "not_counted": "不计"}),
        binding=CONTRACT,
    ),
    Key(
        "quota.owner",
        "由谁完成",
        QUOTA,
        Choice({"person": "每名规划师", "group": "责任片区的小组", "team_unit": "团队在每个责任单元"}),
        binding=CONTRACT,
        setter=GOVERNMENT,
    ),
    Key(
        "quota.same_day_members",
        "同日多名成员到场",
        QUOTA,
        Choice({"one": "合计一天", "each": "每人各计一天"}),
        binding=CONTRACT,
    ),
    Key(
        "quota.proration",
        "不足一年的折算",
        QUOTA,
        Choice({"none": "不折算", "by_days": "按在聘天数折算", "by_months": "按在聘月数折算"}),
        binding=CONTRACT,
    ),
    Key(
        "quota.needs_confirmation",
        "须经确认才计入",
        QUOTA,
        Flag("经责任单元确认后计入", "提交即计入"),
        binding=CONTRACT,
    ),
    Key("quota.on_site", "驻场要求", QUOTA, PARAGRAPH, binding=CONTRACT),
    Key(
        "visits.required_per_month", "每月最低走访次数", VISITS, whole(0, 31), "次", binding=CONTRACT, setter=GOVERNMENT
    ),
    Key(
        "visits.principal_required",
        "与主要负责人当面交流",
        VISITS,
        Flag("每次走访须当面交流", "不要求"),
        binding=CONTRACT,
    ),
    Key("visits.log_kinds", "哪些工作算走访", VISITS, Items(Choice(LOG_KINDS)), binding=CONTRACT),
    Key(
        "deduction.triggers",
        "因何扣减",
        DEDUCTION,
        Items(Choice({"days": "天数不足", "visits": "次数不足"})),
        binding=CONTRACT,
        setter=FINANCE,
    ),
    Key(
        "deduction.formula",
        "扣减公式",
        DEDUCTION,
        Choice(
            {
                "none": "不扣减",
                "days": "按天数不足的比例",
                "visits": "按次数不足的比例",
                "larger": "天数与次数两个比例取较大者",
                "sum": "天数与次数两个比例相加",
            }
        ),
        binding=CONTRACT,
        setter=FINANCE,
    ),
    Key(
        "deduction.basis",
        "扣减基数",
        DEDUCTION,
        Choice({"annual_fee": "当年服务费", "contract_fee": "合同期服务费总额"}),
        binding=CONTRACT,
        setter=FINANCE,
    ),
    Key(
        "deduction.share",
        "一份合同服务多个对象时的扣减基数",
        DEDUCTION,
        Choice({"equal": "服务费按对象数平均分摊", "whole": "每个对象均以全额为基数"}),
        binding=CONTRACT,
        setter=FINANCE,
    ),
    Key("deduction.cap", "扣减上限", DEDUCTION, RATIO, binding=CONTRACT, setter=FINANCE),
    Key("validity.valid_from", "施行日期", "有效期", Day(), setter=DOCUMENT),
    Key("validity.valid_to", "有效期至", "有效期", Day(), setter=DOCUMENT),
    Key(
        "validity.review",
        "对制度本身的评估",
        "有效期",
        Struct({"period": F("周期", PERIOD), "by": F("由谁", SIDE)}),
        setter=DOCUMENT,
    ),
]
