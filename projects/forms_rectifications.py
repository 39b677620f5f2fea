"""Forms of rectifications: for the offices, for planners, and the two that an outsider gets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from core.forms import FullWidthTolerantMixin, LaidOut
from core.formtools import DayField, OnceMixin
from projects.models import ProjectParty, RectificationPhoto
from projects.services.rectifications import LONGEST, MAX_PHOTOS, Upload

_PICTURES = "image/jpeg,image/png,image/webp"
_PHOTO_HELP = f"最多 {MAX_PHOTOS} 张，JPEG、PNG 或 WebP，每张不超过 25 MB。"


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class ManyFilesField(forms.FileField):
    """Several files under one name; what they hold is judged when each is stored."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [upload for upload in (data if isinstance(data, list | tuple) else [data]) if upload]


def photos_field(label: str = "照片", help_text: str = _PHOTO_HELP) -> ManyFilesField:
    return ManyFilesField(
        label=label, required=False, help_text=help_text, widget=ManyFilesInput(attrs={"accept": _PICTURES})
    )


def _text(label: str, placeholder: str, required: str, rows: int = 4) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "placeholder": placeholder})
    return forms.CharField(label=label, max_length=LONGEST, widget=widget, error_messages={"required": required})


class LinkForm(LaidOut, OnceMixin, FullWidthTolerantMixin, forms.Form):
    """To whom a one-time link goes, and until when it is good."""

    rows = (("party", "last_day"),)
    submit = "生成链接和校验码"
    party = forms.ModelChoiceField(ProjectParty.objects.none(), label="发给")
    last_day = DayField(label="有效期至", help_text="当天 24 时失效。")

    def __init__(self, *args: Any, parties: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["party"].queryset = parties  # type: ignore[attr-defined]


class _WithPhotos(forms.Form):
    """A form with photos that stand beside the originals: one file field for each original, and one for the rest."""

    def __init__(self, *args: Any, originals: Iterable[RectificationPhoto] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.originals = {f"beside_{photo.pk}": photo for photo in originals}
        for number, name in enumerate(self.originals, 1):
            self.fields[name] = forms.FileField(
                label=f"对照照片 {number}（同一位置整改后）", required=False,
                widget=forms.FileInput(attrs={"accept": _PICTURES}),
            )  # fmt: skip
        self.fields["photos"] = photos_field("其他照片" if self.originals else "照片")

    def uploads(self) -> list[Upload]:
        """Each photo with the original that it stands beside."""
        beside = [
            Upload(self.cleaned_data[name], original)
            for name, original in self.originals.items()
            if self.cleaned_data.get(name)
        ]
        return beside + [Upload(file) for file in self.cleaned_data.get("photos") or ()]

    def beside(self) -> list[tuple[RectificationPhoto, forms.BoundField]]:
        """The originals with their fields, for pages that show both side by side."""
        return [(photo, self[name]) for name, photo in self.originals.items()]


class ReplyForm(LaidOut, OnceMixin, _WithPhotos):
    """What the contractor did, entered for it by an office."""

    submit = "登记回复"
    form_attrs = {"enctype": "multipart/form-data"}
    text = _text("整改情况", "已怎样整改，何时完成", "请写明整改情况。")
    signed_as = forms.CharField(
        label="回复人", max_length=60, help_text="参建单位填写人姓名；以书面或电话答复的请写明。",
        error_messages={"required": "请写明回复人。"},
    )  # fmt: skip


class PartyReplyForm(_WithPhotos):
    """The outsider's own reply: no key, since the link itself is good once."""

    text = _text("整改情况", "已怎样整改，何时完成", "请写明整改情况。", rows=5)
    signed_as = forms.CharField(
        label="填写人姓名", max_length=60, error_messages={"required": "请写明填写人姓名。"},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip


class CodeForm(FullWidthTolerantMixin, forms.Form):
    halfwidth_fields = ("code",)
    code = forms.CharField(
        label="校验码", max_length=20, error_messages={"required": "请输入 6 位校验码。"},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        help_text="由向您发送链接的人另行告知，共 6 位数字。",
    )  # fmt: skip


class ReinspectionForm(LaidOut, OnceMixin, _WithPhotos):
    """What the planner found on looking again."""

    submit = "提交复查结果"
    form_attrs = {"enctype": "multipart/form-data"}
    passed = forms.TypedChoiceField(
        label="复查结论", choices=[("yes", "已整改到位，销项"), ("no", "未整改到位，继续整改")], coerce=lambda v: v == "yes",
        widget=forms.RadioSelect, empty_value=None, error_messages={"required": "请选择复查结论。"},
    )  # fmt: skip
    text = _text("复查情况", "到现场看到了什么", "请写明复查情况。", rows=3)
    due_on = DayField(label="新的整改期限", required=False, help_text="继续整改的，可以另定期限；不填则原期限不变。")

    def __init__(self, *args: Any, may_reject: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_reject:
            # Nothing has been answered yet: one can only find it mended; until then it stays as it is.
            self.fields["passed"].choices = [("yes", "已整改到位，销项")]  # type: ignore[attr-defined]
            self.fields["passed"].initial = "yes"
            del self.fields["due_on"]


class ActForm(LaidOut, FullWidthTolerantMixin, forms.Form):
    """A move that asks for a reason; the page says which."""

    rows = ("reason",)
    submit = "提交"
    reason = forms.CharField(
        label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请填写原因。"},
    )  # fmt: skip
