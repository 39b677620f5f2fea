"""Adoption: whoever asked says of each item what becomes of it, by whom and until when, and later proves it.

An answer is never edited: a changed one is the next version and says why. The row of the consultation is locked by
whatever changes its answers, so that two officers at once make one answer, and the last of them settles the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from core import audit
from core.errors import StaleState
from core.files import DOCUMENTS, IMAGES, store_file
from core.notifications import notify
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from districts.models import Locality, Organisation
from projects import permissions_adoption as may
from projects.adoption import WORDS
from projects.models import Consultation, HardQuestion, ItemAnswer, ItemProof, MatterHandler, OpinionItem, Project
from projects.services.adoption_reads import rates_for
from projects.services.audience import bureau_of, people_of, writers_of
from projects.transitions import CONSULTATION

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "Given", "adoption_url", "answer_items", "change_answer", "hand_on", "hand_on_closed", "heir_of", "items_of",
    "rates_for", "record_proof", "settle_if_done", "unanswered_of", "withdraw_answered",
]  # fmt: skip
audit.register_actions(
    {
        "consultation.feedback": "反馈采纳情况",
        "consultation.inherit": "承接征询",
        "hardquestion.inherit": "承接疑难问题",
        "itemanswer.change": "变更采纳反馈",
        "itemanswer.prove": "登记落实情况",
        "itemanswer.file": "查看落实佐证",
        "adoption.export": "导出采纳情况",
    }
)
# What owes something, or may come to owe it.
UNDER_WAY = ("asked", "suspended", "answered", "unanswered")
ROWS = Consultation.objects.select_related("locality", "project", "stage", "asker", "inherited_from")


_SAID = ("decision", "reason", "owner")


@dataclass(frozen=True, slots=True)
class Given:
    """What is said of one item."""

    decision: str
    reason: str = ""
    owner: str = ""
    due_on: date | None = None


def items_of(consultation: Consultation) -> Any:
    """The items that stand in a consultation, in the order of the opinions: of what is submitted and not superseded,
    and of nobody who keeps out."""
    return (
        OpinionItem.objects.filter(opinion__consultee__consultation=consultation, opinion__state="submitted")
        .exclude(opinion__consultee__state="recused")
        .order_by("opinion__submitted_at", "opinion", "position", "pk")
    )


def unanswered_of(consultation: Consultation) -> Any:
    """Items that nobody has answered yet."""
    return items_of(consultation).exclude(answers__is_current=True)


def locked(consultation: Consultation) -> Consultation:
    """The row as it is now, held until the transaction ends."""
    return ROWS.select_for_update(of=("self",)).get(pk=consultation.pk)


# --- answering ------------------------------------------------------------------------------------------------


@transaction.atomic
def answer_items(consultation: Consultation, *, actor: User, answers: Mapping[int, Given]) -> Consultation:
    """Answer items (by id) for the first time; the others stay owed. The last answer settles the request.

    Side effects: audit, one notice to each planner who wrote, the move to 已反馈. All or nothing.
    Raises: Refused; StaleState (somebody answered one of them first, or an opinion was superseded meanwhile);
    ValidationError by field ("reason_<id>", "owner_<id>", "due_<id>").
    """
    current = locked(consultation)
    if current.state != consultation.state and not may.can_answer_items(actor, current):
        raise StaleState(f"已被他人处理，该征询现为“{current.get_state_display()}”，请刷新后查看。")
    require(may.can_answer_items(actor, current))
    if not answers:
        raise ValidationError("请至少对一条意见选择采纳情况。")
    items = {item.pk: item for item in unanswered_of(current).filter(pk__in=list(answers))}
    if len(items) < len(answers):
        raise StaleState("有的意见已由他人反馈，或意见书已有新版；本次填写没有保存，请刷新后再办理。")
    _check(answers)
    for pk, given in answers.items():
        save_checked(
            ItemAnswer(
                locality=current.locality, item=items[pk], decision=given.decision, reason=given.reason.strip(),
                owner=given.owner.strip(), due_on=given.due_on, asker=current.asker, answered_by=actor,
            )
        )  # fmt: skip
    counted = _counted(given.decision for given in answers.values())
    audit.record(
        "consultation.feedback", actor=actor, obj=current, locality=current.locality,
        detail={"items": sorted(items), "summary": counted},
    )  # fmt: skip
    newest = ItemAnswer.objects.filter(item__in=items).aggregate(last=Max("pk"))["last"]
    notify(
        writers_of(current), kind="adoption.answered", url=adoption_url(current),
        text=f"{current.asker.name}已反馈您对“{current.project.name}”的意见：{counted}",
        key=f"adoption.answered:{current.pk}:{newest}",
    )  # fmt: skip
    settle_if_done(current, actor=actor)
    return current


def _counted(decisions: Iterable[str]) -> str:
    said = list(decisions)
    return "、".join(f"{WORDS[d]} {said.count(d)} 条" for d in ("adopted", "partly", "refused") if d in said)


def _check(answers: Mapping[int, Given], *, kept: date | None = None) -> None:
    """What the database refuses too, worded beside the fields; and a day that is over already, unless it is `kept`."""
    errors: dict[str, str] = {}
    today = timezone.localdate()
    for pk, given in answers.items():
        if given.decision not in ItemAnswer.Decision.values:
            errors[f"decision_{pk}"] = "请选择采纳情况。"
            continue
        if given.decision != "adopted" and not given.reason.strip():
            errors[f"reason_{pk}"] = f"{WORDS[given.decision]}须写明理由。"
        if given.decision == "refused":
            continue
        if not given.owner.strip():
            errors[f"owner_{pk}"] = "请填写落实责任人。"
        if given.due_on is None:
            errors[f"due_{pk}"] = "请填写落实期限。"
        elif given.due_on < today and given.due_on != kept:
            errors[f"due_{pk}"] = "落实期限不能早于今天。"
    if errors:
        raise ValidationError(errors)


def settle_if_done(consultation: Consultation, *, actor: User | None) -> bool:
    """Settle a request all of whose items are answered (also one whose opinions have none). To be called with the row
    locked; whoever closes a consultation may call it too."""
    if consultation.state != "answered" or unanswered_of(consultation).exists():
        return False
    apply_move(consultation, CONSULTATION, "settle", actor=actor)
    return True


# --- changing and proving -------------------------------------------------------------------------------------


@transaction.atomic
def change_answer(answer: ItemAnswer, *, actor: User, given: Given, change_reason: str) -> ItemAnswer:
    """Answer an item anew: the next version, which says why; the former one stays readable.

    Side effects: audit, a notice to the planners. Raises: Refused, StaleState (somebody changed it first),
    ValidationError by field.
    """
    locked(answer.item.opinion.consultee.consultation)
    fresh = ItemAnswer.objects.select_related(
        "locality", "item__opinion__consultee__consultation__asker", "item__opinion__consultee__consultation__project"
    ).get(pk=answer.pk)
    if answer.is_current and not fresh.is_current:
        raise StaleState("该条反馈刚刚被他人变更，请刷新后查看。")
    require(may.can_change_answer(actor, fresh))
    consultation = fresh.item.opinion.consultee.consultation
    try:
        _check({0: given}, kept=fresh.due_on)
    except ValidationError as error:
        named = {f"{name}_0": field for name, field in (("due", "due_on"), *((x, x) for x in _SAID))}
        raise ValidationError({named[key]: texts for key, texts in error.message_dict.items()}) from None
    if not change_reason.strip():
        raise ValidationError({"change_reason": "请写明变更原因。"})
    same = (fresh.decision, fresh.reason, fresh.owner, fresh.due_on)
    if same == (given.decision, given.reason.strip(), given.owner.strip(), given.due_on):
        raise ValidationError("与现行的反馈相同，没有需要变更的内容。")
    ItemAnswer.objects.filter(pk=fresh.pk).update(is_current=False)
    made = ItemAnswer(
        locality=fresh.locality, item=fresh.item, version=fresh.version + 1, decision=given.decision,
        reason=given.reason.strip(), owner=given.owner.strip(), due_on=given.due_on, asker=consultation.asker,
        answered_by=actor, change_reason=change_reason.strip(), escalation=fresh.escalation,
    )  # fmt: skip
    save_checked(made)
    audit.record(
        "itemanswer.change", actor=actor, obj=made, locality=made.locality,
        detail={"from_label": WORDS[fresh.decision], "to_label": WORDS[made.decision], "reason": made.change_reason},
    )  # fmt: skip
    notify(
        writers_of(consultation), kind="adoption.changed", url=adoption_url(consultation),
        text=f"“{consultation.project.name}”{made.item}意见的反馈由{WORDS[fresh.decision]}变更为{WORDS[made.decision]}",
        key=f"adoption.changed:{made.pk}",
    )  # fmt: skip
    return made


@transaction.atomic
def record_proof(answer: ItemAnswer, *, actor: User, done_on: date, text: str, upload: Any = None) -> ItemProof:
    """Say that what was adopted was done, and when; with a file where there is one. More may be added later.

    Side effects: audit, a notice to the planners. Raises: Refused, StaleState (the answer was changed meanwhile),
    ValidationError by field.
    """
    fresh = ItemAnswer.objects.select_for_update(of=("self",)).select_related(
        "locality", "item__opinion__consultee__consultation__asker", "item__opinion__consultee__consultation__project"
    ).get(pk=answer.pk)  # fmt: skip
    if answer.is_current and not fresh.is_current:
        raise StaleState("该条反馈刚刚被他人变更，请刷新后查看。")
    require(may.can_prove(actor, fresh))
    consultation = fresh.item.opinion.consultee.consultation
    if done_on > timezone.localdate():
        raise ValidationError({"done_on": "落实日期不能晚于今天。"})
    if done_on < consultation.asked_on:
        raise ValidationError({"done_on": f"落实日期不能早于征询日期 {consultation.asked_on}。"})
    file = None
    if upload is not None:
        try:
            file = store_file(
                upload, actor=actor, purpose="item_proof", allowed=[*DOCUMENTS, *IMAGES],
                locality_code=fresh.locality.code,
            )  # fmt: skip
        except ValidationError as error:
            raise ValidationError({"file": error.messages}) from error
    proof = ItemProof(answer=fresh, done_on=done_on, text=text.strip(), file=file, recorded_by=actor)
    save_checked(proof)
    audit.record("itemanswer.prove", actor=actor, obj=fresh, locality=fresh.locality, detail={"done_on": str(done_on)})
    notify(
        writers_of(consultation), kind="adoption.proved", url=adoption_url(consultation),
        text=f"“{consultation.project.name}”{fresh.item}意见已登记落实情况", key=f"adoption.proved:{proof.pk}",
    )  # fmt: skip
    return proof


# --- taken back, and handed on --------------------------------------------------------------------------------


@transaction.atomic
def withdraw_answered(consultation: Consultation, *, actor: User, reason: str) -> Consultation:
    """Take back a request that planners have answered already. The opinions stay readable, what was answered stays
    answered, nothing more is owed; the items left are counted apart (撤回未反馈), so that nothing vanishes from the
    figures.

    Side effects: audit, notices to who wrote, who asked and the bureau. Raises: Refused, StaleState, ValidationError.
    """
    current = locked(consultation)
    if current.state != consultation.state:
        raise StaleState(f"已被他人处理，该征询现为“{current.get_state_display()}”，请刷新后查看。")
    left = unanswered_of(current).count()
    moved = apply_move(
        current, CONSULTATION, "withdraw_answered", actor=actor, reason=reason, changes={"reason": reason.strip()},
        detail={"unanswered": left},
    )  # fmt: skip
    words = f"“{moved.project.name}”的征询（{moved.number}）在答复后撤回，原因：{moved.reason}。"
    words += f"其中 {left} 条意见不再要求反馈" if left else "各条意见均已反馈"
    told = {*writers_of(moved), *people_of(moved.asker), *bureau_of(moved.locality)} - {actor.pk}
    notify(
        sorted(told), kind="adoption.withdrawn", text=words, url=adoption_url(moved),
        key=f"adoption.withdrawn:{moved.pk}",
    )  # fmt: skip
    return moved


def heir_of(organisation: Organisation) -> Organisation | None:
    """Who goes on with the matters of a body that is dissolved: whom the register names (and whom that one names, where
    it is gone too), else the bureau of the locality; None where that is nobody."""
    seen = {organisation.pk}
    heir = organisation.succeeded_by
    while heir is not None and heir.pk not in seen:
        if heir.is_active:
            return heir
        seen.add(heir.pk)
        heir = heir.succeeded_by
    bureaus = Organisation.objects.filter(
        locality=organisation.locality, kind=Organisation.Kind.BUREAU, is_active=True
    ).exclude(pk__in=seen)
    return bureaus.order_by("pk").first()


@transaction.atomic
def hand_on(organisation: Organisation, *, actor: User | None) -> int:
    """A department is dissolved: whoever succeeds it owes what it owed. The number of requests handed on.

    Running requests, answers owed, adopted items to be proven, projects and hard questions go to `heir_of`; what it
    answered stays its own. Side effects: audit, notices to the heir, the bureau and the planners concerned.
    Raises: ValidationError when something is owed and there is nobody to go on with it.
    """
    rows = list(
        ROWS.filter(asker=organisation, state__in=UNDER_WAY).select_for_update(of=("self",)).order_by("pk")
    ) + list(_unproven(organisation).select_for_update(of=("self",)).order_by("pk"))
    questions = HardQuestion.objects.filter(asker=organisation, state="asked").select_related("locality")
    projects = Project.objects.filter(owner=organisation).exclude(stage="done").select_related("locality")
    if not rows and not questions.exists() and not projects.exists():
        return 0
    heir = heir_of(organisation)
    if heir is None:
        words = f"“{organisation.name}”还有 {len(rows)} 项征询未办结，请先指定承接单位。"
        raise ValidationError({"succeeded_by": words})
    for row in rows:
        row.inherited_from, row.asker = row.inherited_from or organisation, heir
        row.save(update_fields=["asker", "inherited_from"])
        audit.record(
            "consultation.inherit", actor=actor, obj=row, locality=row.locality,
            detail={"from_label": organisation.name, "to_label": heir.name, "reason": f"{organisation.name}停用"},
        )  # fmt: skip
        notify(
            [*writers_of(row), *_asked_of(row)], kind="adoption.inherited", url=row.project.get_absolute_url(),
            text=f"“{row.project.name}”的征询（{row.number}）改由{heir.name}办理，原征询单位{organisation.name}已停用",
            key=f"adoption.inherited:{row.pk}:{heir.pk}",
        )  # fmt: skip
    change = {"changed": {"owner": [organisation.name, heir.name]}}
    audit.record_many(
        [
            *(audit.build("project.update", actor=actor, obj=one, detail=change) for one in projects),
            *(audit.build("hardquestion.inherit", actor=actor, obj=one, detail=change) for one in questions),
        ]
    )
    moved = {"questions": questions.update(asker=heir), "projects": projects.update(owner=heir)}
    # Who saw to it in the former office sees to it no more.
    MatterHandler.objects.filter(kind="feedback", ref__in=[row.pk for row in rows]).delete()
    owed = sum(row.state == "answered" for row in rows)
    text = f"{organisation.name}停用，由{heir.name}承接：征询 {len(rows)} 项（其中待反馈 {owed} 项）"
    text += f"、在办项目 {moved['projects']} 个" if moved["projects"] else ""
    text += f"、待解答的疑难问题 {moved['questions']} 个" if moved["questions"] else ""
    notify(
        [*people_of(heir), *bureau_of(organisation.locality)], kind="adoption.heir", text=text,
        url=reverse("projects:desk"), key=f"adoption.heir:{organisation.pk}:{timezone.now():%Y%m%d%H%M%S}",
    )  # fmt: skip
    return len(rows)


def _unproven(organisation: Organisation) -> Any:
    """Settled requests of which something adopted is not proven yet."""
    ids = ItemAnswer.objects.unproven().values("item__opinion__consultee__consultation_id")
    return ROWS.filter(asker=organisation, state="settled", pk__in=ids)


def _asked_of(consultation: Consultation) -> list[int]:
    """Logins of those from whom an answer is awaited."""
    rows = consultation.consultees.filter(state="asked").exclude(planner__user=None)
    return list(rows.values_list("planner__user_id", flat=True))


def hand_on_closed(*, locality: Locality | None = None) -> int:
    """Sweep: whatever came to owe something although it was closed already; the number of requests handed on."""
    closed = Organisation.objects.filter(is_active=False, consultations__state__in=UNDER_WAY)
    if locality is not None:
        closed = closed.filter(locality=locality)
    done = 0
    for organisation in closed.select_related("locality", "succeeded_by").distinct().order_by("pk"):
        if heir_of(organisation) is not None:
            done += hand_on(organisation, actor=None)
    return done


def adoption_url(consultation: Consultation) -> str:
    return reverse("projects:adoption-answer", args=[consultation.pk])
