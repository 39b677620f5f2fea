"""Forms of the worklist: sharing out what is ticked, and keeping a filter under a name."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import User
from core.forms import FullWidthTolerantMixin
from projects.matters import KINDS


class MattersField(forms.Field):
    """Ticked matters, each as `kind-ref`; what makes no sense is no matter."""

    def to_python(self, value: Any) -> list[tuple[str, int]]:
        found = []
        for text in value or ():
            kind, _, ref = str(text).partition("-")
            if kind in KINDS and ref.isascii() and ref.isdigit() and len(ref) < 19:
                found.append((kind, int(ref)))
        return found


class DistributeForm(FullWidthTolerantMixin, forms.Form):
    matters = MattersField(label="事项", required=False, widget=forms.SelectMultiple)
    handler = forms.ModelChoiceField(
        User.objects.none(), label="分派给", error_messages={"required": "请选择分派给谁。"}
    )
    note = forms.CharField(label="说明", max_length=200, required=False)

    def __init__(self, *args: Any, colleagues: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["handler"].queryset = colleagues


class FilterForm(FullWidthTolerantMixin, forms.Form):
    name = forms.CharField(label="名称", max_length=40, error_messages={"required": "请填写名称。"})
