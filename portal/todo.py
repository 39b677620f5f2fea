"""What waits for a person, in order of urgency, one click from the act. Reads only; each app owns the act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.db.models import Count, Max
from django.urls import reverse

from accounts.roles import Role
from core.models import AuditEntry, CalendarYear, Job
from districts.access import Access, access_of, place_of, places_reached
from districts.models import Locality, Membership, PolicyDecision, Unit
from districts.services.policies import policy_to_read
from evaluations.models import Cycle, DutyReport
from evaluations.services.cycles import document_plan, offered_periods, title_of
from planners.models import Assignment, Contract, Reselection
from portal.todo_item import LATER, OVERDUE, SOON, WAITING, Todo
from portal.todo_outcomes import LEADING, ORGANISING, RATED, SUPERVISING
from portal.todo_rounds import RATING, ROUNDS
from projects.models import Project
from projects.services.worklists import waiting_for
from worklogs.models import MonthClosing, MonthlyReport, WorkLog
from worklogs.querysets import charges_confirmed_by

if TYPE_CHECKING:
    from accounts.models import User

ENDING_WITHIN = timedelta(days=90)
# A matter of project review whose day is this near comes before others that wait.
REVIEW_SOON = timedelta(days=5)


def todos_for(user: User, *, today: date) -> list[Todo]:
    """Everything that waits for the person under the current role, most urgent first."""
    access = access_of(user)
    if access.role is None:
        return []
    found = [todo for source in SOURCES.get(access.role, ()) for todo in source(user, access, today)]
    return sorted(found, key=lambda todo: todo.urgency)


def _logs_url(**filters: str) -> str:
    return f"{reverse('worklogs:list')}?{urlencode(filters)}"


# --- planners and leads -----------------------------------------------------------------------------------------


def _own_logs(user: User, access: Access, today: date) -> Iterator[Todo]:
    counts = dict(
        WorkLog.objects.filter(planner__user_id=user.pk, superseded_by=None, state__in=["draft", "returned"])
        .values_list("state")
        .annotate(n=Count("pk"))
        .order_by()
    )
    if counts.get("returned"):
        yield Todo(
            SOON,
            "履职记录被退回，请修改后重新提交",
            _logs_url(state="returned"),
            "去修改",
            counts["returned"],
            "退回的记录不计入天数",
        )
    if counts.get("draft"):
        yield Todo(WAITING, "履职记录草稿未提交", _logs_url(state="draft"), "去提交", counts["draft"], "草稿不计入天数")


def _own_reports(user: User, access: Access, today: date) -> Iterator[Todo]:
    reports = DutyReport.objects.filter(
        author__user_id=user.pk, state__in=["draft", "returned"], cycle__state="open"
    ).select_related("cycle")
    for report in reports.order_by("cycle__due_on")[:10]:
        due = report.cycle.due_on
        urgency = LATER if not report.cycle.is_required else WAITING
        if report.state == "returned":
            urgency = SOON
        note = "可自愿撰写" if not report.cycle.is_required else ""
        if due is not None:
            note = f"{due} 前提交" if due >= today else f"已过截止日期 {due}"
            urgency = OVERDUE if due < today else SOON if due - today <= timedelta(days=14) else urgency
        collation = "（团队汇总）" if report.is_collation else ""
        yield Todo(
            urgency,
            f"{report.cycle.title}{collation}{'被退回' if report.state == 'returned' else '待撰写'}",
            reverse("evaluations:report-edit", args=[report.pk]),
            "去撰写",
            1,
            note,
        )


def _own_monthly(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Monthly reports in one's own hands, what is due first; those that nobody asked for come last."""
    rows = MonthlyReport.objects.newest().filter(author__user_id=user.pk, state__in=["draft", "returned"])
    found = list(rows.select_related("charge").order_by("month", "pk")[:30])
    if len(found) > 4:
        late = sum(report.is_required and report.due_on is not None and report.due_on < today for report in found)
        note = f"其中 {late} 份已过期限" if late else ""
        url = reverse("worklogs:monthly-list")
        yield Todo(OVERDUE if late else WAITING, "工作月报待撰写或修改", url, "去撰写", len(found), note)
        return
    for report in found:
        yield _one_monthly(report, today)


def _one_monthly(report: MonthlyReport, today: date) -> Todo:
    due, urgency, note = report.due_on, WAITING if report.is_required else LATER, ""
    if report.state == "returned":
        urgency, note = SOON, f"退回原因：{report.return_reason}"[:80]
    if not report.is_required and not note:
        note = "可自愿报送"
    if report.is_required and due is not None:
        urgency = OVERDUE if due < today else SOON if due - today <= timedelta(days=5) else urgency
        note = note or (f"已过期限 {due}" if due < today else f"{due} 前提交")
    what = "被退回" if report.state == "returned" else "待撰写"
    return Todo(urgency, f"{report}{what}", reverse("worklogs:monthly-edit", args=[report.pk]), "去撰写", 1, note)


def _own_contracts(user: User, access: Access, today: date) -> Iterator[Todo]:
    ending = Contract.objects.visible_to(user).filter(state="signed", end__range=(today, today + ENDING_WITHIN))
    for contract in ending[:5]:
        yield Todo(
            LATER,
            f"聘用合同 {contract.number} 将于 {contract.end} 期满",
            reverse("planners:contract", args=[contract.pk]),
            "查看合同",
        )


def _to_endorse(user: User, access: Access, today: date) -> Iterator[Todo]:
    waiting = DutyReport.objects.filter(state="submitted", contract__team__lead__user_id=user.pk).exclude(
        author__user_id=user.pk
    )
    count = waiting.count()
    if count == 1:
        yield Todo(
            SOON, "团队成员的述职文书待审核", reverse("evaluations:report-detail", args=[waiting[0].pk]), "去审核"
        )
    elif count:
        yield Todo(SOON, "团队成员的述职文书待审核", reverse("evaluations:list"), "去审核", count)


# --- units and bureau -------------------------------------------------------------------------------------------


def _to_confirm(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Logs waiting to be confirmed, charge and month, the oldest first; many charges share one entry."""
    rows = list(
        WorkLog.objects.visible_to(user)
        .filter(charge_id__in=charges_confirmed_by(user))
        .awaiting_confirmation()
        .values("charge_id", "charge__name", "date__year", "date__month")
        .annotate(n=Count("pk"))
        .order_by("date__year", "date__month", "charge__name")
    )
    this_month = (today.year, today.month)
    old = [row for row in rows if (row["date__year"], row["date__month"]) < this_month]
    if len(rows) > 6:
        total = sum(row["n"] for row in rows)
        note = f"其中上月及以前 {sum(row['n'] for row in old)} 条" if old else ""
        yield Todo(SOON if old else WAITING, "履职记录待确认", reverse("worklogs:waiting"), "去确认", total, note)
        return
    for row in rows:
        year, month = row["date__year"], row["date__month"]
        yield Todo(
            SOON if row in old else WAITING,
            f"{row['charge__name']}{year}年{month}月履职记录待确认",
            reverse("worklogs:month", args=[row["charge_id"], year, month]),
            "去确认",
            row["n"],
            "上月及以前的记录，确认后可锁定月份" if row in old else "",
        )


def _monthly_to_accept(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Monthly reports handed in for one's own charges; the bureau sees those of the locality, and what is late."""
    rows = MonthlyReport.objects.visible_to(user).newest()
    waiting = rows.filter(state="submitted").count()
    listed = reverse("worklogs:monthly-list")
    if waiting:
        bureau = access.is_role(Role.BUREAU)
        yield Todo(
            LATER if bureau else WAITING, "工作月报待接受", f"{listed}?state=submitted", "去查看", waiting,
            "由责任单元接受，分局也可以办理" if bureau else "接受后随月锁定",
        )  # fmt: skip
    late = MonthlyReport.objects.listed_for(user).newest().late(today).count()
    if late:
        yield Todo(WAITING, "工作月报已过期限未提交", f"{listed}?late=1", "去查看", late)


def _to_close(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Past months in which everything is confirmed and that nobody has closed yet."""
    first = today.replace(day=1)
    start = date(today.year - 1, 1, 1)
    charges = list(charges_confirmed_by(user))
    rows = (
        WorkLog.objects.filter(
            charge_id__in=charges, date__range=(start, first - timedelta(days=1)), superseded_by=None
        )
        .values_list("charge_id", "date__year", "date__month", "state")
        .order_by()
        .distinct()
    )
    states: dict[tuple[int, int, int], set[str]] = {}
    for charge, year, month, state in rows:
        states.setdefault((year, month, charge), set()).add(state)
    closed = {
        (c.month.year, c.month.month, c.charge_id)
        for c in MonthClosing.objects.filter(charge_id__in=charges, month__gte=start)
    }
    settled = {"confirmed", "void", "draft", "withdrawn"}
    ready = sorted(
        key for key, found in states.items() if "confirmed" in found and found <= settled and key not in closed
    )
    if ready:
        year, month, charge = ready[0]
        yield Todo(
            WAITING,
            "已全部确认、可以锁定的月份",
            reverse("worklogs:month", args=[charge, year, month]),
            "去锁定",
            len(ready),
            "锁定后只能以更正方式修改",
        )


def _unserved_units(user: User, access: Access, today: date) -> Iterator[Todo]:
    served = Assignment.objects.running(today).filter(charge__locality_id__in=access.locality_ids).values("charge_id")
    count = Unit.objects.visible_to(user).current(today).exclude(charge_id__in=served).count()
    if count:
        yield Todo(
            WAITING, "责任单元目前没有责任规划师", f"{reverse('districts:unit-list')}?served=no", "去查看", count
        )


def _ending_contracts(user: User, access: Access, today: date) -> Iterator[Todo]:
    rows = Contract.objects.visible_to(user).filter(state="signed")
    over = rows.filter(end__lt=today).count()
    if over:
        yield Todo(
            OVERDUE, "合同已期满但未办理终止或续聘", f"{reverse('planners:contract-list')}?state=over", "去办理", over
        )
    soon = rows.filter(end__range=(today, today + ENDING_WITHIN)).aggregate(n=Count("pk"), last=Max("end"))
    if soon["n"]:
        yield Todo(
            LATER,
            "合同将在 90 天内期满",
            f"{reverse('planners:contract-list')}?state=due",
            "去查看",
            soon["n"],
            f"最晚 {soon['last']}",
        )


def _to_reselect(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Charges whose planner was let go, where the policy asks for a new choice (晋城 三(三))."""
    if count := Reselection.objects.visible_to(user).open().count():
        yield Todo(SOON, "退出后待重新选聘的责任单元（项目）", reverse("planners:reselection-list"), "去查看", count)


def _draft_contracts(user: User, access: Access, today: date) -> Iterator[Todo]:
    count = Contract.objects.visible_to(user).filter(state="draft").count()
    if count:
        yield Todo(WAITING, "合同草稿待签订", f"{reverse('planners:contract-list')}?state=draft", "去办理", count)


def _open_cycles(user: User, access: Access, today: date) -> Iterator[Todo]:
    cycles = Cycle.objects.filter(locality_id__in=access.locality_ids, state="open").annotate(
        total=Count("reports", distinct=True)
    )
    for cycle in cycles[:5]:
        missing = cycle.reports.exclude(state="frozen").filter(superseded_by=None).count()
        late = cycle.due_on is not None and cycle.due_on < today
        if missing:
            yield Todo(
                OVERDUE if late else LATER,
                f"{cycle.title}未定稿",
                reverse("evaluations:cycle-detail", args=[cycle.pk]),
                "看进度",
                missing,
                f"共 {cycle.total} 份" + (f"，已过截止日期 {cycle.due_on}" if late else ""),
            )
        elif access.is_role(Role.BUREAU):
            yield Todo(
                WAITING,
                f"{cycle.title}已全部定稿，可以截止并导出",
                reverse("evaluations:cycle-detail", args=[cycle.pk]),
                "去办理",
            )


def _cycle_to_open(user: User, access: Access, today: date) -> Iterator[Todo]:
    """The pack asks for a document and last period's round has not been opened."""
    if access.locality_id is None:
        return
    locality = Locality.objects.get(pk=access.locality_id)
    plan = document_plan(locality, on=today)
    if plan is None or not plan.is_required:
        return
    due = [p for p in offered_periods(locality, today=today) if p.end < today]
    if due:
        yield Todo(WAITING, f"{title_of(due[0], plan)}周期尚未开启", reverse("evaluations:cycle-open"), "去开启")


def _decisions(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Decisions on the policy that count nothing yet: to be tried, or tried and to be put in force."""
    for decision in PolicyDecision.objects.visible_to(user).open().order_by("pk")[:5]:
        tried = decision.state == PolicyDecision.State.TRIED
        text = f"制度决定“{decision.title}”{'已阅试算，待施行' if tried else '待试算'}"
        yield Todo(WAITING, text, decision.get_absolute_url(), "去施行" if tried else "去试算")


def _policy_ending(user: User, access: Access, today: date) -> Iterator[Todo]:
    """The officer's own policy has lapsed, or soon will: without a new version nothing new can be signed."""
    place = place_of(user)
    policy = policy_to_read(place, today) if place is not None else None
    if place is None or policy is None or policy.second_hand or policy.valid_to is None:
        return
    url, end = reverse("districts:policy", args=[place.code]), f"{policy.valid_to:%Y-%m-%d}"
    if policy.lapsed_on(today):
        yield Todo(SOON, f"制度方案已于 {end} 失效，不能据以签订新合同", url, "延续或修订")
    elif policy.valid_to <= today + ENDING_WITHIN:
        yield Todo(LATER, f"制度方案将于 {end} 到期", url, "去查看")


def _department_projects(user: User, access: Access, today: date) -> Iterator[Todo]:
    count = Project.objects.visible_to(user).filter(owner_id=access.organisation_id).exclude(stage="done").count()
    if access.organisation_id and count:
        yield Todo(
            LATER, "本单位在办项目", f"{reverse('projects:list')}?owner={access.organisation_id}", "去查看", count
        )


# --- project review ---


def _review(user: User, access: Access, today: date) -> Iterator[Todo]:
    """Everything that waits in project review for the person, one entry a kind, as the worklist counts it."""
    for one in waiting_for(user, today=today):
        urgency = WAITING
        note = ""
        if one.due is not None:
            soon = one.due - today <= REVIEW_SOON
            urgency = OVERDUE if one.late else SOON if soon else WAITING
            note = f"最近期限 {one.due}" if not one.late else ""
        if one.late:
            note = f"其中 {one.late} 项已逾期" if one.count > 1 else f"期限 {one.due}，已逾期"
        yield Todo(urgency, one.label, one.url, one.act, one.count, note)


# --- administrators ---------------------------------------------------------------------------------------------


def _failed_jobs(user: User, access: Access, today: date) -> Iterator[Todo]:
    for job in Job.objects.visible_to(user).filter(state="failed", finished__date__gte=today - timedelta(days=7))[:5]:
        yield Todo(SOON, f"后台任务未完成：{job.label}", reverse("core:job", args=[job.pk]), "去查看")


def _holidays_to_enter(user: User, access: Access, today: date) -> Iterator[Todo]:
    """The notice of the next year comes out in autumn; a year that has begun without one is late."""
    for year in CalendarYear.objects.filter(status="provisional", year__lte=today.year + 1).order_by("year"):
        if year.year <= today.year or today.month >= 10:
            text = f"{year.year}年放假安排尚未录入，暂按法定节假日推算"
            urgency = OVERDUE if year.year <= today.year else SOON
            yield Todo(urgency, text, reverse("core:calendar-publish", args=[year.year]), "去录入")


def _ending_roles(user: User, access: Access, today: date) -> Iterator[Todo]:
    ending = Membership.objects.visible_to(user).filter(valid_to__range=(today, today + timedelta(days=30))).count()
    if ending:
        yield Todo(WAITING, "30 天内到期的任职", reverse("districts:memberships"), "去查看", ending)


def _refusals(user: User, access: Access, today: date) -> Iterator[Todo]:
    codes = [*places_reached(user), ""]
    refused = AuditEntry.objects.filter(locality_code__in=codes, result="refused", at__date=today).count()
    if refused:
        yield Todo(WAITING, "今日被拒绝的操作", f"{reverse('portal:audit')}?result=refused", "去查看", refused)


Source = Callable[["User", Access, date], Iterator[Todo]]
_CONFIRMING: tuple[Source, ...] = (_to_confirm, _monthly_to_accept, _to_close)
SOURCES: dict[Role, tuple[Source, ...]] = {
    Role.PLANNER: (_review, *RATING, *RATED, _own_logs, _own_monthly, _own_reports, _own_contracts),
    Role.LEAD: (_review, *RATING, *RATED, _own_logs, _to_endorse, _own_monthly, _own_reports, _own_contracts),
    Role.UNIT: (_review, *RATING, *RATED, *_CONFIRMING),
    Role.DEPARTMENT: (_review, *RATING, *RATED, *_CONFIRMING, _department_projects),
    Role.BUREAU: (
        _review,
        *RATING,
        *ROUNDS,
        *ORGANISING,
        *_CONFIRMING,
        _ending_contracts,
        _draft_contracts,
        _to_reselect,
        _unserved_units,
        _cycle_to_open,
        _open_cycles,
        _decisions,
        _policy_ending,
    ),
    Role.LEADER: (_review, *RATING, *RATED, *LEADING, _open_cycles, _unserved_units),
    Role.CITY: (*RATING, *SUPERVISING, _open_cycles, _unserved_units),
    Role.FINANCE: (),
    Role.EVALUATOR: (*RATING, *RATED),
    Role.SYSADMIN: (_failed_jobs, _holidays_to_enter, _ending_roles),
    Role.SECADMIN: (_ending_roles, _refusals),
    Role.AUDITOR: (_refusals,),
}
