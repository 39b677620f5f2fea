"""Reviews of the demo: a project asked about, answered and answered for, another under construction with something to
mend, a disagreement; made through the services, each act on a day of its own before today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from core.files import store_photo
from districts.models import Locality, Membership, Unit
from districts.services.policies import policy_in_force
from planners.models import Planner
from planners.services.assignments import charges_of
from projects.models import Consultation, Consultee, Opinion, Project, ProjectParty
from projects.permissions_disputes import Matter, route_of
from projects.permissions_rectifications import can_open
from projects.services.adoption import Given, answer_items, items_of
from projects.services.consultations import Request, ask, setting_of
from projects.services.disputes import file_dispute
from projects.services.opinions import (
    ItemGiven,
    Written,
    endorse_opinion,
    enter_paper_opinion,
    save_opinion,
    submit_opinion,
)
from projects.services.rectifications import enter_reply, open_rectification
from projects.services.registry import create_project

from .pictures import street_scene
from .places import PLANS
from .texts import REVIEW_ITEMS

if TYPE_CHECKING:
    from collections.abc import Sequence


@contextmanager
def on_day(day: date) -> Iterator[None]:
    """What is done inside is done on `day`, at ten in the morning: the demo tells of the past. Rules read the clock
    through `timezone.now` alone; nothing else runs beside the command."""
    real, shown = timezone.now, timezone.make_aware(datetime.combine(day, time(10)))
    timezone.now = lambda: shown
    try:
        yield
    finally:
        timezone.now = real


def build_reviews(today: date) -> int:
    """Two projects with their reviews in each locality with logins; the number of requests."""
    made = 0
    for plan in PLANS:
        people = {user.username.rpartition("-")[0]: user for user in User.objects.filter(is_demo=True)
                  if plan.suffix and user.username.endswith(f"-{plan.suffix}")}  # fmt: skip
        if people:
            made += _Place(Locality.objects.get(code=plan.code), people, today).build()
    return made


class _Place:
    """One locality with those who log in there."""

    def __init__(self, locality: Locality, people: dict[str, User], today: date) -> None:
        self.locality, self.people, self.today = locality, people, today
        self.bureau, self.planner = people["bureau"], Planner.objects.get(user=people["planner"])
        served = [row.charge.pk for row in charges_of(self.planner, today)]
        own = Membership.objects.filter(user=people["unit"]).values("unit_id")
        units = Unit.objects.filter(charge_id__in=served) | Unit.objects.filter(pk__in=own)
        self.units = list(units.order_by("pk").distinct()[:2])

    def build(self) -> int:
        scheme = self._project("重点片区更新实施方案（示例）", Project.Kind.RENEWAL, Project.Stage.SCHEME, 40)
        site = self._project("街角广场改造（示例）", Project.Kind.PUBLIC_SPACE, Project.Stage.CONSTRUCTION, 35)
        with on_day(self._ago(20)):
            first = self._ask(scheme, "实施方案征求意见")
        for consultee in first.consultees.select_related("planner").order_by("pk"):
            with on_day(self._ago(14)):
                self._answer(consultee)
        first.refresh_from_db()
        if first.state == Consultation.State.ANSWERED:
            with on_day(self._ago(9)):
                self._answer_for(first)
        with on_day(self._ago(3)):
            self._ask(scheme, "沿街立面深化方案征求意见")
        self._mend(site)
        self._disagree(scheme, first)
        return 2

    def _ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _project(self, name: str, kind: str, stage: str, ago: int) -> Project:
        with on_day(self._ago(ago)):
            policy = policy_in_force(self.locality, self._ago(ago))
            tiers = [row["title"] for row in (policy.value("review.tiers") if policy is not None else None) or ()]
            # The second tier where there is one: several planners are asked about it.
            tier = dict.fromkeys(tiers)
            number = Project.objects.filter(locality=self.locality).count() + 1
            project = create_project(
                self.locality, actor=self.bureau, units=self.units, name=self.units[0].name + name, kind=kind,
                stage=stage, number=f"{self.locality.code}-{self.today.year}-{number:03d}", place=self.units[0].name,
                tier=list(tier)[min(1, len(tier) - 1)] if tier else "", owner=self.units[0].office,
            )  # fmt: skip
            for role, party in (
                ("builder", "示例建设单位"),
                ("designer", "示例设计单位"),
                ("contractor", "示例施工单位"),
            ):
                ProjectParty.objects.create(project=project, role=role, name=party)
        return project

    def _ask(self, project: Project, what: str) -> Consultation:
        """Whom the policy says; where it names nobody who serves there, the planner who logs in."""
        seats = [one.planner for one in setting_of(project).proposal.asked]
        chosen: dict[str, object] = {}
        if self.planner not in seats:
            chosen = {"planners": [*seats, self.planner], "change_reason": "由熟悉该片区的规划师一并答复（示例）"}
        request = Request(f"{project.name}{what}", **chosen)  # type: ignore[arg-type]
        return ask(project, actor=self.bureau, request=request)

    def _written(self) -> Written:
        items = [ItemGiven(text, severity=severity, basis=basis) for text, severity, basis in REVIEW_ITEMS]
        return Written("agree_after", "总体符合片区更新方向，沿街界面和无障碍设施须深化后实施。", items)

    def _answer(self, consultee: Consultee) -> None:
        user = consultee.planner.user
        if user is None or user.username.rpartition("-")[0] not in ("planner", "lead"):
            scan, _ = store_photo(self._photo(consultee.pk), actor=self.bureau, purpose="opinion_scan")
            enter_paper_opinion(
                consultee, actor=self.bureau, written=self._written(), scan=scan, received_on=timezone.localdate()
            )
            return
        opinion = save_opinion(consultee, actor=user, written=self._written(), revision=0)
        opinion = submit_opinion(opinion, actor=user)
        if opinion.state == Opinion.State.ENDORSING:
            endorse_opinion(opinion, actor=self.people["lead"])

    def _answer_for(self, consultation: Consultation) -> None:
        """Adopted, adopted in part, and one refused with a reason."""
        due = self.today + timedelta(days=30)
        said: Sequence[Given] = (
            Given("adopted", owner="项目科（示例）", due_on=due),
            Given("partly", "限高须按已批复的控制要求执行。", "设计单位（示例）", due),
            Given("refused", "该处为已批复的道路红线，不再调整。"),
        )
        rows = list(items_of(consultation))
        answer_items(
            consultation, actor=self.bureau, answers={row.pk: said[number % 3] for number, row in enumerate(rows)}
        )

    def _mend(self, site: Project) -> None:
        """Something found on the site and answered, where the policy lets planners ask for it."""
        with on_day(self._ago(12)):
            if not can_open(self.people["planner"], site, self.planner):
                return
            found = open_rectification(
                site, actor=self.people["planner"], planner=self.planner, subject="node",
                text="广场入口坡道与审定方案不符，轮椅无法通行，请按图纸返工。", basis="审定施工图总平面",
                contractor=site.parties.get(role="contractor"), due_on=self.today + timedelta(days=5),
            )  # fmt: skip
        with on_day(self._ago(4)):
            enter_reply(
                found, actor=self.bureau, text="已拆除原坡道并按 1:12 重新施工，请复查。", signed_as="示例施工单位"
            )

    def _disagree(self, project: Project, consultation: Consultation) -> None:
        """The planner takes what was refused to the district, where the policy has a route."""
        item = items_of(consultation).filter(answers__decision="refused", opinion__author=self.planner).first()
        _, route = route_of(project)
        if item is None or route is None:
            return
        with on_day(self._ago(2)):
            file_dispute(
                Matter(project, item), actor=self.people["planner"], title="转角道路红线是否调整",
                text="转角处人行道不足两米，建议结合更新一并退让。", raised_for=self.planner.name,
            )  # fmt: skip

    def _photo(self, number: int) -> SimpleUploadedFile:
        return SimpleUploadedFile("纸质意见扫描件（示例）.jpg", street_scene(number), content_type="image/jpeg")
