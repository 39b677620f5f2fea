"""What becomes of opinions, in figures: pure. How many items ended in which way, in; explained figures out.

The unit is the item of an opinion that stands. Every figure is a share of counts, and names the two sides of its
division by the codes of its parts: `recompute` gets the figure back from the parts alone.

No document says how a 采纳率 is to be counted, so nothing is weighed here: 采纳 and 部分采纳 are counted beside each
other, what is not answered is in neither side of the division, and stands as a share of its own (反馈率).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from core.explain import Figure, Part

ADOPTED, PARTLY, REFUSED = "adopted", "partly", "refused"
# Owed: the asker has yet to say; late: its day is over; pending: others asked along have not answered yet, so that
# nothing is owed so far; lapsed: the request was withdrawn, or asked anew, before it was answered.
OWED, LATE, PENDING, LAPSED = "owed", "late", "pending", "lapsed"
WORDS = {
    ADOPTED: "采纳", PARTLY: "部分采纳", REFUSED: "不采纳", OWED: "待反馈", LATE: "逾期未反馈", PENDING: "征询未完",
    LAPSED: "撤回未反馈",
}  # fmt: skip
OUTCOMES = tuple(WORDS)
ANSWERED = (ADOPTED, PARTLY, REFUSED)
TAKEN = (ADOPTED, PARTLY)
DUE = (*ANSWERED, OWED, LATE)
# Of what was adopted: done and proven, its day over without proof, its day still to come.
DONE, OVERDUE, RUNNING = "done", "overdue", "running"
RATE, TAKEN_RATE, ANSWER_RATE, LATE_RATE, DONE_RATE, SAME_RATE, WORSE_RATE, GAP = (
    "adoption", "taken", "answer", "late_rate", "done_rate", "same_reason", "worse", "gap",
)  # fmt: skip
LABELS = {
    RATE: "采纳率", TAKEN_RATE: "采纳率（含部分采纳）", ANSWER_RATE: "反馈率", LATE_RATE: "逾期未反馈占比",
    DONE_RATE: "到期落实率", SAME_RATE: "理由雷同占比", WORSE_RATE: "反馈后又改为少采纳的占比",
    GAP: "重要意见少采纳的幅度",
}  # fmt: skip
RATE_CODES = (RATE, TAKEN_RATE, ANSWER_RATE, LATE_RATE)
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Bundle:
    """How many items ended in each way; `records`: which (ids), where they were asked for."""

    counts: Mapping[str, int]
    records: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, str]]) -> Bundle:
        """From (id, outcome) rows; an id that comes twice is one item."""
        records: dict[str, list[int]] = defaultdict(list)
        for pk, outcome in sorted(set(rows)):
            records[outcome].append(pk)
        return cls({key: len(ids) for key, ids in records.items()}, {key: tuple(ids) for key, ids in records.items()})

    def count(self, *outcomes: str) -> int:
        return sum(self.counts.get(outcome, 0) for outcome in outcomes)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def part(self, outcome: str, label: str = "") -> Part:
        return Part(
            label or WORDS.get(outcome, outcome), Decimal(self.count(outcome)), self.records.get(outcome, ()),
            code=outcome,
        )  # fmt: skip

    def __add__(self, other: Bundle) -> Bundle:
        """Two disjoint bundles together."""
        keys = {*self.counts, *other.counts}
        counts = {key: self.count(key) + other.count(key) for key in keys}
        records = {key: (*self.records.get(key, ()), *other.records.get(key, ())) for key in keys}
        return Bundle(counts, records)


EMPTY = Bundle({})


def percent(part: int | Decimal, whole: int | Decimal) -> Decimal:
    """A share in per cent with one decimal, halves up."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(_TENTH, ROUND_HALF_UP)


def _share(
    code: str, parts: Sequence[Part], over: Sequence[str], under: Sequence[str], *, words: str, few: int, nothing: str
) -> Figure:
    """`over` ÷ `under`, both sums of the parts of these codes. The formula travels as a part, so that the figure can
    be had again from its parts alone."""
    values = {part.code: part.value for part in parts}
    sums = [sum((Decimal(values.get(key) or 0) for key in keys), Decimal(0)) for keys in (over, under)]
    formula = Part("算式", words, code=f"formula:{code}:{'+'.join(over)}/{'+'.join(under)}")
    if not sums[1]:
        return Figure(None, (*parts, formula), note=nothing)
    small = f"只有 {sums[1]} 条，不足 {few} 条，仅供参考" if sums[1] < few else ""
    return Figure(percent(*sums), (*parts, formula), note=small)


def recompute(figure: Figure) -> Decimal | None:
    """The figure once more, from its parts alone."""
    values = {part.code: Decimal(part.value or 0) for part in figure.parts if not part.code.startswith("formula:")}
    formulas = [part.code.split(":", 2)[2] for part in figure.parts if part.code.startswith("formula:")]
    shares = []
    for formula in formulas:
        over, under = ([key for key in side.split("+") if key] for side in formula.split("/"))
        whole = sum(values.get(key, Decimal(0)) for key in under)
        if not whole:
            return None
        shares.append(sum(values.get(key, Decimal(0)) for key in over) * 100 / whole)
    # A figure with two formulas is their difference, in percentage points.
    exact = shares[0] if len(shares) == 1 else shares[0] - shares[1]
    return exact.quantize(_TENTH, ROUND_HALF_UP)


def _answered_parts(bundle: Bundle) -> tuple[Part, ...]:
    return tuple(bundle.part(outcome) for outcome in ANSWERED)


def adoption_rate(bundle: Bundle, *, few: int) -> Figure:
    """采纳 ÷ 已反馈. `few`: a share of fewer items than this is marked as such."""
    words = "采纳 ÷（采纳 + 部分采纳 + 不采纳）"
    return _share(
        RATE, _answered_parts(bundle), (ADOPTED,), ANSWERED, words=words, few=few, nothing="还没有已反馈的意见"
    )


def taken_rate(bundle: Bundle, *, few: int) -> Figure:
    """（采纳 + 部分采纳）÷ 已反馈."""
    words = "（采纳 + 部分采纳）÷（采纳 + 部分采纳 + 不采纳）"
    return _share(
        TAKEN_RATE, _answered_parts(bundle), TAKEN, ANSWERED, words=words, few=few, nothing="还没有已反馈的意见"
    )


def answer_rate(bundle: Bundle, *, few: int) -> Figure:
    """已反馈 ÷ 应反馈: what was withdrawn, or cannot be answered yet, is not due."""
    parts = tuple(bundle.part(outcome) for outcome in DUE)
    words = "已反馈 ÷（已反馈 + 待反馈 + 逾期未反馈）"
    return _share(ANSWER_RATE, parts, ANSWERED, DUE, words=words, few=few, nothing="没有应反馈的意见")


def late_rate(bundle: Bundle, *, few: int) -> Figure:
    """逾期未反馈 ÷ 应反馈."""
    parts = tuple(bundle.part(outcome) for outcome in DUE)
    words = "逾期未反馈 ÷（已反馈 + 待反馈 + 逾期未反馈）"
    return _share(LATE_RATE, parts, (LATE,), DUE, words=words, few=few, nothing="没有应反馈的意见")


@dataclass(frozen=True, slots=True)
class Rates:
    """The shares of one group of items: a department, a unit, a kind, a stage, or all together."""

    bundle: Bundle
    adoption: Figure
    taken: Figure
    answer: Figure
    late: Figure

    @property
    def answered(self) -> int:
        return self.bundle.count(*ANSWERED)

    @property
    def is_small(self) -> bool:
        return self.adoption.value is not None and bool(self.adoption.note)

    @property
    def figures(self) -> dict[str, Figure]:
        return {RATE: self.adoption, TAKEN_RATE: self.taken, ANSWER_RATE: self.answer, LATE_RATE: self.late}


def rates_of(bundle: Bundle, *, few: int) -> Rates:
    return Rates(
        bundle, adoption_rate(bundle, few=few), taken_rate(bundle, few=few), answer_rate(bundle, few=few),
        late_rate(bundle, few=few),
    )  # fmt: skip


def grouped(rows: Iterable[tuple[Hashable, str, int]]) -> dict[Hashable, Bundle]:
    """Bundles by group from (group, outcome, count) rows, as the database adds them up."""
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for group, outcome, number in rows:
        counts[group][outcome] += number
    return {group: Bundle(dict(found)) for group, found in counts.items()}


# --- selective uptake (R76 选择性纳入) ------------------------------------------------------------------------


def severity_gap(musts: Bundle, others: Bundle, *, few: int) -> Figure:
    """By how many percentage points fewer of what must be mended (须修改) is taken up than of the rest: taking the
    small remarks and leaving the weighty ones is what 选择性纳入 means."""
    sides = (("must", musts, "须修改"), ("other", others, "其他"))
    parts = tuple(
        Part(
            f"{words}：{WORDS[outcome]}", Decimal(bundle.count(outcome)), bundle.records.get(outcome, ()),
            code=f"{name}-{outcome}",
        )
        for name, bundle, words in sides
        for outcome in ANSWERED
    )  # fmt: skip
    formulas = tuple(
        Part(
            "算式", f"{words}的采纳率（含部分采纳）",
            code=f"formula:{GAP}:{'+'.join(f'{name}-{o}' for o in TAKEN)}/{'+'.join(f'{name}-{o}' for o in ANSWERED)}",
        )
        for name, _, words in (sides[1], sides[0])
    )  # fmt: skip
    figure = Figure(None, (*parts, *formulas))
    value = recompute(figure)
    if value is None:
        return Figure(None, figure.parts, note="须修改和其他意见须都有已反馈的，才能比较")
    least = min(musts.count(*ANSWERED), others.count(*ANSWERED))
    return Figure(value, figure.parts, note=f"一方只有 {least} 条，不足 {few} 条，仅供参考" if least < few else "")


def done_rate(bundle: Bundle, *, few: int) -> Figure:
    """Of what was adopted and is due to be done: how much is proven. Adopted on paper alone is taken up selectively
    too."""
    parts = (
        bundle.part(DONE, "已落实"), bundle.part(OVERDUE, "到期未登记落实"), bundle.part(RUNNING, "未到期"),
    )  # fmt: skip
    words = "已落实 ÷（已落实 + 到期未登记落实）"
    return _share(DONE_RATE, parts, (DONE,), (DONE, OVERDUE), words=words, few=few, nothing="没有到期应落实的意见")


_NOISE = re.compile(r"[\W_]+")


def same_reasons(rows: Iterable[tuple[int, Hashable, str]]) -> set[int]:
    """Of (id, group, reason): those whose reason, apart from punctuation and spaces, stands under another item of the
    group as well."""
    found: dict[tuple[Hashable, str], list[int]] = defaultdict(list)
    for pk, group, reason in rows:
        found[group, _NOISE.sub("", reason).lower()].append(pk)
    return {pk for (_, text), ids in found.items() if text and len(ids) > 1 for pk in ids}


def same_rate(rows: Sequence[tuple[int, Hashable, str]], *, few: int) -> Figure:
    """How many refusals (and half adoptions) carry a reason that was given elsewhere in the same words."""
    same = same_reasons(rows)
    bundle = Bundle.of((pk, "same" if pk in same else "own") for pk, _, _ in rows)
    parts = (bundle.part("same", "理由与其他条目相同"), bundle.part("own", "理由各不相同"))
    words = "理由相同 ÷ 全部不采纳和部分采纳"
    return _share(
        SAME_RATE, parts, ("same",), ("same", "own"), words=words, few=few, nothing="没有不采纳或部分采纳的意见"
    )


_RANK = {REFUSED: 0, PARTLY: 1, ADOPTED: 2}


def worse_rate(rows: Iterable[tuple[int, Sequence[str]]], *, few: int) -> Figure:
    """Of (id, decisions in order): how many now say less than they said before."""
    bundle = Bundle.of(
        (pk, "worse" if max(_RANK[d] for d in said) > _RANK[said[-1]] else "kept") for pk, said in rows if said
    )
    parts = (bundle.part("worse", "后来改为少采纳"), bundle.part("kept", "没有改少"))
    return _share(
        WORSE_RATE, parts, ("worse",), ("worse", "kept"), words="后来改为少采纳 ÷ 已反馈", few=few,
        nothing="还没有已反馈的意见",
    )  # fmt: skip
