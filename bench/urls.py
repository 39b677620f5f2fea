"""The portal's addresses, and beside them what they are measured against."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500, urlpatterns
from worklogs.models import WorkLog

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def hello(request: HttpRequest) -> HttpResponse:
    """The least that a Django project does: bench.wsgi serves it with the middleware of a new one."""
    return HttpResponse("hello")


@login_required
def frame(request: HttpRequest) -> HttpResponse:
    """The layout of every page with nothing in it, for somebody logged in."""
    return render(request, "base.html")


class LogAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What one would have without a portal: Django's admin over the same rows and columns."""

    list_display = ("date", "planner", "charge", "slot", "kind", "content", "place", "state")
    list_select_related = ("planner", "charge")
    list_filter = ("kind", "state")
    list_per_page = 50


site = admin.AdminSite("bench")
site.register(WorkLog, LogAdmin)

urlpatterns = [
    path("bench/hello/", hello),
    path("bench/frame/", frame),
    path("bench/admin/", site.urls),
    *urlpatterns,
]
