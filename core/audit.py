"""The audit log: written with the change it tells of, sealed afterwards into one chain.

Writers only insert; they never wait for the head of the chain. One sealer (`seal`) links committed rows in the order
it finds them, and `core.audit_verify.verify` walks the chain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Model, Q, QuerySet

from core import context
from core.models import AuditEntry
from core.roles import signature

# Words for action codes, shown to people. Each app adds its own with `register_actions`.
ACTION_LABELS: dict[str, str] = {
    "http.post": "提交请求",
    "http.refused": "访问被拒绝",
}

_SECRET_KEYS = re.compile(
    r"password|passwd|secret|token|otp|identity|id_number|id_card|证件|身份证|密码", re.IGNORECASE
)
_IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HIDDEN = "（已隐去）"


def register_actions(labels: Mapping[str, str]) -> None:
    """Give words to action codes: `register_actions({"worklog.submit": "提交履职记录"})`."""
    ACTION_LABELS.update(labels)


def record(
    action: str,
    *,
    actor: Any,
    obj: Model | None = None,
    locality: Any = "",
    detail: Mapping[str, Any] | None = None,
    result: str = "ok",
    label: str = "",
) -> AuditEntry:
    """Write one entry in the caller's transaction: it stands exactly if the change stands.

    `actor`: a user, or None (or an anonymous user) for the system and for people not logged in.
    `locality`: a six-digit code or an object with `code`; left empty it is taken from `obj.locality`, else from where
    the actor's account is kept, so that no entry lies open to every locality's auditor.
    `result`: "ok", "refused" or "error". `detail`: plain JSON values; secrets and identity numbers are hidden.
    """
    entry = build(action, actor=actor, obj=obj, locality=locality, detail=detail, result=result, label=label)
    entry.save(force_insert=True)
    context.current().entry_ids.append(entry.pk)
    return entry


def record_many(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """Write entries made by `build` in a few statements, in the caller's transaction."""
    rows = AuditEntry.objects.bulk_create(list(entries), batch_size=500)
    context.current().entry_ids.extend(row.pk for row in rows[:1])
    return rows


def build(
    action: str,
    *,
    actor: Any,
    obj: Model | None = None,
    locality: Any = "",
    detail: Mapping[str, Any] | None = None,
    result: str = "ok",
    label: str = "",
) -> AuditEntry:
    """An unsaved entry; see `record` for the arguments. Who stands in for somebody is named so (“甲 代 乙”), but for acts
    on one's own account."""
    here = context.current()
    known = actor is not None and getattr(actor, "pk", None) is not None
    return AuditEntry(
        actor=actor if known else None,
        actor_label=_line(str(actor) if obj == actor else signature(actor), 120) if known else "",
        action=_line(action, 80),
        action_label=_line(label or ACTION_LABELS.get(action, action), 120),
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=_line(str(obj.pk), 64) if obj is not None else "",
        object_label=_line(_hide(str(obj)), 200) if obj is not None else "",
        locality_code=_locality_code(locality, obj) or (getattr(actor, "locality_code", "") if known else ""),
        result=AuditEntry.Result(result),
        detail=_clean(dict(detail or {})),
        ip=here.ip,
        request_id=here.request_id,
    )


def history(obj: Model) -> QuerySet[AuditEntry]:
    """Entries about `obj`, newest first."""
    return AuditEntry.objects.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk)).order_by("-id")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a page's history, as `partials/timeline.html` wants it."""

    when: Any
    who: str
    what: str
    note: str = ""
    tone: str = "neutral"


def timeline(obj: Model, *, limit: int = 100) -> list[Event]:
    """The history of `obj` in words, newest first; refused attempts are left to the auditors."""
    rows = history(obj).filter(result=AuditEntry.Result.OK)[:limit]
    return [Event(row.at, row.actor_label or "系统", row.action_label, worded(row)) for row in rows]


def timeline_of(objects: Iterable[Model], *, limit: int = 100, without: Iterable[str] = ()) -> list[Event]:
    """The history of several objects in one line, newest first; `without`: actions that it leaves out. One query."""
    ids: dict[str, set[str]] = {}
    for obj in objects:
        ids.setdefault(obj._meta.label_lower, set()).add(str(obj.pk))
    wanted = Q(pk__in=[])
    for kind, keys in ids.items():
        wanted |= Q(object_type=kind, object_id__in=keys)
    rows = AuditEntry.objects.filter(wanted, result=AuditEntry.Result.OK).exclude(action__in=list(without))
    return [
        Event(row.at, row.actor_label or "系统", f"{row.action_label}：{row.object_label}"[:160], worded(row))
        for row in rows.order_by("-id")[:limit]
    ]


def worded(row: AuditEntry) -> str:
    """From which state to which, and why, where an entry tells."""
    detail = cast("Mapping[str, Any]", row.detail)
    moved = f"{detail['from_label']} → {detail['to_label']}" if "to_label" in detail and "from_label" in detail else ""
    reason = f"原因：{detail['reason']}" if detail.get("reason") else ""
    return "；".join(part for part in (moved, reason) if part)


def _line(text: str, length: int) -> str:
    # Control characters would let a field's end be moved without changing the sealed content.
    return _CONTROL.sub(" ", text)[:length]


def _hide(text: str) -> str:
    return _MOBILE.sub(HIDDEN, _IDENTITY.sub(HIDDEN, text))


def _clean(value: Any) -> Any:
    """JSON-ready copy of `value` without secrets."""
    if isinstance(value, Mapping):
        return {str(k): HIDDEN if _SECRET_KEYS.search(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    return _hide(str(value).replace("\x00", ""))


def _locality_code(locality: Any, obj: Model | None) -> str:
    if not locality and obj is not None:
        locality = getattr(obj, "locality", None) or getattr(obj, "locality_code", "")
    return str(getattr(locality, "code", locality) or "")[:6]
