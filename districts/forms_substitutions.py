"""The form by which a role is handed to somebody for a time; the rules are in services.substitutions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import User
from core.forms import LaidOut
from core.formtools import DayField, OnceMixin
from core.lookups import LookupField
from districts.models import Membership
from districts.reads import colleagues_of, grantable_people


class ColleagueField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj}（{obj.username}）"


class SubstitutionForm(LaidOut, OnceMixin, forms.Form):
    """The holder chooses among the colleagues of the office, a security administrator among the accounts they look
    after."""

    submit = "安排代理"
    rows = ("person", ("valid_from", "valid_to"), "reason")

    person = ColleagueField(queryset=User.objects.none(), label="代理人", empty_label="请选择同事")
    valid_from = DayField(label="起始日期", initial=timezone.localdate)
    valid_to = DayField(label="截止日期", help_text="当日仍有效，到期自动结束。")
    reason = forms.CharField(
        label="原因", max_length=200, help_text="例如：休假、出差、借调。", widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, membership: Membership, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if membership.user_id == actor.pk:
            people = colleagues_of(membership).order_by("name", "username")
            self.fields["person"].queryset = people  # type: ignore[attr-defined]
            if not people:
                self.fields["person"].help_text = "没有其他同事能代理这个身份，请联系安全管理员安排。"
        else:
            people = grantable_people(actor).exclude(pk=membership.user_id)
            field = LookupField(queryset=people, label="代理人", url_name="districts:person-lookup")
            field.widget.attrs["placeholder"] = "输入姓名或用户名查找"
            self.fields["person"] = field
