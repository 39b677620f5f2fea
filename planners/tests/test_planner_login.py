"""The bureau says which account is a planner's; from then on that person logs visits under the name."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from core.errors import Refused
from core.models import AuditEntry
from factories import Cast, make_planner, make_user
from planners.models import Planner
from planners.services.logins import link_login

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(cast: Cast) -> Planner:
    return make_planner(cast.locality, name="新来的规划师")


def test_account_is_linked_and_taken_off_again(cast: Cast, newcomer: Planner):
    account = make_user("新来的规划师", locality_code=cast.locality.code)
    linked = link_login(newcomer, actor=cast.bureau, username=f" {account.username.upper()} ")
    assert linked.user == account
    assert AuditEntry.objects.get(action="planner.link").detail == {"from": "", "to": account.username}
    assert link_login(linked, actor=cast.bureau, username="").user is None


@pytest.mark.parametrize("who", ["unit_officer", "other_bureau", "planner", "lead", "sysadmin", "leader"])
def test_only_the_own_bureau_links(cast: Cast, newcomer: Planner, who: str):
    with pytest.raises(Refused):
        link_login(newcomer, actor=getattr(cast, who), username="anybody")


@pytest.mark.parametrize(
    ("extra", "words"),
    [({"locality_code": "371500"}, "没有这个用户名"), ({"is_active": False}, "已停用")],
)
def test_account_of_elsewhere_or_shut_is_refused(cast: Cast, newcomer: Planner, extra: dict, words: str):
    account = make_user("某人", **{"locality_code": cast.locality.code, **extra})
    with pytest.raises(ValidationError, match=words):
        link_login(newcomer, actor=cast.bureau, username=account.username)
    newcomer.refresh_from_db()
    assert newcomer.user is None


def test_account_of_another_planner_or_ones_own_is_refused_beside_the_field(cast: Cast, newcomer: Planner, client):
    for user in (cast.planner, cast.bureau):
        user.locality_code = cast.locality.code
        user.save(update_fields=["locality_code"])
    client.force_login(cast.bureau)
    for user, words in ((cast.planner, "已关联规划师"), (cast.bureau, "不能把自己的账号")):
        answer = client.post(reverse("planners:planner-login", args=[newcomer.pk]), {"username": user.username})
        assert answer.status_code == 200
        assert words in answer.content.decode()
    newcomer.refresh_from_db()
    assert newcomer.user is None
