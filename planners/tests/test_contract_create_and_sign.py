"""A contract is bound by the policy in force on the day it is signed, and what was signed stays signed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.errors import Refused, StaleState
from core.models import AuditEntry, Notification
from districts.models import Organisation, PolicyScope, PolicyVersion
from factories import (
    Cast,
    make_locality,
    make_membership,
    make_organisation,
    make_planner,
    make_policy_version,
    make_user,
)
from planners.models import Contract
from planners.services.assigning import assign
from planners.services.contracts import (
    add_annual_signing,
    cancel_contract,
    create_contract,
    end_contract,
    policy_to_sign_under,
    sign_contract,
    update_contract,
)
from planners.services.terms import check_contract
from planners.signals import contract_ended, contract_signed


def values(cast: Cast, **extra: Any) -> dict[str, Any]:
    """A contract that agrees with the published policy of the core districts."""
    signer, _ = Organisation.objects.get_or_create(locality=cast.locality, kind="government", name="东城区人民政府")
    return {
        "number": "HT-2026-01", "role_type": "member", "appointment_mode": "open", "party_kind": "team",
        "team": cast.team, "signer": signer, "start": date(2026, 1, 1), "end": date(2027, 12, 31),
        "annual_fee": Decimal("60000"), "pay_mode": "yearly", "signed_on": date(2025, 12, 20), **extra,
    }  # fmt: skip


@pytest.fixture
def draft(cast: Cast) -> Contract:
    return create_contract(cast.locality, actor=cast.bureau, **values(cast))


def test_signing_fixes_version_and_day_tells_those_who_serve_and_leaves_an_entry(cast, draft):
    heard = []
    contract_signed.connect(lambda contract, **_: heard.append(contract.pk), weak=False, dispatch_uid="test")
    signed = sign_contract(draft, actor=cast.bureau)
    contract_signed.disconnect(dispatch_uid="test")
    assert (signed.state, signed.signed_on) == ("signed", date(2025, 12, 20))
    assert signed.policy_version == make_policy_version(cast.locality)
    assert heard == [signed.pk]
    assert AuditEntry.objects.filter(action="contract.sign", object_id=str(signed.pk)).count() == 1
    assert Notification.objects.filter(user=cast.lead, kind="contract.signed").exists()
    assert not Notification.objects.filter(user=cast.foreign).exists()


def test_signed_contract_is_never_edited(cast, draft):
    signed = sign_contract(draft, actor=cast.bureau)
    with pytest.raises(Refused, match="合同已签订，不能再修改"):
        update_contract(signed, actor=cast.bureau, duties="改动")
    assert Contract.objects.get(pk=signed.pk).duties == ""


def test_a_second_signing_is_told_that_somebody_was_first(cast, draft):
    stale = Contract.objects.get(pk=draft.pk)
    sign_contract(draft, actor=cast.bureau)
    with pytest.raises(StaleState, match="已被他人处理"):
        sign_contract(stale, actor=cast.bureau)


def test_a_later_amendment_does_not_reach_a_signed_contract(cast, draft):
    signed = sign_contract(draft, actor=cast.bureau)
    first = signed.policy_version
    PolicyVersion.objects.filter(pk=first.pk).update(valid_to=date(2026, 5, 31))
    later = PolicyVersion.objects.get(pk=first.pk)
    later.pk, later.number, later.kind = None, first.number + 1, "amendment"
    later.valid_from, later.valid_to = date(2026, 6, 1), None
    later.save()
    assert policy_to_sign_under(cast.locality, date(2026, 7, 1)).version_id == later.pk
    assert Contract.objects.get(pk=signed.pk).policy_version_id == first.pk


def test_the_version_of_a_draft_follows_the_day_it_is_signed(cast):
    first = make_policy_version(cast.locality)
    draft = create_contract(cast.locality, actor=cast.bureau, **values(cast, signed_on=date(2025, 12, 20)))
    PolicyVersion.objects.filter(pk=first.pk).update(valid_to=date(2025, 12, 31))
    with pytest.raises(Refused, match="已于2025年12月31日失效，不能据此签订新合同"):
        sign_contract(draft, actor=cast.bureau, signed_on=date(2026, 1, 5))
    assert sign_contract(draft, actor=cast.bureau, signed_on=date(2025, 12, 20)).policy_version_id == first.pk


def bureau_of(code: str, name: str, slug: str) -> tuple[Any, Any]:
    place = make_locality(code, name)
    make_policy_version(place, slug)
    user = make_user()
    make_membership(user, "bureau", place)
    return place, user


def test_a_lapsed_policy_takes_no_new_contract_but_keeps_the_old_ones(cast):
    place, user = bureau_of("371500", "聊城市", "liaocheng")
    planner = make_planner(place, registrations=["registered_planner"])
    signer = make_organisation(place, "bureau", name="市局")
    common = {
        "role_type": "team",
        "party_kind": "person",
        "planner": planner,
        "signer": signer,
        "departure_note": "补录",
        "start": date(2022, 1, 1),
        "end": date(2024, 12, 31),
    }
    old = create_contract(place, actor=user, number="旧", signed_on=date(2021, 12, 20), **common)
    assert sign_contract(old, actor=user).state == "signed"
    with pytest.raises(Refused, match="已于2023年5月31日失效"):
        create_contract(place, actor=user, number="新", signed_on=date(2023, 6, 1), **common)


def test_what_a_paper_reports_binds_nobody(cast):
    pack = make_policy_version(cast.locality).pack
    pack.second_hand = True
    pack.save()
    with pytest.raises(Refused, match="论文转述"):
        create_contract(cast.locality, actor=cast.bureau, **values(cast))


def test_without_any_policy_nothing_can_be_signed(cast):
    PolicyScope.objects.filter(locality=cast.locality).delete()
    with pytest.raises(Refused, match="没有生效的制度方案"):
        create_contract(cast.locality, actor=cast.bureau, **values(cast))


def test_a_term_outside_the_policy_has_to_be_explained_before_signing(cast, draft):
    update_contract(draft, actor=cast.bureau, end=date(2030, 12, 31))
    with pytest.raises(ValidationError, match="聘期"):
        sign_contract(Contract.objects.get(pk=draft.pk), actor=cast.bureau)
    update_contract(draft, actor=cast.bureau, departure_note="区政府会议纪要〔2025〕3号")
    assert sign_contract(Contract.objects.get(pk=draft.pk), actor=cast.bureau).state == "signed"


def test_a_seconded_official_is_not_paid(cast):
    place, user = bureau_of("140500", "晋城市", "jincheng")
    policy = policy_to_sign_under(place, date(2025, 1, 1))
    role = policy.value("pay.unpaid_roles")[0]
    planner = make_planner(place, is_secondee=True)
    contract = create_contract(
        place, actor=user, number="下派", role_type=role, appointment_mode="secondment", party_kind="person",
        planner=planner, signer=make_organisation(place, "government"), start=date(2025, 1, 1), end=date(2026, 12, 31),
        annual_fee=Decimal("1"), signed_on=date(2024, 12, 1), departure_note="说明也不能使其领取报酬",
    )  # fmt: skip
    with pytest.raises(ValidationError, match="不领取报酬"):
        sign_contract(contract, actor=user)
    update_contract(contract, actor=user, annual_fee=None)
    signed = sign_contract(Contract.objects.get(pk=contract.pk), actor=user)
    with pytest.raises(ValidationError, match="年度服务费应留空"):
        add_annual_signing(
            signed,
            actor=user,
            start=date(2025, 1, 1),
            end=date(2025, 12, 31),
            signed_on=date(2025, 1, 1),
            fee=Decimal(1),
        )


def test_what_the_policy_leaves_open_is_not_judged(cast, draft):
    policy = policy_to_sign_under(cast.locality, date(2025, 12, 20))
    for check in check_contract(draft, policy):
        assert (check.state == "unset") == (not check.rule.is_set), check.label


def test_nobody_signs_in_the_future(cast, draft):
    with pytest.raises(ValidationError, match="不能晚于今天"):
        sign_contract(draft, actor=cast.bureau, signed_on=timezone.localdate() + timedelta(days=1))


@pytest.mark.parametrize("who", ["planner", "lead", "unit_officer", "other_bureau", "leader", "sysadmin", "finance"])
def test_only_the_bureau_of_the_locality_signs(cast, draft, who):
    with pytest.raises(Refused, match="仅本地方的规划主管部门"):
        sign_contract(draft, actor=getattr(cast, who))
    with pytest.raises(Refused):
        create_contract(cast.locality, actor=getattr(cast, who), **values(cast, number="另一份"))


def test_the_party_is_the_one_that_its_kind_names(cast):
    with pytest.raises(ValidationError, match="请选择受聘方"):
        create_contract(cast.locality, actor=cast.bureau, **values(cast, party_kind="person"))
    with pytest.raises(ValidationError, match="不属于本地方"):
        create_contract(
            cast.locality, actor=cast.bureau,
            **values(cast, number="b", party_kind="person", planner=cast.foreign_planner),
        )  # fmt: skip


def test_an_ended_contract_ends_its_assignments_the_same_day(cast, draft):
    assign(
        draft, cast.other_unit.charge, actor=cast.bureau, team=cast.team, start=date(2026, 1, 1), end=date(2026, 9, 30)
    )
    later = assign(draft, cast.other_unit.charge, actor=cast.bureau, team=cast.team, start=date(2026, 11, 1))
    signed = sign_contract(draft, actor=cast.bureau)
    heard = []
    contract_ended.connect(lambda contract, **_: heard.append(contract.pk), weak=False, dispatch_uid="test")
    ended = end_contract(signed, actor=cast.bureau, on=date(2026, 6, 30), reason="双方协商一致")
    contract_ended.disconnect(dispatch_uid="test")
    assert (ended.state, ended.ended_on, ended.end_reason) == ("ended", date(2026, 6, 30), "双方协商一致")
    assert list(ended.assignments.values_list("end", flat=True)) == [date(2026, 6, 30)]
    assert not ended.assignments.filter(pk=later.pk).exists()
    assert heard == [ended.pk]


def test_ending_needs_a_reason_and_a_day_within_the_term(cast, draft):
    signed = sign_contract(draft, actor=cast.bureau)
    with pytest.raises(ValidationError, match="请填写原因"):
        end_contract(signed, actor=cast.bureau, on=date(2026, 6, 30), reason=" ")
    with pytest.raises(ValidationError, match="聘期之内"):
        end_contract(signed, actor=cast.bureau, on=date(2028, 1, 1), reason="到期")
    assert Contract.objects.get(pk=signed.pk).state == "signed"


def test_a_draft_given_up_frees_the_place_it_held(cast, draft):
    assign(draft, cast.other_unit.charge, actor=cast.bureau, team=cast.team, start=date(2026, 1, 1), is_lead=True)
    cancelled = cancel_contract(draft, actor=cast.bureau, reason="重复登记")
    assert (cancelled.state, cancelled.assignments.count()) == ("cancelled", 0)
    again = create_contract(cast.locality, actor=cast.bureau, **values(cast, number="重来", signer=draft.signer))
    assign(again, cast.other_unit.charge, actor=cast.bureau, team=cast.team, start=date(2026, 1, 1), is_lead=True)


def test_years_are_signed_within_the_term_once_each(cast, draft):
    with pytest.raises(Refused, match="合同未签订"):
        add_annual_signing(
            draft, actor=cast.bureau, start=date(2026, 1, 1), end=date(2026, 12, 31), signed_on=date(2026, 1, 1)
        )
    signed = sign_contract(draft, actor=cast.bureau)
    year = {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "signed_on": date(2026, 1, 1)}
    add_annual_signing(signed, actor=cast.bureau, **year)
    with pytest.raises(ValidationError, match="重叠"):
        add_annual_signing(signed, actor=cast.bureau, **{**year, "start": date(2026, 12, 31), "end": date(2027, 6, 30)})
    with pytest.raises(ValidationError, match="聘期之内"):
        add_annual_signing(signed, actor=cast.bureau, **{**year, "start": date(2028, 1, 1), "end": date(2028, 12, 31)})
