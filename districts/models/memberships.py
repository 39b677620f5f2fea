"""Who holds which role, where, and from when to when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.roles import Role

if TYPE_CHECKING:
    from accounts.models import User


class Standing(models.TextChoices):
    """Where a membership stands on a day; not stored, since the day decides."""

    CURRENT = "current", "有效"
    COMING = "coming", "尚未开始"
    OVER = "over", "已结束"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def not_over(self, on: date) -> MembershipQuerySet:
        """Those that count on this day or will count later."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=on), Q(ended_from=None) | Q(ended_from__gt=on)).exclude(
            ended_from__lte=F("valid_from")
        )

    def valid_on(self, on: date) -> MembershipQuerySet:
        """Those that give their holder the role on this day; nobody stands in for somebody whose account is shut."""
        return self.dated_on(on).filter(Q(stands_in_for=None) | Q(stands_in_for__user__is_active=True))

    def dated_on(self, on: date) -> MembershipQuerySet:
        """Those whose days include this one, of whatever account: what was so on a day that is long over."""
        return self.filter(
            Q(valid_to=None) | Q(valid_to__gte=on), Q(ended_from=None) | Q(ended_from__gt=on), valid_from__lte=on
        )

    def overlapping(self, start: date, end: date | None) -> MembershipQuerySet:
        """Those that count on some day from `start` to `end` (None: for good)."""
        rows = self.not_over(start)
        return rows if end is None else rows.filter(valid_from__lte=end)

    def visible_to(self, user: User) -> MembershipQuerySet:
        from districts.access import access_of

        access = access_of(user)
        if access.is_role(Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR):
            return self.filter(locality_id__in=access.locality_ids)
        return self.of_person(user)

    def of_person(self, user: User) -> MembershipQuerySet:
        """One's own, and those by which others stand in for oneself."""
        return self.filter(Q(user_id=user.pk) | Q(stands_in_for__user_id=user.pk))

    def substitutions(self) -> MembershipQuerySet:
        """Roles that somebody holds in another's place."""
        return self.exclude(stands_in_for=None)


class Membership(models.Model):
    """A role with its scope (a locality, and within it a unit or an organisation) and its validity."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="人员", on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField("角色", max_length=20, choices=Role)
    locality = models.ForeignKey("districts.Locality", verbose_name="地方", on_delete=models.PROTECT)
    unit = models.ForeignKey("districts.Unit", verbose_name="责任单元", null=True, blank=True, on_delete=models.PROTECT)
    organisation = models.ForeignKey(
        "districts.Organisation", verbose_name="单位", null=True, blank=True, on_delete=models.PROTECT
    )
    valid_from = models.DateField("起始日期")
    valid_to = models.DateField("截止日期", null=True, blank=True)
    # The grant stays as it was made; an early end is written beside it, never over it.
    ended_from = models.DateField("停用日期", null=True, blank=True, help_text="自这一天起不再有效。")
    end_reason = models.CharField("结束原因", max_length=200, blank=True, default="")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="结束经办人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="授权人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    # A substitution: the same role and scope in another's place, always with an end. It never outlives what it is of.
    stands_in_for = models.ForeignKey(
        "self", verbose_name="代理的身份", null=True, blank=True, on_delete=models.PROTECT, related_name="substitutions"
    )
    reason = models.CharField("代理原因", max_length=200, blank=True, default="")

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "任职（角色）"
        ordering = ["locality", "role", "user"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="membership_dates_in_order",
                violation_error_message="截止日期不能早于起始日期。",
            ),
            models.CheckConstraint(
                condition=~Q(role="unit") | Q(unit__isnull=False),
                name="membership_unit_officer_has_unit",
                violation_error_message="责任单元主管部门人员须指定责任单元。",
            ),
            models.CheckConstraint(
                condition=Q(ended_from=None) | ~Q(end_reason=""),
                name="membership_end_has_reason",
                violation_error_message="结束身份须写明原因。",
            ),
            models.CheckConstraint(
                condition=Q(stands_in_for=None) | (Q(valid_to__isnull=False) & ~Q(reason="")),
                name="membership_substitution_has_end_and_reason",
                violation_error_message="代理须写明截止日期和原因。",
            ),
        ]

    def __str__(self) -> str:
        stands_in = f"（代 {self.principal}）" if self.stands_in_for_id else ""
        return f"{self.get_role_display()} · {self.scope_label}{stands_in}"

    @property
    def principal(self) -> User | None:
        """Whose place the holder takes; None for a role of one's own. Not joined where it is read at every request:
        substitutions are few."""
        return self.stands_in_for.user if self.stands_in_for_id and self.stands_in_for else None

    @property
    def is_suspended(self) -> bool:
        """It counts for nothing, whatever its days: the account of the person it stands in for is shut."""
        return self.principal is not None and not self.principal.is_active

    @property
    def office_id(self) -> int | None:
        """The organisation in which the role is exercised: its own, or the one that answers for its unit."""
        return self.unit.office_id if self.unit else self.organisation_id

    @property
    def scope_label(self) -> str:
        """Where the role applies, in one name: the unit, else the organisation, else the locality."""
        return self.unit.name if self.unit else (self.organisation.name if self.organisation else self.locality.name)

    @property
    def last_day(self) -> date | None:
        """The last day on which it counts: as granted, or earlier where it was ended; None for good."""
        if self.ended_from is None:
            return self.valid_to
        before = self.ended_from - timedelta(days=1)
        return before if self.valid_to is None else min(before, self.valid_to)

    def standing(self, on: date) -> Standing:
        """Whether it counts on this day, or will, or does no more."""
        if self.last_day is not None and self.last_day < max(on, self.valid_from):
            return Standing.OVER
        return Standing.CURRENT if self.valid_from <= on else Standing.COMING
