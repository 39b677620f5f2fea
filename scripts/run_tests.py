"""`make test`: every test on PostgreSQL, Redis and Chromium, and the main journeys on SQLite and the file broker.

The journeys run beside the rest, in the moments that it waits, and what they said is shown afterwards. Arguments
(`make test ARGS="-k tally"`) go to pytest, and then only the first part runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import machine
import processes
import set_up
from services import services

PYTEST = [str(machine.VENV_PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
APPS = ("core", "accounts", "districts", "planners", "projects", "worklogs", "evaluations", "portal")


def main() -> int:
    needs = list(machine.FOR_BROWSER)
    if not os.environ.get("DATABASE_URL"):
        needs.append(machine.FOR_DATABASE)
    if not os.environ.get("REDIS_URL"):
        needs.append(machine.FOR_BROKER)
    set_up.prepare(dev=True, needs=tuple(needs))
    began = time.monotonic()
    environment = {**os.environ, "CHROMIUM": machine.chromium() or "", "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    environment.pop("PORTAL_DATA_DIR", None)
    keep_bytecode(environment)
    arguments = sys.argv[1:]
    with ExitStack() as open_till_the_end:
        given = open_till_the_end.enter_context(services())
        journeys = None if arguments else open_till_the_end.enter_context(embedded(environment))
        template = open_till_the_end.enter_context(migrated_template({**environment, **given}))
        machine.say("全部测试：PostgreSQL + Redis + Chromium")
        command = [*PYTEST, "-n", "2", "--dist", "loadscope", *arguments]
        full = run(command, {**environment, **given, "PORTAL_TEST_TEMPLATE": template})
        if journeys is None:
            return full
        machine.say("主要流程：嵌入方式（SQLite + 文件队列）")
        small = journeys()
    failed = full or small
    machine.say(f"测试用时 {time.monotonic() - began:.0f} 秒：{'未通过' if failed else '全部通过'}")
    return failed


@contextmanager
def embedded(environment: dict[str, str]) -> Iterator[Callable[[], int]]:
    """Start the journeys on the embedded pair; the function waits for their end, shows their output, gives the code."""
    files = [
        str(path.relative_to(machine.ROOT))
        for app in APPS
        for path in sorted((machine.ROOT / app).rglob("test_*.py"))
        if "mark.embedded" in path.read_text(encoding="utf-8")
    ]
    without = {name: value for name, value in environment.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    with tempfile.TemporaryFile() as said:
        child = processes.start(
            [*PYTEST, "-m", "embedded", *files], cwd=machine.ROOT, env=without, stdout=said, stderr=subprocess.STDOUT
        )

        def end() -> int:
            code = child.wait()
            said.seek(0)
            sys.stdout.write(said.read().decode(errors="replace"))
            sys.stdout.flush()
            return code

        try:
            yield end
        finally:
            processes.stop_all([child], grace=10)


def keep_bytecode(environment: dict[str, str]) -> None:
    """Where Python is told to write no bytecode beside the sources, it goes to var/: a dozen processes start here, and
    each would spend ten seconds on compiling what the one before has compiled."""
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(machine.ROOT / "var" / "pycache"))


@contextmanager
def migrated_template(environment: dict[str, str]) -> Iterator[str]:
    """The name of a migrated database, which each test process clones (conftest.py) instead of migrating again."""
    name = f"portal_template_{os.getpid()}"
    sql(
        environment,
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_CTYPE 'C.UTF-8' LC_COLLATE 'C.UTF-8'",
    )
    try:
        url = urlsplit(environment["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        if run([str(machine.VENV_PYTHON), "manage.py", "migrate", "-v", "0"], {**environment, "DATABASE_URL": url}):
            machine.stop("测试数据库未能建立（原因见上）/ the test database could not be migrated, see above")
        yield name
    finally:
        sql(environment, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def sql(environment: dict[str, str], statement: str) -> None:
    """One statement outside a transaction, on the server's own database: ours need not exist."""
    program = (
        "import sys, psycopg2\n"
        "line = psycopg2.connect(sys.argv[1])\n"
        "line.autocommit = True\n"
        "line.cursor().execute(sys.argv[2])\n"
    )
    url = urlsplit(environment["DATABASE_URL"])._replace(path="/postgres").geturl()
    subprocess.run([machine.VENV_PYTHON, "-c", program, url, statement], check=True)


def run(command: list[str], environment: dict[str, str]) -> int:
    return subprocess.run(command, cwd=machine.ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
