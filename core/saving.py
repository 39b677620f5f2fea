"""Saving with errors worded for a person, also when somebody else saved the same thing a moment before."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, OperationalError, models, transaction

DEADLOCK = "40P01"

# Constraints that Django's own validation does not know (exclusions, made in migrations): name → (field, words).
_WORDED: dict[str, tuple[str, str]] = {}


def word_constraint(name: str, message: str, *, field: str = "") -> None:
    """What a person is told when the database refuses a row by this constraint, and beside which field."""
    _WORDED[name] = (field or NON_FIELD_ERRORS, message)


def save_checked(obj: models.Model, *, exclude: Iterable[str] = ()) -> None:
    """Validate `obj` (fields, uniqueness, constraints) and save it.

    Raises ValidationError with the messages by field. The database's own constraints are the second wall: two
    requests may both pass the check, then the loser gets a ValidationError here, not a broken page.
    """
    obj.full_clean(exclude=set(exclude))
    try:
        _save(obj)
    except IntegrityError as exc:
        obj.full_clean(exclude=set(exclude))
        name = getattr(getattr(exc.__cause__, "diag", None), "constraint_name", "")
        if name in _WORDED:
            field, message = _WORDED[name]
            raise ValidationError({field: message}) from exc
        raise ValidationError("内容与刚刚保存的记录冲突，请刷新后再试。") from exc


def _save(obj: models.Model) -> None:
    """Save in a savepoint. Of two rows that exclude each other, PostgreSQL may end the wait of one as a deadlock, which
    names no constraint; tried once more, that one waits for the other and meets the constraint itself."""
    try:
        with transaction.atomic():
            obj.save()
    except OperationalError as exc:
        if getattr(exc.__cause__, "pgcode", "") != DEADLOCK:
            raise
        with transaction.atomic():
            obj.save()


def changes_of(obj: models.Model, values: dict[str, object]) -> dict[str, list[str]]:
    """Set `values` on `obj` and return what changed, as {field: [before, after]} in words, for the audit entry.

    Nothing of an encrypted field is quoted: it says that it changed, not from what to what.
    """
    changed: dict[str, list[str]] = {}
    for name, after in values.items():
        # A required relation of a row not yet saved has no value to ask for.
        before = getattr(obj, name, None)
        if before == after:
            continue
        secret = type(obj._meta.get_field(name)).__name__.startswith("Encrypted")
        changed[name] = ["（已加密）", "（已更改）"] if secret else [_worded(before), _worded(after)]
        setattr(obj, name, after)
    return changed


def _worded(value: object) -> str:
    return "" if value is None else str(value)[:200]
