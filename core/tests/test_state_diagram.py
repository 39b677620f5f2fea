"""A state machine's picture: every state a box, every move a line with words, its place marked; no style inside."""

from __future__ import annotations

import re

import pytest

from core.state_diagram import draw, lines_of
from core.transitions import MACHINES


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_every_machine_of_the_portal_is_drawn_whole(name):
    machine = MACHINES[name]
    states = {str(state) for move in machine.moves for state in (*move.sources, move.target)}
    picture = draw(machine)
    assert picture.count("<rect") == len(states)
    for state in states:
        assert f">{machine.state_label(state)}</text>" in picture
    pairs = {(source, move.target) for move in machine.moves for source in move.sources if source != move.target}
    assert picture.count('class="state-line"') >= len(pairs)
    assert "style=" not in picture
    assert len(lines_of(machine)) == sum(len(move.sources) for move in machine.moves)


def test_where_it_stands_is_marked_and_said():
    machine = MACHINES["core.importbatch"]
    picture = draw(machine, now="running")
    assert picture.count('class="state-box state-now"') == 1
    assert "当前为导入中" in picture


def test_boxes_stand_clear_of_each_other():
    for machine in MACHINES.values():
        found = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="(\d+)"', draw(machine))
        boxes = [tuple(map(float, box)) for box in found]
        for number, (x, y, w, h) in enumerate(boxes):
            for a, b, _, _ in boxes[number + 1 :]:
                assert abs(x - a) >= w or abs(y - b) >= h, machine.name
