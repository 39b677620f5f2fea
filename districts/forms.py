"""Forms of localities, units, organisations and contacts: they parse and word errors; the rules are in services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crispy_forms.layout import HTML
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from core.forms import LaidOut
from core.formtools import DayField, OnceMixin
from core.lookups import LookupField
from districts.models import Contact, Division, Locality, Organisation, Unit
from districts.policy.keys_appointment import AREA_TYPES
from districts.policy.values import EffectivePolicy
from districts.services.units import PartGiven


class PartsWidget(forms.Widget):
    """Streets by county, each with a box to tick and a line for "which part of it"."""

    template_name = "districts/widgets/parts.html"
    streets: Sequence[Division] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        return {code: data.get(f"{name}-{code}", "") for code in data.getlist(name)}

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = value or {}
        groups: dict[str, list[dict[str, Any]]] = {}
        for street in self.streets:
            row = {"code": street.code, "name": street.name, "checked": street.code in chosen}
            row["portion"] = chosen.get(street.code, "")
            groups.setdefault(street.parent.name if street.parent else "", []).append(row)
        context["widget"]["groups"] = [
            {"name": county, "rows": rows, "open": len(groups) == 1 or any(row["checked"] for row in rows)}
            for county, rows in groups.items()
        ]
        return context


class PartsField(forms.Field):
    """The streets that a unit covers, as `PartGiven`."""

    widget = PartsWidget

    def __init__(self, *, streets: Iterable[Division] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_streets(streets)

    def set_streets(self, streets: Iterable[Division]) -> None:
        self._streets = {street.code: street for street in streets}
        self.widget.streets = list(self._streets.values())

    def clean(self, value: Any) -> list[PartGiven]:
        chosen: dict[str, str] = value or {}
        if any(code not in self._streets for code in chosen):
            raise ValidationError("所选街道（乡镇）不在本地方的行政区划内。")
        if any(len(portion) > 200 for portion in chosen.values()):
            raise ValidationError("部分范围的说明不超过 200 字。")
        return [PartGiven(self._streets[code], portion.strip()) for code, portion in sorted(chosen.items())]


def area_choices(policy: EffectivePolicy | None, current: str = "") -> list[tuple[str, str]]:
    """The area types that the locality's pack distinguishes (units.focus), and the one a unit already has."""
    value = policy.value("units.focus") if policy is not None else None
    codes = [row["area"] for row in value or ()]
    if current and current not in codes:
        codes.append(current)
    return [(code, AREA_TYPES.get(code, code)) for code in dict.fromkeys(codes)]


class UnitForm(LaidOut, OnceMixin, forms.ModelForm):
    """`streets` of the locality and its `policy` decide what can be chosen."""

    rows = (
        ("name", "kind", "area_type", "office"), "origin", HTML("{% include 'districts/_unit_parts.html' %}"),
        "source", "valid_from", "note",
    )  # fmt: skip

    parts = PartsField(label="覆盖范围", required=False)
    area_type = forms.ChoiceField(label="片区类型", required=False)
    valid_from = DayField(label="设立日期", required=False)

    class Meta:
        model = Unit
        fields = ["name", "kind", "origin", "source", "parts", "area_type", "office", "valid_from", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(
        self,
        *args: Any,
        locality: Locality,
        streets: Iterable[Division],
        policy: EffectivePolicy | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.instance.locality = locality
        self.fields["parts"].set_streets(streets)  # type: ignore[attr-defined]
        choices = area_choices(policy, self.instance.area_type)
        empty = "请选择" if choices else "未设定（制度方案未区分片区类型）"
        self.fields["area_type"].choices = [("", empty), *choices]  # type: ignore[attr-defined]
        self.fields["office"].queryset = Organisation.objects.filter(  # type: ignore[attr-defined]
            locality=locality, is_active=True
        ).exclude(kind__in=[Organisation.Kind.DEPARTMENT, Organisation.Kind.FINANCE])
        if self.instance.pk:
            rows = self.instance.parts.values_list("division_id", "portion")
            self.initial.setdefault("parts", dict(rows))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("origin") == Unit.Origin.DOCUMENT and not data.get("source"):
            self.add_error("source", "由文件确定的责任单元，须写明文件和条款。")
        return data


class OrganisationForm(LaidOut, OnceMixin, forms.ModelForm):
    class Meta:
        model = Organisation
        fields = ["name", "kind", "is_active", "succeeded_by"]
        help_texts = {
            "succeeded_by": "停用时，该单位待办的事项（如应反馈的采纳情况）转由承接单位办理；不选的，转由规划主管部门办理。"
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            del self.fields["is_active"], self.fields["succeeded_by"]
            return
        others = Organisation.objects.filter(locality=self.instance.locality, is_active=True)
        self.fields["succeeded_by"].queryset = others.exclude(pk=self.instance.pk)  # type: ignore[attr-defined]


class ContactForm(LaidOut, OnceMixin, forms.ModelForm):
    """A stored number is never sent back to the browser: an empty box keeps it."""

    phone = forms.CharField(label="电话", required=False, max_length=20)
    remove_phone = forms.BooleanField(label="删除已登记的电话", required=False)

    class Meta:
        model = Contact
        fields = ["organisation", "duty", "name", "post", "phone", "is_active"]

    def __init__(self, *args: Any, organisations: QuerySet[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = organisations  # type: ignore[attr-defined]
        self._kept = self.instance.phone or ""
        self.initial["phone"] = ""
        if self.instance.pk:
            del self.fields["organisation"]
        else:
            del self.fields["is_active"]
        if self._kept:
            self.fields["phone"].help_text = "已登记电话，留空则不变。"
        else:
            del self.fields["remove_phone"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("phone") and not data.pop("remove_phone", False):
            data["phone"] = self._kept
        data.pop("remove_phone", None)
        return data


class RevealForm(forms.Form):
    reason = forms.CharField(label="查看原因", max_length=200, min_length=2, help_text="将记入审计记录。")


class StartLocalityForm(forms.Form):
    """First step: which division."""

    division = LookupField(
        Division.objects.filter(level__in=[Division.Level.COUNTY, Division.Level.CITY]),
        url_name="districts:division-lookup",
        label="行政区划",
    )


class StreetsForm(OnceMixin, forms.Form):
    """Second step: which streets become units."""

    streets = forms.ModelMultipleChoiceField(
        Division.objects.none(), label="街道（乡镇）", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, streets: Sequence[Division], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["streets"]
        field.queryset = Division.objects.filter(code__in=[street.code for street in streets])
        several = len({street.parent_id for street in streets}) > 1
        field.choices = [
            (street.code, f"{street.parent} {street.name}" if several else street.name) for street in streets
        ]
        if not self.is_bound:
            field.initial = [street.code for street in streets]
