"""Drafts: one's own, small, forgotten once the form was taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from core import drafts
from core.draft_clearing import DraftClearingMiddleware
from core.models import Draft
from core.tests.examples import few

URL = "/drafts/worklog-create/"


def save(client: Any, data: Any, url: str = URL) -> Any:
    body = data if isinstance(data, (str, bytes)) else json.dumps(data)
    return client.post(url, body, content_type="application/json")


def test_draft_comes_back_as_it_was_typed(client, person) -> None:
    client.force_login(person)
    assert client.get(URL).status_code == 204
    answer = save(client, {"content": "走访龚䶮\n第二行", "kind": ["survey", "meeting"]})
    assert answer.status_code == 200 and answer.json()["saved_words"]
    assert client.get(URL).json()["data"] == {"content": "走访龚䶮\n第二行", "kind": ["survey", "meeting"]}
    save(client, {"content": "改"})
    assert client.get(URL).json()["data"] == {"content": "改"}
    assert Draft.objects.count() == 1
    assert client.delete(URL).status_code == 204
    assert client.get(URL).status_code == 204


def test_nobody_sees_anothers_draft(client, person, other) -> None:
    client.force_login(person)
    save(client, {"content": "我的"})
    client.force_login(other)
    assert client.get(URL).status_code == 204
    client.delete(URL)
    assert Draft.objects.get().user == person


def test_without_login_there_are_no_drafts(client, db) -> None:
    for answer in (client.get(URL), save(client, {"a": "b"}), client.delete(URL)):
        assert answer.status_code == 302 and "/accounts/login/" in answer.url
    assert not Draft.objects.exists()


def test_secrets_of_a_form_are_left_out(client, person) -> None:
    client.force_login(person)
    save(client, {"csrfmiddlewaretoken": "x", "password": "y", "content": "z"})
    assert Draft.objects.get().data == {"content": "z"}


@pytest.mark.parametrize(
    "body", ["", "[]", "null", '"x"', "{", '{"a": {"b": 1}}', '{"a": [[1]]}', b"\xff\xfe", "[" * 100_000]
)
def test_what_is_no_form_is_refused(client, person, body: Any) -> None:
    client.force_login(person)
    answer = save(client, body)
    assert answer.status_code == 400 and answer.json()["error"].endswith("。")
    assert not Draft.objects.exists()


def test_too_large_a_draft_is_told(client, person) -> None:
    client.force_login(person)
    answer = save(client, {"content": "规" * 30_000})
    assert answer.status_code == 413 and "64 KB" in answer.json()["error"]


@pytest.mark.parametrize("key", ["A", "..", "a b", "a" * 101, "龚"])
def test_odd_keys_are_refused(client, person, key: str) -> None:
    client.force_login(person)
    assert save(client, {"a": "b"}, f"/drafts/{key}/").status_code == 400


def test_number_of_drafts_is_bounded(person, monkeypatch) -> None:
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 3)
    for number in range(5):
        drafts.save_draft(person, f"form-{number}", {"a": "b"})
    assert sorted(Draft.objects.values_list("form_key", flat=True)) == ["form-2", "form-3", "form-4"]


@few
@given(
    st.dictionaries(
        st.text(max_size=20), st.one_of(st.text(max_size=50), st.lists(st.text(max_size=10), max_size=3)), max_size=5
    )
)
def test_any_text_can_be_kept(client, person, data: dict[str, Any]) -> None:
    client.force_login(person)
    assert save(client, data).status_code == 200
    assert client.get(URL).status_code == 200


def _answered(person: Any, response: HttpResponse, **data: str) -> HttpResponse:
    request: HttpRequest = RequestFactory().post("/somewhere/", data)
    request.user = person
    return DraftClearingMiddleware(lambda _: response)(request)


def test_draft_is_forgotten_when_the_form_was_taken(person) -> None:
    drafts.save_draft(person, "worklog-create", {"content": "a"})
    _answered(person, HttpResponse("errors"), _draft_key="worklog-create")
    _answered(person, redirect("/accounts/login/?next=/x/"), _draft_key="worklog-create")
    _answered(person, redirect("/done/"))
    assert Draft.objects.count() == 1
    answer = _answered(person, redirect("/done/"), _draft_key="worklog-create")
    assert not Draft.objects.exists()
    assert answer.cookies["draft_taken"].value == "worklog-create"


def test_odd_key_in_a_form_does_not_disturb_the_answer(person) -> None:
    assert _answered(person, redirect("/done/"), _draft_key="../x").status_code == 302
