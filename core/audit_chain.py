"""The chain over the audit log: sealing committed entries and walking the chain again.

The content that a hash covers is one text per entry, its fields joined by U+001F. The database makes that text (the
same on PostgreSQL and SQLite), so that walking millions of rows needs no model objects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from core.models import AuditEntry, AuditSeal

SEPARATOR = "\x1f"
GENESIS = bytes(32)
BATCH = 5000
# An entry's time is set when it is written, its row appears at commit; no transaction lives this long.
LATEST_COMMIT = timedelta(hours=6)
# A commit may come this much later than entries that are sealed already, without the entry being called left out.
GRACE = timedelta(minutes=10)
_LOCK = 0x41554449  # "AUDI": the sealer's advisory lock

_FIELDS = (
    "actor_label",
    "action",
    "action_label",
    "object_type",
    "object_id",
    "object_label",
    "locality_code",
    "result",
    "detail",
    "ip",
    "request_id",
)


def canonical(entry: AuditEntry) -> str:
    """The content a seal covers, made in Python: the definition that the SQL text is tested against."""
    from core.models.audit import canonical_json

    at = entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    rest = [canonical_json(entry.detail) if f == "detail" else str(getattr(entry, f)) for f in _FIELDS]
    return SEPARATOR.join([str(entry.pk), at, "" if entry.actor_id is None else str(entry.actor_id), *rest])


def link(previous: bytes, content: str) -> bytes:
    """The hash of an entry's `content` that follows the hash `previous`: SHA-256 over both, one after the other."""
    return hashlib.sha256(previous + content.encode()).digest()


def _content_sql() -> str:
    columns = [f"e.{name}" for name in _FIELDS]
    if connection.vendor == "postgresql":
        at = "to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return f"concat_ws(chr(31), e.id::text, {at}, coalesce(e.actor_id::text, ''), {', '.join(columns)})"
    # SQLite keeps UTC text and leaves out the fraction when it is zero.
    at = "CASE length(e.at) WHEN 19 THEN e.at || '.000000' ELSE e.at END"
    return " || char(31) || ".join(["e.id", at, "coalesce(e.actor_id, '')", *columns])


# --- sealing ---------------------------------------------------------------------------------------


def seal(*, wait: bool = False, full: bool = False) -> int:
    """Link every committed entry that has no seal yet; the number linked.

    One sealer at a time: a second one returns 0 at once, or with `wait` goes on after the first. Entries are found
    by their time near the end of the chain; `full` looks at the whole table.
    """
    sealed = 0
    while True:
        done = _seal_batch(wait=wait, full=full)
        sealed += done
        if done < BATCH:
            return sealed


@transaction.atomic
def _seal_batch(*, wait: bool, full: bool) -> int:
    if not _lock(wait):
        return 0
    # Each statement sees what was committed before it: the head is read after the lock is held.
    head = AuditSeal.objects.order_by("-position").select_related("entry").first()
    position, previous = (head.position, bytes(head.hash)) if head else (0, GENESIS)
    since = None
    if head and not full:
        since = min(head.entry.at, timezone.now()) - LATEST_COMMIT
    seals = []
    for pk, content in _unsealed(since):
        position += 1
        digest = link(previous, content)
        seals.append(AuditSeal(position=position, entry_id=pk, previous=previous, hash=digest))
        previous = digest
    AuditSeal.objects.bulk_create(seals, batch_size=1000)
    return len(seals)


def _lock(wait: bool) -> bool:
    if connection.vendor != "postgresql":
        return True  # SQLite: the transaction took the only write lock at BEGIN
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _unsealed(since: datetime | None) -> list[tuple[int, str]]:
    recent = "" if since is None else "e.at >= %s AND"
    parameters = [] if since is None else [connection.ops.adapt_datetimefield_value(since)]
    sql = (
        f"SELECT e.id, {_content_sql()} FROM core_auditentry e "  # noqa: S608 - constants of this module
        f"WHERE {recent} NOT EXISTS (SELECT 1 FROM core_auditseal s WHERE s.entry_id = e.id) "
        f"ORDER BY e.id LIMIT {BATCH}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


# --- verification ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: `problem` is empty when intact; `position`, `entry_id` name the first place that is not.

    `head` is the hash (hex) of the last link that was checked, `pending` counts entries waiting for the sealer.
    """

    checked: int
    head: str
    pending: int = 0
    problem: str = ""
    position: int | None = None
    entry_id: int | None = None

    @property
    def intact(self) -> bool:
        return not self.problem


def verify(*, anchor: tuple[int, str] | None = None) -> Report:
    """Check the whole chain; a fault is named at its first place.

    `anchor` is a head (position, hash in hex) written down earlier: a chain cut off before it is found out too.
    PostgreSQL compares by itself, several times as quick as fetching every row; where it finds anything amiss, the
    chain is walked from its start to name the place.
    """
    if connection.vendor == "postgresql":
        sound = _sound_in_database(anchor)
        if sound is not None:
            return _unsealed_report(*sound)
    return walk(anchor=anchor)


def walk(*, anchor: tuple[int, str] | None = None) -> Report:
    """The same as `verify`, link by link in Python, on any database."""
    expected, previous, problem = 0, GENESIS, ""
    anchored = anchor is None
    for position, seal_hash, seal_previous, entry_id, content in _chain():
        expected += 1
        problem = _fault(position, expected, bytes(seal_previous), previous, content, bytes(seal_hash))
        if anchor and position == anchor[0]:
            anchored = True
            problem = problem or ("封签与留存的链头不一致" if bytes(seal_hash).hex() != anchor[1] else "")
        if problem:
            return Report(expected - 1, previous.hex(), problem=problem, position=position, entry_id=entry_id)
        previous = bytes(seal_hash)
    if not anchored:
        return Report(expected, previous.hex(), problem="链尾缺失：留存的链头不在链上", position=expected + 1)
    return _unsealed_report(expected, previous.hex())


def _fault(
    position: int, expected: int, seal_previous: bytes, previous: bytes, content: str | None, digest: bytes
) -> str:
    if position != expected:
        return f"缺少第 {expected} 号封签"
    if seal_previous != previous:
        return "封签与前一封签不衔接"
    if content is None:
        return "审计记录已被删除"
    if link(previous, content) != digest:
        return "审计记录或封签被改动"
    return ""


def _chain() -> Iterator[tuple[int, bytes, bytes, int, str | None]]:
    content = f"CASE WHEN e.id IS NULL THEN NULL ELSE {_content_sql()} END"
    sql = (
        f"SELECT s.position, s.hash, s.previous, s.entry_id, {content} "  # noqa: S608 - constants of this module
        "FROM core_auditseal s LEFT JOIN core_auditentry e ON e.id = s.entry_id ORDER BY s.position"
    )
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(20000):
            yield from rows


def _sound_in_database(anchor: tuple[int, str] | None) -> tuple[int, str] | None:
    """How many links there are and the last hash (hex), or None when anything is amiss. PostgreSQL only."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Both tables lie in nearly the same order: a merge streams through them, a hash would hold the whole log.
        cursor.execute("SET LOCAL enable_hashjoin = off")
        cursor.execute(
            "SELECT count(*), coalesce(max(position), 0), count(*) FILTER (WHERE previous = prior) FROM (SELECT "
            "position, previous, lag(hash, 1, %s) OVER (ORDER BY position) AS prior FROM core_auditseal) links",
            [GENESIS],
        )
        count, last, linked = cursor.fetchone()
        sealed = f"sha256(s.previous || convert_to({_content_sql()}, 'UTF8'))"
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE s.hash = {sealed}) "  # noqa: S608 - constants of this module
            "FROM core_auditseal s JOIN core_auditentry e ON e.id = s.entry_id WHERE s.position <= %s",
            [last],
        )
        if not (count == last == linked == cursor.fetchone()[0]):
            return None
        cursor.execute("SET LOCAL enable_hashjoin = on")
    if anchor and not AuditSeal.objects.filter(position=anchor[0], hash=bytes.fromhex(anchor[1])).exists():
        return None
    head = AuditSeal.objects.filter(position=last).values_list("hash", flat=True).first()
    return last, bytes(head or GENESIS).hex()


def _unsealed_report(checked: int, head: str) -> Report:
    """Every seal has its entry, so entries beyond the number of seals wait for the sealer, or were left out by it."""
    pending = AuditEntry.objects.count() - AuditSeal.objects.count()
    if pending > 0 and checked:
        last = AuditSeal.objects.select_related("entry").get(position=checked).entry.at
        # The sealer has been at later entries already, or has not run for too long.
        due = max(last - GRACE, timezone.now() - LATEST_COMMIT)
        late = AuditEntry.objects.filter(seal=None, at__lt=due).order_by("id").first()
        if late is not None:
            return Report(checked, head, problem="审计记录没有封签", entry_id=late.pk)
    return Report(checked, head, pending=max(pending, 0))
