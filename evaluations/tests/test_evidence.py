"""What the portal counts beside an evaluation: duty from the tally, adoption from items of opinions; nobody types it
and each figure comes again from its parts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from evaluations.evidence import ADOPTION_CODES, recounted
from evaluations.models import Answer, Indicator, Subject
from evaluations.services.answers import Given, save_answers
from evaluations.services.counts import ask, query_of
from evaluations.services.result_pages import evidence_of
from evaluations.services.rounds import open_round
from evaluations.services.scores import evaluate, recount, score_json
from evaluations.services.steps import close_step
from evaluations.tests.filling_cases import logged_in
from evaluations.tests.result_cases import close_all, writer
from evaluations.tests.round_cases import TODAY, make_site
from factories import fill_sheet, make_project, make_round
from factories_review import make_answer, make_consultation, make_consultee, make_opinion
from projects.models import Opinion

pytestmark = pytest.mark.django_db
IN_2025 = datetime(2025, 6, 3, 2, tzinfo=UTC)


@pytest.fixture
def site(db: Any) -> Any:
    return make_site("jincheng", demo=True)


def advise(site: Any, planner: Any, unit: Any, *decisions: str, at: datetime = IN_2025) -> Opinion:
    """An opinion about a project in the unit, asked for by its office; items answered as `decisions` say."""
    project = make_project(site.locality, units=(unit,), owner=unit.office)
    request = make_consultation(project, asker=unit.office, asked_by=site.unit_officer, state="answered")
    opinion = make_opinion(make_consultee(request, planner, state="answered", contract=site.contract))
    Opinion.objects.filter(pk=opinion.pk).update(submitted_at=at)
    for item, decision in zip(opinion.items.order_by("position"), decisions, strict=False):
        make_answer(item, decision=decision)
    return opinion


def prepared(site: Any, **more: Any) -> Any:
    return make_round(site.locality, actor=site.bureau, **more)


def figures(subject: Subject, sheet: Any = None) -> dict[str, Any]:
    found, problem = ask(query_of(subject, sheet=sheet), only=ADOPTION_CODES)
    assert problem == ""
    assert all(recounted(item) == item.figure.value for item in found)
    return {item.code: item.figure for item in found}


def test_adoption_counts_the_planners_own_items_of_the_period(site):
    opinion = advise(site, site.planners[0], site.unit, "adopted", "refused")
    advise(site, site.planners[1], site.unit, "adopted")
    advise(site, site.planners[0], site.unit, "adopted", at=datetime(2024, 6, 3, 2, tzinfo=UTC))
    subject = prepared(site).subjects.get(planner=site.planners[0])
    found = figures(subject)
    assert found["items"].value == opinion.items.count()
    assert (found["adopted"].value, found["refused"].value) == (1, 1)
    assert found["adoption"].value == Decimal("50.0")
    behind = {pk for part in found["items"].parts for pk in part.records}
    assert behind == set(opinion.items.values_list("pk", flat=True))


def test_an_office_is_shown_what_it_has_to_answer_and_a_planner_what_they_told_it(site):
    advise(site, site.planners[0], site.unit, "adopted")
    theirs = advise(site, site.planners[1], site.unit, "refused")
    advise(site, site.planners[0], site.other_unit, "adopted")
    round_ = prepared(site)
    subject = round_.subjects.get(unit=site.unit)
    whole = figures(subject)
    assert (whole["adopted"].value, whole["refused"].value) == (1, 1)
    sheet = round_.sheets.filter(subject=subject, planner=site.planners[0]).get()
    own = figures(subject, sheet)
    assert own["adopted"].value == 1 and own["refused"].value == 0
    assert not {pk for part in own["items"].parts for pk in part.records} & set(
        theirs.items.values_list("pk", flat=True)
    )


def test_an_office_that_rates_sees_what_concerns_its_own_unit(site):
    here = advise(site, site.planners[0], site.unit, "adopted")
    advise(site, site.planners[0], site.other_unit, "refused")
    round_ = prepared(site)
    subject = round_.subjects.get(planner=site.planners[0])
    sheet = round_.sheets.filter(subject=subject, unit=site.unit).first()
    assert figures(subject, sheet)["items"].value == here.items.count()
    assert figures(subject)["items"].value > here.items.count()


def test_where_nobody_was_asked_for_advice_nothing_stands_there(site):
    assert figures(prepared(site).subjects.get(planner=site.planners[0])) == {}


def counted_round(site: Any) -> Any:
    """A round in which one line is counted from adoption: full marks at 80 per cent."""
    made = prepared(site)
    lines = Indicator.objects.filter(form__step__round=made, form__direction="planner", code="advice")
    lines.update(kind=Indicator.Kind.COUNT, source="adoption", full_at=80)
    opened = open_round(made, actor=site.bureau, today=TODAY)
    for sheet in opened.sheets.counting().select_related("planner__user"):
        fill_sheet(sheet, writer(site, sheet), 80)
        Answer.objects.filter(sheet=sheet, indicator__kind="count").delete()
    return opened


def test_what_is_counted_enters_the_score_and_recount_equals_result(site):
    for planner in site.planners:
        advise(site, planner, site.unit, "adopted", "refused")
    opened = counted_round(site)
    close_all(site, opened)
    counts = Answer.objects.filter(sheet__round=opened, indicator__kind="count")
    assert counts.exists() and set(counts.values_list("value", "points")) == {(Decimal("50.00"), Decimal("62.5000"))}
    first, again = ([score_json(score, [], {}) for part in evaluate(opened) for score in part.scores] for _ in range(2))
    assert first == again and all(recount(figures) == [] for figures in first)
    subject = opened.subjects.get(planner=site.planners[0])
    by_code = {item.code: item for item in evidence_of(subject)[0]}
    assert by_code["adoption"].figure.value == recounted(by_code["adoption"]) == Decimal("50.0")


def test_nobody_types_what_the_portal_counts(site):
    """A value sent for a counted line is dropped."""
    for planner in site.planners:
        advise(site, planner, site.unit, "adopted", "refused")
    opened = counted_round(site)
    sheet = opened.sheets.get(subject__planner=site.planners[0], unit=site.unit, step__number=1)
    Answer.objects.filter(sheet=sheet).delete()
    sheet.state = "draft"
    sheet.save(update_fields=["state"])
    line = sheet.form.indicators.get(kind="count")
    save_answers(sheet, actor=site.unit_officer, given={line.pk: Given(value=Decimal(100))}, seen={}, today=TODAY)
    assert not Answer.objects.filter(sheet=sheet, indicator=line).exclude(value=None).exists()
    close_step(opened.steps.get(number=1), actor=site.bureau)


def test_each_figure_opens_to_its_records(site):
    opinion = advise(site, site.planners[0], site.unit, "adopted", "refused")
    round_ = open_round(prepared(site), actor=site.bureau, today=TODAY)
    subject = round_.subjects.get(planner=site.planners[0])
    found, _ = evidence_of(subject)
    assert {item.url for item in found if item.code == "adopted"} == {
        reverse("evaluations:evidence", args=[subject.pk, "adopted"])
    }
    page = logged_in(site.bureau).get(reverse("evaluations:evidence", args=[subject.pk, "items"]))
    text = page.content.decode()
    assert page.status_code == 200 and opinion.items.first().text[:20] in text


def test_who_opens_a_figure(site):
    advise(site, site.planners[0], site.unit, "adopted")
    round_ = open_round(prepared(site), actor=site.bureau, today=TODAY)
    subject = round_.subjects.get(planner=site.planners[0])
    expected = dict.fromkeys(("bureau", "leader", "city", "unit_officer", "planner"), 200) | {"department": 404}
    url = reverse("evaluations:evidence", args=[subject.pk, "items"])
    assert {who: logged_in(getattr(site, who)).get(url).status_code for who in expected} == expected
