"""`{% project_consultations project %}`: the requests about a project that whoever looks may see."""

from __future__ import annotations

from typing import Any

from django import template

from projects.models import Project
from projects.reads_consultations import project_consultations as read

register = template.Library()


@register.inclusion_tag("projects/_consultations.html", takes_context=True)
def project_consultations(context: template.Context, project: Project) -> dict[str, Any]:
    return read(project, context["request"].user)
