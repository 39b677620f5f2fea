"""Pages of results: who is let in, what nobody else is shown, forms sent twice, and queries that do not grow."""

from __future__ import annotations

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from core.idempotency import new_key
from core.jobs import run_waiting
from core.models import AuditEntry, Notification
from evaluations.models import Deliberation, Result, Sheet
from evaluations.services.deliberation import start_minutes
from evaluations.services.results import results_of
from evaluations.tests.result_cases import (
    announced,
    answer_all,
    collated,
    deliberated,
    meet,
    of_planner,
    open_scoring,
    published,
    settle,
)
from evaluations.tests.round_cases import make_site
from factories import fill_sheet
from planners.models import Honour

pytestmark = pytest.mark.django_db
SECRET, WORDS = "37.77", "密封说明"
EVERYBODY = ["bureau", "leader", "city", "unit_officer", "other_officer", "department", "owner", "planner", "colleague"]


def login(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(site, who, name, *args):
    return login(getattr(site, who)).get(reverse(f"evaluations:{name}", args=args))


@pytest.fixture
def tongzhou(db):
    return make_site("tongzhou", demo=True)


@pytest.fixture
def jincheng(db):
    return make_site("jincheng", demo=True)


# --- who is let in ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["results-outliers", "results-export", "deliberation"])
def test_workings_are_for_bureau_and_leader_alone(tongzhou, name):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"))
    got = {who: page(tongzhou, who, name, moved.pk).status_code for who in EVERYBODY}
    assert {who for who, status in got.items() if status == 200} == {"bureau", "leader"}
    assert set(got.values()) <= {200, 403, 404}


def test_another_locality_finds_nothing(tongzhou):
    moved = collated(tongzhou, open_scoring(tongzhou, "planner"))
    result = of_planner(moved)
    other = make_site("jincheng", demo=True)
    for who in ("bureau", "leader", "city", "planner"):
        assert page(other, who, "results", moved.pk).status_code == 404
        assert page(other, who, "result", result.pk).status_code == 404


def test_nobody_but_the_organisers_sees_a_result_before_the_notice_and_the_city_not_before_it_stands(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"))
    result = of_planner(moved)

    def sees():
        return {who for who in EVERYBODY if page(tongzhou, who, "result", result.pk).status_code == 200}

    assert sees() == {"bureau", "leader"}
    settle(tongzhou, moved)
    meet(tongzhou, moved)
    type(moved).objects.filter(pk=moved.pk).update(state="notice")
    assert sees() == {"bureau", "leader", "planner", "colleague"}
    type(moved).objects.filter(pk=moved.pk).update(state="published")
    assert sees() == {"bureau", "leader", "planner", "colleague", "city"}


@pytest.mark.parametrize("name", ["result-adjust", "result-unsettle", "result-correct"])
def test_forms_are_refused_with_the_reason(tongzhou, name):
    moved = announced(tongzhou, open_scoring(tongzhou, "planner"))
    result = of_planner(moved)
    for who in EVERYBODY:
        assert page(tongzhou, who, name, result.pk).status_code in (403, 404)


# --- nothing leaks ------------------------------------------------------------------------------------------------


def everything(site, who, round_):
    """The text of every page and file of results that the person gets, over both sides."""
    found = []
    client = login(getattr(site, who))
    urls = [
        reverse(f"evaluations:{name}", args=[round_.pk]) for name in ("results", "results-outliers", "deliberation")
    ]
    urls += [reverse("evaluations:result", args=[pk]) for pk in Result.objects.values_list("pk", flat=True)]
    urls += [f"{urls[0]}?sort=rank", f"{urls[0]}?changed=yes&state=settled&direction=department"]
    for url in urls:
        found.append(client.get(url).content.decode())
    got = client.get(reverse("evaluations:results-export", args=[round_.pk]))
    if got.status_code == 200:
        book = load_workbook(io.BytesIO(b"".join(got.streaming_content)))
        found += [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
    return "\n".join(found)


@pytest.mark.slow
def test_while_a_step_is_open_no_page_of_results_knows_anything_for_anybody(jincheng):
    opened = open_scoring(jincheng)
    answer_all(jincheng, opened, Decimal(SECRET))
    for who in EVERYBODY:
        text = everything(jincheng, who, opened)
        assert SECRET not in text and "37.7" not in text and WORDS not in text
    entries = "".join(str(entry.detail) for entry in AuditEntry.objects.all())
    notices = "".join(note.text for note in Notification.objects.all())
    assert SECRET not in entries + notices and WORDS not in entries + notices


@pytest.mark.slow
def test_the_other_side_gets_no_single_answer_no_rater_and_no_mean_of_few_after_all_is_over(jincheng):
    """Planners gave 37.77 to the offices: one rater each, so the offices are told no figure at all."""
    opened = open_scoring(jincheng)
    answer_all(jincheng, opened, 80)
    for sheet in opened.sheets.filter(subject__direction="department").select_related("planner__user"):
        fill_sheet(sheet, sheet.planner.user, Decimal(SECRET), comment=WORDS)
    moved = published_as_it_stands(jincheng, opened)
    for who in ("unit_officer", "other_officer", "owner", "department"):
        text = everything(jincheng, who, moved)
        assert SECRET not in text and WORDS not in text
        assert "龚䶮" not in text and "欧阳明" not in text
    assert "参评人数较少，为保护评价人不显示" in everything(jincheng, "unit_officer", moved)
    # The control: who collates is shown it.
    assert SECRET in everything(jincheng, "bureau", moved) and WORDS in everything(jincheng, "bureau", moved)


def test_planners_are_told_their_result_and_not_who_said_what(jincheng):
    moved = published(jincheng, open_scoring(jincheng), 80)
    text = everything(jincheng, "planner", moved)
    assert "80.00" in text and WORDS not in text and "业主" not in text and "甲街道" not in text


def test_a_colleagues_result_is_not_found(jincheng):
    moved = published(jincheng, open_scoring(jincheng), 80)
    theirs = of_planner(moved, jincheng.planners[1])
    assert page(jincheng, "planner", "result", theirs.pk).status_code in (200, 404)
    own = of_planner(moved, jincheng.planners[0])
    assert page(jincheng, "colleague", "result", own.pk).status_code == 404


def test_the_city_sees_results_and_not_a_single_sheet(jincheng):
    moved = published(jincheng, open_scoring(jincheng), 80)
    text = everything(jincheng, "city", moved)
    assert "80.00" in text and WORDS not in text and "项目业主单位：" not in text


def test_minutes_are_for_the_organisers(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"))
    settle(tongzhou, moved)
    meeting = meet(tongzhou, moved)
    start_minutes(meeting, actor=tongzhou.leader)
    run_waiting()
    got = {who: page(tongzhou, who, "minutes", meeting.pk).status_code for who in EVERYBODY}
    assert {who for who, status in got.items() if status == 200} == {"bureau", "leader"}


def published_as_it_stands(site, opened):
    from evaluations.services.rounds import move_round
    from evaluations.tests.result_cases import close_all
    from evaluations.tests.round_cases import TODAY

    close_all(site, opened)
    moved = move_round(opened, "collate", actor=site.bureau, today=TODAY)
    run_waiting()
    moved = move_round(moved, "deliberate", actor=site.bureau, today=TODAY)
    settle(site, moved)
    meet(site, moved)
    moved = move_round(moved, "announce", actor=site.leader, today=TODAY)
    return move_round(moved, "publish", actor=site.bureau, today=moved.objections_until + timedelta(days=1))


# --- working with it ----------------------------------------------------------------------------------------------


def test_a_result_is_explained_down_to_single_answers_with_clauses_and_duty_figures(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    text = page(tongzhou, "leader", "result", of_planner(moved).pk).content.decode()
    assert "示例〔2026〕2号" in text and WORDS in text and "逐级复算，与结果一致" in text
    assert "服务天数" in text and "尾款按 95% 支付" in text


def test_adjusting_on_the_page_shows_what_is_wrong_beside_the_field_and_then_does_it(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    result = of_planner(moved)
    client, url = login(tongzhou.leader), reverse("evaluations:result-adjust", args=[result.pk])
    answer = client.post(url, {"to_score": "95", "to_grade": "优秀", "reason": "表现突出", "seen": "0"})
    assert answer.status_code == 200 and "本次没有“优秀”名额" in answer.content.decode()
    assert client.post(url, {"to_score": "70", "to_grade": "达标", "reason": "", "seen": "0"}).status_code == 200
    sent = {
        "to_score": "７０",
        "to_grade": "达标",
        "reason": "未参加联席会议",
        "seen": "0",
        "final_grade": "优秀",
        "state": "settled",
    }
    assert client.post(url, sent).status_code == 302
    result.refresh_from_db()
    assert (result.final_grade, result.state, result.score) == ("达标", "computed", Decimal("85.00"))
    assert client.post(url, sent).status_code == 409


def test_a_meeting_sent_twice_is_one(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"))
    client, url = login(tongzhou.leader), reverse("evaluations:deliberation", args=[moved.pk])
    sent = {
        "body": "工作组", "held_on": timezone.localdate().isoformat(), "attendees": "甲", "minutes": "同意",
        "submission_key": new_key(),
    }  # fmt: skip
    assert [client.post(url, sent).status_code for _ in range(2)] == [302, 302]
    assert Deliberation.objects.count() == 1


def test_settling_all_names_what_is_not_decided(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"))
    Result.objects.update(final_grade="")
    answer = login(tongzhou.leader).post(reverse("evaluations:results-settle", args=[moved.pk]), follow=True)
    assert "没有等级的" in answer.content.decode()
    assert of_planner(moved).state == "computed"


def test_a_reward_is_noted_once_and_only_for_whom_the_document_names(tongzhou):
    moved = published(tongzhou, open_scoring(tongzhou, "planner"))
    result = of_planner(moved)
    client, url = login(tongzhou.bureau), reverse("evaluations:result-reward", args=[result.pk, 0])
    sent = {
        "recipient": f"team:{tongzhou.team.pk}", "kind": "award", "title": "年度优秀团队奖励",
        "given_on": timezone.localdate().isoformat(), "submission_key": new_key(),
    }  # fmt: skip
    wrong = {**sent, "recipient": f"planner:{tongzhou.planners[0].pk}"}
    assert client.post(url, wrong).status_code == 200 and not Honour.objects.exists()
    assert [client.post(url, sent).status_code for _ in range(2)] == [302, 302]
    honour = Honour.objects.get()
    assert honour.team == tongzhou.team and "通政办发〔2021〕10号" in honour.article and honour.assessment is not None
    assert client.get(reverse("evaluations:result-reward", args=[result.pk, 9])).status_code == 404


def test_excel_holds_every_result_with_the_rules_and_is_audited(tongzhou):
    moved = deliberated(tongzhou, open_scoring(tongzhou, "planner"), 85)
    got = page(tongzhou, "bureau", "results-export", moved.pk)
    book = load_workbook(io.BytesIO(b"".join(got.streaming_content)))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert len(rows) == 2 and rows[1][1] == "tongzhou团队" and 85 in rows[1]
    rules = {row[0]: row[2] for row in book.worksheets[1].iter_rows(values_only=True)}
    assert "示例〔2026〕2号" in rules["对责任规划师的指标权重"]
    assert AuditEntry.objects.filter(action="result.export").count() == 1


def test_the_ranking_takes_as_many_queries_for_many_as_for_one(jincheng):
    moved = deliberated(jincheng, open_scoring(jincheng))
    client, url = login(jincheng.bureau), reverse("evaluations:results", args=[moved.pk])

    def queries(rows):
        client.get(url + rows)
        with CaptureQueriesContext(connection) as found:
            assert client.get(url + rows).status_code == 200
        return len(found)

    assert results_of(moved).count() > 3
    assert queries("?direction=planner") == queries("")
    assert queries("") <= 14


def test_a_draft_sheet_is_named_nowhere_in_the_workings(jincheng):
    opened = open_scoring(jincheng)
    sheet = opened.sheets.get(subject__planner=jincheng.planners[1], side="unit")
    answer_all(jincheng, opened, 90)
    fill_sheet(
        Sheet.objects.get(pk=sheet.pk), jincheng.other_officer, Decimal(SECRET), submit=False, comment="草稿说明"
    )
    moved = published_as_it_stands(jincheng, opened)
    for who in EVERYBODY:
        text = everything(jincheng, who, moved)
        assert SECRET not in text and "草稿说明" not in text
