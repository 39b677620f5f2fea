"""The worklist: what waits for me, my office, and what I may see; shared out, kept, exported; few queries, any page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from core.errors import Refused
from core.models import AuditEntry, Notification
from core.spreadsheets import Column, read_rows
from core.tests.access import answers
from factories import make_membership, make_organisation, make_project, make_user
from factories_review import (
    make_answer,
    make_consultation,
    make_consultee,
    make_opinion,
    make_rectification,
)
from projects.matters import KINDS, MatterSet, matters_for
from projects.models import (
    DataRequest,
    Dispute,
    Extension,
    HardQuestion,
    MatterHandler,
    Recusal,
    SavedFilter,
)
from projects.services.worklists import distribute, save_filter, waiting_for
from projects.tests.adoption_cases import TODAY, asked_by_department, make_case

URL = "/projects/desk/"
ROLES = (
    "bureau", "unit_officer", "department", "leader", "city", "lead", "planner", "other_bureau", "finance", "evaluator",
    "sysadmin", "secadmin", "auditor", "anonymous",
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_june():
    with time_machine.travel(f"{TODAY}T02:00:00Z", tick=False):
        yield


def own(user, **more) -> dict[str, int]:
    """{kind: how many} that wait for the person themselves."""
    return {one.kind: one.count for one in waiting_for(user, today=timezone.localdate())}


def seen(user) -> set[str]:
    return {row["m_kind"] for row in matters_for(user)}


@pytest.fixture
def everything(cast):
    """One matter of each kind about projects of 景山."""
    project = make_project(cast.locality, name="雄安路口", units=[cast.unit], stage="scheme")
    asked = asked_by_department(
        cast, project=project, state="asked", answered_on=None, feedback_due_on=None, due_on=date(2026, 6, 12)
    )
    consultee = make_consultee(asked, cast.own_planner)
    make_consultee(asked, cast.colleague_planner)
    Extension.objects.create(consultation=asked, days=3, reason="现场踏勘", asked_by=cast.planner)
    make_opinion(consultee, state="returned", items=1)
    endorsing = make_consultee(asked_by_department(cast, project=project, state="asked"), cast.own_planner)
    make_opinion(endorsing, state="endorsing", items=1)
    feedback = make_case(cast, project=project)
    settled = make_case(cast, project=project, state="settled", items=1)
    make_answer(settled.items[0])
    asked_by_department(cast, project=project, state="unanswered", answered_on=None, feedback_due_on=None)
    raised = {"raised_by": cast.own_planner}
    make_rectification(project, **raised, due_on=date(2026, 6, 10))
    make_rectification(project, **raised, state="replied")
    make_rectification(project, **raised, state="escalated", reason="拒不整改")
    common = {
        "locality": cast.locality, "project": project, "stage": project.stages.get(), "raised_by": cast.department,
        "raised_for": "委办局", "filed_on": date(2026, 6, 1), "route": "区政府", "raised_side": "parties",
    }  # fmt: skip
    Dispute.objects.create(number="FQ-1", title="界面高度", item=feedback.items[0], **common)
    Dispute.objects.create(number="FQ-2", title="材质", item=feedback.items[1], state="stated", **common)
    HardQuestion.objects.create(
        locality=cast.locality, planner=cast.own_planner, asker=cast.bureau.memberships.get().organisation,
        asked_by=cast.leader, asked_on=date(2026, 6, 1), title="老旧管线如何统筹",
    )  # fmt: skip
    DataRequest.objects.create(locality=cast.locality, planner=cast.own_planner, what="地下管线图", purpose="方案审查")
    from projects.models import DispatchStep, OpinionDispatch

    letter = OpinionDispatch.objects.create(
        locality=cast.locality, consultation=settled.consultation, number="HG-1", text="请研究实施。",
        made_by=cast.bureau,
    )  # fmt: skip
    for number, side in enumerate(("planner", "bureau", "government", "unit"), start=1):
        done = date(2026, 6, 1) if side == "planner" else None
        DispatchStep.objects.create(dispatch=letter, step=number, side=side, act=f"办理{number}", done_on=done)
    return project


def test_each_waits_for_whom_it_is_and_all_kinds_are_known(cast, everything):
    assert seen(cast.bureau) == set(KINDS) - {"endorse", "returned"}
    assert own(cast.planner) == {"answer": 2, "returned": 1, "reinspect": 1, "state": 1, "question": 1}
    assert own(cast.colleague) == {"answer": 1}
    assert own(cast.lead) == {"endorse": 1}
    assert own(cast.department) == {"feedback": 1, "extension": 1, "unanswered": 1, "prove": 1}
    assert own(cast.unit_officer) == {"prove": 1}
    assert own(cast.bureau) == {"escalated": 1, "data": 1, "step": 1}
    assert own(cast.leader) == {"rule": 1}
    for who in ("other_unit_officer", "other_bureau", "foreign", "finance", "evaluator", "sysadmin"):
        assert (seen(getattr(cast, who)), own(getattr(cast, who))) == (set(), {})


def test_a_letter_waits_for_one_side_after_another(cast, everything):
    from projects.models import DispatchStep, OpinionDispatch

    letter = OpinionDispatch.objects.get()
    OpinionDispatch.objects.update(office_number="聊自然资函〔2026〕1号")
    DispatchStep.objects.filter(step=2).update(done_on=TODAY)
    assert "step" not in own(cast.bureau) and own(cast.leader)["step"] == 1
    DispatchStep.objects.filter(step=3).update(done_on=TODAY)
    assert own(cast.unit_officer)["step"] == 1 and "step" not in own(cast.leader)
    letter.steps.update(done_on=TODAY)
    assert "step" not in seen(cast.bureau)


def test_a_planner_who_keeps_out_sees_nothing_of_the_project(cast, everything):
    Recusal.objects.create(
        project=everything, planner=cast.own_planner, ground="declared", reason="亲属参与", recorded_by=cast.bureau
    )
    everything.consultations.all()
    from projects.models import Consultee

    Consultee.objects.filter(planner=cast.own_planner).update(state="recused")
    assert not {"answer", "returned", "reinspect", "feedback", "mend"} & seen(cast.planner)


def test_desk_access(cast, as_user):
    expected = (200,) * 8 + (403,) * 5 + (302,)
    found = answers(as_user, ROLES, {"desk": URL, "export": reverse("projects:desk-export")})
    assert found == {"desk": expected, "export": expected}


def test_what_is_late_soon_blocked_and_without_a_day_is_told_apart(cast, as_user, everything):
    client = as_user("bureau")

    def listed(**asked):
        page = client.get(URL, {"whose": "all", **asked})
        return sorted(line.kind for line in page.context["lines"])

    assert listed(due="late") == ["answer", "answer", "answer", "extension", "mend"]
    assert listed(due="none") == ["data", "escalated", "question", "reinspect", "rule", "state", "step", "unanswered"]
    assert listed(due="blocked") == ["feedback"]
    assert listed(due="later") == ["feedback", "prove"]
    assert listed(kind="mend") == ["mend"]
    assert listed(q="地下管线") == ["data"]
    assert len(listed(q="雄安路口")) == 13
    page = client.get(URL, {"whose": "all"})
    assert [tile["value"] for tile in page.context["tiles"]] == [5, 0, 1]
    assert page.context["total"] == len(page.context["lines"]) == 15


def test_the_light_counts_workdays(cast, as_user):
    for due, words, tone in (
        (date(2026, 6, 12), "已逾期 1 个工作日", "bad"), (date(2026, 6, 15), "今天到期", "waiting"),
        (date(2026, 6, 18), "还有 3 个工作日", "waiting"), (date(2026, 6, 23), "还有 5 个工作日", "good"),
    ):  # fmt: skip
        make_case(cast, feedback_due_on=due, items=1)
        found = as_user("department").get(URL, {"sort": "since"}).context["lines"]
        assert [(line.due.words, line.due.tone) for line in found if line.due.on == due] == [(words, tone)]


def test_the_list_takes_the_same_few_queries_for_one_row_and_for_fifty(cast, as_user):
    clients = {who: as_user(who) for who in ("department", "bureau", "planner", "lead", "unit_officer")}
    counts = {}
    for size in (1, 49):
        for _ in range(size):
            case = make_case(cast, items=1)
            make_consultee(case.consultation, cast.colleague_planner)
        for who, client in clients.items():
            with CaptureQueriesContext(connection) as counted:
                assert client.get(URL, {"whose": "all"}).status_code == 200
            counts.setdefault(who, []).append(len(counted))
    assert all(one == fifty <= 8 for one, fifty in counts.values()), counts


def test_looked_at_again_the_list_is_read_anew_and_not_worded_anew(cast, as_user, monkeypatch):
    """Wording the union costs several times what everything else does: it is done once for who one is."""
    clients = {who: as_user(who) for who in ("department", "planner", "unit_officer")}
    first = make_case(cast, items=1)
    for client in clients.values():
        client.get(URL, {"whose": "all"})
    second = make_case(cast, items=1)

    def never(self):
        raise AssertionError("worded anew")

    with monkeypatch.context() as patch:
        patch.setattr(MatterSet, "branches", property(never))
        for who, client in clients.items():
            shown = client.get(URL, {"whose": "all"}).content.decode()
            assert all(f"/consultations/{one.consultation.pk}/" in shown for one in (first, second)), who


def test_whoever_becomes_somebody_else_sees_that_persons_matters_at_once(cast, as_user):
    client, case = as_user("department"), make_case(cast, items=1)
    address = f"/consultations/{case.consultation.pk}/"
    assert address in client.get(URL, {"whose": "all"}).content.decode()
    other = make_organisation(cast.locality, "department", name="另一单位")
    cast.department.memberships.update(organisation=other)
    assert address not in client.get(URL, {"whose": "all"}).content.decode()
    cast.department.memberships.update(organisation=case.consultation.asker)
    assert address in client.get(URL, {"whose": "all"}).content.decode()
    assert address not in as_user("other_unit_officer").get(URL, {"whose": "all"}).content.decode()


def test_pages_by_key_hold_every_matter_once_in_order(cast, as_user, subtests):
    for number in range(60):
        due = date(2026, 6, 16) + timedelta(days=number % 7) if number % 3 else None
        make_case(cast, items=1, feedback_due_on=due, asked_on=date(2026, 6, 1) + timedelta(days=number % 5))
    client = as_user("department")
    for sort in ("due", "-due", "since", "project", "-project"):
        with subtests.test(sort=sort):
            seen_keys, url = [], f"{URL}?sort={sort}"
            for _ in range(4):
                page = client.get(url)
                seen_keys += [line.key for line in page.context["lines"]]
                if not page.context["page"].next_url:
                    break
                url = URL + page.context["page"].next_url
            assert len(seen_keys) == len(set(seen_keys)) == 60
            back = client.get(URL + page.context["page"].previous_url)
            assert [line.key for line in back.context["lines"]] == seen_keys[:50]


@pytest.mark.parametrize(
    "cursor", ["zz", "WyJ4IiwieSIsInoiXQ", "WzEsMiwzXQ", "WyIyMDI2LTA2LTEyIiwiYSIsIngiXQ", "bnVsbA"]
)
def test_a_broken_cursor_starts_at_the_beginning(cast, as_user, cursor):
    make_case(cast, items=1)
    page = as_user("department").get(URL, {"after": cursor})
    assert (page.status_code, len(page.context["lines"])) == (200, 1)


def test_the_export_holds_exactly_the_filtered_rows(cast, as_user, everything):
    client = as_user("bureau")
    asked = {"whose": "all", "due": "late"}
    page = client.get(URL, asked)
    answer = client.get(reverse("projects:desk-export"), asked)
    import io

    sheet = read_rows(
        io.BytesIO(b"".join(answer.streaming_content)), [Column("事项"), Column("项目"), Column("由谁办理")]
    )
    rows = sorted((row.cells["事项"], row.cells["项目"], row.cells["由谁办理"]) for row in sheet.rows)
    assert rows == sorted((line.label, line.project, line.who) for line in page.context["lines"])
    assert AuditEntry.objects.filter(action="matter.export").count() == 1


# --- sharing out -----------------------------------------------------------------------------------------------


@pytest.fixture
def colleague_officer(cast):
    user = make_user("另一干部", locality_code=cast.locality.code)
    make_membership(user, Role.DEPARTMENT, cast.locality, organisation=cast.department.memberships.get().organisation)
    return user


def test_matters_are_shared_out_within_the_office_and_leave_the_others_list(cast, as_user, colleague_officer):
    cases = [make_case(cast, items=1) for _ in range(3)]
    keys = [f"feedback-{case.consultation.pk}" for case in cases[:2]]
    data = {"matters": keys, "handler": colleague_officer.pk, "query": "kind=feedback"}
    answer = as_user("department").post(reverse("projects:desk-distribute"), data, follow=True)
    assert "已分派 2 项给另一干部。" in answer.content.decode()
    assert answer.redirect_chain[0][0] == f"{URL}?kind=feedback"
    assert own(cast.department) == {"feedback": 1}
    assert own(colleague_officer) == {"feedback": 3}
    office = as_user("department").get(URL, {"whose": "office"}).context["lines"]
    assert sorted(line.handler for line in office) == ["", "另一干部", "另一干部"]
    assert Notification.objects.filter(user=colleague_officer, kind="matter.given").count() == 1
    assert AuditEntry.objects.filter(action="matter.distribute").count() == 2


def test_who_has_left_the_office_holds_nothing_back(cast, colleague_officer):
    case = make_case(cast, items=1)
    distribute([("feedback", case.consultation.pk)], actor=cast.department, handler=colleague_officer)
    assert own(cast.department) == {}
    colleague_officer.memberships.update(ended_from=TODAY, end_reason="调离")
    assert own(cast.department) == {"feedback": 1}


def test_only_the_offices_own_and_waiting_matters_are_shared_out(cast, colleague_officer):
    mine, project = make_case(cast, items=1), make_project(cast.locality, units=[cast.unit])
    bureau = cast.bureau.memberships.get().organisation
    others = make_consultation(project, asker=bureau, asked_by=cast.bureau, state="answered")
    done = make_case(cast, items=1, state="settled")
    consultee = make_consultee(asked_by_department(cast, state="asked"), cast.own_planner)
    chosen = [
        ("feedback", mine.consultation.pk), ("feedback", others.pk), ("feedback", done.consultation.pk),
        ("answer", consultee.pk), ("nonsense", 1), ("feedback", 10**17),
    ]  # fmt: skip
    result = distribute(chosen, actor=cast.department, handler=colleague_officer)
    assert result.given == 1
    assert result.refused == {"已办理或不在您的范围内": 4, "须由本人办理，不能分派": 1}
    assert list(MatterHandler.objects.values_list("kind", "ref")) == [("feedback", mine.consultation.pk)]


def test_nothing_is_shared_out_to_strangers_nor_by_planners(cast, colleague_officer):
    case = make_case(cast, items=1)
    key = [("feedback", case.consultation.pk)]
    for stranger in (cast.bureau, cast.planner, cast.other_bureau):
        with pytest.raises(Refused):
            distribute(key, actor=cast.department, handler=stranger)
    for who in ("planner", "leader", "lead"):
        with pytest.raises(Refused):
            distribute(key, actor=getattr(cast, who), handler=colleague_officer)
    with pytest.raises(ValidationError, match="没有勾选"):
        distribute([], actor=cast.department, handler=colleague_officer)


def test_distribute_access(cast, as_user):
    expected = {**dict.fromkeys(ROLES, 403), "bureau": 302, "unit_officer": 302, "department": 302, "anonymous": 302}
    expected["other_bureau"] = 302
    url = reverse("projects:desk-distribute")
    assert {who: as_user(who).post(url).status_code for who in ROLES} == expected


# --- saved filters -----------------------------------------------------------------------------------------------


def test_a_filter_is_kept_under_a_name_for_oneself_alone_and_deleted_again(cast, as_user):
    client = as_user("department")
    save = reverse("projects:filter-save")
    for query in ("whose=office&due=late&after=xx", "whose=office&due=soon"):
        client.post(save, {"name": "逾期", "query": query})
    kept = SavedFilter.objects.get()
    assert (kept.name, kept.query, kept.user) == ("逾期", "whose=office&due=soon", cast.department)
    assert "逾期" in [one.name for one in client.get(URL).context["saved"]]
    assert not as_user("bureau").get(URL).context["saved"]
    assert as_user("bureau").post(reverse("projects:filter-delete", args=[kept.pk])).status_code == 404
    assert client.post(reverse("projects:filter-delete", args=[kept.pk])).status_code == 302
    assert not SavedFilter.objects.exists()


def test_an_empty_filter_and_too_many_are_refused(cast):
    with pytest.raises(ValidationError, match="还没有设定筛选条件"):
        save_filter(actor=cast.department, name="空", query="?after=zz")
    for number in range(30):
        save_filter(actor=cast.department, name=f"筛选{number}", query="due=late")
    with pytest.raises(ValidationError, match="最多保存 30 个"):
        save_filter(actor=cast.department, name="又一个", query="due=late")


def test_what_is_kept_of_the_list_was_made_from_nothing_that_was_read(cast, subtests, django_assert_num_queries):
    """Else it would go on saying what was true when it was worded: all that was read stands in its key."""
    make_case(cast)
    for who in ROLES[:-1]:
        matters = matters_for(getattr(cast, who))
        with subtests.test(who=who), django_assert_num_queries(0):
            assert matters.branches
