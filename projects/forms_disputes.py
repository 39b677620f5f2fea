"""Forms of disputes: taking one to the district, stating a position, ruling."""

from __future__ import annotations

from typing import Any

from django import forms

from core.forms import FullWidthTolerantMixin, LaidOut
from core.formtools import OnceMixin
from projects.forms_rectifications import ManyFilesField, ManyFilesInput
from projects.models import Dispute
from projects.services.disputes import LONGEST, MAX_FILES

_EVIDENCE = f"最多 {MAX_FILES} 个，PDF、Word（docx）或图片，每个不超过 20 MB。"


def _evidence() -> ManyFilesField:
    accept = ".pdf,.docx,image/jpeg,image/png,image/webp"
    return ManyFilesField(
        label="证据材料", required=False, help_text=_EVIDENCE, widget=ManyFilesInput(attrs={"accept": accept})
    )


def _text(label: str, placeholder: str, required: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 7, "placeholder": placeholder})
    return forms.CharField(label=label, max_length=LONGEST, widget=widget, error_messages={"required": required})


class FilingForm(LaidOut, OnceMixin, FullWidthTolerantMixin, forms.Form):
    rows = ("title", "raised_for", "text", "evidence")
    submit = "提请协调"
    form_attrs = {"enctype": "multipart/form-data"}
    title = forms.CharField(label="争议事项", max_length=200, error_messages={"required": "请写明争议事项。"})
    raised_for = forms.ChoiceField(label="以谁的名义")
    text = _text("意见和理由", "主张什么，依据什么", "请写明意见和理由。")
    evidence = _evidence()

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["raised_for"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        self.fields["raised_for"].initial = names[0] if names else ""


class StatementForm(LaidOut, OnceMixin, FullWidthTolerantMixin, forms.Form):
    rows = ("text", "evidence")
    submit = "提交陈述"
    form_attrs = {"enctype": "multipart/form-data"}
    text = _text("意见和理由", "主张什么，依据什么", "请写明意见和理由。")
    evidence = _evidence()


class RulingForm(LaidOut, FullWidthTolerantMixin, forms.Form):
    rows = ("outcome", "ruling", "lift", "principle", "keywords")
    submit = "作出裁定"
    outcome = forms.ChoiceField(
        label="裁定结果", choices=Dispute.Outcome.choices, widget=forms.RadioSelect,
        error_messages={"required": "请选择裁定结果。"},
    )  # fmt: skip
    ruling = _text("裁定意见", "认定的事实、理由和处理意见", "请写明裁定意见和理由。")
    lift = forms.BooleanField(label="据此裁定，这项整改不再要求", required=False)
    principle = forms.CharField(
        label="可供参照的要旨", max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="填写后作为先例供全区查阅；请不要写单位和个人名称。",
    )  # fmt: skip
    keywords = forms.CharField(label="关键词", max_length=120, required=False, help_text="用空格分开。")

    def __init__(self, *args: Any, about_rectification: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not about_rectification:
            del self.fields["lift"]
