"""Start-up checks: what is missing or would be slow, each with the command that mends it."""

from __future__ import annotations

import ctypes
import ctypes.util
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

from django.core.checks import CheckMessage, Warning, register

INSTALL = "apt-get install -y --no-install-recommends"


def has_library(name: str) -> bool:
    """Can this shared library be loaded?"""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def has_chinese_font() -> bool:
    """Does fontconfig know a font for Chinese?"""
    program = shutil.which("fc-list")
    if program is None:
        return False
    try:
        listed = subprocess.run([program, ":lang=zh", "family"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(listed.stdout.strip())


# What must be there: test, words, Debian package, id.
NEEDS: tuple[tuple[Callable[[], bool], str, str, str], ...] = (
    (
        lambda: has_library("libpangoft2-1.0.so.0"),
        "缺少 Pango：无法生成 PDF。",
        "libpango-1.0-0 libpangoft2-1.0-0",
        "core.W001",
    ),
    (
        lambda: has_library("libharfbuzz-subset.so.0"),
        "缺少 HarfBuzz 子集库：生成一份 PDF 需 12–15 秒，而不是 0.5 秒。",
        "libharfbuzz-subset0",
        "core.W002",
    ),
    (has_chinese_font, "没有中文字体：PDF 中的汉字将无法显示。", "fontconfig fonts-noto-cjk", "core.W003"),
    (lambda: has_library("libmagic.so.1"), "缺少 libmagic：无法按内容识别上传文件的类型。", "libmagic1", "core.W004"),
)


@register("portal")
def check_environment(**kwargs: Any) -> list[CheckMessage]:
    """One warning for each thing that is missing, with its mending command."""
    return [
        Warning(words, hint=f"{INSTALL} {package}", id=code) for there, words, package, code in NEEDS if not there()
    ]
