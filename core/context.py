"""What a request knows about itself, for code that must not see the request (audit, logs)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import uuid4


@dataclass(slots=True)
class RequestContext:
    """`entry_ids`: audit entries written so far; they may still be rolled back, so ask the table before trusting."""

    request_id: str = ""
    ip: str = ""
    entry_ids: list[int] = field(default_factory=list)


_current: ContextVar[RequestContext | None] = ContextVar("portal_request", default=None)


def current() -> RequestContext:
    """The context of the request (or job) being served; an empty, unshared one outside of both."""
    return _current.get() or RequestContext()


@contextmanager
def bound(*, request_id: str = "", ip: str = "") -> Iterator[RequestContext]:
    """Run a block under a new context. Without `request_id` a random one is made."""
    context = RequestContext(request_id=request_id or uuid4().hex, ip=ip)
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
