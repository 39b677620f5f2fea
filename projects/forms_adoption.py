"""Forms of adoption: the answers to all items of a request on one page, a change, a proof, taking a request back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone

from core.forms import DayField, DayInput, FullWidthTolerantMixin, LaidOut
from core.formtools import OnceMixin
from projects.models import ItemAnswer, ItemProof, OpinionItem
from projects.services.adoption import Given

CHOICES = ItemAnswer.Decision.choices
_OWNER, _REASON = 80, 500
_OWNER_LABEL, _DUE_LABEL = "落实责任人", "落实期限"


class _ItemFields(forms.Form):
    """Four fields for each item, numbered as the page numbers them."""

    def __init__(self, *args: Any, items: Sequence[tuple[int, OpinionItem]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = [item for _, item in items]
        for number, item in items:
            self.fields.update(self._fields_of(item.pk, f"第 {number} 条"))

    @staticmethod
    def _fields_of(at: int, name: str) -> dict[str, forms.Field]:
        return {
            f"decision_{at}": forms.ChoiceField(
                label=f"{name}采纳情况", choices=CHOICES, required=False,
                widget=forms.RadioSelect(attrs={"class": "btn-check"}),
            ),
            f"reason_{at}": forms.CharField(
                label=f"{name}理由", max_length=_REASON, required=False, widget=forms.Textarea(attrs={"rows": 2})
            ),
            f"owner_{at}": forms.CharField(label=f"{name}{_OWNER_LABEL}", max_length=_OWNER, required=False),
            f"due_{at}": DayField(label=f"{name}{_DUE_LABEL}", required=False, widget=DayInput()),
        }  # fmt: skip


class AnswersForm(FullWidthTolerantMixin, OnceMixin, _ItemFields):
    """For each item a decision, a reason, and where it differs an owner and a day; `owner` and `due_on` stand for all
    items that say nothing of their own. An item without a decision is left for later."""

    owner = forms.CharField(
        label=_OWNER_LABEL, max_length=_OWNER, required=False, help_text="部门、科室或人员，适用于下面采纳的各条。"
    )
    due_on = DayField(label=_DUE_LABEL, required=False, widget=DayInput(), help_text="适用于下面采纳的各条。")

    def clean(self) -> dict[str, Any]:
        """What all adopted items lack is asked for once, where it is filled in once."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        said = [item.pk for item in self.items if data.get(f"decision_{item.pk}")]
        if not said and not self.errors:
            raise forms.ValidationError("请至少对一条意见选择采纳情况。")
        taken = [pk for pk in said if data[f"decision_{pk}"] != "refused"]
        for common, own, words in (("owner", "owner", "请填写落实责任人。"), ("due_on", "due", "请填写落实期限。")):
            lacking = any(not data.get(f"{own}_{pk}") and f"{own}_{pk}" not in self.errors for pk in taken)
            if lacking and not data.get(common) and common not in self.errors:
                self.add_error(common, words)
        for pk in said:
            if data[f"decision_{pk}"] != "adopted" and not data.get(f"reason_{pk}"):
                self.add_error(f"reason_{pk}", "部分采纳和不采纳须写明理由。")
        return data

    @property
    def lines(self) -> list[tuple[OpinionItem, dict[str, Any]]]:
        """Each item with its bound fields."""
        names = ("decision", "reason", "owner", "due")
        return [(item, {name: self[f"{name}_{item.pk}"] for name in names}) for item in self.items]

    def answers(self) -> dict[int, Given]:
        """What was said, of the items that have a decision."""
        data = self.cleaned_data
        found = {}
        for item in self.items:
            decision = data.get(f"decision_{item.pk}")
            if not decision:
                continue
            adopted = decision != "refused"
            found[item.pk] = Given(
                decision, data.get(f"reason_{item.pk}") or "",
                (data.get(f"owner_{item.pk}") or data.get("owner") or "") if adopted else "",
                (data.get(f"due_{item.pk}") or data.get("due_on")) if adopted else None,
            )  # fmt: skip
        return found


class ChangeForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    rows = ("decision", "reason", ("owner", "due_on"), "change_reason")
    submit = "提交变更"

    decision = forms.ChoiceField(label="采纳情况", choices=CHOICES, widget=forms.RadioSelect)
    reason = forms.CharField(
        label="理由", max_length=_REASON, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="部分采纳和不采纳须填写。",
    )  # fmt: skip
    owner = forms.CharField(label=_OWNER_LABEL, max_length=_OWNER, required=False, help_text="采纳和部分采纳须填写。")
    due_on = DayField(label=_DUE_LABEL, required=False, widget=DayInput(), help_text="采纳和部分采纳须填写。")
    change_reason = forms.CharField(label="变更原因", max_length=300, help_text="原反馈保留可查。")

    def given(self) -> Given:
        data = self.cleaned_data
        adopted = data["decision"] != "refused"
        return Given(
            data["decision"], data["reason"], data["owner"] if adopted else "", data["due_on"] if adopted else None
        )


class ProofForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.ModelForm):
    rows = ("done_on", "text", "upload")
    submit = "登记"
    form_attrs = {"enctype": "multipart/form-data"}

    done_on = DayField(label="落实日期", widget=DayInput(), initial=timezone.localdate)
    upload = forms.FileField(label="佐证", required=False, help_text="照片、PDF 或 Office 文件，不超过 20 MB。")

    class Meta:
        model = ItemProof
        fields = ["done_on", "text"]
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}


class WithdrawForm(LaidOut, FullWidthTolerantMixin, OnceMixin, forms.Form):
    submit = "撤回征询"

    reason = forms.CharField(label="撤回原因", max_length=300)
