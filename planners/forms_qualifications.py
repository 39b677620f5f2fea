"""Forms of qualifications: a judgement, a paper, an override."""

from __future__ import annotations

from typing import Any

from django import forms

from core.forms import DayField, LaidOut
from core.formtools import OnceMixin
from districts.policy.qualification import CERTIFICATES
from planners.models import Credential, QualificationVerdict

_AREA = forms.Textarea(attrs={"rows": 3})


class VerdictForm(LaidOut, OnceMixin, forms.Form):
    submit = "记录判断"
    verdict = forms.ChoiceField(label="判断", choices=QualificationVerdict.Verdict.choices, widget=forms.RadioSelect)
    evidence = forms.CharField(
        label="依据",
        min_length=4,
        max_length=500,
        widget=_AREA,
        help_text="据以判断的材料、面谈或评审情况；将与您的姓名和时间一并留存。",
    )


class CredentialForm(LaidOut, OnceMixin, forms.ModelForm):
    rows = (("kind", "code"), "name", ("number", "issued_on"), "upload")
    submit = "登记材料"
    form_attrs = {"enctype": "multipart/form-data"}
    issued_on = DayField(label="发证日期", required=False)
    code = forms.ChoiceField(
        label="哪一项执业资格",
        required=False,
        choices=[("", "请选择"), *CERTIFICATES.items()],
        help_text="类别为“执业资格证书”时选择。",
    )
    upload = forms.FileField(label="扫描件", required=False, help_text="PDF、图片或 .docx，不超过 20 MB。")

    class Meta:
        model = Credential
        fields = ["kind", "code", "name", "number", "issued_on"]
        help_texts = {"name": "如：注册城乡规划师职业资格证书。"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") != Credential.Kind.CERTIFICATE:
            data["code"] = ""
        return data


class OverrideForm(LaidOut, forms.Form):
    submit = "记录理由，仍予聘任"
    form_attrs = {
        "data-confirm": "理由将一直显示在合同和规划师页面上，不能撤回。确定仍予聘任吗？",
        "data-confirm-ok": "仍予聘任",
    }
    reason = forms.CharField(
        label="仍予聘任的理由",
        max_length=500,
        widget=_AREA,
        help_text="将与您的姓名、时间一并留存，并一直显示在合同和规划师页面上。",
    )
