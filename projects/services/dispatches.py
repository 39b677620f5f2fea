"""Sending opinions on (函告, R50): the bureau collates what planners said and sends it by the steps of the pack
(work.dispatch; 聊城 三(一)–三(四)), and each step is noted until those who implement have reported back.

The letter leaves as 送审稿: seal and 发文字号 belong to the office system, whose number is entered afterwards.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.roles import Role
from core import audit
from core.errors import Refused, StaleState
from core.explain import Clause
from core.jobs import enqueue
from core.models import IssuedDocument, Job
from core.notifications import notify
from core.pdf import canonical_hash, issue_document
from core.permissions import require
from core.saving import save_checked
from core.templatetags.portal import prose_date
from districts.models import Membership, Organisation
from districts.policy.keys import SIDES
from districts.policy.values import PolicyValue
from districts.services.policies import policy_for_version, policy_in_force
from projects import permissions_followup as may
from projects.models import Consultation, DispatchStep, ItemAnswer, OpinionDispatch
from projects.services.adoption import items_of
from projects.services.audience import bureau_of, leaders_of, unit_officers, writers_of
from projects.services.numbers import DISPATCH, take_number

if TYPE_CHECKING:
    from accounts.models import User

audit.register_actions(
    {
        "opiniondispatch.create": "函告意见",
        "opiniondispatch.number": "登记发文字号",
        "opiniondispatch.pdf": "下载函告送审稿",
        "dispatchstep.done": "办结转办步骤",
    }
)
KEY = "work.dispatch"
TEMPLATE, DOCUMENT_KIND, SERIAL, PDF_KIND = "pdf/dispatch.html", "opinion_dispatch", "HG", "projects.dispatch_pdf"
ROWS = OpinionDispatch.objects.select_related(
    "locality", "consultation__project__owner", "consultation__asker", "consultation__stage", "made_by",
    "document__file",
)  # fmt: skip


def route_of(consultation: Consultation) -> PolicyValue | None:
    """The pack's steps as they were when the request was asked; None where the locality has no policy at all."""
    if consultation.policy_version_id is not None:
        version = policy_for_version(
            consultation.policy_version_id, consultation.asked_on, locality=consultation.locality
        )  # fmt: skip
        return version.get(KEY)
    policy = policy_in_force(consultation.locality, consultation.asked_on)
    return policy.get(KEY) if policy is not None else None


def suggested_text(consultation: Consultation) -> str:
    """A first wording, for the officer to change."""
    project, count = consultation.project, items_of(consultation).count()
    return (
        f"责任规划师就“{project.name}”{consultation.stage.get_stage_display()}提出意见建议 {count} 条。"
        "现予函告，请研究实施，并将落实情况反馈我单位。"
    )


@transaction.atomic
def make_dispatch(consultation: Consultation, *, actor: User, text: str) -> OpinionDispatch:
    """Collate the opinions of a request into a letter along the pack's route.

    The planner's own step is done with the opinion. Side effects: number, steps, audit, notices to the planners.
    Raises: Refused (not the bureau; the pack has no route), StaleState (somebody was first), ValidationError.
    """
    current = Consultation.objects.select_for_update(of=("self",)).select_related("locality", "project", "stage").get(
        pk=consultation.pk
    )  # fmt: skip
    if OpinionDispatch.objects.filter(consultation=current).exists():
        raise StaleState("该征询的意见已由他人函告，请刷新后查看。")
    require(may.can_dispatch(actor, current))
    route = route_of(current)
    if route is None or not route.is_set:
        raise Refused(may.UNSET_DISPATCH)
    items = list(items_of(current).select_related("opinion"))
    if not items:
        raise ValidationError("没有可以函告的意见。")
    today = timezone.localdate()
    made = OpinionDispatch(
        locality=current.locality, consultation=current, number=take_number(DISPATCH, current.locality, today.year),
        text=text.strip(), clause=asdict(route.clause), made_by=actor,
    )  # fmt: skip
    save_checked(made)
    said_on = max(timezone.localtime(item.opinion.submitted_at).date() for item in items if item.opinion.submitted_at)
    for row in sorted(route.value, key=lambda row: int(row["step"])):
        own = row["side"] in {"planner", "team"}
        DispatchStep.objects.create(
            dispatch=made, step=int(row["step"]), side=row["side"], act=row["act"],
            done_on=said_on if own else None, note="意见书已提交" if own else "", done_by=None,
        )  # fmt: skip
    audit.record("opiniondispatch.create", actor=actor, obj=made, detail={"items": [item.pk for item in items]})
    notify(
        writers_of(current), kind="dispatch.made", url=made.get_absolute_url(), key=f"dispatch.made:{made.pk}",
        text=f"您对“{current.project.name}”的意见已由规划主管部门汇总函告（{made.number}）",
    )  # fmt: skip
    return made


@transaction.atomic
def enter_number(dispatch: OpinionDispatch, *, actor: User, office_number: str, on: date) -> OpinionDispatch:
    """The office system has sent the letter: its number and day. The bureau's own step is done with that.

    Side effects: audit, notices to whose turn it is. Raises: Refused, StaleState, ValidationError by field.
    """
    current = _locked(dispatch)
    if current.office_number and not dispatch.office_number:
        raise StaleState("发文字号已由他人填写，请刷新后查看。")
    require(may.can_number(actor, current))
    if not office_number.strip():
        raise ValidationError({"office_number": "请填写发文字号。"})
    if on > timezone.localdate():
        raise ValidationError({"on": "发文日期不能晚于今天。"})
    current.office_number = office_number.strip()
    save_checked(current)
    step = current.steps.filter(side="bureau", done_on=None).order_by("step").first()
    if step is not None and not current.steps.filter(step__lt=step.step, done_on=None).exists():
        _finish(step, actor=actor, on=on, note=f"发文字号 {current.office_number}")
    audit.record("opiniondispatch.number", actor=actor, obj=current, detail={"number": current.office_number})
    _tell_next(current)
    return current


@transaction.atomic
def finish_step(step: DispatchStep, *, actor: User, on: date, note: str) -> DispatchStep:
    """Note that a step was done, in the order of the route. The last one is the report back: the bureau and the
    planners are told.

    Side effects: audit, notices. Raises: Refused, StaleState, ValidationError by field.
    """
    dispatch = _locked(step.dispatch)
    current = DispatchStep.objects.get(pk=step.pk)
    current.dispatch = dispatch
    if current.done_on is not None and step.done_on is None:
        raise StaleState("这一步已由他人办结，请刷新后查看。")
    require(may.can_do_step(actor, current))
    if not note.strip():
        raise ValidationError({"note": "请填写办理情况。"})
    if on > timezone.localdate():
        raise ValidationError({"on": "完成日期不能晚于今天。"})
    _finish(current, actor=actor, on=on, note=note.strip())
    audit.record(
        "dispatchstep.done", actor=actor, obj=dispatch, detail={"step": current.step, "act": current.act}
    )  # fmt: skip
    if not dispatch.steps.filter(done_on=None).exists():
        notify(
            [*bureau_of(dispatch.locality), *writers_of(dispatch.consultation)], kind="dispatch.over",
            url=dispatch.get_absolute_url(), key=f"dispatch.over:{dispatch.pk}",
            text=f"“{dispatch.consultation.project.name}”的函告（{dispatch.number}）已逐级反馈办结",
        )  # fmt: skip
    else:
        _tell_next(dispatch)
    return current


def _locked(dispatch: OpinionDispatch) -> OpinionDispatch:
    return ROWS.select_for_update(of=("self",)).get(pk=dispatch.pk)


def _finish(step: DispatchStep, *, actor: User, on: date, note: str) -> None:
    step.done_on, step.note, step.done_by = on, note[:500], actor
    step.save(update_fields=["done_on", "note", "done_by"])


def next_step(dispatch: OpinionDispatch) -> DispatchStep | None:
    return dispatch.steps.filter(done_on=None).order_by("step").first()


def _tell_next(dispatch: OpinionDispatch) -> None:
    step = next_step(dispatch)
    if step is None:
        return
    notify(
        people_of_side(step.side, dispatch), kind="dispatch.turn", url=dispatch.get_absolute_url(),
        text=f"请办理“{dispatch.consultation.project.name}”的函告（{dispatch.number}）：{step.act}",
        key=f"dispatch.turn:{dispatch.pk}:{step.step}",
    )  # fmt: skip


def people_of_side(side: str, dispatch: OpinionDispatch) -> list[int]:
    """Whose turn it is, by the pack's word for the side; the bureau sees to sides that have no login here."""
    if side == "unit":
        return unit_officers(list(dispatch.consultation.project.units.values_list("pk", flat=True)))
    if side == "government":
        own = Membership.objects.filter(
            role=Role.DEPARTMENT, organisation__kind=Organisation.Kind.GOVERNMENT, locality=dispatch.locality,
            user__is_active=True,
        ).valid_on(timezone.localdate())  # fmt: skip
        return sorted({*own.values_list("user_id", flat=True), *leaders_of(dispatch.locality)})
    return bureau_of(dispatch.locality)


# --- on paper -------------------------------------------------------------------------------------------------


def title_of(dispatch: OpinionDispatch) -> str:
    return f"关于{dispatch.consultation.project.name}责任规划师意见建议的函"


def file_name(dispatch: OpinionDispatch) -> str:
    return f"{title_of(dispatch)}（送审稿）.pdf".replace("/", "-")


def request_pdf(dispatch: OpinionDispatch, *, actor: User) -> Job:
    """Ask a worker for the 送审稿; asked twice it is made once."""
    return enqueue(
        PDF_KIND, actor=actor, arguments={"dispatch": dispatch.pk}, key=f"dispatch-pdf-{dispatch.pk}",
        locality=dispatch.locality, label=f"生成函告 {dispatch.number} 送审稿",
    )  # fmt: skip


def issue_draft(dispatch_id: int, *, actor: User | None) -> IssuedDocument:
    """The 送审稿: exactly one, whoever asks and however often (docs/decisions/issued-once.md). The items stand in it as
    they were said; what becomes of them is reported back afterwards."""
    dispatch = ROWS.get(pk=dispatch_id)
    if dispatch.document is not None:
        return dispatch.document
    context = _context(dispatch)
    frozen = {
        "dispatch": dispatch.pk, "number": dispatch.number, "text": dispatch.text, "items": context["items"],
        "to": context["addressee"],
    }  # fmt: skip
    known = IssuedDocument.objects.filter(
        kind=DOCUMENT_KIND, content_hash=canonical_hash(frozen), file__isnull=False, revoked_at=None
    ).first()
    title = title_of(dispatch)
    document = known or issue_document(
        kind=DOCUMENT_KIND, serial=SERIAL, title=title, template=TEMPLATE, context=context, frozen=frozen, actor=actor,
        locality_code=dispatch.locality.code, file_name=file_name(dispatch),
        public_summary=[("文书", "意见建议函告（送审稿）"), ("地方", dispatch.locality.name), ("编号", dispatch.number)],
    )  # fmt: skip
    OpinionDispatch.objects.filter(pk=dispatch.pk, document=None).update(document=document)
    return document


def _context(dispatch: OpinionDispatch) -> dict[str, Any]:
    consultation = dispatch.consultation
    items = items_of(consultation).select_related("opinion__author")
    answers = dict(
        ItemAnswer.objects.current().filter(item__in=items).values_list("item", "decision")
    )  # fmt: skip
    words = dict(ItemAnswer.Decision.choices)
    bureau = Organisation.objects.filter(
        locality=dispatch.locality, kind=Organisation.Kind.BUREAU, is_active=True
    ).first()
    return {
        "dispatch": dispatch, "project": consultation.project, "stage": consultation.stage.get_stage_display(),
        "addressee": addressee_of(dispatch), "bureau": bureau.name if bureau else "",
        "answered": bool(answers), "clause": Clause(**dispatch.clause) if dispatch.clause else None,
        "paragraphs": [line.strip() for line in dispatch.text.splitlines() if line.strip()],
        "items": [
            {
                "number": number, "text": item.text, "severity": item.get_severity_display(), "basis": item.basis,
                "author": item.opinion.author.name, "answer": words.get(answers.get(item.pk, ""), ""),
            }
            for number, item in enumerate(items, start=1)
        ],
        "steps": [(step.step, SIDES.get(step.side, step.side), step.act) for step in dispatch.steps.all()],
        "day_words": prose_date(timezone.localtime(dispatch.created).date()),
    }  # fmt: skip


def addressee_of(dispatch: OpinionDispatch) -> str:
    """To whom the letter goes: the body of the first step after the bureau's own."""
    steps = list(dispatch.steps.order_by("step"))
    own = next((step.step for step in steps if step.side == "bureau"), 0)
    after = next((step for step in steps if step.step > own), None)
    if after is None:
        return ""
    if after.side == "government":
        body = Organisation.objects.filter(
            locality=dispatch.locality, kind=Organisation.Kind.GOVERNMENT, is_active=True
        ).first()
        if body is not None:
            return body.name
    return SIDES.get(after.side, after.side)
