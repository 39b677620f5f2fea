"""`make lock`: pin every dependency with its hashes. With `--check`: do the locks still answer what is asked for?"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
from machine import ROOT, stop

NAMES = ("requirements", "requirements-dev", "requirements-uv", "requirements-node")
OPTIONS = ("--quiet", "--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url")


def lock() -> None:
    environment.ensure_environment(dev=True)
    uv = shutil.which("uv") or str(environment.TOOLS / "bin" / "uv")
    for name in NAMES:
        command = [uv, "pip", "compile", *OPTIONS, f"{name}.in", "-o", f"{name}.txt"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            stop(f"{name}.in 无法锁定 / cannot be locked")


def problems() -> list[str]:
    """Each requirement that its lock does not answer, and each pin without a hash; needs no network."""
    from packaging.requirements import Requirement

    found = []
    for name in NAMES:
        text = (ROOT / f"{name}.txt").read_text()
        pins = dict(re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s\\;]+)", text, re.MULTILINE))
        if any("--hash=" not in block for block in re.split(r"\n(?=\S)", text.strip())):
            found.append(f"{name}.txt 有未带哈希的依赖")
        for line in (ROOT / f"{name}.in").read_text().splitlines():
            line = line.partition("#")[0].strip()
            if not line or line.startswith("-"):
                continue
            wanted = Requirement(line)
            pinned = {_plain(key): value for key, value in pins.items()}.get(_plain(wanted.name))
            if pinned is None or not wanted.specifier.contains(pinned, prereleases=True):
                found.append(f"{name}.txt 与 {name}.in 不符：{line}（锁定为 {pinned}）")
    return found + _npm_problems()


def _npm_problems() -> list[str]:
    asked = json.loads(Path(ROOT / "package.json").read_text())
    locked = json.loads(Path(ROOT / "package-lock.json").read_text())["packages"]
    return [
        f"package-lock.json 与 package.json 不符：{kind}"
        for kind in ("dependencies", "devDependencies")
        if asked.get(kind) != locked[""].get(kind)
    ] + [f"package-lock.json 缺少校验值：{name}" for name, entry in locked.items() if name and "integrity" not in entry]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    if "--check" in sys.argv:
        found = problems()
        print("\n".join(found))
        sys.exit(bool(found))
    lock()
