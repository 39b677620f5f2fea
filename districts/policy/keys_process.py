"""Keys of the second half: project review, field work, rhythm and reports, evaluation and what follows from it."""

from districts.policy.keys import (
    DOCUMENT,
    GOVERNMENT,
    GRADE_SCORE,
    LINE,
    LINES,
    PARAGRAPH,
    PERIOD,
    SIDE,
    Key,
    table,
    whole,
)
from districts.policy.keys_appointment import ROLE
from districts.policy.keys_scoring import SCORING_KEYS
from districts.policy.kinds import Choice, Code, Flag, Items, Month, MonthDay, Number, Struct, Table, Text
from districts.policy.kinds import Field as F

STAGES = {
    "initiation": "立项",
    "scheme": "方案审查",
    "construction": "施工巡查",
    "acceptance": "验收",
    "renewal": "城市更新",
}
STAGE_MODES = {
    "required": "必须征求",
    "takes_part": "规划师应参与",
    "advisory": "可参与，供参考",
    "invited": "受邀参与",
    "regular": "规划师定期开展",
}
WEIGHT = Number(0, 100)

REVIEW = "项目审查"
WORK = "日常工作"
RHYTHM = "会议、台账与报送"
REPORT = "年终文件"
EVALUATION = "评估"
CONSEQUENCES = "奖惩"
PROGRAMME = "工作安排"


def _indicators() -> Table:
    return table(
        "code",
        code=F("代码", Code(), hidden=True),
        title=F("指标", Text(40)),
        note=F("说明", Text(160), required=False),
    )


REVIEW_KEYS = [
    Key(
        "review.tiers",
        "分级审查",
        REVIEW,
        table(
            "code",
            "role",
            code=F("代码", Code(), hidden=True),
            title=F("项目等级", Text(40)),
            role=F("由谁", ROLE),
            opinion=F("意见形式", Text(40)),
            weight=F("效力", Text(80), required=False),
        ),
        setter=GOVERNMENT,
    ),
    Key(
        "review.stages",
        "各阶段咨询",
        REVIEW,
        table(
            "stage",
            stage=F("阶段", Choice(STAGES)),
            mode=F("方式", Choice(STAGE_MODES)),
            how=F("做法", Text(160)),
            weight=F("效力", Text(80), required=False),
        ),
        setter=GOVERNMENT,
    ),
    Key(
        "review.checklists",
        "各阶段审查要点",
        REVIEW,
        table("stage", "point", stage=F("阶段", Choice(STAGES)), point=F("要点", Text(120))),
    ),
    Key("review.basis", "审查依据", REVIEW, Items(Text(60))),
    Key("review.scope", "审查的项目范围", REVIEW, LINE),
    Key("review.architect_points", "责任建筑师关注内容", REVIEW, Items(Text(40))),
    Key("review.mandatory_areas", "必须咨询的地区和项目", REVIEW, LINES, setter=GOVERNMENT),
    Key("review.opinion_days", "出具意见时限", REVIEW, whole(1, 90), "个工作日", setter=GOVERNMENT),
    Key("review.feedback_days", "采纳反馈时限", REVIEW, whole(1, 180), "个工作日", setter=GOVERNMENT),
    Key("review.endorsement", "意见书审核", REVIEW, Flag("提交前由领衔（首席）审核", "无须领衔审核")),
    Key("review.waiver_by", "谁可批准免予征询、免予整改", REVIEW, Items(SIDE), setter=GOVERNMENT),
    Key("review.managed_by", "审查工作统筹", REVIEW, LINE),
    Key(
        "review.rectification",
        "整改",
        REVIEW,
        Struct(
            {
                "by": F("由谁提出", SIDE),
                "to": F("由谁整改", SIDE),
                "when": F("情形", Text(120)),
                "days": F("期限", whole(1, 365), required=False, suffix=" 天"),
            }
        ),
        setter=GOVERNMENT,
    ),
    Key(
        "review.dispute",
        "分歧协调",
        REVIEW,
        Struct({"raised_by": F("谁可提请", Items(SIDE)), "to": F("由谁协调", Text(80))}),
        setter=GOVERNMENT,
    ),
    # Both count from the day the dispute was brought.
    Key("review.dispute_statement_days", "分歧陈述时限", REVIEW, whole(1, 90), "个工作日", setter=GOVERNMENT),
    Key("review.dispute_ruling_days", "分歧裁定时限", REVIEW, whole(1, 180), "个工作日", setter=GOVERNMENT),
    Key("review.expert_sites", "专家评审的范围", REVIEW, LINE),
    Key("review.joint_review", "提级会审", REVIEW, PARAGRAPH),
    Key("review.suggestion_letter", "规划意见建议书", REVIEW, PARAGRAPH),
    Key("review.villagers_vote", "群众表决", REVIEW, PARAGRAPH),
]

WORK_KEYS = [
    Key("work.duties", "主要职责", WORK, LINES, setter=GOVERNMENT),
    Key("work.chain", "工作环节", WORK, Items(Text(40))),
    Key("work.survey", "调研与体检", WORK, PARAGRAPH),
    Key("work.monitoring", "实施监测与评估", WORK, PARAGRAPH),
    Key("work.monitoring_aspects", "评估内容", WORK, Items(Text(20))),
    Key("work.monitoring_period", "评估小结周期", WORK, PERIOD),
    Key("work.participation", "公众参与方式", WORK, Items(Text(40))),
    Key("work.issues_to", "居民问题反馈给谁", WORK, Items(SIDE)),
    Key(
        "work.dispatch",
        "意见建议的转办",
        WORK,
        table("step", step=F("步骤", whole(1, 20)), side=F("主体", SIDE), act=F("做什么", Text(80))),
    ),
    Key("work.hard_questions", "疑难问题咨询", WORK, PARAGRAPH),
    Key("work.studies", "专题研究与示范项目", WORK, PARAGRAPH),
    Key("work.workplace", "工作场所", WORK, PARAGRAPH),
    Key("work.rights", "权利", WORK, LINES, setter=DOCUMENT),
    Key("work.training", "培训", WORK, LINES),
    Key("work.publicity", "宣传", WORK, LINES),
    Key(
        "rhythm.meetings",
        "会议",
        RHYTHM,
        table(
            "period", "title", period=F("周期", PERIOD), title=F("内容", Text(60)), by=F("召集", SIDE, required=False)
        ),
    ),
    Key(
        "rhythm.ledgers",
        "台账",
        RHYTHM,
        table(
            "code",
            code=F("代码", Code(), hidden=True),
            title=F("名称", Text(40)),
            period=F("周期", PERIOD, required=False),
        ),
    ),
    Key("rhythm.ledger_by", "台账由谁上报", RHYTHM, SIDE),
    Key("rhythm.ledger_due_days", "台账在每期结束后几天内报送", RHYTHM, whole(1, 92), unit="天"),
    Key(
        "rhythm.upward_reports",
        "逐级报告",
        RHYTHM,
        table(
            "source",
            "to",
            source=F("报告方", SIDE),
            to=F("报送", SIDE),
            period=F("周期", PERIOD),
            title=F("内容", Text(60)),
        ),
    ),
    Key("rhythm.bulletin", "工作简报", RHYTHM, Struct({"period": F("周期", PERIOD), "title": F("内容", Text(60))})),
    Key(
        "report.document_kind",
        "文件种类",
        REPORT,
        Choice({"duty_report": "述职报告", "annual_summary": "年终工作总结", "work_summary": "工作总结"}),
    ),
    Key("report.title", "文件名称", REPORT, Text(40)),
    Key("report.period", "报告周期", REPORT, Choice({"year": "每年一次", "half_year": "每半年一次"})),
    Key("report.through", "由谁提交", REPORT, Choice({"self": "责任规划师自行提交", "team": "由团队汇总提交"})),
    Key("report.recipient", "提交给谁", REPORT, LINE),
    Key("report.required", "是否必须提交", REPORT, Flag("必须提交", "可以提交")),
    Key("report.endorsement", "领衔审核", REPORT, Flag("提交前由领衔（首席）审核", "无须领衔审核")),
    Key("report.due", "提交期限", REPORT, Items(MonthDay(), most=4)),
    Key("report.performance_report", "绩效评价报告", REPORT, Flag("另行提交", "不要求")),
]

EVALUATION_KEYS = [
    Key(
        "evaluation.direction",
        "评估方向",
        EVALUATION,
        Choice(
            {
                "mutual": "双向：主管单位与责任规划师互相评估",
                "one_way": "单向：只评估责任规划师",
                "reverse": "单向：只由责任规划师评议主管单位",
                "separate": "双向：两个方向各按自己的周期",
            }
        ),
        setter=DOCUMENT,
    ),
    Key("evaluation.planner_cycle", "对责任规划师的评估周期", EVALUATION, PERIOD, setter=GOVERNMENT),
    Key("evaluation.department_cycle", "对主管单位的评价周期", EVALUATION, PERIOD, setter=GOVERNMENT),
    Key("evaluation.planner_title", "对责任规划师的评估名称", EVALUATION, LINE),
    Key("evaluation.department_title", "对主管单位的评价名称", EVALUATION, LINE),
    Key("evaluation.organiser", "组织单位", EVALUATION, SIDE, setter=GOVERNMENT),
    Key("evaluation.collator", "汇总单位", EVALUATION, SIDE, setter=GOVERNMENT),
    Key("evaluation.planner_evaluators", "谁评估责任规划师", EVALUATION, Items(SIDE), setter=GOVERNMENT),
    Key("evaluation.department_evaluated", "谁接受责任规划师评价", EVALUATION, Items(SIDE), setter=GOVERNMENT),
    Key(
        "evaluation.stages",
        "评估步骤",
        EVALUATION,
        table("step", step=F("步骤", whole(1, 9)), title=F("名称", Text(40)), by=F("由谁", Items(SIDE))),
    ),
    Key("evaluation.basis", "评估依据", EVALUATION, Items(Text(40))),
    Key("evaluation.planner_indicators", "对责任规划师的指标", EVALUATION, _indicators()),
    Key("evaluation.department_indicators", "对主管单位的指标", EVALUATION, _indicators()),
    Key(
        "evaluation.planner_weights",
        "对责任规划师的指标权重",
        EVALUATION,
        table("indicator", indicator=F("指标", Code()), weight=F("权重", WEIGHT)),
    ),
    Key(
        "evaluation.department_weights",
        "对主管单位的指标权重",
        EVALUATION,
        table("indicator", indicator=F("指标", Code()), weight=F("权重", WEIGHT)),
    ),
    Key(
        "evaluation.evaluator_weights",
        "各评估主体权重",
        EVALUATION,
        table("side", side=F("评估主体", SIDE), weight=F("权重", WEIGHT)),
    ),
    Key(
        "evaluation.stage_weights",
        "各步骤权重",
        EVALUATION,
        table("step", step=F("步骤", whole(1, 9)), weight=F("权重", WEIGHT)),
    ),
    Key("evaluation.named_grades", "文件提到的等级", EVALUATION, Items(Text(20)), setter=DOCUMENT),
    Key("evaluation.cutoffs", "等级与分数线", EVALUATION, GRADE_SCORE, setter=GOVERNMENT),
    Key("evaluation.smallest_group", "匿名统计的最少人数", EVALUATION, whole(2, 50), "人"),
    Key("evaluation.fill_days", "填写时限", EVALUATION, whole(1, 90), "天"),
    Key("evaluation.objection_days", "异议时限", EVALUATION, whole(1, 90), "天"),
    Key("evaluation.approval", "结果审议", EVALUATION, LINE, setter=GOVERNMENT),
    Key("evaluation.publication", "结果公布", EVALUATION, Flag("审议后公布", "不公布"), setter=GOVERNMENT),
    Key(
        "evaluation.filing",
        "结果备案",
        EVALUATION,
        Struct({"to": F("备案机关", Text(60)), "due": F("期限", MonthDay()), "what": F("内容", Text(60))}),
        setter=GOVERNMENT,
    ),
    Key("evaluation.disclosure", "主动公开", EVALUATION, Items(Text(40)), setter=DOCUMENT),
    Key("evaluation.uses", "结果用途", EVALUATION, LINES, setter=GOVERNMENT),
    Key("evaluation.department_assessment", "纳入主管单位考核", EVALUATION, PARAGRAPH, setter=GOVERNMENT),
    Key(
        "consequences.rewards",
        "奖励",
        CONSEQUENCES,
        table("reward", "to", when=F("条件", Text(80), required=False), reward=F("奖励", Text(80)), to=F("对象", SIDE)),
        setter=GOVERNMENT,
    ),
    Key(
        "consequences.sanctions",
        "惩戒",
        CONSEQUENCES,
        table(
            "when",
            when=F("情形", Text(120)),
            route=F("程序", Text(160)),
            result=F("结果", Text(80)),
        ),
        setter=GOVERNMENT,
    ),
    Key(
        "programme.phases",
        "工作阶段",
        PROGRAMME,
        table(
            "title",
            title=F("阶段", Text(40)),
            start=F("起", Month()),
            end=F("止", Month()),
            tasks=F("任务", Text(200)),
        ),
        setter=DOCUMENT,
    ),
    Key("programme.features", "地方特色做法", PROGRAMME, LINES, setter=DOCUMENT),
]

# What decides a score reads on from the cut-offs; what follows from it comes after.
_BEFORE = next(n for n, key in enumerate(EVALUATION_KEYS) if key.name == "evaluation.smallest_group")
KEYS = [*REVIEW_KEYS, *WORK_KEYS, *EVALUATION_KEYS[:_BEFORE], *SCORING_KEYS, *EVALUATION_KEYS[_BEFORE:]]
