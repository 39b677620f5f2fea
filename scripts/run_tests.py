"""`make test`: the tests on PostgreSQL, Redis and Chromium, and the main journeys on SQLite and the file broker.

`make test-slow` (`--slow`) runs those that are marked so, which `make test` leaves out, and tries each property with
five times as many random examples (docs/decisions/two-rounds-of-tests.md).
The journeys run beside the rest, in the moments that it waits, and what they said is shown afterwards. Arguments
(`make test ARGS="-k tally"`) go to pytest, which then runs whatever they name, slow or not, and no journeys beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import machine
import processes
import set_up
from services import services

PYTEST = [str(machine.VENV_PYTHON), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
# One more than the two cores of the smallest machine: each waits now and then, for the database or the browser.
PROCESSES = str(max(3, os.cpu_count() or 1))
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
    slow, arguments = "--slow" in sys.argv, [word for word in sys.argv[1:] if word != "--slow"]
    beside = not (slow or arguments)
    which = ["-m", "slow or hypothesis" if slow else "not slow"] if slow or not arguments else []
    with ExitStack() as open_till_the_end:
        given = open_till_the_end.enter_context(services())
        journeys = open_till_the_end.enter_context(embedded(environment)) if beside else None
        template = open_till_the_end.enter_context(migrated_template({**environment, **given}))
        machine.say(f"{'耗时的' if slow else ''}测试：PostgreSQL + Redis + Chromium")
        command = [*PYTEST, "-n", PROCESSES, "--dist", "loadscope", *which, *arguments]
        whole = {} if arguments else {"PORTAL_TEST_WHOLE": "1"}
        examples = {"PORTAL_TEST_EXAMPLES": "150"} if slow else {}
        full = run(command, {**environment, **given, **template, **whole, **examples})
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
def migrated_template(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """A database that is being migrated while the test processes look for their tests, in words for conftest.py: each
    clones it, instead of migrating again, as soon as the file is there that says so."""
    name = f"portal_template_{os.getpid()}"
    sql(
        environment,
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_CTYPE 'C.UTF-8' LC_COLLATE 'C.UTF-8'",
    )
    url = urlsplit(environment["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    with tempfile.TemporaryDirectory(prefix="portal-template-") as folder:
        said = Path(folder) / "said"

        def migrate() -> None:
            command = [str(machine.VENV_PYTHON), "manage.py", "migrate", "-v", "0"]
            code = 1
            try:
                code = run(command, {**environment, "DATABASE_URL": url})
            finally:  # whatever happens: the test processes wait for a word
                (Path(folder) / "writing").write_text("failed" if code else "done")
                (Path(folder) / "writing").rename(said)

        migration = threading.Thread(target=migrate)
        migration.start()
        try:
            yield {"PORTAL_TEST_TEMPLATE": name, "PORTAL_TEST_TEMPLATE_SAID": str(said)}
        finally:
            migration.join()
            sql(environment, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            if said.read_text() == "failed":
                machine.stop("测试数据库未能建立（原因见上）/ the test database could not be migrated, see above")


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
