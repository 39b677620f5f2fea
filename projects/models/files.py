"""Files of a project: each with its versions, as they came in, and who may open them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from projects.querysets import ProjectFileQuerySet


class ProjectFile(models.Model):
    """One document of a project; its content stands in the versions. `needs_nda`: a planner opens it only with a
    signed 保密协议 on file (通政办发〔2021〕10号 三(三)2, R22)."""

    class Kind(models.TextChoices):
        SCHEME = "scheme", "方案"
        DRAWING = "drawing", "图纸"
        APPROVAL = "approval", "批复文件"
        MINUTES = "minutes", "会议纪要"
        MAP = "map", "平面图（可标注）"
        DATA = "data", "基础资料"
        OTHER = "other", "其他"

    project = models.ForeignKey("projects.Project", on_delete=models.PROTECT, related_name="files")
    stage = models.ForeignKey(
        "projects.ProjectStage", verbose_name="所属阶段", null=True, blank=True, on_delete=models.PROTECT,
        related_name="files",
    )  # fmt: skip
    kind = models.CharField("类别", max_length=12, choices=Kind)
    title = models.CharField("名称", max_length=120)
    needs_nda = models.BooleanField("须签保密协议后查阅", default=False)
    created = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ProjectFileQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "项目资料"
        ordering = ["project", "kind", "pk"]

    def __str__(self) -> str:
        return self.title


class ProjectFileVersion(models.Model):
    """One upload. Never replaced: a revised scheme is the next number."""

    document = models.ForeignKey(ProjectFile, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField("版本")
    file = models.ForeignKey("core.StoredFile", on_delete=models.PROTECT, related_name="+")
    note = models.CharField("变更说明", max_length=200, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="上传人", on_delete=models.PROTECT, related_name="+"
    )
    created = models.DateTimeField("上传时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "资料版本"
        ordering = ["document", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "number"], name="project_file_version_once",
                violation_error_message="该版本已存在。",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.document} 第 {self.number} 版"
