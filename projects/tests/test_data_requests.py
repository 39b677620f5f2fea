"""Planners' requests for data: asked, granted or refused with a reason, by level, each opening kept (R56)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from core.errors import Refused, StaleState
from core.idempotency import new_key
from core.models import AuditEntry, Notification
from factories_review import make_party
from projects.models import DataRequest
from projects.services.data_requests import ask_data, grant_data, refuse_data, withdraw_data
from projects.tests.test_files import upload


def asked(cast: Any, **extra: Any) -> DataRequest:
    extra.setdefault("what", "现状地形图")
    extra.setdefault("purpose", "核对竖向")
    return ask_data(actor=cast.planner, **extra)


def test_a_planner_asks_and_the_bureau_is_told(cast, project):
    row = asked(cast, project=project)
    assert (row.state, row.locality) == ("asked", cast.locality)
    assert "单小雨申请资料：现状地形图" in Notification.objects.get(user=cast.bureau).text


@pytest.mark.parametrize("who", ["bureau", "unit_officer", "department", "leader", "sysadmin"])
def test_only_planners_ask(cast, as_user, who):
    assert as_user(who).get(reverse("projects:data-request-create")).status_code == 403
    with pytest.raises(Refused, match="仅责任规划师"):
        ask_data(actor=getattr(cast, who), what="图", purpose="用")


def test_nothing_is_asked_about_a_project_that_one_keeps_out_of(cast, project):
    make_party(project, "designer", institution=cast.institution)
    with pytest.raises(ValidationError, match="您须回避该项目"):
        asked(cast, project=project)


def test_granted_with_files_that_the_planner_opens_and_that_is_kept(cast, as_user):
    row = grant_data(asked(cast), actor=cast.bureau, level="internal", uploads=[upload(), upload(name="二.pdf")])
    assert row.state == "granted"
    file = row.files.first()
    url = reverse("projects:data-file", args=[file.pk])
    expected = {
        "planner": 200, "bureau": 200, "lead": 404, "colleague": 404, "unit_officer": 404, "department": 404,
        "leader": 403, "other_bureau": 404, "anonymous": 302,
    }  # fmt: skip
    assert {who: as_user(who).get(url).status_code for who in expected} == expected
    assert AuditEntry.objects.filter(action="datarequest.open", object_id=str(row.pk)).count() == 2
    assert "已提供" in Notification.objects.get(user=cast.planner).text


def test_what_demands_an_agreement_is_handed_only_to_who_signed_one(cast, as_user):
    row = asked(cast)
    with pytest.raises(ValidationError, match="没有登记保密协议"):
        grant_data(row, actor=cast.bureau, level="confidential", uploads=[upload()])
    row.refresh_from_db()
    assert (row.state, row.files.count()) == ("asked", 0)
    cast.contract.nda_signed_on = date(2025, 1, 2)
    cast.contract.save()
    grant_data(row, actor=cast.bureau, level="confidential", uploads=[upload()])
    url = reverse("projects:data-file", args=[row.files.get().pk])
    assert as_user("planner").get(url).status_code == 200
    cast.contract.nda_signed_on = None
    cast.contract.save()
    assert as_user("planner").get(url).status_code == 403


def test_after_its_day_it_is_closed_again(cast, as_user):
    row = grant_data(
        asked(cast), actor=cast.bureau, level="internal", uploads=[upload()], valid_to=timezone.localdate()
    )
    url = reverse("projects:data-file", args=[row.files.get().pk])
    assert as_user("planner").get(url).status_code == 200
    DataRequest.objects.update(valid_to=timezone.localdate() - timedelta(days=1))
    answer = as_user("planner").get(url)
    assert (answer.status_code, "查阅期限已于" in answer.content.decode()) == (403, True)


def test_a_refusal_says_why(cast):
    row = asked(cast)
    with pytest.raises(ValidationError, match="不提供须写明原因"):
        refuse_data(row, actor=cast.bureau, answer=" ")
    refuse_data(row, actor=cast.bureau, answer="属于涉密测绘成果")
    assert "属于涉密测绘成果" in Notification.objects.get(user=cast.planner).text


def test_what_was_answered_is_answered_once(cast):
    row = asked(cast)
    stale = DataRequest.objects.get(pk=row.pk)
    refuse_data(row, actor=cast.bureau, answer="无此资料")
    for act in (
        lambda: grant_data(stale, actor=cast.bureau, level="internal", answer="到窗口查阅"),
        lambda: refuse_data(stale, actor=cast.bureau, answer="再答"),
        lambda: withdraw_data(stale, actor=cast.planner),
    ):
        with pytest.raises((StaleState, Refused)):
            act()


def test_who_may_answer_and_withdraw(cast, as_user):
    row = asked(cast)
    answer, withdraw = (reverse(f"projects:data-request-{act}", args=[row.pk]) for act in ("answer", "withdraw"))
    refused = {"lead": 404, "colleague": 404, "unit_officer": 404, "leader": 403, "other_bureau": 404, "anonymous": 302}
    for url in (answer, withdraw):
        assert {
            who: as_user(who).post(url, {"decision": "refuse", "answer": "否"}).status_code for who in refused
        } == refused
    assert as_user("planner").post(answer, {"decision": "refuse", "answer": "否"}).status_code == 403
    assert as_user("bureau").post(withdraw).status_code == 403
    row.refresh_from_db()
    assert row.state == "asked"
    assert as_user("planner").post(withdraw).status_code == 302
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_the_answer_form_keeps_what_was_typed_and_names_the_field(cast, as_user):
    row = asked(cast)
    url = reverse("projects:data-request-answer", args=[row.pk])
    page = as_user("bureau").post(url, {"decision": "grant", "level": "", "answer": "到窗口查阅"}).content.decode()
    assert "请选择资料级别" in page
    assert "到窗口查阅" in page
    data = {"decision": "grant", "level": "internal", "answer": "到窗口查阅", "uploads": [upload()]}
    assert as_user("bureau").post(url, data).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.files.count()) == ("granted", 1)


def test_the_form_makes_one_request(cast, as_user, project):
    client, url = as_user("planner"), reverse("projects:data-request-create")
    data = {"submission_key": new_key(), "what": "图则", "purpose": "审图", "project": project.pk}
    for _ in range(2):
        assert client.post(url, data).status_code == 302
    assert DataRequest.objects.get().project == project


def test_the_list_holds_what_one_may_see_in_the_same_few_queries(cast, as_user, django_assert_max_num_queries):
    url, counts = reverse("projects:data-request-list"), []
    client = as_user("bureau")
    for size in (1, 30):
        for number in range(size):
            asked(cast, what=f"资料{number}")
        with django_assert_max_num_queries(8) as counted:
            assert client.get(url).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1]
    assert "资料1" in as_user("planner").get(url).content.decode()
    for who in ("lead", "unit_officer", "department", "other_bureau"):
        assert "资料1" not in as_user(who).get(url).content.decode()
