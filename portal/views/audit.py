"""The audit log, read by the auditor of the locality (and by nobody who could have made the entries)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.roles import Role
from core.listing import FilteredListView
from core.models import AuditEntry
from core.permissions import Decision, require
from core.templatetags.ui import Column, status_html
from districts.access import access_of
from portal.audit_scope import entries_for
from portal.filters import AuditFilter

RESULTS = {"ok": ("成功", "good"), "refused": ("被拒绝", "waiting")}
FAILED = ("出错", "bad")


def can_read_audit(user: object) -> Decision:
    """Security and audit administrators; the system administrator reads no audit (等保 8.1.5)."""
    return Decision.of(
        access_of(user).is_role(Role.AUDITOR, Role.SECADMIN), otherwise="仅安全管理员和审计管理员可以查看审计记录"
    )


class AuditList(FilteredListView):
    template_name = "portal/audit.html"
    filter_class = AuditFilter
    caption = sheet = "审计记录"
    columns = (
        Column("时间", kind="date"), Column("人员", kind="main"), Column("操作"), Column("对象"),
        Column("结果", kind="status"), Column("来源"),
    )  # fmt: skip
    extra_context = {"crumbs": [("首页", "/home/"), ("审计记录", "")]}

    def scoped(self) -> QuerySet[AuditEntry]:
        require(can_read_audit(self.request.user))
        return entries_for(self.request.user)

    def row(self, obj: AuditEntry) -> Sequence[Any]:
        return (
            f"{timezone.localtime(obj.at):%Y-%m-%d %H:%M:%S}", obj.actor_label or "系统", obj.action_label,
            obj.object_label or "—", status_html(*RESULTS.get(obj.result, FAILED)), obj.ip or "—",
        )  # fmt: skip
