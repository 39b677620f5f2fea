"""Where static files are found by `{% static %}`: each address worked out once a process, a page names a dozen."""

from __future__ import annotations

from functools import lru_cache

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(StaticFilesStorage):
    """By the names that the files have."""

    @lru_cache(maxsize=512)  # noqa: B019 - there is one storage, for as long as the process lives
    def url(self, name: str | None) -> str:
        return super().url(name)


class ManifestStaticStorage(CompressedManifestStaticFilesStorage):
    """Production: by names that hold a hash of the content."""

    @lru_cache(maxsize=512)  # noqa: B019
    def url(self, name: str, force: bool = False) -> str:
        return super().url(name, force)
