"""Letters that carry opinions: by the pack's route and no other, step after step, and once on paper."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.roles import Role
from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import IssuedDocument, Notification
from districts.services.policies import forget_policies
from factories import make_membership, make_organisation, make_policy_version, make_user
from projects.models import Consultation, OpinionDispatch
from projects.services.dispatches import enter_number, finish_step, issue_draft, make_dispatch, next_step
from projects.tests.adoption_cases import TODAY, make_case

ROLES = ("planner", "unit_officer", "other_unit_officer", "bureau", "other_bureau", "department", "leader", "anonymous")
TEXT = "现予函告，请研究实施。"


@pytest.fixture(autouse=True)
def in_june():
    with time_machine.travel(f"{TODAY}T02:00:00Z", tick=False):
        yield


@pytest.fixture
def case(cast):
    """A request under the pack whose route has four steps (聊城); in 东城 itself no document has one."""
    version = make_policy_version(cast.other_locality, "liaocheng")
    case = make_case(cast, items=3, policy_version=version)
    Consultation.objects.filter(pk=case.consultation.pk).update(policy_version=version)
    return case


@pytest.fixture
def government(cast):
    body = make_organisation(cast.locality, "government", name="东昌府区人民政府")
    user = make_user("区政府干部", locality_code=cast.locality.code)
    make_membership(user, Role.DEPARTMENT, cast.locality, organisation=body)
    return user


@pytest.fixture
def letter(case, cast, government):
    return make_dispatch(case.consultation, actor=cast.bureau, text=TEXT)


def test_the_letter_follows_the_packs_steps_and_the_planners_own_is_done(letter):
    steps = list(letter.steps.values_list("step", "side", "done_on"))
    assert steps == [(1, "planner", TODAY), (2, "bureau", None), (3, "government", None), (4, "unit", None)]
    assert letter.clause["article"] == "三(一)、三(二)、三(三)、三(四)"
    assert Notification.objects.filter(kind="dispatch.made").count() == 1


def test_without_a_route_in_the_pack_there_is_no_letter(cast, as_user):
    case = make_case(cast, policy_version=cast.contract.policy_version)
    with pytest.raises(Refused, match="未设定"):
        make_dispatch(case.consultation, actor=cast.bureau, text=TEXT)
    url = reverse("projects:dispatch-create", args=[case.consultation.pk])
    page = as_user("bureau").get(url).content.decode()
    assert "未设定" in page and "<textarea" not in page
    assert as_user("bureau").post(url, {"text": TEXT, "submission_key": new_key()}).status_code == 403
    assert (
        "函告意见"
        not in as_user("bureau").get(reverse("projects:adoption-answer", args=[case.consultation.pk])).content.decode()
    )


def test_each_step_is_done_by_its_side_in_order_and_reported_back(letter, cast, government):
    with pytest.raises(Refused, match="前面的步骤尚未办结"):
        finish_step(letter.steps.get(step=3), actor=government, on=TODAY, note="已研究。")
    with pytest.raises(Refused, match="由规划主管部门填写"):
        enter_number(letter, actor=government, office_number="聊自然资函〔2026〕1号", on=TODAY)
    enter_number(letter, actor=cast.bureau, office_number="聊自然资函〔2026〕1号", on=TODAY)
    assert next_step(letter).side == "government"
    assert {row.user for row in Notification.objects.filter(kind="dispatch.turn")} == {government, cast.leader}
    for stranger in (cast.planner, cast.unit_officer, cast.department, cast.other_bureau):
        with pytest.raises(Refused):
            finish_step(letter.steps.get(step=3), actor=stranger, on=TODAY, note="已研究。")
    for note, on in (("", TODAY), ("已研究。", date(2026, 6, 16))):
        with pytest.raises(ValidationError):
            finish_step(letter.steps.get(step=3), actor=government, on=on, note=note)
    finish_step(letter.steps.get(step=3), actor=government, on=TODAY, note="已研究，责成街道落实。")
    stale = letter.steps.get(step=4)
    finish_step(letter.steps.get(step=4), actor=cast.unit_officer, on=TODAY, note="檐口已调整。")
    with pytest.raises(StaleState):
        finish_step(stale, actor=cast.bureau, on=TODAY, note="檐口已调整。")
    assert next_step(letter) is None
    assert {row.user for row in Notification.objects.filter(kind="dispatch.over")} == {cast.bureau, cast.planner}


def test_one_request_makes_one_letter(case, cast, as_user, government):
    url = reverse("projects:dispatch-create", args=[case.consultation.pk])
    data = {"submission_key": new_key(), "text": TEXT}
    first, second = as_user("bureau").post(url, data), as_user("bureau").post(url, data)
    assert first.url == second.url == OpinionDispatch.objects.get().get_absolute_url()
    assert as_user("bureau").post(url, {**data, "submission_key": new_key()}).status_code == 403
    case.consultation.refresh_from_db()
    with pytest.raises(StaleState):
        make_dispatch(case.consultation, actor=cast.bureau, text=TEXT)


def test_letters_access(letter, case, cast, as_user, client, government):
    pages = {
        reverse("projects:dispatch-create", args=[case.consultation.pk]): (403, 403, 404, 403, 404, 403, 403, 302),
        letter.get_absolute_url(): (200, 200, 404, 200, 404, 200, 200, 302),
        reverse("projects:dispatch-number", args=[letter.pk]): (403, 403, 404, 200, 404, 403, 403, 302),
        reverse("projects:dispatch-step", args=[letter.pk, 3]): (403, 403, 404, 403, 404, 403, 403, 302),
        reverse("projects:dispatch-step", args=[letter.pk, 9]): (404, 404, 404, 404, 404, 404, 404, 302),
        reverse("projects:dispatch-download", args=[letter.pk]): (404,) * 7 + (302,),
    }  # fmt: skip
    for url, expected in pages.items():
        found = {who: as_user(who).get(url).status_code for who in ROLES}
        assert found == dict(zip(ROLES, expected, strict=True)), url
    # The government reads a letter once it has left, though it never saw the request.
    from django.conf import settings

    client.force_login(government, backend=settings.AUTHENTICATION_BACKENDS[-1])
    assert client.get(letter.get_absolute_url()).status_code == 404
    enter_number(letter, actor=cast.bureau, office_number="聊自然资函〔2026〕1号", on=TODAY)
    assert client.get(letter.get_absolute_url()).status_code == 200
    assert client.get(reverse("projects:adoption-answer", args=[case.consultation.pk])).status_code == 404
    url = reverse("projects:dispatch-step", args=[letter.pk, 3])
    assert client.post(url, {"on": "2026-06-15", "note": "已研究。"}).status_code == 302


def test_the_draft_on_paper_is_issued_once_and_says_what_was_said(letter, cast, as_user):
    first, second = issue_draft(letter.pk, actor=cast.bureau), issue_draft(letter.pk, actor=None)
    assert first.pk == second.pk
    assert IssuedDocument.objects.filter(kind="opinion_dispatch").count() == 1
    assert first.content_hash and first.pages == 2
    letter.refresh_from_db()
    answer = as_user("bureau").get(reverse("projects:dispatch-download", args=[letter.pk]))
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)
    assert content.startswith(b"%PDF")


def test_the_list_of_letters_takes_the_same_few_queries_for_one_and_for_thirty(
    cast, as_user, django_assert_max_num_queries
):
    version, counts, client = make_policy_version(cast.other_locality, "liaocheng"), [], as_user("bureau")
    for size in (1, 30):
        for _ in range(size):
            case = make_case(cast, items=1, policy_version=version)
            make_dispatch(case.consultation, actor=cast.bureau, text=TEXT)
        with django_assert_max_num_queries(8) as counted:
            page = client.get(reverse("projects:dispatches"))
        counts.append(len(counted))
    assert counts[0] == counts[1]
    assert len(page.context["table"].rows) == 31


@pytest.fixture(autouse=True)
def _policies_anew():
    forget_policies()
    yield
    forget_policies()
