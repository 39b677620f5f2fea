"""Forms of a unit's changes: they parse and word errors; the rules are in services.unit_changes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.formtools import DayField, OnceMixin
from districts.models import Locality, Organisation, Unit
from districts.services.unit_changes import NewUnit, Order, newest_change
from districts.services.units import PartGiven

# Rows of a split that stand on the page; a district is hardly ever cut into more.
ROWS = 5
NEW = "new"


class OrderForm(OnceMixin, forms.Form):
    """What every change states. `seen` is the newest change that the page knew of, so that two officers notice."""

    effective = DayField(label="生效日期", help_text="自这一天起按新的单元记录，此前的记录不变。")
    document_number = forms.CharField(label="文号", max_length=60)
    document_date = DayField(label="文件日期")
    note = forms.CharField(label="说明", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, unit: Unit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unit = unit
        self.initial.setdefault("seen", newest_change())

    def order(self, **more: Any) -> Order:
        data = self.cleaned_data
        return Order(
            effective=data["effective"], document_number=data["document_number"], document_date=data["document_date"],
            note=data["note"], **more,
        )  # fmt: skip


class RenameForm(OrderForm):
    name = forms.CharField(label="新名称", max_length=100)


class RetireForm(OrderForm):
    pass


class HandoverForm(OrderForm):
    to = forms.ModelChoiceField(label="划入的地方", queryset=Locality.objects.none(), empty_label="请选择")
    name = forms.CharField(label="划入后的名称", max_length=100, required=False, help_text="不改名的留空。")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Locality.objects.filter(is_active=True).exclude(pk=self.unit.locality_id)
        self.fields["to"].queryset = others.order_by("code")  # type: ignore[attr-defined]


def _offices(unit: Unit) -> Any:
    outside = [Organisation.Kind.DEPARTMENT, Organisation.Kind.FINANCE]
    return Organisation.objects.filter(locality_id=unit.locality_id, is_active=True).exclude(kind__in=outside)


class MergeForm(OrderForm):
    others = forms.ModelMultipleChoiceField(
        label="与哪些单元合并", queryset=Unit.objects.none(), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请选择要与之合并的其他责任单元。"},
    )  # fmt: skip
    into = forms.ChoiceField(label="合并后的单元", help_text="并入其中一个的，该单元继续存在，范围扩大。")
    name = forms.CharField(label="新单元名称", max_length=100, required=False)
    kind = forms.ChoiceField(label="新单元类别", required=False, choices=Unit.Kind.choices)
    office = forms.ModelChoiceField(
        label="新单元主管部门", queryset=Organisation.objects.none(), required=False, empty_label="暂不填写"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        units = Unit.objects.filter(locality_id=self.unit.locality_id, valid_to=None).order_by("sort_key", "pk")
        fields["others"].queryset = units.exclude(pk=self.unit.pk)
        fields["into"].choices = [(NEW, "新设一个单元"), *((str(u.pk), f"并入“{u}”") for u in units)]
        fields["office"].queryset = _offices(self.unit)
        self.initial.setdefault("kind", self.unit.kind)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        others, into = list(data.get("others") or ()), data.get("into")
        if into == NEW and not data.get("name", "").strip():
            self.add_error("name", "新设单元的，请填写名称。")
        elif into and into != NEW and int(into) not in {self.unit.pk, *(unit.pk for unit in others)}:
            self.add_error("into", "合并后的单元应为上面所选的单元之一，或新设。")
        return data

    def target(self) -> Unit | NewUnit:
        data = self.cleaned_data
        if data["into"] == NEW:
            return NewUnit(data["name"], data["kind"] or self.unit.kind, data["office"])
        return next(unit for unit in [self.unit, *data["others"]] if str(unit.pk) == data["into"])


class SplitForm(OrderForm):
    """Up to ROWS new units, each with its name, its office and what of the old unit's streets it covers."""

    keep = forms.BooleanField(label="原单元继续存在，只析出下列新单元", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = list(self.unit.parts.select_related("division").order_by("division"))
        offices = _offices(self.unit)
        for number in range(1, ROWS + 1):
            self.fields[f"name_{number}"] = forms.CharField(label="名称", max_length=100, required=False)
            self.fields[f"office_{number}"] = forms.ModelChoiceField(
                label="主管部门", queryset=offices, required=False, empty_label="同原单元"
            )
            self.fields[f"parts_{number}"] = forms.MultipleChoiceField(
                label="覆盖的街道（乡镇）", required=False, widget=forms.CheckboxSelectMultiple,
                choices=[(part.division_id, str(part)) for part in self.parts],
            )  # fmt: skip
            self.fields[f"portion_{number}"] = forms.CharField(
                label="部分范围", max_length=200, required=False, help_text="只含其中一部分的，写明范围。"
            )

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """The bound fields of each row, for the template."""
        names = ["name", "office", *(["parts", "portion"] if self.parts else [])]
        return [[self[f"{name}_{number}"] for name in names] for number in range(1, ROWS + 1)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        named = [n for n in range(1, ROWS + 1) if data.get(f"name_{n}", "").strip()]
        least = 1 if data.get("keep") else 2
        if len(named) < least:
            first = next(n for n in range(1, ROWS + 1) if n not in named)
            self.add_error(f"name_{first}", f"请至少填写 {least} 个新单元的名称。")
        for number in named:
            if self.parts and not data.get(f"parts_{number}"):
                self.add_error(f"parts_{number}", "请选择它覆盖的街道（乡镇）。")
        return data

    def units(self) -> list[NewUnit]:
        data, divisions = self.cleaned_data, {part.division_id: part.division for part in self.parts}
        made = []
        for number in range(1, ROWS + 1):
            if not data[f"name_{number}"].strip():
                continue
            portion = data[f"portion_{number}"].strip()
            parts = tuple(PartGiven(divisions[code], portion) for code in data[f"parts_{number}"])
            made.append(NewUnit(data[f"name_{number}"], self.unit.kind, data[f"office_{number}"], parts))
        return made


class ScanForm(forms.Form):
    """What the last step adds."""

    scan = forms.FileField(label="文件扫描件", required=False, help_text="PDF、Word 或图片，可不传。")

    def clean_scan(self) -> Any:
        scan = self.cleaned_data["scan"]
        if scan is not None and scan.size == 0:
            raise ValidationError("文件是空的。")
        return scan
