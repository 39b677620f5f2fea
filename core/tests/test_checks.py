"""Start-up checks name what is missing with the command that mends it."""

from __future__ import annotations

import pytest

from core import checks


def needs(missing: str):
    return tuple((lambda code=code: code != missing, words, package, code) for _, words, package, code in checks.NEEDS)


def test_nothing_missing_nothing_said(monkeypatch):
    monkeypatch.setattr(checks, "NEEDS", needs(""))
    assert checks.check_environment() == []


@pytest.mark.parametrize(
    "code, package",
    [
        ("core.W001", "libpango-1.0-0 libpangoft2-1.0-0"),
        ("core.W002", "libharfbuzz-subset0"),
        ("core.W003", "fontconfig fonts-noto-cjk"),
        ("core.W004", "libmagic1"),
    ],
)
def test_missing_thing_is_named_with_its_command(monkeypatch, code, package):
    monkeypatch.setattr(checks, "NEEDS", needs(code))
    (warning,) = checks.check_environment()
    assert (warning.id, warning.hint) == (code, f"apt-get install -y --no-install-recommends {package}")


def test_library_is_tried_for_real():
    assert checks.has_library("libc.so.6")
    assert not checks.has_library("libno-such-thing.so.0")


def test_no_font_program_means_no_font(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert not checks.has_chinese_font()


def test_fonts_are_asked_of_fontconfig(monkeypatch, tmp_path):
    program = tmp_path / "fc-list"
    program.write_text('#!/bin/sh\n[ "$1" = ":lang=zh" ] && echo "$LISTED"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LISTED", "Noto Sans CJK SC")
    assert checks.has_chinese_font()
    monkeypatch.setenv("LISTED", "")
    assert not checks.has_chinese_font()
