"""Identity numbers and phones at rest: encrypted fields, keyed hashes for equality, masks for the screen.

Ciphertext is `v1:<key id>:<base64 of nonce and AES-256-GCM output>`. The key id says which key wrote it, so that keys
can be changed: put the old key into FIELD_KEYS_OLD, set a new FIELD_KEY, and save the rows again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import Exact, IsNull

VERSION = "v1"
_NONCE = 12
_BOUND_TO = b"portal-field"


class Undecipherable(Exception):
    """A stored value that none of the configured keys opens: the key is wrong or the value was altered."""


@lru_cache(maxsize=16)
def _derive(master: str, use: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=use.encode()).derive(master.encode())


@lru_cache(maxsize=16)
def _key_id(master: str) -> str:
    return hashlib.sha256(_derive(master, "portal/key-id")).hexdigest()[:8]


@lru_cache(maxsize=16)
def _cipher(master: str) -> AESGCM:
    return AESGCM(_derive(master, "portal/field-encryption"))


def _masters() -> dict[str, str]:
    keys = [settings.FIELD_KEY, *getattr(settings, "FIELD_KEYS_OLD", [])]
    return {_key_id(key): key for key in keys}


def encrypt(text: str) -> str:
    """Ciphertext of `text` under the current key; different each time."""
    nonce = os.urandom(_NONCE)
    sealed = _cipher(settings.FIELD_KEY).encrypt(nonce, text.encode(), _BOUND_TO)
    return f"{VERSION}:{_key_id(settings.FIELD_KEY)}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(value: str) -> str:
    """The text that `encrypt` sealed. Raises Undecipherable."""
    try:
        version, key_id, body = value.split(":")
        if version != VERSION:
            raise Undecipherable(f"unknown version {version!r}")
        blob = base64.urlsafe_b64decode(body)
        return _cipher(_masters()[key_id]).decrypt(blob[:_NONCE], blob[_NONCE:], _BOUND_TO).decode()
    except (ValueError, KeyError, InvalidTag) as exc:
        # Never quote the value: it may be plain text written past the field.
        raise Undecipherable("an encrypted value cannot be read with the configured keys") from exc


def needs_new_key(value: str) -> bool:
    """Was this ciphertext written under an older key?"""
    return not value.startswith(f"{VERSION}:{_key_id(settings.FIELD_KEY)}:")


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database and plain text in Python; empty stays empty.

    It can be asked for emptiness only (`isnull`, `= ""`): search by equality goes through a `blind_index` column.
    """

    def get_internal_type(self) -> str:
        return "TextField"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return decrypt(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return encrypt(text) if text else text

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "exact":
            return _EmptyOnly
        if lookup_name == "isnull":
            return IsNull
        raise FieldError(f"{self.name} is encrypted and cannot be searched by {lookup_name}; use its blind index")

    def get_transform(self, lookup_name: str) -> Any:
        return None


class _EmptyOnly(Exact):
    def get_prep_lookup(self) -> Any:
        if self.rhs not in ("", None):
            raise FieldError("an encrypted field can be compared with the empty text only; use its blind index")
        return self.rhs


def blind_index(value: str, purpose: str = "identity") -> str:
    """A keyed hash (64 hex digits) of `value` for search by equality; the same value differs between purposes.

    Spaces and case do not count (a trailing x of an identity number is written both ways).
    """
    plain = "".join(value.split()).upper()
    key = _derive(getattr(settings, "FIELD_INDEX_KEY", "") or settings.FIELD_KEY, f"portal/blind-index/{purpose}")
    return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()


def mask_identity(value: str | None) -> str:
    """`110***********1234`: first three and last four of an identity number; short numbers keep less."""
    return _mask(value, first=3, last=4)


def mask_phone(value: str | None) -> str:
    """`138****5678`: first three and last four of a phone number; short numbers keep less."""
    return _mask(value, first=3, last=4)


def _mask(value: str | None, *, first: int, last: int) -> str:
    text = (value or "").strip()
    if not text:
        return ""
    # Of a short number the ends would be nearly the whole: show two at most, and never more than a third.
    if len(text) < first + last + 4:
        last = min(2, len(text) // 3)
        first = 0
    return text[:first] + "*" * (len(text) - first - last) + (text[-last:] if last else "")
