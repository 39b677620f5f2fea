"""Third-party files are served packed where set-up has packed them."""

from __future__ import annotations

import gzip
import os

from django.contrib.staticfiles import finders

from core.staticfinders import PACKAGED, VendorFinder, pack_vendor_files


def test_packaged_files_are_there_to_be_packed():
    assert all(finders.find(name) for name in PACKAGED)


def test_set_up_packs_each_file_once_and_again_when_it_changed(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("core.staticfinders.PACKAGED", ())
    settings.NODE_MODULES = tmp_path
    settings.VENDOR_STATIC = {"vendor/a.js": "a/a.js", "vendor/a.js.map": "a/a.js.map", "vendor/gone.js": "gone.js"}
    (tmp_path / "a").mkdir()
    source, packed = tmp_path / "a/a.js", tmp_path / "a/a.js.gz"
    source.write_text("first " * 100)
    (tmp_path / "a/a.js.map").write_text("map")
    assert pack_vendor_files() == [packed]
    assert gzip.decompress(packed.read_bytes()).decode() == source.read_text()
    assert pack_vendor_files() == []
    source.write_text("second " * 100)
    later = packed.stat().st_mtime + 5
    os.utime(source, (later, later))
    assert pack_vendor_files() == [packed]
    assert gzip.decompress(packed.read_bytes()).decode() == source.read_text()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["a.js", "a.js.gz", "a.js.map"]
    finder = VendorFinder()
    assert finder.find("vendor/a.js.gz") == str(packed)
    assert {name for name, _ in finder.list([])} == {"vendor/a.js", "vendor/a.js.gz", "vendor/a.js.map"}
