"""A state machine as a picture, drawn from the moves that run it: inline SVG without style of its own.

docs/states.md has the same machines as text (`manage.py state_diagrams`). Colours come from the page's classes
(`.state-box`, `.state-now`, `.state-line`), so that it prints and reads in either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from core.transitions import Machine, Move

_WIDE, _TALL, _LETTER = 116, 40, 13
_ABOVE, _LANE, _ROW, _EDGE, _BEND = 16, 30, 62, 12, 40.0


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the picture's text: from which state, by what, to which."""

    source: str
    move: str
    target: str
    needs_reason: bool


def lines_of(machine: Machine) -> list[Line]:
    """The moves in words, for whoever does not see the picture."""
    return [
        Line(machine.state_label(source), move.label, machine.state_label(move.target), move.needs_reason)
        for move in machine.moves
        for source in move.sources
    ]


def draw(machine: Machine, *, now: str = "") -> SafeString:
    """The machine with `now` marked: what follows in the order of its states runs forward on one line or downward from
    it, what leads back runs above."""
    states = _states(machine)
    pairs = _pairs(machine)
    chain = _is_chain(states, pairs)
    return _chain(machine, states, pairs, now) if chain else _fan(machine, states, pairs, now)


def _states(machine: Machine) -> list[str]:
    """The states in the order of the field's choices, those that a move touches."""
    touched = {state for move in machine.moves for state in (*move.sources, move.target)}
    choices: Any = getattr(machine.model_class._meta.get_field(machine.field), "flatchoices", [])
    return [str(value) for value, _ in choices if value in touched]


def _pairs(machine: Machine) -> dict[tuple[str, str], list[Move]]:
    found: dict[tuple[str, str], list[Move]] = {}
    for move in machine.moves:
        for source in move.sources:
            found.setdefault((str(source), str(move.target)), []).append(move)
    return found


def _is_chain(states: Sequence[str], pairs: dict[tuple[str, str], list[Move]]) -> bool:
    """Does each state lead to the next?"""
    return len(states) > 2 and all(pair in pairs for pair in pairwise(states))


def _words(moves: Sequence[Move]) -> str:
    return "／".join(dict.fromkeys(move.label + ("*" if move.needs_reason else "") for move in moves))


def _chain(machine: Machine, states: Sequence[str], pairs: dict[tuple[str, str], list[Move]], now: str) -> SafeString:
    gap = 2 * _EDGE + max(
        (_letters(_words(moves)) for (a, b), moves in pairs.items() if states.index(b) == states.index(a) + 1),
        default=4,
    )
    back = [(a, b) for a, b in pairs if states.index(b) <= states.index(a)]
    # The longer the way back, the higher it runs, so that lines do not cross boxes.
    lanes = sorted({states.index(a) - states.index(b) for a, b in back})
    top = _ABOVE + _LANE * len(lanes)
    at = {state: (_EDGE + number * (_WIDE + gap), top) for number, state in enumerate(states)}
    parts = []
    for (a, b), moves in pairs.items():
        (x1, y1), (x2, y2) = at[a], at[b]
        if states.index(b) == states.index(a) + 1:
            parts.append(_arrow(x1 + _WIDE, y1 + _TALL / 2, x2, y2 + _TALL / 2))
            parts.append(_text((x1 + _WIDE + x2) / 2, y1 + _TALL / 2 - 6, _words(moves)))
        elif states.index(b) > states.index(a):
            drop = y1 + _TALL + 22
            parts.append(_bent(x1 + _WIDE / 2, y1 + _TALL, drop, x2 + _WIDE / 2, y2 + _TALL))
            parts.append(_text((x1 + x2 + _WIDE) / 2, drop - 4, _words(moves)))
        else:
            rise = _ABOVE + _LANE * (len(lanes) - 1 - lanes.index(states.index(a) - states.index(b)))
            parts.append(_bent(x1 + _WIDE * 0.35, y1, rise, x2 + _WIDE * 0.65, y2))
    parts += [_box(at[state], machine.state_label(state), state == now) for state in states]
    last = at[states[-1]][0] + _WIDE + _EDGE
    return _svg(parts, last, top + _TALL + 40, machine, now)


def _fan(machine: Machine, states: Sequence[str], pairs: dict[tuple[str, str], list[Move]], now: str) -> SafeString:
    """From the left: each state as many steps from the first as it takes; the moves written beside their arrows."""
    depth = {states[0]: 0}
    queue = [states[0]]
    while queue:
        state = queue.pop(0)
        for a, b in pairs:
            if a == state and b not in depth:
                depth[b] = depth[a] + 1
                queue.append(b)
    for state in states:
        depth.setdefault(state, 0)
    # Room for the words on the straight end of a line, after its bend.
    gap = _BEND * 1.6 + 2 * _EDGE + max(_letters(_words(moves)) for moves in pairs.values())
    columns: dict[int, list[str]] = {}
    for state in states:
        columns.setdefault(depth[state], []).append(state)
    tall = max(len(column) for column in columns.values())
    at = {}
    for level, column in columns.items():
        first = _ABOVE + (tall - len(column)) * _ROW / 2
        for number, state in enumerate(column):
            at[state] = (_EDGE + level * (_WIDE + gap), first + number * _ROW)
    parts = []
    for (a, b), moves in pairs.items():
        (x1, y1), (x2, y2) = at[a], at[b]
        if depth[b] > depth[a]:
            parts.append(_curve(x1 + _WIDE, y1 + _TALL / 2, x2, y2 + _TALL / 2))
            parts.append(_text(x2 - 10, y2 + _TALL / 2 - 7, _words(moves), anchor="end"))
        elif a != b:
            low = max(y1, y2) + _TALL + 14
            parts.append(_bent(x1 + _WIDE * 0.3, y1 + _TALL, low, x2 + _WIDE * 0.7, y2 + _TALL))
            parts.append(_text((x1 + x2 + _WIDE) / 2, low - 4, _words(moves)))
    parts += [_box(at[state], machine.state_label(state), state == now) for state in states]
    return _svg(parts, max(x for x, _ in at.values()) + _WIDE + _EDGE, _ABOVE + tall * _ROW, machine, now)


def _letters(text: str) -> float:
    return sum(_LETTER if ord(letter) > 255 else _LETTER * 0.6 for letter in text)


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _box(at: tuple[float, float], label: str, is_now: bool) -> str:
    x, y = at
    css = "state-box state-now" if is_now else "state-box"
    return (
        f'<g class="{css}"><rect x="{_n(x)}" y="{_n(y)}" width="{_WIDE}" height="{_TALL}" rx="6"/>'
        f'<text x="{_n(x + _WIDE / 2)}" y="{_n(y + _TALL / 2 + 5)}" text-anchor="middle">{escape(label)}</text></g>'
    )


def _text(x: float, y: float, words: str, *, anchor: str = "middle") -> str:
    return f'<text class="state-move" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{escape(words)}</text>'


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="state-line" d="M{_n(x1)} {_n(y1)}L{_n(x2 - 6)} {_n(y2)}"/>{_head(x2, y2, "right")}'


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    bend = min(_BEND, (x2 - x1) / 3)
    path = f"M{_n(x1)} {_n(y1)}C{_n(x1 + bend)} {_n(y1)} {_n(x1 + bend / 2)} {_n(y2)} {_n(x1 + 1.6 * bend)} {_n(y2)}"
    return f'<path class="state-line" d="{path}L{_n(x2 - 6)} {_n(y2)}"/>{_head(x2, y2, "right")}'


def _bent(x1: float, y1: float, level: float, x2: float, y2: float) -> str:
    """Up (or down) to a level, across, and back to the other box."""
    toward = "down" if level < y2 else "up"
    stop = y2 - 6 if toward == "down" else y2 + 6
    path = f"M{_n(x1)} {_n(y1)}V{_n(level)}H{_n(x2)}V{_n(stop)}"
    return f'<path class="state-line" d="{path}"/>{_head(x2, y2, toward)}'


def _head(x: float, y: float, toward: str) -> str:
    shapes = {"right": ((-7, -4), (-7, 4)), "down": ((-4, -7), (4, -7)), "up": ((-4, 7), (4, 7))}
    (ax, ay), (bx, by) = shapes[toward]
    return f'<path class="state-head" d="M{_n(x)} {_n(y)}L{_n(x + ax)} {_n(y + ay)}L{_n(x + bx)} {_n(y + by)}Z"/>'


def _svg(parts: Sequence[str], width: float, height: float, machine: Machine, now: str) -> SafeString:
    label = f"{machine.label}的状态图" + (f"，当前为{machine.state_label(now)}" if now else "")
    # Every word in it is the code's own and escaped.
    return mark_safe(  # noqa: S308
        f'<svg class="state-diagram" role="img" aria-label="{escape(label)}" width="{_n(width)}" height="{_n(height)}"'
        f' viewBox="0 0 {_n(width)} {_n(height)}">{"".join(parts)}</svg>'
    )
