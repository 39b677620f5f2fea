"""A page that shows every shared piece once, for tests and screenshots. Not part of the portal's URLs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import django_filters
from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path
from django.utils import timezone

from accounts.models import User
from core.listing import DayFilter, ListFilter
from core.templatetags.ui import Column, Table, status_html

STATES = [("draft", "草稿"), ("sent", "待确认"), ("done", "已确认"), ("back", "已退回")]
TONES = {"草稿": "neutral", "待确认": "waiting", "已确认": "good", "已退回": "bad"}
ROWS = [
    ("2026-11-18", "李示例", "交道口街道", "调研走访", "1.0", "待确认"),
    ("2026-11-12", "龚䶮", "安定门街道", "方案咨询", "0.5", "已确认"),
    ("2026-11-05", "买买提·吐尔逊", "景山街道责任街区（含景山公园周边历史文化街区）", "施工巡查", "1.0", "已退回"),
    ("2026-10-29", "王示例", "北新桥街道", "驻场值班", "1.0", "草稿"),
]


class ExampleFilter(ListFilter):
    q = django_filters.CharFilter(label="关键词", method="nothing")
    state = django_filters.ChoiceFilter(label="状态", choices=STATES, method="nothing", empty_label="全部")
    unit = django_filters.ChoiceFilter(
        label="责任单元", choices=[("1", "交道口街道"), ("2", "<安定门>")], method="nothing", empty_label="全部"
    )
    since = DayFilter(label="起始日期", method="nothing")

    def nothing(self, queryset, name, value):
        return queryset


class ExampleForm(forms.Form):
    when = forms.DateField(label="日期", widget=forms.DateInput(attrs={"type": "date"}))
    part = forms.ChoiceField(
        label="时段", choices=[("am", "上午"), ("pm", "下午"), ("day", "全天")], widget=forms.RadioSelect
    )
    kind = forms.ChoiceField(label="工作类别", choices=[("", "请选择"), ("visit", "调研走访"), ("duty", "驻场值班")])
    what = forms.CharField(label="内容", widget=forms.Textarea(attrs={"rows": 3}), help_text="看了什么、提了什么建议")
    met = forms.BooleanField(label="会见了街道主要负责人", required=False)
    photo = forms.FileField(label="现场照片", required=False)


def page(request: HttpRequest) -> HttpResponse:
    filterset = ExampleFilter(request.GET, User.objects.none(), user=request.user)
    table = Table(
        columns=[
            Column("日期", "date", "date"),
            Column("规划师", "name", "main"),
            Column("责任单元"),
            Column("工作类别"),
            Column("工作日", "days", "num"),
            Column("状态", kind="status"),
        ],
        rows=[(*row[:5], status_html(row[5], TONES[row[5]])) for row in ROWS],
        caption="履职记录",
    )
    now = timezone.now()
    form = ExampleForm(request.POST or None, request.FILES or None)
    template = engines["django"].from_string((Path(__file__).parent / "templates/ui_example.html").read_text())
    return HttpResponse(
        template.render(
            {
                "filter": filterset,
                "table": table,
                "form": form,
                "crumbs": [("首页", "/home/"), ("履职记录", "/logs/"), ("示例页面", "")],
                "tiles": [
                    {"label": "已完成工作日", "value": "18", "unit": "/ 30 天", "note": "还需每月 2.4 天", "url": "#"},
                    {"label": "本月走访", "value": "1", "unit": "次", "tone": "good"},
                    {"label": "待确认", "value": "3", "unit": "条", "tone": "waiting"},
                    {"label": "扣减金额", "value": None, "note": "本地制度未规定，由分局补充后计算"},
                ],
                "facts": [("规划师", "龚䶮"), ("聘期", "2025-01-01 至 2027-12-31"), ("电话", "")],
                "events": [
                    SimpleNamespace(when=now, who="张示例", what="退回", note="原因：缺少照片", tone="bad"),
                    SimpleNamespace(when=now, who="李示例", what="提交", note="", tone="info"),
                ],
                "page_of": {"previous_url": "", "next_url": "?after=x", "note": "每页 50 条"},
            },
            request,
        )
    )


def lookup(request: HttpRequest) -> JsonResponse:
    term = request.GET.get("q", "")
    units = ["交道口街道", "景山街道", "安定门街道", "北新桥街道"]
    found = [{"id": n, "text": u, "note": "东城区"} for n, u in enumerate(units, 1) if term in u]
    return JsonResponse({"results": found, "more": False})


urlpatterns = [
    path("accounts/switch/", page, name="membership-switch"),
    path("accounts/", include("accounts.urls")),
    path("example/", page, name="example"),
    path("example/lookup/", lookup, name="example-lookup"),
    path("home/", page),
]
