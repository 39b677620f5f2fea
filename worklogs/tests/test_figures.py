"""The pages of the figures: who sees which subject, what each cell and number opens to."""

from datetime import date
from io import BytesIO

import pytest
from django.urls import reverse
from openpyxl import load_workbook

import factories
from core.models import AuditEntry
from worklogs.models import DutyFigure, WorkLog
from worklogs.services import figures
from worklogs.tests.tally_cases import fill_calendar

YEAR = 2025
pytestmark = pytest.mark.django_db
LIST = "/worklogs/figures/"


@pytest.fixture
def cast():
    cast = factories.make_cast()
    fill_calendar()
    return cast


@pytest.fixture
def figure(cast):
    for day in (3, 4):
        factories.make_log(cast.own_planner, cast.unit.charge, cast.contract, date(YEAR, 3, day), met_principal=True)
    factories.make_log(cast.lead_planner, cast.unit.charge, cast.contract, date(YEAR, 4, 8), slot="am")
    figures.recount_year(year=YEAR)
    return DutyFigure.objects.get()


def pages(figure):
    return [
        reverse("worklogs:figure", args=[figure.pk]), reverse("worklogs:figure-month", args=[figure.pk, 3]),
        reverse("worklogs:figure-records", args=[figure.pk, "days", 1]),
    ]  # fmt: skip


READERS = ("planner", "lead", "colleague", "unit_officer", "bureau", "leader", "city", "finance")
OTHERS = (
    "foreign", "other_unit_officer", "other_bureau", "department", "evaluator", "sysadmin", "secadmin", "auditor"
)  # fmt: skip


def test_who_may_open_a_subject(cast, figure, client, subtests):
    for who in READERS + OTHERS:
        client.force_login(getattr(cast, who))
        with subtests.test(who=who):
            assert [client.get(url).status_code for url in pages(figure)] == [200 if who in READERS else 404] * 3
            listed = client.get(LIST, {"year": YEAR}).content.decode()
            assert ("景山街道" in listed) == (who in READERS)


def test_nobody_without_a_login(figure, client):
    assert [client.get(url).status_code for url in [LIST, *pages(figure)]] == [302] * 4


def test_a_person_is_a_subject_that_only_they_and_their_superiors_see(cast, client):
    """Where persons are subjects, a colleague in the same unit does not see another's figures."""
    version = factories.make_policy_version(cast.locality, "tongzhou")
    for planner in (cast.own_planner, cast.colleague_planner):
        contract = factories.make_contract(cast.locality, planner=planner, policy_version=version)
        factories.make_assignment(contract, cast.unit.charge, planner=planner)
    cast.assignment.delete()
    figures.recount_year(year=YEAR)
    seen = DutyFigure.objects.visible_to
    assert [row.planner_id for row in seen(cast.planner)] == [cast.own_planner.pk]
    assert {row.planner_id for row in seen(cast.lead)} == {cast.own_planner.pk, cast.colleague_planner.pk}
    assert seen(cast.unit_officer).count() == 2


def test_under_one_contract_too_a_colleagues_figures_stay_theirs(cast):
    version = factories.make_policy_version(cast.locality, "tongzhou")
    contract = factories.make_contract(cast.locality, team=cast.team, policy_version=version)
    for planner in (cast.own_planner, cast.colleague_planner):
        factories.make_assignment(contract, cast.unit.charge, planner=planner)
    figures.recount_year(year=YEAR)
    seen = DutyFigure.objects.visible_to(cast.planner).filter(contract=contract)
    assert [row.planner_id for row in seen] == [cast.own_planner.pk]


def test_list_shows_the_year_by_month(cast, figure, client):
    client.force_login(cast.bureau)
    page = client.get(LIST, {"year": YEAR}).content.decode()
    assert "2.5 / 30，差 27.5 个工作日" in page
    assert f'href="{LIST}{figure.pk}/months/3/" title="2025年3月：记录 2 条">2<' in page
    assert f'href="{LIST}{figure.pk}/months/4/" title="2025年4月：记录 1 条">0.5<' in page
    assert '<span class="unset">未设定</span>' in page  # visits and deduction: the document has no rule


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True), ({"q": "景山"}, True), ({"q": "jingshan"}, True), ({"q": "东四"}, False),
        ({"standing": "short"}, True), ({"standing": "met"}, False), ({"standing": "unset"}, False),
        ({"standing": "waiting"}, True), ({"standing": "deduction"}, False), ({"year": str(YEAR - 1)}, False),
        ({"year": "abc"}, False), ({"sort": "-logs"}, True), ({"sort": "nonsense"}, True), ({"q": "\x00"}, True),
    ],
)  # fmt: skip
def test_filters_narrow_the_list_and_the_export_alike(cast, figure, client, query, found):
    client.force_login(cast.bureau)
    asked = {"year": YEAR, **query}
    page = client.get(LIST, asked).content.decode()
    assert (f"{LIST}{figure.pk}/" in page) == found
    book = load_workbook(BytesIO(client.get(f"{LIST}export.xlsx", asked).getvalue()))
    assert (book.active.max_row == 2) == found


def test_two_subjects_of_one_name_are_told_apart_by_their_contracts(cast, figure, client):
    """As after a merger, until it is settled who of two teams goes on."""
    client.force_login(cast.bureau)
    assert "合同" not in client.get(LIST, {"year": YEAR}).context["lines"][0].span
    team = factories.make_team(cast.locality, lead=cast.own_planner)
    other = factories.make_contract(cast.locality, team=team, policy_version=cast.contract.policy_version)
    factories.make_assignment(other, cast.unit.charge, team=team)
    figures.recount_year(year=YEAR)
    spans = [line.span for line in client.get(LIST, {"year": YEAR}).context["lines"]]
    assert sorted(spans) == sorted(f"合同 {contract.number}" for contract in (cast.contract, other))


def test_export_holds_the_shown_numbers_and_is_audited(cast, figure, client):
    client.force_login(cast.bureau)
    rows = list(load_workbook(BytesIO(client.get(f"{LIST}export.xlsx", {"year": YEAR}).getvalue())).active.values)
    shown = dict(zip(rows[0], rows[1], strict=True))
    assert (shown["对象"], shown["3月天数"], shown["服务天数"], shown["应完成天数"], shown["计量单位"]) == (
        "景山街道", 2, 2.5, 30, "工作日",
    )  # fmt: skip
    assert shown["扣减（元）"] is None
    assert "扣减公式" in shown["未设定的规则"]
    assert AuditEntry.objects.filter(action="worklog.export_figures", actor=cast.bureau).count() == 1


def test_each_number_opens_to_its_parts_with_their_clauses(cast, figure, client):
    client.force_login(cast.unit_officer)
    page = client.get(figure.get_absolute_url()).content.decode()
    assert "各月相加" in page
    assert "五(一)" in page
    assert "每月最低走访次数" in page
    assert f'href="{LIST}{figure.pk}/records/days/1/">记录 2 条</a>' in page


def test_records_of_a_part_are_exactly_those(cast, figure, client):
    client.force_login(cast.bureau)
    march = client.get(reverse("worklogs:figure-records", args=[figure.pk, "days", 1])).content.decode()
    ids = set(WorkLog.objects.filter(date__month=3).values_list("pk", flat=True))
    assert {pk for pk in WorkLog.objects.values_list("pk", flat=True) if f'href="/worklogs/{pk}/"' in march} == ids
    assert "共 2 条记录" in march


def test_records_that_one_may_not_see_are_counted_only(cast, figure, client):
    client.force_login(cast.planner)
    april = client.get(reverse("worklogs:figure-records", args=[figure.pk, "days", 2])).content.decode()
    assert "共 0 条记录，另有 1 条无权查看" in april


def test_a_month_opens_to_its_explanation_and_records(cast, figure, client):
    client.force_login(cast.bureau)
    page = client.get(reverse("worklogs:figure-month", args=[figure.pk, 4])).content.decode()
    assert "整天数 + 半天数 × 每个半天计" in page
    log = WorkLog.objects.get(date__month=4)
    assert f'href="/worklogs/{log.pk}/"' in page


@pytest.mark.parametrize(
    "path", ["months/0/", "months/13/", "records/nothing/0/", "records/days/999/", "records/days/1/?month=3"]
)
def test_what_does_not_exist_is_404(cast, figure, client, path):
    client.force_login(cast.bureau)
    expected = 200 if "month=3" in path else 404
    assert client.get(f"{LIST}{figure.pk}/{path}").status_code == expected


def test_a_subject_whose_appointment_is_gone_is_404_until_the_recount(cast, figure, client):
    cast.assignment.delete()
    client.force_login(cast.bureau)
    assert client.get(figure.get_absolute_url()).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("unit_officer", 200), ("other_unit_officer", 404), ("other_bureau", 404)])
def test_a_unit_shows_every_subject_that_serves_it(cast, figure, client, who, status):
    client.force_login(getattr(cast, who))
    answer = client.get(reverse("worklogs:figure-unit", args=[cast.unit.charge_id, YEAR]))
    assert answer.status_code == status
    if status == 200:
        assert f"{LIST}{figure.pk}/" in answer.content.decode()


def test_list_costs_the_same_for_one_row_and_for_thirty(cast, figure, client, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(cast.bureau)
    client.get(LIST, {"year": YEAR})

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(LIST, {"year": YEAR})
        return len(captured)

    one = queries()
    for _ in range(30):
        unit = factories.make_unit(cast.locality)
        factories.make_assignment(cast.contract, unit.charge, team=cast.team)
    figures.recount_year(year=YEAR)
    assert DutyFigure.objects.count() == 31
    assert queries() == one <= 8
