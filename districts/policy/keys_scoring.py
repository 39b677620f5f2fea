"""Keys that decide how answers become a score and a grade. No document states any of them: until a local decision does,
nothing is computed (evaluations.scoring)."""

from districts.policy.keys import GOVERNMENT, GRADE_SCORE, RATIO, Key, table
from districts.policy.kinds import Choice, Field, Number, Text

EVALUATION = "评估"

SUBJECTS = {
    "planner": "每名责任规划师",
    "holder": "每项派驻的承担者（个人、小组或团队）",
    "party": "每个受聘方（个人、团队或单位）",
}
MISSING_RATERS = {
    "ignore": "不计：该主体由其余评估人平均，主体权重不变；整个主体无人评估的，不计算",
    "reweight": "重新分配：未评者的权重按比例分给其余评估人",
    "set": "按设定分计入",
}
NOT_APPLICABLE = {
    "reweight": "不计，权重按比例分给其余指标",
    "full": "按满分计",
    "refused": "不允许选择“不适用”",
}
ABSTENTION = {"excluded": "不计入应评人数", "missing": "按未评处理"}
RATER_SHARES = {"equal": "各评估人相同", "by_days": "按在各责任对象服务的天数"}
ROUNDING = {"down": "舍去小数", "up": "进位", "half_up": "四舍五入"}
TIES = {
    "all_in": "并列的都列入，可以超出比例",
    "all_out": "并列的都不列入",
    "by_indicator": "依次比较权重最高的指标得分，仍并列的由审议确定",
    "deliberate": "由审议确定",
}

SCORING_KEYS = [
    Key("evaluation.planner_subject", "以谁为受评对象", EVALUATION, Choice(SUBJECTS), setter=GOVERNMENT),
    Key("evaluation.rater_shares", "同一主体内各评估人的份额", EVALUATION, Choice(RATER_SHARES), setter=GOVERNMENT),
    Key("evaluation.missing_raters", "有评估人未评时", EVALUATION, Choice(MISSING_RATERS), setter=GOVERNMENT),
    Key("evaluation.missing_score", "未评时计入的分数", EVALUATION, Number(0, 100), "分", setter=GOVERNMENT),
    Key("evaluation.abstentions", "评估人弃权时", EVALUATION, Choice(ABSTENTION), setter=GOVERNMENT),
    Key("evaluation.not_applicable", "指标不适用时", EVALUATION, Choice(NOT_APPLICABLE), setter=GOVERNMENT),
    Key("evaluation.least_service_days", "参评的最少服务天数", EVALUATION, Number(1, 366, whole=True), "天"),
    Key(
        "evaluation.ratio_limits",
        "等级的比例上限",
        EVALUATION,
        table(
            "grade",
            grade=Field("等级", Text(20)),
            ratio=Field("最高比例", RATIO),
            rounding=Field("人数取整", Choice(ROUNDING)),
        ),
        setter=GOVERNMENT,
    ),
    Key("evaluation.ties", "比例上限处分数并列时", EVALUATION, Choice(TIES), setter=GOVERNMENT),
    Key("evaluation.department_cutoffs", "主管单位的等级与分数线", EVALUATION, GRADE_SCORE, setter=GOVERNMENT),
]
