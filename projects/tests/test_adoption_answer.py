"""Whoever asked answers each item, once, with reason, owner and day; changes and proofs; what was answered is taken
back only by the bureau."""

from __future__ import annotations

import threading
from datetime import date
from unittest import mock

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, connections
from django.urls import reverse

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import AuditEntry, Notification
from factories import make_organisation
from factories_review import make_consultee, make_opinion
from projects.models import Consultation, ItemAnswer, ItemProof
from projects.services import adoption as services
from projects.services.adoption import answer_items, change_answer, record_proof, withdraw_answered
from projects.services.course import answered_again
from projects.tests.adoption_cases import DUE, OWNER, TODAY, adopted, make_case, partly, refused

pytestmark = pytest.mark.usefixtures("in_june")
ROLES = (
    "planner", "lead", "colleague", "unit_officer", "other_unit_officer", "bureau", "other_bureau", "department",
    "leader", "sysadmin", "anonymous",
)  # fmt: skip


@pytest.fixture
def in_june():
    with time_machine.travel(f"{TODAY}T02:00:00Z", tick=False):
        yield


@pytest.fixture
def case(cast):
    return make_case(cast)


def statuses(as_user, url, method="get", roles=ROLES, **data):
    return {who: getattr(as_user(who), method)(url, data).status_code for who in roles}


# --- answering -----------------------------------------------------------------------------------------------------


def test_answering_every_item_settles_the_request_and_tells_the_planner(case):
    one, two, three, *rest = case.items
    answers = {one.pk: adopted(), two.pk: partly(), three.pk: refused(), **{item.pk: adopted() for item in rest}}
    answer_items(case.consultation, actor=case.cast.department, answers=answers)
    case.consultation.refresh_from_db()
    assert case.consultation.state == "settled"
    kept = list(ItemAnswer.objects.order_by("item").values_list("decision", "owner", "due_on", "is_current", "version"))
    assert kept == [
        ("adopted", OWNER, DUE, True, 1), ("partly", OWNER, DUE, True, 1), ("refused", "", None, True, 1),
        ("adopted", OWNER, DUE, True, 1), ("adopted", OWNER, DUE, True, 1),
    ]  # fmt: skip
    told = Notification.objects.get(user=case.cast.planner, kind="adoption.answered")
    assert told.text.endswith("采纳 3 条、部分采纳 1 条、不采纳 1 条")
    actions = list(AuditEntry.objects.filter(object_type="projects.consultation").values_list("action", flat=True))
    assert sorted(actions) == ["consultation.feedback", "consultation.settle"]


def test_items_may_be_answered_one_after_another_and_the_rest_stays_owed(case):
    first, *rest = case.items
    answer_items(case.consultation, actor=case.cast.department, answers={first.pk: adopted()})
    case.consultation.refresh_from_db()
    assert case.consultation.state == "answered"
    assert list(services.unanswered_of(case.consultation)) == rest


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (partly(reason=" "), "reason"), (refused(""), "reason"), (adopted(owner=""), "owner"),
        (adopted(due_on=None), "due"), (adopted(due_on=date(2026, 6, 14)), "due"),
        (adopted(decision="maybe"), "decision"),
    ],
)  # fmt: skip
def test_an_answer_without_what_it_needs_is_refused_beside_its_field_and_nothing_is_kept(case, given, field):
    first, second, *_ = case.items
    with pytest.raises(ValidationError) as told:
        answer_items(case.consultation, actor=case.cast.department, answers={first.pk: adopted(), second.pk: given})
    assert list(told.value.message_dict) == [f"{field}_{second.pk}"]
    assert not ItemAnswer.objects.exists()


def test_an_item_of_another_request_cannot_be_answered_along(case, cast):
    other = make_case(cast, project=case.project)
    with pytest.raises(StaleState):
        answer_items(case.consultation, actor=cast.department, answers={other.items[0].pk: adopted()})
    assert not ItemAnswer.objects.exists()


def test_what_was_answered_already_is_not_answered_again(case):
    first, *_ = case.items
    answer_items(case.consultation, actor=case.cast.department, answers={first.pk: adopted()})
    with pytest.raises(StaleState, match="已由他人反馈"):
        answer_items(case.consultation, actor=case.cast.department, answers={first.pk: refused()})
    assert ItemAnswer.objects.get().decision == "adopted"


def test_an_opinion_may_be_answered_while_others_asked_are_still_writing(cast):
    case = make_case(cast, items=1, state="asked", answered_on=None, feedback_due_on=None)
    make_consultee(case.consultation, cast.colleague_planner)
    answer_items(case.consultation, actor=cast.department, answers={case.items[0].pk: adopted()})
    case.consultation.refresh_from_db()
    # Settled it is not: another opinion may come.
    assert case.consultation.state == "asked"


def test_items_of_a_planner_who_keeps_out_are_neither_shown_nor_owed(case, cast):
    away = make_opinion(make_consultee(case.consultation, cast.colleague_planner, state="recused"), items=1)
    assert away.items.get() not in case.items
    with pytest.raises(StaleState):
        answer_items(case.consultation, actor=cast.department, answers={away.items.get().pk: adopted()})
    answer_items(case.consultation, actor=cast.department, answers={item.pk: adopted() for item in case.items})
    assert Consultation.objects.get().state == "settled"


def test_only_who_asked_answers(case, as_user):
    url = reverse("projects:adoption-answer", args=[case.consultation.pk])
    assert statuses(as_user, url) == {
        "planner": 200, "lead": 200, "colleague": 404, "unit_officer": 200, "other_unit_officer": 404, "bureau": 200,
        "other_bureau": 404, "department": 200, "leader": 200, "sysadmin": 404, "anonymous": 302,
    }  # fmt: skip
    assert statuses(as_user, url, "post") == {
        "planner": 403, "lead": 403, "colleague": 404, "unit_officer": 403, "other_unit_officer": 404, "bureau": 403,
        "other_bureau": 404, "department": 200, "leader": 403, "sysadmin": 404, "anonymous": 302,
    }  # fmt: skip
    for who in ("planner", "unit_officer", "bureau", "leader", "other_unit_officer"):
        with pytest.raises(Refused):
            answer_items(case.consultation, actor=getattr(case.cast, who), answers={case.items[0].pk: adopted()})


def test_the_bureau_and_a_unit_answer_what_they_asked_themselves(cast):
    for who, asker in (
        ("bureau", cast.bureau.memberships.get().organisation), ("unit_officer", cast.unit.office),
    ):  # fmt: skip
        case = make_case(cast, items=1)
        Consultation.objects.filter(pk=case.consultation.pk).update(asker=asker)
        case.consultation.refresh_from_db()
        with pytest.raises(Refused):
            answer_items(case.consultation, actor=cast.department, answers={case.items[0].pk: adopted()})
        answer_items(case.consultation, actor=getattr(cast, who), answers={case.items[0].pk: adopted()})


def form_of(case, key=None, **changed):
    one, two, three, *rest = case.items
    data = {
        "submission_key": key or new_key(), "owner": OWNER, "due_on": "2026年7月31日",
        f"decision_{one.pk}": "adopted", f"decision_{two.pk}": "partly", f"reason_{two.pk}": "限高须维持。",
        f"decision_{three.pk}": "refused", f"reason_{three.pk}": "与红线不符。",
        **{f"decision_{item.pk}": "adopted" for item in rest},
    }  # fmt: skip
    return {**data, **changed}


def test_the_form_answers_all_items_and_a_double_click_answers_once(case, as_user):
    url, data = reverse("projects:adoption-answer", args=[case.consultation.pk]), form_of(case)
    client = as_user("department")
    assert [client.post(url, data).status_code for _ in range(2)] == [302, 302]
    assert ItemAnswer.objects.count() == 5
    assert Notification.objects.filter(user=case.cast.planner).count() == 1
    assert Consultation.objects.get().state == "settled"
    page = client.get(url).content.decode()
    assert "与红线不符。" in page and "提交反馈" not in page


def test_the_form_asks_once_for_what_all_adopted_items_lack_and_keeps_what_was_typed(case, as_user):
    url = reverse("projects:adoption-answer", args=[case.consultation.pk])
    two = case.items[1]
    answer = as_user("department").post(url, form_of(case, owner="", **{f"reason_{two.pk}": ""}))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count("请填写落实责任人。") == 2  # in the summary and beside its one field
    assert "第 2 条理由：部分采纳和不采纳须写明理由。" in page
    assert "与红线不符。" in page
    assert not ItemAnswer.objects.exists()


def test_the_form_without_any_choice_says_so(case, as_user):
    url = reverse("projects:adoption-answer", args=[case.consultation.pk])
    page = as_user("department").post(url, {"submission_key": new_key()}).content.decode()
    assert "请至少对一条意见选择采纳情况。" in page


def test_fields_of_state_cannot_be_posted(case, as_user):
    url = reverse("projects:adoption-answer", args=[case.consultation.pk])
    more = {"version": "7", "is_current": "", "asker": "1", "state": "withdrawn", "answered_by": "1"}
    as_user("department").post(url, form_of(case, **more))
    assert set(ItemAnswer.objects.values_list("version", "is_current", "asker", "answered_by")) == {
        (1, True, case.consultation.asker_id, case.cast.department.pk)
    }


def test_a_day_of_rest_is_taken_as_given_and_said_so(case, as_user):
    url = reverse("projects:adoption-answer", args=[case.consultation.pk])
    page = as_user("department").post(url, form_of(case, due_on="2026-08-01"), follow=True).content.decode()
    assert "2026-08-01 是休息日" in page
    assert ItemAnswer.objects.filter(due_on=date(2026, 8, 1)).count() == 4


# --- changing ------------------------------------------------------------------------------------------------------


@pytest.fixture
def answered(case):
    answer_items(case.consultation, actor=case.cast.department, answers={item.pk: adopted() for item in case.items})
    case.consultation.refresh_from_db()
    return case


def test_a_changed_answer_is_the_next_version_with_its_reason_and_the_former_stays(answered, as_user):
    first = answered.items[0].answers.get()
    url = reverse("projects:answer-change", args=[first.pk])
    data = {
        "submission_key": new_key(),
        "decision": "refused",
        "reason": "资金未落实。",
        "change_reason": "年度预算调整",
    }
    assert [as_user("department").post(url, data).status_code for _ in range(2)] == [302, 302]
    rows = list(
        first.item.answers.order_by("version").values_list("version", "decision", "is_current", "change_reason")
    )
    assert rows == [(1, "adopted", False, ""), (2, "refused", True, "年度预算调整")]
    page = as_user("planner").get(reverse("projects:adoption-answer", args=[answered.consultation.pk])).content.decode()
    assert "变更前的反馈（1）" in page and "年度预算调整" in page
    assert Notification.objects.filter(user=answered.cast.planner, kind="adoption.changed").count() == 1


def test_a_change_needs_a_reason_and_something_changed(answered):
    first = answered.items[0].answers.get()
    with pytest.raises(ValidationError, match="请写明变更原因"):
        change_answer(first, actor=answered.cast.department, given=refused(), change_reason=" ")
    with pytest.raises(ValidationError, match="与现行的反馈相同"):
        change_answer(first, actor=answered.cast.department, given=adopted(), change_reason="笔误")
    with pytest.raises(ValidationError) as told:
        change_answer(first, actor=answered.cast.department, given=adopted(due_on=None), change_reason="笔误")
    assert list(told.value.message_dict) == ["due_on"]


def test_a_former_version_is_not_changed_and_who_did_not_ask_changes_nothing(answered):
    first = answered.items[0].answers.get()
    stale = ItemAnswer.objects.get(pk=first.pk)
    change_answer(first, actor=answered.cast.department, given=refused(), change_reason="预算调整")
    with pytest.raises(StaleState):
        change_answer(stale, actor=answered.cast.department, given=partly(), change_reason="预算调整")
    stale.refresh_from_db()
    with pytest.raises(Refused, match="变更前"):
        change_answer(stale, actor=answered.cast.department, given=partly(), change_reason="预算调整")
    second = answered.items[1].answers.get()
    for who in ("planner", "bureau", "unit_officer", "leader"):
        with pytest.raises(Refused):
            change_answer(second, actor=getattr(answered.cast, who), given=refused(), change_reason="预算调整")


# --- proving -------------------------------------------------------------------------------------------------------


def test_proof_is_recorded_by_who_asked_and_by_the_unit_and_its_file_is_open_to_who_sees_the_answer(answered, as_user):
    answer = answered.items[0].answers.get()
    url = reverse("projects:answer-proof", args=[answer.pk])
    file = SimpleUploadedFile("竣工.txt", "不是允许的格式".encode())
    data = {"submission_key": new_key(), "done_on": "2026-06-15", "text": "已按意见调整檐口。"}
    refused_page = as_user("unit_officer").post(url, {**data, "upload": file})
    assert refused_page.status_code == 200 and not ItemProof.objects.exists()
    pdf = SimpleUploadedFile("竣工图.pdf", b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF")
    data["submission_key"] = new_key()
    assert as_user("unit_officer").post(url, {**data, "upload": pdf}).status_code == 302
    proof = ItemProof.objects.get()
    assert (proof.done_on, proof.recorded_by, proof.answer_id) == (TODAY, answered.cast.unit_officer, answer.pk)
    file_url = reverse("projects:proof-file", args=[proof.pk])
    found = statuses(as_user, file_url, roles=("planner", "colleague", "other_unit_officer", "other_bureau", "bureau"))
    assert found == {"planner": 200, "colleague": 404, "other_unit_officer": 404, "other_bureau": 404, "bureau": 200}
    assert AuditEntry.objects.filter(action="itemanswer.file").count() == 2


def test_proof_access(answered, as_user):
    url = reverse("projects:answer-proof", args=[answered.items[0].answers.get().pk])
    assert statuses(as_user, url) == {
        "planner": 403, "lead": 403, "colleague": 404, "unit_officer": 200, "other_unit_officer": 404, "bureau": 403,
        "other_bureau": 404, "department": 200, "leader": 403, "sysadmin": 404, "anonymous": 302,
    }  # fmt: skip


@pytest.mark.parametrize("day", [date(2026, 6, 16), date(2026, 5, 31)])
def test_nothing_is_done_tomorrow_or_before_it_was_asked(answered, day):
    answer = answered.items[0].answers.get()
    with pytest.raises(ValidationError) as told:
        record_proof(answer, actor=answered.cast.department, done_on=day, text="已调整。")
    assert list(told.value.message_dict) == ["done_on"]


def test_what_was_refused_has_no_proof(answered):
    answer = answered.items[0].answers.get()
    made = change_answer(answer, actor=answered.cast.department, given=refused(), change_reason="预算调整")
    with pytest.raises(Refused, match="不采纳的意见无须登记"):
        record_proof(made, actor=answered.cast.department, done_on=TODAY, text="已调整。")


def test_a_proof_counts_for_the_item_when_the_answer_changes_later(answered):
    answer = answered.items[0].answers.get()
    record_proof(answer, actor=answered.cast.department, done_on=TODAY, text="已调整。")
    change_answer(answer, actor=answered.cast.department, given=partly(), change_reason="更正表述")
    assert answer.item_id not in ItemAnswer.objects.unproven().values_list("item_id", flat=True)
    assert ItemAnswer.objects.unproven().count() == 4


# --- taken back, and versions ------------------------------------------------------------------------------------


def test_a_request_already_answered_is_taken_back_by_the_bureau_alone_and_everybody_is_told(case, as_user):
    answer_items(case.consultation, actor=case.cast.department, answers={case.items[0].pk: adopted()})
    url = reverse("projects:consultation-withdraw-answered", args=[case.consultation.pk])
    assert statuses(as_user, url) == {
        "planner": 403, "lead": 403, "colleague": 404, "unit_officer": 403, "other_unit_officer": 404, "bureau": 200,
        "other_bureau": 404, "department": 403, "leader": 403, "sysadmin": 404, "anonymous": 302,
    }  # fmt: skip
    assert as_user("bureau").post(url, {"reason": ""}).status_code == 200
    assert as_user("bureau").post(url, {"reason": "项目终止"}).status_code == 302
    case.consultation.refresh_from_db()
    assert (case.consultation.state, case.consultation.reason) == ("withdrawn", "项目终止")
    told = {row.user: row.text for row in Notification.objects.filter(kind="adoption.withdrawn")}
    assert set(told) == {case.cast.planner, case.cast.department}
    assert all("项目终止" in text and "4 条意见不再要求反馈" in text for text in told.values())
    # What was answered stands and cannot be changed; nothing more can be answered.
    with pytest.raises(Refused, match="该征询已撤回"):
        answer_items(case.consultation, actor=case.cast.department, answers={case.items[1].pk: adopted()})
    with pytest.raises(Refused, match="原有反馈保持不变"):
        change_answer(
            case.items[0].answers.get(), actor=case.cast.department, given=refused(), change_reason="预算调整"
        )
    page = as_user("department").get(reverse("projects:adoption-answer", args=[case.consultation.pk]))
    assert "该征询已撤回，原因：项目终止" in page.content.decode()


def test_a_settled_request_is_not_taken_back(answered):
    with pytest.raises(Refused):
        withdraw_answered(answered.consultation, actor=answered.cast.bureau, reason="项目终止")


def test_taking_back_what_was_settled_a_moment_ago_is_stale(case):
    seen = Consultation.objects.get()
    answer_items(case.consultation, actor=case.cast.department, answers={i.pk: adopted() for i in case.items})
    with pytest.raises(StaleState, match="已反馈"):
        withdraw_answered(seen, actor=case.cast.bureau, reason="项目终止")


def test_a_new_version_of_an_opinion_is_owed_anew_and_the_old_items_are_left(answered):
    old = answered.opinion
    type(old).objects.filter(pk=old.pk).update(state="superseded")
    new = make_opinion(old.consultee, items=2, version=2, supersedes=old, supersede_reason="补充")
    answered.consultation.refresh_from_db()
    answered_again(answered.consultation, actor=None)
    answered.consultation.refresh_from_db()
    assert answered.consultation.state == "answered"
    assert [item.opinion for item in services.unanswered_of(answered.consultation)] == [new, new]
    with pytest.raises(Refused, match="新版"):
        change_answer(
            ItemAnswer.objects.first(), actor=answered.cast.department, given=refused(), change_reason="预算调整"
        )


# --- two at once -------------------------------------------------------------------------------------------------


def at_once(*calls):
    """Run each call in a thread of its own, all released together; what each gave or raised."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number, call):
        try:
            barrier.wait(5)
            results[number] = call()
        except Exception as exc:
            results[number] = exc
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs two writers at once")
class TestAtOnce:
    def test_two_officers_answer_the_same_items_and_one_is_told(self, case):
        answers = {item.pk: adopted() for item in case.items}
        say = lambda: answer_items(case.consultation, actor=case.cast.department, answers=answers)  # noqa: E731
        results = at_once(say, say)
        assert sorted(type(one).__name__ for one in results) == ["Consultation", "StaleState"]
        assert ItemAnswer.objects.count() == 5

    def test_without_the_lock_both_pass_the_check_and_the_database_refuses_the_second(self, case):
        """The control: the guard off, the race does happen."""
        gate, first = threading.Barrier(2), case.items[0]

        def unguarded(consultation):
            gate.wait(5)
            return services.ROWS.get(pk=consultation.pk)

        def late_check(*args, **kwargs):
            gate.wait(5)

        with mock.patch.object(services, "locked", unguarded), mock.patch.object(services, "_check", late_check):
            say = lambda: answer_items(  # noqa: E731
                case.consultation, actor=case.cast.department, answers={first.pk: adopted()}
            )
            results = at_once(say, say)
        # Both had found the item unanswered; only the constraint kept the second answer out.
        assert sorted(isinstance(one, (ValidationError, IntegrityError)) for one in results) == [False, True]

    def test_answering_and_taking_back_at_once_end_in_one_of_the_two(self, case):
        answers = {item.pk: adopted() for item in case.items}
        results = at_once(
            lambda: answer_items(case.consultation, actor=case.cast.department, answers=answers),
            lambda: withdraw_answered(case.consultation, actor=case.cast.bureau, reason="项目终止"),
        )
        assert sum(isinstance(one, (StaleState, Refused)) for one in results) == 1
        case.consultation.refresh_from_db()
        assert (case.consultation.state, ItemAnswer.objects.count()) in {("settled", 5), ("withdrawn", 0)}


# --- a department dissolved --------------------------------------------------------------------------------------


def dissolve(case, heir=None, actor=None):
    from districts.models import Organisation
    from districts.services.organisations import update_organisation

    body = Organisation.objects.get(pk=case.consultation.asker_id)
    values = {"is_active": False, **({"succeeded_by": heir} if heir else {})}
    return update_organisation(body, actor=actor or case.cast.bureau, **values)


def test_a_dissolved_departments_answers_are_owed_by_whoever_succeeds_it(case, cast):
    first = case.items[0]
    answer_items(case.consultation, actor=cast.department, answers={first.pk: adopted()})
    heir = make_organisation(cast.locality, "department", name="城市管理委员会")
    from accounts.roles import Role
    from factories import make_membership, make_user

    officer = make_user("城管干部", locality_code=cast.locality.code)
    make_membership(officer, Role.DEPARTMENT, cast.locality, organisation=heir)
    former = case.consultation.asker
    dissolve(case, heir)
    case.consultation.refresh_from_db()
    assert (case.consultation.asker, case.consultation.inherited_from) == (heir, former)
    # What it answered stays its own.
    assert first.answers.get().asker == former
    rest = {item.pk: adopted() for item in case.items[1:]}
    with pytest.raises(Refused):
        answer_items(case.consultation, actor=cast.department, answers=rest)
    answer_items(case.consultation, actor=officer, answers=rest)
    assert {row.user for row in Notification.objects.filter(kind="adoption.heir")} == {officer, cast.bureau}
    assert Notification.objects.filter(kind="adoption.inherited", user=cast.planner).count() == 1
    assert AuditEntry.objects.get(action="consultation.inherit").detail["to_label"] == heir.name


def test_without_a_successor_the_bureau_owes_them(case, cast):
    dissolve(case)
    case.consultation.refresh_from_db()
    assert case.consultation.asker == cast.bureau.memberships.get().organisation
    answer_items(case.consultation, actor=cast.bureau, answers={item.pk: adopted() for item in case.items})


def test_a_body_that_owes_answers_is_not_closed_while_nobody_could_go_on(cast):
    from districts.models import Organisation

    case = make_case(cast)
    bureau = cast.bureau.memberships.get().organisation
    Consultation.objects.update(asker=bureau)
    case.consultation.refresh_from_db()
    with pytest.raises(ValidationError, match="请先指定承接单位"):
        dissolve(case)
    assert Organisation.objects.get(pk=bureau.pk).is_active
    case.consultation.refresh_from_db()
    assert case.consultation.asker == bureau


def test_a_successor_must_be_in_use_and_of_the_place(case, cast):
    closed = make_organisation(cast.locality, "department", is_active=False)
    foreign = make_organisation(cast.other_locality, "department")
    for heir in (closed, foreign):
        with pytest.raises(ValidationError, match="承接单位须为本地方在用的单位"):
            dissolve(case, heir)


def test_what_is_adopted_and_not_proven_goes_to_the_successor_too(answered, cast):
    heir = make_organisation(cast.locality, "department")
    dissolve(answered, heir)
    answered.consultation.refresh_from_db()
    assert (answered.consultation.state, answered.consultation.asker) == ("settled", heir)


def test_the_form_of_organisations_names_the_successor(case, cast, as_user):
    heir = make_organisation(cast.locality, "department", name="城市管理委员会")
    body = case.consultation.asker
    url = reverse("districts:organisation-edit", args=[body.pk])
    assert "停用后由谁承接" in as_user("bureau").get(url).content.decode()
    data = {"name": body.name, "kind": body.kind, "succeeded_by": heir.pk}
    assert as_user("bureau").post(url, data).status_code == 302
    case.consultation.refresh_from_db()
    assert case.consultation.asker == heir
