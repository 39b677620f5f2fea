"""Local decisions entered in the portal: prepared, compared with what counts today, tried out, then put in force.

A supplement fills what is open, an amendment makes a new version, an adoption makes a paper's account a policy of the
locality's own. Nothing counts before `enforce_decision`; which contracts each reaches stands in
docs/decisions/policy-versions.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core import audit
from core.errors import StaleState
from core.files import DOCUMENTS, IMAGES, store_file
from core.notifications import Notice
from core.permissions import require
from core.saving import save_checked
from core.transitions import apply_move
from districts.models import Locality, Membership, PolicyDecision, PolicyPack, PolicyVersion
from districts.permissions import can_decide_policy, can_edit_decision, own_only
from districts.policy.catalogue import CATALOGUE
from districts.policy.problems import PolicyError
from districts.policy.schema import (
    Decision,
    DocumentMeta,
    SetValue,
    SupplementDocument,
    VersionDocument,
    parse_supplement,
    parse_values,
    parse_version,
    plain_version,
)
from districts.policy.values import Difference, EffectivePolicy, diff
from districts.services.policies import policy_for_version, policy_of_document, policy_with
from districts.services.policy_loading import (
    add_supplement,
    amend_policy,
    check_amendment,
    check_supplement,
    found_pack,
    words_of,
)
from districts.transitions import POLICY_DECISION

Kind = PolicyDecision.Kind
SCAN_TYPES = (*DOCUMENTS, *IMAGES)
HEAD = ("number", "title", "issuer", "date", "effective_from", "effective_to")
_VALIDITY = ("validity.valid_from", "validity.valid_to")


# --- what a decision would make ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """The document that a decision comes to: a supplement of its base, or a version (of `pack`, None: of a new one)."""

    supplement: SupplementDocument | None = None
    version: VersionDocument | None = None
    pack: PolicyPack | None = None
    demo: bool = False


def propose(decision: PolicyDecision) -> Proposal:
    """Raises ValidationError in words for who prepares it, when the values are not what a policy may hold."""
    try:
        if decision.kind == Kind.SUPPLEMENT:
            return Proposal(supplement=_supplement(decision), pack=decision.base.pack)
        if decision.kind == Kind.AMENDMENT:
            return _amendment(decision)
        return _adoption(decision)
    except PolicyError as error:
        raise ValidationError([words_of(problem) for problem in error.problems]) from None


def _supplement(decision: PolicyDecision) -> SupplementDocument:
    pack = decision.base.pack
    return parse_supplement(
        {
            "schema": 1,
            "supplements": pack.slug,
            "decision": _origin(decision),
            "effective_from": decision.effective_from.isoformat(),
            "effective_to": decision.effective_to and decision.effective_to.isoformat(),
            "localities": list(own_only(pack, decision.locality)) or None,
            "values": decision.values,
        }
    )


def _origin(decision: PolicyDecision) -> dict[str, str]:
    return {
        "number": decision.number,
        "date": decision.date.isoformat(),
        "title": decision.title,
        "issuer": decision.issuer,
        "entered_by": str(decision.entered_by)[:40],
    }


def _amendment(decision: PolicyDecision) -> Proposal:
    """The base with the supplements that reach every locality of the pack, under the values of the decision."""
    base = parse_version(decision.base.document)
    carried = policy_for_version(decision.base, decision.effective_from)
    values, decisions = dict(base.values), dict(base.decisions)
    for key, value in carried.values.items():
        if key not in values and value.decision is not None:
            values[key] = SetValue(value.value, value.article, value.summary, value.decision.number)
            decisions[value.decision.number] = value.decision
    for key in (*decision.removed, *_VALIDITY):
        values.pop(key, None)
    version = _decided(decision, replace(base, values=values, decisions=decisions))
    return Proposal(version=version, pack=decision.base.pack, demo=_is_trial(decision, version))


def _is_trial(decision: PolicyDecision, version: VersionDocument) -> bool:
    """What carries values of the trial overlay along is itself of the trial, and goes when that is withdrawn."""
    used = {value.decision for value in version.values.values()}
    return decision.base.is_demo or any(version.decisions[number].demo for number in used if number)


def _adoption(decision: PolicyDecision) -> Proposal:
    """A version of the locality's own pack: what it has adopted before, and now this."""
    own = own_version(decision.base.pack, decision.locality)
    if own is None:
        meta = DocumentMeta(decision.title, decision.issuer, decision.number, decision.date.isoformat())
        start = VersionDocument(decision.number, meta, {"全文": decision.title}, {})
        return Proposal(version=_decided(decision, start))
    return Proposal(version=_decided(decision, parse_version(own.document)), pack=own.pack)


def _decided(decision: PolicyDecision, before: VersionDocument) -> VersionDocument:
    """`before` with the values of the decision, each under the decision, and checked as a whole."""
    number = decision.number
    values = {**before.values}
    for key, value in parse_values(decision.values, {}, article_required=False).items():
        values[key] = replace(value, decision=number)
    dates = zip(_VALIDITY, (decision.effective_from, decision.effective_to), strict=True)
    values |= {key: SetValue(day, "", f"由{number}规定", number) for key, day in dates if day is not None}
    origin = Decision(**{**_origin(decision), "date": decision.date})  # type: ignore[arg-type]
    version = replace(
        before,
        label=number,
        valid_from=decision.effective_from,
        valid_to=decision.effective_to,
        values={key: values[key] for key in CATALOGUE if key in values},
        decisions={**before.decisions, number: origin},
    )
    # Written and read back: the one check that every file and every form goes through.
    return parse_version(plain_version(version))


def own_slug(paper: PolicyPack, locality: Locality) -> str:
    return f"{paper.slug}-{locality.code}"


def own_version(paper: PolicyPack, locality: Locality) -> PolicyVersion | None:
    """The latest version of what the locality has adopted of a paper's account before; None when nothing."""
    rows = PolicyVersion.objects.filter(pack__slug=own_slug(paper, locality), is_withdrawn=False)
    return rows.exclude(kind=PolicyVersion.Kind.SUPPLEMENT).select_related("pack").order_by("-number").first()


# --- before and after ----------------------------------------------------------------------------------------


def present_policy(decision: PolicyDecision) -> EffectivePolicy:
    """What the decision is compared with: its base with all supplements, or what was adopted before."""
    base = decision.base
    if decision.kind == Kind.ADOPTION:
        base = own_version(base.pack, decision.locality) or base
    return policy_for_version(base, locality=decision.locality)


def proposed_policy(
    decision: PolicyDecision, *, on: dt.date | None = None, locality: Locality | None = None
) -> EffectivePolicy:
    """What would count in the decision's locality (or another one that it reaches).

    Raises ValidationError (see `propose`).
    """
    found = propose(decision)
    if found.supplement is not None:
        day = on or timezone.localdate()
        return policy_with(decision.base_id, found.supplement, on=day, locality=locality or decision.locality)
    version: Any = found.version
    title = found.pack.title if found.pack is not None else decision.title
    slug = found.pack.slug if found.pack is not None else own_slug(decision.base.pack, decision.locality)
    return policy_of_document(version, slug=slug, title=title, localities=(decision.locality.code,))


def changes_of(decision: PolicyDecision) -> list[Difference]:
    """Every value that the decision changes, with both origins; of one in force, against what was before it."""
    if decision.made_id is not None:
        return _made_changes(decision)
    return diff(present_policy(decision), proposed_policy(decision))


def _made_changes(decision: PolicyDecision) -> list[Difference]:
    made = decision.made
    if made is None or made.supplements_id is not None:
        before = policy_for_version(decision.base, decision.effective_from, locality=decision.locality)
        own = {key for key, value in before.values.items() if value.document == decision.number}
        kept = {key: value for key, value in before.values.items() if key not in own}
        return diff(replace(before, values=kept), before)
    earlier = decision.base
    if made.pack_id != earlier.pack_id:
        rows = made.pack.versions.exclude(kind=PolicyVersion.Kind.SUPPLEMENT).filter(number__lt=made.number)
        earlier = rows.order_by("-number").first() or earlier
    start = decision.effective_from - dt.timedelta(days=1)
    before = policy_for_version(earlier, start, locality=decision.locality)
    return diff(before, policy_for_version(made, decision.effective_from, locality=decision.locality))


def left_behind(decision: PolicyDecision) -> list[PolicyVersion]:
    """Supplements of single localities: an amendment reaches all, so it does not carry them along."""
    if decision.kind != Kind.AMENDMENT:
        return []
    rows = decision.base.supplements_by.filter(is_withdrawn=False)
    return [row for row in rows if row.document.get("localities")]


def fingerprint(decision: PolicyDecision) -> str:
    """Of the decision and every version that it rests on: what was tried is what is put in force, else tried again."""
    packs = Q(pack_id=decision.base.pack_id) | Q(pack__slug=own_slug(decision.base.pack, decision.locality))
    rows = PolicyVersion.objects.filter(packs).order_by("pk")
    fields = ("pk", "source_hash", "valid_from", "valid_to", "is_withdrawn")
    own = [decision.kind, decision.values, decision.removed, *(str(getattr(decision, name)) for name in HEAD)]
    text = json.dumps([own, list(rows.values_list(*fields))], ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


# --- preparing -----------------------------------------------------------------------------------------------


@transaction.atomic
def create_decision(
    locality: Locality, *, actor: User, kind: str, base: PolicyVersion, values: Mapping[str, Any],
    removed: tuple[str, ...] = (), scan: Any = None, **head: Any,
) -> PolicyDecision:  # fmt: skip
    """Prepare a decision. `values`, `removed`: as the model keeps them; `scan`: an upload; `head`: the fields of HEAD.

    Side effects: one row, the scan, one audit entry. Raises: Refused, ValidationError.
    """
    decision = PolicyDecision(
        locality=locality, kind=kind, base=base, values=dict(values), removed=list(removed), entered_by=actor, **head
    )
    require(can_decide_policy(actor, decision))
    check_decision(decision)
    decision.scan = _stored(scan, actor, locality)
    save_checked(decision)
    audit.record("policydecision.create", actor=actor, obj=decision, detail={"kind": kind, "keys": sorted(values)})
    return decision


@transaction.atomic
def update_decision(
    decision: PolicyDecision, *, actor: User, seen: dt.datetime, values: Mapping[str, Any],
    removed: tuple[str, ...] = (), scan: Any = None, **head: Any,
) -> PolicyDecision:  # fmt: skip
    """Change what is being prepared; a dry run that was read before no longer counts.

    `seen`: `updated` as the editor saw it. Side effects: the row, a new scan, one audit entry.
    Raises: Refused, ValidationError, StaleState (changed or put in force meanwhile).
    """
    decision = _locked(decision)
    require(can_edit_decision(actor, decision))
    if decision.updated != seen:
        raise StaleState("已被他人处理：这份决定在您打开之后又被修改过，请刷新后重新填写。")
    for name, value in head.items():
        setattr(decision, name, value)
    decision.values, decision.removed = dict(values), list(removed)
    check_decision(decision)
    if (stored := _stored(scan, actor, decision.locality)) is not None:
        decision.scan = stored
    decision.trial = {}
    save_checked(decision)
    if decision.state == PolicyDecision.State.TRIED:
        apply_move(decision, POLICY_DECISION, "revise", actor=actor)
    audit.record("policydecision.update", actor=actor, obj=decision, detail={"keys": sorted(values)})
    return decision


def check_decision(decision: PolicyDecision) -> None:
    """Everything that would be refused when it is put in force, said while it is being prepared."""
    if decision.effective_to is not None and decision.effective_to < decision.effective_from:
        raise ValidationError({"effective_to": "截止日期早于开始日期。"})
    if decision.kind == Kind.ADOPTION and not decision.values:
        raise ValidationError("请至少选择一项要采用的取值。")
    if decision.kind == Kind.SUPPLEMENT and not decision.values:
        raise ValidationError("请至少填写一项要补充的取值。")
    found = propose(decision)
    if found.supplement is not None:
        check_supplement(decision.base, found.supplement)
    elif found.version is not None and found.pack is not None:
        try:
            check_amendment(found.pack, found.version, demo=found.demo)
        except ValidationError as error:
            raise ValidationError({"effective_from": error.messages}) from None


def _stored(scan: Any, actor: User, locality: Locality) -> Any:
    if scan is None:
        return None
    return store_file(scan, actor=actor, purpose="policy_decision", allowed=SCAN_TYPES, locality_code=locality.code)


def _locked(decision: PolicyDecision) -> PolicyDecision:
    rows = PolicyDecision.objects.select_for_update(of=("self",)).select_related("base__pack", "locality", "entered_by")
    return rows.get(pk=decision.pk)


# --- tried, in force, or not ----------------------------------------------------------------------------------


def record_trial(
    decision: PolicyDecision, *, actor: User, fingerprint_seen: str, summary: list[str], url: str, year: int
) -> PolicyDecision:
    """Somebody has read what a dry run came to. Raises: Refused, StaleState (something changed since it ran)."""
    if fingerprint(decision) != fingerprint_seen:
        raise StaleState("已被他人处理：试算之后这份决定或现行规定有变化，请重新试算。")
    kept = {
        "fingerprint": fingerprint_seen,
        "summary": summary,
        "url": url,
        "year": year,
        "by": str(actor),
        "at": timezone.now().isoformat(),
    }
    return apply_move(decision, POLICY_DECISION, "read", actor=actor, changes={"trial": kept}, detail={"year": year})


@transaction.atomic
def enforce_decision(decision: PolicyDecision, *, actor: User) -> PolicyDecision:
    """Put it in force: from its first day the values count, wherever they reach.

    Of two officers with two decisions on one pack the second is told that what was tried is no longer what would be
    changed. Side effects: the version (and a pack, when adopting), audit, notices to the bureau; kept figures follow.
    Raises: Refused, StaleState, ValidationError.
    """
    decision = _locked(decision)
    # The pack's row is the lock: who comes second reads what the first has made.
    PolicyPack.objects.select_for_update().get(pk=decision.base.pack_id)
    if decision.state == PolicyDecision.State.TRIED and decision.trial.get("fingerprint") != fingerprint(decision):
        raise StaleState("已被他人处理：试算之后现行规定又有变化，请重新试算，看过结果后再施行。")
    if decision.state != PolicyDecision.State.TRIED:
        # Refused by the move itself, with the words for the state it is in.
        return apply_move(decision, POLICY_DECISION, "enforce", actor=actor)
    row = _make(decision, actor)
    if decision.scan_id is not None:
        PolicyVersion.objects.filter(pk=row.pk).update(scan=decision.scan_id)
    return apply_move(
        decision,
        POLICY_DECISION,
        "enforce",
        actor=actor,
        changes={"made": row},
        notify=lambda done: _notice(done, actor),
    )


def _make(decision: PolicyDecision, actor: User) -> PolicyVersion:
    found = propose(decision)
    if found.supplement is not None:
        return add_supplement(decision.base, actor=actor, supplement=found.supplement)
    version: Any = found.version
    if found.pack is None:
        slug = own_slug(decision.base.pack, decision.locality)
        title = f"{decision.locality.name}责任规划师制度"
        return found_pack(decision.locality, actor=actor, slug=slug, title=title, version=version)
    return amend_policy(
        found.pack, actor=actor, version=version, title=decision.title, number=decision.number, date=decision.date,
        demo=found.demo,
    )  # fmt: skip


def _notice(decision: PolicyDecision, actor: User) -> Notice:
    """To the other officers of every locality that the decision reaches."""
    places = [decision.locality_id, *decision.base.pack.scopes.values_list("locality_id", flat=True)]
    if decision.kind == Kind.ADOPTION or own_only(decision.base.pack, decision.locality):
        places = [decision.locality_id]
    rows = Membership.objects.valid_on(timezone.localdate()).filter(role=Role.BUREAU, locality_id__in=places)
    people = set(rows.exclude(user_id=actor.pk).values_list("user_id", flat=True))
    return Notice(
        sorted(people),
        "policy.in_force",
        f"“{decision.title}”（{decision.number}）已由{actor}施行，自 {decision.effective_from} 起执行。",
        decision.get_absolute_url(),
        f"policy-decision-{decision.pk}",
    )


def discard_decision(decision: PolicyDecision, *, actor: User) -> PolicyDecision:
    """Raises: Refused, StaleState."""
    return apply_move(decision, POLICY_DECISION, "discard", actor=actor)
