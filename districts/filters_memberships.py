"""What the list of who may do what can be asked."""

from __future__ import annotations

from datetime import date

import django_filters
from django import forms
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core.listing import DayFilter, ListFilter, offer_places
from districts.access import places_reached
from districts.models.memberships import MembershipQuerySet, Standing


class MembershipFilter(ListFilter):
    """Without `state` the rows that count today or will."""

    sorts = {
        "locality": ("locality__code", "role", "pk"),
        "role": ("role", "locality__code", "pk"),
        "user": ("user__username", "pk"),
        "from": ("valid_from", "pk"),
    }

    q = django_filters.CharFilter(label="姓名、用户名、单元或单位", max_length=60, method="find")
    role = django_filters.ChoiceFilter(label="角色", choices=Role.choices, empty_label="全部")
    locality = django_filters.ChoiceFilter(label="地方", field_name="locality__code", empty_label="全部")
    state = django_filters.ChoiceFilter(
        label="状态", choices=[*Standing.choices, ("all", "全部")], method="in_state", empty_label="有效和尚未开始"
    )
    kind = django_filters.ChoiceFilter(
        label="来源", choices=[("own", "本人身份"), ("substitution", "代理")], method="of_kind", empty_label="全部"
    )
    on = DayFilter(label="某日有效", method="dated_on")

    def fit(self, form: forms.Form) -> None:
        offer_places(form, places_reached(self.user))

    def filter_queryset(self, queryset: MembershipQuerySet) -> MembershipQuerySet:
        rows: MembershipQuerySet = super().filter_queryset(queryset)
        asked = self.form.cleaned_data.get("state") or self.form.cleaned_data.get("on")
        return rows if asked else rows.not_over(timezone.localdate())

    @property
    def day(self) -> date:
        """The day that the list speaks of: the one asked for, else today."""
        return self.form.cleaned_data.get("on") or timezone.localdate()

    def find(self, rows: MembershipQuerySet, name: str, value: str) -> MembershipQuerySet:
        for word in value.split():
            people = User.objects.matching(word).values("pk")
            place = Q(unit__name__contains=word) | Q(organisation__name__contains=word)
            rows = rows.filter(Q(user_id__in=people) | place)
        return rows

    def of_kind(self, rows: MembershipQuerySet, name: str, value: str) -> MembershipQuerySet:
        return rows.filter(stands_in_for__isnull=value == "own")

    def dated_on(self, rows: MembershipQuerySet, name: str, value: date) -> MembershipQuerySet:
        return rows.dated_on(value)

    def in_state(self, rows: MembershipQuerySet, name: str, value: str) -> MembershipQuerySet:
        today = timezone.localdate()
        if value == Standing.CURRENT:
            return rows.valid_on(today)
        if value == Standing.COMING:
            return rows.not_over(today).filter(valid_from__gt=today)
        if value == Standing.OVER:
            over = Q(valid_to__lt=today) | Q(ended_from__lte=today) | Q(ended_from__lte=F("valid_from"))
            return rows.filter(over)
        return rows
