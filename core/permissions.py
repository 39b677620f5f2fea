"""Who may act, and why not: predicates return a `Decision`, and the same words explain a disabled button.

Rows are hidden by `visible_to(user)` on each queryset (404); acts are refused by predicates (403 with the reason).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.http import Http404

from .errors import Refused

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes, or no with a reason in plain Chinese."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    @classmethod
    def yes(cls) -> Decision:
        return cls(True)

    @classmethod
    def no(cls, reason: str) -> Decision:
        return cls(False, reason)

    @classmethod
    def of(cls, condition: bool, *, otherwise: str) -> Decision:
        return cls(True) if condition else cls(False, otherwise)


Predicate = Callable[[Any, Any], Decision]


def require(decision: Decision) -> None:
    """Raise `Refused` with the decision's reason unless it is a yes."""
    if not decision:
        raise Refused(decision.reason)


def get_for(user: Any, model: type[M], pk: Any, *predicates: Predicate, queryset: Any = None) -> M:
    """The object `pk` of `model` that `user` may see and act on.

    Raises Http404 when the row is not visible to the user, `Refused` with the predicate's reason when it is
    visible but may not be acted on. `queryset` narrows or joins (default: the model's default manager).
    """
    # Every model that people open by its address has `visible_to`; one without fails here, rather than show all.
    every: Any = queryset if queryset is not None else model._default_manager.all()
    try:
        obj: M = every.visible_to(user).get(pk=pk)
    except (ObjectDoesNotExist, ValueError, OverflowError) as exc:
        raise Http404("没有找到，或您无权查看。") from exc
    for predicate in predicates:
        require(predicate(user, obj))
    return obj
