"""The cast of people; today is a day within the cast's contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from districts.models import Membership
from factories import Cast, make_cast
from projects.models import Project, ProjectStage
from projects.services.registry import create_project


@pytest.fixture
def cast(db: Any) -> Cast:
    return make_cast()


@pytest.fixture
def as_user(cast: Cast) -> Callable[[str], Client]:
    """`as_user("bureau")`: a client logged in as that member of the cast; "anonymous" is nobody."""

    def client_of(who: str) -> Client:
        client = Client()
        if who != "anonymous":
            client.force_login(getattr(cast, who), backend=settings.AUTHENTICATION_BACKENDS[-1])
        return client

    return client_of


@pytest.fixture
def project(cast: Cast) -> Project:
    """A scheme under review in the cast's unit, under beijing-core as published (consultation required before
    approval); its owner is the department."""
    return create_project(
        cast.locality, actor=cast.bureau, units=[cast.unit], number="XM-S1", name="雄安路口公共空间提升",
        kind="public_space", stage="scheme", place="雄安路口",
        owner=Membership.objects.get(user=cast.department).organisation,
    )  # fmt: skip


@pytest.fixture
def stage(project: Project) -> ProjectStage:
    return project.stages.get()
