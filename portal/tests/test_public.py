"""The page that everybody may read: the same for all, and nothing on it that is meant for one."""

from __future__ import annotations

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory

from portal.views import public

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    public._KEPT.clear()
    yield
    public._KEPT.clear()


def told(client, text):
    """What a visitor is told at the next page, as an action leaves it."""
    storage = CookieStorage(RequestFactory().get("/"))
    storage.add(25, text)
    client.cookies["messages"] = storage._encode(storage._queued_messages)


def test_front_page_is_made_once_a_minute(client, django_assert_num_queries):
    first = client.get("/")
    with django_assert_num_queries(0):
        second = client.get("/")
    assert first.content == second.content


def test_what_one_visitor_is_told_is_not_kept_for_all(client):
    told(client, "您已退出登录")
    assert "您已退出登录" in client.get("/").content.decode()
    client.cookies.clear()
    assert "您已退出登录" not in client.get("/").content.decode()


def test_visitor_who_is_to_be_told_something_gets_no_kept_page(client):
    client.get("/")
    told(client, "您已退出登录")
    assert "您已退出登录" in client.get("/").content.decode()
