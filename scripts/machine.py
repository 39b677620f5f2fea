"""What the machine must have: tried, installed with apt where there are rights to, else named with the command.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
DEBIAN_PYTHON = "/usr/bin/python3"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def say(text: str) -> None:
    print(f"▸ {text}", flush=True)


def stop(text: str) -> NoReturn:
    """End with a message a person can act on, and exit code 1."""
    print(f"✗ {text}", file=sys.stderr, flush=True)
    raise SystemExit(1)


@dataclass(frozen=True)
class Need:
    """One thing the machine must have, the Debian packages that bring it, and whether one can go on without."""

    there: Callable[[], bool]
    packages: tuple[str, ...]
    what_for: str
    vital: bool = False


def library(name: str) -> Callable[[], bool]:
    def there() -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return there


def program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def has_chinese_font() -> bool:
    fc_list = shutil.which("fc-list")
    if fc_list is None:
        return False
    listed = subprocess.run([fc_list, ":lang=zh", "family"], capture_output=True, check=False)
    return bool(listed.stdout.strip())


def can_make_environment() -> bool:
    """An environment needs `ensurepip`, which Debian keeps in a package of its own, unless uv makes it."""
    return (
        VENV_PYTHON.exists()
        or shutil.which("uv") is not None
        or all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    )


def pythons() -> list[str]:
    """What may carry the environment, the quickest first.

    A Python compiled without profile-guided optimisation (pyenv compiles so) takes a sixth more time for the tests;
    Debian's own is compiled with it, though its settings do not say so.
    """
    own = sys.executable
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    if optimised or Path(own).parent == Path(DEBIAN_PYTHON).parent:
        return [own]
    asks = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    try:
        fit = subprocess.run([DEBIAN_PYTHON, "-c", asks], capture_output=True, check=False).returncode == 0
    except OSError:
        fit = False
    return [DEBIAN_PYTHON, own] if fit else [own]


def postgres_folder() -> Path | None:
    """Where initdb, postgres and psql are: Debian keeps them off the PATH, one folder for each version."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(versions, key=lambda path: int(path.parent.parent.name.split(".")[0]))
    found = newest[-1] if newest else Path(shutil.which("initdb") or "").resolve()
    return found.parent if all((found.parent / name).exists() for name in ("initdb", "postgres", "psql")) else None


def chromium() -> str | None:
    """Without a window to draw, Chromium's shell takes half of what the whole browser takes."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


TO_RUN = (
    Need(can_make_environment, ("python3-venv",), "Python 虚拟环境 / virtual environment", vital=True),
    Need(library("libpango-1.0.so.0"), ("libpango-1.0-0",), "PDF"),
    Need(library("libpangoft2-1.0.so.0"), ("libpangoft2-1.0-0",), "PDF"),
    Need(
        library("libharfbuzz-subset.so.0"), ("libharfbuzz-subset0",), "PDF（缺少时慢 30 倍 / 30 times slower without）"
    ),
    Need(has_chinese_font, ("fontconfig", "fonts-noto-cjk"), "PDF 中文字体 / Chinese fonts"),
    Need(library("libmagic.so.1"), ("libmagic1",), "按内容识别上传文件 / upload types"),
)
FOR_DATABASE = Need(lambda: postgres_folder() is not None, ("postgresql",), "测试数据库 / test database", vital=True)
FOR_BROKER = Need(program("redis-server"), ("redis-server",), "测试队列 / test broker", vital=True)
FOR_BROWSER = (
    Need(lambda: chromium() is not None, ("chromium-headless-shell",), "浏览器测试 / browser tests", vital=True),
    Need(program("pdftotext"), ("poppler-utils",), "PDF 测试 / PDF tests", vital=True),
)


def missing(needs: Iterable[Need]) -> list[Need]:
    return [need for need in needs if not need.there()]


def install(needs: Iterable[Need]) -> None:
    """Install what is missing; does nothing, and needs no rights, when nothing is.

    Without rights it names the command, and goes on unless something vital is missing.
    """
    lacking = missing(needs)
    if not lacking:
        return
    packages = list(dict.fromkeys(package for need in lacking for package in need.packages))
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    prefix = _with_rights()
    if prefix is None or not shutil.which("apt-get"):
        _name_command(lacking, command)
        return
    say(f"安装系统软件包：{' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-q"], ["apt-get", "-q", *command[1:]]):
        done = subprocess.run(
            [*prefix, *step], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print((done.stdout + done.stderr)[-3000:], file=sys.stderr)
    still = missing(needs)
    if still:
        _name_command(still, command)


def _with_rights() -> list[str] | None:
    """The words before a command that make it run as root: none for root, `sudo -n` if it asks nothing, else None."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n", "DEBIAN_FRONTEND=noninteractive"]
    return None


def _name_command(lacking: list[Need], command: list[str]) -> None:
    lines = [f"    {'、'.join(need.packages)}：{need.what_for}" for need in lacking]
    text = (
        "缺少以下系统软件包，请管理员执行下面的命令后重试 / missing packages, please run:\n"
        f"    sudo apt-get update && sudo {' '.join(command)}\n" + "\n".join(lines)
    )
    if any(need.vital for need in lacking):
        stop(text)
    say(f"{text}\n  暂且继续 / going on without them for now")
