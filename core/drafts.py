"""Drafts: what a person was typing into a form, kept until it is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from core.models import Draft
from core.text import clean_text

if TYPE_CHECKING:
    from accounts.models import User

MAX_BYTES = 64 * 1024
MAX_DRAFTS = 200
_KEY = re.compile(r"[a-z0-9][a-z0-9:_-]{0,99}")
# Never kept, whatever a form sends.
_LEFT_OUT = frozenset({"csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword", "code"})


def check_key(form_key: str) -> str:
    """The key of a form (`worklog-create`, `report:12`). Raises ValidationError."""
    if not _KEY.fullmatch(form_key):
        raise ValidationError("草稿标识无效。", code="key")
    return form_key


def save_draft(user: User, form_key: str, data: Mapping[str, Any]) -> Draft:
    """Keep the fields of a form: name → text or list of texts. Raises ValidationError: too large, no such fields."""
    check_key(form_key)
    cleaned = {clean_text(str(name))[:100]: _value(value) for name, value in data.items() if str(name) not in _LEFT_OUT}
    if len(json.dumps(cleaned, ensure_ascii=False).encode()) > MAX_BYTES:
        raise ValidationError("草稿超过 64 KB，未能自动保存，请先提交或删减内容。", code="too_big")
    draft, made = Draft.objects.update_or_create(user=user, form_key=form_key, defaults={"data": cleaned})
    if made:
        _drop_oldest(user)
    return draft


def draft_of(user: User, form_key: str) -> Draft | None:
    return Draft.objects.filter(user=user, form_key=check_key(form_key)).first()


def discard_draft(user: User, form_key: str) -> None:
    """Forget the draft; call it in the service or view that took the form."""
    Draft.objects.filter(user=user, form_key=check_key(form_key)).delete()


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return _text(value)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if not isinstance(value, (str, int, float)):
        raise ValidationError("草稿内容无法识别。", code="invalid")
    return str(value).replace("\0", "").encode("utf-8", "ignore").decode()


def _drop_oldest(user: User) -> None:
    # Nobody has so many forms open: what lies beyond was left behind.
    beyond = Draft.objects.filter(user=user).order_by("-updated", "-pk").values_list("pk", flat=True)[MAX_DRAFTS:]
    Draft.objects.filter(pk__in=list(beyond)).delete()
