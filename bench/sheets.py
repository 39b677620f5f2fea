"""The last hour of an evaluation: 3,000 forms handed in, by one after the other and by several at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from time import perf_counter

from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from bench.report import Figure, told
from districts.models import Membership
from evaluations.models import Indicator, Round, Sheet
from evaluations.services.answers import Given, submit_sheet

FORMS, RATERS, WRITERS, HOUR = 3_000, 60, 4, 3_600


def measure(forms: int = FORMS) -> list[Figure]:
    with told(f"{forms:,} 份评估表"):
        sheets = _owed(forms)
    few = sheets[: forms // 10]
    with told("一人接一人提交"):
        alone = _submit(few)
    with told(f"{WRITERS} 人同时提交"):
        began = perf_counter()
        spent = _together(sheets[len(few) :])
        whole = perf_counter() - began
    lost = Sheet.objects.filter(pk__in=[sheet.pk for sheet in sheets]).exclude(state="submitted").count()
    if lost:
        raise RuntimeError(f"{lost} forms were not handed in")
    rate = (len(sheets) - len(few)) / whole
    return [
        Figure(f"每秒提交的评估表（{WRITERS} 人同时）/ 最后一小时 3,000 份", rate, FORMS / HOUR, "份/秒", 2, "≥"),
        Figure("同时提交时第 95 百分位的用时 / 一人提交", _p95(spent), _p95(alone), "s", 2 * WRITERS),
    ]  # fmt: skip


def _owed(count: int) -> list[Sheet]:
    """As many forms of one open step, of raters who hold a role in its locality."""
    round_ = Round.objects.filter(state="scoring", standing="active", steps__state="open").earliest("pk")
    step = round_.steps.filter(state="open").earliest("number")
    form = step.forms.get(direction="planner")
    subject = round_.subjects.in_direction("planner").taking_part().earliest("pk")
    raters = [User(username=f"bench-rater-{n}", name=f"基准评估人{n}") for n in range(RATERS)]
    raters = User.objects.bulk_create(raters)
    Membership.objects.bulk_create(
        Membership(user=user, role=Role.EVALUATOR, locality=round_.locality, valid_from=timezone.localdate())
        for user in raters
    )
    # A run may go on past midnight, when the day is over for everybody.
    step.due_on = timezone.localdate() + timedelta(days=1)
    step.save(update_fields=["due_on"])
    return Sheet.objects.bulk_create(
        Sheet(
            round=round_, step=step, form=form, subject=subject, side="unit", assignee=raters[n % RATERS],
            rater_key=f"bench-{n}", rater=f"基准评估人{n % RATERS}",
        )
        for n in range(count)
    )  # fmt: skip


def _submit(sheets: Sequence[Sheet]) -> list[float]:
    """Each with every line filled in, saved and handed in as one act."""
    lines = list(Indicator.objects.filter(form=sheets[0].form_id).exclude(kind=Indicator.Kind.COUNT))
    given = {
        line.pk: Given(text="基准") if line.kind == Indicator.Kind.TEXT else Given(value=Decimal(80)) for line in lines
    }
    spent = []
    for sheet in sheets:
        began = perf_counter()
        assert sheet.assignee is not None
        submit_sheet(sheet, actor=sheet.assignee, given=given, today=timezone.localdate())
        spent.append(perf_counter() - began)
    return spent


def _together(sheets: Sequence[Sheet]) -> list[float]:
    parts = [sheets[number::WRITERS] for number in range(WRITERS)]
    spent: list[float] = []
    failed: list[BaseException] = []

    def work(part: Sequence[Sheet]) -> None:
        try:
            spent.extend(_submit(part))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return spent


def _p95(spent: Sequence[float]) -> float:
    return sorted(spent)[int(len(spent) * 0.95)]
