"""Giving an opinion (意见书): a list of items, written together, endorsed where the pack asks, frozen once submitted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Prefetch
from django.utils import timezone

from accounts.models import User
from core import audit
from core.errors import StaleState
from core.models import StoredFile
from core.notifications import Notice
from core.permissions import require
from core.saving import save_checked
from core.text import clean_text, one_line
from core.transitions import apply_move
from planners.models import Planner
from projects.conflicts import conflict_of
from projects.models import Consultation, Consultee, Opinion, OpinionAuthor, OpinionItem
from projects.permissions_opinions import (
    IN_HAND,
    can_begin,
    can_discard,
    can_endorse,
    can_enter_paper,
    can_renew,
    can_return,
    can_submit,
    can_write,
    endorser_of,
    is_author,
)
from projects.review import points_of
from projects.services.audience import desk_of, logins_of
from projects.services.choosing import policy_of
from projects.services.consultees import ROWS as CONSULTEES
from projects.services.consultees import colleagues_of
from projects.services.course import answered_again, locked, reason_of, tell
from projects.transitions import CONSULTEE, OPINION

ROWS = Opinion.objects.select_related("locality", "author__institution", "document__file").prefetch_related(
    Prefetch("consultee", CONSULTEES), "endorsed_by", "entered_by", "scan", "supersedes__document"
)
LONGEST_SUMMARY, LONGEST_TEXT, LONGEST_BASIS, MOST_ITEMS = 4000, 2000, 300, 60
_STALE = "这份意见书已在别处保存过。请先复制本页未保存的文字，再刷新页面。"


@dataclass(frozen=True, slots=True)
class ItemGiven:
    """One point as it was written."""

    text: str
    section: str = ""
    severity: str = OpinionItem.Severity.SHOULD
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the form. `co_authors` None: as they are."""

    verdict: str = ""
    summary: str = ""
    items: Sequence[ItemGiven] = ()
    co_authors: Iterable[Planner] | None = None


def sections_for(consultee: Consultee) -> list[str]:
    """The points that the pack has an opinion at this stage speak to, for the role of who writes it."""
    consultation = consultee.consultation
    return points_of(
        policy_of(consultation), consultation.stage.stage, role=consultee.role_type, kind=consultation.project.kind
    )


def bases_for(consultee: Consultee) -> list[str]:
    """What the pack names as grounds of an opinion (review.basis)."""
    policy = policy_of(consultee.consultation)
    return list((policy.value("review.basis") if policy is not None else None) or ())


def in_hand(consultee: Consultee) -> Opinion | None:
    """The opinion that is being written, or waits for the lead."""
    return ROWS.filter(consultee=consultee, state__in=[*IN_HAND, Opinion.State.ENDORSING]).first()


# --- written ------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_opinion(
    consultee: Consultee, *, actor: User, written: Written, revision: int, opinion: Opinion | None = None
) -> Opinion:
    """Keep what was written, whole or not; the first time begins the opinion (`revision` 0).

    `revision`: the one that the page was built from. Who writes along changes the text, the author alone says who does.
    Side effects: audit when something changed. Raises: Refused, StaleState (saved elsewhere since; what the caller
    wrote is not kept), ValidationError by field.
    """
    row = opinion if opinion is not None else in_hand(consultee)
    if row is None:
        require(can_begin(actor, consultee))
        row = _begin(consultee, actor=actor, revision=revision)
    else:
        require(can_write(actor, row))
        _hold(row, revision)
    items = cleaned_items(written, row.consultee, known=row.items.values_list("section", flat=True))
    changed = _changed(row, written, items)
    Opinion.objects.filter(pk=row.pk).update(verdict=written.verdict, summary=clean_text(written.summary))
    if "items" in changed:
        row.items.all().delete()
        _keep_items(row, items)
    if written.co_authors is not None and is_author(actor, row):
        changed += _set_co_authors(row, written.co_authors)
    if changed:
        audit.record("opinion.save", actor=actor, obj=row, locality=row.locality, detail={"changed": changed})
    return ROWS.get(pk=row.pk)


def _begin(consultee: Consultee, *, actor: User, revision: int) -> Opinion:
    if revision:
        # The page showed a draft that is no more: given up elsewhere.
        raise StaleState(_STALE)
    last = consultee.opinions.aggregate(last=Max("version"))["last"] or 0
    try:
        with transaction.atomic():
            made = Opinion.objects.create(
                locality=consultee.consultation.locality, consultee=consultee, author=consultee.planner,
                version=last + 1, revision=1,
            )  # fmt: skip
    except IntegrityError as exc:
        # Two tabs began at the same moment.
        raise StaleState(_STALE) from exc
    audit.record("opinion.begin", actor=actor, obj=made, locality=made.locality)
    return ROWS.get(pk=made.pk)


def _hold(row: Opinion, revision: int) -> None:
    rows = Opinion.objects.filter(pk=row.pk, revision=revision, state__in=IN_HAND)
    if not rows.update(revision=F("revision") + 1):
        raise StaleState(_STALE)


def _keep_items(row: Opinion, items: Iterable[ItemGiven]) -> None:
    OpinionItem.objects.bulk_create(
        OpinionItem(opinion=row, position=n, section=i.section, text=i.text, severity=i.severity, basis=i.basis)
        for n, i in enumerate(items, 1)
    )


def cleaned_items(written: Written, consultee: Consultee, known: Iterable[str] = ()) -> list[ItemGiven]:
    """The items that hold anything, cleaned; `known`: sections that stand there already, whatever the pack says now.

    Raises ValidationError by field, for verdict and summary too.
    """
    errors: dict[str, list[str]] = {}
    if written.verdict and written.verdict not in Opinion.Verdict.values:
        errors["verdict"] = ["请选择总体意见。"]
    if len(clean_text(written.summary)) > LONGEST_SUMMARY:
        errors["summary"] = [f"综合意见有 {len(clean_text(written.summary))} 字，最多 {LONGEST_SUMMARY} 字。"]
    sections = {"", *sections_for(consultee), *known}
    items, problems = [], []
    for given in written.items:
        item = ItemGiven(clean_text(given.text), given.section, given.severity, one_line(given.basis))
        if not item.text and not item.basis:
            continue
        items.append(item)
        number = len(items)
        if len(item.text) > LONGEST_TEXT:
            problems.append(f"第 {number} 条意见有 {len(item.text)} 字，最多 {LONGEST_TEXT} 字。")
        if len(item.basis) > LONGEST_BASIS:
            problems.append(f"第 {number} 条的依据有 {len(item.basis)} 字，最多 {LONGEST_BASIS} 字。")
        if item.section not in sections or item.severity not in OpinionItem.Severity.values:
            problems.append(f"第 {number} 条的要点或程度无效，请重新选择。")
    if len(items) > MOST_ITEMS:
        problems.append(f"意见最多 {MOST_ITEMS} 条，请合并后再保存。")
    if problems:
        errors["items"] = problems
    if errors:
        raise ValidationError(errors)
    return items


def _changed(row: Opinion, written: Written, items: Sequence[ItemGiven]) -> list[str]:
    changed = [name for name in ("verdict", "summary") if getattr(row, name) != clean_text(getattr(written, name))]
    before = [ItemGiven(i.text, i.section, i.severity, i.basis) for i in row.items.order_by("position", "pk")]
    return changed + (["items"] if before != list(items) else [])


def _set_co_authors(row: Opinion, planners: Iterable[Planner]) -> list[str]:
    wanted = {one.pk: one for one in planners}
    before = set(row.co_authors.values_list("planner_id", flat=True))
    if wanted.keys() == before:
        return []
    known = {one.pk for one in colleagues_of(row.author)}
    for pk, one in wanted.items():
        if pk not in known and pk not in before:
            raise ValidationError({"co_authors": f"{one.name}不在您的团队中。"})
        if conflict := conflict_of(one, row.consultee.consultation.project):
            raise ValidationError({"co_authors": f"{one.name}：{conflict.words}，不能共同撰写。"})
    row.co_authors.exclude(planner_id__in=wanted).delete()
    OpinionAuthor.objects.bulk_create(
        OpinionAuthor(opinion=row, planner_id=pk) for pk in wanted if pk not in before
    )  # fmt: skip
    consultation = row.consultee.consultation
    text = f"{row.author.name}邀您共同撰写“{consultation.project.name}”的意见书（{consultation.number}）。"
    tell(consultation, logins_of([pk for pk in wanted if pk not in before]), "opinion.co_author", text)
    return ["co_authors"]


@transaction.atomic
def discard_draft(opinion: Opinion, *, actor: User) -> None:
    """Give up what is being written; nobody but its authors has ever seen it. Raises: Refused, StaleState."""
    row = ROWS.select_for_update(of=("self",)).get(pk=opinion.pk)
    require(can_discard(actor, row))
    audit.record("opinion.discard", actor=actor, obj=row, locality=row.locality, detail={"version": row.version})
    row.delete()


# --- handed in -----------------------------------------------------------------------------------------------------


def written_in(opinion: Opinion) -> Written:
    """What stands in it."""
    rows = opinion.items.order_by("position", "pk")
    items = [ItemGiven(row.text, row.section, row.severity, row.basis) for row in rows]
    return Written(opinion.verdict, opinion.summary, items)


def lacking(written: Written) -> dict[str, list[str]]:
    """What is still missing before it can be handed in, by field of the form."""
    items = written.items
    found: dict[str, list[str]] = {}
    if not written.verdict:
        found["verdict"] = ["请选择总体意见。"]
    problems = [f"第 {n} 条没有写意见。" for n, item in enumerate(items, 1) if not item.text]
    problems += [f"第 {n} 条没有写依据。" for n, item in enumerate(items, 1) if not item.basis]
    if not items and written.verdict != Opinion.Verdict.AGREE:
        problems.append("请至少写一条意见；没有意见的，总体意见请选“同意”。")
    if not items and not written.summary:
        found["summary"] = ["没有意见条目的，请写明综合意见。"]
    if problems:
        found["items"] = problems
    return found


def _fresh(opinion: Opinion) -> Opinion:
    """The row again with its request locked; the one object of the request that all moves share."""
    held = locked(opinion.consultee.consultation_id)
    # Held too, so that what is judged whole is what is handed in: a colleague may be saving at this moment.
    row = ROWS.select_for_update(of=("self",)).get(pk=opinion.pk)
    row.consultee.consultation = held
    return row


@transaction.atomic
def submit_opinion(opinion: Opinion, *, actor: User) -> Opinion:
    """Hand it in: to the lead where the pack asks for an endorsement (review.endorsement), else at once for good.

    Side effects: audit, notices; submitted, the planner has answered and the request may settle; its PDF is made.
    Raises: Refused (withdrawn meanwhile, a conflict …), StaleState, ValidationError by field (not whole).
    """
    row = _fresh(opinion)
    require(can_submit(actor, row))
    if missing := lacking(written_in(row)):
        raise ValidationError(missing)
    lead = endorser_of(row.consultee)
    if lead is None:
        return _hand_in(row, "submit", actor=actor)
    project = row.consultee.consultation.project
    return apply_move(
        row, OPINION, "send", actor=actor, changes={"return_reason": ""},
        notify=Notice(
            logins_of([lead.pk]), "opinion.endorse", f"{row.author.name}提交了“{project.name}”的意见书，请审核。",
            row.get_absolute_url(),
        ),
    )  # fmt: skip


def _hand_in(row: Opinion, move: str, *, actor: User, endorsed_by: Planner | None = None) -> Opinion:
    consultation = row.consultee.consultation
    if row.supersedes_id is not None:
        apply_move(Opinion.objects.get(pk=row.supersedes_id), OPINION, "renew", actor=actor)
    row = apply_move(
        row, OPINION, move, actor=actor,
        changes={"submitted_at": timezone.now(), "endorsed_by": endorsed_by, "return_reason": ""},
    )  # fmt: skip
    _answered(row, consultation, actor=actor)
    version = f"第 {row.version} 版" if row.version > 1 else ""
    text = f"{row.author.name}已提交“{consultation.project.name}”的意见书{version}（{consultation.number}）。"
    tell(consultation, desk_of(consultation), "opinion.submitted", text, key=f"opinion-submitted-{row.pk}")
    _make_pdf(row, actor=actor)
    return row


def _answered(row: Opinion, consultation: Consultation, *, actor: User) -> None:
    if row.consultee.state in (Consultee.State.ASKED, Consultee.State.ATTENDED, Consultee.State.ABSENT):
        apply_move(row.consultee, CONSULTEE, "answer", actor=actor, changes={"closed_at": timezone.now()})
    answered_again(consultation, actor=actor)


def _make_pdf(row: Opinion, *, actor: User) -> None:
    from projects.services.opinion_documents import request_pdf

    request_pdf(row, actor=actor)


@transaction.atomic
def take_back(opinion: Opinion, *, actor: User) -> Opinion:
    """Back into the author's hands before the lead has endorsed it. Raises: Refused, StaleState."""
    return apply_move(_fresh(opinion), OPINION, "take_back", actor=actor)


@transaction.atomic
def endorse_opinion(opinion: Opinion, *, actor: User) -> Opinion:
    """The lead's endorsement hands it in for good. Raises: Refused, StaleState."""
    row = _fresh(opinion)
    require(can_endorse(actor, row))
    lead = Planner.objects.of_user(actor).first()
    moved = _hand_in(row, "endorse", actor=actor, endorsed_by=lead)
    consultation = row.consultee.consultation
    text = f"您就“{consultation.project.name}”的意见书已审核通过并提交。"
    tell(consultation, logins_of([moved.author_id]), "opinion.endorsed", text)
    return moved


@transaction.atomic
def return_opinion(opinion: Opinion, *, actor: User, reason: str) -> Opinion:
    """The lead gives it back with a reason. The term runs on, and what has been escalated stays so.

    Raises: Refused, StaleState, ValidationError.
    """
    row = _fresh(opinion)
    require(can_return(actor, row))
    reason = reason_of(reason)
    moved = apply_move(row, OPINION, "return", actor=actor, reason=reason, changes={"return_reason": reason})
    consultation = row.consultee.consultation
    late = consultation.due_on is not None and consultation.due_on < timezone.localdate()
    until = f"（答复期限 {consultation.due_on}{'，已逾期' if late else ''}）" if consultation.due_on else ""
    text = f"您就“{consultation.project.name}”的意见书被退回{until}：{reason}"
    tell(consultation, logins_of([moved.author_id]), "opinion.returned", text)
    return moved


@transaction.atomic
def renew_opinion(opinion: Opinion, *, actor: User, reason: str) -> Opinion:
    """Begin a new version of what was submitted, with the reason; the one that stands stays until the new one is in.

    Raises: Refused, StaleState (one is begun already), ValidationError.
    """
    row = _fresh(opinion)
    require(can_renew(actor, row))
    reason = reason_of(reason)
    if in_hand(row.consultee) is not None or Opinion.objects.filter(supersedes=row).exists():
        raise StaleState("已有更新的版次，请打开最新版次。")
    made = Opinion.objects.create(
        locality=row.locality, consultee=row.consultee, author=row.author, version=row.version + 1, revision=1,
        verdict=row.verdict, summary=row.summary, supersedes=row, supersede_reason=reason,
    )  # fmt: skip
    _keep_items(made, written_in(row).items)
    OpinionAuthor.objects.bulk_create(
        OpinionAuthor(opinion=made, planner_id=pk) for pk in row.co_authors.values_list("planner_id", flat=True)
    )
    detail = {"reason": reason, "from_version": row.version, "to_version": made.version}
    audit.record("opinion.version", actor=actor, obj=made, locality=made.locality, detail=detail)
    return made


@transaction.atomic
def enter_paper_opinion(
    consultee: Consultee, *, actor: User, written: Written, scan: StoredFile, received_on: date
) -> Opinion:
    """Enter an opinion that came on paper, item by item, with its scan. It counts as of the day it was received.

    Side effects: the planner has answered, audit, notices to the planner and the desk; its PDF is made.
    Raises: Refused, StaleState, ValidationError by field (not whole, a day before the request or after today).
    """
    held = locked(consultee.consultation_id)
    row = Consultee.objects.select_related("planner__institution", "contract__team__lead").get(pk=consultee.pk)
    row.consultation = held
    require(can_enter_paper(actor, row))
    if not held.asked_on <= received_on <= timezone.localdate():
        raise ValidationError({"received_on": "收到日期应在征询之日至今天之间。"})
    items = cleaned_items(written, row)
    whole = Written(written.verdict, clean_text(written.summary), items)
    if missing := lacking(whole):
        raise ValidationError(missing)
    now = timezone.now()
    at = now if received_on == timezone.localdate() else timezone.make_aware(datetime.combine(received_on, time()))
    last = row.opinions.aggregate(last=Max("version"))["last"] or 0
    made = Opinion(
        locality=held.locality, consultee=row, author=row.planner, version=last + 1, revision=1,
        state=Opinion.State.SUBMITTED, submitted_at=at, verdict=whole.verdict, summary=whole.summary, on_paper=True,
        scan=scan, entered_by=actor,
    )  # fmt: skip
    save_checked(made)
    _keep_items(made, items)
    made = ROWS.get(pk=made.pk)
    made.consultee.consultation = held
    detail = {"received_on": received_on.isoformat(), "scan": scan.original_name, "sha256": scan.sha256}
    audit.record("opinion.paper", actor=actor, obj=made, locality=held.locality, detail=detail)
    _answered(made, held, actor=actor)
    text = f"{held.asker}已录入您就“{held.project.name}”的纸质意见，请核对；有出入的可以在线提交新版次。"
    tell(held, logins_of([made.author_id]), "opinion.paper", text, key=f"opinion-paper-{made.pk}")
    _make_pdf(made, actor=actor)
    return made
