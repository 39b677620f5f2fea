"""What the list of coverage can be asked: which units, over which days, in which state."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import django_filters
from django.utils import timezone

from core.listing import DayFilter
from districts.filters import PlacesFilter, find_units
from planners.services.coverage import DOUBLE, NEVER, PARTLY, STATES

# A year from today is what an officer can still arrange.
_USUAL = timedelta(days=364)


class CoverageFilter(PlacesFilter):
    """Over units; the state is computed, so the view narrows by it (`state`)."""

    sorts = {"name": ["locality__code", "sort_key", "pk"]}

    q = django_filters.CharFilter(label="名称、街道或拼音", max_length=60, method="with_words")
    state = django_filters.ChoiceFilter(
        label="覆盖情况", choices=[(code, STATES[code]) for code in (NEVER, PARTLY, DOUBLE)], empty_label="全部",
        method="untouched",
    )  # fmt: skip
    since = DayFilter(label="自", method="untouched")
    until = DayFilter(label="至", method="untouched")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return find_units(rows, value)

    def untouched(self, rows: Any, name: str, value: Any) -> Any:
        return rows

    @property
    def days(self) -> tuple[date, date]:
        """The days looked at: as asked for, else a year from today. To be read after `qs`."""
        asked = self.form.cleaned_data
        start = asked.get("since") or timezone.localdate()
        end = asked.get("until") or start + _USUAL
        return (start, end) if start <= end else (end, start)

    @property
    def wanted_state(self) -> str:
        """The state asked for; empty for all. To be read after `qs`."""
        return str(self.form.cleaned_data.get("state") or "")
