"""The house asks this app which role somebody works under now."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.roles import Role
from core.roles import has_role
from districts.access import forget_access
from districts.models import Locality, Membership


@pytest.mark.django_db
def test_house_knows_the_current_role(django_user_model):
    user = django_user_model.objects.create_user("admin-test")
    assert not has_role(user, "sysadmin")
    place = Locality.objects.create(code="990100", name="示例区")
    Membership.objects.create(user=user, role=Role.SYSADMIN, locality=place, valid_from="2020-01-01")
    forget_access(user)
    assert has_role(user, "sysadmin")
    assert not has_role(user, "auditor")
    assert not has_role(AnonymousUser(), "sysadmin")
