"""PostgreSQL and Redis for tests and benchmarks: those given, those that answer here, else private ones.

Private ones listen on free ports of this machine alone, keep their files in a temporary folder, and go with the run.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import machine
import processes

DATABASE = "portal"
EXTENSIONS = ("pg_trgm", "btree_gin", "btree_gist")
OLDEST_POSTGRES = 150000
START_SECONDS = 60
# What a throw-away database may do without.
QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "20s",
}
# Asks one thing of a server that answers: is it new enough, in UTF-8, not in "C", and may we make databases?
SUITABLE = f"""
SELECT current_setting('server_version_num')::int >= {OLDEST_POSTGRES}
   AND pg_encoding_to_char(encoding) = 'UTF8' AND datctype NOT IN ('C', 'POSIX')
   AND (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user)
   AND (SELECT count(*) = {len(EXTENSIONS)} FROM pg_available_extensions WHERE name IN {EXTENSIONS})
  FROM pg_database WHERE datname = 'template1'
"""


@contextmanager
def services(*, private: bool = False, options: dict[str, str] = QUICK) -> Iterator[dict[str, str]]:
    """The environment variables DATABASE_URL and REDIS_URL of working servers; `private` starts them whatever answers.

    Those that the environment gives are taken as they are. `options`: settings of a private PostgreSQL.
    """
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="portal-services-") as folder:
        Path(folder).chmod(0o755)  # the database's owner passes through
        running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
        try:
            found["DATABASE_URL"] = _given("DATABASE_URL") or (not private and _local_postgres()) or ""
            if not found["DATABASE_URL"]:
                machine.install([machine.FOR_DATABASE])
                found["DATABASE_URL"] = _start_postgres(Path(folder), running, options)
            found["REDIS_URL"] = _given("REDIS_URL") or (not private and _local_redis()) or ""
            if not found["REDIS_URL"]:
                machine.install([machine.FOR_BROKER])
                found["REDIS_URL"] = _start_redis(running)
            yield found
        finally:
            for child, how in running:
                processes.stop_all([child], grace=10, first=how)


def _given(name: str) -> str:
    return os.environ.get(name, "")


def _local_postgres() -> str | None:
    """A server on the usual port that lets us in without a password and has what is needed."""
    if not processes.answers("127.0.0.1", 5432):
        return None
    psql = shutil.which("psql") or str((machine.postgres_folder() or Path()) / "psql")
    for user in dict.fromkeys((pwd.getpwuid(os.geteuid()).pw_name, "postgres")):
        command = [psql, "-w", "-XAt", "-h", "127.0.0.1", "-U", user, "-d", "postgres", "-c", SUITABLE]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode == 0 and done.stdout.strip() == "t":
            # Two clones, or two runs, on one server keep out of each other's way.
            return f"postgres://{quote(user)}@127.0.0.1:5432/{DATABASE}_{os.getpid()}"
    return None


def _start_postgres(
    folder: Path, running: list[tuple[subprocess.Popen[bytes], signal.Signals]], settings: dict[str, str]
) -> str:
    """A private server; the role of the tests is no superuser, as in production."""
    programs = machine.postgres_folder()
    if programs is None:
        machine.stop("没有 PostgreSQL / no PostgreSQL: apt-get install -y postgresql")
    owner = _owner()
    home = folder / "postgres"
    home.mkdir()
    secret = folder / "secret"
    password = secrets.token_urlsafe(24)
    secret.write_text(password)
    if owner:
        shutil.chown(home, owner)
        shutil.chown(secret, owner)
    secret.chmod(0o600)
    as_owner: dict[str, Any] = {"cwd": home}
    if owner:
        entry = pwd.getpwnam(owner)
        as_owner |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    data, port = home / "data", processes.free_port()
    command = [
        programs / "initdb", "-D", data, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        "--auth=scram-sha-256", f"--pwfile={secret}",
    ]  # fmt: skip
    made = subprocess.run(command, capture_output=True, text=True, check=False, **as_owner)
    if made.returncode:
        machine.stop(f"PostgreSQL 初始化失败 / initdb failed\n{made.stdout}{made.stderr}")
    options = {
        **settings, "port": str(port), "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
        "log_min_messages": "fatal",
    }  # fmt: skip
    log = (folder / "postgres.log").open("wb")
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    server = processes.start(
        [str(programs / "postgres"), "-D", str(data), *words], stdout=log, stderr=subprocess.STDOUT, **as_owner
    )
    running.append((server, signal.SIGINT))
    role = f"CREATE ROLE {DATABASE} LOGIN CREATEDB PASSWORD '{password}'"
    ask = [programs / "psql", "-XAtq", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", "postgres", "-c"]
    environment = {**os.environ, "PGPASSWORD": password}
    end = time.monotonic() + START_SECONDS
    while subprocess.run([*ask, role], env=environment, capture_output=True, check=False).returncode:
        if server.poll() is not None or time.monotonic() > end:
            machine.stop(f"PostgreSQL 未能启动 / PostgreSQL did not start\n{(folder / 'postgres.log').read_text()}")
        time.sleep(0.2)
    subprocess.run([*ask, f"CREATE DATABASE {DATABASE} OWNER {DATABASE}"], env=environment, check=True)
    return f"postgres://{DATABASE}:{password}@127.0.0.1:{port}/{DATABASE}"


def _owner() -> str | None:
    """PostgreSQL refuses to run as root: the user that runs it instead; None when we are not root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _local_redis() -> str | None:
    """A server on the usual port with two neighbouring empty databases, because tests empty theirs."""
    empty = [number for number in range(15, 0, -1) if _redis_says(number, "DBSIZE") == b":0"]
    for number in empty:
        if number - 1 in empty:
            return f"redis://127.0.0.1:6379/{number - 1}"
    return None


def _redis_says(database: int, command: str, port: int = 6379) -> bytes | None:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(f"SELECT {database}\r\n{command}\r\n".encode())
            answer = line.makefile("rb")
            return (answer.readline().strip() == b"+OK" and answer.readline().strip()) or None
    except OSError:
        return None


def _start_redis(running: list[tuple[subprocess.Popen[bytes], signal.Signals]]) -> str:
    server = shutil.which("redis-server")
    if server is None:
        machine.stop("没有 Redis / no Redis: apt-get install -y redis-server")
    port = processes.free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    child = processes.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running.append((child, signal.SIGTERM))
    end = time.monotonic() + START_SECONDS
    while _redis_says(0, "PING", port) != b"+PONG":
        if child.poll() is not None or time.monotonic() > end:
            machine.stop("Redis 未能启动 / Redis did not start")
        time.sleep(0.1)
    return f"redis://127.0.0.1:{port}/0"
