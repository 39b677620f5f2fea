"""Static files of third parties, named one by one.

The packages hold thousands of files (flags, maps, every icon); serving, scanning and compressing just the few the
pages load keeps start-up and `collectstatic` quick and the served surface small.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage


class VendorFinder(BaseFinder):
    """Finds the files of `settings.VENDOR_STATIC`: a mapping of public path to the path under node_modules.

    A `.gz` or `.br` that set-up left beside a file is found with it, so that the portal serves it compressed even where
    `collectstatic` has not run.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.root = Path(settings.NODE_MODULES)
        self.files: dict[str, str] = {
            public + packed: source + packed
            for public, source in settings.VENDOR_STATIC.items()
            for packed in ("", ".gz", ".br")
        }
        super().__init__(*args, **kwargs)

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        source = self.files.get(path)
        if source is None or not (self.root / source).is_file():
            return []  # Django takes anything else, None too, for a find
        found = str(self.root / source)
        return [found] if find_all else found

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Any]]:
        for public, source in self.files.items():
            if (self.root / source).is_file():
                yield public, _OneFile(self.root, public, source)


class _OneFile(FileSystemStorage):
    """A read-only storage that answers for one file under its public name."""

    prefix = ""

    def __init__(self, root: Path, public: str, source: str) -> None:
        super().__init__(location=str(root))
        self._public, self._source = public, source

    def path(self, name: str) -> str:
        if name.replace("\\", "/") != self._public:
            raise FileNotFoundError(name)
        return super().path(self._source)


# Loaded by every page, and part of a Python package.
PACKAGED = ("django_htmx/htmx-2.min.js",)


def pack_vendor_files() -> list[Path]:
    """Leave a `.gz` beside each third-party file that pages load and that has none as new; returns those written.

    Maps are left out: only a developer's tools load them. Own files change too often to keep a copy beside them.
    """
    written = []
    found = [finders.find(name) for name in PACKAGED]
    sources = [Path(settings.NODE_MODULES) / source for source in settings.VENDOR_STATIC.values()]
    for path in [*sources, *(Path(str(name)) for name in found if name)]:
        packed = path.with_name(path.name + ".gz")
        if path.suffix == ".map" or not path.is_file():
            continue
        if packed.is_file() and packed.stat().st_mtime >= path.stat().st_mtime:
            continue
        # Written whole or not at all: two set-ups at once, or one cut short, must not leave half a file.
        half = packed.with_name(f"{packed.name}.{os.getpid()}")
        half.write_bytes(gzip.compress(path.read_bytes(), compresslevel=9, mtime=0))
        half.replace(packed)
        written.append(packed)
    return written
