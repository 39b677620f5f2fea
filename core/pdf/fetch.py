"""What a document may load: the portal's own static files and what the caller hands over. No network, no disk."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

BASE_URL = "static:/"
_DATA_TYPES = ("image/png", "image/jpeg", "image/svg+xml")


class ForbiddenSource(FatalURLFetchingError):
    """The document asks for something that it may not load, or that is not there; rendering stops."""


class Fetcher(URLFetcher):
    """`asset:name` gives the caller's bytes, `static:path` a static file, `data:` a picture; everything else stops.

    A missing picture stops too: a document with a hole in it must not be issued.
    """

    def __init__(self, assets: Mapping[str, bytes] | None = None) -> None:
        super().__init__(allowed_protocols=("data",), fail_on_errors=True)
        self._assets = dict(assets or {})

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        parts = urlsplit(url)
        if parts.scheme == "asset":
            return self._asset(url, unquote(parts.path))
        if parts.scheme == "static":
            return self._static(url, unquote(parts.path).lstrip("/"))
        if parts.scheme == "data" and parts.path.startswith(_DATA_TYPES):
            return super().fetch(url, headers)
        raise ForbiddenSource(f"forbidden source in document: {url[:100]}")

    def _asset(self, url: str, name: str) -> URLFetcherResponse:
        if name not in self._assets:
            raise ForbiddenSource(f"the document asks for {name!r}, which was not handed over")
        return URLFetcherResponse(url, self._assets[name], {"Content-Type": _type_of(name)})

    @staticmethod
    def _static(url: str, name: str) -> URLFetcherResponse:
        found = finders.find(name) if name and ".." not in name.split("/") else None
        if not found:
            raise ForbiddenSource(f"no static file {name!r}")
        return URLFetcherResponse(url, Path(str(found)).read_bytes(), {"Content-Type": _type_of(name)})


def _type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
