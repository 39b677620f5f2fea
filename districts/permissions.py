"""Who may do what with localities, units, organisations and their contacts, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.roles import THREE_ADMINISTRATORS, Role
from core.permissions import Decision
from districts.access import access_of, place_of
from districts.models import (
    Contact,
    Division,
    Locality,
    Membership,
    Organisation,
    PolicyDecision,
    PolicyPack,
    Unit,
)
from districts.models.memberships import Standing

if TYPE_CHECKING:
    from accounts.models import User

_BUREAU_ONLY = "仅本地方的规划主管部门（市局、分局）可以维护"


def _is_bureau_of(user: Any, locality_id: int) -> bool:
    access = access_of(user)
    return access.is_role(Role.BUREAU) and access.covers(locality_id)


def can_start_localities(user: Any, _: Any = None) -> Decision:
    """May open the page at all; which divisions, `can_start_locality` says."""
    return Decision.of(
        access_of(user).is_role(Role.SYSADMIN, Role.BUREAU), otherwise="仅系统管理员和规划主管部门可以启用新的地方"
    )


def can_start_locality(user: Any, division: Division) -> Decision:
    """System administrators start any locality; a bureau those inside its own."""
    access = access_of(user)
    if access.is_role(Role.SYSADMIN):
        return Decision.yes()
    if not access.is_role(Role.BUREAU):
        return Decision.no("仅系统管理员和规划主管部门可以启用新的地方")
    place = place_of(user)
    home = place.division_id if place is not None else None
    inside = bool(home) and division.code != home and division.code.startswith(str(home))
    return Decision.of(inside, otherwise="规划主管部门只能启用本地方下级的地方")


def can_manage_locality(user: Any, locality: Locality) -> Decision:
    """Create units and organisations."""
    return Decision.of(_is_bureau_of(user, locality.pk), otherwise=_BUREAU_ONLY)


def managed_place(user: Any) -> Locality | None:
    """The locality that this person's "new …" buttons lead to; None when they may not create anything."""
    place = place_of(user)
    return place if place is not None and can_manage_locality(user, place) else None


def can_edit_unit(user: Any, unit: Unit) -> Decision:
    return Decision.of(_is_bureau_of(user, unit.locality_id), otherwise=_BUREAU_ONLY + "责任单元")


def can_change_unit(user: Any, unit: Unit) -> Decision:
    """Rename, merge, split, retire or hand over: the bureau, while the unit has no end."""
    if not (decision := can_edit_unit(user, unit)):
        return decision
    ended = f"“{unit}”的终止日期为 {unit.valid_to}，不能再办理变更；如有差错，请在后继单元上办理"
    return Decision.of(unit.valid_to is None, otherwise=ended)


def can_edit_organisation(user: Any, organisation: Organisation) -> Decision:
    return Decision.of(_is_bureau_of(user, organisation.locality_id), otherwise=_BUREAU_ONLY + "单位")


def can_add_contact(user: Any, unit: Unit) -> Decision:
    """The bureau, and the unit's own office (聊城市责任规划师制度 四(三))."""
    own = access_of(user).is_role(Role.UNIT) and access_of(user).unit_id == unit.pk
    return Decision.of(
        own or _is_bureau_of(user, unit.locality_id), otherwise="仅规划主管部门和本责任单元的主管部门可以维护联系人"
    )


def can_edit_contact(user: Any, contact: Contact) -> Decision:
    if contact.unit is not None:
        return can_add_contact(user, contact.unit)
    return can_edit_organisation(user, contact.organisation)


def can_see_contact_phone(user: Any, contact: Contact) -> Decision:
    """Contacts exist to be called by those who work together; everybody else sees the masked number."""
    access = access_of(user)
    if not access.covers(contact.organisation.locality_id):
        return Decision.no("不属于本地方")
    if access.is_role(Role.UNIT):
        own = contact.unit_id == access.unit_id or contact.organisation.kind == Organisation.Kind.BUREAU
        return Decision.of(own, otherwise="仅可查看本责任单元和规划主管部门联系人的电话")
    return Decision.of(
        access.is_role(Role.BUREAU, Role.PLANNER, Role.LEAD, Role.DEPARTMENT, Role.LEADER),
        otherwise="当前身份无需联系，不能查看完整电话",
    )


def can_set_policy(user: Any, pack: PolicyPack, localities: tuple[str, ...] = ()) -> Decision:
    """Enter a supplement or an amendment: the bureau of every locality that it would reach (all, unless it names some).

    A pack may serve several localities; none of them may change the rules of another.
    """
    access = access_of(user)
    if not access.is_role(Role.BUREAU):
        return Decision.no("仅规划主管部门（市局、分局）可以录入补充规定和修订版本")
    reached = pack.scopes.filter(locality__code__in=localities) if localities else pack.scopes.all()
    ids = set(reached.values_list("locality_id", flat=True))
    return Decision.of(
        bool(ids) and ids <= access.locality_ids, otherwise="该方案还适用于其他地方，请写明只适用于本地方，或由上级录入"
    )


def own_only(pack: PolicyPack, locality: Locality) -> tuple[str, ...]:
    """What a supplement of this locality must name so that it reaches no other: nothing where it is the only one."""
    shared = pack.scopes.exclude(locality=locality).exists()
    return (locality.code,) if shared else ()


def can_adopt_policy(user: Any, locality: Locality) -> Decision:
    """Adopt what a paper reports: the bureau of the locality that it will bind, and of no other."""
    return Decision.of(_is_bureau_of(user, locality.pk), otherwise="仅本地方的规划主管部门（市局、分局）可以决定采用")


def can_decide_policy(user: Any, decision: PolicyDecision) -> Decision:
    """Prepare, try, put in force or discard one decision."""
    if decision.kind == PolicyDecision.Kind.ADOPTION:
        return can_adopt_policy(user, decision.locality)
    pack = decision.base.pack
    names = own_only(pack, decision.locality) if decision.kind == PolicyDecision.Kind.SUPPLEMENT else ()
    return can_set_policy(user, pack, names)


def can_edit_decision(user: Any, decision: PolicyDecision) -> Decision:
    if not decision.is_open:
        return Decision.no(f"该决定{decision.get_state_display()}，不能再修改")
    return can_decide_policy(user, decision)


def can_see_memberships(user: Any, _: Any = None) -> Decision:
    """The list of who may do what: all three administrators, who read it with different eyes (等保 8.1.5)."""
    return Decision.of(
        access_of(user).is_role(*THREE_ADMINISTRATORS), otherwise="仅系统管理员、安全管理员和审计管理员可以查看"
    )


can_export_memberships = can_see_memberships


def can_grant(user: Any, _: Any = None) -> Decision:
    """Give roles at all; where, `can_grant_in` says, and to whom, `can_grant_to`."""
    return Decision.of(access_of(user).is_role(Role.SECADMIN), otherwise="仅安全管理员可以授予和结束身份")


def can_grant_in(user: Any, locality: Locality) -> Decision:
    if not (decision := can_grant(user)):
        return decision
    return Decision.of(access_of(user).covers(locality.pk), otherwise="只能在本地方及下级地方授予和结束身份")


def can_grant_to(user: Any, person: User) -> Decision:
    if person.pk == user.pk:
        return Decision.no("不能给自己授予身份，请由其他安全管理员办理")
    return Decision.of(person.is_active, otherwise="该账号已停用，请先由系统管理员启用")


# Roles of an office, which goes on while one of its people is away. What a planner or an evaluator does is owed in
# person; the three administrators are kept apart by the security administrator alone.
SUBSTITUTABLE = frozenset({Role.BUREAU, Role.DEPARTMENT, Role.UNIT, Role.LEADER, Role.FINANCE})


def can_hand_over(user: Any, membership: Membership) -> Decision:
    """Let somebody stand in: the holder, to a colleague of the office; the security administrator, for whoever is away
    already."""
    role = membership.get_role_display()
    if membership.role in THREE_ADMINISTRATORS:
        return Decision.no("管理员身份不能交由他人代理，请由其他安全管理员另行授予")
    if membership.role not in SUBSTITUTABLE:
        return Decision.no(f"“{role}”须由本人履职，不能交由他人代理")
    if membership.stands_in_for_id is not None:
        return Decision.no("代理得来的身份不能再交给他人")
    if membership.standing(timezone.localdate()) == Standing.OVER:
        return Decision.no("该身份已经结束")
    if membership.user_id != user.pk:
        return can_grant_in(user, membership.locality)
    return Decision.of(
        membership.office_id is not None, otherwise="该身份没有所在单位，无法确定同事；请联系安全管理员办理代理"
    )


def can_end_substitution(user: Any, membership: Membership) -> Decision:
    """Take it back, or give it back; security administrators end it like any other role."""
    if membership.principal is None:
        return Decision.no("这不是代理得来的身份")
    return Decision.of(
        user.pk in {membership.user_id, membership.principal.pk}, otherwise="仅被代理人和代理人本人可以提前结束代理"
    )


def can_end_membership(user: Any, membership: Membership) -> Decision:
    if not (decision := can_grant_in(user, membership.locality)):
        return decision
    return Decision.of(membership.user_id != user.pk, otherwise="不能结束自己的身份，请由其他安全管理员办理")
