"""The page on which the bureau says which account is a planner's."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.forms import LaidOut
from core.formtools import attempt
from core.http import PersonRequest
from core.permissions import get_for
from planners.models import Planner
from planners.permissions import can_link_login
from planners.services.logins import link_login


class LoginForm(LaidOut, forms.Form):
    username = forms.CharField(
        label="用户名",
        required=False,
        max_length=150,
        help_text="由系统管理员建立的账号；留空为取消关联。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@login_required
def planner_login(request: PersonRequest, pk: int) -> HttpResponse:
    rows = Planner.objects.select_related("user", "locality")
    planner = get_for(request.user, Planner, pk, can_link_login, queryset=rows)
    current = planner.user.username if planner.user else ""
    form = LoginForm(request.POST or None, initial={"username": current})
    if request.method == "POST" and form.is_valid():
        saved = attempt(form, lambda: link_login(planner, actor=request.user, **form.cleaned_data))
        if saved is not None:
            messages.success(request, "已关联账号。" if saved.user else "已取消关联账号。")
            return redirect("planners:planner", planner.pk)
    back = reverse("planners:planner", args=[planner.pk])
    return render(request, "planners/simple_form.html", {
        "form": form, "title": "关联账号", "note": f"{planner.name}；关联后本人登录即可填写履职记录",
        "back": back, "crumbs": [("规划师", reverse("planners:list")), (planner.name, back), ("关联账号", "")],
    })  # fmt: skip
