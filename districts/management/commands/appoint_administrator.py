"""`manage.py appoint_administrator zhao.an --role secadmin --locality 110101 --name 赵安`: the first administrators."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.models import User
from accounts.roles import THREE_ADMINISTRATORS
from accounts.services import create_first_account
from districts.models import Locality
from districts.services.memberships import appoint_first_administrator


class Command(BaseCommand):
    help = "任命一个地方的系统管理员、安全管理员或审计管理员；没有该账号时先建立，并显示一次性密码"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=sorted(THREE_ADMINISTRATORS))
        parser.add_argument("--locality", required=True, help="六位行政区划代码")
        parser.add_argument("--name", default="", help="姓名；建立账号时必填")

    def handle(self, *args: Any, username: str, role: str, locality: str, name: str, **options: Any) -> None:
        place = Locality.objects.filter(code=locality).first()
        if place is None:
            raise CommandError(f"没有启用代码为 {locality} 的地方。")
        try:
            with transaction.atomic():
                user, password = self._account(username.strip().lower(), name.strip(), place)
                membership = appoint_first_administrator(user, role=role, locality=place)
        except ValidationError as error:
            raise CommandError("；".join(error.messages)) from error
        self.stdout.write(f"已任命：{user}（{user.username}） {membership}")
        if password:
            self.stdout.write(f"一次性密码（只显示这一次，首次登录须修改）：{password}")

    def _account(self, username: str, name: str, place: Locality) -> tuple[User, str]:
        """The account, and its password when it is new."""
        user = User.objects.filter(username=username).first()
        if user is not None:
            return user, ""
        if not name:
            raise CommandError("没有该账号；建立账号请用 --name 写明姓名。")
        return create_first_account(username=username, name=name, locality_code=place.code)
