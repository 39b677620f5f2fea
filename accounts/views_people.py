"""Pages by which system administrators look after accounts; the other two administrators may read the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from accounts.filters import AccountFilter
from accounts.forms_people import AccountForm, ReasonForm
from accounts.models import User
from accounts.permissions import (
    can_create_accounts,
    can_disable_account,
    can_enable_account,
    can_end_sessions_of,
    can_lift_second_factor,
    can_reset_password,
    can_see_accounts,
    can_see_sessions_of,
)
from accounts.services import (
    create_account,
    disable_account,
    enable_account,
    end_sessions_of,
    lift_second_factor,
    reset_password,
)
from core.formtools import attempt_once
from core.http import PersonRequest
from core.listing import FilteredListView
from core.permissions import Decision, get_for, require
from core.roles import places_of
from core.templatetags.ui import Column, status_html


class AccountList(FilteredListView):
    template_name = "accounts/people.html"
    filter_class = AccountFilter
    caption = sheet = "账号"
    columns = (
        Column("用户名", "username", "main"), Column("姓名", "name"), Column("所属地方"),
        Column("建立日期", "joined", "date"), Column("最近登录", kind="date"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> QuerySet[User]:
        require(can_see_accounts(self.request.user))
        self.places = places_of(self.request.user)
        return User.objects.visible_to(self.request.user)

    def row(self, obj: User) -> Sequence[Any]:
        link = format_html('<a href="{}">{}</a>', reverse("accounts-person", args=[obj.pk]), obj.username)
        seen = f"{timezone.localtime(obj.last_login):%Y-%m-%d}" if obj.last_login else "从未登录"
        joined = f"{timezone.localtime(obj.date_joined):%Y-%m-%d}"
        return link, obj.name, self.places.get(obj.locality_code, ""), joined, seen, state_of(obj)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_create=can_create_accounts(self.request.user), **kwargs)


def state_of(account: User) -> SafeString:
    if not account.is_active:
        return status_html("已停用", "bad")
    if account.must_change_password:
        return status_html("待本人修改初始密码", "waiting")
    return status_html("在用", "good")


@login_required
def account_create(request: PersonRequest) -> HttpResponse:
    require(can_create_accounts(request.user))
    form = AccountForm(request.POST or None, places=places_of(request.user).items())
    issued: list[str] = []

    def make(data: dict[str, Any]) -> User:
        account, password = create_account(actor=request.user, **data)
        issued.append(password)
        return account

    if request.method == "POST" and form.is_valid():
        account = attempt_once(form, request.user, make)
        if account is not None:
            return _show_once(request, account, issued, "账号已建立")
    return render(request, "accounts/person_form.html", {"form": form})


@require_GET
@login_required
def account_detail(request: PersonRequest, pk: int) -> HttpResponse:
    account = get_for(request.user, User, pk)
    require(can_see_accounts(request.user))
    acts = [
        (label, icon, reverse(name, args=[account.pk]), may(request.user, account))
        for name, (label, icon, may) in ACTS.items()
        if account.is_active == (may is not can_enable_account)
    ]
    return render(request, "accounts/person.html", {
        "account": account, "state": state_of(account), "acts": acts,
        "place": places_of(request.user).get(account.locality_code, ""), "second_factor": is_mfa_enabled(account),
        "sessions": account.login_sessions.running(timezone.now())
        if can_see_sessions_of(request.user, account) else None,
    })  # fmt: skip


@login_required
def account_disable(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(
        request, pk, can_disable_account, disable_account, title="停用账号",
        text="停用后立即退出登录，不能再登录；身份和履职记录保留。", done="已停用账号“{}”。",
    )  # fmt: skip


@login_required
def account_enable(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(
        request, pk, can_enable_account, enable_account, title="启用账号",
        text="启用后可用原密码登录。忘记密码的，请再重置密码。", done="已启用账号“{}”。",
    )  # fmt: skip


@login_required
def account_end_sessions(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(
        request, pk, can_end_sessions_of, end_sessions_of, title="结束全部登录",
        text="对方在所有设备上的登录立即失效，账号和密码不变，可以重新登录。", done="已结束账号“{}”的全部登录。",
    )  # fmt: skip


@login_required
def account_lift_second_factor(request: PersonRequest, pk: int) -> HttpResponse:
    return _act(
        request, pk, can_lift_second_factor, lift_second_factor, title="解除双因素认证",
        text="用于手机和恢复码都已丢失：原动态口令和恢复码作废，现有登录全部退出；"
        "本人用密码登录后须先重新绑定，才能使用其他页面。请先核实对方身份。",
        done="已解除账号“{}”的双因素认证，本人下次登录须重新绑定。",
    )  # fmt: skip


def _act(
    request: PersonRequest, pk: int, may: Callable[[Any, User], Decision], service: Callable[..., User], *,
    title: str, text: str, done: str,
) -> HttpResponse:  # fmt: skip
    """Ask why, then do it; a repeated request finds it done."""
    account = get_for(request.user, User, pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if attempt_once(form, request.user, lambda data: service(account, actor=request.user, **data)) is not None:
            messages.success(request, done.format(account))
            return redirect("accounts-person", account.pk)
    else:
        require(may(request.user, account))
    return render(request, "accounts/person_act.html", {"form": form, "account": account, "title": title, "text": text})


@login_required
def account_reset_password(request: PersonRequest, pk: int) -> HttpResponse:
    account = get_for(request.user, User, pk, can_reset_password)
    form = ReasonForm(request.POST or None)
    issued: list[str] = []

    def reset(data: dict[str, Any]) -> User:
        issued.append(reset_password(account, actor=request.user, **data))
        return account

    if request.method == "POST" and form.is_valid() and attempt_once(form, request.user, reset) is not None:
        return _show_once(request, account, issued, "密码已重置")
    return render(request, "accounts/person_act.html", {
        "form": form, "account": account, "title": "重置密码",
        "text": "将生成一次性密码，本人下次登录时须自行修改；现有登录全部退出。请先核实对方身份。",
    })  # fmt: skip


def _show_once(request: PersonRequest, account: User, issued: list[str], title: str) -> HttpResponse:
    """The answer itself carries the password: it is stored nowhere, and a repeated request cannot show it again."""
    context = {"account": account, "password": issued[0] if issued else "", "title": title}
    response = render(request, "accounts/password_once.html", context)
    response["Cache-Control"] = "no-store"
    return response


# URL name → label, icon and predicate of each act, in the order of the buttons.
ACTS: dict[str, tuple[str, str, Callable[[Any, User], Decision]]] = {
    "accounts-reset-password": ("重置密码", "key", can_reset_password),
    "accounts-disable": ("停用账号", "user-off", can_disable_account),
    "accounts-enable": ("启用账号", "user-check", can_enable_account),
    "accounts-end-sessions": ("结束全部登录", "logout", can_end_sessions_of),
    "accounts-lift-second-factor": ("解除双因素认证", "shield-off", can_lift_second_factor),
}
