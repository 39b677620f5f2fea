"""What a contractor must mend (整改), followed until it is re-inspected; and the links by which parties answer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from projects.querysets import RectificationQuerySet

_USER = settings.AUTH_USER_MODEL


class Rectification(models.Model):
    """One 整改意见 (京核心区 四(二)), raised from a finding of an inspection (worklogs) and closed by re-inspection.

    `source_log` is the id of the inspection's work log: the app above owns it, so it is no foreign key.
    """

    class Subject(models.TextChoices):
        APPEARANCE = "appearance", "整体风貌"
        NODE = "node", "重要节点"
        PUBLIC_SPACE = "public_space", "建筑与公共空间的关系"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        OPEN = "open", "待整改"
        REPLIED = "replied", "待复查"
        CLOSED = "closed", "已销项"
        ESCALATED = "escalated", "已上报"
        WAIVED = "waived", "经批准不再整改"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    project = models.ForeignKey("projects.Project", on_delete=models.PROTECT, related_name="rectifications")
    stage = models.ForeignKey("projects.ProjectStage", on_delete=models.PROTECT, related_name="rectifications")
    number = models.CharField("编号", max_length=40, editable=False)
    source_log = models.PositiveBigIntegerField("巡查记录", null=True, blank=True)
    raised_by = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="rectifications")
    raised_on = models.DateField("提出日期")
    subject = models.CharField("类别", max_length=16, choices=Subject)
    text = models.TextField("整改意见", max_length=2000)
    basis = models.CharField("依据", max_length=300, blank=True)
    # The clause that lets planners ask for it (review.rectification).
    clause = models.JSONField(default=dict, blank=True)
    contractor = models.ForeignKey(
        "projects.ProjectParty", verbose_name="整改单位", on_delete=models.PROTECT, related_name="rectifications"
    )
    due_on = models.DateField("整改期限", null=True, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.OPEN)
    reason = models.CharField("原因", max_length=300, blank=True)
    closed_on = models.DateField("销项日期", null=True, blank=True)
    escalation = models.PositiveSmallIntegerField(default=0, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    objects = RectificationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "整改"
        ordering = ["-raised_on", "-pk"]
        indexes = [models.Index(fields=["locality", "state", "due_on"], name="rectification_due")]
        constraints = [
            models.UniqueConstraint(fields=["locality", "number"], name="rectification_number_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["escalated", "waived"]) | ~Q(reason=""), name="rectification_has_reason",
                violation_error_message="请写明原因。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"整改 {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("projects:rectification", args=[self.pk])


class PartyLink(models.Model):
    """A link by which a contractor or developer answers one rectification, once. Only a hash of the token is kept;
    a code that is told separately keeps a stranger with the link out."""

    rectification = models.ForeignKey(Rectification, on_delete=models.CASCADE, related_name="links")
    party = models.ForeignKey("projects.ProjectParty", on_delete=models.PROTECT, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    code_hash = models.CharField(max_length=128, editable=False)
    tries_left = models.PositiveSmallIntegerField(default=5, editable=False)
    expires_at = models.DateTimeField("有效期至")
    used_at = models.DateTimeField("使用时间", null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "整改回复链接"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.party} 的回复链接"


class RectificationReply(models.Model):
    """What was done, by the contractor (through a link) or entered for them; and what re-inspection found."""

    class Kind(models.TextChoices):
        REPLY = "reply", "整改回复"
        REINSPECTION = "reinspection", "复查"

    rectification = models.ForeignKey(Rectification, on_delete=models.PROTECT, related_name="replies")
    kind = models.CharField("类别", max_length=16, choices=Kind)
    text = models.TextField("说明", max_length=2000)
    link = models.OneToOneField(PartyLink, null=True, blank=True, on_delete=models.PROTECT, related_name="reply")
    signed_as = models.CharField("填写人", max_length=60, blank=True)
    by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    accepted = models.BooleanField("复查通过", null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "整改往来"
        ordering = ["rectification", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(link__isnull=False) | Q(by__isnull=False), name="rectification_reply_has_writer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.created:%Y-%m-%d}"


class RectificationPhoto(models.Model):
    """A photo of what is wrong, or (with `reply`) of what was done about it; `answers` puts the two side by side.

    `plan`, `x`, `y`: pinned to a drawing of the project, in per mille of its width and height.
    """

    rectification = models.ForeignKey(Rectification, on_delete=models.PROTECT, related_name="photos")
    reply = models.ForeignKey(
        RectificationReply, null=True, blank=True, on_delete=models.PROTECT, related_name="photos"
    )
    answers = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="answered_by")
    file = models.ForeignKey("core.StoredFile", on_delete=models.PROTECT, related_name="+")
    caption = models.CharField("说明", max_length=100, blank=True)
    plan = models.ForeignKey(
        "projects.ProjectFileVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    x = models.PositiveSmallIntegerField(null=True, blank=True)
    y = models.PositiveSmallIntegerField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "整改照片"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(plan=None, x=None, y=None)
                | Q(plan__isnull=False, x__lte=1000, y__lte=1000, x__isnull=False, y__isnull=False),
                name="rectification_pin_is_whole",
            )
        ]

    def __str__(self) -> str:
        return self.caption or "照片"
