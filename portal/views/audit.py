"""The audit log, read by the auditor of the locality (and by nobody who could have made the entries)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import Role
from core.models import AuditEntry
from core.paging import KeysetPage
from core.permissions import Decision, require
from districts.access import access_of
from districts.models import Locality
from portal.filters import AuditFilter


def can_read_audit(user: object) -> Decision:
    """Security and audit administrators; the system administrator reads no audit (等保 8.1.5)."""
    return Decision.of(
        access_of(user).is_role(Role.AUDITOR, Role.SECADMIN), otherwise="仅安全管理员和审计管理员可以查看审计记录"
    )


@require_GET
@login_required
def audit_list(request: HttpRequest) -> HttpResponse:
    require(can_read_audit(request.user))
    codes = list(Locality.objects.visible_to(request.user).values_list("code", flat=True))
    entries = AuditEntry.objects.filter(locality_code__in=[*codes, ""])
    chosen = AuditFilter(request.GET, entries, user=request.user)
    page = KeysetPage(chosen.qs.select_related("actor"), request=request, order=("-pk",), size=50)
    crumbs = [("首页", "/home/"), ("审计记录", "")]
    return render(request, "portal/audit.html", {"filter": chosen, "page": page, "crumbs": crumbs})
