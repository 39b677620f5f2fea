"""Notices: once per person and key, readable by that person alone."""

from __future__ import annotations

import pytest

from core.models import Notification
from core.notifications import notify, unread_count

pytestmark = pytest.mark.django_db


def test_each_person_is_told_once_whatever_form_the_list_has(person, other):
    notify([person, person.pk, None, other], kind="a", text="请提交月报")
    notify(person, kind="b", text="另一条")
    assert (unread_count(person), unread_count(other)) == (2, 1)


def test_a_repeated_task_tells_nobody_twice(person, other):
    notify(person, kind="a", text="合同即将到期", key="contract:7:ends")
    notify([person, other], kind="a", text="合同即将到期", key="contract:7:ends")
    notify(person, kind="a", text="合同即将到期", key="contract:8:ends")
    assert (unread_count(person), unread_count(other)) == (2, 1)


def test_list_shows_ones_own_alone_and_pages(client, person, other, django_assert_max_num_queries):
    for n in range(60):
        notify(person, kind="a", text=f"第{n}条")
    notify(other, kind="a", text="别人的通知")
    client.force_login(person)
    page = client.get("/notifications/")
    assert [n.text for n in page.context["notices"]][:2] == ["第59条", "第58条"]
    assert len(page.context["notices"]) == 50
    rest = client.get("/notifications/" + page.context["next_url"])
    assert [n.text for n in rest.context["notices"]] == [f"第{n}条" for n in range(9, -1, -1)]
    assert "别人的通知" not in page.content.decode() + rest.content.decode()


def test_opening_marks_as_read_and_goes_there(client, person):
    notify(person, kind="a", text="看", url="/jobs/1/")
    client.force_login(person)
    answer = client.post(f"/notifications/{Notification.objects.get().pk}/open/")
    assert (answer.status_code, answer.url, unread_count(person)) == (302, "/jobs/1/", 0)


def test_a_notice_leads_to_no_other_site(client, person):
    notify(person, kind="a", text="看", url="https://example.com/")
    client.force_login(person)
    answer = client.post(f"/notifications/{Notification.objects.get().pk}/open/")
    assert answer.url == "/notifications/"


def test_a_notice_of_somebody_else_is_not_found(client, person, other):
    notify(other, kind="a", text="看")
    client.force_login(person)
    assert client.post(f"/notifications/{Notification.objects.get().pk}/open/").status_code == 404
    assert unread_count(other) == 1


def test_all_are_marked_as_read_at_once(client, person, other):
    notify([person, other], kind="a", text="看")
    client.force_login(person)
    client.post("/notifications/read/")
    assert (unread_count(person), unread_count(other)) == (0, 1)


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "１"])
def test_odd_page_marks_are_no_error(client, person, before):
    client.force_login(person)
    assert client.get("/notifications/", {"before": before}).status_code == 200
