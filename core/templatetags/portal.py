"""Filters for dates, money, days and masked numbers: one way of writing each, on pages and in documents."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils import timezone

from core.crypto import mask_identity, mask_phone

register = template.Library()


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value if isinstance(value, date) else None


@register.filter
def prose_date(value: Any) -> str:
    """2024年3月5日; empty for nothing. Text that is an ISO date (as frozen facts keep it) is read."""
    day = _day(value) or _iso(value)
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


@register.filter
def table_date(value: Any) -> str:
    """2024-03-05; empty for nothing."""
    day = _day(value) or _iso(value)
    return day.isoformat() if day else ""


@register.filter
def table_time(value: Any) -> str:
    """2024-03-05 14:03 in local time; empty for nothing."""
    if not isinstance(value, datetime):
        return table_date(value)
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return local.strftime("%Y-%m-%d %H:%M")


@register.filter
def money(value: Any) -> str:
    """1,234.50; empty for nothing."""
    number = _decimal(value)
    return "" if number is None else f"{number:,.2f}"


@register.filter
def days(value: Any) -> str:
    """18, 2.5, 0: decimals without trailing zeros; empty for nothing."""
    number = _decimal(value)
    if number is None:
        return ""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


@register.filter
def mask(value: Any) -> str:
    """An identity number or phone with its middle hidden."""
    text = str(value or "").strip()
    return mask_phone(text) if len(text) <= 13 else mask_identity(text)


def _iso(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
