"""Two officers at the same moment, on two real connections: one acts, the other is told; and what happens without the
guard (so that the tests are known to race)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.utils import timezone

from core import transitions
from core.errors import StaleState
from districts.models import Membership
from factories import make_cast
from projects.models import Project, ProjectStage, Recusal, StageDecision
from projects.services import conflicts, data_requests, stages
from projects.services.registry import create_project

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def run(acts: list[Callable[[], Any]], monkeypatch: Any, gates: list[tuple[Any, str]], *, guarded: bool) -> list[str]:
    """Both acts at once, each on its own connection; each waits at the gates (a moment, where the guard lets but one
    come so far)."""
    for owner, name in gates:
        barrier, real = threading.Barrier(2), getattr(owner, name)

        def stopped(*args: Any, _barrier: Any = barrier, _real: Any = real, **kwargs: Any) -> Any:
            with contextlib.suppress(threading.BrokenBarrierError):
                _barrier.wait(0.5 if guarded else 10)
            return _real(*args, **kwargs)

        monkeypatch.setattr(owner, name, stopped)
    if not guarded:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)
        monkeypatch.setattr(transitions, "_guard", lambda machine, before: {})
    answers: list[str] = []

    def act(one: Callable[[], Any]) -> None:
        try:
            one()
            answers.append("done")
        except StaleState as error:
            answers.append(error.reason)
        except ValidationError as error:
            answers.append("；".join(error.messages))
        except IntegrityError as error:
            answers.append(f"refused by the database: {error}")
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(one,)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    return sorted(answers, key=lambda answer: answer != "done")


@pytest.fixture
def scene() -> tuple[Any, Project, ProjectStage]:
    cast = make_cast()
    office = Membership.objects.get(user=cast.department).organisation
    project = create_project(
        cast.locality,
        actor=cast.bureau,
        units=[cast.unit],
        number="XM-R",
        name="甲",
        kind="other",
        stage="scheme",
        owner=office,
    )
    return cast, project, project.stages.get()


def approving(cast: Any, stage: ProjectStage) -> list[Callable[[], Any]]:
    return [
        lambda who=who: stages.decide_stage(
            ProjectStage.objects.get(pk=stage.pk), actor=who, decided_on=timezone.localdate(), unconsulted=True
        )
        for who in (cast.bureau, cast.department)
    ]


def test_of_two_officers_who_approve_at_once_one_does_and_the_other_is_told(scene, monkeypatch):
    cast, project, stage = scene
    answers = run(approving(cast, stage), monkeypatch, [(stages, "gate_of")], guarded=True)
    assert answers[0] == "done"
    assert answers[1].startswith("已被他人处理，该阶段当前状态为“已通过”")
    assert StageDecision.objects.count() == 1
    assert list(project.stages.order_by("pk").values_list("stage", "state")) == [
        ("scheme", "passed"),
        ("construction", "open"),
    ]


def test_without_the_guard_both_get_as_far_as_the_database(scene, monkeypatch):
    """The control: the race does happen, and behind the guard the constraint of one decision a round still holds."""
    cast, project, stage = scene
    answers = run(approving(cast, stage), monkeypatch, [(stages, "gate_of")], guarded=False)
    assert answers[0] == "done"
    assert not answers[1].startswith("已被他人处理")
    assert StageDecision.objects.count() == 1
    assert project.stages.filter(state="open").count() == 1


def test_approving_and_sending_back_at_once_is_one_of_the_two(scene, monkeypatch):
    cast, project, stage = scene
    acts = [
        approving(cast, stage)[0],
        lambda: stages.send_back(ProjectStage.objects.get(pk=stage.pk), actor=cast.department, reason="改"),
    ]
    answers = run(acts, monkeypatch, [(stages, "apply_move")], guarded=True)
    assert answers[0] == "done"
    assert answers[1].startswith("已被他人处理")
    assert project.stages.filter(state="open").count() == 1
    stage.refresh_from_db()
    assert StageDecision.objects.count() == (stage.state == "passed")


@pytest.mark.parametrize("guarded", [True, False])
def test_a_recusal_recorded_by_two_at_once_is_one(scene, monkeypatch, guarded):
    cast, project, _ = scene
    acts = [
        lambda who=who: conflicts.record_recusal(
            Project.objects.get(pk=project.pk), cast.own_planner, actor=who, ground="declared", reason="亲属"
        )
        for who in (cast.bureau, cast.planner)
    ]
    answers = run(acts, monkeypatch, [(conflicts, "save_checked")], guarded=guarded)
    assert answers[0] == "done"
    # With the lock the second is told by the check, without it by the constraint.
    assert ("已被他人处理" in answers[1]) == guarded
    assert Recusal.objects.count() == 1


def test_a_request_for_data_answered_by_two_at_once_is_answered_once(scene, monkeypatch):
    cast, _, _ = scene
    row = data_requests.ask_data(actor=cast.planner, what="图", purpose="用")
    acts = [
        lambda: data_requests.refuse_data(row, actor=cast.bureau, answer="无"),
        lambda: data_requests.grant_data(row, actor=cast.bureau, level="internal", answer="到窗口"),
    ]
    answers = run(acts, monkeypatch, [(data_requests, "_held")], guarded=True)
    assert answers[0] == "done"
    assert answers[1].startswith("已被他人处理")
    row.refresh_from_db()
    assert row.state in {"refused", "granted"}
