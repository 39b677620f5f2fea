"""`make check`: style, types, import arrows, migrations, templates, settings for going live, and the tree itself.

Every check runs, so that one round shows all there is to mend; any failure fails the whole.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time

import machine
import set_up

BIN = machine.VENV / "bin"
PYTHON = str(machine.VENV_PYTHON)


def checks() -> dict[str, list[str]]:
    return {
        "ruff": [str(BIN / "ruff"), "check", "."],
        "格式": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
        "类型": [str(BIN / "mypy")],
        "导入方向": [str(BIN / "lint-imports")],
        "迁移": [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
        "上线设置": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        "模板": [str(BIN / "djlint"), "templates", "--lint", "--quiet"],
        "模板写法": [PYTHON, "scripts/check_templates.py"],
        "源码树": [PYTHON, "scripts/check_tree.py"],
        "依赖锁定": [PYTHON, "scripts/lock.py", "--check"],
    }


def settings_for(name: str) -> dict[str, str]:
    """Where a check looks: production settings, with throw-away secrets, for the one; the tests' for the others."""
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    if name == "上线设置":
        environment |= {
            "DJANGO_SETTINGS_MODULE": "config.settings.prod",
            "SECRET_KEY": secrets.token_hex(32),
            "FIELD_KEY": secrets.token_hex(32),
            "ALLOWED_HOSTS": "portal.invalid",
            "DATABASE_URL": "postgres://portal@127.0.0.1/portal",
            "REDIS_URL": "redis://127.0.0.1:6379/0",
            "PORTAL_PUBLIC_URL": "https://portal.invalid",
        }
    return environment


def main() -> int:
    set_up.prepare(dev=True)
    failed = []
    for name, command in checks().items():
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=machine.ROOT, env=settings_for(name), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        good = done.returncode == 0
        print(f"{'✓' if good else '✗'} {name}（{time.monotonic() - began:.1f} 秒）", flush=True)
        if not good:
            print(done.stdout, flush=True)
            failed.append(name)
    if failed:
        print(f"✗ 未通过：{'、'.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
