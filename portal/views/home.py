"""Where each role lands: what waits for them first, then their figures."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from districts.access import access_of
from portal.glance import glance_for
from portal.todo import todos_for


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    return render(
        request,
        "portal/home.html",
        {
            "todos": todos_for(request.user, today=today),
            "glance": glance_for(request.user, today=today),
            "access": access_of(request.user),
            "today": today,
        },
    )
