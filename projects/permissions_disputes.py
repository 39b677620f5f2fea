"""Who may take a disagreement to the district, state a position, and rule; by the route that the policy names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from core.permissions import Decision
from districts.access import access_of, persons_behind
from districts.policy.values import EffectivePolicy
from projects.models import Consultation, Dispute, Opinion, OpinionAuthor, OpinionItem, Project, Rectification
from projects.permissions_rectifications import UNSETTLED, is_follower
from projects.querysets import asked_once, led_planners, offices_of, own_planners, served_projects
from projects.sides import is_bureau_of, is_leader_of, is_office_of, is_planner, speaks_for
from projects.stage_policy import CLAUSE_UNSET, binding_policy, latest_stage

WORDS = {
    "filed": "这项分歧正等待对方陈述",
    "stated": "这项分歧正等待裁定",
    "ruled": "这项分歧已裁定",
    "withdrawn": "这项分歧已撤回",
}
_KEY = "review.dispute"


@dataclass(frozen=True, slots=True)
class Matter:
    """What a disagreement is about: one item, one rectification, or (with neither) the project as it stands."""

    project: Project
    item: OpinionItem | None = None
    rectification: Rectification | None = None

    @classmethod
    def of(cls, dispute: Dispute) -> Matter:
        return cls(dispute.project, dispute.item, dispute.rectification)


def route_of(project: Project) -> tuple[EffectivePolicy | None, dict[str, Any] | None]:
    """The policy that counts, and its route: who may raise, and to whom; None where it names none."""
    policy = binding_policy(latest_stage(project), project)
    return policy, policy.value(_KEY) if policy is not None else None


def side_of(user: Any, matter: Matter) -> str:
    """On which side of the matter the person stands, as a value of Dispute.Side; empty on neither."""
    if is_planner(user):
        return Dispute.Side.PLANNER if _concerns_planner(user, matter) else ""
    access = access_of(user)
    if is_bureau_of(access, matter.project) or is_office_of(access, matter.project) or _asked_for_it(user, matter):
        return Dispute.Side.PARTIES
    return ""


def _concerns_planner(user: Any, matter: Matter) -> bool:
    own = own_planners(user)
    if matter.item is not None:
        opinion = matter.item.opinion
        if opinion.author_id in {*own, *led_planners(user)}:
            return True
        return OpinionAuthor.objects.filter(opinion_id=opinion.pk, planner_id__in=own).exists()
    if matter.rectification is not None:
        return is_follower(user, matter.rectification)
    if served_projects(own).filter(pk=matter.project.pk).exists():
        return True
    return Consultation.objects.visible_to(user).filter(project=matter.project).exists()


def _asked_for_it(user: Any, matter: Matter) -> bool:
    """The body that asked for the opinion, whoever owns the project."""
    if matter.item is None:
        return False
    asker = matter.item.opinion.consultee.consultation.asker_id
    return access_of(user).covers(matter.project.locality_id) and asker in offices_of(access_of(user))


def can_file(user: Any, matter: Matter) -> Decision:
    """京核心区 四(二): either side, where and as the locality's policy says; one open dispute a matter."""
    side = side_of(user, matter)
    if not side:
        return Decision.no("只有与此事有关的责任规划师和相关单位可以提请协调。")
    return _by_policy(user, side, matter, *route_of(matter.project)) and _none_open(matter)


def _by_policy(
    user: Any, side: str, matter: Matter, policy: EffectivePolicy | None, route: dict[str, Any] | None
) -> Decision:
    if route is None:
        return Decision.no(f"本地制度对分歧协调{CLAUSE_UNSET}，平台不受理提请。")
    if not _may_raise(user, side, set(route["raised_by"]), matter):
        words = policy.get(_KEY).display if policy is not None else ""
        return Decision.no(f"按本地制度，您所在的一方不能提请协调（{words}）。")
    if matter.rectification is not None and matter.rectification.state not in UNSETTLED:
        return Decision.no("这项整改已办结，不能再提请协调。")
    if matter.item is not None and matter.item.opinion.state != Opinion.State.SUBMITTED:
        return Decision.no("只能就已提交且现行有效的意见提请协调。")
    return Decision.yes()


def fileable(user: Any, items: Sequence[OpinionItem]) -> set[int]:
    """Of the items of one request those for which `can_file` says yes; as many queries for one as for thirty.

    Apart from what is open already the answer is the same for all items of an opinion, and for those who are no
    planners for all of a request.
    """
    if not items:
        return set()
    project = items[0].opinion.consultee.consultation.project
    answers: dict[int, bool] = {}
    with asked_once(user):
        policy, route = route_of(project)
        for item in items:
            key = item.opinion_id if is_planner(user) else 0
            if item.opinion.state == Opinion.State.SUBMITTED and key not in answers:
                matter = Matter(project, item)
                side = side_of(user, matter)
                answers[key] = bool(side and _by_policy(user, side, matter, policy, route))
    found = {
        item.pk
        for item in items
        if item.opinion.state == Opinion.State.SUBMITTED and answers[item.opinion_id if is_planner(user) else 0]
    }
    return found - set(Dispute.objects.unsettled().filter(item__in=found).values_list("item_id", flat=True))


def _may_raise(user: Any, side: str, named: set[str], matter: Matter) -> bool:
    if side == Dispute.Side.PLANNER:
        return bool(named & {"planner", "team"})
    if speaks_for(user, named, matter.project):
        return True
    return _asked_for_it(user, matter) and bool(named & {"department", "unit", "bureau", "parties"})


def _none_open(matter: Matter) -> Decision:
    rows = Dispute.objects.filter(project=matter.project, item=matter.item, rectification=matter.rectification)
    return Decision.of(not rows.unsettled().exists(), otherwise="同一事项已有分歧在协调中。")


def can_state(user: Any, dispute: Dispute) -> Decision:
    """Either side, as often as it has something to add, until the ruling."""
    if not side_of(user, Matter.of(dispute)):
        return Decision.no("只有分歧双方可以陈述。")
    return _in_state(dispute, "filed", "stated")


def can_answer_filing(user: Any, dispute: Dispute) -> Decision:
    """The first word of the other side, by which the matter is ready for a ruling."""
    if side_of(user, Matter.of(dispute)) in {"", dispute.raised_side}:
        return Decision.no("等待另一方陈述。")
    return _in_state(dispute, "filed")


def can_withdraw(user: Any, dispute: Dispute) -> Decision:
    if dispute.raised_by_id not in persons_behind(user):
        return Decision.no("只有提请人可以撤回。")
    return _in_state(dispute, "filed", "stated")


def can_rule(user: Any, dispute: Dispute) -> Decision:
    """The district rules, once it has heard the other side or that side's term is over (or none is set)."""
    if not is_leader_of(access_of(user), dispute.project):
        return Decision.no("只有区领导（工作组）可以裁定。")
    if dispute.raised_by_id in persons_behind(user):
        return Decision.no("不能裁定自己（被代理人）提请的分歧。")
    if dispute.state == Dispute.State.FILED:
        due = dispute.statement_due_on
        return Decision.of(
            due is None or due < timezone.localdate(),
            otherwise=f"对方尚未陈述，陈述期限到 {due} 为止，期满后可以裁定。",
        )
    return _in_state(dispute, "stated")


def _in_state(dispute: Dispute, *states: str) -> Decision:
    return Decision.of(dispute.state in states, otherwise=WORDS[dispute.state] + "。")
