"""Forms of granting and ending roles: they parse and word errors; the rules are in services.memberships."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core.forms import LaidOut
from core.formtools import DayField, OnceMixin
from core.lookups import LookupField
from districts.models import Locality, Organisation, Unit
from districts.reads import grantable_people


class GrantForm(LaidOut, OnceMixin, forms.Form):
    """What a security administrator fills in; `actor` decides what can be chosen."""

    submit = "授予"

    user = LookupField(queryset=User.objects.none(), label="人员", url_name="districts:person-lookup")
    role = forms.ChoiceField(label="角色", choices=[("", "请选择"), *Role.choices])
    locality = forms.ModelChoiceField(queryset=Locality.objects.none(), label="地方", empty_label=None)
    unit = LookupField(
        queryset=Unit.objects.none(), label="责任单元", url_name="districts:unit-lookup", required=False,
        help_text="角色为“责任单元主管部门”时填写，其他角色留空。",
    )  # fmt: skip
    organisation = LookupField(
        queryset=Organisation.objects.none(), label="单位", url_name="districts:organisation-lookup", required=False,
        help_text="“规划分局”“委办局”必填；“区领导”“评估人”“财政审核”可填；其他角色留空。",
    )  # fmt: skip
    valid_from = DayField(label="起始日期", initial=timezone.localdate)
    valid_to = DayField(label="截止日期", required=False, help_text="当日仍有效；留空为长期。")

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, Any] = {
            "user": grantable_people(actor),
            "locality": Locality.objects.visible_to(actor).filter(is_active=True),
            "unit": Unit.objects.visible_to(actor),
            "organisation": Organisation.objects.visible_to(actor),
        }
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
        self.fields["user"].widget.attrs["placeholder"] = "输入姓名或用户名查找"


class EndForm(LaidOut, OnceMixin, forms.Form):
    submit = "结束身份"
    last_day = DayField(
        label="最后一天", required=False, help_text="当日仍有效；留空则立即结束，对方下一次操作时生效。"
    )
    reason = forms.CharField(label="原因", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))
