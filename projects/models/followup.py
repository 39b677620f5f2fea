"""Where opinions go from here: dispatch letters, the district's own hard questions, who of an office sees to what, and
people's saved filters."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from projects.querysets import DispatchQuerySet, HardQuestionQuerySet

_USER = settings.AUTH_USER_MODEL


class OpinionDispatch(models.Model):
    """The bureau's letter (函告) that carries a project's opinions to those who must act, by the pack's steps
    (work.dispatch; 聊城 三(一)–三(四)). It leaves as 送审稿; the number of the office system is entered afterwards."""

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    consultation = models.OneToOneField("projects.Consultation", on_delete=models.PROTECT, related_name="dispatch")
    number = models.CharField("编号", max_length=40, editable=False)
    office_number = models.CharField("发文字号", max_length=80, blank=True)
    text = models.TextField("函告内容", max_length=4000)
    clause = models.JSONField(default=dict, blank=True)
    made_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(
        "core.IssuedDocument", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)

    objects = DispatchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "意见转办"
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["locality", "number"], name="dispatch_number_once")]

    def __str__(self) -> str:
        return f"函告 {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("projects:dispatch", args=[self.pk])


class DispatchStep(models.Model):
    """One step of the pack's route: whose, what, and when it was done."""

    dispatch = models.ForeignKey(OpinionDispatch, on_delete=models.CASCADE, related_name="steps")
    step = models.PositiveSmallIntegerField("步骤")
    side = models.CharField("主体", max_length=20)
    act = models.CharField("做什么", max_length=80)
    done_on = models.DateField("完成日期", null=True, blank=True)
    note = models.CharField("办理情况", max_length=500, blank=True)
    done_by = models.ForeignKey(_USER, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "转办步骤"
        ordering = ["dispatch", "step"]
        constraints = [models.UniqueConstraint(fields=["dispatch", "step"], name="dispatch_step_once")]

    def __str__(self) -> str:
        return f"第 {self.step} 步 {self.act}"


class HardQuestion(models.Model):
    """The district puts a hard question to a planner (聊城 三(二), R51); the answer stays findable."""

    class State(models.TextChoices):
        ASKED = "asked", "待解答"
        ANSWERED = "answered", "已解答"
        WITHDRAWN = "withdrawn", "已撤回"

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    charge = models.ForeignKey(
        "districts.Charge", verbose_name="责任单元（项目）", null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    planner = models.ForeignKey("planners.Planner", on_delete=models.PROTECT, related_name="questions")
    asker = models.ForeignKey("districts.Organisation", on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    asked_on = models.DateField("提出日期")
    title = models.CharField("问题", max_length=200)
    text = models.TextField("说明", max_length=2000, blank=True)
    due_on = models.DateField("希望答复日期", null=True, blank=True)
    clause = models.JSONField(default=dict, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.ASKED)
    reason = models.CharField("撤回原因", max_length=300, blank=True)
    answer = models.TextField("解答", max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    objects = HardQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "疑难问题咨询"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="answered") | ~Q(answer=""), name="question_answered_has_answer",
                violation_error_message="请填写解答。",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn") | ~Q(reason=""), name="question_withdrawn_has_reason",
                violation_error_message="撤回须写明原因。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("projects:question", args=[self.pk])


class MatterHandler(models.Model):
    """Who of an office sees to one of its matters (批量分派): `kind` and `ref` name the matter as the worklist does
    (projects.matters). It gives nobody a right: colleagues of the office may act on it as before."""

    locality = models.ForeignKey("districts.Locality", on_delete=models.PROTECT)
    kind = models.CharField(max_length=16)
    ref = models.PositiveBigIntegerField()
    handler = models.ForeignKey(_USER, verbose_name="经办人", on_delete=models.PROTECT, related_name="+")
    note = models.CharField("说明", max_length=200, blank=True)
    given_by = models.ForeignKey(_USER, verbose_name="分派人", on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField("分派时间", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "事项经办人"
        ordering = ["kind", "ref"]
        constraints = [models.UniqueConstraint(fields=["kind", "ref"], name="matter_one_handler")]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"


class SavedFilter(models.Model):
    """A filter of a worklist that somebody keeps under a name: the query string, of one page, for themselves."""

    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=60)
    name = models.CharField("名称", max_length=40)
    query = models.CharField(max_length=500)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "保存的筛选"
        ordering = ["page", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "page", "name"], name="saved_filter_once", violation_error_message="已有同名的筛选。"
            )
        ]

    def __str__(self) -> str:
        return self.name
