"""Entering a local decision: its head, and the values that it sets, field by field or as a whole file.

Each form ends in `head`, `values` and `removed`, as `districts.services.decisions` takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.formtools import DayField, OnceMixin
from districts.forms_values import field_for, plain_of, typed_of
from districts.models import PolicyDecision
from districts.policy.catalogue import CATALOGUE, groups
from districts.policy.keys import DOCUMENT, Key
from districts.policy.problems import Report
from districts.policy.reading import LARGEST
from districts.policy.schema import PolicyError, load_supplement, plain_values
from districts.policy.values import EffectivePolicy, PolicyValue, names_source
from districts.services.decisions import HEAD

PREFIX = "v-"
ARTICLE = "a-"
# The dates of a version are those of the decision itself.
_OWN_DATES = ("validity.valid_from", "validity.valid_to")


class DecisionForm(OnceMixin, forms.Form):
    """The decision itself: number, date, from when to when, and its scan."""

    number = forms.CharField(label="文号", max_length=40, help_text="例如：某规发〔2026〕3号")
    title = forms.CharField(label="文件名称", max_length=120)
    issuer = forms.CharField(label="决定机关", max_length=80)
    date = DayField(label="印发日期")
    effective_from = DayField(label="自何日起执行")
    effective_to = DayField(label="执行至", required=False, help_text="长期执行的留空")
    scan = forms.FileField(label="决定文件扫描件", required=False, help_text="PDF、Word 或图片，不超过 20 MB")
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    values: dict[str, Any]
    removed: tuple[str, ...] = ()

    def __init__(self, *args: Any, decision: PolicyDecision | None = None, **kwargs: Any) -> None:
        self.decision = decision
        if decision is not None:
            initial = {name: getattr(decision, name) for name in HEAD}
            kwargs["initial"] = {**initial, "seen": decision.updated.isoformat(), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)

    def head_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in (*HEAD, "scan") if name in self.fields]

    @property
    def head(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in HEAD}


class ValuesForm(DecisionForm):
    """The head, then values by chapter, with what counts now beside each."""

    def __init__(self, *args: Any, policy: EffectivePolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy
        self.by_file: list[Key] = []
        self._keys: dict[str, Key] = {}
        for _, keys in groups():
            for key in keys:
                if key.name not in _OWN_DATES and self.asks(key):
                    self._add(key)

    def names_for(self, key: Key) -> dict[str, str]:
        """What the codes are called that the key refers to: those of the policy, and those that the decision adds."""
        source = names_source(key.name)
        if source is None:
            return {}
        kept = self.decision.values.get(source, {}).get("value", ()) if self.decision is not None else ()
        return {row["code"]: row["title"] for row in (*(self.policy.value(source) or ()), *kept)}

    def asks(self, key: Key) -> bool:
        """Whether the form has a field for the key."""
        return True

    def start(self, key: Key) -> Any:
        """The value (in its Python form) that the field starts from."""
        kept = self.decision.values.get(key.name) if self.decision is not None else None
        return None if kept is None else key.kind.parse(kept["value"], "", Report())

    def _add(self, key: Key) -> None:
        field = field_for(key, self.names_for(key))
        if field is None:
            self.by_file.append(key)
            return
        initial = typed_of(key.kind, self.start(key))
        text = isinstance(field, forms.CharField) and isinstance(initial, list)
        field.initial = "\n".join(initial) if text else initial
        self._keys[key.name] = key
        self.fields[PREFIX + key.name] = field

    def chapters(self) -> Iterator[tuple[str, list[tuple[PolicyValue, Any, Any]], bool]]:
        """Chapter title, (present value, its field, the field of its article) and whether the chapter stands open."""
        for title, keys in groups():
            mine = [key for key in keys if key.name in self._keys]
            rows = [self._row(key) for key in mine]
            wrong = any(bound.errors for _, bound, _ in rows)
            if rows:
                yield title, rows, wrong or any(self.is_touched(key) for key in mine)

    def _row(self, key: Key) -> tuple[PolicyValue, Any, Any]:
        article = ARTICLE + key.name
        return self.policy.get(key.name), self[PREFIX + key.name], self[article] if article in self.fields else None

    def is_touched(self, key: Key) -> bool:
        """Whether the decision (or what was typed and refused) sets the key."""
        if not self.is_bound:
            decision = self.decision
            return decision is not None and key.name in (*decision.values, *decision.removed)
        typed = plain_of(key.kind, getattr(self, "cleaned_data", {}).get(PREFIX + key.name))
        return bool(typed != self.before(key))

    def before(self, key: Key) -> Any:
        """What the field would hold if nothing were changed, as a file would hold it."""
        return None

    def typed(self) -> Iterator[tuple[Key, Any]]:
        """Each key with what stands in its field, as a file would hold it; None where nothing does."""
        for name, key in self._keys.items():
            yield key, plain_of(key.kind, self.cleaned_data.get(PREFIX + name))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            self.values = self.read(data)
        return data

    def read(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The values that the decision sets."""
        raise NotImplementedError

    def accept(self, key: Key, plain: Any) -> Any:
        """The value in its Python form; what is wrong with it goes beside its field."""
        report = Report()
        value = key.kind.parse(plain, "value", report)
        for problem in report.problems:
            where = problem.path.removeprefix("value")
            allowed = f"；允许：{problem.allowed}" if problem.allowed else ""
            self.add_error(PREFIX + key.name, f"{where} {problem.wrong}{allowed}".strip())
        return value


class SupplementForm(ValuesForm):
    """Only what is open: nothing in it can touch what document or decision has set."""

    def asks(self, key: Key) -> bool:
        # What was sent is judged even where it has been set meanwhile: a repeated request must find its record, and
        # of two officers the second must be told.
        value = self.policy.get(key.name)
        sent = any(name.startswith(PREFIX + key.name) for name in self.data)
        return key.setter != DOCUMENT and (not value.is_set or value.is_demo or sent)

    def read(self, data: Mapping[str, Any]) -> dict[str, Any]:
        values = {}
        for key, plain in self.typed():
            if plain is not None:
                self.accept(key, plain)
                values[key.name] = {"value": plain, "summary": f"由{data['number']}补充"}
        if not values:
            raise ValidationError("请至少填写一项要补充的取值。")
        return values


class AmendmentForm(ValuesForm):
    """Every value as it counts now; what is changed is set by the decision, what is emptied becomes open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self._keys:
            kept = self.decision.values.get(name, {}) if self.decision is not None else {}
            self.fields[ARTICLE + name] = forms.CharField(
                label="决定的条款", required=False, max_length=60, initial=kept.get("article", "")
            )

    def start(self, key: Key) -> Any:
        if self.decision is not None and key.name in self.decision.removed:
            return None
        chosen = super().start(key)
        return self.policy.value(key.name) if chosen is None else chosen

    def before(self, key: Key) -> Any:
        return plain_of(key.kind, typed_of(key.kind, self.policy.value(key.name)))

    def read(self, data: Mapping[str, Any]) -> dict[str, Any]:
        values, removed = {}, []
        for key, plain in self.typed():
            now = self.policy.get(key.name)
            value = None if plain is None else self.accept(key, plain)
            article = data.get(ARTICLE + key.name, "").strip()
            if plain is None and now.is_set:
                removed.append(key.name)
            elif plain is not None and (value != now.value or article):
                values[key.name] = {"value": plain, "summary": f"由{data['number']}修订"}
                values[key.name] |= {"article": article} if article else {}
        self.removed = tuple(removed)
        return values


class AdoptionForm(DecisionForm):
    """The values of a paper's account, each to be adopted or left."""

    def __init__(self, *args: Any, policy: EffectivePolicy, taken: EffectivePolicy | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy, self.taken = policy, taken
        self.fields["keys"] = forms.MultipleChoiceField(
            label="采用的取值",
            choices=[(value.key, value.label) for value in self._open()],
            error_messages={"required": "请至少选择一项要采用的取值。"},
        )
        if not self.is_bound:
            chosen = self.decision.values if self.decision is not None else [value.key for value in self._open()]
            self.initial["keys"] = list(chosen)

    def _open(self) -> list[PolicyValue]:
        """What the paper reports and nobody has adopted yet."""
        values = [self.policy.values[key] for key in CATALOGUE if key in self.policy.values]
        return [value for value in values if self.taken is None or not self.taken.get(value.key).is_set]

    def chapters(self) -> Iterator[tuple[str, list[tuple[PolicyValue, bool]]]]:
        """Chapter title and (value, chosen)."""
        chosen, known = set(self["keys"].value() or ()), {value.key for value in self._open()}
        for title, keys in groups():
            rows = [(self.policy.get(key.name), key.name in chosen) for key in keys if key.name in known]
            if rows:
                yield title, rows

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            self.values = {}
            for key in data["keys"]:
                value = self.policy.get(key)
                summary = f"{value.summary}（论文转述 {value.article}，由{data['number']}采用）"[:200]
                self.values[key] = {"value": value.spec.kind.plain(value.value), "summary": summary}
        return data


class SupplementFileForm(OnceMixin, forms.Form):
    """A whole supplement as a YAML file, for what has no field; every problem is named."""

    file = forms.FileField(label="补充规定文件（YAML）", help_text="取值较多，或逐项填写中没有的取值，用文件录入。")
    scan = forms.FileField(label="决定文件扫描件", required=False, help_text="PDF、Word 或图片，不超过 20 MB")

    head: dict[str, Any]
    values: dict[str, Any]
    removed: tuple[str, ...] = ()

    def __init__(self, *args: Any, policy: EffectivePolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        try:
            document = load_supplement(upload.read(LARGEST + 1), name=upload.name[:60])
        except PolicyError as error:
            raise ValidationError([str(problem) for problem in error.problems[:50]]) from None
        if document.pack != self.policy.slug:
            raise ValidationError("补充规定须针对本方案的正式版本。")
        self.head = {name: getattr(document, name) for name in HEAD}
        self.values = plain_values(document.values)
        return upload
