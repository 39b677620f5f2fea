"""Photos of a log: each is stored as it arrives, waits under the key of its form, and joins the log that is made.

So a form that comes back with an error has lost no picture. What is shown is the re-encoded picture alone; where and
when it was taken stays in columns that no page outside the locality's reviewers reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core import audit
from core.files import store_photo
from core.permissions import require
from worklogs import permissions
from worklogs.models import LogPhoto, PendingPhoto, PhotoBand, WorkLog
from worklogs.plausibility.shapes import bands

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

MAX_PHOTOS = 9
# A form that has not come back within this time is not coming back.
KEPT_FOR = timedelta(days=7)


def keep_photos(
    uploads: Iterable[Any], *, actor: User, submission_key: UUID, already: int = 0, most: int = MAX_PHOTOS
) -> list[str]:
    """Store each upload under the form's key; the messages for those that were refused (others are kept).

    `already`: photos that the log has, of at most `most`. The same picture sent twice is kept once.
    """
    problems: list[str] = []
    for upload in uploads:
        name = str(getattr(upload, "name", ""))[:60]
        try:
            with transaction.atomic():
                _keep(upload, actor=actor, submission_key=submission_key, room=most - already, most=most)
        except ValidationError as exc:
            words = "；".join(exc.messages)
            problems.append(words if name in words else f"{name}：{words}")
    return problems


def _keep(upload: Any, *, actor: User, submission_key: UUID, room: int, most: int) -> None:
    waiting = pending(actor, submission_key)
    if len(waiting) >= room:
        raise ValidationError(f"每条记录最多 {most} 张照片。")
    stored, facts = store_photo(upload, actor=actor, purpose="worklog")
    if any(p.file.sha256 == stored.sha256 for p in waiting):
        stored.delete()
        return
    PendingPhoto.objects.create(
        user=actor,
        submission_key=submission_key,
        file=stored,
        taken_at=facts.taken_at,
        latitude=facts.latitude,
        longitude=facts.longitude,
        picture_hash=facts.picture_hash,
    )


def pending(actor: User, submission_key: UUID | None) -> Sequence[PendingPhoto]:
    """Photos that wait under the key, each picture once; nobody reaches another person's."""
    # Of two requests at once neither sees what the other keeps: the same picture may wait twice.
    rows = _waiting(actor, submission_key).select_related("file").order_by("-pk")
    return sorted({row.file.sha256: row for row in rows}.values(), key=lambda row: row.pk)


def _waiting(actor: User, submission_key: UUID | None) -> QuerySet[PendingPhoto]:
    if submission_key is None:
        return PendingPhoto.objects.none()
    return PendingPhoto.objects.filter(user=actor, submission_key=submission_key)


def drop_pending(ids: Iterable[int], *, actor: User, submission_key: UUID) -> None:
    rows = _waiting(actor, submission_key)
    rows.filter(file__sha256__in=list(rows.filter(pk__in=list(ids)).values_list("file__sha256", flat=True))).delete()


def attach_pending(
    log: WorkLog, *, actor: User, submission_key: UUID | None, besides: Iterable[str] | None = None
) -> list[LogPhoto]:
    """Give the log the photos that wait under the key, in the caller's transaction; the photos that it got.

    A picture that is there already (`besides`, by SHA-256; else whatever the log has) is not given again: a form that
    was sent twice sent its pictures twice.
    """
    given = set(log.photos.values_list("file__sha256", flat=True) if besides is None else besides)
    waiting = [row for row in pending(actor, submission_key) if row.file.sha256 not in given]
    photos = LogPhoto.objects.bulk_create(
        [
            LogPhoto(
                log=log,
                file_id=p.file_id,
                taken_at=p.taken_at,
                latitude=p.latitude,
                longitude=p.longitude,
                picture_hash=p.picture_hash,
            )
            for p in waiting
        ]
    )
    mark_photos(photos)
    given.update(row.file.sha256 for row in waiting)
    _waiting(actor, submission_key).filter(file__sha256__in=given).delete()
    return photos


def mark_photos(photos: Iterable[LogPhoto]) -> None:
    """Make these new photos findable by nearly the same picture."""
    PhotoBand.objects.bulk_create(
        [PhotoBand(photo=photo, band=band) for photo in photos for band in bands(photo.picture_hash)], batch_size=1000
    )


@transaction.atomic
def remove_photos(log: WorkLog, ids: Iterable[int], *, actor: User) -> None:
    """Take photos off a log that is in its planner's hands. Raises: Refused."""
    wanted = list(ids)
    if not wanted:
        return
    require(permissions.can_edit(actor, log))
    removed, _ = log.photos.filter(pk__in=wanted).delete()
    if removed:
        audit.record("worklog.remove_photos", actor=actor, obj=log, label="删除照片", detail={"count": removed})


def sweep_pending() -> int:
    """Forget photos of forms that never came back; the number forgotten."""
    removed, _ = PendingPhoto.objects.filter(created__lt=timezone.now() - KEPT_FOR).delete()
    return removed
