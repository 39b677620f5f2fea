"""Filters that show a sensitive number with its middle hidden."""

from __future__ import annotations

from django import template

from core.crypto import mask_identity, mask_phone

register = template.Library()

register.filter("masked_phone", mask_phone)
register.filter("masked_identity", mask_identity)
