"""Forms of an opinion: its items, its conclusion, who writes along; they parse, the rules are in the services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from core.filetypes import IMAGES
from core.forms import FullWidthTolerantMixin
from core.formtools import DayField, OnceMixin
from planners.models import Planner
from projects.models import Opinion, OpinionItem
from projects.services.opinions import LONGEST_BASIS, LONGEST_SUMMARY, LONGEST_TEXT, ItemGiven, Written

SCAN_TYPES = frozenset({"pdf", *IMAGES})
OTHER = ("", "其他")
_MOST_ROWS = 200


class OpinionForm(FullWidthTolerantMixin, forms.Form):
    """The conclusion, and the revision it was written on."""

    revision = forms.IntegerField(widget=forms.HiddenInput(attrs={"data-no-autosave": ""}), min_value=0)
    verdict = forms.ChoiceField(
        label="总体意见", choices=Opinion.Verdict.choices, widget=forms.RadioSelect, required=False
    )
    summary = forms.CharField(
        label="综合意见", required=False, max_length=LONGEST_SUMMARY, widget=forms.Textarea(attrs={"rows": 5})
    )
    co_authors = forms.ModelMultipleChoiceField(
        Planner.objects.none(), label="共同撰写人", required=False, widget=forms.CheckboxSelectMultiple,
        help_text="同一团队的规划师可以一起撰写；由您提交。",
    )  # fmt: skip

    def __init__(self, *args: Any, colleagues: Sequence[Planner] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if colleagues:
            fields["co_authors"].queryset = Planner.objects.filter(pk__in=[one.pk for one in colleagues])
        else:
            del fields["co_authors"]


class PaperForm(FullWidthTolerantMixin, OnceMixin, forms.Form):
    """An opinion that came on paper: its conclusion, when it came, its scan."""

    verdict = forms.ChoiceField(
        label="总体意见", choices=Opinion.Verdict.choices, widget=forms.RadioSelect, required=False
    )
    summary = forms.CharField(
        label="综合意见", required=False, max_length=LONGEST_SUMMARY, widget=forms.Textarea(attrs={"rows": 5})
    )
    received_on = DayField(label="收到日期")
    scan = forms.FileField(label="扫描件", help_text="PDF 或图片。")


class ItemForm(FullWidthTolerantMixin, forms.Form):
    """One point. An empty one is left out."""

    section = forms.ChoiceField(label="要点", required=False)
    text = forms.CharField(
        label="意见", required=False, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )
    severity = forms.ChoiceField(
        label="程度", choices=OpinionItem.Severity.choices, required=False, initial=OpinionItem.Severity.SHOULD
    )
    basis = forms.CharField(
        label="依据", required=False, max_length=LONGEST_BASIS,
        widget=forms.TextInput(attrs={"list": "basis-options", "placeholder": "文件名称和条款"}),
    )  # fmt: skip

    def __init__(self, *args: Any, sections: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["section"].choices = [*((name, name) for name in sections), OTHER]


class ItemFormSetBase(forms.BaseFormSet):
    def given(self) -> list[ItemGiven]:
        """The rows that were not taken out, as they stand; blank ones fall away in the service."""
        rows = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        return [
            ItemGiven(
                row.get("text", ""), row.get("section", ""), row.get("severity") or "should", row.get("basis", "")
            )
            for row in rows
        ]


ItemFormSet = forms.formset_factory(
    ItemForm, formset=ItemFormSetBase, extra=0, can_delete=True, max_num=_MOST_ROWS, absolute_max=_MOST_ROWS
)


def row_kwargs(sections: Sequence[str]) -> dict[str, Any]:
    """Every row is read, also one that stands as it was saved: a formset would pass over what did not change."""
    return {"sections": sections, "empty_permitted": False}


def item_rows(items: Sequence[ItemGiven], sections: Sequence[str]) -> list[dict[str, str]]:
    """What the page shows at first: what is written, a row for each point not yet spoken to, and a free one."""
    written = [
        {"section": item.section, "text": item.text, "severity": item.severity, "basis": item.basis} for item in items
    ]
    spoken = {item.section for item in items}
    blank = [{"section": name, "severity": "should"} for name in sections if name not in spoken]
    return [*written, *blank, {"section": "", "severity": "should"}]


def written_of(form: forms.Form, items: Any) -> Written:
    data = form.cleaned_data
    chosen = list(data["co_authors"]) if "co_authors" in data else None
    return Written(data.get("verdict", ""), data.get("summary", ""), items.given(), chosen)
