"""Link every committed audit entry into the chain now (the scheduler does so every few seconds)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from core.audit_chain import GENESIS, seal
from core.models import AuditSeal


class Command(BaseCommand):
    help = "立即为所有已提交的审计记录加封签，并打印链头（可留存，供 verify_audit --anchor 使用）。"

    def handle(self, *args: Any, **options: Any) -> None:
        count = seal(wait=True, full=True)
        head = AuditSeal.objects.order_by("-position").first()
        position, digest = (head.position, bytes(head.hash)) if head else (0, GENESIS)
        self.stdout.write(f"新增封签 {count} 个，链头 {position}:{digest.hex()}")
