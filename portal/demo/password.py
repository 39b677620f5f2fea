"""The one password of the demo logins."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings


def demo_password() -> str:
    """Made once for each installation and kept outside the tree; PORTAL_DEMO_PASSWORD sets it."""
    given = os.environ.get("PORTAL_DEMO_PASSWORD")
    if given:
        return given
    path = Path(settings.DATA_DIR) / "keys" / "demo_password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Demo-{secrets.randbelow(10**6):06d}-{secrets.token_hex(2)}")
        path.chmod(0o600)
    return path.read_text().strip()
