"""Pages of what follows deliberation: who opens which, what each act answers, and that nothing leaks on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.idempotency import new_key
from core.jobs import run_one
from core.models import IssuedDocument, Job
from evaluations.models import DepartmentResponse, Objection, Result
from evaluations.services import objections as service
from evaluations.services.filing import make_package
from evaluations.services.letters import letter_paper, office_paper, sheet_paper
from evaluations.services.yearly import summary_paper
from evaluations.tests.outcome_cases import announced, deliberated, published, result_of
from evaluations.tests.round_cases import make_site
from factories import make_membership, make_user

pytestmark = pytest.mark.django_db
EVERYBODY = ["bureau", "leader", "city", "unit_officer", "other_officer", "department", "owner", "planner", "colleague"]
SECRETS = ("密封内容", "91.25")


@pytest.fixture
def site(db):
    return make_site("jincheng", demo=True)


def answers(client, site, url, *, post=None, people=EVERYBODY):
    """{who: status} of the address for each."""
    found = {}
    for who in people:
        client.force_login(getattr(site, who))
        found[who] = (client.get(url) if post is None else client.post(url, post)).status_code
    client.logout()
    found["anonymous"] = (client.get(url) if post is None else client.post(url, post)).status_code
    return found


def open_to(found):
    return {who for who, status in found.items() if status == 200}


def test_own_result_is_opened_by_its_subject_and_the_organisers(client, site):
    round_ = announced(site)
    result = result_of(round_, subject__planner=site.planners[0])
    found = answers(client, site, f"/evaluations/own-results/{result.pk}/")
    assert open_to(found) == {"planner", "bureau", "leader"} and found["anonymous"] == 302
    assert {found[who] for who in ("colleague", "unit_officer", "owner", "city")} == {404}
    client.force_login(site.planner)
    page = client.get(f"/evaluations/own-results/{result.pk}/").content.decode()
    assert "88.50" in page and "合格" in page and "提出异议" in page
    assert "88.50" in client.get("/evaluations/own-results/").content.decode()


def test_before_the_notice_nothing_is_told_to_anybody(client, site):
    round_ = deliberated(site)
    result = result_of(round_, subject__planner=site.planners[0])
    found = answers(client, site, f"/evaluations/own-results/{result.pk}/")
    assert open_to(found) == set()
    client.force_login(site.planner)
    assert "88.50" not in client.get("/evaluations/own-results/").content.decode()
    client.force_login(site.bureau)
    assert client.get(f"/evaluations/after/{round_.pk}/").status_code == 403


def test_an_office_that_few_rated_reads_no_figure_anywhere(client, site):
    round_ = published(site)
    result = result_of(round_, subject__unit=site.unit)
    response = DepartmentResponse.objects.get(result=result)
    client.force_login(site.unit_officer)
    for url in (
        f"/evaluations/own-results/{result.pk}/", "/evaluations/own-results/", f"/evaluations/responses/{response.pk}/",
    ):  # fmt: skip
        page = client.get(url)
        assert page.status_code == 200 and not any(secret in page.content.decode() for secret in SECRETS)
    for paper in (letter_paper(result), office_paper(result), summary_paper(round_)):
        assert not any(secret in str(paper) for secret in SECRETS)


def test_papers_name_no_rater_and_nothing_that_was_written(site):
    round_ = published(site, raters=9)
    for result in Result.objects.filter(subject__round=round_).select_related("subject__round__locality"):
        paper = sheet_paper(result) if result.subject.direction == "planner" else office_paper(result)
        assert "密封内容" not in str(paper) and site.unit_officer.get_full_name() not in (paper.signer, *paper.opening)
        assert "甲专人" not in str(paper) and "示例评估人" not in str(paper)
    assert "91.25" in str(office_paper(result_of(round_, subject__unit=site.unit)))


def test_the_letter_is_issued_once_and_a_review_brings_the_next(client, site):
    round_ = announced(site)
    result = result_of(round_, subject__planner=site.planners[0])
    run_one(Job.objects.get(kind="evaluations.letters").pk)
    result.refresh_from_db()
    first = result.letter
    assert IssuedDocument.objects.filter(kind="result_letter").count() == round_.subjects.taking_part().count()
    client.force_login(site.planner)
    assert client.get(f"/evaluations/own-results/{result.pk}/letter/").status_code == 200
    job = client.post(f"/evaluations/own-results/{result.pk}/letter/make/")
    run_one(Job.objects.latest("pk").pk)
    result.refresh_from_db()
    assert job.status_code == 302 and result.letter == first
    # Names stay with the people: who has the code alone learns none.
    assert "龚䶮" not in first.title + str(first.public_summary)
    objection = service.raise_objection(result, actor=site.planner, grounds="理由")
    reviewer = make_user("复核人")
    make_membership(reviewer, "leader", site.locality)
    service.reject_objection(service.take_objection(objection, actor=reviewer), actor=reviewer, decision="计算无误。")
    client.post(f"/evaluations/own-results/{result.pk}/letter/make/")
    run_one(Job.objects.latest("pk").pk)
    result.refresh_from_db()
    first.refresh_from_db()
    assert result.letter != first and first.superseded_by == result.letter


def test_an_objection_from_the_page_to_its_decision(client, site):
    round_ = announced(site)
    result = result_of(round_, subject__planner=site.planners[0])
    url = f"/evaluations/own-results/{result.pk}/object/"
    assert open_to(answers(client, site, url)) == {"planner"}
    client.force_login(site.planner)
    assert client.post(url, {"grounds": "", "submission_key": new_key()}).context["form"].errors["grounds"]
    sent = {"grounds": "驻场天数少计", "submission_key": new_key(), "state": "upheld", "reviewer": site.planner.pk}
    first, second = client.post(url, sent), client.post(url, sent)
    assert first.url == second.url and Objection.objects.count() == 1
    objection = Objection.objects.get()
    assert (objection.state, objection.reviewer) == ("raised", None)
    page = f"/evaluations/objections/{objection.pk}/"
    assert open_to(answers(client, site, page)) == {"planner", "bureau", "leader"}
    taken = answers(client, site, f"{page}take/", post={}, people=["planner", "unit_officer", "city"])
    assert taken == {"planner": 403, "unit_officer": 404, "city": 404, "anonymous": 302}
    reviewer = make_user("复核人")
    make_membership(reviewer, "leader", site.locality)
    client.force_login(reviewer)
    assert client.post(f"{page}take/").status_code == 302
    assert client.post(f"{page}take/").status_code == 409
    wrong = client.post(page, {"outcome": "uphold", "decision": "补计", "to_score": "101"})
    assert wrong.status_code == 200 and Objection.objects.get().state == "reviewing"
    client.post(page, {"outcome": "uphold", "decision": "补计三天", "to_score": "95", "to_grade": ""})
    result.refresh_from_db()
    assert (str(result.final_score), Objection.objects.get().state) == ("95.00", "upheld")
    client.force_login(site.planner)
    assert "补计三天" in client.get(page).content.decode()


def test_an_office_answers_improves_and_is_confirmed(client, site):
    round_ = published(site)
    response = DepartmentResponse.objects.get(result=result_of(round_, subject__unit=site.unit))
    page = f"/evaluations/responses/{response.pk}/"
    assert open_to(answers(client, site, page)) == {"unit_officer", "bureau", "leader"}
    client.force_login(site.bureau)
    assert client.post(page, {"statement": "代答"}).status_code == 403
    client.force_login(site.unit_officer)
    late = {"statement": "接受", "measures": "增加工位", "due_on": "2020-01-01"}
    assert "不能早于今天" in client.post(page, late).content.decode()
    assert "请填写改进期限" in client.post(page, {**late, "due_on": ""}).content.decode()
    day = timezone.localdate() + timedelta(days=30)
    client.post(page, {**late, "due_on": str(day)})
    assert client.post(f"{page}confirm/").status_code == 403
    client.post(page, {"outcome": "已增加两个工位"})
    client.force_login(site.leader)
    client.post(f"{page}again/", {"reason": "还差一个", "due_on": str(day)})
    response.refresh_from_db()
    assert response.state == "answered"
    client.force_login(site.unit_officer)
    client.post(page, {"outcome": "三个工位"})
    client.force_login(site.leader)
    client.post(f"{page}confirm/")
    response.refresh_from_db()
    assert (response.state, response.outcome, response.due_on) == ("confirmed", "三个工位", day)


def test_a_reply_is_given_once_by_the_subject(client, site):
    round_ = announced(site)
    result = result_of(round_, subject__planner=site.planners[0])
    url = f"/evaluations/own-results/{result.pk}/reply/"
    client.force_login(site.bureau)
    assert client.post(url, {"text": "代签"}).status_code == 403
    client.force_login(site.planner)
    assert [client.post(url, {"text": "已阅"}).status_code for _ in range(2)] == [302, 403]
    assert result.reply.text == "已阅"


def test_the_organisers_page_and_its_acts(client, site):
    round_ = published(site)
    url = f"/evaluations/after/{round_.pk}/"
    assert open_to(answers(client, site, url)) == {"bureau", "leader"}
    assert open_to(answers(client, site, "/evaluations/after/")) == {"bureau", "leader"}
    result = result_of(round_, subject__planner=site.planners[0])
    paper = f"/evaluations/own-results/{result.pk}/paper/"
    assert {who for who, code in answers(client, site, paper, post={}).items() if code == 302} == {
        "bureau", "leader", "anonymous",
    }  # fmt: skip
    client.force_login(site.bureau)
    assert client.post(f"{url}summary/").status_code == 302
    for job in Job.objects.filter(kind="evaluations.paper"):
        run_one(job.pk)
        job.refresh_from_db()
        assert job.state == "done", job.message
    assert set(IssuedDocument.objects.values_list("kind", flat=True)) >= {"evaluation_sheet", "round_summary"}


def test_publishing_and_filing_from_their_pages(client, site):
    round_ = published(site)
    client.force_login(site.bureau)
    sent = {"kind": "result", "fields_": ["subject", "grade"], "directions": ["planner"]}
    page = client.post(f"/evaluations/after/{round_.pk}/publications/new/", sent).url
    assert "龚䶮" in client.get(page).content.decode()
    client.post(f"{page}put-out/")
    row = round_.publications.get()
    assert row.state == "out" and client.get(f"/notices/{row.pk}/").status_code == 200
    assert open_to(answers(client, site, page)) == {"bureau", "leader"}
    found = answers(client, site, "/evaluations/filings/")
    assert open_to(found) == {"bureau", "leader", "city"} and found["planner"] == 403


def test_the_page_of_a_package_asks_again_for_as_long_as_it_is_being_made(client, site):
    package = make_package(published(site), actor=site.bureau)
    client.force_login(site.bureau)
    page, url = f"/evaluations/filings/{package.pk}/", f'hx-get="/evaluations/filings/{package.pk}/"'
    text = client.get(page).content.decode()
    assert "正在制作" in text and url in text
    Job.objects.filter(pk=package.job_id).update(state="failed", message="磁盘已满")
    text = client.get(page).content.decode()
    assert "没有制作完成" in text and "磁盘已满" in text and url not in text


def test_lists_cost_the_same_for_many(client, site):
    round_ = announced(site)
    result = result_of(round_, subject__planner=site.planners[0])
    service.raise_objection(result, actor=site.planner, grounds="理由")
    client.force_login(site.bureau)

    def queries(url):
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    urls = ["/evaluations/objections/", "/evaluations/after/", f"/evaluations/after/{round_.pk}/"]
    one = [queries(url) for url in urls]
    Objection.objects.bulk_create(
        Objection(result=result, raised_by=site.planner, grounds="x", state="withdrawn") for _ in range(30)
    )
    assert [queries(url) for url in urls] == one and one[0] <= 8
