"""Where an item is read it is offered to take it to the district: to whoever may, on every page, at a fixed cost."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factories_review import make_consultation, make_consultee, make_opinion
from projects.models import Dispute
from projects.permissions_disputes import Matter, can_file, fileable
from projects.services.disputes import file_dispute

from .field_cases import NOON, site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
READERS = (
    "planner", "lead", "colleague", "department", "bureau", "unit_officer", "leader", "city", "other_unit_officer",
)  # fmt: skip


@pytest.fixture
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def project(cast):
    return site(cast)


@pytest.fixture
def item(cast, project):
    asker = cast.department.memberships.get().organisation
    consultation = make_consultation(project, asker=asker, asked_by=cast.department, planners=(cast.own_planner,))
    return make_opinion(consultation.consultees.get()).items.first()


def filed(matter, who):
    return file_dispute(matter, actor=who, title="檐口", text="不应返工。", raised_for=who.name)


def test_what_is_offered_for_many_items_is_what_each_allows(cast, project, item):
    """`fileable` answers for all items of a request as `can_file` does for each, before and while one is disputed."""
    other = make_opinion(make_consultee(item.opinion.consultee.consultation, cast.colleague_planner), items=2)
    items = [*item.opinion.items.all(), *other.items.all()]
    for _ in range(2):
        for who in READERS:
            user = getattr(cast, who)
            each = {one.pk for one in items if can_file(user, Matter(project, one))}
            assert fileable(user, items) == each, who
            assert bool(each) == (who not in ("leader", "city", "other_unit_officer")), who
        if not Dispute.objects.exists():
            filed(Matter(project, item=item), cast.planner)
    assert item.pk not in fileable(cast.planner, items)


def test_items_of_a_superseded_opinion_are_offered_to_nobody(cast, project, item):
    type(item.opinion).objects.update(state="superseded")
    item.opinion.refresh_from_db()
    assert fileable(cast.planner, [item]) == set() == fileable(cast.bureau, [item])


@pytest.mark.parametrize("page", ["opinion", "adoption", "consultation"])
def test_each_page_that_shows_an_item_offers_to_take_it_to_the_district(cast, project, item, as_user, page):
    consultation = item.opinion.consultee.consultation
    item.opinion.consultee.consultation.consultees.update(state="answered")
    type(consultation).objects.update(state="answered")
    url = {
        "opinion": item.opinion.get_absolute_url(), "consultation": consultation.get_absolute_url(),
        "adoption": reverse("projects:adoption-answer", args=[consultation.pk]),
    }[page]  # fmt: skip
    offered = f"disputes/new/?item={item.pk}"
    shown = as_user("planner").get(url).content.decode()
    assert offered in shown and "分歧协调中" not in shown
    assert offered not in as_user("leader").get(url).content.decode()
    dispute = filed(Matter(project, item=item), cast.planner)
    shown = as_user("planner").get(url).content.decode()
    assert offered not in shown
    assert f'href="{dispute.get_absolute_url()}">分歧协调中' in shown


def test_the_page_of_an_opinion_takes_the_same_queries_for_one_item_and_for_thirty(cast, project, as_user):
    asker = cast.department.memberships.get().organisation
    pages = []
    for size in (1, 30):
        consultation = make_consultation(project, asker=asker, asked_by=cast.department)
        consultee = make_consultee(consultation, cast.own_planner, state="answered")
        pages.append(make_opinion(consultee, items=size).get_absolute_url())
    for who in ("planner", "department", "bureau"):
        client, counts = as_user(who), []
        client.get(pages[0])
        for page in pages:
            with CaptureQueriesContext(connection) as counted:
                assert client.get(page).status_code == 200
            counts.append(len(counted))
        assert counts[0] == counts[1], (who, counts)
