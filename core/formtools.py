"""What forms of every app share: dates as people type them, and the errors of services beside their fields."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from core.idempotency import FIELD, new_key, once
from core.text import parse_date

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)


class DayField(forms.DateField):
    """A date in any form that people type (2024/3/5, 2024年3月5日, full-width); browsers show their picker."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        try:
            return parse_date(value if isinstance(value, date) else str(value))
        except ValueError as exc:
            raise ValidationError(str(exc), code="invalid") from exc


def attempt(form: forms.BaseForm, action: Callable[[], T]) -> T | None:
    """The result of a service call; None after its ValidationError has been put beside the fields of `form`.

    A message for a field that the form has not stands above the form, so that nothing is swallowed.
    """
    try:
        return action()
    except ValidationError as error:
        add_errors(form, error)
        return None


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Put a service's errors beside the fields they name."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, messages in error.error_dict.items():
        form.add_error(field if field in form.fields and field != NON_FIELD_ERRORS else None, messages)


def _word_blanks(form: forms.BaseForm) -> None:
    """The empty option of a select says what to do instead of showing dashes."""
    for field in form.fields.values():
        if isinstance(field, forms.ModelChoiceField):
            if field.empty_label == "---------":
                field.empty_label = "请选择"
        elif isinstance(field, forms.ChoiceField):
            options: Any = field.choices
            field.choices = [(key, "请选择" if key == "" else text) for key, text in options]


class OnceMixin(forms.BaseForm):
    """A form that makes something: carries the hidden key by which a repeated request is known (core.idempotency)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_blanks(self)
        self.fields[FIELD] = forms.CharField(required=False, widget=forms.HiddenInput, initial=new_key, max_length=64)


def attempt_once(form: forms.BaseForm, user: Any, action: Callable[[dict[str, Any]], M]) -> M | None:
    """What `action(cleaned data)` made, at most once for the form's key; None after errors went beside the fields.

    A second request with the same key gets the first one's record.
    """
    data = dict(form.cleaned_data)
    key = str(data.pop(FIELD, ""))
    return attempt(form, lambda: once(user, key, lambda: action(data))[0])


def changes(form: forms.BaseForm) -> dict[str, Any]:
    """The cleaned data of an editing form, without the key that only forms that make something use."""
    return {name: value for name, value in form.cleaned_data.items() if name != FIELD}
