"""Opening a round: the pack names the document, and everyone who served gets a draft."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from core.errors import Refused
from core.models import AuditEntry, Notification
from evaluations.models import Cycle
from evaluations.periods import periods_of_year
from evaluations.services.cycles import document_plan, due_day, offered_periods, open_cycle
from factories import Cast, make_locality, make_policy_version

from .conftest import TODAY


def _plan(slug: str, code: str):
    locality = make_locality(code, slug)
    make_policy_version(locality, slug)
    return document_plan(locality, on=date(2023, 3, 1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "code", "title", "period", "team", "required"),
    [
        ("beijing-core", "110101", "年度述职报告", "year", False, True),
        ("tongzhou", "110112", "年终工作总结", "year", True, True),
        ("liaocheng", "371500", "述职报告", "half_year", True, True),
        ("jincheng", "140500", "履职小结", "year", False, False),
    ],
)
def test_document_is_the_one_the_pack_names(slug, code, title, period, team, required):
    plan = _plan(slug, code)
    assert (plan.title, plan.period_kind, plan.through_team, plan.is_required) == (title, period, team, required)


def test_opening_makes_one_draft_for_each_who_served_and_tells_them(cast: Cast, cycle: Cycle):
    assert cycle.title == "2025年度述职报告"
    assert set(cycle.reports.values_list("author__name", flat=True)) == {"龚䶮", "单小雨", "欧阳明"}
    assert Notification.objects.filter(user=cast.planner, text__contains="2026年1月31日").exists()
    assert AuditEntry.objects.filter(action="cycle.open", object_id=str(cycle.pk)).count() == 1


def test_same_period_opens_once(cast: Cast, cycle: Cycle):
    assert (cycle.start, cycle.end) not in [(p.start, p.end) for p in offered_periods(cast.locality, today=TODAY)]
    with pytest.raises(ValidationError, match="已开启"):
        open_cycle(cast.locality, actor=cast.bureau, start=cycle.start, end=cycle.end, due_on=None, today=TODAY)


@pytest.mark.parametrize(("sent", "kept"), [("东城区人民政府", "东城区人民政府"), ("", "")])
def test_the_page_offers_the_document_s_own_word_and_keeps_the_full_name(cast: Cast, client, sent: str, kept: str):
    client.force_login(cast.bureau)
    form = client.get(reverse("evaluations:cycle-open")).context["form"]
    assert form["recipient"].value() == "政府"
    period = form.fields["period"].choices[-1][0]
    client.post(reverse("evaluations:cycle-open"), {"period": period, "due_on": "", "recipient": sent})
    assert Cycle.objects.get().recipient == kept


@pytest.mark.parametrize("who", ["planner", "lead", "unit_officer", "other_bureau", "leader", "sysadmin", "city"])
def test_only_the_own_bureau_opens(cast: Cast, who: str):
    with pytest.raises(Refused):
        open_cycle(
            cast.locality,
            actor=getattr(cast, who),
            start=date(2025, 1, 1),
            end=date(2025, 12, 31),
            due_on=None,
            today=TODAY,
        )
    assert not Cycle.objects.exists()


def test_nothing_opens_without_a_policy_in_force(cast: Cast):
    place = make_locality("330100", "杭州市")
    cast.bureau.memberships.update(locality=place)
    with pytest.raises(ValidationError, match="没有有效的制度方案"):
        open_cycle(
            place,
            actor=type(cast.bureau).objects.get(pk=cast.bureau.pk),
            start=date(2025, 1, 1),
            end=date(2025, 12, 31),
            due_on=None,
            today=TODAY,
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("days", "kind", "index", "expected"),
    [
        (("12-20",), "year", 0, date(2025, 12, 20)),
        (("07-15", "01-15"), "half_year", 0, date(2025, 7, 15)),
        (("07-15", "01-15"), "half_year", 1, date(2026, 1, 15)),
        (("02-29",), "year", 0, date(2026, 2, 28)),
        ((), "year", 0, None),
    ],
)
def test_due_day_is_the_one_nearest_to_the_end_of_the_period(days, kind, index, expected):
    from dataclasses import replace

    plan = replace(_plan("beijing-core", "110101"), due_days=days)
    assert due_day(plan, periods_of_year(kind, 2025)[index]) == expected
