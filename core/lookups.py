"""Search-as-you-type fields: no page carries thousands of options (works with static/js/lookup.js).

A form has `LookupField(queryset=…, url_name="planners:planner-lookup")`; the endpoint answers `lookup_response`.
Several are chosen by the same box with `ManyLookupWidget` in the place of boxes to tick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.http import JsonResponse
from django.urls import reverse

SHOWN = 20


class LookupWidget(forms.Widget):
    """A text box with a list under it; what is sent is the hidden id."""

    template_name = "widgets/lookup.html"
    choices: Any = ()

    def __init__(self, url_name: str, *, placeholder: str = "输入名称或拼音查找", depends: str = "") -> None:
        super().__init__({"placeholder": placeholder})
        self.url_name = url_name
        self.depends = depends

    def id_for_label(self, id_: str | None) -> str:
        return f"{id_}-text" if id_ else ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        # The script looks the status line up by this attribute, so it names that line alone.
        context["widget"]["attrs"].pop("aria-describedby", None)
        chosen = self._chosen(value)
        context["widget"].update(
            url=reverse(self.url_name), depends=self.depends, text=str(chosen or ""), value=chosen.pk if chosen else ""
        )
        return context

    def _chosen(self, value: Any) -> Model | None:
        queryset = getattr(self.choices, "queryset", None)
        if queryset is None or value in (None, ""):
            return None
        try:
            return queryset.filter(pk=value).first()
        except (TypeError, ValueError, OverflowError):
            return None


class ManyLookupWidget(LookupWidget):
    """What is chosen stands above the text box, each with a box to untick; choosing in the list adds one more.

    For a ModelMultipleChoiceField whose `queryset` is set after the widget.
    """

    template_name = "widgets/lookup_many.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        context["widget"]["chosen"] = self._all_chosen(value)
        return context

    def _all_chosen(self, value: Any) -> list[Model]:
        queryset = getattr(self.choices, "queryset", None)
        ids = [pk for pk in map(str, value or ()) if pk.isascii() and pk.isdigit() and len(pk) < 19]
        return list(queryset.filter(pk__in=ids)) if queryset is not None and ids else []

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.getlist(name) if hasattr(data, "getlist") else data.get(name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        # Nothing ticked is an answer.
        return False


class LookupField(forms.ModelChoiceField):
    """One object out of `queryset`, which the form narrows to what the person may choose."""

    def __init__(self, queryset: QuerySet[Any], *, url_name: str, depends: str = "", **kwargs: Any) -> None:
        widget = LookupWidget(url_name, depends=depends)
        kwargs.setdefault("error_messages", {"invalid_choice": "请从列表中选择一项。"})
        super().__init__(queryset, widget=widget, **kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except OverflowError:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from None


def lookup_response(
    rows: Iterable[Any], *, text: Callable[[Any], str] = str, note: Callable[[Any], str] | None = None
) -> JsonResponse:
    """The first `SHOWN` of `rows` (a sliced or lazy queryset) as {"results": [{"id", "text", "note"}], "more"}."""
    found = list(rows[: SHOWN + 1]) if isinstance(rows, QuerySet) else list(rows)[: SHOWN + 1]
    results = [
        {"id": row.pk, "text": text(row), "note": note(row) if note is not None else ""} for row in found[:SHOWN]
    ]
    return JsonResponse({"results": results, "more": len(found) > SHOWN})
