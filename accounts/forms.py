"""allauth's forms without what does not hold here: placeholders that repeat the label, and a link to reset by mail."""

from __future__ import annotations

import unicodedata
from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms


class _Plain(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs.update(autofocus=True, autocapitalize="none", spellcheck="false")
        self.fields["password"].help_text = ""
        self.fields["login"].error_messages["required"] = "请输入用户名。"
        self.fields["password"].error_messages["required"] = "请输入密码。"


class ChangePasswordForm(_Plain, account.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].help_text = "忘记当前密码，请联系本单位的系统管理员。"
        self.fields["password2"].label = "再输入一次新密码"


class ReauthenticateForm(_Plain, account.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class _CodeField(forms.CharField):
    """A code as people type it: full-width, or in two groups as the app shows it."""

    def to_python(self, value: Any) -> str:
        return "".join(unicodedata.normalize("NFKC", super().to_python(value) or "").split())


class _Code(_Plain):
    code_label = "动态口令"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _CodeField(label=self.code_label, widget=self.fields["code"].widget)
        self.fields["code"].widget.attrs.update(autofocus=True, inputmode="numeric", spellcheck="false")


class AuthenticateForm(_Code, mfa.AuthenticateForm):
    code_label = "动态口令或恢复码"


class CodeReauthenticateForm(_Code, mfa.ReauthenticateForm):
    pass


class ActivateTOTPForm(_Code, totp.ActivateTOTPForm):
    code_label = "应用显示的 6 位动态口令"
