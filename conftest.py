"""What every test has: PostgreSQL-only tests skipped elsewhere, and tables that can be emptied after a test."""

from __future__ import annotations

import gc
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from _pytest import runner
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.core.handlers.wsgi import WSGIHandler
from django.core.management.commands import flush as flush_command
from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client
from django.test.utils import setup_databases, teardown_databases
from django.utils.crypto import get_random_string
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import blocking_manager_key
from xdist.scheduler import LoadScopeScheduling

import factories_kept
from accounts import devices
from accounts.middleware import SEEN, STARTED
from accounts.models import LoginSession
from core.stack_room import with_room
from factories import cast_anew

# How long an example takes says nothing of what it shows: a busy machine is no fault. `make test-slow` asks for more.
hypothesis_settings.register_profile(
    "portal", max_examples=int(os.environ.get("PORTAL_TEST_EXAMPLES", "30")), deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
hypothesis_settings.load_profile("portal")

# Files whose tests share a site that takes long to build, and the name of the site: one process runs all of such files,
# and they go first.
WHOLE = {
    "portal/tests/test_bad_input.py": "forms and seals", "portal/tests/test_pages_audit.py": "pages",
    "portal/tests/test_role_matrix.py": "matrix", "portal/tests/test_seal_everywhere.py": "forms and seals",
}  # fmt: skip


class _Scheduler(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return WHOLE.get(file, nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Each test to whichever process is free, but for WHOLE; more tests at once come before fewer."""
    return _Scheduler(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """In a new clone every test file is compiled, with what asserts say, for ten seconds; of several processes each
    begins with another part of them, so that each file is compiled once and read by the others."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or "PORTAL_TEST_WHOLE" not in os.environ:
        return
    files = sorted(path for app in session.config.getini("testpaths") for path in Path(app).rglob("test_*.py"))
    begin = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for path in files[begin:] + files[:begin]:
        import_module(".".join(path.with_suffix("").parts))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """As pytest runs a test, with room on the stack."""
    return with_room(runner.pytest_runtest_protocol)(item, nextitem)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The slow ones first, so that no process is left with one at the end; those on the kept cast one after another.
    items.sort(
        key=lambda item: (not any(item.get_closest_marker(name) for name in ("browser", "slow")), _on_the_cast(item))
    )
    if connection.vendor == "postgresql":
        return
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL"))


def _on_the_cast(item: pytest.Item) -> bool:
    """Has the cast and is rolled back afterwards."""
    names = getattr(item, "fixturenames", ())
    marker = item.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(names) or (marker and marker.kwargs.get("transaction"))
    return "cast" in names and not commits


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    with item.config.stash[blocking_manager_key].unblock():
        if _on_the_cast(item):
            factories_kept.lay()
        else:
            factories_kept.lift()


@pytest.fixture(scope="session", autouse=True)
def _flush_append_only_tables() -> Iterator[None]:
    """A transactional test empties every table afterwards: the triggers that refuse that step aside for the flush."""
    plain, refill = BaseDatabaseOperations.execute_sql_flush, flush_command.emit_post_migrate_signal
    emptied = True

    def flush(self: BaseDatabaseOperations, sql_list: list[str]) -> Any:
        nonlocal emptied
        before, after = _without_triggers()
        deletions = _deletions(sql_list)
        emptied = not deletions
        return plain(self, [*before, *(deletions or sql_list), *after])

    def refill_if_emptied(*args: Any, **more: Any) -> None:
        if emptied:
            refill(*args, **more)

    BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    flush_command.emit_post_migrate_signal = refill_if_emptied
    yield
    BaseDatabaseOperations.execute_sql_flush = plain  # type: ignore[method-assign]
    flush_command.emit_post_migrate_signal = refill


# What a flush that empties them fills again; deletions leave them alone, so that there is nothing to fill.
_REFILLED = {"django_content_type", "auth_permission"}


def _deletions(sql_list: list[str]) -> list[str]:
    """The same for a few rows: TRUNCATE makes new files for each table and index, hundreds of them, full or empty.
    Nothing where it is no TRUNCATE alone, or where there is much to delete."""
    if connection.vendor != "postgresql" or len(sql_list) != 1 or not re.fullmatch(r'TRUNCATE [\w", ]+;', sql_list[0]):
        return []
    tables = set(re.findall(r'"(\w+)"', sql_list[0])) - _REFILLED
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', pg_relation_size('\"{table}\"') WHERE EXISTS (SELECT 1 FROM \"{table}\")"
                for table in sorted(tables)
            )
        )
        filled = dict(cursor.fetchall())
    if any(size > 2**20 for size in filled.values()):
        return []
    return [*(f'DELETE FROM "{table}"' for table in filled), "SET CONSTRAINTS ALL IMMEDIATE"]


def _without_triggers() -> tuple[list[str], list[str]]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone()[0]:
                # Quicker than to switch each off and on, but only for who may do anything.
                return ["SET session_replication_role = replica"], ["SET session_replication_role = origin"]
            cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
            tables = [row[0] for row in cursor.fetchall()]
            return (
                [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables],
                [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables],
            )
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    return [f"DROP TRIGGER {name}" for name, _ in triggers], [sql for _, sql in triggers]


@pytest.fixture(scope="session", autouse=True)
def _quick_requests() -> Iterator[None]:
    """Threads of a test's server have room on their stacks, as in config/wsgi.py; and `client.force_login` leaves a
    session behind as a login does, without the events of logging in, which are tested where people log in (accounts)
    and were a twentieth of the time of all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WSGIHandler, "__call__", with_room(WSGIHandler.__call__))
        patch.setattr(Client, "force_login", _login_at_once)
        yield


def _login_at_once(self: Client, user: Any, backend: str | None = None) -> None:
    key = get_random_string(32, VALID_KEY_CHARS)
    row = LoginSession.objects.create(user=user, key=key)
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key=key)
    now = int(time.time())
    # Not asked for first: nobody has a session of this key.
    store._session_cache = {
        SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: backend or settings.AUTHENTICATION_BACKENDS[-1],
        HASH_SESSION_KEY: user.get_session_auth_hash(), STARTED: now, SEEN: now, devices.ROW: row.pk, devices.KEY: key,
    }  # fmt: skip
    store.save(must_create=True)
    self.cookies[settings.SESSION_COOKIE_NAME] = key


# --- one database build ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Clone the migrated template that `make test` built (PORTAL_TEST_TEMPLATE); without one, migrate as usual."""
    template = os.environ.get("PORTAL_TEST_TEMPLATE")
    if not template or connection.vendor != "postgresql":
        with django_db_blocker.unblock():
            keep = request.config.getvalue("reuse_db") and not request.config.getvalue("create_db")
            config = setup_databases(verbosity=0, interactive=False, keepdb=keep, serialized_aliases=())
            _keep_cast()
        yield
        with django_db_blocker.unblock():
            factories_kept.lift()
        if request.config.getvalue("reuse_db"):
            return
        with django_db_blocker.unblock():
            if connection.vendor == "postgresql":
                # A server thread of a browser test may still hold a connection.
                built = {**connection.settings_dict}
                connection.close()
                _on_server(built, f'DROP DATABASE IF EXISTS "{built["NAME"]}" WITH (FORCE)')
            else:
                teardown_databases(config, verbosity=0)
        return
    said = Path(os.environ["PORTAL_TEST_TEMPLATE_SAID"])
    while not said.exists():
        time.sleep(0.05)
    if said.read_text() != "done":
        pytest.exit("the test database could not be migrated")
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"{template}_{worker}"
    server = {**connection.settings_dict}
    _on_server(
        server,
        f'DROP DATABASE IF EXISTS "{name}"',
        f'CREATE DATABASE "{name}" TEMPLATE "{template}"',
        # What is thrown away need not wait for a disk.
        f'ALTER DATABASE "{name}" SET synchronous_commit TO off',
    )
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
        _keep_cast()
    yield
    with django_db_blocker.unblock():
        factories_kept.lift()
        connection.close()
    _on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _keep_cast() -> None:
    with transaction.atomic():
        factories_kept.keep(cast_anew)
        transaction.set_rollback(True)


def _on_server(settings_dict: dict[str, Any], *statements: str) -> None:
    import psycopg2

    link = psycopg2.connect(
        dbname="postgres", user=settings_dict["USER"], password=settings_dict["PASSWORD"] or None,
        host=settings_dict["HOST"], port=settings_dict["PORT"] or 5432,
    )  # fmt: skip
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            for attempt in range(20):
                try:
                    for statement in statements:
                        cursor.execute(statement)
                    return
                except psycopg2.errors.ObjectInUse:
                    # Two processes cloning at once: the template is in use for a moment.
                    if attempt == 19:
                        raise
                    time.sleep(0.3)
    finally:
        link.close()


# --- two at once ----------------------------------------------------------------------------------


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Run functions at the same time, each on its own database connection; gives results or exceptions in order."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        results: list[Any] = [None] * len(functions)

        def call(index: int) -> None:
            try:
                results[index] = functions[index]()
            except Exception as exc:
                results[index] = exc
            finally:
                connection.close()

        threads = [threading.Thread(target=call, args=(index,)) for index in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        return results

    return run


# --- a real browser ----------------------------------------------------------------------------------

CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="session")
def chromium(django_db_blocker: Any) -> Iterator[Any]:
    """Debian's Chromium, started once for each test process."""
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as run:
        browser = run.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=list(CHROMIUM_FLAGS)
        )
        yield browser
        # Once Playwright's loop has ended, `connection` is another one than the tests had.
        with django_db_blocker.unblock():
            factories_kept.lift()
        browser.close()


@pytest.fixture
def browse(request: pytest.FixtureRequest, chromium: Any, live_server: Any) -> Iterator[Any]:
    """`page = browse(user, "phone")`: a page of somebody logged in. A console error or a failed script fails the test;
    when the test fails, what each page showed is kept in var/screenshots."""
    opened: list[Any] = []
    complaints: list[str] = []

    def visit(user: Any = None, size: str = "desk") -> Any:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", base_url=live_server.url
        )
        if user is not None:
            client = Client()
            client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
            context.add_cookies(
                [
                    {
                        "name": settings.SESSION_COOKIE_NAME,
                        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                        "url": live_server.url,
                    }
                ]
            )
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        opened.append(page)
        return page

    yield visit
    failed = getattr(request.node, "report_of_call", None)
    for number, page in enumerate(opened):
        if failed is not None and failed.failed:
            folder = settings.BASE_DIR / "var" / "screenshots"
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{request.node.name[:80]}-{number}.png".replace("/", "_"), full_page=True)
        page.context.close()
    assert complaints == []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.report_of_call = report  # type: ignore[attr-defined]
