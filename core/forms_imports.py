"""Forms of imports: the file, what its headings mean, why it is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from core.forms import LaidOut
from core.formtools import OnceMixin
from core.imports.kinds import Importer
from core.roles import places_of

IGNORE = ("", "忽略此列")


class ImportForm(LaidOut, OnceMixin, forms.Form):
    """`place` is asked only where the role reaches several localities."""

    submit = "上传并检查"
    form_attrs = {"enctype": "multipart/form-data"}

    place = forms.ChoiceField(label="地方")
    file = forms.FileField(label="表格文件", help_text=".xlsx 或 .csv；表头可以在合并的表名之下。")

    def __init__(self, *args: Any, user: Any, importer: Importer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(code, name) for code, name in places_of(user).items() if importer.can(user, code)]
        self.fields["place"].choices = offered  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["place"].widget = forms.HiddenInput()
            self.initial["place"] = offered[0][0]


class MappingForm(LaidOut, forms.Form):
    """One choice for each heading of the file; `headings`: (heading, samples, column that it means now)."""

    submit = "确定并检查"

    def __init__(
        self, *args: Any, importer: Importer, headings: Sequence[tuple[str, list[str], str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offered = [(c.heading, f"{c.heading}（必填）" if c.required else c.heading) for c in importer.columns]
        self.headings: dict[str, str] = {}
        for at, (heading, samples, column) in enumerate(headings):
            if not heading or heading in self.headings.values():
                continue
            name = f"column_{at}"
            self.headings[name] = heading
            self.fields[name] = forms.ChoiceField(
                label=heading,
                required=False,
                choices=[IGNORE, *offered],
                initial=column,
                help_text=f"如：{'、'.join(samples)}" if samples else "",
            )

    @property
    def mapping(self) -> dict[str, str]:
        """heading → column, "" to ignore."""
        return {heading: self.cleaned_data[name] for name, heading in self.headings.items()}


class UndoForm(LaidOut, forms.Form):
    submit = "撤销导入"
    form_attrs = {
        "data-confirm": "撤销后，这批数据新增的内容将删除、修改的内容将恢复原样。确定撤销吗？",
        "data-confirm-ok": "撤销导入",
        "data-confirm-tone": "danger",
    }

    reason = forms.CharField(label="撤销原因", max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
