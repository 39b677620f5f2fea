"""Production refuses to start unsafely and says which setting to mend."""

from __future__ import annotations

import importlib
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

SAFE = {
    "SECRET_KEY": "k3yP4rtOne-7Qz9xW2vB5nM8aS1dF6gH0jL",
    "FIELD_KEY": "f13ldK3y-pZ8rT5yU2iO9eW6qA3sD7fG1hJ4",
    "ALLOWED_HOSTS": "portal.example.cn",
    "DATABASE_URL": "postgres://portal@127.0.0.1/portal",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "PORTAL_PUBLIC_URL": "https://portal.example.cn",
}


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Import the production settings afresh under an environment; gives the module."""
    modules = ("config.settings.prod", "config.settings.base")

    def run(**changes: str):
        for name in (*SAFE, "DEBUG", "PORTAL_DEMO", "PORTAL_TLS", "CSRF_TRUSTED_ORIGINS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**SAFE, **changes}.items():
            monkeypatch.setenv(name, value)
        for name in modules:
            monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module("config.settings.prod")

    kept = {name: sys.modules.get(name) for name in modules}
    yield run
    for name, module in kept.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def test_safe_environment_starts_safely(start):
    settings = start()
    assert (settings.DEBUG, settings.DEMO, settings.ALLOWED_HOSTS) == (False, False, ["portal.example.cn"])
    assert settings.SESSION_COOKIE_SECURE
    assert settings.CSRF_COOKIE_SECURE
    assert settings.SECURE_SSL_REDIRECT
    assert settings.SECURE_HSTS_SECONDS >= 31536000


@pytest.mark.parametrize(
    "name, value",
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 50),
        ("SECRET_KEY", "django-insecure-7Qz9xW2vB5nM8aS1dF6gH0jLk3yP4rt"),
        ("SECRET_KEY", "please-change-me-7Qz9xW2vB5nM8aS1dF6gH0jLk3yP4rt"),
        ("SECRET_KEY", "test-only-secret-key-never-used-elsewhere-0123456789"),
        ("SECRET_KEY", SAFE["FIELD_KEY"]),
        ("FIELD_KEY", ""),
        ("DEBUG", "true"),
        ("DEBUG", "1"),
        ("DEBUG", "yes"),
        ("DEBUG", "flase"),
        ("PORTAL_DEMO", "true"),
        ("PORTAL_TLS", "maybe"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "portal.example.cn,*"),
    ],
)
def test_unsafe_environment_does_not_start(start, name, value):
    with pytest.raises(ImproperlyConfigured, match=name):
        start(**{name: value})


def test_without_tls_behind_a_gateway_cookies_still_work(start):
    settings = start(PORTAL_TLS="false")
    assert (settings.SESSION_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT) == (False, False)


def test_every_scheduled_task_exists():
    from django.conf import settings

    from config.celery import app

    app.loader.import_default_modules()
    assert [job["task"] for job in settings.CELERY_BEAT_SCHEDULE.values() if job["task"] not in app.tasks] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "sqlite:///portal.sqlite3"),
        ("REDIS_URL", ""),
        ("PORTAL_PUBLIC_URL", ""),
        ("PORTAL_PUBLIC_URL", "portal.example.cn"),
    ],
)
def test_services_and_public_address_must_be_named(start, name, value):
    with pytest.raises(ImproperlyConfigured, match=name):
        start(**{name: value})
