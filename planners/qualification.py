"""Whether somebody has what a role asks for: the pack's tree of "all of" and "any of", item by item. Pure.

Three values (Kleene): met, not met, not known. What is not registered is not guessed at, what a person judges
(京核心区 三(二)、三(三); 通州 三(四)1; 晋城 三(一)1; 聊城 一(二)) is met or not as that person recorded it and not known until
then. A preferred condition is shown and never decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from districts.policy.qualification import CERTIFICATES, DEGREES, TITLES

MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"
LABELS = {MET: "符合", NOT_MET: "不符合", UNKNOWN: "待核实"}
TONES = {MET: "good", NOT_MET: "bad", UNKNOWN: "waiting"}
# How far down the ladder a title stands; 高级工程师 stands where 副高级 does.
_LADDER = ("none", "junior", "middle", "senior", "professor")
_LEAST = {"intermediate": "middle", "senior": "senior", "senior_engineer": "senior"}
# A certificate that includes another.
_INCLUDES = {"registered_architect": ("registered_architect", "first_class_architect")}
_DEGREE_RANK = {"其他": 0, "专科": 1, "本科": 2, "硕士研究生": 3, "博士研究生": 3}
_DEGREE_LEAST = {"bachelor": 2, "graduate": 3}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the register holds of a person. `title` is one of the register's grades, `title_label` its words;
    `since` the first day of practice, from which years are counted to `on`."""

    title: str
    title_label: str
    registrations: Collection[str]
    education: str
    since: date | None
    on: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a named officer recorded about a criterion: met, not met or preferred (met, and to be preferred)."""

    verdict: str
    label: str
    by: str
    on: date
    evidence: str


@dataclass(frozen=True, slots=True)
class Node:
    """A condition with its state. `op`: "all", "any" or the kind of leaf. `reason`: what the state rests on.

    `number`: place of a leaf in reading order, from 0; `judged`: a person decides it.
    """

    op: str
    state: str
    words: str = ""
    reason: str = ""
    preferred: bool = False
    number: int = -1
    children: tuple[Node, ...] = ()
    verdict: Verdict | None = None
    # What of the register stands behind it: title, certificate:<code>, experience, degree; "" for the others.
    record: str = ""

    @property
    def is_group(self) -> bool:
        return self.op in ("all", "any")

    @property
    def judged(self) -> bool:
        return self.op == "judged"

    @property
    def label(self) -> str:
        return LABELS[self.state]

    @property
    def tone(self) -> str:
        return TONES[self.state]

    def leaves(self) -> Iterator[Node]:
        if not self.is_group:
            yield self
        for child in self.children:
            yield from child.leaves()

    def as_json(self) -> dict[str, Any]:
        """For keeping what was found on a day."""
        if self.is_group:
            return {"op": self.op, "state": self.state, "children": [child.as_json() for child in self.children]}
        kept = {"op": self.op, "state": self.state, "words": self.words, "reason": self.reason}
        return {**kept, "preferred": True} if self.preferred else kept


def all_of(states: Iterable[str]) -> str:
    """Not met when one is not met; else not known when one is not known; met when all are (or there is none)."""
    found = set(states)
    return NOT_MET if NOT_MET in found else UNKNOWN if UNKNOWN in found else MET


def any_of(states: Iterable[str]) -> str:
    """Met when one is met; else not known when one is not known; not met when none can be (nor when there is none)."""
    found = set(states)
    return MET if MET in found else UNKNOWN if UNKNOWN in found else NOT_MET


@dataclass(slots=True)
class _Walk:
    facts: Facts
    verdicts: Mapping[str, Verdict]
    count: int = field(default=0)

    def node(self, tree: Mapping[str, Any]) -> Node:
        ((op, body),) = tree.items()
        if op in ("all", "any"):
            children = tuple(self.node(child) for child in body)
            deciding = [child for child in children if not child.preferred]
            combine = all_of if op == "all" else any_of
            state = combine(child.state for child in deciding) if deciding else MET
            return Node(op, state, children=children, preferred=not deciding)
        number, self.count = self.count, self.count + 1
        state, words, reason, record = _LEAVES[op](self, body)
        verdict = self.verdicts.get(body["text"]) if op == "judged" else None
        return Node(op, state, words, reason, bool(body.get("preferred")), number, (), verdict, record)

    def title(self, body: Mapping[str, Any]) -> tuple[str, str, str, str]:
        least = _LEAST[body["min"]]
        met = _LADDER.index(self.facts.title) >= _LADDER.index(least)
        held = f"登记的职称等级：{self.facts.title_label}"
        if met and body["min"] == "senior_engineer":
            held += "（请核对是否为工程系列）"
        return MET if met else NOT_MET, TITLES[body["min"]], held, "title"

    def certificate(self, body: Mapping[str, Any]) -> tuple[str, str, str, str]:
        name = body["name"]
        held = [code for code in _INCLUDES.get(name, (name,)) if code in self.facts.registrations]
        words = CERTIFICATES[name]
        if held:
            return MET, words, f"登记的执业资格：{CERTIFICATES[held[0]]}", f"certificate:{held[0]}"
        return NOT_MET, words, "没有登记这项执业资格", f"certificate:{name}"

    def experience(self, body: Mapping[str, Any]) -> tuple[str, str, str, str]:
        words = f"从事{body.get('field') or '相关工作'} {body['years']} 年以上"
        since = self.facts.since
        if since is None:
            return UNKNOWN, words, "没有登记从业起始日期", "experience"
        years = full_years(since, self.facts.on)
        reason = f"{since.isoformat()} 起从业，至 {self.facts.on.isoformat()} 满 {years} 年"
        return MET if years >= body["years"] else NOT_MET, words, reason, "experience"

    def degree(self, body: Mapping[str, Any]) -> tuple[str, str, str, str]:
        rank = _DEGREE_RANK.get(self.facts.education)
        words = DEGREES[body["min"]]
        if rank is None:
            return UNKNOWN, words, "没有登记学历", "degree"
        return (
            MET if rank >= _DEGREE_LEAST[body["min"]] else NOT_MET,
            words,
            f"登记的学历：{self.facts.education}",
            "degree",
        )

    def judged(self, body: Mapping[str, Any]) -> tuple[str, str, str, str]:
        verdict = self.verdicts.get(body["text"])
        if verdict is None:
            return UNKNOWN, body["text"], "由人判断，尚未记录", ""
        state = NOT_MET if verdict.verdict == NOT_MET else MET
        reason = f"{verdict.by} {verdict.on.isoformat()} 判断为“{verdict.label}”：{verdict.evidence}"
        return state, body["text"], reason, ""


_LEAVES = {
    "title": _Walk.title,
    "certificate": _Walk.certificate,
    "experience": _Walk.experience,
    "degree": _Walk.degree,
    "judged": _Walk.judged,
}


def full_years(since: date, on: date) -> int:
    """Whole years from `since` to `on`: a year is full on its anniversary (29 February counts on 1 March); 0 before."""
    years = on.year - since.year - ((on.month, on.day) < (since.month, since.day))
    return max(0, years)


def evaluate(needs: Mapping[str, Any], facts: Facts, verdicts: Mapping[str, Verdict]) -> Node:
    """The tree of conditions with a state at each node; the root's is the result.

    `needs`: the parsed value of `roles.qualifications` for one role. `verdicts`: criterion → what was recorded last.
    """
    root = _Walk(facts, verdicts).node(needs)
    # Alone, too, what is only preferred keeps nobody out.
    return _Walk(facts, verdicts).node({"all": [needs]}) if root.preferred else root


def needs_of(rows: Iterable[Mapping[str, Any]] | None, role: str) -> Mapping[str, Any] | None:
    """What the pack asks of a role: its own row before the row for every role; None where it says nothing."""
    named = {row["role"]: row["needs"] for row in rows or ()}
    return named.get(role) or named.get("*")


def explained(root: Node) -> str:
    """The result in one sentence: what is lacking, or what is still to be looked into."""
    if root.state == MET:
        return "各项任职条件均符合。"
    words = "、".join(f"“{words}”" for words in _lacking(root, root.state))
    if root.state == NOT_MET:
        return f"不符合：{words}。"
    return f"尚不能确定，待核实：{words}。"


def _lacking(node: Node, state: str) -> Iterator[str]:
    """What keeps `node` in `state`: of an "any" group its alternatives together, of an "all" group each on its own."""
    if node.state != state or node.preferred:
        return
    if not node.is_group:
        yield node.words
    elif node.op == "any":
        yield "、或".join(_worded(child) for child in node.children if child.state == state and not child.preferred)
    else:
        for child in node.children:
            yield from _lacking(child, state)


def _worded(node: Node) -> str:
    if not node.is_group:
        return node.words
    glue = "且" if node.op == "all" else "或"
    return glue.join(_worded(child) for child in node.children)
