"""What forms of every app share: one crispy helper, dates, numbers and texts as people type them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, ClassVar

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout
from django import forms
from django.utils.functional import cached_property

from core.formtools import DayField
from core.text import clean_text, to_halfwidth

__all__ = ["DayField", "DayInput", "FullWidthTolerantMixin", "LaidOut", "PortalFormHelper"]

# A field, fields side by side, or a layout object of crispy.
Row = Any


class PortalFormHelper(FormHelper):
    """The one look of crispy forms: summary of errors, fields as `{% field %}` draws them, one button and 返回.

    `rows`: names of fields from top to bottom; a tuple of names stands side by side, a layout object as it is. A field
    that the form has not (which it removed for this person) is passed over; without rows come all fields. What the page
    decides it says in its context: `back` (address of 返回), `submit` (other words on the button), `intro`, `warning`.
    """

    template = "partials/crispy_form.html"
    field_template = "partials/crispy_field.html"
    render_hidden_fields = True

    def __init__(self, form: forms.BaseForm, *rows: Row, submit: str = "保存", attrs: Mapping[str, str] = {}) -> None:
        super().__init__(form)
        self.attrs = dict(attrs)
        self.default_submit = submit
        if rows:
            self.layout = Layout(*_present(rows, form))


def _present(rows: Iterable[Row], form: forms.BaseForm) -> list[Any]:
    """The layout of those rows that the form has, made anew: layout objects are not shared between requests."""
    found: list[Any] = []
    for row in rows:
        if isinstance(row, str):
            found += [row] if row in form.fields else []
        elif isinstance(row, tuple):
            inner = _present(row, form)
            found += [Div(*inner, css_class="form-grid")] if inner else []
        elif isinstance(row, Div):
            made = copy(row)
            made.fields = _present(row.fields, form)
            found += [made] if made.fields else []
        else:
            found.append(row)
    return found


class LaidOut(forms.BaseForm):
    """A form that its page shows with `{% crispy form %}`; `rows`, `submit` and `form_attrs` go to PortalFormHelper."""

    rows: ClassVar[tuple[Row, ...]] = ()
    submit: ClassVar[str] = "保存"
    form_attrs: ClassVar[Mapping[str, str]] = {}

    @cached_property
    def helper(self) -> PortalFormHelper:
        return PortalFormHelper(self, *self.rows, submit=self.submit, attrs=self.form_attrs)


class DayInput(forms.DateInput):
    """The browser's date picker, always fed with an ISO date."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


_EXACT = (forms.IntegerField, forms.DecimalField, forms.FloatField, forms.DateField, forms.TimeField, forms.EmailField)


class FullWidthTolerantMixin:
    """Forms whose numbers, dates and codes may be typed full-width, and whose texts lose control characters.

    Free text keeps its Chinese punctuation; fields named in `halfwidth_fields` are narrowed as well (codes, numbers).
    """

    halfwidth_fields: tuple[str, ...] = ()
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, _EXACT) or name in self.halfwidth_fields:
                field.to_python = _narrowed(field.to_python)  # type: ignore[method-assign]
            elif isinstance(field, forms.CharField):
                field.to_python = _cleaned(field.to_python)  # type: ignore[method-assign]


def _narrowed(parse: Any) -> Any:
    return lambda value: parse(to_halfwidth(clean_text(value)) if isinstance(value, str) else value)


def _cleaned(parse: Any) -> Any:
    return lambda value: parse(clean_text(value) if isinstance(value, str) else value)
