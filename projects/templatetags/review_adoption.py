"""`{% project_adoption project %}` and `{% consultation_adoption consultation %}`: what became of opinions, on the
pages of a project and of a request; each reads what the person may see, and nothing else."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from projects import permissions_adoption as may
from projects.models import Consultation, OpinionDispatch, Project
from projects.permissions_followup import can_dispatch
from projects.services.adoption import items_of
from projects.services.adoption_pages import lines_of, requests_of, shown_items

register = template.Library()


@register.inclusion_tag("projects/_adoption.html", takes_context=True)
def project_adoption(context: template.Context, project: Project) -> dict[str, Any]:
    """The project's requests that have items: how they stand, when the answer is due, and where it is given."""
    user = context["request"].user
    return {
        "requests": requests_of(project, user=user, today=timezone.localdate()),
        "dispatches": OpinionDispatch.objects.visible_to(user).filter(consultation__project=project),
    }  # fmt: skip


@register.inclusion_tag("projects/_adoption_items.html", takes_context=True)
def consultation_adoption(context: template.Context, consultation: Consultation) -> dict[str, Any]:
    """The items of one request with their answers, for the request's own page."""
    user = context["request"].user
    if not Consultation.objects.visible_to(user).filter(pk=consultation.pk).exists():
        return {"lines": []}
    return {
        "request": context["request"], "consultation": consultation,
        "lines": lines_of(shown_items(items_of(consultation)), user=user, today=timezone.localdate()),
        "may_answer": may.can_answer_items(user, consultation),
        "may_dispatch": can_dispatch(user, consultation),
    }  # fmt: skip
