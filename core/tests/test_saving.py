"""Two rows that exclude each other, when the database ends the wait of one of them as a deadlock."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from core.models import CalendarYear
from core.saving import DEADLOCK, save_checked


class _Ended(Exception):
    def __init__(self, pgcode: str) -> None:
        self.pgcode = pgcode


def _fails_first(monkeypatch: pytest.MonkeyPatch, pgcode: str) -> list[str]:
    calls: list[str] = []
    plain = CalendarYear.save

    def save(self: CalendarYear, *args: object, **kwargs: object) -> None:
        calls.append(pgcode)
        if len(calls) == 1:
            raise OperationalError from _Ended(pgcode)
        plain(self)

    monkeypatch.setattr(CalendarYear, "save", save)
    return calls


@pytest.mark.django_db
def test_save_ended_as_a_deadlock_is_tried_once_more(monkeypatch):
    calls = _fails_first(monkeypatch, DEADLOCK)
    save_checked(CalendarYear(year=2091, status="provisional", source="示例"))
    assert CalendarYear.objects.filter(year=2091).count() == 1
    assert len(calls) == 2


@pytest.mark.django_db
def test_save_without_a_database_is_not_tried_again(monkeypatch):
    calls = _fails_first(monkeypatch, "57P01")
    with pytest.raises(OperationalError):
        save_checked(CalendarYear(year=2091, status="provisional", source="示例"))
    assert len(calls) == 1
