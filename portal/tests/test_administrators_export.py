"""What administrators take out of the portal: the accounts and the audit log, each as its page shows them."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.test import Client
from openpyxl import load_workbook

from accounts.services import disable_account
from core.models import AuditEntry

pytestmark = pytest.mark.django_db


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sheet_of(user, url: str, **query: str) -> list[tuple]:
    response = client_of(user).get(url, {"export": "xlsx", **query})
    assert response.status_code == 200
    return list(load_workbook(BytesIO(b"".join(response))).active.iter_rows(values_only=True))


def test_accounts_leave_with_the_filters_of_the_page(cast):
    disable_account(cast.planner, actor=cast.sysadmin, reason="离任")
    heads, *rows = sheet_of(cast.sysadmin, "/accounts/people/", state="off")
    assert heads == ("用户名", "姓名", "所属地方", "建立日期", "最近登录", "状态")
    assert [(row[0], row[1], row[2], row[5]) for row in rows] == [
        (cast.planner.username, cast.planner.name, "东城区", "已停用")
    ]


def test_the_audit_leaves_with_the_filters_of_the_page_and_says_that_it_did(cast):
    disable_account(cast.planner, actor=cast.sysadmin, reason="离任")
    heads, row = sheet_of(cast.auditor, "/audit/", q=cast.planner.name)
    assert heads == ("时间", "人员", "操作", "对象", "结果", "来源")
    assert row[1] == cast.sysadmin.name and cast.planner.name in row[3] and row[4] == "成功"
    assert AuditEntry.objects.get(action="list.export").actor == cast.auditor


@pytest.mark.parametrize("who", ["sysadmin", "bureau", "planner", "leader"])
def test_nobody_else_takes_the_audit_out(cast, who):
    assert client_of(getattr(cast, who)).get("/audit/", {"export": "xlsx"}).status_code == 403
