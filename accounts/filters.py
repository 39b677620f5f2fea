"""What the list of accounts can be asked."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms

from accounts.querysets import UserQuerySet
from core.listing import ListFilter, offer_places
from core.roles import places_of

STATES = [("on", "在用"), ("off", "已停用"), ("first", "尚未修改初始密码"), ("never", "从未登录")]
_CONDITIONS: dict[str, dict[str, Any]] = {
    "on": {"is_active": True}, "off": {"is_active": False}, "first": {"must_change_password": True},
    "never": {"last_login": None},
}  # fmt: skip


class AccountFilter(ListFilter):
    """One place alone is not asked about."""

    sorts = {"username": ("username", "pk"), "name": ("name", "pk"), "joined": ("date_joined", "pk")}

    q = django_filters.CharFilter(label="姓名或用户名", max_length=60, method="find")
    state = django_filters.ChoiceFilter(label="状态", choices=STATES, method="in_state", empty_label="全部")
    locality = django_filters.ChoiceFilter(label="所属地方", field_name="locality_code", empty_label="全部")

    def fit(self, form: forms.Form) -> None:
        offer_places(form, places_of(self.user))

    def find(self, rows: UserQuerySet, name: str, value: str) -> UserQuerySet:
        return rows.matching(value)

    def in_state(self, rows: UserQuerySet, name: str, value: str) -> UserQuerySet:
        return rows.filter(**_CONDITIONS[value])
