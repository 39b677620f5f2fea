"""Long work as rows: the broker only wakes a worker, the row says what is to be done and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.roles import has_role, places_of

if TYPE_CHECKING:
    from accounts.models import User


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User | Any) -> JobQuerySet:
        """Who asked for it, and the system administrators of its locality (who see the state, never the result file);
        work of the portal itself, which belongs to no locality, is seen by all of these."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        own = Q(requested_by_id=user.pk)
        return self.filter(own | Q(locality_code__in=["", *places_of(user)]) if may_watch_all(user) else own)

    def unfinished(self) -> JobQuerySet:
        return self.filter(state__in=Job.UNFINISHED)


def may_watch_all(user: User | Any) -> bool:
    """True for system administrators."""
    return has_role(user, "sysadmin")


class Job(models.Model):
    """One piece of long work. `lease_token` names the worker that may write to it until `lease_until`."""

    class State(models.TextChoices):
        WAITING = "waiting", "等待中"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        FAILED = "failed", "未完成"
        CANCELLED = "cancelled", "已取消"

    UNFINISHED = (State.WAITING, State.RUNNING)

    kind = models.CharField("类别", max_length=80)
    label = models.CharField("名称", max_length=200)
    arguments = models.JSONField("参数", default=dict, blank=True, encoder=DjangoJSONEncoder)
    # Null rather than empty: any number of jobs may have no key.
    key = models.CharField("去重键", max_length=200, null=True, blank=True)  # noqa: DJ001
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)

    lease_until = models.DateTimeField("租约到期", null=True, blank=True)
    lease_token = models.CharField(max_length=36, blank=True)
    attempts = models.PositiveSmallIntegerField("已尝试次数", default=0)
    max_attempts = models.PositiveSmallIntegerField("最多尝试次数", default=5)
    not_before = models.DateTimeField("最早执行时间", null=True, blank=True)
    dispatched_at = models.DateTimeField("最近派发时间", null=True, blank=True)
    cancel_requested = models.BooleanField("已请求取消", default=False)

    progress_done = models.PositiveIntegerField("已完成数", default=0)
    progress_total = models.PositiveIntegerField("总数", default=0)
    message = models.CharField("说明", max_length=500, blank=True)
    result = models.JSONField("结果", default=dict, blank=True, encoder=DjangoJSONEncoder)
    result_file = models.ForeignKey(
        "core.StoredFile", verbose_name="结果文件", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Technical text for administrators; the requester reads `message`.
    error = models.TextField("技术信息", blank=True)

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="发起人",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    locality_code = models.CharField("行政区划代码", max_length=6, blank=True)
    created = models.DateTimeField("提交时间", auto_now_add=True)
    started = models.DateTimeField("开始时间", null=True, blank=True)
    finished = models.DateTimeField("结束时间", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "后台任务"
        ordering = ["-pk"]
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["state", "lease_until"], name="job_unfinished", condition=Q(state__in=["waiting", "running"])
            ),
            models.Index(fields=["requested_by", "-id"], name="job_requester_recent"),
        ]
        constraints = [
            # The same key asked twice while the first is unfinished is the same job.
            models.UniqueConstraint(
                fields=["key"], condition=Q(state__in=["waiting", "running"]), name="job_key_once_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("core:job", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        return self.state not in self.UNFINISHED

    @property
    def percent(self) -> int:
        """0–100; 100 only when every unit is done."""
        if not self.progress_total:
            return 100 if self.state == self.State.DONE else 0
        return min(100, self.progress_done * 100 // self.progress_total)


class JobStep(models.Model):
    """One unit of a job's work that has been done, with what it gave: written in the unit's own transaction."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=200)
    result = models.JSONField(default=dict, null=True, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="job_step_once")]


class Heartbeat(models.Model):
    """The last sign of life of a background process; read by /health/."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
