"""Evaluations of the demo, one in each locality and each in another phase: being filled in (东城), being deliberated
(晋城), told and objected to (通州), in effect and to be filed (聊城, whose yearly 评议 is being filled in beside it).

Made through the services, each act on a day of its own before today. Raters without a login get one that nobody can
use, marked 示例, so that the forms are somebody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from accounts.roles import Role
from core.jobs import run_one
from core.models import Job
from districts.models import Locality, Membership
from evaluations.models import Indicator, Result, Round, Sheet
from evaluations.services.answers import Given, save_answers, submit_sheet
from evaluations.services.deliberation import adjust_result, record_deliberation, settle_round
from evaluations.services.letters import reply_to_result
from evaluations.services.objections import raise_objection
from evaluations.services.results import results_of
from evaluations.services.rounds import move_round, offered_rounds, open_round, prepare_round
from evaluations.services.seats import Seats
from evaluations.services.steps import close_step, open_step
from planners.models import Planner

from .build import MEMBERS_SINCE
from .places import PLANS
from .review import on_day

# How good the invented results are, in turn; the words go with the worst and the best.
POINTS = (Decimal(88), Decimal(93), Decimal(79), Decimal(84), Decimal(91), Decimal(72), Decimal(86))
WORDS = {72: "现场响应不够及时，意见多为原则性表述。（示例）", 93: "驻场稳定，意见具体可行。（示例）"}

# What the portal counts is shown beside the lines that it bears upon.
EVIDENCE = {
    "attendance": ["days", "required_days", "visits"],
    "daily": ["days", "visits"],
    "advice": ["items", "adoption"],
    "outcome": ["items", "adoption"],
    "adoption": ["items", "adoption", "unanswered"],
    "response": ["answer"],
}


def build_evaluations(today: date) -> int:
    """The number of rounds made."""
    made = 0
    for plan in PLANS:
        people = {user.username.rpartition("-")[0]: user for user in User.objects.filter(is_demo=True)
                  if plan.suffix and user.username.endswith(f"-{plan.suffix}")}  # fmt: skip
        if people:
            made += _Place(Locality.objects.get(code=plan.code), people, today).build(plan.suffix)
    return made


class _Place:
    """One locality with those who log in there."""

    def __init__(self, locality: Locality, people: dict[str, User], today: date) -> None:
        self.locality, self.people, self.today = locality, people, today
        self.bureau, self.leader = people["bureau"], people["leader"]
        self.raters = 0

    def build(self, suffix: str) -> int:
        tell = {"bj": self._filling, "jc": self._deliberating, "tz": self._told, "lc": self._in_effect}[suffix]
        return tell()

    # --- the four ---

    def _filling(self) -> int:
        """Some of the forms are in; those of the people who log in are begun or still to be filled in."""
        round_ = self._opened(8)
        own = [user.pk for name, user in self.people.items() if name in ("planner", "lead", "unit")]
        with self._on(4):
            for number, (sheet, user) in enumerate(self._seats(round_)):
                if user.pk not in own and number % 4 == 1:
                    self._fill(sheet, user, number)
                elif user == self.people["planner"] and not sheet.round.sheets.filter(author=user).exists():
                    self._fill(sheet, user, number, whole=False)
        return 1

    def _deliberating(self) -> int:
        round_ = self._collated(self._opened(70))
        with self._on(12):
            round_ = self._move(round_, "deliberate")
        with self._on(6):
            row = results_of(round_).filter(subject__direction="planner").exclude(score=None).first()
            if row is not None and row.final_score is not None:
                adjust_result(
                    row, actor=self.leader, to_score=row.final_score + Decimal("0.50"), to_grade=row.final_grade,
                    reason="片区交通专项意见被采纳后成效明显，会议一致同意调整（示例）",
                )  # fmt: skip
        return 1

    def _told(self) -> int:
        """In the days to object: the planner has objected, a colleague has replied."""
        round_ = self._announced(self._collated(self._opened(75)), 3)
        planner = self.people["planner"]
        mine = self._result_of(round_, planner)
        with self._on(2):
            if mine is not None:
                raise_objection(
                    mine, actor=planner, grounds="九月的三次走访已补录并经属地确认，评估时尚未计入，请复核。（示例）"
                )
        return 1

    def _in_effect(self) -> int:
        """The term's evaluation in effect, waiting to be filed; the yearly one of the offices being filled in."""
        made = 0
        for plan, period in offered_rounds(self.locality, today=self.today):
            if plan.scope == "planner" and period.end < self.today and not made:
                round_ = self._announced(self._collated(self._opened(90, plan, period)), 30)
                with self._on(25):
                    mine = self._result_of(round_, self.people["planner"])
                    if mine is not None:
                        reply_to_result(mine, actor=self.people["planner"], text="已阅，无异议。（示例）")
                with self._on(15):
                    self._move(round_, "publish")
                made += 1
        for plan, period in offered_rounds(self.locality, today=self.today):
            if plan.scope == "department" and period.end < self.today:
                round_ = self._opened(9, plan, period)
                with self._on(3):
                    for number, (sheet, user) in enumerate(self._seats(round_)):
                        if number % 7 == 1 and user not in self.people.values():
                            self._fill(sheet, user, number)
                return made + 1
        return made

    # --- the way there ---

    @contextmanager
    def _on(self, ago: int) -> Iterator[date]:
        day = self.today - timedelta(days=ago)
        with on_day(day):
            yield day

    def _opened(self, ago: int, plan: Any = None, period: Any = None) -> Round:
        if plan is None:
            past = [row for row in offered_rounds(self.locality, today=self.today) if row[1].end < self.today]
            plan, period = past[0]
        with self._on(ago) as day:
            made = prepare_round(
                self.locality, actor=self.bureau, scope=plan.scope, start=period.start, end=period.end, today=day
            )
            lines = Indicator.objects.filter(form__step__round=made).exclude(kind=Indicator.Kind.TEXT)
            lines.update(comment_at_most=60, comment_at_least=95)
            for line in lines:
                line.evidence = EVIDENCE.get(line.code, [])
                line.save(update_fields=["evidence"])
            round_ = open_round(made, actor=self.bureau, today=day)
            if round_.state == Round.State.SELF_REPORT:
                round_ = self._move(round_, "start_scoring")
        return round_

    def _move(self, round_: Round, move: str) -> Round:
        from django.utils import timezone

        actor = self.leader if move == "announce" else self.bureau
        return move_round(round_, move, actor=actor, today=timezone.localdate())

    def _collated(self, round_: Round) -> Round:
        """Every step filled in and closed; computed at once, as a worker would."""
        ago = (self.today - round_.opened_at.date()).days if round_.opened_at else 60
        for step in round_.steps.order_by("number"):
            with self._on(ago - 5) as day:
                if step.state == "pending":
                    step = open_step(step, actor=self.bureau, due_on=day + timedelta(days=15))
                for number, (sheet, user) in enumerate(self._seats(round_, step=step)):
                    self._fill(sheet, user, number)
            ago -= 20
            with self._on(ago):
                close_step(step, actor=self.bureau)
        with self._on(ago - 1):
            moved = self._move(round_, "collate")
            run_one(Job.objects.get(key=f"evaluate-{round_.pk}").pk)
        return moved

    def _announced(self, round_: Round, ago: int) -> Round:
        """Deliberated by the working group, settled and told; the bureau takes the minutes, the leader stays free to
        review objections."""
        with self._on(ago + 3):
            moved = self._move(round_, "deliberate")
        with self._on(ago + 1) as day:
            for row in results_of(moved).filter(final_grade="", subject__direction="planner"):
                adjust_result(row, actor=self.bureau, to_score=None, to_grade="", reason="样本不足，不评定等级（示例）")
            settle_round(moved, actor=self.leader)
            record_deliberation(
                moved, actor=self.bureau, body="评估工作组（示例）", held_on=day, attendees="示例甲、示例乙、示例丙",
                minutes="会议听取评估情况汇报，逐一核对得分、名次和依据，同意评估结果。（示例）", today=day,
            )  # fmt: skip
        with self._on(ago):
            return self._move(moved, "announce")

    @staticmethod
    def _result_of(round_: Round, user: User) -> Result | None:
        from evaluations.querysets.rounds import is_subject

        return results_of(round_).filter(subject__in=round_.subjects.filter(is_subject(user))).first()

    # --- forms ---

    def _seats(self, round_: Round, **only: Any) -> list[tuple[Sheet, User]]:
        """Every form with one who may fill it in."""
        rows = list(
            Sheet.objects.unanswered().filter(round=round_, **only).order_by("pk").select_related(
                "planner", "unit", "organisation", "subject"
            )
        )  # fmt: skip
        seats = Seats(round_.locality, on=self.today)
        made: dict[Any, User] = {}
        found = []
        for sheet in rows:
            people = [user for user in seats.of(sheet) if user.pk not in _subjects_people(sheet)]
            key = (sheet.planner_id, sheet.unit_id, sheet.organisation_id, sheet.side)
            user = people[0] if people else made.get(key)
            if user is None:
                user = made[key] = self._rater(sheet)
            found.append((sheet, user))
        return found

    def _rater(self, sheet: Sheet) -> User:
        """A login that nobody can use, for a rater whom the demo does not let in."""
        self.raters += 1
        name = sheet.planner.name if sheet.planner else f"{sheet.rater}评估人（示例）"[:60]
        user = User(username=f"rater{self.raters}-{self.locality.code}", name=name, locality_code=self.locality.code)
        user.set_unusable_password()
        user.save()
        if sheet.planner is not None:
            Planner.objects.filter(pk=sheet.planner.pk, user=None).update(user=user)
        role = Role.PLANNER if sheet.planner else Role.UNIT if sheet.unit_id else Role.DEPARTMENT
        Membership.objects.create(
            user=user, role=role, locality=self.locality, valid_from=MEMBERS_SINCE, unit=sheet.unit,
            organisation=None if sheet.planner or sheet.unit_id else sheet.organisation,
        )  # fmt: skip
        return user

    def _fill(self, sheet: Sheet, user: User, number: int, *, whole: bool = True) -> None:
        from django.utils import timezone

        points = POINTS[(number + sheet.subject_id) % len(POINTS)]
        given: dict[int, Given] = {}
        lines = [line for line in sheet.form.indicators.all() if line.kind != Indicator.Kind.COUNT]
        for place, line in enumerate(lines if whole else lines[:1]):
            if line.kind == Indicator.Kind.TEXT:
                given[line.pk] = Given(text="建议增加夜间和周末走访。（示例）")
            elif line.kind == Indicator.Kind.YES_NO:
                given[line.pk] = Given(value=Decimal(1))
            else:
                given[line.pk] = Given(value=points - place, comment=WORDS.get(int(points), "") if not place else "")
        today = timezone.localdate()
        if whole:
            submit_sheet(sheet, actor=user, given=given, today=today)
        else:
            save_answers(sheet, actor=user, given=given, seen={}, today=today)


def _subjects_people(sheet: Sheet) -> set[int | None]:
    return {sheet.subject.planner.user_id} if sheet.subject.planner else set()
