"""What the pages of adoption show of items: each with its authors, its answer, former versions, and its proofs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Prefetch

from core.workdays import CalendarGap, WorkCalendar
from projects import permissions_adoption as may
from projects.adoption import WORDS, Bundle
from projects.deadlines import light, remaining_workdays
from projects.models import Consultation, ItemAnswer, ItemProof, OpinionItem, Project
from projects.permissions_disputes import fileable
from projects.services.adoption_reads import items_seen, judged
from projects.services.due import days_between

if TYPE_CHECKING:
    from accounts.models import User

# The outcomes of projects.adoption as badges.
TONES = {"adopted": "good", "partly": "waiting", "refused": "bad", "owed": "waiting", "late": "bad"}
SEVERITY_TONES = {"must": "bad", "should": "waiting", "may": "neutral"}


@dataclass(frozen=True, slots=True)
class Day:
    """A day that something is due, with the workdays left in words and as a traffic light ("" without a day)."""

    on: date | None
    tone: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """Days judged from one snapshot of the calendar."""

    today: date
    calendar: WorkCalendar

    @classmethod
    def among(cls, today: date, days: Iterable[date | None]) -> Watch:
        """Over what lies between today and these days, of last year to next year: one query, none without a day."""
        near = [day for day in days if day is not None and abs(day.year - today.year) <= 1]
        if not near:
            return cls(today, WorkCalendar.of(()))
        return cls(today, days_between(min(*near, today), max(*near, today)))

    def day(self, on: date | None) -> Day:
        try:
            left = remaining_workdays(on, self.today, self.calendar)
        except CalendarGap:
            # Too far off to count workdays: late is late.
            late = on is not None and on < self.today
            return Day(on, "bad", "已逾期") if late else Day(on, "good", "")
        if left is None:
            return Day(None)
        words = "今天到期" if left == 0 and on == self.today else f"还有 {left} 个工作日"
        if on is not None and on < self.today:
            words = f"已逾期 {-left} 个工作日" if left else "已过期限"
            return Day(on, "bad", words)
        return Day(on, light(left, soon=settings.REVIEW["remind_workdays"]), words)


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item as the page shows it."""

    item: OpinionItem
    number: int
    authors: str
    answer: ItemAnswer | None
    former: Sequence[ItemAnswer]
    proofs: Sequence[ItemProof]
    due: Day
    may_dispute: bool
    may_prove: bool

    @property
    def tone(self) -> str:
        return TONES[self.answer.decision] if self.answer else "neutral"

    @property
    def severity_tone(self) -> str:
        return SEVERITY_TONES[self.item.severity]


def shown_items(rows: Any) -> list[OpinionItem]:
    """Items with all that a line needs, in a fixed number of queries."""
    answers = ItemAnswer.objects.select_related("asker", "answered_by").prefetch_related(
        Prefetch("proofs", ItemProof.objects.select_related("file", "recorded_by"))
    )
    rows = rows.select_related(
        "opinion__author", "opinion__consultee__consultation__asker", "opinion__consultee__consultation__project"
    )
    return list(rows.prefetch_related(Prefetch("answers", answers), "opinion__co_authors__planner"))


def lines_of(items: Iterable[OpinionItem], *, user: User, today: date) -> list[ItemLine]:
    items = list(items)
    watch = Watch.among(today, [answer.due_on for item in items for answer in item.answers.all()])
    # What was adopted as it stands is hardly disputed: it is not offered there, though nobody is kept from it.
    may_dispute = fileable(user, [item for item in items if not _adopted(item)])
    adopted = [answer for item in items for answer in item.answers.all() if answer.is_current]
    provable = next((answer for answer in adopted if answer.decision != "refused"), None)
    # Within one request who may prove one may prove all, but for what is refused.
    may_prove = provable is not None and bool(may.can_prove(user, provable))
    return [
        _line(item, number, may_dispute=item.pk in may_dispute, may_prove=may_prove, watch=watch)
        for number, item in enumerate(items, start=1)
    ]


def _adopted(item: OpinionItem) -> bool:
    return any(one.is_current and one.decision == "adopted" for one in item.answers.all())


def _line(item: OpinionItem, number: int, *, may_dispute: bool, may_prove: bool, watch: Watch) -> ItemLine:
    versions = list(item.answers.all())
    answer = next((one for one in versions if one.is_current), None)
    proofs = [proof for one in versions for proof in one.proofs.all()]
    people = [item.opinion.author, *(row.planner for row in item.opinion.co_authors.all())]
    due_on = answer.due_on if answer is not None and not proofs else None
    return ItemLine(
        item, number, "、".join(person.name for person in people), answer,
        [one for one in versions if not one.is_current], proofs, watch.day(due_on),
        may_dispute, may_prove and answer is not None and answer.decision != "refused",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request on the project's page: how its items stand."""

    consultation: Consultation
    bundle: Bundle
    due: Day
    may_answer: bool

    @property
    def counts(self) -> list[tuple[str, int, str]]:
        """(words, number, tone) of the outcomes that occur."""
        return [
            (WORDS[outcome], number, TONES.get(outcome, "neutral"))
            for outcome in WORDS
            if (number := self.bundle.count(outcome))
        ]


def requests_of(project: Project, *, user: User, today: date) -> list[RequestLine]:
    """The project's requests that have items, newest first, as far as the person may see them."""
    rows = judged(items_seen(user).filter(opinion__consultee__consultation__project=project), today)
    found = list(
        rows.order_by().values_list("opinion__consultee__consultation_id", "outcome", "pk").distinct()
    )  # fmt: skip
    items: dict[int, list[tuple[int, str]]] = {}
    for consultation, outcome, pk in found:
        items.setdefault(consultation, []).append((pk, outcome))
    requests = list(Consultation.objects.filter(pk__in=items).select_related("asker", "stage", "project"))
    due = {row.pk: row.feedback_due_on for row in requests if row.state == "answered"}
    watch = Watch.among(today, due.values())
    return [
        RequestLine(
            row, Bundle.of(items[row.pk]), watch.day(due.get(row.pk)),
            row.state == "answered" and bool(may.can_answer_items(user, row)),
        )
        for row in requests
    ]  # fmt: skip
