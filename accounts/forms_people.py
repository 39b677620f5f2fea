"""Forms by which administrators look after accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from core.forms import LaidOut
from core.formtools import OnceMixin
from core.text import clean_text, to_halfwidth


class AccountForm(LaidOut, OnceMixin, forms.Form):
    """`places`: (six-digit code, name) of the localities that the account may be kept in."""

    submit = "建立账号"
    form_attrs = {"autocomplete": "off"}

    username = forms.CharField(
        label="用户名", max_length=30, help_text="3—30 位小写字母、数字或 . _ -，建立后不能修改。",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9._-]{2,29}\Z", "用户名须为 3—30 位字母、数字或 . _ -，以字母或数字开头。")],
    )  # fmt: skip
    name = forms.CharField(label="姓名", max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    locality_code = forms.ChoiceField(label="所属地方", help_text="账号由该地方及其上级地方的系统管理员维护。")

    def __init__(self, *args: Any, places: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["locality_code"].choices = list(places)  # type: ignore[attr-defined]
        clean = self.fields["username"].clean
        # Typed full-width or in capitals, it is still the same name.
        self.fields["username"].clean = lambda value: clean(  # type: ignore[method-assign]
            to_halfwidth(clean_text(value)).strip().lower() if isinstance(value, str) else value
        )


class ReasonForm(LaidOut, OnceMixin, forms.Form):
    """An act that has to say why."""

    reason = forms.CharField(label="原因", max_length=200, widget=forms.Textarea(attrs={"rows": 2}))
