"""The policy that counts for one purpose on one day: every key with its value, where it comes from, and in words.

`merge` lays the supplements (地方补充规定) over one version of a pack; the result answers all readers of rules (tally,
reports, evaluation, pages). A key that nobody has set is a PolicyValue too, with origin "unset" and value None.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from core.explain import Clause
from districts.policy.catalogue import CATALOGUE, Key, groups
from districts.policy.keys import CONTRACT
from districts.policy.kinds import NO_NAMES, Items, Number, Struct, Table
from districts.policy.schema import Decision, PackDocument, SetValue, SupplementDocument, VersionDocument

CLAUSE = "clause"
DECISION = "decision"
UNSET = "unset"
ONE_LINE = 48
ORIGIN_LABELS = {CLAUSE: "条款", DECISION: "本地决定", UNSET: "未设定"}


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """One rule value with its origin: "clause", "decision" or "unset" (then `value` is None).

    `value` has the Python form of its kind: Decimal, int, bool, str, date, tuple (lists, tables) or dict (structs).
    """

    key: str
    value: Any = None
    origin: str = UNSET
    document: str = ""
    article: str = ""
    summary: str = ""
    unit: str = ""
    decision: Decision | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    # Told by a paper: readable, binds nobody.
    second_hand: bool = False

    @property
    def spec(self) -> Key:
        return CATALOGUE[self.key]

    @property
    def label(self) -> str:
        return self.spec.label

    @property
    def is_set(self) -> bool:
        return self.origin != UNSET

    @property
    def is_demo(self) -> bool:
        return self.decision is not None and self.decision.demo

    @property
    def origin_label(self) -> str:
        return ORIGIN_LABELS[self.origin]

    @property
    def setter(self) -> str:
        """Who may set the value while it is unset."""
        return self.spec.setter

    @property
    def clause(self) -> Clause:
        return Clause(self.key, self.origin, self.document, self.article, self.summary)

    @property
    def display(self) -> str:
        """The value in plain words with its unit; 未设定 when nobody has set it."""
        if not self.is_set:
            return ORIGIN_LABELS[UNSET]
        words = self.spec.kind.display(self.value, self.names)
        return f"{words} {self.unit}" if self.unit else words

    @property
    def headings(self) -> list[str]:
        """Column headings when the value is a table, else empty."""
        kind = self.spec.kind
        return kind.headings(self.value) if self.is_set and isinstance(kind, Table) else []

    @property
    def grid(self) -> list[list[str]]:
        """The worded cells of a table, else empty."""
        kind = self.spec.kind
        return kind.grid(self.value, self.names) if self.is_set and isinstance(kind, Table) else []

    @property
    def rows(self) -> list[list[tuple[str, str]]]:
        """The cells of a table, each with its heading: a row reads as a card where the screen is narrow."""
        headings = self.headings
        return [list(zip(headings, row, strict=True)) for row in self.grid]

    @property
    def entries(self) -> list[str]:
        """The worded entries of a list that is too long to be read in one line, else empty."""
        kind = self.spec.kind
        if not self.is_set or not isinstance(kind, Items) or len(self.display) <= ONE_LINE:
            return []
        return [kind.item.display(entry, self.names) for entry in self.value]

    @property
    def members(self) -> list[tuple[str, str]]:
        """Label and words of each member of a struct, else empty."""
        kind = self.spec.kind
        # A kind of its own (a range of years) has its own words in one piece.
        if not self.is_set or type(kind) is not Struct:
            return []
        pairs = zip(kind.fields.values(), kind.cells(self.value, self.names), strict=True)
        return [(f.label, words) for f, words in pairs if words]

    def as_json(self) -> dict[str, Any]:
        """`{"value", "origin", "document", "article"}`; numbers as JSON numbers, unset as null."""
        value = _json(self.spec.kind.plain(self.value), self.spec.kind) if self.is_set else None
        return {
            "value": value,
            "origin": self.origin,
            "document": self.document or None,
            "article": self.article or None,
        }


def _json(plain: Any, kind: Any) -> Any:
    """Decimals are kept as text inside the house; outside a number is a number."""
    if isinstance(kind, Number) and isinstance(plain, str):
        number = Decimal(plain)
        return int(number) if number == number.to_integral_value() else float(number)
    if isinstance(kind, Struct):
        return {name: _json(member, kind.fields[name].kind) for name, member in plain.items()}
    if isinstance(kind, Table):
        return [_json(row, kind.row) for row in plain]
    return plain


@dataclass(frozen=True)
class EffectivePolicy:
    """All values of one pack version with the supplements that apply on a day. Immutable; safe to share and cache."""

    slug: str
    title: str
    version_label: str
    values: Mapping[str, PolicyValue]
    localities: tuple[str, ...] = ()
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    demo: bool = False
    second_hand: bool = False
    document: str = ""
    articles: Mapping[str, str] = field(default_factory=dict)
    version_id: int | None = None

    def get(self, key: str) -> PolicyValue:
        """The value of a key of the catalogue, unset when nobody has set it. Raises KeyError for an unknown key."""
        found = self.values.get(key)
        if found is not None:
            return found
        if key not in CATALOGUE:
            raise KeyError(f"no such policy key: {key}")
        return PolicyValue(key)

    def value(self, key: str) -> Any:
        """The bare value of a key, None when unset. Raises KeyError for an unknown key."""
        return self.get(key).value

    def unset_keys(self) -> tuple[str, ...]:
        """Every key of the catalogue that nobody has set, in the order of the catalogue."""
        return tuple(key for key in CATALOGUE if key not in self.values)

    def missing(self, *keys: str) -> tuple[str, ...]:
        """Those of the named keys that are unset: what keeps a figure from being computed."""
        return tuple(key for key in keys if not self.get(key).is_set)

    def term_years(self, role: str) -> tuple[Decimal, Decimal] | None:
        """Shortest and longest term of a role type in years; None where neither document nor decision says.

        A row for the role wins over the row for every role ("*"), that over `contract.other_term_years`.
        """
        rows = {row["role"]: row for row in self.value("contract.term_years") or ()}
        row = rows.get(role) or rows.get("*") or self.value("contract.other_term_years")
        return None if row is None else (row["min"], row["max"])

    def role_title(self, role: str) -> str:
        """What the pack calls a role type; the code itself when the pack does not define it."""
        return next((row["title"] for row in self.value("roles.types") or () if row["code"] == role), role)

    def lapsed_on(self, day: dt.date) -> bool:
        return self.valid_to is not None and day > self.valid_to

    def chapters(self) -> list[tuple[str, list[PolicyValue], list[PolicyValue]]]:
        """For reading: chapter title, the values that are set, the values that are not."""
        chapters = []
        for title, keys in groups():
            values = [self.get(key.name) for key in keys]
            chapters.append((title, [v for v in values if v.is_set], [v for v in values if not v.is_set]))
        return chapters

    def to_json(self) -> dict[str, dict[str, Any]]:
        """`{key: {"value", "origin", "document", "article"}}` for every key of the catalogue."""
        return {key: self.get(key).as_json() for key in CATALOGUE}


def merge(
    pack: PackDocument,
    version: VersionDocument,
    supplements: Iterable[SupplementDocument] = (),
    *,
    on_date: dt.date,
    locality: str = "",
    version_id: int | None = None,
) -> EffectivePolicy:
    """One version with the supplements that apply on `on_date`, for one locality of the pack (or all of them).

    A supplement fills only what is unset: never a clause, and never what an earlier decision has already filled; what
    the trial overlay filled gives way to a real decision. A supplement that names localities reaches those alone.
    """
    found: dict[str, tuple[SetValue, SupplementDocument | None]] = {
        key: (value, None) for key, value in version.values.items()
    }
    for supplement in sorted(supplements, key=lambda s: (s.demo, s.effective_from, s.date, s.number)):
        elsewhere = supplement.localities and locality not in supplement.localities
        if supplement.pack != pack.slug or elsewhere or not supplement.covers(on_date):
            continue
        for key, value in supplement.values.items():
            found.setdefault(key, (value, supplement))
    values = {key: _policy_value(key, item, supplement, version, found) for key, (item, supplement) in found.items()}
    if pack.second_hand:
        values = {key: replace(value, second_hand=value.origin == CLAUSE) for key, value in values.items()}
    return EffectivePolicy(
        slug=pack.slug,
        title=pack.title,
        version_label=version.label,
        values=values,
        localities=pack.localities,
        valid_from=version.valid_from,
        valid_to=version.valid_to,
        demo=any(value.is_demo for value in values.values()),
        second_hand=pack.second_hand,
        document=version.document.cite,
        articles=version.articles,
        version_id=version_id,
    )


def _policy_value(
    key: str,
    item: SetValue,
    supplement: SupplementDocument | None,
    version: VersionDocument,
    found: Mapping[str, tuple[SetValue, SupplementDocument | None]],
) -> PolicyValue:
    spec = CATALOGUE[key]
    unit = spec.unit
    if spec.unit_key in found:
        unit = CATALOGUE[spec.unit_key].kind.display(found[spec.unit_key][0].value)
    names = _names(key, found)
    decision = version.decisions.get(item.decision) if supplement is None else _decision_of(supplement)
    if decision is None:
        cite = version.document.cite
        return PolicyValue(key, item.value, CLAUSE, cite, item.article, item.summary, unit, None, names)
    return PolicyValue(key, item.value, DECISION, decision.number, item.article, item.summary, unit, decision, names)


def _decision_of(supplement: SupplementDocument) -> Decision:
    return Decision(
        number=supplement.number,
        date=supplement.date,
        entered_by=supplement.entered_by,
        title=supplement.title,
        issuer=supplement.issuer,
        demo=supplement.demo,
    )


def _names(key: str, found: Mapping[str, tuple[SetValue, SupplementDocument | None]]) -> Mapping[str, str]:
    source = names_source(key)
    if source is None or source not in found:
        return NO_NAMES
    return {row["code"]: row["title"] for row in found[source][0].value}


def names_source(key: str) -> str | None:
    """The key that names the codes inside a value: indicators for their weights, role types for everything else."""
    source = key.replace("_weights", "_indicators") if key.endswith("_weights") else "roles.types"
    return None if source == key or source not in CATALOGUE else source


@dataclass(frozen=True, slots=True)
class Difference:
    """One key on which two policies differ."""

    key: str
    before: PolicyValue
    after: PolicyValue

    @property
    def label(self) -> str:
        return self.before.label

    @property
    def what(self) -> str:
        """In words: what happened to the key."""
        if not self.before.is_set:
            return "新增"
        if not self.after.is_set:
            return "改为未设定"
        return "修改" if self.before.value != self.after.value else "依据不同"

    @property
    def tone(self) -> str:
        """The same as a tone of the pages."""
        return {"新增": "good", "改为未设定": "bad", "修改": "waiting"}.get(self.what, "neutral")

    @property
    def reach(self) -> str:
        """Whom the value binds: a contract keeps it from its signing, a process from its opening."""
        return "合同事项" if self.before.spec.binding == CONTRACT else "过程事项"

    def as_json(self) -> dict[str, Any]:
        return {"key": self.key, "before": self.before.as_json(), "after": self.after.as_json()}


def diff(before: EffectivePolicy, after: EffectivePolicy) -> list[Difference]:
    """Keys whose value, origin, document or article differ, in the order of the catalogue."""
    rows = [Difference(key, before.get(key), after.get(key)) for key in CATALOGUE]
    return [row for row in rows if row.before.as_json() != row.after.as_json()]
