"""Rectifications and disputes on other pages: the parts of a project's page, and the badge on what is disputed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from core.templatetags.icons import render_icon
from projects import permissions_disputes as may
from projects.models import Dispute, OpinionItem, Project, Rectification
from projects.permissions_disputes import Matter
from projects.services.disputes import open_disputes
from projects.shown import DISPUTE_TONES, RECTIFICATION_TONES, due_words, late_words
from projects.sources import source_url

register = template.Library()
SHOWN = 50
_KEPT = "_open_disputes"
_BADGE = "projects/_dispute_badge.html"
Key = tuple[str, int]


@register.filter
def percent(permille: Any) -> str:
    """A place in per mille as SVG wants it: 325 → 32.5%."""
    return f"{int(permille) / 10:g}%" if permille is not None else "0%"


@register.inclusion_tag("projects/_rectifications.html", takes_context=True)
def project_rectifications(context: template.Context, project: Project) -> dict[str, Any]:
    """What is to be mended on this project, as far as the reader may see it."""
    user, today = context["request"].user, timezone.localdate()
    rows = Rectification.objects.visible_to(user).filter(project=project).select_related("contractor")
    found = list(rows[: SHOWN + 1])
    return {
        "request": context["request"],
        "project": project,
        "rows": [(row, RECTIFICATION_TONES[row.state], due_words(row, today)) for row in found[:SHOWN]],
        "more": len(found) > SHOWN,
        "unsettled": sum(row.state in {"open", "replied", "escalated"} for row in found),
    }


@register.inclusion_tag("projects/_disputes.html", takes_context=True)
def project_disputes(context: template.Context, project: Project) -> dict[str, Any]:
    """What is disputed on this project, as far as the reader may see it; and whether they may file about the whole."""
    user, today = context["request"].user, timezone.localdate()
    rows = Dispute.objects.visible_to(user).filter(project=project).order_by("-pk")[:SHOWN]
    matter = Matter(project)
    decision = may.can_file(user, matter)
    return {
        "request": context["request"],
        "project": project,
        "rows": [(row, DISPUTE_TONES[row.state], late_words(row, today)) for row in rows],
        "may_file": decision,
        # Why not is for those who stand on a side: to others it says nothing.
        "why_not": decision.reason if not decision and may.side_of(user, matter) else "",
    }


@register.simple_tag(takes_context=True)
def dispute_badge(context: template.Context, obj: Any) -> SafeString:
    """分歧协调中 on a project, an item or a rectification that is disputed now; nothing else.

    One query for each project and page, however many items it shows.
    """
    found = _disputed(context, _project_id(obj)).get(_key(obj))
    if found is None:
        return SafeString("")
    url = found.get_absolute_url() if found.pk in _openable(context) else ""
    return SafeString(render_to_string(_BADGE, {"dispute": found, "url": url}))


@register.simple_tag(takes_context=True)
def dispute_button(context: template.Context, obj: Any, *, allowed: bool | None = None) -> SafeString:
    """提请协调 for who may take this item or rectification to the district; nothing for others.

    `allowed`: the answer, where the page has asked for all of its items at once (`permissions_disputes.fileable`).
    """
    item = obj if isinstance(obj, OpinionItem) else None
    rectification = obj if isinstance(obj, Rectification) else None
    project = obj if isinstance(obj, Project) else _project(obj)
    if allowed is None:
        allowed = bool(may.can_file(context["request"].user, Matter(project, item, rectification)))
    if not allowed:
        return SafeString("")
    name = "item" if item is not None else "rectification" if rectification is not None else ""
    query = f"?{urlencode({name: obj.pk})}" if name else ""
    url = reverse("projects:dispute-create", args=[project.pk]) + query
    small = " btn-sm" if item is not None else ""
    return SafeString(f'<a class="btn{small}" href="{url}">{render_icon("scale")}提请协调</a>')


@register.simple_tag(takes_context=True)
def source_log_link(context: template.Context, row: Rectification) -> SafeString:
    """The inspection that it came from, for whoever may open that."""
    url = source_url(context["request"].user, row.source_log)
    return SafeString(f'<p><a href="{url}">查看巡查记录</a></p>' if url else "")


def _project_id(obj: Any) -> int:
    if isinstance(obj, Project):
        return obj.pk
    if isinstance(obj, Rectification):
        return obj.project_id
    return int(obj.opinion.consultee.consultation.project_id)


def _project(obj: Any) -> Project:
    if isinstance(obj, Rectification):
        return obj.project
    found: Project = obj.opinion.consultee.consultation.project
    return found


def _key(obj: Any) -> Key:
    return str(obj._meta.model_name), int(obj.pk)


def _disputed(context: template.Context, project_id: int) -> Mapping[Key, Dispute]:
    """Open disputes of the project by what they are about; kept for the page."""
    kept: dict[int, dict[Key, Dispute]] = context["request"].__dict__.setdefault(_KEPT, {})
    if project_id not in kept:
        found: dict[Key, Dispute] = {}
        for dispute in open_disputes(project_id):
            if dispute.item_id is not None:
                found["opinionitem", dispute.item_id] = dispute
            elif dispute.rectification_id is not None:
                found["rectification", dispute.rectification_id] = dispute
            found.setdefault(("project", project_id), dispute)
        kept[project_id] = found
    return kept[project_id]


def _openable(context: template.Context) -> set[int]:
    request = context["request"]
    ids: set[int] | None = request.__dict__.get(f"{_KEPT}_seen")
    if ids is None:
        every = [dispute.pk for found in request.__dict__[_KEPT].values() for dispute in found.values()]
        ids = set(Dispute.objects.visible_to(request.user).filter(pk__in=every).values_list("pk", flat=True))
        request.__dict__[f"{_KEPT}_seen"] = ids
    return ids
