"""Two people at the same moment, on two real connections: the lock on the request, and what happens without it (so that
the tests are known to race)."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import QuerySet

from core.errors import Refused, StaleState
from factories import make_cast
from projects.models import Consultation, Consultee, Extension, Opinion
from projects.services.consultees import decline, substitute
from projects.services.course import withdraw
from projects.services.extensions import answer_extension, ask_extension
from projects.services.opinions import endorse_opinion, return_opinion, save_opinion, submit_opinion
from projects.tests.review_cases import WRITTEN, asked, of_planner, on_day, write

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
DAY = date(2026, 6, 3)
MOVES = tuple(f"projects.services.{name}.apply_move" for name in ("course", "consultees", "extensions", "opinions"))


def run(
    monkeypatch: Any, acts: tuple[Callable[[], Any], ...], *, locked: bool, at: tuple[str, ...] = MOVES
) -> list[str]:
    """Both acts at once: each waits where it is about to write (`at`, its first time there) until the other is about to
    as well. Behind the lock only one gets there, and goes on alone after a moment."""
    gate = threading.Barrier(2)
    here = threading.local()

    def waiting(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not getattr(here, "waited", False):
                here.waited = True
                with contextlib.suppress(threading.BrokenBarrierError):
                    gate.wait(0.6 if locked else 10)
            return plain(*args, **kwargs)

        return call

    for name in at:
        module, _, attribute = name.rpartition(".")
        monkeypatch.setattr(name, waiting(getattr(importlib.import_module(module), attribute)))
    if not locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)
    answers: list[str] = []

    def act(one: Callable[[], Any]) -> None:
        try:
            one()
            answers.append("done")
        except (Refused, StaleState) as error:
            answers.append(error.reason)
        except ValidationError as error:
            answers.append("；".join(error.messages))
        except IntegrityError:
            answers.append("constraint")
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(one,)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(answers, key=lambda answer: answer != "done")


@pytest.fixture
def cast():
    with on_day(DAY):
        yield make_cast()


def two(cast: Any) -> Consultation:
    return asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责", day=DAY)


@pytest.mark.parametrize("guards", ["the lock", "compare-and-swap alone", "none (control)"])
def test_a_request_is_not_withdrawn_while_it_is_answered(cast, monkeypatch, guards):
    row = two(cast)
    draft = write(row, cast.own_planner)
    if guards == "none (control)":
        monkeypatch.setattr("core.transitions._guard", lambda machine, before: {})
    answers = run(
        monkeypatch,
        (
            lambda: submit_opinion(draft, actor=cast.planner),
            lambda: withdraw(row, actor=cast.bureau, reason="项目取消"),
        ),
        locked=guards == "the lock",
    )
    row.refresh_from_db()
    draft.refresh_from_db()
    if guards == "none (control)":
        # Both are told that it is done: withdrawn and told to everybody, and answered nevertheless.
        assert answers == ["done", "done"]
        return
    assert answers[0] == "done" and answers[1] != "done"
    assert (row.state, draft.state) in {("asked", "submitted"), ("withdrawn", "draft")}


@pytest.mark.parametrize("locked", [True, False], ids=["with the lock", "control"])
def test_the_last_two_who_answer_settle_the_request_once(cast, monkeypatch, locked):
    row = two(cast)
    drafts = [write(row, planner) for planner in (cast.own_planner, cast.colleague_planner)]
    answers = run(
        monkeypatch,
        (
            lambda: submit_opinion(drafts[0], actor=cast.planner),
            lambda: submit_opinion(drafts[1], actor=cast.colleague),
        ),
        locked=locked, at=("projects.services.opinions.answered_again",),
    )  # fmt: skip
    row.refresh_from_db()
    assert answers == ["done", "done"]
    # Without the lock neither sees the other's answer, and the request waits for ever.
    assert row.state == ("answered" if locked else "asked")


def test_one_substitute_for_one_seat(cast, monkeypatch):
    seat = of_planner(cast, day=DAY).consultees.get()
    answers = run(
        monkeypatch,
        (
            lambda: substitute(seat, actor=cast.bureau, planner=cast.colleague_planner, reason="出差"),
            lambda: substitute(seat, actor=cast.planner, planner=cast.lead_planner, reason="出差"),
        ),
        locked=True,
    )
    assert answers[0] == "done" and "已由他人替代" in answers[1]
    assert Consultee.objects.filter(state="asked").count() == 1


def test_declined_and_submitted_at_once_one_of_them_stands(cast, monkeypatch):
    row = of_planner(cast, day=DAY)
    draft = write(row, cast.own_planner)
    answers = run(
        monkeypatch,
        (
            lambda: submit_opinion(draft, actor=cast.planner),
            lambda: decline(row.consultees.get(), actor=cast.planner, reason="无暇"),
        ),
        locked=True,
    )
    draft.refresh_from_db()
    assert answers[0] == "done" and answers[1] != "done"
    assert (draft.state, row.consultees.get().state) in {("submitted", "answered"), ("draft", "declined")}


def test_two_officers_answer_one_extension(cast, monkeypatch):
    row = of_planner(cast, day=DAY)
    extension = ask_extension(row, actor=cast.planner, days=3, reason="核实")
    answers = run(
        monkeypatch,
        (
            lambda: answer_extension(extension, actor=cast.bureau, granted=True),
            lambda: answer_extension(extension, actor=cast.bureau, granted=False, answer="不同意"),
        ),
        locked=True,
    )
    assert answers[0] == "done" and answers[1] != "done"
    row.refresh_from_db()
    granted = Extension.objects.get().state == "granted"
    assert (row.due_on > date(2026, 6, 17)) == granted


@pytest.mark.parametrize("locked", [True, False], ids=["with the lock", "control"])
def test_endorsed_and_returned_at_once_one_of_them_stands(cast, monkeypatch, locked):
    row = of_planner(cast, day=DAY)
    opinion = write(row, cast.own_planner)
    Opinion.objects.filter(pk=opinion.pk).update(state="endorsing")
    monkeypatch.setattr("projects.permissions_opinions.endorser_of", lambda consultee: cast.lead_planner)
    answers = run(
        monkeypatch,
        (
            lambda: endorse_opinion(opinion, actor=cast.lead),
            lambda: return_opinion(opinion, actor=cast.lead, reason="依据不足"),
        ),
        locked=locked,
    )
    # Behind the lock the compare-and-swap of the move still lets one through alone.
    assert answers[0] == "done" and answers[1] != "done"
    opinion.refresh_from_db()
    assert opinion.state in ("submitted", "returned")


def test_two_tabs_begin_one_opinion(cast, together):
    row = of_planner(cast, day=DAY)
    gate = threading.Barrier(2)

    def begin() -> str:
        gate.wait(10)
        try:
            save_opinion(row.consultees.get(), actor=cast.planner, written=WRITTEN, revision=0)
        except StaleState:
            return "stale"
        return "done"

    assert sorted(together(begin, begin)) == ["done", "stale"]
    assert Opinion.objects.get().items.count() == 2
