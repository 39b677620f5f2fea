"""Which projects, consultations, opinions and matters a person may see; and reads in the words of the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.roles import Role
from districts.access import Access, access_of, current_membership
from districts.models import Organisation, Unit
from planners.models import Assignment, Institution, Planner, TeamMember
from planners.querysets import on_date

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (
        Consultation,
        Consultee,
        DataRequest,
        Dispute,
        HardQuestion,
        ItemAnswer,
        Opinion,
        OpinionDispatch,
        Project,
        Rectification,
        Recusal,
    )

T = TypeVar("T")

# Roles that read everything of their locality's reviews. Administrators of the system are not among them.
_LOCALITY_READERS = (Role.BUREAU, Role.LEADER, Role.CITY)
# What an author and their team keep to themselves until it is handed in.
IN_HAND = ("draft", "endorsing", "returned")
HANDED_IN = ("submitted", "superseded")


# What is known of the person for the length of one list that asks many querysets at once (`asked_once`).
_KNOWN: ContextVar[dict[Any, Any] | None] = ContextVar("known of the person", default=None)


@contextmanager
def asked_once(user: User) -> Iterator[None]:
    """Within it, who the person is and for whom they act is known beforehand, however many querysets ask: by one query
    for planners and for those who act for a body, by none for everybody else."""
    access, membership = access_of(user), current_membership(user)
    known: dict[Any, Any] = {}
    if access.is_role(Role.PLANNER, Role.LEAD):
        own = Planner.objects.filter(user_id=user.pk).order_by()
        led = (_led_by(user) if access.is_role(Role.LEAD) else Planner.objects.none()).order_by()
        rows = own.values_list("pk", models.Value("own")).union(led.values_list("pk", models.Value("led")))
        known = {("own", user.pk): [], ("led", user.pk): []}
        for pk, kind in rows:
            known[kind, user.pk].append(pk)
    if membership is not None:
        named = {access.organisation_id, membership.unit.office_id if membership.unit else None}
        known["offices", access.membership_id] = _acting_for({pk for pk in named if pk is not None})
    mark = _KNOWN.set(known)
    try:
        yield
    finally:
        _KNOWN.reset(mark)


@contextmanager
def acting_as(
    user: User, access: Access, *, own: Iterable[int], led: Iterable[int], offices: Iterable[int]
) -> Iterator[None]:
    """Like `asked_once`, of what is known already: nothing is read, so that statements worded here stay true."""
    known: dict[Any, Any] = {
        ("offices", access.membership_id): set(offices), ("reaching", access.membership_id): _reaching(access),
    }  # fmt: skip
    if access.is_role(Role.PLANNER, Role.LEAD):
        known |= {("own", user.pk): list(own), ("led", user.pk): list(led)}
    mark = _KNOWN.set(known)
    try:
        yield
    finally:
        _KNOWN.reset(mark)


def _known(key: Any, read: Callable[[], T]) -> T:
    kept: T | None = (_KNOWN.get() or {}).get(key)
    return read() if kept is None else kept


def _led_by(user: User) -> Any:
    return Planner.objects.filter(team_memberships__team__lead__user_id=user.pk)


def own_planners(user: User) -> list[int]:
    """The planner that the person is (none for everybody else)."""
    return _known(("own", user.pk), lambda: list(Planner.objects.of_user(user).values_list("pk", flat=True)))


def led_planners(user: User) -> list[int]:
    """Planners in the teams that the person leads; ids first, because an OR over joined tables scans."""
    return _known(("led", user.pk), lambda: list(_led_by(user).distinct().values_list("pk", flat=True)))


def offices_of(access: Access) -> set[int]:
    """The organisations in whose name a unit's officer or a department's user acts: their own while it is in use, and
    the dissolved ones that it came after. In the name of a dissolved body nobody acts but its heir."""
    return _known(("offices", access.membership_id), lambda: _offices(access))


def reaching_in(access: Access) -> Any:
    """Projects of other localities that reach into those of this person: their ids, for there are few; in a statement
    that is kept (`acting_as`) the question itself."""
    return _known(("reaching", access.membership_id), lambda: list(_reaching(access)[:1000]))


def _reaching(access: Access) -> Any:
    from .models import Project

    shared = Project.also_in.through.objects.filter(locality_id__in=access.locality_ids)
    return shared.values_list("project_id", flat=True)


def _offices(access: Access) -> set[int]:
    found = {access.organisation_id}
    if access.unit_id is not None:
        found.update(Unit.objects.filter(pk=access.unit_id).values_list("office_id", flat=True))
    return _acting_for({pk for pk in found if pk is not None})


def _acting_for(named: set[int]) -> set[int]:
    """Of these bodies the ones in use, with those whose matters they took over; one query."""
    if not named:
        return set()
    left = Q(is_active=False, succeeded_by__isnull=False)
    rows = list(
        Organisation.objects.filter(Q(pk__in=named, is_active=True) | left)
        .order_by()
        .values_list("pk", "is_active", "succeeded_by_id")
    )
    found = {pk for pk, in_use, _ in rows if in_use}
    # An heir may have been dissolved in its turn: as far back as it goes.
    while more := {pk for pk, in_use, heir in rows if not in_use and heir in found} - found:
        found |= more
    return found


def institutions_of(planners: Iterable[int]) -> Any:
    """The institutions that employ one of these planners, or whose team they are in today."""
    ids = list(planners)
    members = TeamMember.objects.filter(on_date(timezone.localdate()), planner_id__in=ids)
    employed = Planner.objects.filter(pk__in=ids, institution__isnull=False).values("institution_id")
    return Institution.objects.filter(Q(pk__in=employed) | Q(pk__in=members.values("team__institution_id")))


def parties_among(houses: Any) -> Any:
    """Parties that are one of these institutions: tied to the register, or registered under the same name."""
    from .models import ProjectParty

    same = Q(institution__in=houses.order_by().values("pk")) | Q(name__in=houses.order_by().values("name"))
    return ProjectParty.objects.filter(same, is_active=True)


def kept_out(planners: Iterable[int]) -> Q:
    """Rows (with a `project_id`) of projects that one of these planners keeps out of: by a recusal that stands, or
    because an institution of theirs is party to it. Such rows are not for them: no list, count or search says they
    exist."""
    from .models import Recusal

    ids = list(planners)
    recused = Recusal.objects.filter(planner_id__in=ids, ended_at=None).values("project_id")
    return Q(project_id__in=recused) | Q(project_id__in=parties_among(institutions_of(ids)).values("project_id"))


def _here(access: Access) -> Q:
    """One locality is an equality, so that the index gives the rows in order."""
    ids = access.locality_ids
    return Q(locality_id=next(iter(ids))) if len(ids) == 1 else Q(locality_id__in=ids)


def _in_units(access: Access, path: str = "project_id") -> Q:
    from .models import Project

    own = Project.units.through.objects.filter(unit_id__in=access.unit_ids)
    return Q(**{f"{path}__in": own.values("project_id")})


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User) -> ProjectQuerySet:
        """A unit's office sees the projects of its unit; everybody else those of their localities, and those that
        reach into them from elsewhere."""
        access = access_of(user)
        if access.unit_id is not None:
            return self.filter(_in_units(access, "pk"))
        ids = reaching_in(access)
        # Where none reaches across, the index gives the rows in order.
        return self.filter(_here(access)) if ids == [] else self.filter(_here(access) | Q(pk__in=ids))


class _OfProject(models.QuerySet[Any]):
    """Rows that whoever sees the project sees."""

    def visible_to(self, user: User) -> Any:
        from .models import Project

        return self.filter(project__in=Project.objects.visible_to(user))


class ProjectStageQuerySet(_OfProject):
    def current(self) -> Any:
        return self.filter(state="open")


class ProjectFileQuerySet(_OfProject):
    """Who sees that a file exists; who may open it is `projects.permissions` (保密协议)."""


class PartyQuerySet(_OfProject):
    """Names of parties; a phone is masked for everybody."""

    def active(self) -> Any:
        return self.filter(is_active=True)


class RecusalQuerySet(models.QuerySet["Recusal"]):
    def visible_to(self, user: User) -> RecusalQuerySet:
        """The bureau and those above it; the unit's office and the owner of the project; of planners the own ones."""
        access = access_of(user)
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(project__locality_id__in=access.locality_ids)
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            owned = Q(project__owner_id__in=offices_of(access), project__locality_id__in=access.locality_ids)
            return self.filter(owned | _in_units(access)) if access.unit_id is not None else self.filter(owned)
        if access.is_role(Role.PLANNER, Role.LEAD):
            return self.filter(planner_id__in=own_planners(user))
        return self.none()

    def standing(self) -> RecusalQuerySet:
        return self.filter(ended_at=None)


class ConsultationQuerySet(models.QuerySet["Consultation"]):
    def visible_to(self, user: User) -> ConsultationQuerySet:
        """The bureau and those above it; who asked; the unit's office for projects of its unit; the owner of the
        project; the planners who were asked or write along, unless they keep out of it; and the lead of their team."""
        from .models import Consultee, OpinionAuthor

        access = access_of(user)
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(_here(access))
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            offices = offices_of(access)
            mine = Q(asker_id__in=offices) | Q(project__owner_id__in=offices)
            rows = self.filter(locality_id__in=access.locality_ids)
            return rows.filter(mine | _in_units(access)) if access.unit_id is not None else rows.filter(mine)
        if access.is_role(Role.PLANNER, Role.LEAD):
            own = own_planners(user)
            people = [*own, *led_planners(user)] if access.is_role(Role.LEAD) else own
            asked = Consultee.objects.filter(planner_id__in=people).exclude(state="recused")
            written = OpinionAuthor.objects.filter(planner_id__in=own)
            mine = Q(pk__in=asked.values("consultation_id"))
            mine |= Q(pk__in=written.values("opinion__consultee__consultation_id"))
            return self.filter(mine).exclude(kept_out(own))
        return self.none()

    def running(self) -> ConsultationQuerySet:
        return self.filter(state__in=["asked", "suspended"])

    def awaiting_adoption(self) -> ConsultationQuerySet:
        """Answered, and the asker still owes what becomes of it."""
        return self.filter(state="answered")


class ConsulteeQuerySet(models.QuerySet["Consultee"]):
    def visible_to(self, user: User) -> ConsulteeQuerySet:
        from .models import Consultation

        return self.filter(consultation__in=Consultation.objects.visible_to(user))

    def waiting(self) -> ConsulteeQuerySet:
        """Those from whom an answer is still awaited."""
        return self.filter(state="asked", consultation__state__in=["asked", "suspended"])


class OpinionQuerySet(models.QuerySet["Opinion"]):
    def visible_to(self, user: User) -> OpinionQuerySet:
        """A draft is its authors' own; what waits for endorsement also the lead's; what is handed in is for everybody
        who sees the consultation."""
        from .models import Consultation, OpinionAuthor

        access = access_of(user)
        handed_in = Q(state__in=HANDED_IN, consultee__consultation__in=Consultation.objects.visible_to(user))
        if not access.is_role(Role.PLANNER, Role.LEAD):
            return self.filter(handed_in)
        own = own_planners(user)
        written = OpinionAuthor.objects.filter(planner_id__in=own)
        mine = Q(author_id__in=own) | Q(pk__in=written.values("opinion_id"))
        if access.is_role(Role.LEAD):
            mine |= Q(author_id__in=led_planners(user), state__in=["endorsing", "returned"])
        out = Consultation.objects.filter(kept_out(own)).values("pk")
        mine &= ~Q(consultee__state="recused") & ~Q(consultee__consultation_id__in=out)
        return self.filter(mine | handed_in)

    def counting(self) -> OpinionQuerySet:
        """What stands: submitted and not superseded."""
        return self.filter(state="submitted")


class ItemAnswerQuerySet(models.QuerySet["ItemAnswer"]):
    def visible_to(self, user: User) -> ItemAnswerQuerySet:
        from .models import Opinion

        return self.filter(item__opinion__in=Opinion.objects.visible_to(user))

    def current(self) -> ItemAnswerQuerySet:
        return self.filter(is_current=True)

    def unproven(self) -> ItemAnswerQuerySet:
        """Adopted, wholly or in part, of an opinion that stands, and nothing says yet that it was done. A proof counts
        for the item: a later version of the answer needs no second one."""
        from .models import ItemProof

        proofs = ItemProof.objects.filter(answer__item=OuterRef("item"))
        rows = self.filter(is_current=True, decision__in=["adopted", "partly"], item__opinion__state="submitted")
        return rows.exclude(item__opinion__consultee__state="recused").filter(~Exists(proofs))


class RectificationQuerySet(models.QuerySet["Rectification"]):
    def visible_to(self, user: User) -> RectificationQuerySet:
        """The bureau and those above it; the unit's office and the owner of the project; who raised it, the lead of
        their team, who is asked about the project, and who serves it now (they follow up what a predecessor raised)."""
        from .models import Consultation

        access = access_of(user)
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(_here(access))
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            owned = Q(project__owner_id__in=offices_of(access), locality_id__in=access.locality_ids)
            return self.filter(owned | _in_units(access)) if access.unit_id is not None else self.filter(owned)
        if access.is_role(Role.PLANNER, Role.LEAD):
            own = own_planners(user)
            people = [*own, *led_planners(user)] if access.is_role(Role.LEAD) else own
            asked = Consultation.objects.visible_to(user).values("project_id")
            near = Q(raised_by_id__in=people) | Q(project_id__in=asked) | Q(project_id__in=served_projects(own))
            return self.filter(near).exclude(kept_out(own))
        return self.none()

    def unsettled(self) -> RectificationQuerySet:
        """What follows the project into acceptance and blocks it."""
        return self.filter(state__in=["open", "replied", "escalated"])


def served_projects(planners: list[int]) -> Any:
    """Ids of the projects that these planners serve today: in their units, or as responsible projects; one subquery."""
    from .models import Project

    today = timezone.localdate()
    members = TeamMember.objects.filter(on_date(today), planner_id__in=planners)
    running = Assignment.objects.running(today).filter(
        Q(planner_id__in=planners)
        | Q(group_id__in=members.values("group_id"))
        | Q(team_id__in=members.values("team_id"))
    )
    charges = running.values("charge_id")
    in_units = Project.units.through.objects.filter(unit__charge_id__in=charges).values("project_id")
    return Project.objects.filter(Q(pk__in=in_units) | Q(charge_id__in=charges)).values("pk")


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def visible_to(self, user: User) -> DisputeQuerySet:
        """Both sides, the bureau and those above it. What is ruled with a principle is a precedent for the locality.

        The planners' side of an item is its author and the lead of their team; of a rectification, who sees it; of the
        project itself, who is asked about it or serves it now.
        """
        from .models import Consultation, Rectification

        access = access_of(user)
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(_here(access))
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            offices = offices_of(access)
            rows = self.filter(locality_id__in=access.locality_ids)
            side = Q(project__owner_id__in=offices)
            side |= Q(item__opinion__consultee__consultation__asker_id__in=offices)
            if offices:
                # Filed in the name of the body: with the body it is over.
                side |= Q(raised_by_id=user.pk)
            return rows.filter(side | _in_units(access)) if access.unit_id is not None else rows.filter(side)
        if access.is_role(Role.PLANNER, Role.LEAD):
            own = own_planners(user)
            people = [*own, *led_planners(user)] if access.is_role(Role.LEAD) else own
            asked = Consultation.objects.visible_to(user).values("project_id")
            whole = Q(project_id__in=asked) | Q(project_id__in=served_projects(own))
            return self.filter(
                Q(raised_by_id=user.pk)
                | Q(item__opinion__author_id__in=people)
                | Q(rectification__in=Rectification.objects.visible_to(user))
                | Q(item=None, rectification=None) & whole
            ).exclude(kept_out(own))
        return self.none()

    def precedents_for(self, user: User) -> DisputeQuerySet:
        """Rulings that others may lean on; read by everybody with a role there, without who stood on which side."""
        return self.filter(_here(access_of(user)), state="ruled").exclude(principle="")

    def unsettled(self) -> DisputeQuerySet:
        return self.filter(state__in=["filed", "stated"])


class DataRequestQuerySet(models.QuerySet["DataRequest"]):
    def visible_to(self, user: User) -> DataRequestQuerySet:
        access = access_of(user)
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(_here(access))
        if access.is_role(Role.PLANNER, Role.LEAD):
            return self.filter(planner_id__in=own_planners(user))
        return self.none()


class DispatchQuerySet(models.QuerySet["OpinionDispatch"]):
    def visible_to(self, user: User) -> DispatchQuerySet:
        """Whoever sees the request; and the government to whom it goes, which need not have seen the request."""
        from .models import Consultation

        seen = Q(consultation__in=Consultation.objects.visible_to(user))
        access = access_of(user)
        if access.is_role(Role.DEPARTMENT) and access.organisation_id is not None:
            government = Organisation.objects.filter(
                pk=access.organisation_id, kind=Organisation.Kind.GOVERNMENT, is_active=True
            )
            addressed = Q(locality_id__in=access.locality_ids, steps__side="government")
            sent = self.filter(addressed & ~Q(office_number=""), Exists(government)).values("pk")
            seen |= Q(pk__in=sent)
        return self.filter(seen)


class HardQuestionQuerySet(models.QuerySet["HardQuestion"]):
    def visible_to(self, user: User) -> HardQuestionQuerySet:
        access = access_of(user)
        if access.is_role(*_LOCALITY_READERS):
            return self.filter(_here(access))
        if access.is_role(Role.PLANNER, Role.LEAD):
            own = own_planners(user)
            return self.filter(planner_id__in=[*own, *led_planners(user)] if access.is_role(Role.LEAD) else own)
        if access.is_role(Role.UNIT, Role.DEPARTMENT):
            rows = self.filter(locality_id__in=access.locality_ids)
            return rows.filter(Q(asker_id__in=offices_of(access)) | Q(charge_id__in=access.charge_ids))
        return self.none()
