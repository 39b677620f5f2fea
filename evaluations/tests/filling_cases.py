"""What tests of filling in share: a round of 晋城 that is open today, and what a rater enters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from districts.access import forget_access
from evaluations.models import Indicator, Round, RoundStep, Sheet
from evaluations.services.answers import Given, own_answers, save_answers, submit_sheet
from evaluations.services.rounds import open_round
from evaluations.tests.round_cases import Site, make_site
from factories import make_round
from factories_kept import once


@dataclass
class Filling:
    """The round with its first step open: 甲街道 about 龚䶮, 龚䶮 about 甲街道."""

    site: Site
    round: Round
    today: date

    @property
    def step(self) -> RoundStep:
        return self.round.steps.get(number=1)

    def of_unit(self) -> Sheet:
        return self.round.sheets.get(
            subject__planner=self.site.planners[0], unit=self.site.unit, state__in=_LIVING, step__number=1
        )

    def of_planner(self) -> Sheet:
        return self.round.sheets.get(planner=self.site.planners[0], subject__unit=self.site.unit, state__in=_LIVING)


_LIVING = ["waiting", "draft", "submitted", "abstained", "declined", "excused"]


@once
def make_filling(slug: str = "jincheng", *, scope: str = "both", prepared: bool = False) -> Filling:
    site = make_site(slug, demo=True)
    today = timezone.localdate()
    made = make_round(site.locality, actor=site.bureau, scope=scope, today=today)
    return Filling(site, made if prepared else open_round(made, actor=site.bureau, today=today), today)


def lines_of(sheet: Sheet) -> list[Indicator]:
    return list(Indicator.objects.filter(form=sheet.form_id).order_by("order", "pk"))


def everything(sheet: Sheet, value: Any = 80, **more: Any) -> dict[int, Given]:
    """The same for every scored line, a word for every question."""
    return {
        line.pk: Given(text="文字") if line.kind == "text" else Given(value=Decimal(value), **more)
        for line in lines_of(sheet)
    }


def save(sheet: Sheet, actor: User, given: dict[int, Given], *, today: date | None = None, seen: Any = None) -> Any:
    forget_access(actor)
    return save_answers(sheet, actor=actor, given=given, seen=seen or {}, today=today or timezone.localdate())


def submit(sheet: Sheet, actor: User, given: Any = None, *, today: date | None = None, seen: Any = None) -> Sheet:
    forget_access(actor)
    return submit_sheet(sheet, actor=actor, given=given, seen=seen or {}, today=today or timezone.localdate())


def values_of(sheet: Sheet, author: User) -> list[Decimal | None]:
    kept = own_answers(sheet, author=author)
    return [kept[line.pk].value if line.pk in kept else None for line in lines_of(sheet)]


def posted(sheet: Sheet, by: User, value: Any, **more: Any) -> dict[str, Any]:
    """What the page of this rater would send with the value in every scored line."""
    kept = own_answers(sheet, author=by)
    data: dict[str, Any] = dict(more)
    for line in lines_of(sheet):
        data[f"i{line.pk}-seen"] = kept.get(line.pk, Given()).mark
        data[f"i{line.pk}-{'text' if line.kind == 'text' else 'value'}"] = str(value)
    return data


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client


def later(today: date, days: int) -> date:
    return today + timedelta(days=days)
