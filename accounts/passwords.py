"""One-time passwords for accounts that are handed out."""

from __future__ import annotations

import math
import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.validators import profile

# Without what is easily mistaken when read aloud or copied by hand (0 O 1 l I).
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
_GROUP = 4


def one_time_password(user: User) -> str:
    """A random password that the rules in force accept for `user`: groups of four, at least twelve characters
    (some 69 bits) besides the dashes."""
    groups = max(3, math.ceil(profile().min_length / (_GROUP + 1)))
    while True:
        password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(groups))
        try:
            validate_password(password, user)
        except ValidationError:
            continue
        return password
