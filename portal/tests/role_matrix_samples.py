"""The objects that stand for all of their kind in the role matrix: in the demo's locality, of the people who ask there.

A new address with an object in it gets a line in `SAMPLES`; what the demo does not hold, `role_matrix_made` makes.
Choose the object that shows most: one that belongs to the planner, the unit and the team of those who ask, in the
state in which most can be done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from core.models import ImportBatch, Job, Notification
from districts.models import Contact, Membership, Organisation, PolicyDecision, Unit, UnitChange
from districts.services.policies import policy_in_force
from evaluations.models import (
    Circular,
    Cycle,
    Deliberation,
    DepartmentResponse,
    DutyReport,
    FilingPackage,
    Objection,
    Publication,
    ReportBatch,
    Result,
    Round,
    Sheet,
    SystemReview,
)
from evaluations.models import Inspection as Supervision
from planners.models import Assignment, Contract, Credential, Institution, Planner, Team, TeamMember
from planners.services.qualifications import assess
from portal.tests.site import PLACE
from projects.models import (
    Consultation,
    Consultee,
    DataRequest,
    DataRequestFile,
    Dispute,
    DisputeFile,
    Extension,
    HardQuestion,
    ItemAnswer,
    ItemProof,
    KeyDate,
    Opinion,
    OpinionDispatch,
    PartyLink,
    Project,
    ProjectFile,
    ProjectFileVersion,
    ProjectParty,
    ProjectStage,
    Rectification,
    RectificationPhoto,
    Recusal,
    SavedFilter,
    StageDecision,
    Vote,
)
from worklogs.models import (
    DutyFigure,
    FindingPhoto,
    Inspection,
    InspectionFinding,
    LogFinding,
    LogPhoto,
    MonthlyReport,
    PendingPhoto,
    PolicyTrial,
    PolicyTrialRow,
    WorkLog,
)

YEAR = 2026
# Of the one-time link that the matrix makes; a stranger has it, but not its code.
TOKEN = "A" * 43
People = Mapping[str, User]


@dataclass(frozen=True, slots=True)
class Sample:
    """`what`: the object in the words of the table. `find`: the arguments of its address; None when there is none."""

    what: str
    find: Callable[[People], dict[str, Any] | None]


def _here(rows: Any, **more: Any) -> Any:
    return rows.objects.filter(locality__code=PLACE, **more).order_by("pk")


def _row(what: str, rows: Callable[[People], QuerySet[Any]]) -> Sample:
    """The first of `rows`, named by `pk` in the address."""

    def find(people: People) -> dict[str, Any] | None:
        pk = rows(people).values_list("pk", flat=True).first()
        return None if pk is None else {"pk": pk}

    return Sample(what, find)


def _fixed(what: str, **arguments: Any) -> Sample:
    return Sample(what, lambda people: arguments)


def unit_of(people: People) -> Unit:
    return Membership.objects.get(user=people["unit"]).unit


def _figure(people: People) -> DutyFigure | None:
    return DutyFigure.objects.filter(charge=unit_of(people).charge, year=YEAR).order_by("pk").first()


def _with_figure(**more: Any) -> Callable[[People], dict[str, Any] | None]:
    return lambda people: {"pk": figure.pk, **more} if (figure := _figure(people)) else None


def _photo(people: People) -> dict[str, Any] | None:
    photo = LogPhoto.objects.filter(log__planner__user=people["planner"], log__state="submitted").order_by("pk").first()
    return {"pk": photo.log_id, "photo_pk": photo.pk} if photo else None


def _judged(people: People) -> dict[str, Any] | None:
    planner = Planner.objects.get(user=people["planner"])
    policy = policy_in_force(planner.locality)
    for row in (policy.value("roles.types") or ()) if policy else ():
        root = assess(planner, row["code"], policy=policy, on=timezone.localdate()).root
        for node in root.leaves() if root is not None else ():
            if node.judged:
                return {"pk": planner.pk, "role": row["code"], "number": node.number}
    return None


def _override(people: People) -> dict[str, Any] | None:
    contract = Contract.objects.filter(team__lead__user=people["lead"], state="signed").order_by("pk").first()
    planner = Planner.objects.get(user=people["planner"])
    return {"pk": contract.pk, "planner_pk": planner.pk} if contract else None


def _finding(people: People) -> dict[str, Any] | None:
    found = (
        LogFinding.objects.filter(log__planner__user=people["planner"], log__state="submitted").order_by("pk").first()
    )
    return {"pk": found.pk, "log": found.log_id} if found else None


def _letter_step(people: People) -> dict[str, Any] | None:
    letter = OpinionDispatch.objects.order_by("pk").first()
    return {"pk": letter.pk, "number": 2} if letter else None


def _logs(people: People, state: str) -> QuerySet[WorkLog]:
    own = WorkLog.objects.filter(planner__user=people["planner"], state=state, superseded_by=None)
    return own.filter(charge=unit_of(people).charge).order_by("-date", "pk")


def _reports(people: People) -> QuerySet[DutyReport]:
    return DutyReport.objects.filter(author__user=people["planner"], is_collation=False).order_by("pk")


def _rounds(people: People) -> QuerySet[ProjectStage]:
    return ProjectStage.objects.filter(project__units=unit_of(people)).order_by("project_id", "pk")


def _rectification(people: People) -> QuerySet[Rectification]:
    return Rectification.objects.filter(raised_by__user=people["planner"]).order_by("pk")


def _with(rows: Callable[[People], QuerySet[Any]], parent: str, name: str) -> Callable[[People], dict[str, Any] | None]:
    """The first of `rows` as the argument `name`, with its parent as `pk`."""

    def find(people: People) -> dict[str, Any] | None:
        found = rows(people).values_list("pk", parent).first()
        return {"pk": found[1], name: found[0]} if found else None

    return find


def _findings(people: People) -> QuerySet[InspectionFinding]:
    return InspectionFinding.objects.filter(inspection__log__planner__user=people["planner"]).order_by("pk")


def _asked(people: People, state: str) -> QuerySet[Consultee]:
    return Consultee.objects.filter(planner__user=people["planner"], state=state)


def _opinions(people: People, state: str) -> QuerySet[Opinion]:
    return Opinion.objects.filter(author__user=people["planner"], state=state).order_by("pk")


def _reward(people: People) -> dict[str, Any] | None:
    result = Result.objects.visible_to(people["bureau"]).current().order_by("pk").first()
    return {"pk": result.pk, "number": 0} if result else None


PLACE_CODE = _fixed("本地方", code=PLACE)
UNIT = _row("本责任单元", lambda people: Unit.objects.filter(pk=unit_of(people).pk))
CONTACT = _row("本责任单元的专人", lambda people: Contact.objects.filter(unit=unit_of(people), duty="person"))
ORGANISATION = _row("本责任单元的主管部门", lambda people: Organisation.objects.filter(pk=unit_of(people).office_id))
MEMBERSHIP = _row("规划师的身份", lambda people: Membership.objects.filter(user=people["planner"]))
ACCOUNT = _row("规划师的账号", lambda people: User.objects.filter(pk=people["planner"].pk))
PLANNER = _row("规划师本人的登记", lambda people: Planner.objects.filter(user=people["planner"]))
TEAM = _row("规划师所在团队", lambda people: Team.objects.filter(lead__user=people["lead"]))
MEMBER = _row("规划师的团队成员关系", lambda people: TeamMember.objects.filter(planner__user=people["planner"]))
CONTRACT = _row(
    "规划师所在团队的在期合同",
    lambda people: Contract.objects.filter(team__lead__user=people["lead"], state="signed").order_by("pk"),
)
ASSIGNMENT = _row(
    "规划师所在团队的派驻",
    lambda people: Assignment.objects.filter(team__lead__user=people["lead"], contract__state="signed").order_by("pk"),
)
PROJECT = _row("本责任单元的项目", lambda people: Project.objects.filter(units=unit_of(people)).order_by("pk"))
# One request that waits for the planner, with a draft and an extension asked for; one opinion that waits for the lead.
CONSULTATION = _row(
    "待规划师答复的征询",
    lambda people: Consultation.objects.filter(consultees__in=_asked(people, "asked")).order_by("pk"),
)
CONSULTEE = _row("待规划师答复的征询中的规划师", lambda people: _asked(people, "asked").order_by("pk"))
EXTENSION = _row("规划师的延期申请", lambda people: Extension.objects.filter(asked_by=people["planner"]).order_by("pk"))
DRAFT_OPINION = _row("规划师的意见书草稿", lambda people: _opinions(people, "draft"))
ENDORSING_OPINION = _row("规划师待领衔审核的意见书", lambda people: _opinions(people, "endorsing"))
OPINION = _row("规划师已提交的意见书", lambda people: _opinions(people, "submitted"))
WAITING_LOG = _row("规划师在本单元的待确认记录", lambda people: _logs(people, "submitted"))
CONFIRMED_LOG = _row("规划师在本单元的已确认记录", lambda people: _logs(people, "confirmed"))
DRAFT_LOG = _row("规划师的草稿", lambda people: WorkLog.objects.filter(planner__user=people["planner"], state="draft"))
IMPORT = _row("分局上传待导入的履职记录表", lambda people: ImportBatch.objects.filter(created_by=people["bureau"]))
CYCLE = _row("本地方的述职周期", lambda people: _here(Cycle))
REPORT = _row("规划师已提交的文书", lambda people: _reports(people))
AFTER = _row("本地方结果已生效的评估", lambda people: _here(Round, state="published"))
OWN_RESULT = _row(
    "规划师本人的评估结果",
    lambda people: Result.objects.filter(subject__planner__user=people["planner"], subject__direction="planner"),
)
OBJECTION = _row("规划师提出的异议", lambda people: Objection.objects.filter(raised_by=people["planner"]))
RESPONSE = _row(
    "本责任单元的回应", lambda people: DepartmentResponse.objects.filter(result__subject__unit=unit_of(people))
)
PUBLICATION = _row("本地方已发布的结果公布", lambda people: Publication.objects.filter(round__locality__code=PLACE))
FILING = _row("本地方已报送的备案材料", lambda people: FilingPackage.objects.filter(round__locality__code=PLACE))
SUPERVISION = _row("对本责任单元主管部门的督查", lambda people: _here(Supervision))
BATCH = _row("本地方述职周期的批量导出", lambda people: ReportBatch.objects.filter(cycle__locality__code=PLACE))
JOB = _row("分局发起的后台任务", lambda people: Job.objects.filter(requested_by=people["bureau"]).order_by("pk"))
NOTICE = _row("规划师的通知", lambda people: Notification.objects.filter(user=people["planner"]).order_by("pk"))
DECISION = _row("本地方拟定中的补充规定", lambda people: _here(PolicyDecision))
UNIT_CHANGE = _row("本责任单元的更名", lambda people: UnitChange.objects.filter(lines__predecessor=unit_of(people)))
TRIAL = _row("本地方补充规定的试算", lambda people: PolicyTrial.objects.filter(decision__locality__code=PLACE))
TRIAL_ROW = _row("本地方试算中的一行", lambda people: PolicyTrialRow.objects.order_by("pk"))
MONTHLY = _row(
    "规划师在本单元待接受的月报",
    lambda people: MonthlyReport.objects.filter(author__user=people["planner"], state="submitted").order_by("pk"),
)
OFFICER_ROLE = _row("本责任单元专人的身份", lambda people: Membership.objects.filter(user=people["unit"]))
SUBSTITUTION = _row("本责任单元专人交出的代理", lambda people: Membership.objects.substitutions())
RECTIFICATION = _row("规划师在本单元项目提出的整改", _rectification)
DISPUTE = _row("本责任单元专人就项目提请的分歧", lambda people: Dispute.objects.filter(raised_by=people["unit"]))
INSPECTION = _row(
    "规划师的巡查草稿",
    lambda people: Inspection.objects.filter(log__planner__user=people["planner"], log__state="draft"),
)
LINK = _fixed("整改的回复链接（未输校验码）", token=TOKEN)
ANSWERED = _row("委办局就本责任单元项目的已答复征询", lambda people: Consultation.objects.filter(number="ZX-示例"))
ITEM_ANSWER = _row("委办局对规划师意见的反馈", lambda people: ItemAnswer.objects.order_by("pk"))
LETTER = _row("本责任单元项目的函告", lambda people: OpinionDispatch.objects.order_by("pk"))
QUESTION = _row("向规划师提出的疑难问题", lambda people: HardQuestion.objects.order_by("pk"))
MONTH = Sample(
    "本责任单元 2026 年 2 月", lambda people: {"charge": unit_of(people).charge_id, "year": YEAR, "month": 2}
)


def _round(people: People, *states: str) -> Round | None:
    return Round.objects.filter(locality__code=PLACE, state__in=states).order_by("pk").first()


def _sheets(people: People) -> QuerySet[Sheet]:
    return Sheet.objects.filter(unit=unit_of(people), state="draft").order_by("pk")


def _in_round(*states: str, **more: Any) -> Callable[[People], dict[str, Any] | None]:
    return lambda people: {"pk": found.pk, **more} if (found := _round(people, *states)) else None


def _line(people: People) -> dict[str, Any] | None:
    found = _round(people, "preparation")
    form = found.steps.earliest("number").forms.get(direction="planner") if found else None
    line = form.indicators.first() if form else None
    return {"pk": found.pk, "number": 1, "direction": "planner", "code": line.code} if found and line else None


ROUND = Sample("本地方填写中的评估", _in_round("scoring"))
NEW_ROUND = Sample("本地方筹备中的评估", _in_round("preparation"))
STEP = Sample("填写中的评估的第一步", _in_round("scoring", number=1))
FORM = Sample("筹备中的评估的表样", _in_round("preparation", number=1, direction="planner"))
SHEET = _row("本责任单元专人填写中的评估表", _sheets)
SUBMITTED = _row(
    "规划师本人已提交的评估表",
    lambda people: Sheet.objects.filter(author=people["planner"], state="submitted").order_by("pk"),
)
SUBJECT = Sample(
    "本责任单元评估的对象", lambda people: {"pk": found.subject_id} if (found := _sheets(people).first()) else None
)

SAMPLES: dict[str, Sample] = {
    **dict.fromkeys(("core:job", "core:job-progress", "core:job-cancel", "core:job-file"), JOB),
    "core:notification-open": NOTICE,
    "core:verify": _fixed("没有这个编号", code="00000000"),
    **dict.fromkeys(("core:calendar-year", "core:calendar-publish"), _fixed("2026 年", year=YEAR)),
    "core:calendar-scan": _fixed("2026 年通知的扫描件", year=YEAR, number=99),
    "core:draft": _fixed("填写记录的草稿", form_key="worklog-create"),
    **dict.fromkeys(
        (
            "accounts-person", "accounts-disable", "accounts-enable", "accounts-reset-password",
            "accounts-end-sessions",
        ),
        ACCOUNT,
    ),
    **dict.fromkeys(
        (
            "districts:locality", "districts:policy", "districts:policy-supplement", "districts:policy-versions",
            "districts:policy-amend", "districts:policy-adopt", "districts:unit-streets",
            "districts:unit-create", "districts:organisation-create", "planners:planner-create", "planners:team-create",
            "planners:contract-create", "planners:contract-people", "projects:project-create",
        ),
        PLACE_CODE,
    ),
    "districts:locality-streets": _fixed("未启用的西城区", code="110102"),
    **dict.fromkeys(
        ("districts:unit", "districts:unit-edit", "districts:unit-change", "districts:contact-create"), UNIT
    ),
    **dict.fromkeys(("districts:contact-edit", "districts:contact-reveal"), CONTACT),
    "districts:organisation-edit": ORGANISATION,
    "accounts-lift-second-factor": _row(
        "绑定了双因素认证的账号", lambda people: User.objects.filter(username="role-matrix-colleague")
    ),
    "districts:membership-end": MEMBERSHIP,
    "districts:substitution-create": OFFICER_ROLE,
    "districts:substitution-end": SUBSTITUTION,
    "accounts-session-end": _row("规划师的一处登录", lambda people: people["planner"].login_sessions.order_by("pk")),
    **dict.fromkeys(
        (
            "districts:decision", "districts:decision-edit", "districts:decision-enforce", "districts:decision-discard",
            "districts:decision-scan", "worklogs:trial-start",
        ),
        DECISION,
    ),
    **dict.fromkeys(("worklogs:trial", "worklogs:trial-export", "worklogs:trial-read"), TRIAL),
    "worklogs:trial-row": TRIAL_ROW,
    **dict.fromkeys(
        (
            "worklogs:monthly", "worklogs:monthly-accept", "worklogs:monthly-download", "worklogs:monthly-edit",
            "worklogs:monthly-pdf", "worklogs:monthly-return", "worklogs:monthly-supersede",
            "worklogs:monthly-withdraw",
        ),
        MONTHLY,
    ),
    "worklogs:trial-records": Sample(
        "本地方试算中一行的明细",
        lambda people: {"pk": PolicyTrialRow.objects.earliest("pk").pk, "side": "after", "code": "days", "part": 0},
    ),
    **dict.fromkeys(("districts:unit-change-detail", "districts:unit-change-scan"), UNIT_CHANGE),
    "worklogs:finding-note": Sample("规划师记录的核对提示", _finding),
    **dict.fromkeys(("planners:planner", "planners:planner-edit", "planners:planner-login"), PLANNER),
    **dict.fromkeys(("planners:qualification", "planners:credential-create"), PLANNER),
    "planners:qualification-judge": Sample("规划师须由人判断的一项条件", _judged),
    "planners:qualification-override": Sample("规划师在团队合同中的资格", _override),
    **dict.fromkeys(
        ("planners:credential-file", "planners:credential-withdraw"),
        _row("规划师的资格材料", lambda people: Credential.objects.filter(planner__user=people["planner"])),
    ),
    "planners:planner-reveal": Sample(
        "规划师本人的电话", lambda people: {"pk": people["planner"].planner.pk, "what": "phone"}
    ),
    "planners:institution-edit": _row("设计单位（各地共用）", lambda people: Institution.objects.order_by("pk")),
    **dict.fromkeys(
        ("planners:team", "planners:team-edit", "planners:team-lead", "planners:group-create", "planners:member-add"),
        TEAM,
    ),
    **dict.fromkeys(("planners:member-end", "planners:member-role"), MEMBER),
    **dict.fromkeys(
        (
            "planners:contract", "planners:contract-edit", "planners:contract-sign", "planners:contract-cancel",
            "planners:contract-end", "planners:signing-create", "planners:assignment-create",
        ),
        CONTRACT,
    ),
    "planners:assignment-end": ASSIGNMENT,
    **dict.fromkeys(
        (
            "projects:project", "projects:project-edit", "projects:project-recognise", "projects:timeline",
            "projects:timeline-export", "projects:party-create", "projects:key-date-create", "projects:file-create",
            "projects:recusal-create", "projects:project-reopen",
        ),
        PROJECT,
    ),
    **dict.fromkeys(
        (
            "projects:stage-decide", "projects:stage-send-back", "projects:stage-skip", "projects:stage-go-back",
            "projects:vote-create",
        ),
        _row("本责任单元项目的当前阶段", lambda people: _rounds(people).filter(state="open")),
    ),
    **dict.fromkeys(
        ("projects:decision", "projects:decision-pdf", "projects:decision-download"),
        _row("本责任单元项目的阶段结论", lambda people: StageDecision.objects.filter(stage__in=_rounds(people))),
    ),
    "projects:vote-scan": _row("本责任单元项目的表决", lambda people: Vote.objects.filter(stage__in=_rounds(people))),
    "projects:party-edit": _row(
        "本责任单元项目的参建单位", lambda people: ProjectParty.objects.filter(project__units=unit_of(people)).order_by("pk")
    ),
    **dict.fromkeys(
        ("projects:key-date-edit", "projects:key-date-delete"),
        _row("本责任单元项目的日期", lambda people: KeyDate.objects.filter(project__units=unit_of(people)).order_by("pk")),
    ),
    "projects:file-version": _row(
        "本责任单元项目的资料", lambda people: ProjectFile.objects.filter(project__units=unit_of(people)).order_by("pk")
    ),
    "projects:file": _row(
        "本责任单元项目的内部资料",
        lambda people: ProjectFileVersion.objects.filter(document__project__units=unit_of(people)).order_by("pk"),
    ),
    "projects:recusal-end": _row(
        "规划师的回避", lambda people: Recusal.objects.filter(planner__user=people["planner"]).order_by("pk")
    ),
    **dict.fromkeys(
        ("projects:data-request", "projects:data-request-answer", "projects:data-request-withdraw"),
        _row("规划师的资料申请", lambda people: DataRequest.objects.filter(planner__user=people["planner"], state="asked")),
    ),
    "projects:data-file": _row(
        "提供给规划师的资料", lambda people: DataRequestFile.objects.filter(request__planner__user=people["planner"])
    ),
    **dict.fromkeys(
        (
            "projects:rectification", "projects:link-create", "projects:rectification-reply",
            "projects:rectification-reinspect", "projects:rectification-escalate", "projects:rectification-waive",
        ),
        RECTIFICATION,
    ),
    **dict.fromkeys(
        ("projects:rectification-photo", "projects:rectification-plan"),
        Sample("整改的照片", _with(
            lambda people: RectificationPhoto.objects.filter(rectification__in=_rectification(people)),
            "rectification_id", "photo_pk",
        )),
    ),
    "projects:link-revoke": Sample("整改的回复链接", _with(
        lambda people: PartyLink.objects.filter(rectification__in=_rectification(people)),
        "rectification_id", "link_pk",
    )),
    **dict.fromkeys(("party:link", "party:code", "party:reply", "party:done"), LINK),
    "party:photo": _fixed("整改的照片（未输校验码）", token=TOKEN, pk=1),
    "projects:dispute-create": _row(
        "本责任单元没有分歧的项目",
        lambda people: Project.objects.filter(units=unit_of(people), disputes=None).order_by("pk"),
    ),
    **dict.fromkeys(
        (
            "projects:dispute", "projects:dispute-state", "projects:dispute-rule", "projects:dispute-withdraw",
            "projects:dispute-pdf", "projects:dispute-download",
        ),
        DISPUTE,
    ),
    "projects:dispute-file": Sample("分歧的证据", _with(
        lambda people: DisputeFile.objects.filter(statement__dispute__raised_by=people["unit"]),
        "statement__dispute_id", "file_pk",
    )),
    "worklogs:inspection-attach": _row(
        "规划师的施工巡查记录草稿",
        lambda people: WorkLog.objects.filter(planner__user=people["planner"], state="draft", kind="inspection"),
    ),
    **dict.fromkeys(
        ("worklogs:inspection", "worklogs:inspection-submit", "worklogs:finding-create"), INSPECTION
    ),
    **dict.fromkeys(
        ("worklogs:finding-edit", "worklogs:finding-remove"),
        Sample("规划师巡查草稿中的发现", _with(_findings, "inspection_id", "finding_pk")),
    ),
    "worklogs:finding-pin": Sample("规划师巡查草稿中的照片", _with(
        lambda people: FindingPhoto.objects.filter(finding__in=_findings(people)), "finding__inspection_id", "photo_pk",
    )),
    "worklogs:inspection-plan": Sample("规划师巡查草稿中标注的平面图", lambda people: {
        "pk": _findings(people).values_list("inspection_id", flat=True)[0],
        "version_pk": FindingPhoto.objects.filter(finding__in=_findings(people), plan__isnull=False)[0].plan_id,
    }),
    **dict.fromkeys(
        ("projects:adoption-answer", "projects:consultation-withdraw-answered", "projects:dispatch-create"), ANSWERED
    ),
    **dict.fromkeys(("projects:answer-change", "projects:answer-proof"), ITEM_ANSWER),
    "projects:proof-file": _row("委办局对规划师意见反馈的佐证", lambda people: ItemProof.objects.order_by("pk")),
    "projects:adoption-records": _fixed("采纳率的第一项", code="adoption", part=0),
    **dict.fromkeys(
        ("projects:dispatch", "projects:dispatch-number", "projects:dispatch-pdf", "projects:dispatch-download"), LETTER
    ),
    "projects:dispatch-step": Sample("本责任单元项目函告的第二步", _letter_step),
    **dict.fromkeys(
        ("projects:question", "projects:question-answer", "projects:question-withdraw", "projects:question-reassign"),
        QUESTION,
    ),
    "projects:filter-delete": _row("本责任单元专人保存的筛选", lambda people: SavedFilter.objects.order_by("pk")),
    "projects:consultation-create": PROJECT,
    **dict.fromkeys(
        (
            "projects:consultation", "projects:consultation-again", "projects:consultation-suspend",
            "projects:consultation-resume", "projects:consultation-withdraw", "projects:consultation-add",
            "projects:consultation-move", "projects:consultation-meeting", "projects:consultation-minutes",
            "projects:consultation-extend",
        ),
        CONSULTATION,
    ),
    "projects:extension-answer": EXTENSION,
    **dict.fromkeys(
        (
            "projects:consultee-decline", "projects:consultee-recuse", "projects:consultee-release",
            "projects:consultee-substitute", "projects:opinion-write", "projects:opinion-autosave",
            "projects:opinion-paper",
        ),
        CONSULTEE,
    ),
    "projects:opinion-discard": DRAFT_OPINION,
    **dict.fromkeys(
        ("projects:opinion-take-back", "projects:opinion-endorse", "projects:opinion-return"), ENDORSING_OPINION
    ),
    **dict.fromkeys(
        (
            "projects:opinion", "projects:opinion-renew", "projects:opinion-pdf", "projects:opinion-download",
            "projects:opinion-scan",
        ),
        OPINION,
    ),
    "worklogs:calendar-month": _fixed("2026 年 2 月", year=YEAR, month=2),
    **dict.fromkeys(
        ("worklogs:detail", "worklogs:withdraw", "worklogs:confirm", "worklogs:return"), WAITING_LOG
    ),
    "worklogs:correct": CONFIRMED_LOG,
    **dict.fromkeys(("worklogs:edit", "worklogs:submit", "worklogs:delete"), DRAFT_LOG),
    "worklogs:photo": Sample("规划师记录中的照片", _photo),
    "worklogs:pending-photo": _row(
        "规划师尚未归入记录的照片", lambda people: PendingPhoto.objects.filter(user=people["planner"])
    ),
    **dict.fromkeys(("worklogs:month", "worklogs:month-confirm", "worklogs:figure-unit"), MONTH),
    "worklogs:figure": Sample("本责任单元本年的计量", _with_figure()),
    "worklogs:figure-month": Sample("本责任单元 2026 年 2 月的计量", _with_figure(month=2)),
    "worklogs:figure-records": Sample("本责任单元本年计量的明细", _with_figure(code="days", part=0)),
    **dict.fromkeys(
        ("core:import", "core:import-columns", "core:import-run", "core:import-undo", "core:import-rejected"), IMPORT
    ),
    **dict.fromkeys(("core:import-upload", "core:import-template"), _fixed("履职记录", kind="worklogs")),
    **dict.fromkeys(
        (
            "evaluations:cycle-detail", "evaluations:cycle-close", "evaluations:cycle-reopen",
            "evaluations:cycle-refresh", "evaluations:cycle-export",
        ),
        CYCLE,
    ),
    **dict.fromkeys(
        (
            "evaluations:results", "evaluations:results-compute", "evaluations:results-outliers",
            "evaluations:results-export", "evaluations:results-settle", "evaluations:deliberation",
        ),
        _row("本地方的评估", lambda people: Round.objects.filter(locality__code=PLACE, state="deliberation").order_by("pk")),
    ),
    **dict.fromkeys(
        (
            "evaluations:result", "evaluations:result-adjust", "evaluations:result-settle",
            "evaluations:result-unsettle", "evaluations:result-correct",
        ),
        _row("本地方的评估结果", lambda people: Result.objects.visible_to(people["bureau"]).current().order_by("pk")),
    ),
    "evaluations:result-reward": Sample("本地方的评估结果", _reward),
    **dict.fromkeys(
        ("evaluations:minutes-make", "evaluations:minutes"),
        _row("本地方的审议", lambda people: Deliberation.objects.visible_to(people["bureau"]).order_by("pk")),
    ),
    "evaluations:batch-download": BATCH,
    **dict.fromkeys(
        (
            "evaluations:round", "evaluations:round-rules", "evaluations:round-pause", "evaluations:round-resume",
            "evaluations:round-sheets", "evaluations:round-sheets-bulk", "evaluations:round-subjects",
        ),
        ROUND,
    ),
    **dict.fromkeys(("evaluations:round-refresh", "evaluations:round-open"), NEW_ROUND),
    "evaluations:round-move": Sample("填写中的评估，取消", _in_round("scoring", move="cancel")),
    **dict.fromkeys(
        ("evaluations:step-open", "evaluations:step-close", "evaluations:step-extend", "evaluations:step-chase"), STEP
    ),
    "evaluations:sheet-compare": Sample(
        "填写中的评估，评估责任规划师", _in_round("scoring", number=1, direction="planner")
    ),
    **dict.fromkeys(
        (
            "evaluations:form", "evaluations:form-preview", "evaluations:form-edit", "evaluations:form-copy",
            "evaluations:question-add",
        ),
        FORM,
    ),
    **dict.fromkeys(
        ("evaluations:line-edit", "evaluations:question-remove"), Sample("筹备中的评估的一项指标", _line)
    ),
    **dict.fromkeys(("evaluations:own-report", "evaluations:own-report-pdf"), SUBMITTED),
    "evaluations:evidence": Sample(
        "本责任单元评估的对象的服务天数",
        lambda people: {**found, "code": "days"} if (found := SUBJECT.find(people)) else None,
    ),
    **dict.fromkeys(("evaluations:subject-leave-out", "evaluations:rater-add"), SUBJECT),
    **dict.fromkeys(
        (
            "evaluations:sheet", "evaluations:sheet-autosave", "evaluations:sheet-withdraw",
            "evaluations:sheet-abstain", "evaluations:sheet-decline", "evaluations:sheet-take-back",
            "evaluations:sheet-manage",
        ),
        SHEET,
    ),
    **dict.fromkeys(
        (
            "evaluations:report-detail", "evaluations:report-edit", "evaluations:report-autosave",
            "evaluations:report-submit", "evaluations:report-withdraw", "evaluations:report-endorse",
            "evaluations:report-return", "evaluations:report-supersede", "evaluations:report-pdf",
            "evaluations:report-download",
        ),
        REPORT,
    ),
    **dict.fromkeys(
        (
            "evaluations:own-result", "evaluations:result-reply", "evaluations:result-letter",
            "evaluations:result-letter-make", "evaluations:result-paper", "evaluations:objection-create",
        ),
        OWN_RESULT,
    ),
    **dict.fromkeys(
        (
            "evaluations:objection", "evaluations:objection-take", "evaluations:objection-withdraw",
            "evaluations:objection-evidence",
        ),
        OBJECTION,
    ),
    **dict.fromkeys(
        ("evaluations:response", "evaluations:response-confirm", "evaluations:response-again"), RESPONSE
    ),
    **dict.fromkeys(
        (
            "evaluations:after", "evaluations:after-letters", "evaluations:after-summary",
            "evaluations:publication-create", "evaluations:filing-create",
        ),
        AFTER,
    ),
    **dict.fromkeys(
        (
            "evaluations:publication", "evaluations:publication-put-out", "evaluations:publication-withdraw",
            "portal:notice",
        ),
        PUBLICATION,
    ),
    **dict.fromkeys(
        (
            "evaluations:filing", "evaluations:filing-download", "evaluations:filing-remake", "evaluations:filing-send",
            "evaluations:filing-receive", "evaluations:filing-return", "evaluations:filing-accept",
        ),
        FILING,
    ),
    **dict.fromkeys(
        ("evaluations:review", "evaluations:review-pdf"), _row("本地方的制度评估", lambda people: _here(SystemReview))
    ),
    **dict.fromkeys(
        (
            "evaluations:inspection", "evaluations:inspection-close", "evaluations:inspection-again",
            "evaluations:inspection-cancel",
        ),
        SUPERVISION,
    ),
    **dict.fromkeys(
        ("evaluations:circular", "evaluations:circular-put-out", "evaluations:circular-pdf"),
        _row("本地方已印发的通报", lambda people: _here(Circular)),
    ),
}  # fmt: skip
