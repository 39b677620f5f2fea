"""The list of requests: what each may see on each channel, what it can be asked, and what it costs."""

from __future__ import annotations

import io
from datetime import date

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from factories import make_project
from projects.models import Consultation
from projects.services.course import suspend, withdraw
from projects.tests.review_cases import answer, asked, of_planner, on_day

EVERYBODY = (
    "bureau", "department", "unit_officer", "other_unit_officer", "other_bureau", "planner", "lead", "colleague",
    "foreign", "leader", "city", "finance", "evaluator", "sysadmin", "secadmin", "auditor",
)  # fmt: skip
LIST = "projects:consultation-list"


def sheet(response):
    data = b"".join(response.streaming_content)
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


@pytest.fixture
def requests(cast):
    """Of the planner by the bureau; of the lead by the department; about a project in another unit."""
    with on_day(date(2026, 6, 1)):
        other = make_project(cast.locality, name="别处的项目", stage="scheme", units=[cast.other_unit])
        return {
            "planner": of_planner(cast), "department": asked(cast, actor=cast.department),
            "elsewhere": of_planner(cast, project=other, planners=[cast.colleague_planner]),
        }  # fmt: skip


SEEN = {
    "bureau": {"planner", "department", "elsewhere"}, "leader": {"planner", "department", "elsewhere"},
    "city": {"planner", "department", "elsewhere"}, "department": {"department"},
    "unit_officer": {"planner", "department"}, "other_unit_officer": {"elsewhere"}, "planner": {"planner"},
    # The lead sees what the team is asked.
    "lead": {"planner", "department", "elsewhere"}, "colleague": {"elsewhere"},
}  # fmt: skip


def test_list_page_and_export_hold_what_one_may_see(requests, as_user, subtests):
    for who in EVERYBODY:
        expected = {requests[key].number for key in SEEN.get(who, set())}
        client = as_user(who)
        with subtests.test(who=who), on_day(date(2026, 6, 2)):
            html = client.get(reverse(LIST)).content.decode()
            rows = sheet(client.get(reverse("projects:consultation-export")))
            for row in requests.values():
                status = client.get(row.get_absolute_url()).status_code
                assert status == (200 if row.number in expected else 404)
            assert {row.number for row in requests.values() if row.number in html} == expected
            assert {cells[0] for cells in rows[1:]} & {row.number for row in requests.values()} == expected


def test_strangers_log_in_first(requests, as_user):
    assert as_user("anonymous").get(reverse(LIST)).status_code == 302


ASKED = [
    ({"q": "别处"}, {"elsewhere"}), ({"q": "别处 项目"}, {"elsewhere"}),
    ({"q": "方案提出"}, {"planner", "department", "elsewhere"}),
    ({"state": "suspended"}, {"department"}), ({"state": "withdrawn"}, {"elsewhere"}),
    ({"due": "over"}, {"planner", "department"}), ({"due": "none"}, set()), ({"stage": "initiation"}, set()),
    ({"way": "meeting"}, set()), ({"kind": "renewal"}, {"planner", "department", "elsewhere"}),
]  # fmt: skip


def test_what_it_can_be_asked(cast, requests, as_user, subtests):
    with on_day(date(2026, 6, 2)):
        suspend(requests["department"], actor=cast.bureau, reason="补充资料")
        withdraw(requests["elsewhere"], actor=cast.bureau, reason="取消")
    with on_day(date(2026, 6, 16)):
        client = as_user("bureau")
        for query, found in ASKED:
            with subtests.test(query=query):
                html = client.get(reverse(LIST), query).content.decode()
                assert {key for key, row in requests.items() if row.number in html} == found


def test_mine_are_those_that_wait_for_me(cast, requests, as_user):
    with on_day(date(2026, 6, 2)):
        client = as_user("planner")
        assert requests["planner"].number in client.get(reverse(LIST), {"mine": "waiting"}).content.decode()
        answer(requests["planner"], cast.own_planner)
        assert requests["planner"].number not in client.get(reverse(LIST), {"mine": "waiting"}).content.decode()
        assert requests["planner"].number in client.get(reverse(LIST), {"mine": "answered"}).content.decode()


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 6, 2), "2026-06-15 剩 9 个工作日"), (date(2026, 6, 12), "2026-06-15 剩 1 个工作日"),
        (date(2026, 6, 15), "2026-06-15 今天到期"), (date(2026, 6, 17), "2026-06-15 逾期 2 个工作日"),
    ],
)  # fmt: skip
def test_the_light_counts_workdays(requests, as_user, day, words):
    with on_day(day):
        assert words in as_user("planner").get(reverse(LIST)).content.decode()


def test_overdue_over_days_off_alone_is_overdue(cast, as_user):
    # Due on Friday 12 June; on Saturday no workday has passed.
    with on_day(date(2026, 6, 1)):
        of_planner(cast, term_days=9)
    with on_day(date(2026, 6, 13)):
        html = as_user("planner").get(reverse(LIST)).content.decode()
    assert "2026-06-12 逾期" in html


def test_the_same_few_queries_for_one_row_and_for_thirty(cast, as_user, django_assert_max_num_queries):
    client, counts = as_user("bureau"), []
    for size in (1, 29):
        for _ in range(size):
            asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
        with django_assert_max_num_queries(8) as counted:
            assert client.get(reverse(LIST)).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1] and Consultation.objects.count() == 30


def test_a_page_costs_the_same_with_one_person_asked_and_with_many(
    cast, as_user, subtests, django_assert_max_num_queries
):
    from factories import make_planner

    few = of_planner(cast)
    many = of_planner(
        cast, planners=[cast.own_planner, *(make_planner(cast.locality) for _ in range(12))]
    )  # fmt: skip
    for who in ("bureau", "planner", "lead", "unit_officer"):
        counts, client = [], as_user(who)
        for row in (few, many):
            client.get(row.get_absolute_url())
            with django_assert_max_num_queries(120) as counted:
                client.get(row.get_absolute_url())
            counts.append(len(counted))
        with subtests.test(who=who):
            assert counts[1] - counts[0] <= 2


def test_the_projects_page_shows_its_requests_to_those_who_may_see_them(cast, requests, as_user):
    row = requests["planner"]
    url = reverse("projects:project", args=[row.project_id])
    with on_day(date(2026, 6, 2)):
        assert row.get_absolute_url() in as_user("bureau").get(url).content.decode()
        assert row.get_absolute_url() not in as_user("colleague").get(url).content.decode()
        assert "仅规划主管部门、委办局和责任单元主管部门可以征询意见" not in as_user("bureau").get(url).content.decode()
