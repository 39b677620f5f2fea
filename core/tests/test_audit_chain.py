"""The chain: complete, in order of sealing, and every tampering named at its place."""

from __future__ import annotations

import datetime as dt
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from core import audit, audit_chain
from core.audit_chain import seal, walk
from core.models import AuditEntry, AuditSeal


def verify(**options) -> audit_chain.Report:
    """Both ways of checking must say the same."""
    report = audit_chain.verify(**options)
    assert report == walk(**options)
    if connection.vendor == "postgresql":
        assert (audit_chain._sound_in_database(options.get("anchor")) is None) == (
            not report.intact and report.problem != "审计记录没有封签"
        )
    return report


def write(count: int) -> list[AuditEntry]:
    return [audit.record("x.y", actor=None, detail={"n": n, "text": '引号"与\\反斜线\n換行𠮷'}) for n in range(count)]


def tamper(sql: str, *parameters: object) -> None:
    """Change rows as somebody with the database in hand would: past the triggers."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(sql, parameters)
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'core_audit%%'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        cursor.execute(sql, parameters)
        for _, text in triggers:
            cursor.execute(text)


@pytest.mark.django_db
@pytest.mark.parametrize("at", ["2026-03-01T08:00:00.123456+08:00", "2026-03-01T00:00:00+00:00"])
def test_database_and_python_make_the_same_content(person, at):
    entry = audit.build("x.y", actor=person, detail={"乙": [1, None, True], "a": '"\\\t\x1f'}, locality="110112")
    entry.at = dt.datetime.fromisoformat(at)
    entry.save()
    ((pk, content),) = audit_chain._unsealed(None)
    assert (pk, content) == (entry.pk, audit_chain.canonical(entry))


@pytest.mark.django_db
def test_every_entry_is_sealed_once_and_the_chain_is_intact():
    write(5)
    assert seal() == 5
    write(3)
    assert seal() == 3
    assert seal() == 0
    report = verify()
    assert (report.intact, report.checked, report.pending) == (True, 8, 0)


@pytest.mark.django_db
def test_batches_make_one_chain(monkeypatch):
    monkeypatch.setattr(audit_chain, "BATCH", 3)
    write(8)
    assert seal() == 8
    assert [s.position for s in AuditSeal.objects.all()] == list(range(1, 9))
    assert verify().intact


@pytest.mark.django_db
@pytest.mark.parametrize(
    "column, value",
    [
        ("action", "x.z"),
        ("actor_label", "某人"),
        ("action_label", "改"),
        ("object_type", "a"),
        ("object_id", "9"),
        ("object_label", "b"),
        ("locality_code", "110101"),
        ("result", "error"),
        ("detail", '{"n":8}'),
        ("ip", "1.2.3.4"),
        ("request_id", "r"),
        ("at", dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_one_edited_value_is_named(column, value):
    entries = write(5)
    seal()
    tamper(f"UPDATE core_auditentry SET {column} = %s WHERE id = %s", value, entries[2].pk)
    report = verify()
    assert (report.problem, report.position, report.entry_id) == ("审计记录或封签被改动", 3, entries[2].pk)


@pytest.mark.django_db
def test_an_edited_actor_is_named(person):
    entries = write(2)
    seal()
    tamper("UPDATE core_auditentry SET actor_id = %s WHERE id = %s", person.pk, entries[1].pk)
    assert verify().entry_id == entries[1].pk


@pytest.mark.django_db
def test_a_deleted_entry_is_named():
    entries = write(4)
    seal()
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA defer_foreign_keys = ON")
    tamper("DELETE FROM core_auditentry WHERE id = %s", entries[1].pk)
    report = verify()
    assert (report.problem, report.position, report.entry_id) == ("审计记录已被删除", 2, entries[1].pk)
    tamper("DELETE FROM core_auditseal WHERE entry_id = %s", entries[1].pk)


@pytest.mark.django_db
def test_a_deleted_seal_is_named():
    write(4)
    seal()
    tamper("DELETE FROM core_auditseal WHERE position = 2")
    assert (verify().problem, verify().position) == ("缺少第 2 号封签", 3)


@pytest.mark.django_db
def test_an_edited_seal_is_named():
    entries = write(4)
    seal()
    tamper("UPDATE core_auditseal SET hash = %s WHERE position = 2", b"f" * 32)
    assert (verify().problem, verify().entry_id) == ("审计记录或封签被改动", entries[1].pk)


@pytest.mark.django_db
def test_an_edited_row_with_its_own_seal_recomputed_breaks_the_next_link():
    entries = write(3)
    seal()
    tamper("UPDATE core_auditentry SET action = 'x.z' WHERE id = %s", entries[0].pk)
    forged = audit_chain.link(audit_chain.GENESIS, audit_chain.canonical(AuditEntry.objects.get(pk=entries[0].pk)))
    tamper("UPDATE core_auditseal SET hash = %s WHERE position = 1", forged)
    assert (verify().problem, verify().position) == ("封签与前一封签不衔接", 2)


@pytest.mark.django_db
def test_a_cut_tail_is_found_by_an_anchor():
    write(3)
    seal()
    head = AuditSeal.objects.get(position=3)
    tamper("DELETE FROM core_auditseal WHERE position = 3")
    tamper("DELETE FROM core_auditentry WHERE id = %s", head.entry_id)
    assert verify().intact
    assert verify(anchor=(2, bytes(AuditSeal.objects.get(position=2).hash).hex())).intact
    assert verify(anchor=(2, "0" * 64)).problem == "封签与留存的链头不一致"
    assert verify(anchor=(3, bytes(head.hash).hex())).problem == "链尾缺失：留存的链头不在链上"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sealed, unsealed, named",
    [
        (0, 60, True),  # later entries are sealed, this one was passed over
        (0, 5, False),  # its transaction may have ended a moment ago
        (120, 60, False),  # the sealer is behind
        (600, 480, True),  # the sealer has stopped
    ],
)
def test_an_entry_passed_over_by_the_sealer_is_named(sealed, unsealed, named):
    """Minutes ago: of the last sealed entry, and of one without a seal."""
    for minutes in (sealed, unsealed):
        entry = audit.build("x.y", actor=None)
        entry.at = timezone.now() - dt.timedelta(minutes=minutes)
        entry.save()
        if minutes == sealed:
            seal()
    assert verify().entry_id == (entry.pk if named else None)


@pytest.mark.django_db
def test_after_a_long_rest_the_sealer_takes_up_where_it_stopped(monkeypatch):
    old = audit.build("x.y", actor=None)
    old.at = timezone.now() - dt.timedelta(days=3)
    old.save()
    seal()
    for hours in (70, 30, 1):
        entry = audit.build("x.y", actor=None)
        entry.at = timezone.now() - dt.timedelta(hours=hours)
        entry.save()
    assert seal() == 3


@pytest.mark.django_db
def test_command_answers_0_when_intact_and_1_with_the_place():
    entries = write(3)
    seal()
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "已校验 3 条" in out.getvalue()
    tamper("UPDATE core_auditentry SET ip = '8.8.8.8' WHERE id = %s", entries[1].pk)
    with pytest.raises(CommandError, match=f"审计记录 {entries[1].pk}") as refused:
        call_command("verify_audit")
    assert refused.value.returncode == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_earlier_id_that_commits_later_is_sealed_after(together):
    wrote, sealed = threading.Event(), threading.Event()
    ids: dict[str, int] = {}

    def slow_writer():
        with transaction.atomic():
            ids["slow"] = audit.record("x.slow", actor=None).pk
            wrote.set()
            assert sealed.wait(10)

    def quick_writer_then_sealer():
        assert wrote.wait(10)
        ids["quick"] = audit.record("x.quick", actor=None).pk
        first = seal()
        sealed.set()
        return first

    _, first = together(slow_writer, quick_writer_then_sealer)
    assert (first, ids["slow"] < ids["quick"]) == (1, True)
    assert seal() == 1
    assert list(AuditSeal.objects.values_list("entry_id", flat=True)) == [ids["quick"], ids["slow"]]
    assert verify().intact


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_make_one_chain(together):
    write(400)
    start = threading.Barrier(4)

    def sealer():
        start.wait(10)
        return seal(wait=True, full=True)

    assert sum(together(*[sealer] * 4)) == 400
    assert (verify().intact, verify().checked) == (True, 400)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_sealers_collide_when_the_lock_is_off(together, monkeypatch):
    """Control: without the lock both take the same head, and one of them breaks."""
    write(50)
    start = threading.Barrier(2)
    monkeypatch.setattr(audit_chain, "_lock", lambda wait: True)
    unsealed = audit_chain._unsealed

    def both_have_read(since):
        rows = unsealed(since)
        start.wait(10)
        return rows

    monkeypatch.setattr(audit_chain, "_unsealed", both_have_read)
    results = together(seal, seal)
    assert sum(isinstance(result, Exception) for result in results) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_second_sealer_does_not_wait(together):
    write(3)
    with transaction.atomic():
        assert audit_chain._lock(wait=False)
        assert together(seal) == [0]
    assert seal() == 3
