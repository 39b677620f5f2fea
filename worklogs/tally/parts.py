"""Parts that several figures share."""

from __future__ import annotations

from collections.abc import Sequence

from core.explain import Figure, Part
from worklogs.tally import words
from worklogs.tally.readings import Outcome
from worklogs.tally.rules import READ_KEYS, Options, Reading, Rules

# More than this tells a reader nothing; the range in the note covers the rest.
MOST_CASES = 12
_KEY_OF = dict(zip(Reading._fields, READ_KEYS, strict=True))


def formula(name: str, in_words: str) -> Part:
    """How the value follows from the other parts; the code is what `recompute` goes by."""
    return Part("算式", in_words, code=f"formula:{name}")


def rule_part(rules: Rules, key: str) -> Part:
    """A rule that was applied, in words with its clause; unset ones say so."""
    value = rules.get(key)
    shown = "未设定" if value is None else words.CATALOGUE[key].kind.display(value)
    return Part(words.label_of(key), shown, (), rules.clause(key), f"rule:{key}")


def open_figure(outcome: Outcome, extra: Sequence[Part], unit: str) -> Figure:
    """No figure: what each reading would give, what is recorded anyway, and which keys keep it open."""
    cases = [
        Part(words.reading_label(choices), words.case_value(result), code="reading")
        for choices, result in outcome.cases[:MOST_CASES]
    ]
    return Figure(None, (*cases, *extra), outcome.unset, words.unset_note(outcome, unit))


def settled_note(options: Options, names: Sequence[str]) -> str:
    """Names rules that nobody has set and that make no difference here."""
    keys = [str(_KEY_OF[name]) for name in names if len(options[name]) > 1]
    if not keys:
        return ""
    return "、".join(f"“{words.label_of(key)}”" for key in keys) + "未设定，但各种口径结果相同"
