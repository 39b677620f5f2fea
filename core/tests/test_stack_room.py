"""Calls deep in Python's stack cost no system call each, wherever the pieces of the stack happen to end."""

from __future__ import annotations

import resource

import pytest

from core.stack_room import with_room

CALLS = 500


def called() -> int:
    return 1


def faults_at(depth: int) -> int:
    """How many pages of memory were asked for by calls in a loop so deep down."""
    if depth:
        return faults_at(depth - 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(CALLS):
        called()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def worst() -> int:
    return max(faults_at(depth) for depth in range(250))


def test_a_loop_at_the_end_of_a_piece_asks_for_no_memory_at_each_call():
    assert with_room(worst)() < CALLS / 2


def test_without_room_it_does_where_python_is_of_the_kind_that_needs_it():
    """The control of the test before: this Python's stack is such that one can tell."""
    plain: list[int] = []
    # In a thread of its own, whose stack nobody has made room on.
    from threading import Thread

    thread = Thread(target=lambda: plain.append(worst()))
    thread.start()
    thread.join()
    if plain[0] < CALLS:
        pytest.skip("this Python keeps a piece in hand: with_room is no longer needed")
    assert plain[0] >= CALLS


def test_what_is_called_gives_and_raises_as_ever():
    assert with_room(divmod)(7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        with_room(divmod)(1, 0)
    assert with_room(lambda *, name: name)(name="龚䶮") == "龚䶮"
