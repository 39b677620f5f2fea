"""One-time links: how a contractor or developer without a login answers one rectification, once.

The address holds a random token of which only a hash is kept; a code that is told separately keeps out a stranger who
comes by the address. Opening a link spends nothing (messengers open links by themselves); the reply does.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from core import audit
from core.errors import StaleState
from core.notifications import notify
from core.permissions import require
from projects import permissions_rectifications as may
from projects.models import PartyLink, ProjectParty, Rectification, RectificationPhoto, RectificationReply

from .audience import logins_with_leads
from .rectifications import Upload, answer_by_link

if TYPE_CHECKING:
    from accounts.models import User

audit.register_actions(
    {
        "partylink.create": "发送整改回复链接",
        "partylink.revoke": "作废整改回复链接",
        "partylink.enter": "凭校验码打开回复链接",
        "partylink.wrong_code": "回复链接校验码错误",
    }
)
# Limits of the mechanism, no policy: how long a link may live at most, and how long a code once given is remembered.
LONGEST = timedelta(days=60)
PROOF_SECONDS = 2 * 3600
CODE_DIGITS = 6
_SALT = "projects.party-link"

OPEN, USED, EXPIRED, REVOKED, LOCKED, SETTLED = "open", "used", "expired", "revoked", "locked", "settled"


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A new link with what is shown this once and kept nowhere: the address and the code."""

    link: PartyLink
    token: str
    code: str

    @property
    def url(self) -> str:
        return settings.PUBLIC_URL.rstrip("/") + reverse("party:link", args=[self.token])


class LinkClosed(Exception):
    """The link answers nothing any more; `standing` says why."""

    def __init__(self, standing: str) -> None:
        super().__init__(standing)
        self.standing = standing


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def default_day(rectification: Rectification, today: date) -> date:
    """Until when a new link is good unless said otherwise: the day of the matter, at least a week, at most LONGEST."""
    wanted = max(rectification.due_on or today, today + timedelta(days=7))
    return min(wanted, today + LONGEST)


# --- given and taken back ---------------------------------------------------------------------------------------


@transaction.atomic
def create_link(rectification: Rectification, *, party: ProjectParty, actor: User, last_day: date) -> IssuedLink:
    """A link for one party, good until the end of `last_day`; one that the party still has is taken back.

    Side effects: audit. Raises: Refused, ValidationError by field.
    """
    rectification = Rectification.objects.select_for_update(of=("self",)).select_related("project").get(
        pk=rectification.pk
    )  # fmt: skip
    require(may.can_send_link(actor, rectification))
    today = timezone.localdate()
    if party.project_id != rectification.project_id or not party.is_active:
        raise ValidationError({"party": "请从本项目的参建单位中选择。"})
    if not today <= last_day <= today + LONGEST:
        raise ValidationError({"last_day": f"有效期应在今天至 {today + LONGEST} 之间。"})
    rectification.links.filter(party=party, used_at=None, revoked_at=None).update(revoked_at=timezone.now())
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    link = PartyLink.objects.create(
        rectification=rectification, party=party, token_hash=token_hash(token), code_hash=make_password(code),
        expires_at=timezone.make_aware(datetime.combine(last_day + timedelta(days=1), time.min)), created_by=actor,
    )  # fmt: skip
    audit.record(
        "partylink.create", actor=actor, obj=rectification, detail={"party": party.name, "until": str(last_day)}
    )
    return IssuedLink(link, token, code)


@transaction.atomic
def revoke_link(link: PartyLink, *, actor: User) -> PartyLink:
    """Take a link back before it is used. Raises: Refused, StaleState."""
    require(may.can_revoke_link(actor, link))
    if not PartyLink.objects.filter(pk=link.pk, used_at=None, revoked_at=None).update(revoked_at=timezone.now()):
        raise StaleState("该链接刚刚已被使用或作废。")
    audit.record("partylink.revoke", actor=actor, obj=link.rectification, detail={"party": link.party.name})
    link.refresh_from_db()
    return link


# --- opened by an outsider --------------------------------------------------------------------------------------


def find_link(token: str) -> PartyLink | None:
    rows = PartyLink.objects.select_related("rectification__project__locality", "rectification__locality", "party")
    return rows.filter(token_hash=token_hash(token)).first()


def standing(link: PartyLink) -> str:
    """Whether the link can still be used, and if not, why not."""
    if link.used_at is not None:
        return USED
    if link.rectification.state not in may.UNSETTLED:
        return SETTLED
    # A party that has left the project has no say in it any more.
    if link.revoked_at is not None or not link.party.is_active:
        return REVOKED
    if link.expires_at <= timezone.now():
        return EXPIRED
    return OPEN if link.tries_left > 0 else LOCKED


@transaction.atomic
def try_code(link: PartyLink, code: str) -> bool:
    """Is this the code? Each wrong one costs a try, of which there are five; then nobody gets in by this link.

    A try is taken before the code is looked at, so that guesses at the same moment cannot share one.
    Side effects: audit; the last wrong one tells whoever sent the link. Raises: LinkClosed.
    """
    if (now := standing(link)) != OPEN:
        raise LinkClosed(now)
    if not PartyLink.objects.filter(pk=link.pk, tries_left__gt=0).update(tries_left=F("tries_left") - 1):
        raise LinkClosed(LOCKED)
    plain = "".join(character for character in code if character.isdigit())
    if check_password(plain, link.code_hash):
        PartyLink.objects.filter(pk=link.pk).update(tries_left=F("tries_left") + 1)
        audit.record("partylink.enter", actor=None, obj=link.rectification, detail={"party": link.party.name})
        return True
    link.refresh_from_db(fields=["tries_left"])
    audit.record(
        "partylink.wrong_code", actor=None, obj=link.rectification, result="refused",
        detail={"party": link.party.name, "left": link.tries_left},
    )  # fmt: skip
    if link.tries_left == 0:
        _tell_locked(link)
    return False


def _tell_locked(link: PartyLink) -> None:
    text = (
        f"发给{link.party.name}的整改回复链接（{link.rectification.number}）因校验码多次输错已锁定，如有需要请重新发送"
    )
    notify(
        [link.created_by_id, *logins_with_leads([link.rectification.raised_by_id])], kind="partylink.locked", text=text,
        url=link.rectification.get_absolute_url(), key=f"partylink.locked:{link.pk}",
    )  # fmt: skip


def proof_of(link: PartyLink) -> str:
    """What a browser keeps to show that the code was given for this link."""
    return signing.dumps({"link": link.pk}, salt=_SALT)


def is_proven(link: PartyLink, proof: str) -> bool:
    try:
        told: Any = signing.loads(proof, salt=_SALT, max_age=PROOF_SECONDS)
    except signing.BadSignature:
        return False
    return bool(told == {"link": link.pk})


@dataclass(frozen=True, slots=True)
class SharedMatter:
    """All that an outsider is shown, field by field: their one matter. No person, no other party, no other matter."""

    number: str
    locality: str
    project: str
    party: str
    subject: str
    text: str
    basis: str
    raised_on: date
    due_on: date | None
    photos: Sequence[int]
    # What re-inspections found that was not mended yet: (day, text).
    remarks: Sequence[tuple[date, str]]


def matter_for(link: PartyLink) -> SharedMatter:
    matter = link.rectification
    refused = matter.replies.filter(kind=RectificationReply.Kind.REINSPECTION, accepted=False).order_by("pk")
    return SharedMatter(
        number=matter.number, locality=matter.locality.name, project=matter.project.name, party=link.party.name,
        subject=matter.get_subject_display(), text=matter.text, basis=matter.basis, raised_on=matter.raised_on,
        due_on=matter.due_on, photos=list(originals_of(matter).values_list("pk", flat=True)),
        remarks=[(timezone.localtime(row.created).date(), row.text) for row in refused],
    )  # fmt: skip


def originals_of(matter: Rectification) -> Any:
    """Photos of what is wrong."""
    return RectificationPhoto.objects.filter(rectification=matter, reply=None).select_related("file").order_by("pk")


@transaction.atomic
def answer(link: PartyLink, *, text: str, signed_as: str, uploads: Sequence[Upload] = ()) -> RectificationReply:
    """The party's one reply; with it the link is spent. Nothing is spent when the reply is refused.

    Side effects: as `enter_reply`. Raises: LinkClosed (used meanwhile, expired, the matter is over), ValidationError.
    """
    link = _held(link)
    if (now := standing(link)) != OPEN:
        raise LinkClosed(now)
    if not _spend(link):
        raise LinkClosed(USED)
    return answer_by_link(link.rectification, link, text=text, signed_as=signed_as, uploads=uploads)


def _held(link: PartyLink) -> PartyLink:
    """The link as it stands, with the matter's row held: whoever settles the matter holds the same row first."""
    rows = Rectification.objects.select_for_update(of=("self",), no_key=True).select_related("project", "locality")
    matter = rows.get(pk=link.rectification_id)
    fresh = PartyLink.objects.select_related("party").get(pk=link.pk)
    fresh.rectification = matter
    return fresh


def _spend(link: PartyLink) -> bool:
    """Behind the lock a second wall: the row is taken only while nobody has used it."""
    rows = PartyLink.objects.filter(pk=link.pk, used_at=None, revoked_at=None, expires_at__gt=timezone.now())
    return bool(rows.update(used_at=timezone.now()))
