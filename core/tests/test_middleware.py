"""Every refusal and every POST leaves one entry; every kind of failure has its own answer."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from core.middleware import client_ip
from core.models import AuditEntry
from core.views import errors

pytestmark = [pytest.mark.django_db, pytest.mark.urls("core.tests.urls_answers")]


@pytest.fixture
def browser(client, person):
    client.force_login(person)
    client.raise_request_exception = False
    return client


def entries():
    """What the request under test wrote; logging in leaves entries of its own."""
    rows = AuditEntry.objects.filter(action__regex=r"^(x|http)\.").order_by("id")
    return list(rows.values_list("action", "result"))


def test_refusal_is_answered_with_its_reason_and_recorded_after_the_rollback(browser, person):
    answer = browser.get("/t/refused/7/")
    assert answer.status_code == 403
    assert "仅团队负责人可以审核" in answer.content.decode()
    assert entries() == [("x.before", "ok"), ("http.refused", "refused")]
    entry = AuditEntry.objects.get(action="http.refused")
    assert (entry.actor, entry.ip, entry.request_id) == (person, "127.0.0.1", answer.headers["X-Request-ID"])
    assert entry.detail == {
        "view": "t-refused",
        "method": "GET",
        "status": 403,
        "reason": "仅团队负责人可以审核",
        "pk": "7",
    }


def test_refusal_that_a_view_answers_itself_is_recorded_too(browser):
    assert browser.get("/t/forbidden/").status_code == 403
    assert entries() == [("http.refused", "refused")]


def test_stale_state_is_answered_409_and_its_rolled_back_entry_does_not_count(browser):
    answer = browser.post("/t/stale/")
    assert (answer.status_code, "已被他人处理" in answer.content.decode()) == (409, True)
    assert entries() == [("http.post", "error")]


def test_post_without_an_entry_gets_one(browser, person):
    browser.post("/t/quiet/3/", {"password": "hunter2"})
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.result, entry.actor, entry.detail["pk"]) == ("http.post", "ok", person, "3")
    assert "hunter2" not in json.dumps(entry.detail)


def test_post_that_wrote_its_entry_gets_no_second(browser):
    browser.post("/t/telling/")
    assert entries() == [("x.told", "ok")]


def test_anonymous_post_is_recorded_without_an_actor(client):
    client.post("/t/quiet/3/")
    assert AuditEntry.objects.get().actor is None


def test_reading_leaves_no_entry(browser):
    browser.get("/t/quiet/3/")
    assert entries() == []


def test_unknown_address_is_answered_404_in_words(browser):
    answer = browser.get("/no/such/page/")
    assert (answer.status_code, errors.NOT_FOUND in answer.content.decode()) == (404, True)


def test_outage_is_answered_503(browser):
    answer = browser.get("/t/outage/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "请稍后再试" in answer.content.decode()


def test_outage_while_the_session_is_read_is_answered_503_too(browser, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    monkeypatch.setattr("django.contrib.sessions.backends.cached_db.SessionStore.load", away)
    assert browser.get("/notifications/").status_code == 503


def test_mistake_of_ours_says_nothing_of_itself(browser):
    answer = browser.get("/t/broken/")
    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()


@pytest.mark.parametrize("path, status", [("/t/outage/", 503), ("/t/broken/", 500)])
def test_pages_of_an_outage_ask_the_database_nothing(client, django_assert_num_queries, path, status):
    client.raise_request_exception = False
    with django_assert_num_queries(0):
        assert client.get(path).status_code == status


def test_error_page_arrives_without_its_frame(browser, monkeypatch):
    def broken(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("core.nav.entries_for", broken)
    answer = browser.get("/no/such/page/")
    assert (answer.status_code, errors.NOT_FOUND in answer.content.decode()) == (404, True)


def test_lost_audit_entry_does_not_change_the_answer(browser, monkeypatch, caplog):
    def away(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("core.middleware.audit.record", away)
    assert browser.get("/t/forbidden/").status_code == 403
    assert "audit entry lost" in caplog.text


def test_missing_csrf_token_is_answered_in_words_and_recorded(person):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    answer = strict.post("/notifications/read/")
    assert (answer.status_code, "页面已过期" in answer.content.decode()) == (403, True)
    assert entries() == [("http.refused", "refused")]


def test_part_of_a_page_is_not_replaced_by_an_error_page(browser):
    answer = browser.post("/t/stale/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Reswap"] == "none"
    told = json.loads(answer.headers["HX-Trigger"])["portal:error"]
    assert told["status"] == 409
    assert "已被他人处理" in told["text"]


def test_error_pages_are_kept_by_no_cache(browser):
    assert "no-store" in browser.get("/no/such/page/").headers["Cache-Control"]


@pytest.mark.parametrize(
    "proxies, forwarded, address",
    [
        (0, "1.2.3.4", "10.0.0.1"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
        (2, "1.2.3.4", "10.0.0.1"),
        (1, "<script>", ""),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(settings, proxies, forwarded, address):
    settings.PROXY_COUNT = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR="10.0.0.1")
    assert client_ip(request) == address
