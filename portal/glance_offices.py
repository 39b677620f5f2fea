"""What offices and administrators see at once: the course of project review, fees, forms, accounts, audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth
from django.urls import reverse
from django.utils import timezone

from accounts.models import User as Account
from accounts.roles import Role
from districts.models import Membership
from evaluations.models import Sheet
from planners.models import Contract
from portal.audit_scope import entries_for
from portal.glance_parts import Chart, Glance, Part
from projects import adoption
from projects.models import Consultation, Project, Rectification, StageDecision
from projects.services.adoption_reads import bundle_of, few, handed_in, items_seen, judged
from worklogs.figure_filters import CONDITIONS
from worklogs.models import DutyFigure, WorkLog

if TYPE_CHECKING:
    from accounts.models import User

WEEK = timedelta(days=7)


def review_part(user: User, today: date) -> Part:
    """Project review as far as the person sees it: what is under way, what was taken up, what passed without a word."""
    asked = Consultation.objects.visible_to(user).aggregate(
        asking=Count("pk", filter=Q(state="asked")),
        owed=Count("pk", filter=Q(state="answered")),
        late=Count("pk", filter=Q(state="answered", feedback_due_on__lt=today)),
    )
    start, end = date(today.year, 1, 1), date(today.year, 12, 31)
    items = judged(handed_in(items_seen(user), start=start, end=end), today)
    rate = adoption.adoption_rate(bundle_of(items), few=few())
    open_ = Rectification.objects.visible_to(user).unsettled().count()
    visible = Project.objects.visible_to(user)
    red = StageDecision.objects.filter(ground="unconsulted", stage__project__in=visible.values("pk")).count()
    listed = reverse("projects:consultation-list")
    return Part("项目审查", [
        {"label": "征询中", "value": asked["asking"], "unit": "件", "url": f"{listed}?state=asked"},
        {
            "label": "待反馈采纳情况", "value": asked["owed"], "unit": "件", "url": f"{listed}?state=answered",
            "note": f"其中逾期 {asked['late']} 件" if asked["late"] else "",
            "tone": "bad" if asked["late"] else "waiting" if asked["owed"] else "good",
        },
        {
            "label": f"{today.year}年意见采纳率", "value": "—" if rate.value is None else rate.value,
            "unit": "" if rate.value is None else "%", "note": rate.note,
            "url": f"{reverse('projects:adoption')}?since={start}&until={end}",
        },
        {
            "label": "整改未办结", "value": open_, "unit": "件",
            "url": f"{reverse('projects:rectifications')}?state=unsettled",
            "tone": "waiting" if open_ else "good",
        },
        {
            "label": "未经征询即通过", "value": red, "unit": "项", "url": f"{reverse('projects:list')}?ground=unconsulted",
            "tone": "bad" if red else "good",
        },
    ])  # fmt: skip


def months_chart(user: User, today: date) -> Chart | None:
    """The logs of the last twelve months, those of meetings apart (R76); none where there are no logs."""
    first = date(today.year, 1, 1) if today.month == 12 else date(today.year - 1, today.month + 1, 1)
    logs = WorkLog.objects.visible_to(user).counting().filter(date__gte=first, date__lte=today)
    found = {
        row["month"]: (row["n"], row["meetings"])
        for row in logs.order_by()
        .annotate(month=TruncMonth("date"))
        .values("month")
        .annotate(n=Count("pk"), meetings=Count("pk", filter=Q(kind="meeting")))
    }
    if not found:
        return None
    months = [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(12)]
    counts = [found.get(month, (0, 0)) for month in months]
    bars = {"type": "bar", "stack": "logs", "barMaxWidth": 28}
    return Chart(
        "近十二个月履职记录（条）",
        {
            "grid": {"left": 40, "right": 16, "top": 36, "bottom": 28},
            "tooltip": {"trigger": "axis"}, "legend": {"top": 0},
            "xAxis": {"type": "category", "data": [f"{m.year}-{m.month:02}" for m in months]},
            "yAxis": {"type": "value", "minInterval": 1},
            "series": [
                {"name": "走访、咨询等", "data": [n - meetings for n, meetings in counts], **bars},
                {"name": "会议", "data": [meetings for _, meetings in counts], **bars},
            ],
        },
        "，".join(f"{m.year}年{m.month}月 {n} 条（会议 {k} 条）" for m, (n, k) in zip(months, counts, strict=True)),
    )  # fmt: skip


def _department(user: User, today: date) -> Glance:
    return Glance([review_part(user, today)], idle_text="有意见需要反馈、落实或陈述时会在这里列出。")


def _finance(user: User, today: date) -> Glance:
    running = Contract.objects.visible_to(user).running(today).aggregate(n=Count("pk"), fee=Sum("annual_fee"))
    kept = DutyFigure.objects.visible_to(user).filter(year=today.year).aggregate(
        cut=Sum("deduction"), unset=Count("pk", filter=Q(deduction=None)),
        short=Count("pk", filter=CONDITIONS["short"]),
    )  # fmt: skip
    figures, contracts = reverse("worklogs:figures"), f"{reverse('planners:contract-list')}?state=running"
    return Glance([Part(f"{today.year}年", [
        {"label": "履行中的合同", "value": running["n"], "unit": "份", "url": contracts},
        {"label": "年度服务费合计", "value": _money(running["fee"] or 0), "unit": "元", "url": contracts},
        {
            "label": "至今应扣减合计", "value": None if kept["cut"] is None else _money(kept["cut"]), "unit": "元",
            "note": f"另有 {kept['unset']} 个对象未设定扣减规则" if kept["unset"] and kept["cut"] is not None else "",
            "url": f"{figures}?standing=deduction",
        },
        {"label": "未达到要求", "value": kept["short"], "unit": "个", "url": f"{figures}?standing=short"},
    ])], idle_text="合同和扣减的每个数字都可以点开，看到依据和记录。")  # fmt: skip


def _money(value: Any) -> str:
    return f"{value:,.2f}"


def _evaluator(user: User, today: date) -> Glance:
    counts = Sheet.objects.owed_by(user).counting().aggregate(
        all=Count("pk"), done=Count("pk", filter=Q(state__in=["submitted", "abstained"])),
        open=Count("pk", filter=Q(state__in=["waiting", "draft"], step__state="open")),
    )  # fmt: skip
    listed = reverse("evaluations:sheet-list")
    return Glance([Part("评估填写", [
        {"label": "由我填写", "value": counts["all"], "unit": "份", "url": listed},
        {"label": "已提交", "value": counts["done"], "unit": "份", "url": listed},
        {
            "label": "正待填写", "value": counts["open"], "unit": "份", "url": listed,
            "tone": "waiting" if counts["open"] else "good",
        },
    ])], idle_text="有评估轮到您填写时会在这里列出，填写可以随时中断、接着填。")  # fmt: skip


def _accounts(user: User) -> list[dict[str, Any]]:
    counts = Account.objects.visible_to(user).aggregate(
        on=Count("pk", filter=Q(is_active=True)),
        first=Count("pk", filter=Q(is_active=True, must_change_password=True)),
        never=Count("pk", filter=Q(is_active=True, last_login=None)),
    )  # fmt: skip
    listed = reverse("accounts-people")
    return [
        {"label": "在用账号", "value": counts["on"], "unit": "个", "url": f"{listed}?state=on"},
        {"label": "尚未修改初始密码", "value": counts["first"], "unit": "个", "url": f"{listed}?state=first"},
        {"label": "从未登录", "value": counts["never"], "unit": "个", "url": f"{listed}?state=never"},
    ]


def _audit(user: User, today: date) -> list[dict[str, Any]]:
    """What was done within a week, as the audit's page has it."""
    since = today - WEEK
    begin = datetime.combine(since, time.min, tzinfo=timezone.get_current_timezone())
    counts = entries_for(user).filter(at__gte=begin).aggregate(
        all=Count("pk"), refused=Count("pk", filter=Q(result="refused")),
        failed=Count("pk", filter=Q(result="error")),
    )  # fmt: skip
    listed = f"{reverse('portal:audit')}?since={since}"
    return [
        {"label": "近七天审计记录", "value": counts["all"], "unit": "条", "url": listed},
        {
            "label": "其中被拒绝", "value": counts["refused"], "unit": "条", "url": f"{listed}&result=refused",
            "tone": "waiting" if counts["refused"] else "good",
        },
        {
            "label": "其中出错", "value": counts["failed"], "unit": "条", "url": f"{listed}&result=error",
            "tone": "bad" if counts["failed"] else "good",
        },
    ]  # fmt: skip


def _sysadmin(user: User, today: date) -> Glance:
    return Glance([Part("账号", _accounts(user))], idle_text="账号、节假日和单位资料需要处理时会在这里列出。")


def _secadmin(user: User, today: date) -> Glance:
    held = Membership.objects.visible_to(user).valid_on(today)
    counts = held.aggregate(all=Count("pk"), standing_in=Count("pk", filter=Q(stands_in_for__isnull=False)))
    listed = f"{reverse('districts:memberships')}?state=current"
    tiles = [
        {"label": "有效身份", "value": counts["all"], "unit": "项", "url": listed},
        {"label": "代理中", "value": counts["standing_in"], "unit": "项", "url": f"{listed}&kind=substitution"},
    ]
    return Glance([Part("身份与授权", tiles), Part("审计", _audit(user, today))])


def _auditor(user: User, today: date) -> Glance:
    return Glance([Part("审计", _audit(user, today))], idle_text="审计记录只能查看，不能修改或删除。")


OFFICES: Mapping[Role, Callable[[User, date], Glance]] = {
    Role.DEPARTMENT: _department, Role.FINANCE: _finance, Role.EVALUATOR: _evaluator, Role.SYSADMIN: _sysadmin,
    Role.SECADMIN: _secadmin, Role.AUDITOR: _auditor,
}  # fmt: skip
