"""Coverage: days on which a unit has nobody, or two contracts in one role; shown with dates, and filtered."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from districts.models import Unit
from factories import make_assignment, make_contract, make_planner, make_unit
from planners.services.assigning import assign
from planners.services.coverage import COVERED, DOUBLE, NEVER, PARTLY, coverage_of
from planners.services.spans import beside, joined, meet

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
DAYS = st.dates(date(2026, 1, 1), date(2026, 3, 1))
PERIODS = st.lists(st.tuples(DAYS, DAYS).map(lambda pair: (min(pair), max(pair))), max_size=6)


def every_day(periods):
    return {first + timedelta(n) for first, last in periods for n in range((last - first).days + 1)}


@given(st.tuples(DAYS, DAYS).map(lambda pair: (min(pair), max(pair))), PERIODS)
def test_what_is_left_beside_is_every_other_day_and_no_more(whole, taken):
    left = beside(*whole, taken)
    assert every_day(left) == every_day([whole]) - every_day(taken)
    assert all(not meet(one, other) for one in left for other in left if one != other)


@given(PERIODS)
def test_joined_periods_hold_the_same_days_apart_from_each_other(periods):
    found = joined(periods)
    assert every_day(found) == every_day(periods)
    assert all((later[0] - earlier[1]).days > 1 for earlier, later in pairwise(found))


def served(cast, *periods, role="member"):
    for start, end in periods:
        planner = make_planner(cast.locality)
        contract = make_contract(
            cast.locality, planner=planner, role_type=role, policy_version=cast.contract.policy_version
        )
        make_assignment(contract, cast.other_unit.charge, planner=planner, start=start, end=end)


def found(cast):
    return coverage_of([cast.other_unit], FIRST, LAST)[0]


def test_a_unit_nobody_serves_is_open_all_year(cast):
    row = found(cast)
    assert [(gap.start, gap.end) for gap in row.gaps] == [(FIRST, LAST)]
    assert row.states == {NEVER}


def test_gaps_and_doubles_are_shown_with_their_days(cast):
    served(cast, (FIRST, date(2026, 3, 31)), (date(2026, 3, 1), date(2026, 6, 30)), (date(2026, 9, 1), LAST))
    row = found(cast)
    assert [(gap.start, gap.end) for gap in row.gaps] == [(date(2026, 7, 1), date(2026, 8, 31))]
    assert [(d.start, d.end) for d in row.doubles] == [(date(2026, 3, 1), date(2026, 3, 31))]
    assert row.states == {PARTLY, DOUBLE}


def test_two_roles_beside_each_other_are_no_double(cast):
    served(cast, (FIRST, LAST))
    served(cast, (FIRST, LAST), role="architect")
    assert found(cast).states == {COVERED}


def test_only_days_on_which_the_unit_exists_are_looked_at(cast):
    served(cast, (FIRST, date(2026, 5, 31)))
    Unit.objects.filter(pk=cast.other_unit.pk).update(valid_to=date(2026, 5, 31))
    cast.other_unit.refresh_from_db()
    assert found(cast).states == {COVERED}


def test_an_ended_contract_covers_to_its_last_day_and_a_draft_not_at_all(cast):
    served(cast, (FIRST, LAST))
    contract = cast.other_unit.charge.assignments.get().contract
    type(contract).objects.filter(pk=contract.pk).update(state="ended", ended_on=date(2026, 4, 30))
    assert found(cast).gaps[0].start == date(2026, 5, 1)
    type(contract).objects.filter(pk=contract.pk).update(state="draft", ended_on=None)
    assert found(cast).states == {NEVER}


def test_the_page_filters_by_state_and_asks_as_much_for_many_units_as_for_one(cast, as_user):
    client, url = as_user("bureau"), reverse("planners:coverage")
    client.get(url)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    one = queries()
    for _ in range(29):
        make_unit(cast.locality)
    assert queries() == one <= 8
    open_units = client.get(url, {"state": "never", "since": "2026-01-01", "until": "2026-12-31"}).content.decode()
    assert "东四街道" in open_units
    assert "景山街道" not in open_units
    assert "2026-01-01 至 2026-12-31" in open_units
    assert client.get(reverse("planners:coverage-export"), {"state": "never"}).status_code == 200


@pytest.mark.parametrize(
    ("who", "status"),
    [("bureau", 200), ("leader", 200), ("city", 200), ("planner", 403), ("unit_officer", 403), ("finance", 403),
     ("sysadmin", 403), ("anonymous", 302)],
)  # fmt: skip
@pytest.mark.parametrize("page", ["coverage", "coverage-export"])
def test_who_sees_coverage(cast, as_user, who, status, page):
    assert as_user(who).get(reverse(f"planners:{page}")).status_code == status


def send(cast, contract, **holder):
    return assign(contract, cast.other_unit.charge, actor=cast.bureau, start=FIRST, end=LAST, **holder)


def test_a_second_contract_of_one_role_is_refused_only_where_the_policy_keeps_the_unit_for_one(cast, monkeypatch):
    contracts = [
        make_contract(cast.locality, planner=make_planner(cast.locality), policy_version=cast.contract.policy_version)
        for _ in range(3)
    ]
    send(cast, contracts[0], planner=contracts[0].planner)
    send(cast, contracts[1], planner=contracts[1].planner)
    exclusive(monkeypatch)
    with pytest.raises(ValidationError, match="制度规定同类规划师由一家担任（东规〔2026〕3号 二）"):
        send(cast, contracts[2], planner=contracts[2].planner)


def exclusive(monkeypatch):
    from types import SimpleNamespace

    rule = SimpleNamespace(value=True, document="东规〔2026〕3号", article="二")
    policy = SimpleNamespace(get=lambda key: rule if key == "units.exclusive" else None)
    monkeypatch.setattr("planners.services.assigning.policy_in_force", lambda locality, on: policy)


def test_two_contracts_of_one_party_do_not_serve_one_unit_at_once(cast):
    again = make_contract(cast.locality, team=cast.team, policy_version=cast.contract.policy_version)
    send(cast, cast.contract, team=cast.team)
    with pytest.raises(ValidationError, match=f"同一受聘方的合同 {cast.contract.number}"):
        send(cast, again, planner=cast.own_planner)
    architect = make_contract(
        cast.locality, team=cast.team, role_type="architect", policy_version=cast.contract.policy_version
    )
    send(cast, architect, planner=cast.own_planner)
