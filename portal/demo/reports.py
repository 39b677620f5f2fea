"""Rounds of the demo: last period's documents in every state, written and handed in through the services."""

from __future__ import annotations

from datetime import date, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from core.files import store_photo
from districts.models import Locality
from evaluations.models import Cycle, DutyReport
from evaluations.services.cycles import offered_periods, open_cycle
from evaluations.services.reports import endorse_report, save_sections, submit_report
from worklogs.models import LogPhoto, WorkLog
from worklogs.services.photos import mark_photos

from .pictures import street_scene
from .places import PLANS
from .texts import REPORT_TEXTS

PHOTOS = 3


def build_reports(today: date) -> int:
    """Open last period's round in each locality with a bureau login; the first lead and planner have written theirs.

    Returns the number of rounds.
    """
    opened = 0
    for plan in PLANS:
        bureau = User.objects.filter(username=f"bureau-{plan.suffix}").first() if plan.suffix else None
        if bureau is None:
            continue
        locality = Locality.objects.get(code=plan.code)
        past = [p for p in offered_periods(locality, today=today) if p.end < today]
        if not past:
            continue
        cycle = open_cycle(
            locality, actor=bureau, start=past[0].start, end=past[0].end, due_on=today + timedelta(days=20),
            today=today, recipient=plan.report_to or None,
        )  # fmt: skip
        opened += 1
        _photos(cycle, bureau)
        _write(cycle, plan.suffix)
    return opened


def _photos(cycle: Cycle, actor: User) -> None:
    """Drawn pictures for the logs of the planners whose documents are written."""
    logs = WorkLog.objects.counting().filter(
        locality=cycle.locality, date__range=(cycle.start, cycle.end), planner__user__isnull=False
    )
    # Different in each locality: nobody is to be asked about a photo that the demo used twice.
    first = cycle.pk * PHOTOS * 4
    for number, log in enumerate(logs.order_by("planner", "-date")[: PHOTOS * 4]):
        upload = SimpleUploadedFile(
            f"示例照片{number + 1}.jpg", street_scene(first + number), content_type="image/jpeg"
        )
        stored, facts = store_photo(upload, actor=actor, purpose="worklog_photo")
        mark_photos([LogPhoto.objects.create(log=log, file=stored, picture_hash=facts.picture_hash)])


def _write(cycle: Cycle, suffix: str) -> None:
    lead = User.objects.filter(username=f"lead-{suffix}").first()
    planner = User.objects.filter(username=f"planner-{suffix}").first()
    for user in (lead, planner):
        if user is None:
            continue
        for report in cycle.reports.filter(author__user=user, is_collation=False):
            save_sections(report, actor=user, texts=REPORT_TEXTS, revision=report.revision)
            submit_report(report, actor=user)
    # One document waits for the lead in Beijing's demo; elsewhere it is endorsed, so that both states can be seen.
    if lead is not None and suffix != "bj":
        waiting = DutyReport.objects.filter(cycle=cycle, state="submitted", contract__team__lead__user=lead)
        for report in waiting.exclude(author__user=lead):
            endorse_report(report, actor=lead)
