"""Which role somebody works under now, where it reaches and what else they hold: asked of the app that knows
memberships, which stands above this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

RoleLookup = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that somebody holds now or will hold; `place`: six-digit code of its locality."""

    role: str
    place: str


PlacesLookup = Callable[[Any], Mapping[str, str]]
HeldLookup = Callable[[Any], tuple[HeldRole, ...]]

PrincipalLookup = Callable[[Any], str]

_lookups: list[RoleLookup] = []
_principals: list[PrincipalLookup] = []
_scopes: list[tuple[PlacesLookup, HeldLookup]] = []


def register_role_lookup(lookup: RoleLookup) -> None:
    """Called once by the app that knows memberships: `lookup(user)` gives the current role's value, or None."""
    _lookups[:] = [lookup]


def register_scope_lookups(*, places: PlacesLookup, held: HeldLookup) -> None:
    """Called once by the app that knows memberships; see `places_of` and `roles_held`."""
    _scopes[:] = [(places, held)]


def register_principal_lookup(lookup: PrincipalLookup) -> None:
    """Called once by the app that knows memberships; see `signature`."""
    _principals[:] = [lookup]


def signature(user: Any) -> str:
    """How `user` signs what they do now: the name, and for whom they stand in (“单小雨 代 王强”)."""
    principal = _principals[0](user) if _principals else ""
    return f"{user} 代 {principal}" if principal else str(user)


def has_role(user: Any, *roles: str) -> bool:
    """Does `user` work under one of these roles now? Nobody does while no app has said how to tell."""
    if not _lookups or not getattr(user, "is_authenticated", False):
        return False
    return _lookups[0](user) in roles


def places_of(user: Any) -> Mapping[str, str]:
    """The localities that the current role of `user` reaches, as {six-digit code: name} in order of code; none while
    nobody can tell."""
    if not _scopes or not getattr(user, "is_authenticated", False):
        return {}
    return _scopes[0][0](user)


def roles_held(user: Any) -> tuple[HeldRole, ...]:
    """Every role that `user` holds today or will hold, in any locality."""
    return _scopes[0][1](user) if _scopes else ()
