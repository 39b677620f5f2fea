"""A double click makes one record."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from core import idempotency
from core.idempotency import new_key, once
from core.models import StoredFile, Submission


def make(name: str = "甲") -> StoredFile:
    return StoredFile.objects.create(sha256="0" * 64, size=1, mime="text/plain", original_name=name, purpose="test")


def test_second_submit_answers_with_the_first_record(person) -> None:
    key = new_key()
    first, created = once(person, key, make)
    again, repeated = once(person, key, lambda: make("乙"))
    assert (created, repeated) == (True, False)
    assert again == first and StoredFile.objects.count() == 1


def test_keys_are_ones_own_and_each_showing_has_its_own(person, other) -> None:
    key = new_key()
    once(person, key, make)
    assert once(other, key, make)[1]
    assert once(person, new_key(), make)[1]
    assert StoredFile.objects.count() == 3


def test_refused_form_can_be_sent_again_with_the_same_key(person) -> None:
    key = new_key()

    def refuse() -> StoredFile:
        make()
        raise ValidationError("请填写日期。")

    with pytest.raises(ValidationError):
        once(person, key, refuse)
    assert not StoredFile.objects.exists() and not Submission.objects.exists()
    assert once(person, key, make)[1]


def test_broken_constraint_of_the_record_itself_is_not_taken_for_a_repeat(person) -> None:
    def collide() -> StoredFile:
        once(person, "a" * 20, make)
        Submission.objects.create(user=person, key="a" * 20)
        return make()

    with pytest.raises(IntegrityError):
        once(person, new_key(), collide)


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "a" * 16 + "\n", "龚" * 16, None])
def test_odd_key_is_refused_in_words(person, key: Any) -> None:
    with pytest.raises(ValidationError, match="刷新页面"):
        once(person, key, make)


def test_record_that_is_gone_is_not_made_again(person) -> None:
    key = new_key()
    once(person, key, make)[0].delete()
    with pytest.raises(ValidationError, match="已被删除"):
        once(person, key, make)


@pytest.fixture
def both_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of two requests has seen that the key is unused before either goes on: the narrowest moment."""
    barrier = threading.Barrier(2, timeout=10)
    plain, seen = idempotency._made, set()

    def made(user: Any, key: str) -> Any:
        found = plain(user, key)
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            barrier.wait()
        return found

    monkeypatch.setattr(idempotency, "_made", made)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_presses_at_once_make_one_record(person, together, both_looked) -> None:
    key = new_key()
    results = together(lambda: once(person, key, make), lambda: once(person, key, make))
    assert StoredFile.objects.count() == 1
    assert sorted(created for _, created in results) == [False, True]
    assert results[0][0] == results[1][0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_without_the_guard_two_presses_make_two(person, together, both_looked) -> None:
    """Control: looking first is not enough, the race is real."""
    key = new_key()

    def look_then_make() -> StoredFile | None:
        return make() if idempotency._made(person, key) is None else None

    together(look_then_make, look_then_make)
    assert StoredFile.objects.count() == 2
