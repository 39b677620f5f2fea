"""The last second: two devices, a closing step, many at once; on real connections, with the guard and without it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections

from core import transitions
from core.errors import StaleState
from core.models import AuditEntry
from evaluations.models import Sheet
from evaluations.services import answers, steps
from evaluations.services.steps import close_step
from evaluations.tests.filling_cases import everything, lines_of, make_filling, save, submit, values_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def filling(transactional_db):
    cache.clear()
    return make_filling()


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Each act on a connection of its own, begun at the same moment; what became of each."""
    gate, answered = threading.Barrier(len(acts)), ["?"] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(10)
            act()
            answered[number] = "done"
        except StaleState:
            answered[number] = "stale"
        except Exception as error:
            answered[number] = type(error).__name__
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answered


def together(monkeypatch: Any, module: Any, name: str, parties: int = 2) -> None:
    """Everybody has come past `name` before anybody goes on; whoever is held up by a lock is not waited for."""
    gate, plain = threading.Barrier(parties), getattr(module, name)

    def met(*args: Any, **kwargs: Any) -> Any:
        found = plain(*args, **kwargs)
        with suppress(threading.BrokenBarrierError):
            gate.wait(1.5)
        return found

    monkeypatch.setattr(module, name, met)


def test_submitted_from_two_devices_at_once_it_counts_once_and_is_not_mixed(filling, monkeypatch):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    together(monkeypatch, answers, "_locked")
    done = at_once(
        lambda: submit(sheet, officer, everything(sheet, 90)), lambda: submit(sheet, officer, everything(sheet, 30))
    )
    assert sorted(done) == ["done", "stale"]
    assert len(set(values_of(sheet, officer))) == 1
    assert AuditEntry.objects.filter(object_id=str(sheet.pk), action="sheet.submit").count() == 1


def test_with_the_guards_off_both_devices_would_be_told_that_they_submitted(filling, monkeypatch):
    """The control: the race is real. There are two guards, the lock on the sheet and the swap of its state."""
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    save(sheet, officer, everything(sheet, 50))

    def unlocked(row: Sheet) -> Sheet:
        rows = Sheet.objects.select_related("step", "round__locality", "form", "subject__planner", "planner")
        return rows.get(pk=row.pk)

    monkeypatch.setattr(answers, "_locked", unlocked)
    monkeypatch.setattr(transitions, "_guard", lambda machine, before: {})
    together(monkeypatch, answers, "_locked")
    done = at_once(
        lambda: submit(sheet, officer, everything(sheet, 90)), lambda: submit(sheet, officer, everything(sheet, 30))
    )
    assert done == ["done", "done"]


def test_what_is_being_submitted_when_the_step_closes_is_in_or_out_for_good(filling, monkeypatch):
    """The closing waits for who is at it; who comes after it is refused. Nothing is in after the seal was lifted."""
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    held = threading.Event()
    plain = answers._locked

    def slow(row: Sheet) -> Sheet:
        held.set()
        threading.Event().wait(0.8)
        return plain(row)

    monkeypatch.setattr(answers, "_locked", slow)

    def close() -> None:
        held.wait(10)
        close_step(filling.step, actor=filling.site.bureau)

    assert at_once(lambda: submit(sheet, officer, everything(sheet)), close) == ["done", "done"]
    row = Sheet.objects.select_related("step").get(pk=sheet.pk)
    assert row.state == "submitted" and row.submitted_at <= row.step.closed_at
    other = filling.of_planner()
    assert at_once(lambda: submit(other, filling.site.planner, everything(other))) == ["Refused"]


def test_without_holding_the_step_an_answer_would_come_in_after_it_has_closed(filling, monkeypatch):
    """The control: reading the step's state without holding it lets one through."""
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    read = threading.Event()
    closed = threading.Event()
    plain = answers._save

    def unheld(step: Any) -> Any:
        from evaluations.models import RoundStep

        return RoundStep.objects.select_related("round__locality").get(pk=step)

    def slow(*args: Any, **kwargs: Any) -> Any:
        read.set()
        closed.wait(5)
        return plain(*args, **kwargs)

    monkeypatch.setattr(answers, "hold_step", unheld)
    monkeypatch.setattr(answers, "_save", slow)

    def close() -> None:
        read.wait(10)
        close_step(filling.step, actor=filling.site.bureau)
        closed.set()

    assert at_once(lambda: submit(sheet, officer, everything(sheet)), close) == ["done", "done"]
    row = Sheet.objects.select_related("step").get(pk=sheet.pk)
    assert row.submitted_at > row.step.closed_at


def test_two_of_the_same_office_begin_at_once_and_one_goes_on(filling, monkeypatch):
    from factories import make_membership, make_user

    sheet, officer = filling.of_unit(), filling.site.unit_officer
    colleague = make_user("甲专人二")
    make_membership(colleague, "unit", filling.site.locality, unit=filling.site.unit)
    together(monkeypatch, answers, "_locked")
    done = at_once(
        lambda: submit(sheet, officer, everything(sheet, 90)), lambda: submit(sheet, colleague, everything(sheet, 30))
    )
    assert sorted(done) == ["Refused", "done"]
    row = Sheet.objects.get(pk=sheet.pk)
    assert values_of(sheet, row.author) == [90 if row.author_id == officer.pk else 30] * len(lines_of(sheet))


def test_writers_under_one_step_do_not_wait_for_one_another(filling, monkeypatch):
    """3,000 forms in the last hour: each holds the step, and none keeps the next one out."""
    one, two = filling.of_unit(), filling.of_planner()
    met = []
    gate = threading.Barrier(2)
    inner = answers._write

    def both_inside(*args: Any, **kwargs: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            gate.wait(5)
            met.append(1)
        return inner(*args, **kwargs)

    monkeypatch.setattr(answers, "_write", both_inside)
    done = at_once(
        lambda: submit(one, filling.site.unit_officer, everything(one)),
        lambda: submit(two, filling.site.planner, everything(two)),
    )
    assert done == ["done", "done"] and len(met) == 2


def test_held_for_oneself_alone_they_would_wait(filling, monkeypatch):
    """The control: with the step held exclusively the second cannot be inside while the first is."""
    from evaluations.models import RoundStep

    one, two = filling.of_unit(), filling.of_planner()

    def exclusive(step: Any) -> Any:
        pk = step if isinstance(step, int) else step.pk
        RoundStep.objects.select_for_update(no_key=True).get(pk=pk)
        return steps.hold_step(pk)

    monkeypatch.setattr(answers, "hold_step", exclusive)
    met = []
    gate = threading.Barrier(2)
    inner = answers._write

    def both_inside(*args: Any, **kwargs: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            gate.wait(1.5)
            met.append(1)
        return inner(*args, **kwargs)

    monkeypatch.setattr(answers, "_write", both_inside)
    done = at_once(
        lambda: submit(one, filling.site.unit_officer, everything(one)),
        lambda: submit(two, filling.site.planner, everything(two)),
    )
    assert done == ["done", "done"] and met == []
