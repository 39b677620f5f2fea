"""Publishing a year's notice: one named act. What was published stays; a correction is a new version that says why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core import audit
from core.calendar import YEARS_AHEAD, load_calendar, rewrite_year
from core.calendar_notice import check_notice
from core.errors import StaleState
from core.files import DOCUMENTS, IMAGES, store_file
from core.models import CalendarNotice, CalendarYear
from core.permissions import Decision, require
from core.roles import has_role
from core.signals import calendar_changed

if TYPE_CHECKING:
    from accounts.models import User

FIRST_YEAR = 2004

audit.register_actions({"calendar.publish": "公布节假日安排", "calendar.correct": "更正节假日安排"})


def can_enter_calendar(user: Any, _: Any = None) -> Decision:
    """The calendar is one for the whole portal: its system administrators keep it."""
    return Decision.of(has_role(user, "sysadmin"), otherwise="仅系统管理员可以录入节假日安排")


def may_enter_year(year: int) -> bool:
    """Can a notice be out for that year? The one after this year is out in November at the latest."""
    return FIRST_YEAR <= year <= timezone.localdate().year + YEARS_AHEAD


@transaction.atomic
def publish_year(
    year: int, *, holidays: Mapping[date, str], makeup_days: Mapping[date, str], title: str, actor: User | None,
    notice_number: str = "", notice_date: date | None = None, text: str = "", reason: str = "", scan: Any = None,
    seen: int | None = None,
) -> CalendarNotice:  # fmt: skip
    """Publish the notice of a year: days off and weekends that are worked, each with the name of its holiday.

    `actor` None: the command on the server. `seen`: number of the version that the person looked at (0: none yet).
    `reason`: needed where the year is already published. `scan`: an upload, kept with the version.
    Side effects: the version, every day of the year (and of the last days of the year before), one audit entry, the
    scan; `calendar_changed` has all that rests on these years recounted. Raises: ValidationError (core.calendar_notice.
    check_notice; no title; no reason), Refused, StaleState (another version came first).
    """
    if actor is not None:
        require(can_enter_calendar(actor))
    errors: dict[str, list[str]] = {"text": list(check_notice(year, holidays, makeup_days).errors)}
    entry = _locked(year)
    number = (entry.notices.values_list("number", flat=True).first() or 0) + 1
    if seen is not None and seen != number - 1:
        raise StaleState("已被他人处理：这一年的安排刚刚有了新的版本，请刷新后核对。")
    corrects = entry.status == CalendarYear.Status.PUBLISHED
    errors["reason"] = ["这一年的安排已经公布，请写明更正原因。"] if corrects and not reason.strip() else []
    errors["title"] = [] if title.strip() else ["请填写通知名称。"]
    errors["year"] = [] if may_enter_year(year) else [f"{year} 年的安排还不能录入。"]
    if wrong := {name: words for name, words in errors.items() if words}:
        raise ValidationError(wrong)
    notice = CalendarNotice.objects.create(
        year=entry, number=number, title=title.strip(), notice_number=notice_number.strip(), notice_date=notice_date,
        text=text, holidays=_kept(holidays), makeup=_kept(makeup_days), reason=reason.strip(), published_by=actor,
        scan=store_file(scan, actor=actor, purpose="calendar", allowed=DOCUMENTS | IMAGES) if scan else None,
    )  # fmt: skip
    _apply(entry, notice)
    detail = {"version": number, "holidays": len(holidays), "makeup": len(makeup_days), "reason": notice.reason}
    audit.record("calendar.correct" if corrects else "calendar.publish", actor=actor, obj=entry, detail=detail)
    # 元旦 may begin in December.
    calendar_changed.send(sender=CalendarYear, years={year - 1, year})
    return notice


def _locked(year: int) -> CalendarYear:
    """The year's row, held until the transaction ends; made from the law where the table had nothing of it."""
    if not CalendarYear.objects.filter(pk=year).exists():
        load_calendar(only={year})
    CalendarYear.objects.get_or_create(year=year, defaults={"status": CalendarYear.Status.PROVISIONAL, "source": ""})
    return CalendarYear.objects.select_for_update().get(pk=year)


def _apply(entry: CalendarYear, notice: CalendarNotice) -> None:
    entry.status, entry.is_manual = CalendarYear.Status.PUBLISHED, True
    entry.source, entry.notice_number = notice.title, notice.notice_number
    entry.save()
    rewrite_year(entry.year)
    if CalendarYear.objects.filter(pk=entry.year - 1).exists():
        rewrite_year(entry.year - 1)


def _kept(days: Mapping[date, str]) -> dict[str, str]:
    return {day.isoformat(): name for day, name in sorted(days.items())}
