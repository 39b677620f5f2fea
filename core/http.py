"""Types of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from accounts.models import User

    class PersonRequest(HttpRequest):
        """The request of a view behind `login_required`: somebody is there."""

        user: User
else:
    PersonRequest = HttpRequest
