"""分歧协调: either side files where the policy has it so, both are heard, the district rules, the ruling is found again."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import IssuedDocument, Notification
from core.tests.access import answers
from districts.models import Membership
from factories import make_cast, make_organisation, make_policy_version, make_project
from factories_review import make_consultation, make_opinion
from projects.models import Dispute, Recusal
from projects.permissions_disputes import Matter
from projects.services import dispute_documents, field_sweeps
from projects.services.dispute_documents import draft_pdf, facts_of, issue_dossier
from projects.services.disputes import file_dispute, rule_dispute, state_position, withdraw_dispute
from projects.services.rectifications import Upload, enter_reply, open_rectifications

from .field_cases import NOON, TODAY, decide, picture, raise_one, site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


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


@pytest.fixture
def row(cast, project):
    return raise_one(cast, project)


def evidence(name="方案说明.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF", "application/pdf")


def filed(cast, matter, who=None, **extra):
    extra.setdefault("title", "檐口是否须返工")
    extra.setdefault("text", "已按批准图纸施工，不应返工。")
    extra.setdefault("raised_for", "示例施工公司")
    return file_dispute(matter, actor=who or cast.unit_officer, **extra)


def told(user, kind):
    return Notification.objects.filter(user=user, kind=kind).count()


# --- filed ----------------------------------------------------------------------------------------------------------


def test_either_side_files_and_the_other_is_told(cast, project, row, item):
    one = filed(cast, Matter(project, rectification=row))
    assert (one.state, one.raised_side, one.route) == ("filed", "parties", "区政府或其授权的主管部门")
    assert (one.number, one.clause["article"]) == ("FQ-110101-2026-0001", "四(二)")
    assert [told(who, "dispute.filed") for who in (cast.planner, cast.bureau, cast.leader, cast.unit_officer)] == [
        1,
        1,
        1,
        0,
    ]
    other = filed(cast, Matter(project, item=item), cast.planner, raised_for="单小雨")
    assert (other.raised_side, told(cast.department, "dispute.filed")) == ("planner", 1)


def test_terms_unset_give_no_days_and_a_decision_gives_workdays(cast, project, row, item):
    one = filed(cast, Matter(project, rectification=row))
    assert (one.statement_due_on, one.ruling_due_on) == (None, None)
    decide(cast, review__dispute_statement_days="3", review__dispute_ruling_days="10")
    other = filed(cast, Matter(project, item=item))
    # From Wednesday 10 June; 19 June 2026 is 端午节.
    assert (other.statement_due_on, other.ruling_due_on) == (date(2026, 6, 15), date(2026, 6, 25))


def test_where_the_policy_has_no_route_none_is_filed(cast):
    make_policy_version(cast.other_locality, "tongzhou")
    elsewhere = make_project(cast.other_locality, units=[cast.foreign_unit])
    with pytest.raises(Refused, match="本地制度对分歧协调未设定"):
        filed(cast, Matter(elsewhere), cast.other_bureau)


def test_side_that_the_policy_does_not_name_cannot_file(cast, project, row, monkeypatch):
    from projects import permissions_disputes as may

    policy, route = may.route_of(project)
    monkeypatch.setattr(may, "route_of", lambda project: (policy, {**route, "raised_by": ["planner"]}))
    with pytest.raises(Refused, match="您所在的一方不能提请协调"):
        filed(cast, Matter(project, rectification=row))
    assert filed(cast, Matter(project, rectification=row), cast.planner).raised_side == "planner"


@pytest.mark.parametrize(
    "who", ["leader", "city", "other_unit_officer", "foreign", "other_bureau", "finance", "sysadmin"]
)
def test_who_stands_on_no_side_cannot_file(cast, project, row, who):
    with pytest.raises(Refused, match="只有与此事有关"):
        filed(cast, Matter(project, rectification=row), getattr(cast, who))
    assert not Dispute.objects.exists()


def test_body_that_asked_is_a_side_of_the_item_whoever_owns_the_project(cast, project):
    asking = make_organisation(cast.locality, "department", name="征询委办局")
    Membership.objects.filter(user=cast.department).update(organisation=asking)
    consultation = make_consultation(project, asker=asking, asked_by=cast.department, planners=(cast.own_planner,))
    mine = make_opinion(consultation.consultees.get()).items.first()
    assert filed(cast, Matter(project, item=mine), cast.department).raised_side == "parties"
    with pytest.raises(Refused):
        filed(cast, Matter(project), cast.department)


def test_one_open_dispute_a_matter(cast, project, row):
    first = filed(cast, Matter(project, rectification=row))
    with pytest.raises(Refused, match="已有分歧在协调中"):
        filed(cast, Matter(project, rectification=row), cast.planner)
    withdraw_dispute(first, actor=cast.unit_officer, reason="已协商一致")
    assert filed(cast, Matter(project, rectification=row), cast.planner).state == "filed"


def test_what_is_settled_or_superseded_is_past_disputing(cast, project, row, item):
    row.state = "closed"
    row.save()
    with pytest.raises(Refused, match="已办结"):
        filed(cast, Matter(project, rectification=row))
    item.opinion.state = "superseded"
    with pytest.raises(Refused, match="现行有效"):
        filed(cast, Matter(project, item=item))


def test_planner_in_conflict_neither_files_nor_sees(cast, project, row, as_user):
    one = filed(cast, Matter(project, rectification=row))
    Recusal.objects.create(
        project=project, planner=cast.own_planner, ground="declared", reason="亲属任职", recorded_by=cast.bureau
    )
    assert as_user("planner").get(one.get_absolute_url()).status_code == 404
    assert one.title not in as_user("planner").get(reverse("projects:disputes")).content.decode()
    with pytest.raises(Refused):
        state_position(one, actor=cast.planner, text="我的意见")


def test_evidence_that_is_no_document_refuses_the_filing(cast, project, row):
    bad = SimpleUploadedFile("证据.pdf", b"MZ" + b"\0" * 300)
    with pytest.raises(ValidationError) as error:
        filed(cast, Matter(project, rectification=row), evidence=[evidence(), bad])
    assert list(error.value.message_dict) == ["evidence"]
    assert not Dispute.objects.exists()


# --- heard ----------------------------------------------------------------------------------------------------------


def test_other_sides_first_word_makes_it_ready(cast, project, row):
    one = filed(cast, Matter(project, rectification=row), evidence=[evidence()])
    state_position(one, actor=cast.unit_officer, text="补充：图纸已批准。")
    one.refresh_from_db()
    assert one.state == "filed", "the same side again changes nothing"
    state_position(one, actor=cast.planner, text="与审定方案第 12 页不符。", evidence=[picture("对比.jpg")])
    one.refresh_from_db()
    assert (one.state, told(cast.leader, "dispute.stated")) == ("stated", 2)
    assert list(one.statements.values_list("side", flat=True)) == ["parties", "parties", "planner"]
    state_position(one, actor=cast.lead, text="补充说明。")
    with pytest.raises(Refused, match="分歧双方"):
        state_position(one, actor=cast.leader, text="我的看法")


def test_ruling_waits_for_the_other_side_or_its_term(cast, project, row, time_machine):
    decide(cast, review__dispute_statement_days="3")
    one = filed(cast, Matter(project, rectification=row))
    with pytest.raises(Refused, match="对方尚未陈述，陈述期限到 2026-06-15 为止"):
        rule_dispute(one, actor=cast.leader, outcome="upheld", ruling="支持。")
    time_machine.move_to("2026-06-16 09:00:00+08:00")
    assert rule_dispute(one, actor=cast.leader, outcome="upheld", ruling="支持。").state == "ruled"


@pytest.mark.parametrize(
    "who", ["bureau", "unit_officer", "planner", "lead", "department", "city", "foreign", "sysadmin"]
)
def test_only_the_districts_leaders_rule(cast, project, row, who):
    one = filed(cast, Matter(project, rectification=row))
    with pytest.raises(Refused, match="只有区领导"):
        rule_dispute(one, actor=getattr(cast, who), outcome="upheld", ruling="支持。")


def test_leader_of_another_district_does_not_rule(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))
    Membership.objects.filter(user=cast.leader).update(locality=cast.other_locality)
    with pytest.raises(Refused):
        rule_dispute(one, actor=cast.leader, outcome="upheld", ruling="支持。")


def test_ruling_is_whole_or_not_at_all(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))
    with pytest.raises(ValidationError) as error:
        rule_dispute(one, actor=cast.leader, outcome="perhaps", ruling=" ")
    assert set(error.value.message_dict) == {"outcome", "ruling"}


def test_ruling_may_end_the_rectification_it_is_about(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))
    rule_dispute(one, actor=cast.leader, outcome="upheld", ruling="无须返工。", lift=True)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("waived", f"分歧裁定 {one.number}：不再整改")
    assert not open_rectifications(project).exists()


def test_ruling_leaves_the_rectification_open_unless_it_says_so(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))
    rule_dispute(one, actor=cast.leader, outcome="rejected", ruling="应当返工。")
    row.refresh_from_db()
    assert row.state == "open"
    with pytest.raises(ValidationError):
        rule_dispute(filed(cast, Matter(project)), actor=cast.leader, outcome="upheld", ruling="支持。", lift=True)


def test_nothing_is_added_after_the_ruling(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))
    rule_dispute(one, actor=cast.leader, outcome="rejected", ruling="应当返工。")
    one.refresh_from_db()
    for act in (
        lambda: state_position(one, actor=cast.planner, text="再补充"),
        lambda: withdraw_dispute(one, actor=cast.unit_officer, reason="不争了"),
        lambda: rule_dispute(one, actor=cast.leader, outcome="upheld", ruling="改判。"),
    ):
        with pytest.raises(Refused, match="已裁定"):
            act()


def test_only_who_filed_takes_it_back_with_a_reason(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))
    with pytest.raises(Refused):
        withdraw_dispute(one, actor=cast.planner, reason="不争了")
    with pytest.raises(ValidationError):
        withdraw_dispute(one, actor=cast.unit_officer, reason=" ")
    withdraw_dispute(one, actor=cast.unit_officer, reason="已协商一致")
    one.refresh_from_db()
    assert (one.state, told(cast.planner, "dispute.withdrawn")) == ("withdrawn", 1)


def test_clock_of_the_rectification_runs_on(cast, project):
    row = raise_one(cast, project, due_on=TODAY)
    filed(cast, Matter(project, rectification=row))
    field_sweeps.sweep(date(2026, 6, 11))
    row.refresh_from_db()
    assert row.state == "escalated"


def test_mornings_remind_each_side_once(cast, project, row):
    decide(cast, review__dispute_statement_days="3", review__dispute_ruling_days="10")
    filed(cast, Matter(project, rectification=row))
    for day in (date(2026, 6, 12), date(2026, 6, 13), date(2026, 6, 16), date(2026, 6, 26), date(2026, 6, 27)):
        field_sweeps.sweep(day)
    assert told(cast.planner, "dispute.statement_due") == 2, "before its term and after it"
    assert (told(cast.leader, "dispute.ruling_due"), told(cast.bureau, "dispute.ruling_due")) == (1, 1)


# --- seen -----------------------------------------------------------------------------------------------------------

ROLES = (
    "planner", "lead", "colleague", "unit_officer", "department", "bureau", "leader", "other_unit_officer", "foreign",
    "other_bureau", "finance", "sysadmin", "anonymous",
)  # fmt: skip
PAGES = {
    "dispute": (200, 200, 200, 200, 200, 200, 200, 404, 404, 404, 404, 404, 302),
    "dispute-state": (200, 200, 200, 200, 200, 200, 403, 404, 404, 404, 404, 404, 302),
    "dispute-rule": (403, 403, 403, 403, 403, 403, 200, 404, 404, 404, 404, 404, 302),
    "dispute-withdraw": (403, 403, 403, 200, 403, 403, 403, 404, 404, 404, 404, 404, 302),
    "dispute-download": (404,) * 12 + (302,),
}


def test_page_access(cast, project, row, as_user):
    one = filed(cast, Matter(project, rectification=row))
    assert answers(as_user, ROLES, {page: reverse(f"projects:{page}", args=[one.pk]) for page in PAGES}) == PAGES


def test_filing_access(cast, project, row, as_user):
    url = reverse("projects:dispute-create", args=[project.pk])
    found = {who: as_user(who).get(url).status_code for who in ROLES}
    assert found == {
        **dict.fromkeys(("planner", "lead", "colleague", "unit_officer", "department", "bureau"), 200),
        "leader": 403, "other_unit_officer": 404, "foreign": 404, "other_bureau": 404, "finance": 403, "sysadmin": 403,
        "anonymous": 302,
    }  # fmt: skip
    for bad in ("?item=x", "?item=999999", "?rectification=9" + "9" * 30, "?rectification=-1", "?item=²"):
        assert as_user("bureau").get(url + bad).status_code == 404


def test_evidence_goes_to_who_sees_the_matter(cast, project, row, as_user):
    one = filed(cast, Matter(project, rectification=row), evidence=[evidence()])
    kept = one.statements.get().files.get()
    url = reverse("projects:dispute-file", args=[one.pk, kept.pk])
    assert [as_user(who).get(url).status_code for who in ("planner", "leader", "other_unit_officer", "foreign")] == [
        200,
        200,
        404,
        404,
    ]
    other = filed(cast, Matter(project))
    assert as_user("planner").get(reverse("projects:dispute-file", args=[other.pk, kept.pk])).status_code == 404


def test_whole_way_through_the_pages(cast, project, row, as_user):
    create = reverse("projects:dispute-create", args=[project.pk]) + f"?rectification={row.pk}"
    officer, key = as_user("unit_officer"), new_key()
    data = {
        "submission_key": key, "title": "檐口是否须返工", "raised_for": "施工单位 示例施工公司", "text": "已按图施工。",
        "evidence": [evidence()],
    }  # fmt: skip
    for _ in range(2):
        data["evidence"] = [evidence()]
        assert officer.post(create, data).status_code == 302
    one = Dispute.objects.get()
    assert (one.raised_for, one.rectification) == ("施工单位 示例施工公司", row)
    page = officer.get(one.get_absolute_url()).content.decode()
    assert "方案说明.pdf" in page and "协调期间，意见反馈和整改的期限照常计算" in page
    planner = as_user("planner")
    stated = {"submission_key": new_key(), "text": "与审定方案不符。"}
    for _ in range(2):
        assert planner.post(reverse("projects:dispute-state", args=[one.pk]), stated).status_code == 302
    assert one.statements.count() == 2
    ruled = as_user("leader").post(
        reverse("projects:dispute-rule", args=[one.pk]),
        {
            "outcome": "partly",
            "ruling": "东侧返工，西侧保留。",
            "principle": "已按批准图纸施工的部分可予保留。",
            "keywords": "檐口 返工",
        },
    )
    assert ruled.status_code == 302
    assert "东侧返工，西侧保留" in planner.get(one.get_absolute_url()).content.decode()
    assert as_user("leader").post(reverse("projects:dispute-rule", args=[one.pk]), {}).status_code == 403


def test_names_that_may_be_used_are_ones_own_and_the_parties(cast, project, row, as_user):
    url = reverse("projects:dispute-create", args=[project.pk])
    data = {"submission_key": new_key(), "title": "题", "raised_for": "别的单位", "text": "已按图施工。"}
    assert as_user("unit_officer").post(url, data).status_code == 200
    assert not Dispute.objects.exists()
    page = as_user("planner").get(url).content.decode()
    assert "单小雨" in page and "示例施工公司" not in page


# --- precedents -----------------------------------------------------------------------------------------------------


@pytest.fixture
def precedent(cast, project, row):
    one = filed(cast, Matter(project, rectification=row), title="檐口是否须返工")
    return rule_dispute(
        one,
        actor=cast.leader,
        outcome="partly",
        ruling="东侧返工。",
        principle="已按批准图纸施工的部分可予保留。",
        keywords="檐口 返工",
    )


def test_ruling_is_found_again_without_who_stood_where(cast, project, row, precedent, as_user):
    url = reverse("projects:precedents")
    page = as_user("other_unit_officer").get(url, {"q": "檐口 保留"}).content.decode()
    assert precedent.principle in page and "部分支持" in page
    for secret in (
        precedent.number,
        precedent.title,
        project.name,
        "示例施工公司",
        "东侧返工",
        cast.planner.name,
        row.number,
    ):
        assert secret not in page
    assert precedent.get_absolute_url() not in page
    assert precedent.get_absolute_url() in as_user("planner").get(url).content.decode()


@pytest.mark.parametrize("words", ["没有的词", "示例施工公司", "景山口袋公园"])
def test_search_tells_nothing_that_is_not_shown(precedent, as_user, words):
    page = as_user("other_unit_officer").get(reverse("projects:precedents"), {"q": words}).content.decode()
    assert precedent.principle not in page


def test_precedents_stay_in_their_locality_and_unprincipled_rulings_are_none(cast, project, precedent, as_user):
    url = reverse("projects:precedents")
    assert precedent.principle not in as_user("other_bureau").get(url).content.decode()
    second = filed(cast, Matter(project))
    rule_dispute(second, actor=cast.leader, outcome="rejected", ruling="不支持。")
    assert Dispute.objects.precedents_for(cast.bureau).get() == precedent
    assert not Dispute.objects.precedents_for(cast.sysadmin).exclude(locality=cast.locality).exists()


# --- shown on what depends on it ------------------------------------------------------------------------------------


def drawn(user, source, **values):
    request = RequestFactory().get("/")
    request.user, request.membership = user, None
    return Template("{% load review_field %}" + source).render(Context({"request": request, **values}))


def test_badge_stands_on_what_is_disputed_in_one_query(cast, project, row, item):
    other = raise_one(cast, project)
    one = filed(cast, Matter(project, rectification=row))
    source = "{% dispute_badge a %}|{% dispute_badge b %}|{% dispute_badge c %}|{% dispute_badge p %}"
    with CaptureQueriesContext(connection) as queries:
        shown = drawn(cast.bureau, source, a=row, b=other, c=row, p=project).split("|")
    assert [one.get_absolute_url() in part for part in shown] == [True, False, True, True]
    assert sum("projects_dispute" in query["sql"] for query in queries) == 2, "what is open, and what may be opened"
    assert "分歧协调中" not in drawn(cast.bureau, "{% dispute_badge a %}", a=item)
    filed(cast, Matter(project, item=item))
    assert "分歧协调中" in drawn(cast.bureau, "{% dispute_badge a %}", a=item)


def test_badge_without_a_way_in_for_who_may_not_open_it(cast, project, row):
    filed(cast, Matter(project, rectification=row))
    shown = drawn(cast.other_unit_officer, "{% dispute_badge a %}", a=row)
    assert "分歧协调中" in shown and "href" not in shown


def test_badge_goes_with_the_ruling(cast, project, row):
    rule_dispute(filed(cast, Matter(project, rectification=row)), actor=cast.leader, outcome="upheld", ruling="支持。")
    assert drawn(cast.bureau, "{% dispute_badge a %}", a=row) == ""


def test_parts_of_the_projects_page_show_what_the_reader_may_see(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))
    source = "{% project_rectifications project %}{% project_disputes project %}"
    for who, sees in {
        "planner": True,
        "bureau": True,
        "unit_officer": True,
        "foreign": False,
        "finance": False,
    }.items():
        page = drawn(getattr(cast, who), source, project=project)
        assert (row.number in page, one.title in page) == (sees, sees), who


def test_part_of_the_page_costs_the_same_for_many(cast, project, row):
    source = "{% project_rectifications project %}{% project_disputes project %}"
    with CaptureQueriesContext(connection) as one:
        drawn(cast.planner, source, project=project)
    for _ in range(29):
        raise_one(cast, project, photos=0)
    with CaptureQueriesContext(connection) as many:
        drawn(cast.planner, source, project=project)
    assert len(many) == len(one)


def test_list_costs_the_same_for_many(cast, project, row, as_user):
    filed(cast, Matter(project, rectification=row))
    client, url = as_user("bureau"), reverse("projects:disputes")
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for _ in range(29):
        filed(cast, Matter(project, rectification=raise_one(cast, project, photos=0)))
    with CaptureQueriesContext(connection) as many:
        assert client.get(url).content.decode().count("FQ-110101-") >= 30
    assert len(many) == len(one)


# --- the dossier ----------------------------------------------------------------------------------------------------


def test_dossier_holds_both_sides_evidence_photos_and_ruling(cast, project, row):
    enter_reply(
        row,
        actor=cast.unit_officer,
        text="已按图施工。",
        signed_as="张三",
        uploads=[Upload(picture(), row.photos.get())],
    )
    one = filed(cast, Matter(project, rectification=row), evidence=[evidence(), picture("现状.jpg", "green")])
    state_position(one, actor=cast.planner, text="与审定方案第 12 页不符。")
    draft = draft_pdf(one.pk, actor=cast.leader)
    assert draft.original_name.endswith("草稿.pdf")
    one.refresh_from_db()
    rule_dispute(one, actor=cast.leader, outcome="partly", ruling="东侧返工。\n西侧保留。", principle="可予保留。")
    document = issue_dossier(one.pk, actor=cast.leader)
    facts = facts_of(Dispute.objects.get(pk=one.pk))
    assert [s["side"] for s in facts["statements"]] == ["相关各方", "责任规划师"]
    assert [f["shown"] for f in facts["statements"][0]["files"]] == [False, True]
    assert len(facts["matter"]["photos"]) == 2
    assert [event["what"] for event in facts["events"]] == ["提请分歧协调", "对方陈述", "裁定"]
    assert document.file.mime == "application/pdf"
    public = " ".join(text for _, text in document.public_summary) + document.title
    for secret in (cast.planner.name, "示例施工公司", project.name, one.title):
        assert secret not in public
    assert issue_dossier(one.pk, actor=cast.bureau) == document
    assert IssuedDocument.objects.filter(kind="dispute_dossier").count() == 1


def test_the_dossier_says_who_has_not_spoken(cast, project, row):
    one = filed(cast, Matter(project, rectification=row))

    def printed() -> str:
        dispute = Dispute.objects.get(pk=one.pk)
        return render_to_string(
            dispute_documents.TEMPLATE, dispute_documents._context(dispute, facts_of(dispute)) | {"issue": None}
        )

    assert "责任规划师尚未陈述。" in printed()
    rule_dispute(one, actor=cast.leader, outcome="upheld", ruling="支持。")
    assert "责任规划师没有陈述。" in printed() and "相关各方没有陈述" not in printed()


def test_dossier_is_issued_once_ruled_alone(cast, project, row):
    with pytest.raises(ValueError):
        issue_dossier(filed(cast, Matter(project, rectification=row)).pk, actor=cast.leader)


def test_one_click_asks_for_the_dossier(cast, project, row, as_user):
    one = filed(cast, Matter(project, rectification=row))
    url = reverse("projects:dispute-pdf", args=[one.pk])
    assert "/jobs/" in as_user("planner").post(url)["Location"]
    assert [as_user(who).post(url).status_code for who in ("foreign", "anonymous")] == [404, 302]
    rule_dispute(one, actor=cast.leader, outcome="upheld", ruling="支持。")
    issue_dossier(one.pk, actor=cast.leader)
    assert as_user("planner").post(url)["Location"] == reverse("projects:dispute-download", args=[one.pk])
    pdf = as_user("planner").get(reverse("projects:dispute-download", args=[one.pk]))
    assert pdf["Content-Type"] == "application/pdf"
    assert as_user("other_unit_officer").get(reverse("projects:dispute-download", args=[one.pk])).status_code == 404


# --- two at once ----------------------------------------------------------------------------------------------------


def race(*acts):
    gate, ended = threading.Barrier(len(acts)), []

    def run(act):
        try:
            gate.wait(10)
            act()
            ended.append("done")
        except (Refused, StaleState) as error:
            ended.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(ended)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_rulings_at_once_one_stands():
    cast = make_cast()
    project = site(cast)
    one = filed(cast, Matter(project))
    loaded = [Dispute.objects.select_related("project").get(pk=one.pk) for _ in range(2)]
    ended = race(
        lambda: rule_dispute(loaded[0], actor=cast.leader, outcome="upheld", ruling="支持。"),
        lambda: rule_dispute(loaded[1], actor=cast.leader, outcome="rejected", ruling="不支持。"),
    )
    assert ended == ["StaleState", "done"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_filings_at_once_one_is_made():
    cast = make_cast()
    project = site(cast)
    ended = race(
        lambda: filed(cast, Matter(project), cast.unit_officer), lambda: filed(cast, Matter(project), cast.planner)
    )
    assert ended == ["Refused", "done"]
    assert Dispute.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_two_filings_do_race(monkeypatch):
    from django.db.models import QuerySet

    from projects.services import disputes

    cast = make_cast()
    project = site(cast)
    gate = threading.Barrier(2)
    real = disputes.take_number

    def slow(*args):
        gate.wait(10)
        return real(*args)

    locked = QuerySet.select_for_update
    monkeypatch.setattr(
        QuerySet, "select_for_update",
        lambda self, **kwargs: self if self.model.__name__ == "Project" else locked(self, **kwargs),
    )  # fmt: skip
    monkeypatch.setattr(disputes, "take_number", slow)
    ended = race(
        lambda: filed(cast, Matter(project), cast.unit_officer), lambda: filed(cast, Matter(project), cast.planner)
    )
    assert ended == ["done", "done"]
    assert Dispute.objects.count() == 2
