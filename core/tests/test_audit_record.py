"""Entries stand with their change, are complete, and hold no secrets."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction

from core import audit, context
from core.models import AuditEntry, Notification

pytestmark = pytest.mark.django_db


def test_entry_tells_who_what_where_and_result(person):
    notice = Notification.objects.create(user=person, kind="a", text="你好")
    with context.bound(ip="10.0.0.8") as here:
        audit.record("notice.read", actor=person, obj=notice, locality="110112", detail={"n": 1}, label="阅读通知")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_label, entry.action, entry.action_label) == (
        person,
        "张示例",
        "notice.read",
        "阅读通知",
    )
    assert (entry.object_type, entry.object_id, entry.object_label) == ("core.notification", str(notice.pk), "你好")
    assert (entry.locality_code, entry.result, entry.detail) == ("110112", "ok", {"n": 1})
    assert (entry.ip, entry.request_id) == ("10.0.0.8", here.request_id)


@pytest.mark.parametrize("actor", [None, AnonymousUser()])
def test_system_and_anonymous_have_no_actor(actor):
    assert audit.record("x.y", actor=actor).actor_id is None


def test_entry_vanishes_with_a_change_that_is_rolled_back(person):
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record("x.y", actor=person)
        raise RuntimeError
    assert not AuditEntry.objects.exists()


def test_unknown_result_is_refused(person):
    with pytest.raises(ValueError):
        audit.record("x.y", actor=person, result="maybe")


def test_secrets_and_identity_numbers_are_hidden(person):
    detail = {
        "password": "hunter2",
        "nested": [{"api_token": "abc"}],
        "note": "证件 110101199003078515，电话13800138000。",
        "count": 3,
    }
    entry = audit.record("x.y", actor=person, detail=detail)
    entry.refresh_from_db()
    assert entry.detail == {
        "password": audit.HIDDEN,
        "nested": [{"api_token": audit.HIDDEN}],
        "note": f"证件 {audit.HIDDEN}，电话{audit.HIDDEN}。",
        "count": 3,
    }


def test_control_characters_cannot_move_a_field_boundary(person):
    entry = audit.record("x.y", actor=person, label="甲\x1f乙\x00丙")
    assert entry.action_label == "甲 乙 丙"


def test_history_is_of_that_object_newest_first(person, other):
    mine = Notification.objects.create(user=person, kind="a", text="一")
    theirs = Notification.objects.create(user=other, kind="a", text="二")
    for action, obj in (("a.one", mine), ("a.two", theirs), ("a.three", mine)):
        audit.record(action, actor=person, obj=obj)
    assert [entry.action for entry in audit.history(mine)] == ["a.three", "a.one"]


def test_timeline_words_a_move_with_its_reason(person):
    notice = Notification.objects.create(user=person, kind="a", text="一")
    audit.record(
        "log.return",
        actor=person,
        obj=notice,
        label="退回",
        detail={"from_label": "待确认", "to_label": "已退回", "reason": "日期有误"},
    )
    (event,) = audit.timeline(notice)
    assert (event.who, event.what, event.note) == ("张示例", "退回", "待确认 → 已退回；原因：日期有误")


@pytest.mark.parametrize("table", ["core_auditentry", "core_auditseal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_database_refuses_to_change_the_log(person, table, statement):
    from core.audit_chain import seal

    if statement.startswith("TRUNCATE") and connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    audit.record("x.y", actor=person)
    assert seal(full=True) == 1
    column = "action" if table == "core_auditentry" else "hash"
    connection.check_constraints()  # what is still to be checked of the inserts would get in the way of TRUNCATE
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column, "'z'"))
    assert AuditEntry.objects.get().action == "x.y"


def test_a_person_in_the_log_cannot_be_deleted(person):
    audit.record("x.y", actor=person)
    with pytest.raises(DatabaseError), transaction.atomic():
        person.delete()
