"""What waits in project review, of every kind, as rows of one list: scoped, filtered, sorted and paged together.

Each kind is a branch: the rows of its own model that the person may see and that wait for somebody, under the same
columns. The branches are put together by one UNION ALL, so that a page costs one query whatever kinds it holds, and
they are filtered before they are put together, so that each is read through its own indexes. `mine` says whether it is
this person, or their office, for whom a matter waits; everything else is only seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Left, TruncDate
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from core.worded import Worded
from districts.access import Access, access_of, place_of
from districts.models import Membership, Organisation
from districts.policy.keys import SIDES
from planners.models import Planner
from projects.models import (
    Consultation,
    Consultee,
    DataRequest,
    DispatchStep,
    Dispute,
    Extension,
    HardQuestion,
    ItemAnswer,
    MatterHandler,
    Opinion,
    OpinionDispatch,
    Project,
    Rectification,
    Recusal,
)
from projects.permissions_adoption import OFFICES
from projects.querysets import (
    acting_as,
    asked_once,
    led_planners,
    offices_of,
    own_planners,
    served_projects,
)

if TYPE_CHECKING:
    from accounts.models import User

# Matters without a day come last.
FAR = date(9999, 12, 31)
PLANNERS = (Role.PLANNER, Role.LEAD)
NO_DAY = Cast(Value(None), models.DateField())
NO_ROW = Cast(Value(None), models.BigIntegerField())
COLUMNS = (
    "m_kind", "m_ref", "m_target", "m_project", "m_name", "m_text", "m_due", "m_day", "m_since", "m_who", "m_blocked",
    "m_mine", "m_handler",
)  # fmt: skip


class MatterColumns(models.Model):
    """The types of the columns that a list is sorted by: what a cursor in the address may hold. No table."""

    m_kind = models.CharField(max_length=16)
    m_ref = models.BigIntegerField()
    m_name = models.CharField(max_length=200)
    m_day = models.DateField()
    m_since = models.DateField()

    class Meta:
        abstract = True


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person with all that decides what is theirs."""

    user: User
    access: Access
    # The bodies in whose name they act; for officers with the bureau of the place where their role names no body.
    acts_for: frozenset[int]
    offices: frozenset[int]
    own: tuple[int, ...]
    led: tuple[int, ...]
    today: date

    @property
    def key(self) -> tuple[Any, ...]:
        """Everything that decides what is theirs."""
        return self.user.pk, self.access, self.acts_for, self.offices, self.own, self.led, self.today

    @classmethod
    def of(cls, user: User, today: date) -> Viewer:
        access = access_of(user)
        planner = access.is_role(*PLANNERS)
        acts_for = frozenset(offices_of(access))
        offices = set(acts_for) if access.is_role(*OFFICES) else set()
        if access.is_role(Role.BUREAU) and access.organisation_id is None:
            bureaus = Organisation.objects.filter(locality=place_of(user), kind=Organisation.Kind.BUREAU)
            offices.update(bureaus.values_list("pk", flat=True))
        return cls(
            user, access, acts_for, frozenset(offices),
            tuple(own_planners(user)) if planner else (),
            tuple(led_planners(user)) if access.is_role(Role.LEAD) else (), today,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """`personal`: owed by one person, so that nobody distributes it. `url_name`: the page where it is done, by
    `m_target`. `duty`: the roles whose own it can be; for others it is only to be seen."""

    code: str
    label: str
    act: str
    url_name: str
    rows: Callable[[Viewer], QuerySet[Any]]
    duty: tuple[Role, ...] = ()
    personal: bool = False


_YES = Value(True, output_field=models.BooleanField())
_NO = Value(False, output_field=models.BooleanField())


def _mine(condition: Q | bool) -> Any:
    if isinstance(condition, bool):
        return _YES if condition else _NO
    return Case(When(condition, then=_YES), default=_NO)


def _words(text: str) -> Any:
    return Value(text, output_field=CharField())


def _blocked(condition: Any, words: str) -> Any:
    return Case(When(condition, then=_words(words)), default=_words(""))


def _handlers(kind: str, today: date) -> QuerySet[MatterHandler]:
    """Those that still hold some role: what somebody who has left was to see to is everybody's again."""
    holding = Membership.objects.filter(user=OuterRef("handler")).valid_on(today)
    return MatterHandler.objects.filter(Exists(holding), kind=kind, ref=OuterRef("pk"), handler__is_active=True)


def _branch(
    rows: QuerySet[Any], kind: str, today: date, *, due: Any, since: Any, who: Any, mine: Any, text: Any,
    project: str = "project", target: Any = None, name: Any = None, blocked: Any = None, personal: bool = False,
) -> QuerySet[Any]:  # fmt: skip
    """The rows under the common columns."""
    handler = Cast(Subquery(_handlers(kind, today).values("handler_id")[:1]), models.BigIntegerField())
    return rows.order_by().annotate(
        m_kind=_words(kind), m_ref=Cast(F("pk"), models.BigIntegerField()),
        m_target=Cast(F(target or "pk"), models.BigIntegerField()),
        m_project=Cast(F(f"{project}_id"), models.BigIntegerField()) if project else NO_ROW,
        m_name=Cast(name if name is not None else F(f"{project}__name"), CharField()),
        m_text=Cast(text, CharField()), m_due=due, m_day=Coalesce(due, Value(FAR), output_field=models.DateField()),
        m_since=since, m_who=Cast(who, CharField()), m_blocked=blocked if blocked is not None else _words(""),
        m_mine=mine, m_handler=NO_ROW if personal else handler,
    )  # fmt: skip


# --- the kinds ------------------------------------------------------------------------------------------------


def _to_answer(viewer: Viewer) -> QuerySet[Any]:
    rows = Consultee.objects.visible_to(viewer.user).waiting()
    return _branch(
        rows, "answer", viewer.today, project="consultation__project", target="consultation_id",
        text=F("consultation__subject"), due=F("consultation__due_on"), since=F("consultation__asked_on"),
        who=F("planner__name"), mine=_mine(Q(planner_id__in=viewer.own)), personal=True,
        blocked=_blocked(Q(consultation__state="suspended"), "征询已中止"),
    )  # fmt: skip


def _opinions(viewer: Viewer, kind: str, state: str, people: Sequence[int], who: Any) -> QuerySet[Any]:
    rows = Opinion.objects.visible_to(viewer.user).filter(
        state=state, consultee__consultation__state__in=["asked", "suspended"]
    )
    return _branch(
        rows, kind, viewer.today, project="consultee__consultation__project",
        text=F("consultee__consultation__subject"), due=F("consultee__consultation__due_on"),
        since=F("consultee__consultation__asked_on"), who=who, mine=_mine(Q(author_id__in=people)), personal=True,
    )  # fmt: skip


def _to_endorse(viewer: Viewer) -> QuerySet[Any]:
    others = [pk for pk in viewer.led if pk not in viewer.own]
    return _opinions(viewer, "endorse", "endorsing", others, _words("领衔规划师"))


def _returned(viewer: Viewer) -> QuerySet[Any]:
    return _opinions(viewer, "returned", "returned", viewer.own, F("author__name"))


def _to_feed_back(viewer: Viewer) -> QuerySet[Any]:
    disputed = Dispute.objects.unsettled().filter(item__opinion__consultee__consultation=OuterRef("pk"))
    return _branch(
        Consultation.objects.visible_to(viewer.user).awaiting_adoption(), "feedback", viewer.today, text=F("subject"),
        due=F("feedback_due_on"), since=Coalesce("answered_on", "asked_on"), who=F("asker__name"),
        mine=_mine(Q(asker_id__in=viewer.offices)), blocked=_blocked(Exists(disputed), "分歧协调中"),
    )  # fmt: skip


def _unanswered(viewer: Viewer) -> QuerySet[Any]:
    return _branch(
        Consultation.objects.visible_to(viewer.user).filter(state="unanswered"), "unanswered", viewer.today,
        text=F("subject"), due=NO_DAY, since=F("asked_on"), who=F("asker__name"),
        mine=_mine(Q(asker_id__in=viewer.offices)),
    )  # fmt: skip


def _to_prove(viewer: Viewer) -> QuerySet[Any]:
    path = "item__opinion__consultee__consultation"
    mine = Q(**{f"{path}__asker_id__in": viewer.offices})
    if viewer.access.is_role(Role.UNIT):
        within = Project.units.through.objects.filter(unit_id__in=viewer.access.unit_ids)
        mine |= Q(**{f"{path}__project_id__in": within.values("project_id")})
    return _branch(
        ItemAnswer.objects.visible_to(viewer.user).unproven(), "prove", viewer.today, project=f"{path}__project",
        target=f"{path}_id", text=Left("item__text", 80), due=F("due_on"), since=TruncDate("answered_at"),
        who=F(f"{path}__asker__name"), mine=_mine(mine),
    )  # fmt: skip


def _extensions(viewer: Viewer) -> QuerySet[Any]:
    seen = Consultation.objects.visible_to(viewer.user)
    return _branch(
        Extension.objects.filter(state="asked", consultation__in=seen), "extension", viewer.today,
        project="consultation__project", target="consultation_id", text=F("reason"), due=F("consultation__due_on"),
        since=TruncDate("asked_at"), who=F("consultation__asker__name"),
        mine=_mine(Q(consultation__asker_id__in=viewer.offices)),
    )  # fmt: skip


def _data_requests(viewer: Viewer) -> QuerySet[Any]:
    return _branch(
        DataRequest.objects.visible_to(viewer.user).filter(state="asked"), "data", viewer.today, text=F("what"),
        due=NO_DAY, since=TruncDate("created"), who=_words("规划主管部门"), name=Coalesce(F("project__name"), _words("")),
        mine=_mine(viewer.access.is_role(Role.BUREAU)),
    )  # fmt: skip


def _rectifications(viewer: Viewer, kind: str, state: str, who: Any, mine: Any, **more: Any) -> QuerySet[Any]:
    disputed = Dispute.objects.unsettled().filter(rectification=OuterRef("pk"))
    return _branch(
        Rectification.objects.visible_to(viewer.user).filter(state=state), kind, viewer.today, text=Left("text", 80),
        due=F("due_on"), since=F("raised_on"), who=who, mine=mine, blocked=_blocked(Exists(disputed), "分歧协调中"),
        **more,
    )  # fmt: skip


def _to_mend(viewer: Viewer) -> QuerySet[Any]:
    # The contractor's turn: they have no login, so that it is seen here and nobody's own.
    return _rectifications(viewer, "mend", "open", F("contractor__name"), _mine(False), personal=True)


def _to_reinspect(viewer: Viewer) -> QuerySet[Any]:
    # Of whoever asked for it; of those who serve the project now, once that planner serves nowhere or keeps out.
    asked_by = OuterRef("raised_by_id")
    there = Exists(Planner.objects.serving(viewer.today).filter(pk=asked_by))
    out = Exists(Recusal.objects.standing().filter(planner_id=asked_by, project_id=OuterRef("project_id")))
    inherited = (~Q(there) | Q(out)) & Q(project_id__in=served_projects(list(viewer.own)))
    mine = _mine(Q(raised_by_id__in=viewer.own) | inherited if viewer.own else False)
    return _rectifications(viewer, "reinspect", "replied", F("raised_by__name"), mine, personal=True)


def _escalated(viewer: Viewer) -> QuerySet[Any]:
    mine = _mine(viewer.access.is_role(Role.BUREAU))
    return _rectifications(viewer, "escalated", "escalated", _words("规划主管部门"), mine)


def _to_state(viewer: Viewer) -> QuerySet[Any]:
    parties = Q(project__owner_id__in=viewer.offices)
    parties |= Q(item__opinion__consultee__consultation__asker_id__in=viewer.offices)
    planners = Q(item__opinion__author_id__in=viewer.own) | Q(rectification__raised_by_id__in=viewer.own)
    mine = (Q(raised_side="planner") & parties) | (Q(raised_side="parties") & planners)
    return _branch(
        Dispute.objects.visible_to(viewer.user).filter(state="filed"), "state", viewer.today, text=F("title"),
        due=F("statement_due_on"), since=F("filed_on"), mine=_mine(mine), personal=True,
        who=Case(When(raised_side="planner", then=_words("相关各方")), default=_words("责任规划师")),
    )  # fmt: skip


def _to_rule(viewer: Viewer) -> QuerySet[Any]:
    # Who lets the day for their own statement pass does not hold up the ruling.
    ripe = Q(state="stated") | Q(state="filed", statement_due_on__lt=viewer.today)
    return _branch(
        Dispute.objects.visible_to(viewer.user).filter(ripe), "rule", viewer.today, text=F("title"),
        due=F("ruling_due_on"), since=F("filed_on"), who=F("route"), mine=_mine(viewer.access.is_role(Role.LEADER)),
    )  # fmt: skip


def _steps(viewer: Viewer) -> QuerySet[Any]:
    earlier = DispatchStep.objects.filter(dispatch=OuterRef("dispatch"), step__lt=OuterRef("step"), done_on=None)
    seen = OpinionDispatch.objects.visible_to(viewer.user)
    rows = DispatchStep.objects.filter(~Exists(earlier), done_on=None, dispatch__in=seen)
    access, sent = viewer.access, ~Q(dispatch__office_number="")
    mine: Any = False
    if access.is_role(Role.BUREAU):
        mine = ~Q(side__in=["government", "unit"]) | ~sent
    elif access.is_role(Role.LEADER):
        mine = Q(side="government") & sent
    elif access.is_role(Role.UNIT):
        within = Project.units.through.objects.filter(unit_id__in=access.unit_ids)
        mine = Q(side="unit", dispatch__consultation__project_id__in=within.values("project_id")) & sent
    elif access.is_role(Role.DEPARTMENT):
        government = Organisation.objects.filter(
            pk=access.organisation_id or 0, kind=Organisation.Kind.GOVERNMENT, is_active=True
        )
        mine = Q(Exists(government), side="government") & sent
    sides = [When(side=side, then=_words(words)) for side, words in SIDES.items()]
    return _branch(
        rows, "step", viewer.today, project="dispatch__consultation__project", target="dispatch_id", text=F("act"),
        due=NO_DAY, since=TruncDate("dispatch__created"), who=Case(*sides, default=_words("")), mine=_mine(mine),
        blocked=_blocked(Q(dispatch__office_number="") & ~Q(side="bureau"), "函件未发出"),
    )  # fmt: skip


def _questions(viewer: Viewer) -> QuerySet[Any]:
    serving = Planner.objects.serving(viewer.today).filter(pk=OuterRef("planner_id"))
    return _branch(
        HardQuestion.objects.visible_to(viewer.user).filter(state="asked"), "question", viewer.today, project="",
        name=Coalesce(F("charge__name"), _words("")), text=F("title"), due=F("due_on"), since=F("asked_on"),
        who=F("planner__name"), mine=_mine(Q(planner_id__in=viewer.own)), personal=True,
        blocked=_blocked(~Exists(serving), "规划师已不在服务"),
    )  # fmt: skip


KINDS = {
    kind.code: kind
    for kind in (
        Kind("answer", "待出具意见", "去答复", "projects:consultation", _to_answer, PLANNERS, personal=True),
        Kind("returned", "意见书被退回", "去修改", "projects:opinion", _returned, PLANNERS, personal=True),
        Kind("endorse", "意见书待审核", "去审核", "projects:opinion", _to_endorse, (Role.LEAD,), personal=True),
        Kind("feedback", "待反馈采纳情况", "去反馈", "projects:adoption-answer", _to_feed_back, OFFICES),
        Kind("prove", "采纳待落实", "去登记", "projects:adoption-answer", _to_prove, OFFICES),
        Kind("extension", "延期申请待答复", "去答复", "projects:consultation", _extensions, OFFICES),
        Kind("unanswered", "无人答复须重新征询", "去办理", "projects:consultation", _unanswered, OFFICES),
        Kind("mend", "待整改", "去查看", "projects:rectification", _to_mend, personal=True),
        Kind("reinspect", "整改待复查", "去复查", "projects:rectification", _to_reinspect, PLANNERS, personal=True),
        Kind("escalated", "整改已上报", "去处理", "projects:rectification", _escalated, (Role.BUREAU,)),
        Kind("state", "分歧待陈述", "去陈述", "projects:dispute", _to_state, (*PLANNERS, *OFFICES), personal=True),
        Kind("rule", "分歧待裁定", "去裁定", "projects:dispute", _to_rule, (Role.LEADER,)),
        Kind("step", "函告待办理", "去办理", "projects:dispatch", _steps, (*OFFICES, Role.LEADER)),
        Kind("question", "疑难问题待解答", "去解答", "projects:question", _questions, PLANNERS, personal=True),
        Kind("data", "资料申请待答复", "去答复", "projects:data-request", _data_requests, (Role.BUREAU,)),
    )
}
CHOICES = [(kind.code, kind.label) for kind in KINDS.values()]


# What the person may see is worded into SQL once for as long as they are who they are (core.worded).
_WORDED = Worded()
# One step of narrowing: `filter` or `exclude`, with its conditions.
Step = tuple[str, tuple[Any, ...], tuple[tuple[str, Any], ...]]


class MatterSet:
    """The branches together, as a list page reads a queryset: filtered branch by branch, ordered and cut as one.

    `key`: everything that the branches are made from. They are made only where that was not worded before.
    """

    model = MatterColumns

    def __init__(
        self, make: Callable[[], Sequence[QuerySet[Any]]], key: tuple[Any, ...], steps: tuple[Step, ...] = (),
        order: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self._make, self._key, self._steps, self._order = make, key, steps, order

    def all(self) -> MatterSet:
        return self

    def filter(self, *args: Any, **kwargs: Any) -> MatterSet:
        return self._step("filter", args, kwargs)

    def exclude(self, *args: Any, **kwargs: Any) -> MatterSet:
        return self._step("exclude", args, kwargs)

    def _step(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MatterSet:
        step = (name, args, tuple(sorted(kwargs.items())))
        return MatterSet(self._make, self._key, (*self._steps, step), self._order)

    def order_by(self, *names: str) -> MatterSet:
        return MatterSet(self._make, self._key, self._steps, names)

    def values(self, *names: str) -> MatterSet:
        """What counting asks for; the columns are fixed."""
        return self

    @property
    def branches(self) -> list[QuerySet[Any]]:
        found = list(self._make())
        for name, args, kwargs in self._steps:
            found = [getattr(branch, name)(*args, **dict(kwargs)) for branch in found]
        return found

    def __getitem__(self, chosen: slice) -> list[dict[str, Any]]:
        """A piece of them, by one statement."""
        what = ("rows", self._order, chosen.start, chosen.stop)
        return _WORDED.rows((*self._key, self._steps, what), lambda: self.rows()[chosen])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def rows(self) -> Any:
        """All of them by one statement, as dicts."""
        first, *rest = [branch.values(*COLUMNS) for branch in self.branches]
        together = first.union(*rest, all=True) if rest else first
        return together.order_by(*self._order) if self._order else together

    def summary(self, today: date, soon: date) -> list[tuple[str, int, int, int, int]]:
        """(kind, all, late, due soon, blocked) of the kinds that occur; one query."""
        what = ("summary", today, soon)
        found = _WORDED.rows((*self._key, self._steps, what), lambda: self._counted(today, soon))
        # A branch without rows still adds up to one row of zeros.
        return [row for row in found if row[1]]

    def _counted(self, today: date, soon: date) -> QuerySet[Any]:
        counted = [
            branch.values("m_kind").annotate(
                n=Count("pk"), late=Count("pk", filter=Q(m_due__lt=today)),
                soon=Count("pk", filter=Q(m_due__gte=today, m_due__lte=soon)),
                blocked=Count("pk", filter=~Q(m_blocked="")),
            ).values_list("m_kind", "n", "late", "soon", "blocked")
            for branch in self.branches
        ]  # fmt: skip
        first, *rest = counted
        return first.union(*rest, all=True) if rest else first


def matters_for(
    user: User, *, today: date | None = None, kinds: Sequence[str] = (), duty: bool = False
) -> MatterSet:  # fmt: skip
    """All that waits and that the person may see; `kinds`: of these alone; `duty`: of those that can be their own.
    Nothing is read yet but who the person is."""
    with asked_once(user):
        viewer = Viewer.of(user, today or timezone.localdate())
    chosen = [kind for kind in KINDS.values() if not kinds or kind.code in kinds]
    # Of every role that sees the list something can be its own, but for the city: then one branch that is empty.
    fitting = [kind for kind in chosen if not duty or viewer.access.role in kind.duty]
    chosen = fitting or chosen[:1]

    def branches() -> list[QuerySet[Any]]:
        with acting_as(user, viewer.access, own=viewer.own, led=viewer.led, offices=viewer.acts_for):
            return [kind.rows(viewer) for kind in chosen]

    return MatterSet(branches, (*viewer.key, tuple(kind.code for kind in chosen)))


def url_of(row: dict[str, Any]) -> str:
    """Where the matter is done."""
    return reverse(KINDS[row["m_kind"]].url_name, args=[row["m_target"]])
