"""退出和再遴选 (晋市政办函〔2022〕24号 三(三)): who is let go leaves a charge that has to be given to somebody chosen anew."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from evaluations.tests.filling_cases import logged_in
from evaluations.tests.round_cases import current_pack, make_site
from factories import make_assignment, make_contract
from planners.models import Reselection
from planners.services.contracts import end_contract

pytestmark = pytest.mark.django_db
LAST = date(2026, 3, 31)


def ended(site):
    return end_contract(site.contract, actor=site.bureau, on=LAST, reason="考评不合格")


def test_each_charge_left_behind_is_noted_with_its_clause():
    site = make_site("jincheng", demo=False)
    ended(site)
    rows = Reselection.objects.open()
    assert {row.charge_id for row in rows} == {row.charge_id for row in site.contract.assignments.all()}
    assert {(row.ground, row.left_on) for row in rows} == {("考评不合格", LAST)}
    assert all("三(三)" in row.article for row in rows)


def test_where_the_document_does_not_ask_for_it_nothing_is_noted():
    site = make_site("tongzhou", demo=False)
    ended(site)
    assert not Reselection.objects.exists()


def test_it_is_done_when_somebody_serves_there_under_a_contract_signed_since():
    site = make_site("jincheng", demo=False)
    ended(site)
    later = make_contract(
        site.locality, policy_version=current_pack("jincheng"), planner=site.planners[1], signer=site.bureau_office,
        start=date(2026, 5, 1), end=date(2027, 4, 30),
    )  # fmt: skip
    made = make_assignment(later, site.unit.charge, planner=site.planners[1])
    done = Reselection.objects.with_successor().exclude(successor=None)
    assert [(row.charge, row.successor) for row in done] == [(site.unit.charge, made.pk)]
    assert site.other_unit.charge_id in set(Reselection.objects.open().values_list("charge", flat=True))


@pytest.mark.parametrize(("who", "status"), [("bureau", 200), ("leader", 200), ("city", 200), ("planner", 403)])
def test_who_sees_the_list(who, status):
    site = make_site("jincheng", demo=False)
    ended(site)
    page = logged_in(getattr(site, who)).get(reverse("planners:reselection-list"))
    assert page.status_code == status
    if status == 200:
        assert site.unit.name in page.content.decode()


def test_the_bureau_is_reminded_until_it_is_done():
    site = make_site("jincheng", demo=False)
    ended(site)
    assert "待重新选聘" in logged_in(site.bureau).get("/home/").content.decode()
