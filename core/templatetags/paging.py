"""`{% keyset_pager page %}`: previous and next of a `core.paging.KeysetPage`."""

from __future__ import annotations

from django import template

from core.paging import KeysetPage

register = template.Library()


@register.inclusion_tag("partials/keyset_pager.html")
def keyset_pager(page: KeysetPage) -> dict[str, str]:
    """Nothing at all when everything fits on one page; the rows are counted only when it does not."""
    if not (page.has_next or page.has_previous):
        return {}
    return {"previous_url": page.previous_url, "next_url": page.next_url, "note": page.note}
