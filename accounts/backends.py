"""How a session's user is read."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User
from core.prepared import Prepared

_USERS = Prepared(lambda: User.objects.order_by(), "id")


class PortalBackend(AuthenticationBackend):
    """allauth's, but that the user of each request is read by a prepared query."""

    def get_user(self, user_id: Any) -> User | None:
        found = next(iter(_USERS.rows(User._meta.pk.to_python(user_id))), None)
        return found if found is not None and self.user_can_authenticate(found) else None
