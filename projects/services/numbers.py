"""The portal's own serials of review records: kind, locality, year and sequence. 发文字号 belongs to the office system."""

from __future__ import annotations

from core.pdf.issue import next_serial
from districts.models import Locality

# What each kind of record is called in its number.
CONSULTATION, RECTIFICATION, DISPUTE, DISPATCH = "ZX", "ZG", "FQ", "HG"


def take_number(kind: str, locality: Locality, year: int) -> str:
    """The next number of `kind`, e.g. "ZX-110112-2026-0001". The counter's row stays locked until the transaction ends,
    so no number is given twice."""
    return f"{kind}-{locality.code}-{year}-{next_serial(f'{kind}-{locality.code}', year):04d}"
