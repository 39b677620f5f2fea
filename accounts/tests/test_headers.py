"""Headers that every page carries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.ui_example")]
PAGES = [
    "/accounts/login/",
    "/accounts/me/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/inactive/",
    "/example/",
    "/accounts/nowhere/",
]
INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=|javascript:")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("known", [True, False])
def test_every_page_carries_the_headers(client, person, path, known):
    if known:
        client.force_login(person)
    response = client.get(path)
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    if known:
        assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_inline_script_or_style(logged_in, path):
    assert INLINE.findall(logged_in.get(path).content.decode()) == []


def test_cookies_are_closed_to_scripts_and_other_sites(client, person, log_in):
    log_in()
    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


def test_page_of_nobody_keeps_no_session(client):
    response = client.get("/example/")
    assert "sessionid" not in response.cookies


def test_first_load_is_small():
    import gzip

    names = [
        "vendor/tabler/css/tabler.min.css",
        "css/portal.css",
        "vendor/tabler/js/tabler.min.js",
        "js/shell.js",
        "js/confirm.js",
        "js/forms.js",
        "js/lookup.js",
        "django_htmx/htmx-2.min.js",
    ]
    found = [finders.find(name) for name in names]
    total = sum(len(gzip.compress(Path(path).read_bytes())) for path in found)
    assert total < 180_000


def test_vendor_files_are_served_compressed_where_set_up_left_a_packed_copy(tmp_path, settings):
    import gzip

    from django.test import RequestFactory
    from whitenoise.middleware import WhiteNoiseMiddleware

    (tmp_path / "theme.css").write_text("a{color:red}" * 500)
    (tmp_path / "theme.css.gz").write_bytes(gzip.compress(b"a{color:red}" * 500))
    settings.NODE_MODULES = settings.STATIC_ROOT = tmp_path
    settings.VENDOR_STATIC = {"vendor/theme.css": "theme.css", "vendor/missing.css": "missing.css"}
    settings.STATICFILES_FINDERS = ["core.staticfinders.VendorFinder"]
    settings.WHITENOISE_AUTOREFRESH = False
    finders.get_finder.cache_clear()
    try:
        middleware = WhiteNoiseMiddleware(lambda request: None)
        request = RequestFactory().get("/static/vendor/theme.css", headers={"Accept-Encoding": "gzip"})
        response = middleware(request)
        assert (response.status_code, response["Content-Encoding"]) == (200, "gzip")
        assert middleware(RequestFactory().get("/static/vendor/missing.css")) is None
        assert finders.find("vendor/../../etc/passwd") is None
    finally:
        finders.get_finder.cache_clear()
