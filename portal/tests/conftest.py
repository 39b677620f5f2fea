"""What the journeys share: people served from last year until next, a hand whose clicks are counted, sheets."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from PIL import Image

from core.calendar import load_calendar
from factories import Cast, make_cast
from planners.models import AnnualSigning, Assignment, Contract


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The cast under a contract that holds today, whenever the tests run."""
    cache.clear()
    today = timezone.localdate()
    cast = make_cast()
    load_calendar(only={today.year - 1, today.year})
    term = {"start": date(today.year - 1, 1, 1), "end": date(today.year + 1, 12, 31)}
    Contract.objects.filter(pk=cast.contract.pk).update(signed_on=term["start"], **term)
    Assignment.objects.filter(contract=cast.contract).update(**term)
    for year in (today.year - 1, today.year):
        AnnualSigning.objects.create(
            contract=cast.contract,
            start=date(year, 1, 1),
            end=date(year, 12, 31),
            signed_on=date(year, 1, 1),
            fee=cast.contract.annual_fee,
        )
    cast.contract.refresh_from_db()
    return cast


class Hand:
    """Acts on a page as a finger or a mouse does; every click and tap counts, the keys between them do not."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = 0

    def click(self, selector: str, **options: Any) -> None:
        self.clicks += 1
        self.page.locator(selector).first.click(**options)

    def twice(self, selector: str) -> None:
        """A double tap, faster than any page answers."""
        self.clicks += 2
        self.page.locator(selector).first.dblclick(no_wait_after=True)

    def write(self, selector: str, text: str) -> None:
        """Tap the field, then type."""
        self.click(selector)
        self.page.keyboard.insert_text(text)

    def attach(self, selector: str, *files: dict[str, Any]) -> None:
        """One tap opens the chooser of the device."""
        with self.page.expect_file_chooser() as chooser:
            self.click(selector)
        chooser.value.set_files(list(files))

    def download(self, selector: str) -> bytes:
        with self.page.expect_download() as waiting:
            self.click(selector)
        with open(waiting.value.path(), "rb") as file:
            return file.read()


@pytest.fixture
def hand() -> Callable[[Any], Hand]:
    return Hand


def picture(name: str = "现场.jpg", colour: str = "steelblue") -> dict[str, Any]:
    """A photo as a phone hands it to the browser."""
    out = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": out.getvalue()}


def until(holds: Callable[[], bool], page: Any, seconds: int = 15) -> None:
    """Wait for something that the page does by itself and that shows in the database."""
    for _ in range(seconds * 5):
        if holds():
            return
        page.wait_for_timeout(200)
    raise AssertionError("it did not happen in time")
