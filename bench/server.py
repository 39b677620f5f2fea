"""The portal under gunicorn with two workers, and a client that keeps its connection."""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

import processes
from django.conf import settings
from django.test import Client

from accounts.models import User

WORKERS = 2
START_SECONDS = 60


@contextmanager
def portal() -> Iterator[int]:
    """Serve bench.wsgi; gives the port."""
    port = processes.free_port()
    child = processes.start([
        sys.executable, "-m", "gunicorn", "bench.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS),
        "--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", "--log-level", "error",
        "--no-control-socket", "--preload",
    ])  # fmt: skip
    try:
        end = time.monotonic() + START_SECONDS
        while not processes.answers("127.0.0.1", port):
            if child.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the server did not start")
            time.sleep(0.1)
        yield port
    finally:
        processes.stop_all([child], grace=5)


def session_of(user: User) -> str:
    """A session key of somebody logged in, with all that a login leaves in a session."""
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Visitor:
    """One person's kept connection; cookies are kept as a browser keeps them."""

    def __init__(self, port: int, user: User | None = None) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = SimpleCookie()
        if user is not None:
            self.cookies[settings.SESSION_COOKIE_NAME] = session_of(user)

    def get(self, path: str) -> str:
        """The page. Raises RuntimeError on anything but 200: a redirect to the login is quick and means nothing."""
        headers = {"Accept-Language": "zh-CN"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())
        self.line.request("GET", path, headers=headers)
        answer: Any = self.line.getresponse()
        body = answer.read()
        for line in answer.headers.get_all("Set-Cookie", ()):
            self.cookies.load(line)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return str(body.decode())
