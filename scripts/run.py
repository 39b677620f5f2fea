"""`make run`: web server, worker and scheduler under one roof, with prefixed log lines, ended by one Ctrl-C.

A child that dies is started again, later each time it dies young. Nothing outlives this script.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import machine
import processes
import set_up

BIN = machine.VENV / "bin"
STEADY_SECONDS = 30  # a child that lived this long is taken to have started well
LONGEST_WAIT = 30
GRACE_SECONDS = 9  # gunicorn finishes its requests, the worker its task; jobs cut short are resumed by their lease


@dataclass
class Child:
    """One program of the portal and what is known of its lives."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    early_deaths: int = 0
    due: float = 0.0
    pipes: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = processes.start(self.command, cwd=machine.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        pipe = threading.Thread(target=self._copy_log, args=(self.process,), daemon=True)
        pipe.start()
        self.pipes = [pipe]

    def _copy_log(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            print(f"{self.name:<6}| {line.decode(errors='replace').rstrip()}", flush=True)

    def look(self, now: float) -> None:
        """Start again what died: at once at first, then after 2, 4, 8 … seconds."""
        if self.process is None:
            if now >= self.due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        processes.signal_group(self.process, signal.SIGKILL)
        self.early_deaths = self.early_deaths + 1 if now - self.started < STEADY_SECONDS else 0
        wait = min(LONGEST_WAIT, 2**self.early_deaths) if self.early_deaths else 0
        print(f"{self.name:<6}| 已退出（代码 {code}），{wait} 秒后重新启动", flush=True)
        self.process, self.due = None, now + wait


class Supervisor:
    """Keeps the children alive until asked to stop."""

    def __init__(self, children: list[Child], host: str, port: int, logins: str) -> None:
        self.children = children
        self.host, self.port, self.logins = host, port, logins
        self.stopping = threading.Event()
        self._make = _make_above_us()

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)
        for child in self.children:
            child.start()
        threading.Thread(target=self._greet, daemon=True).start()
        while not self.stopping.wait(0.25):
            now = time.monotonic()
            for child in self.children:
                child.look(now)
            if self._make is not None and self._make.gave_up():
                self.stopping.set()
        machine.say("正在停止……")
        processes.stop_all([c.process for c in self.children if c.process], grace=GRACE_SECONDS)
        for child in self.children:
            for pipe in child.pipes:
                pipe.join(timeout=1)
        machine.say("已全部停止")

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()

    def _greet(self) -> None:
        """Once the portal answers: its address and the demo logins, below the noise of starting."""
        while not processes.answers(self.host, self.port):
            if self.stopping.wait(0.2):
                return
        print(
            f"\n  责任规划师工作平台已启动：http://{self.host}:{self.port}\n{self.logins}  按 Ctrl-C 停止\n",
            flush=True,
        )


class _Make:
    """The make that started us. GNU make, interrupted alone, waits for its recipe without telling it: so we look."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def gave_up(self) -> bool:
        """Gone, or no longer catching SIGINT, which is the first thing it does when interrupted."""
        return os.getppid() != self.pid or not self.catches_interrupt()

    def catches_interrupt(self) -> bool:
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return False
        caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
        return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


def _make_above_us() -> _Make | None:
    try:
        name = Path(f"/proc/{os.getppid()}/comm").read_text().strip()
    except OSError:
        return None
    make = _Make(os.getppid())
    return make if name in {"make", "gmake"} and make.catches_interrupt() else None


def programs(host: str, port: int, data_dir: Path) -> list[Child]:
    """What the portal is made of when it runs."""
    celery = [str(BIN / "celery"), "--quiet", "-A", "config"]
    return [
        Child("web", [
            str(BIN / "gunicorn"), "config.wsgi", "--preload", "--bind", f"{host}:{port}", "--worker-class", "gthread",
            "--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket",
            "--access-logfile", "-", "--access-logformat", '%(m)s %(U)s %(s)s %(M)sms', "--log-level", "warning",
        ]),
        # A PDF leaves some memory behind: a process of the worker is replaced when it has grown (KiB).
        Child("worker", [
            *celery, "worker", "--concurrency", "2", "--max-memory-per-child", "600000", "--loglevel", "warning",
            "--without-gossip", "--without-mingle", "--hostname", f"worker-{port}@%h",
        ]),
        Child("beat", [
            *celery, "beat", "--loglevel", "warning", "--pidfile", "",
            "--schedule", str(data_dir / f"celerybeat-{port}"),
        ]),
    ]  # fmt: skip


def main() -> None:
    given = os.environ.get("PORT", "8000")
    if not given.isdecimal() or not 0 < int(given) < 65536:
        machine.stop(f"PORT 应为 1–65535 的数字，现在是“{given}” / PORT must be a number")
    host, port = os.environ.get("HOST", "127.0.0.1"), int(given)
    if processes.is_taken(host, port):
        machine.stop(
            f"端口 {port} 已被占用，请换一个：make run PORT={port + 1} / port {port} is taken, choose another with PORT="
        )
    set_up.prepare()
    logins = set_up.load_data()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    # Printed in the documents' QR codes: it must lead to the port that answers.
    os.environ.setdefault("PORTAL_PUBLIC_URL", f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}")
    os.environ["PYTHONUNBUFFERED"] = "1"
    os.environ.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    data_dir = Path(os.environ.get("PORTAL_DATA_DIR") or machine.ROOT / "var")
    Supervisor(programs(host, port, data_dir), host, port, logins).run()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        machine.stop("已中断")
