"""What a person was typing, and which submissions already made a record."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Draft(models.Model):
    """The unsent contents of one form of one person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    form_key = models.CharField(max_length=100)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "草稿"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "form_key"], name="draft_once_per_form")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.form_key}"


class Submission(models.Model):
    """One press of a submit button: the same key again answers with the same record."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    # Label and primary key rather than a generic relation: the record may be of any app and may vanish.
    object_type = models.CharField(max_length=100, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "提交记录"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="submission_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.key}"
