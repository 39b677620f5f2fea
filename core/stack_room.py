"""Room on Python's own stack for everything that a call leads to.

CPython up to 3.14 keeps its frames in pieces of 16 KiB. A loop whose calls happen to cross from one piece into the next
gets a new piece from the system at each call and gives it back at each return (python/cpython#142183). A request goes
eighty frames deep before its view begins, so that some loop or other always does: it cost the tests a quarter of their
processor time. A frame that says it needs half of a large piece gets one, and what it calls stays within it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Slots of eight bytes: the frame takes 256 KiB of a piece of 512, and never touches them. The rest is room for a
# thousand frames, as many as Python lets calls go deep.
SLOTS = 2**15


def with_room(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, called from a frame that makes room for all that it calls."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(co_stacksize=SLOTS)
    return call
