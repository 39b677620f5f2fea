"""Adoption figures equal a recount: whatever was answered, changed, taken back or replaced, every page, group and
evaluation figure is what a plain count of the rows gives, and opens to exactly those items."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from core.spreadsheets import Column, read_rows
from core.tests.examples import few
from core.tests.undone import undone
from factories import make_organisation, make_project
from factories_review import make_consultation, make_consultee, make_opinion
from projects.adoption import ANSWERED, DUE, OUTCOMES, recompute
from projects.filters_adoption import ItemFilter
from projects.models import Consultation, Consultee, ItemAnswer, Opinion, OpinionItem, Project
from projects.services.adoption import Given, answer_items, change_answer, record_proof, unanswered_of
from projects.services.adoption_reads import (
    DIMENSIONS,
    bundle_of,
    items_seen,
    judged,
    lines_by,
    rates_for,
    selective_of,
    standing_items,
)
from projects.tests.adoption_cases import DUE as DONE_BY
from projects.tests.adoption_cases import OWNER, TODAY, adopted, make_case, refused

DAYS = [date(2026, 6, 1), date(2026, 6, 30)]
OTHER_STATES = ["withdrawn", "superseded", "asked", "suspended"]
# Only so that a look at a row asks once: nothing is chosen or added up by it.
READ_ALONG = ["opinion__consultee__consultation__project", "opinion__consultee__consultation__stage"]
REASONS = ["与红线不符。", "与 红线不符", "资金未落实。"]


@pytest.fixture(autouse=True)
def in_june():
    with time_machine.travel(f"{TODAY}T02:00:00Z", tick=False):
        yield


# --- the rows once more, by hand ------------------------------------------------------------------------------------


def recount(rows: Any = None) -> dict[str, dict[Any, Counter]]:
    """{dimension: {group: outcome → number}} by looking at one row after another, without the services."""
    found: dict[str, dict[Any, Counter]] = defaultdict(lambda: defaultdict(Counter))
    for item in OpinionItem.objects.select_related(*READ_ALONG) if rows is None else rows:
        opinion = item.opinion
        consultee = opinion.consultee
        consultation = consultee.consultation
        if opinion.state != "submitted" or consultee.state == "recused":
            continue
        answer = next((one for one in ItemAnswer.objects.filter(item=item) if one.is_current), None)
        if answer is not None:
            outcome = answer.decision
        elif consultation.state in {"withdrawn", "superseded", "unanswered"}:
            outcome = "lapsed"
        elif consultation.state in {"asked", "suspended"}:
            outcome = "pending"
        else:
            due = consultation.feedback_due_on
            outcome = "late" if due is not None and due < TODAY else "owed"
        units = list(consultation.project.units.values_list("pk", flat=True)) or [None]
        body = answer.asker_id if answer is not None else consultation.asker_id
        for dimension, groups in {
            "all": ["all"], "department": [body], "unit": units, "kind": [consultation.project.kind],
            "stage": [consultation.stage.stage],
        }.items():  # fmt: skip
            for group in groups:
                found[dimension][group][outcome] += 1
    return found


def share(over: int, under: int) -> Decimal | None:
    if not under:
        return None
    tenths = Fraction(over * 1000, under)
    whole = tenths.numerator // tenths.denominator
    return Decimal(whole + (1 if tenths - whole >= Fraction(1, 2) else 0)) / 10


def assert_equal(rates: Any, counted: Counter) -> None:
    assert {o: rates.bundle.count(o) for o in OUTCOMES} == {o: counted[o] for o in OUTCOMES}
    answered, due = sum(counted[o] for o in ANSWERED), sum(counted[o] for o in DUE)
    assert rates.adoption.value == share(counted["adopted"], answered) == recompute(rates.adoption)
    assert rates.taken.value == share(counted["adopted"] + counted["partly"], answered) == recompute(rates.taken)
    assert rates.answer.value == share(answered, due) == recompute(rates.answer)
    assert rates.late.value == share(counted["late"], due) == recompute(rates.late)


# --- any history -----------------------------------------------------------------------------------------------------


given_answers = st.builds(
    lambda decision, reason: Given(
        decision, "" if decision == "adopted" else reason, "" if decision == "refused" else OWNER,
        None if decision == "refused" else DONE_BY,
    ),
    st.sampled_from(ANSWERED), st.sampled_from(REASONS),
)  # fmt: skip
steps = st.lists(
    st.one_of(
        st.tuples(st.just("answer"), st.integers(0, 5), st.lists(given_answers, min_size=1, max_size=3)),
        st.tuples(st.just("change"), st.integers(0, 30), given_answers),
        st.tuples(st.just("prove"), st.integers(0, 30), st.none()),
        st.tuples(st.just("state"), st.integers(0, 5), st.sampled_from(OTHER_STATES)),
        st.tuples(st.just("due"), st.integers(0, 5), st.sampled_from([None, TODAY - timedelta(days=4), TODAY])),
        st.tuples(st.just("supersede"), st.integers(0, 5), st.integers(0, 3)),
        st.tuples(st.just("recuse"), st.integers(0, 5), st.none()),
        st.tuples(st.just("inherit"), st.integers(0, 5), st.none()),
    ),
    max_size=14,
)  # fmt: skip


def stage_of_requests(cast: Any) -> list[Consultation]:
    """Six answered requests: three projects (in one unit, in two, in none) asked by three bodies."""
    bodies = [
        (cast.department.memberships.get().organisation, cast.department), (cast.unit.office, cast.unit_officer),
        (cast.bureau.memberships.get().organisation, cast.bureau),
    ]  # fmt: skip
    places = [[cast.unit], [cast.unit, cast.other_unit], []]
    made = []
    for number in range(6):
        project = make_project(
            cast.locality, units=places[number % 3], kind=["renewal", "building", "public_space"][number % 3],
            stage=["scheme", "initiation"][number % 2],
        )  # fmt: skip
        body, officer = bodies[number // 2]
        request = make_consultation(project, asker=body, asked_by=officer, state="answered")
        opinion = make_opinion(make_consultee(request, cast.own_planner, state="answered"), items=1 + number % 3)
        OpinionItem.objects.filter(opinion=opinion, position=1).update(severity="must")
        made.append(request)
    return made


def take(step: tuple[str, int, Any], requests: list[Consultation], cast: Any) -> None:
    """One step, where it applies; through the services where there is one."""
    act, number, more = step
    request = Consultation.objects.select_related("asker").get(pk=requests[number % len(requests)].pk)
    officers = {
        cast.department.memberships.get().organisation_id: cast.department, cast.unit.office_id: cast.unit_officer,
        cast.bureau.memberships.get().organisation_id: cast.bureau,
    }  # fmt: skip
    officer = officers.get(request.asker_id)
    if act == "answer" and request.state in {"answered", "asked", "suspended"} and officer:
        items = list(unanswered_of(request))[: len(more)]
        if items:
            answer_items(
                request, actor=officer, answers={item.pk: said for item, said in zip(items, more, strict=False)}
            )
    elif act in {"change", "prove"}:
        answers = list(ItemAnswer.objects.current().order_by("pk"))
        if not answers:
            return
        answer = answers[number % len(answers)]
        consultation = answer.item.opinion.consultee.consultation
        over = consultation.state in {"withdrawn", "superseded", "unanswered"}
        actor = officers.get(consultation.asker_id)
        if over or actor is None or answer.item.opinion.state != "submitted":
            return
        if act == "prove" and answer.decision != "refused":
            record_proof(answer, actor=actor, done_on=TODAY, text="已落实。")
        elif act == "change" and (answer.decision, answer.reason) != (more.decision, more.reason):
            change_answer(answer, actor=actor, given=more, change_reason="情况变化")
    elif act == "state" and request.state != "settled":
        Consultation.objects.filter(pk=request.pk).update(state=more)
    elif act == "due":
        Consultation.objects.filter(pk=request.pk).update(feedback_due_on=more)
    elif act == "supersede":
        old = Opinion.objects.filter(consultee__consultation=request, state="submitted").first()
        if old is not None:
            Opinion.objects.filter(pk=old.pk).update(state="superseded")
            make_opinion(
                old.consultee, items=more, version=old.version + 1, supersedes=old, supersede_reason="补充意见"
            )
    elif act == "recuse":
        Consultee.objects.filter(consultation=request).update(state="recused")
    elif act == "inherit":
        heir = make_organisation(cast.locality, "department")
        Consultation.objects.filter(pk=request.pk).update(asker=heir)


@pytest.fixture
def requests(cast):
    return stage_of_requests(cast)


@few
@given(steps)
def test_every_figure_equals_a_recount_after_any_history(cast, requests, history):
    with undone():
        for step in history:
            take(step, requests, cast)
        assert_equals_a_recount(cast)


def assert_equals_a_recount(cast: Any) -> None:
    counted = recount()
    rows = judged(standing_items(), TODAY)
    whole = rates_for(cast.locality, start=DAYS[0], end=DAYS[1], today=TODAY)
    assert_equal(whole, counted["all"]["all"])
    assert bundle_of(rows).counts == {o: n for o, n in counted["all"]["all"].items() if n}
    for dimension in DIMENSIONS:
        lines = {line.key: line.rates for line in lines_by(rows, dimension)}
        expected = {"none" if key is None else str(key): found for key, found in counted[dimension].items()}
        assert set(lines) == set(expected)
        for key, found in expected.items():
            assert_equal(lines[key], found)
    # What the bureau sees is all of its place: its page says the same.
    assert bundle_of(judged(items_seen(cast.bureau), TODAY)).counts == bundle_of(rows).counts
    for line in lines_by(rows, "department"):
        body = Consultation._meta.get_field("asker").related_model.objects.get(pk=int(line.key))
        evaluated = rates_for(cast.locality, start=DAYS[0], end=DAYS[1], asker=body, today=TODAY)
        assert evaluated.bundle.counts == line.rates.bundle.counts
        # A number opens to exactly its items.
        for outcome in (*OUTCOMES, "open"):
            query = QueryDict(f"department={line.key}&outcome={outcome}")
            listed = set(ItemFilter(query, items_seen(cast.bureau), user=cast.bureau).qs.values_list("pk", flat=True))
            wanted = ("owed", "late") if outcome == "open" else (outcome,)
            assert listed == {pk for one in wanted for pk in evaluated.bundle.records.get(one, ())}
    assert_selective_equals_a_recount(rows)


def assert_selective_equals_a_recount(rows: Any) -> None:
    found = selective_of(rows)
    for figure in found.figures.values():
        assert figure.value == recompute(figure)
    listed = set(rows.values_list("pk", flat=True))
    standing = [item for item in OpinionItem.objects.select_related(*READ_ALONG) if item.pk in listed]
    musts = recount([item for item in standing if item.severity == "must"])["all"]["all"]
    others = recount([item for item in standing if item.severity != "must"])["all"]["all"]
    assert_equal(found.must, musts)
    assert_equal(found.other, others)
    answers = list(ItemAnswer.objects.filter(item__in=standing, is_current=True))
    held = [one for one in answers if one.decision != "refused"]
    proven = [one for one in held if any(version.proofs.exists() for version in one.item.answers.all())]
    overdue = [one for one in held if one not in proven and one.due_on < TODAY]
    assert found.done.value == share(len(proven), len(proven) + len(overdue))


# --- the pages ------------------------------------------------------------------------------------------------


@pytest.fixture
def answered(cast):
    case = make_case(cast, items=6)
    one, two, *rest = case.items
    OpinionItem.objects.filter(pk__in=[one.pk, two.pk]).update(severity="must")
    said = {one.pk: refused(), two.pk: refused(), **{item.pk: adopted() for item in rest[:3]}}
    answer_items(case.consultation, actor=cast.department, answers=said)
    return case


def test_the_page_shows_rates_by_each_dimension_and_every_number_opens(cast, as_user, answered):
    client = as_user("bureau")
    page = client.get(reverse("projects:adoption"))
    text = page.content.decode()
    assert page.context["total"].adoption.value == Decimal("60.0")
    assert "60.0%" in text
    for tab, name in (
        ("department", answered.consultation.asker.name),
        ("unit", "景山街道"),
        ("kind", "城市更新"),
        ("stage", "方案审查"),
    ):
        rows = client.get(reverse("projects:adoption"), {"by": tab}).context["table"].rows
        assert [str(cell).split(">")[1].split("<")[0] if "<a" in str(cell) else str(cell) for cell in rows[0]][:5] == [
            name, "6", "3", "0", "2",
        ]  # fmt: skip
        for cell in rows[0]:
            if 'href="' in str(cell):
                url = str(cell).split('href="')[1].split('"')[0].replace("&amp;", "&")
                number = int(str(cell).split(">")[1].split("<")[0])
                assert len(client.get(url).context["table"].rows) == number
    selective = client.get(reverse("projects:adoption"), {"by": "selective"})
    gap = next(one for one in selective.context["selective"] if one.code == "gap")
    assert (gap.value, gap.unit) == ("100.0", "个百分点")
    for figure in (*selective.context["selective"], *selective.context["figures"]):
        for part in figure.parts:
            if part.url:
                assert client.get(part.url).context["page"].count == int(part.value)


def test_few_items_are_marked_and_the_limit_is_a_named_setting(cast, as_user, settings):
    case = make_case(cast, items=4)
    answer_items(case.consultation, actor=cast.department, answers={item.pk: adopted() for item in case.items})
    page = as_user("bureau").get(reverse("projects:adoption"))
    assert "只有 4 条，不足 5 条，仅供参考" in page.content.decode()
    settings.REVIEW = {**settings.REVIEW, "few_items": 4}
    assert "件少</span>" not in as_user("bureau").get(reverse("projects:adoption")).content.decode()


def test_figures_hold_exactly_what_the_person_may_see(cast, as_user, answered):
    far = make_project(cast.other_locality, name="绝密项目", stage="scheme")
    other = make_consultation(
        far, asker=make_organisation(cast.other_locality, "department"), asked_by=cast.other_bureau, state="answered"
    )
    make_opinion(make_consultee(other, cast.foreign_planner, state="answered"), items=7)
    aside = make_case(cast, project=make_project(cast.locality, units=[cast.other_unit], stage="scheme"), items=2)
    Consultee.objects.filter(consultation=aside.consultation).update(planner=cast.colleague_planner)
    Opinion.objects.filter(pk=aside.opinion.pk).update(author=cast.colleague_planner)
    Consultation.objects.filter(pk=aside.consultation.pk).update(asker=cast.other_unit.office)
    expected = {
        "bureau": 8, "leader": 8, "city": 8, "department": 6, "unit_officer": 6, "other_unit_officer": 2, "planner": 6,
        "colleague": 2, "lead": 8, "other_bureau": 7, "foreign": 7,
    }  # fmt: skip
    for who, number in expected.items():
        page = as_user(who).get(reverse("projects:adoption"))
        assert (who, page.context["whole"].total) == (who, number)
        listed = as_user(who).get(reverse("projects:adoption-items"))
        assert (who, len(listed.context["table"].rows)) == (who, number)
        answer = as_user(who).get(reverse("projects:adoption-items-export"))
        import io

        sheet = read_rows(io.BytesIO(b"".join(answer.streaming_content)), [Column("项目名称"), Column("采纳情况")])
        assert len(sheet.rows) == number
        assert ("绝密项目" in str([row.cells for row in sheet.rows])) == (who in {"other_bureau", "foreign"})
    for who in ("finance", "evaluator", "sysadmin", "auditor"):
        for name in ("adoption", "adoption-items", "adoption-export", "adoption-items-export"):
            assert as_user(who).get(reverse(f"projects:{name}")).status_code == 403


def test_a_period_holds_what_was_handed_in_then_whenever_it_was_answered(cast, as_user, answered):
    client = as_user("bureau")
    for since, until, number in (("2026-06-15", "2026-06-15", 6), ("2026-06-16", "", 0), ("", "2026-06-14", 0)):
        page = client.get(reverse("projects:adoption"), {"since": since, "until": until})
        assert page.context["whole"].total == number
    assert rates_for(cast.locality, start=date(2026, 6, 16), end=date(2026, 6, 30)).answered == 0


def test_a_planners_own_opinions_can_be_evaluated(cast, answered):
    found = rates_for(cast.locality, start=DAYS[0], end=DAYS[1], planner=cast.own_planner)
    assert (found.bundle.total, found.adoption.value) == (6, Decimal("60.0"))
    assert rates_for(cast.locality, start=DAYS[0], end=DAYS[1], planner=cast.colleague_planner).bundle.total == 0
    assert rates_for(cast.locality, start=DAYS[0], end=DAYS[1], unit=cast.unit, kind="renewal").answered == 5
    assert rates_for(cast.locality, start=DAYS[0], end=DAYS[1], unit=cast.other_unit).answered == 0


def test_the_export_of_rates_says_what_the_page_says(cast, as_user, answered):
    import io

    answer = as_user("bureau").get(reverse("projects:adoption-export"), {"by": "kind"})
    columns = [Column("项目类型"), Column("采纳"), Column("不采纳"), Column("采纳率（%）")]
    (row,) = read_rows(io.BytesIO(b"".join(answer.streaming_content)), columns).rows
    assert list(row.cells.values()) == ["城市更新", "3", "2", "60"]


@pytest.mark.parametrize("code", ["adoption/999/", "gap/0/x", "nothing/0/"])
def test_parts_that_do_not_exist_answer_404(cast, as_user, answered, code):
    assert as_user("bureau").get(f"/projects/adoption/{code}").status_code == 404


def test_lists_of_items_take_the_same_few_queries_for_one_row_and_for_fifty(cast, as_user):
    client, counts = as_user("bureau"), {}
    for size in (1, 49):
        for _ in range(size):
            case = make_case(cast, items=1, project=Project.objects.first())
            answer_items(case.consultation, actor=cast.department, answers={case.items[0].pk: adopted()})
        for name in ("adoption-items", "adoption"):
            with CaptureQueriesContext(connection) as counted:
                assert client.get(reverse(f"projects:{name}")).status_code == 200
            counts.setdefault(name, []).append(len(counted))
    assert all(one == fifty <= 8 for one, fifty in counts.values()), counts


def test_an_answer_page_takes_the_same_queries_for_one_item_and_for_thirty(cast, as_user):
    counts = []
    for size in (1, 30):
        case = make_case(cast, items=size)
        answer_items(case.consultation, actor=cast.department, answers={item.pk: adopted() for item in case.items})
        with CaptureQueriesContext(connection) as counted:
            page = as_user("department").get(reverse("projects:adoption-answer", args=[case.consultation.pk]))
        assert page.status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1], counts
