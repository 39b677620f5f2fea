"""A double click, a repeated request, two tabs: one record.

Every form that makes something carries a hidden `submission_key` (`new_key()`); the view calls `once`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from core.models import Submission

if TYPE_CHECKING:
    from accounts.models import User

M = TypeVar("M", bound=models.Model)

FIELD = "submission_key"
_KEY = re.compile(r"[0-9A-Za-z-]{16,64}")


def new_key() -> str:
    """A key for one showing of a form."""
    return str(uuid.uuid4())


def once(user: User, key: str, fn: Callable[[], M]) -> tuple[M, bool]:
    """Run `fn` for this user's `key` at most once: (what it made, True), or (what it made the first time, False).

    Runs in a transaction; when `fn` raises, the key stays unused, so that a corrected form can be sent again. Of two
    requests at once the second waits for the first (the unique row holds it) and then gets the first one's record.
    Raises ValidationError for a malformed key, or when what was made the first time has been removed since.
    """
    if not _KEY.fullmatch(key or ""):
        raise ValidationError("表单已失效，请刷新页面后重新提交。", code="key")
    known = _made(user, key)
    if known is not None:
        return known, False  # type: ignore[return-value]
    try:
        with transaction.atomic():
            mark = Submission.objects.create(user=user, key=key)
            made = fn()
            mark.object_type, mark.object_id = made._meta.label_lower, str(made.pk)
            mark.save(update_fields=["object_type", "object_id"])
            return made, True
    except IntegrityError:
        known = _made(user, key)
        if known is None:
            # Not the key: something that `fn` itself wrote broke a constraint.
            raise
        return known, False  # type: ignore[return-value]


def made_with(user: User, key: str) -> models.Model | None:
    """What this user's key made the first time; None for an unused key. For pages that refuse before they act."""
    return _made(user, key) if _KEY.fullmatch(key or "") else None


def _made(user: User, key: str) -> models.Model | None:
    mark = Submission.objects.filter(user=user, key=key).first()
    if mark is None:
        return None
    found = apps.get_model(mark.object_type)._base_manager.filter(pk=mark.object_id).first()
    if found is None:
        raise ValidationError("这份内容此前已经提交过，对应的记录已被删除。请刷新页面后重新填写。", code="gone")
    return found
