"""The form of a sheet, made of the lines that were frozen with the round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField

from core.forms import FullWidthTolerantMixin
from core.formtools import add_errors
from evaluations.evidence import Evidence
from evaluations.models import Indicator
from evaluations.services.answers import MAX_COMMENT, MAX_TEXT, Given, field_name, plain

Kind = Indicator.Kind
# As many steps as fit beside one another; more are typed.
MOST_CHOICES = 11


@dataclass(frozen=True)
class Line:
    """One line as a template shows it; fields that it has not are None."""

    number: int
    indicator: Indicator
    value: BoundField | None = None
    na: BoundField | None = None
    text: BoundField | None = None
    comment: BoundField | None = None
    seen: BoundField | None = None
    evidence: Sequence[Evidence] = ()
    count: Decimal | None = None

    @property
    def scale(self) -> str:
        line = self.indicator
        if line.kind != Kind.SCORE:
            return ""
        return f"{plain(line.low)}–{plain(line.high)} 分，每档 {plain(line.increment)} 分"

    @property
    def scale_words(self) -> str:
        return f"（{self.scale}）" if self.scale else ""

    @property
    def comment_words(self) -> str:
        return f"说明（{self.owes_comment}）" if self.owes_comment else "说明（选填）"

    @property
    def owes_comment(self) -> str:
        line, words = self.indicator, []
        if line.comment_at_most is not None:
            words.append(f"不高于 {plain(line.comment_at_most)}")
        if line.comment_at_least is not None:
            words.append(f"不低于 {plain(line.comment_at_least)}")
        return f"折合百分制{'或'.join(words)} 分的，须写明理由" if words else ""


class SheetForm(FullWidthTolerantMixin, forms.Form):
    """`lines`: indicators of the frozen form; `given`: what has been entered so far. Nothing here is required: a sheet
    is saved half filled in, and what is missing is told when it is handed in."""

    def __init__(
        self, *args: Any, lines: Sequence[Indicator], given: Mapping[int, Given], allows_na: bool, **kwargs: Any
    ) -> None:
        self.asked = list(lines)
        self.kept = given
        self.allows_na = allows_na
        self.base_fields = {}
        for line in self.asked:
            self._add(line, given.get(line.pk, Given()))
        super().__init__(*args, **kwargs)

    def _add(self, line: Indicator, given: Given) -> None:
        if line.kind == Kind.TEXT:
            self.base_fields[field_name(line.pk, "text")] = forms.CharField(
                label=line.title, initial=given.text, max_length=MAX_TEXT, widget=_area(5), required=False
            )
        elif line.kind != Kind.COUNT:
            self.base_fields[field_name(line.pk, "value")] = self._value(line, given)
            if self.allows_na:
                self.base_fields[field_name(line.pk, "na")] = forms.BooleanField(
                    label="不适用（没有接触或无从判断）", initial=given.not_applicable, required=False
                )
        if line.kind != Kind.TEXT:
            self.base_fields[field_name(line.pk, "comment")] = forms.CharField(
                label=f"{line.title}的说明",
                initial=given.comment,
                max_length=MAX_COMMENT,
                widget=_area(2),
                required=False,
            )
        self.base_fields[field_name(line.pk, "seen")] = forms.CharField(
            initial=given.mark, max_length=16, widget=forms.HiddenInput, required=False
        )

    def _value(self, line: Indicator, given: Given) -> forms.Field:
        choices = choices_of(line)
        if choices:
            widget: forms.Widget = forms.RadioSelect(choices=choices)
        else:
            attrs = {"inputmode": "decimal", "autocomplete": "off", "data-score": ""}
            widget = forms.TextInput(attrs=attrs)
        shown = None if given.value is None else plain(given.value)
        return NumberField(
            label=line.title, required=False, initial=shown, max_digits=8, decimal_places=2, widget=widget
        )  # fmt: skip

    def sent(self) -> tuple[dict[int, Given], dict[int, str]]:
        """What was sent, line by line, and the mark of each line that the page was built from."""
        given, seen = {}, {}
        for line in self.asked:
            mark = field_name(line.pk, "seen")
            if mark not in self.data:
                continue
            seen[line.pk] = self.cleaned_data.get(mark) or Given().mark
            given[line.pk] = Given(
                value=self.cleaned_data.get(field_name(line.pk, "value")),
                not_applicable=bool(self.cleaned_data.get(field_name(line.pk, "na"))),
                text=self.cleaned_data.get(field_name(line.pk, "text")) or "",
                comment=self.cleaned_data.get(field_name(line.pk, "comment")) or "",
            )
        return given, seen

    def refuse(self, error: ValidationError, kept: Mapping[int, Given]) -> None:
        """Put a service's errors beside their fields; what is sent next is sent knowing what is `kept` now."""
        add_errors(self, error)
        data: Any = self.data.copy()
        self.data = data
        for line in self.asked:
            data[field_name(line.pk, "seen")] = kept.get(line.pk, Given()).mark

    def rows(
        self, evidence: Mapping[str, Sequence[Evidence]] = {}, counts: Mapping[int, Decimal | None] = {}
    ) -> Iterator[Line]:
        for number, line in enumerate(self.asked, start=1):
            parts: dict[str, Any] = {}
            for part in ("value", "na", "text", "comment", "seen"):
                name = field_name(line.pk, part)
                parts[part] = self[name] if name in self.fields else None
            found = [item for code in line.evidence for item in evidence.get(code, ())]
            yield Line(number, line, **parts, evidence=found, count=counts.get(line.pk))


class NumberField(forms.DecimalField):
    """A score, shown as it was typed and not as the database keeps it."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {}


def choices_of(line: Indicator) -> list[tuple[str, str]]:
    """The steps of a short scale; none where there are too many to choose from."""
    if line.kind == Kind.YES_NO:
        return [("1", "是"), ("0", "否")]
    steps = int((line.high - line.low) / line.increment) + 1
    if steps > MOST_CHOICES:
        return []
    return [(plain(value), f"{plain(value)} 分") for value in (line.low + line.increment * n for n in range(steps))]


def shown(line: Indicator, given: Given) -> str:
    """What was entered, in words."""
    if given.not_applicable:
        return "不适用"
    if line.kind == Kind.TEXT:
        return given.text
    if given.value is None:
        return ""
    if line.kind == Kind.YES_NO:
        return "是" if given.value == 1 else "否"
    return plain(given.value) + ("" if line.kind == Kind.COUNT else " 分")


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})
