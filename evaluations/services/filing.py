"""备案: the package of a round for whom the pack names, made by a job, sent, received, returned or accepted.

One package at a time: the next version is made only when the last has come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import StaleState
from core.jobs import enqueue
from core.notifications import Notice
from core.pdf.issue import next_serial
from core.permissions import require
from core.transitions import apply_move
from districts.access import access_of
from districts.models import Locality
from districts.services.policies import policies_in_force
from evaluations.models import FilingPackage, Round
from evaluations.permissions.outcomes import can_prepare_filing
from evaluations.services.checklist import Obstacle, register_check, unset_obstacle
from evaluations.services.objections import hold_round, results_of
from evaluations.services.rules import RoundRules, of_policy, rules_of
from evaluations.services.told import organisers_of
from evaluations.transitions.outcomes import FILING
from projects.services.audience import officers

FILING_KIND = "evaluations.filing"
RULE = "evaluation.filing"
State = FilingPackage.State
UNDER_WAY = (State.DRAFT, State.SENT, State.RECEIVED, State.ACCEPTED)


def due_after(end: date, due: str | None) -> date | None:
    """The first day of that month and day after the period: 上年互评结果 in the first quarter (京核心区 五(二))."""
    if not due:
        return None
    month, day = (int(part) for part in due.split("-"))
    for year in (end.year, end.year + 1):
        # 29 February in a common year counts as its last day.
        found = date(year, month, min(day, 28)) if (month, day) == (2, 29) and year % 4 else date(year, month, day)
        if found > end:
            return found
    raise AssertionError("one of two years always follows")


def make_package(round_: Round, *, actor: User) -> FilingPackage:
    """One click: letter, table, reports and index are put together by a worker.

    Asked again while one is being made or waits to be sent, gives that one. Side effects: a job, an audit entry.
    Raises: Refused, ValidationError (results not in effect, no rule, one is under way with the city).
    """
    with transaction.atomic():
        locked = hold_round(round_.pk)
        last = FilingPackage.objects.filter(round=locked).order_by("-version").first()
        require(can_prepare_filing(actor, last or FilingPackage(round=locked)))
        if last is not None and last.state == State.DRAFT:
            return _with_job(last, actor)
        if last is not None and last.state != State.RETURNED:
            raise ValidationError(f"第 {last.version} 版备案材料{last.get_state_display()}，不能另行制作。")
        if locked.state != Round.State.PUBLISHED:
            raise ValidationError(f"评估处于{locked.get_state_display()}阶段，结果生效后才能制作备案材料。")
        rule = rules_of(locked).get(RULE)
        if not rule.is_set:
            raise ValidationError(unset_obstacle(rule).text + "。")
        made = FilingPackage.objects.create(
            round=locked, version=last.version + 1 if last else 1, supersedes=last,
            recipient=rule.value["to"], due_on=due_after(locked.end, rule.value.get("due")),
        )  # fmt: skip
        audit.record("filing.make", actor=actor, obj=made, locality=locked.locality, detail={"version": made.version})
        return _with_job(made, actor)


def _with_job(package: FilingPackage, actor: User) -> FilingPackage:
    """A package that waits for its files has a job that makes them; one that failed or was cancelled gets another."""
    if package.archive_id is None and (package.job is None or package.job.state in ("failed", "cancelled")):
        package.job = enqueue(
            FILING_KIND, actor=actor, arguments={"package": package.pk, "results": results_key(package.round)},
            key=f"filing-{package.pk}",
            locality=package.round.locality, label=f"制作{package.round.title}备案材料"[:120],
        )  # fmt: skip
        package.save(update_fields=["job"])
    return package


def remake_package(package: FilingPackage, *, actor: User) -> FilingPackage:
    """Make the files of a package that has not been sent anew, because something in it has changed since.

    Raises: Refused, StaleState, ValidationError (still being made).
    """
    with transaction.atomic():
        round_ = hold_round(package.round_id)
        row = FilingPackage.objects.select_related("job", "round__locality").get(pk=package.pk)
        require(can_prepare_filing(actor, row))
        if row.state != State.DRAFT:
            raise StaleState(f"备案材料{row.get_state_display()}，不能重新制作。")
        if row.archive_id is None and row.job is not None and row.job.state not in ("failed", "cancelled"):
            raise ValidationError("正在制作，请等待完成。")
        row.archive, row.letter, row.index, row.job = None, None, [], None
        row.save(update_fields=["archive", "letter", "index", "job"])
        audit.record("filing.make", actor=actor, obj=row, locality=round_.locality, detail={"version": row.version})
        return _with_job(row, actor)


def send_package(package: FilingPackage, *, actor: User) -> FilingPackage:
    """Hand it to the city. Raises: Refused, StaleState, ValidationError (not made yet, a result has changed since)."""
    with transaction.atomic():
        hold_round(package.round_id)
        row = FilingPackage.objects.select_related("round__locality", "job").get(pk=package.pk)
        require(FILING.move("send").predicate(actor, row))
        if row.state == State.DRAFT and row.archive_id is None:
            raise ValidationError("备案材料还没有制作完成。")
        if row.state == State.DRAFT and results_key(row.round) != made_from(row):
            raise ValidationError("制作后结果有更正，请重新制作备案材料。")
        supervisors = _supervisors(row.round.locality)
        return apply_move(
            row, FILING, "send", actor=actor, changes={"sent_at": timezone.now(), "sent_by": actor},
            notify=lambda moved: Notice(
                supervisors, "filing.sent", f"{moved.round.locality.name}已报送{moved.round.title}备案材料。", url_of(moved)
            ),
        )  # fmt: skip


def receive_package(package: FilingPackage, *, actor: User) -> FilingPackage:
    """The city has it; the receipt's number is the portal's own. Raises: Refused, StaleState."""
    with transaction.atomic():
        require(FILING.move("receive").predicate(actor, package))
        today = timezone.localdate()
        receipt = f"HZ-{today.year}-{next_serial('HZ', today.year):05d}"
        return apply_move(
            package, FILING, "receive", actor=actor, changes={"receipt": receipt, "received_at": timezone.now()},
            notify=lambda row: _back(row, f"备案材料已收到，回执编号 {row.receipt}。"),
        )  # fmt: skip


def return_package(package: FilingPackage, *, actor: User, reason: str) -> FilingPackage:
    """Back for correction: a new version has to be made. Raises: Refused, StaleState, ValidationError (no reason)."""
    return apply_move(
        package, FILING, "return", actor=actor, reason=reason, changes={"return_reason": reason.strip()[:300]},
        notify=lambda row: _back(row, f"备案材料被退回补正：{row.return_reason}"),
    )  # fmt: skip


def accept_package(package: FilingPackage, *, actor: User) -> FilingPackage:
    """On file. Raises: Refused, StaleState."""
    return apply_move(
        package, FILING, "accept", actor=actor, changes={"accepted_at": timezone.now()},
        notify=lambda row: _back(row, "备案材料已准予备案，可以完成备案。"),
    )  # fmt: skip


def _back(row: FilingPackage, text: str) -> Notice:
    return Notice(organisers_of(row.round), "filing.moved", f"{row.round.title}{text}"[:300], url_of(row))


def url_of(package: FilingPackage) -> str:
    return reverse("evaluations:filing", args=[package.pk])


def _supervisors(locality: Locality) -> list[int]:
    """The city's people: of the locality's parent, or registered with the locality itself."""
    places = {locality.pk, locality.parent_id} - {None}
    return sorted({pk for place in places if place is not None for pk in officers(place, Role.CITY)})


def results_key(round_: Round) -> list[list[Any]]:
    """Which version of each result there is now."""
    return [[row.pk, row.version] for row in results_of(round_)]


def made_from(package: FilingPackage) -> list[list[Any]]:
    """Which results the files were made from: those that the job was asked with, and held against again at its end."""
    return list(package.job.arguments.get("results", [])) if package.job is not None else []


# --- who is late --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FilingLine:
    """One locality's filing for one year, for those who wait for it."""

    locality: Locality
    round: Round | None
    package: FilingPackage | None
    due_on: date | None
    standing: str
    tone: str
    days_late: int = 0


def filing_lines(user: User, *, year: int, today: date) -> list[FilingLine]:
    """Every locality in reach that owes a filing of `year`, the late ones first; so many queries for one as for many.

    What is owed is said by the rules of the round, else by the pack in force.
    """
    access = access_of(user)
    places = list(Locality.objects.filter(pk__in=access.locality_ids, is_active=True).order_by("code"))
    rounds: dict[int, list[Round]] = {}
    found = Round.objects.visible_to(user).living().filter(end__year=year).select_related("locality")
    for round_ in found.order_by("-end", "pk"):
        rounds.setdefault(round_.locality_id, []).append(round_)
    packages: dict[int, FilingPackage] = {}
    for package in FilingPackage.objects.visible_to(user).filter(round__end__year=year).order_by("version"):
        packages[package.round_id] = package
    policies = policies_in_force(places)
    lines: list[FilingLine] = []
    for place in places:
        policy = policies.get(place.pk)
        asked = of_policy(policy).value(RULE) if policy is not None else None
        own: list[Round | None] = [*rounds.get(place.pk, [])]
        for each in own or [None]:
            lines += _line(place, each, asked, packages, year, today)
    return sorted(lines, key=lambda line: (-line.days_late, line.locality.code))


def _line(
    place: Locality,
    round_: Round | None,
    asked: dict[str, Any] | None,
    packages: dict[int, FilingPackage],
    year: int,
    today: date,
) -> Iterable[FilingLine]:
    frozen = round_.rules.get(RULE) if round_ is not None else None
    rule = frozen["value"] if frozen else asked
    package = packages.get(round_.pk) if round_ is not None else None
    if rule is None and package is None:
        return
    end = round_.end if round_ is not None else date(year, 12, 31)
    due = package.due_on if package is not None else due_after(end, rule.get("due") if rule else None)
    words, tone, done = _standing(round_, package)
    late = (today - due).days if due is not None and not done and today > due else 0
    yield FilingLine(place, round_, package, due, words, "bad" if late else tone, late)


def _standing(round_: Round | None, package: FilingPackage | None) -> tuple[str, str, bool]:
    """In words, its tone, and whether it has been handed in (what waits with the city is not late)."""
    if package is not None and package.state != State.DRAFT:
        tones = {State.SENT: "info", State.RECEIVED: "info", State.RETURNED: "waiting", State.ACCEPTED: "good"}
        return package.get_state_display(), tones[State(package.state)], package.state != State.RETURNED
    if round_ is None:
        return "尚未组织评估", "waiting", False
    if round_.state in (Round.State.PUBLISHED, Round.State.FILED):
        return "待报送", "waiting", False
    return f"评估处于{round_.get_state_display()}阶段", "waiting", False


# --- with the round ---------------------------------------------------------------------------------------------


@register_check("file")
def _accepted(round_: Round, rules: RoundRules, today: date) -> Iterator[Obstacle]:
    last = FilingPackage.objects.filter(round=round_).order_by("-version").first()
    if last is None:
        yield Obstacle("还没有制作备案材料")
    elif last.state != State.ACCEPTED:
        yield Obstacle(f"第 {last.version} 版备案材料{last.get_state_display()}，准予备案后才能完成")
