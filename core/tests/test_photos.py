"""Photos: re-encoded upright without metadata; time and place kept apart."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import ExifTags, Image

from core.files import picture_distance, store_photo
from core.models import StoredFile
from core.text import CHINA


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def scene(size: tuple[int, int] = (1200, 800)) -> Image.Image:
    """Bright left, dark right, a red corner: enough to tell which way is up."""
    made = Image.linear_gradient("L").rotate(90).resize(size).convert("RGB")
    made.paste((200, 0, 0), (0, 0, size[0] // 4, size[1] // 4))
    return made


def jpeg(picture: Image.Image, **extra: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92, **extra)
    return out.getvalue()


def exif(*, orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[ExifTags.Base.Orientation] = orientation
    made[ExifTags.Base.Make] = "SECRETCAM"
    details = made.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2024:03:05 09:30:00"
    gps = made.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (39.0, 55.0, 30.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (116.0, 23.0, 29.0)
    return made


def put(content: bytes, name: str = "IMG_0001.jpg", **extra: Any) -> Any:
    return store_photo(SimpleUploadedFile(name, content), actor=None, **extra)


def refusal(content: bytes, name: str = "IMG_0001.jpg", **extra: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        put(content, name, **extra)
    assert not StoredFile.objects.exists()
    return caught.value.messages[0]


def test_place_and_time_leave_the_picture_and_stay_as_facts(db) -> None:
    stored, facts = put(jpeg(scene(), exif=exif()))
    assert b"SECRETCAM" not in stored.read() and b"Exif" not in stored.read()
    with Image.open(stored.path) as kept:
        assert kept.format == "JPEG" and not kept.getexif()
    assert facts.taken_at == datetime(2024, 3, 5, 9, 30, tzinfo=CHINA)
    assert (facts.latitude, facts.longitude) == (Decimal("39.925000"), Decimal("116.391389"))
    assert stored.mime == "image/jpeg"


def test_time_zone_of_the_camera_counts(db) -> None:
    made = exif()
    made.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = "+00:00"
    _, facts = put(jpeg(scene(), exif=made))
    assert facts.taken_at.utcoffset() == timedelta(0)


def test_picture_stands_upright(db) -> None:
    turned = scene().rotate(90, expand=True)  # as a phone stores it: orientation 6 turns it back
    stored, facts = put(jpeg(turned, exif=exif(orientation=6)))
    with Image.open(stored.path) as kept:
        assert kept.size == (1200, 800)
        red, green, _ = kept.getpixel((50, 50))
        assert red > 150 and green < 60
    assert (facts.width, facts.height) == (1200, 800)


def test_large_picture_is_made_small(db) -> None:
    _, facts = put(jpeg(scene((5000, 3000))), max_side=2048)
    assert (facts.width, facts.height) == (2048, 1229)


def test_png_with_transparency_lies_on_white(db) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (60, 60), (0, 0, 0, 0)).save(out, "PNG")
    stored, _ = put(out.getvalue(), "图.png")
    assert stored.original_name == "图.jpg"
    with Image.open(stored.path) as kept:
        assert kept.getpixel((5, 5)) == (255, 255, 255)


def test_fingerprint_knows_the_same_picture_again(db) -> None:
    _, first = put(jpeg(scene()))
    _, again = put(jpeg(scene((900, 600))))
    other = Image.effect_mandelbrot((900, 600), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    _, different = put(jpeg(other))
    assert picture_distance(first.picture_hash, again.picture_hash) <= 6
    assert picture_distance(first.picture_hash, different.picture_hash) > 20
    assert len(first.picture_hash) == 32


def test_forty_megabytes_are_refused_with_the_limit(db) -> None:
    words = refusal(b"\xff\xd8\xff" + b"\0" * (40 * 1024 * 1024), "全景.jpg")
    assert "40.0 MB" in words and "上限 25.0 MB" in words


def bomb(side: int = 60_000) -> bytes:
    """A PNG that claims 3.6 thousand million pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"MZ\x90\x00" + b"\0" * 100, "照片.jpg", "不是照片"),
        (jpeg(scene())[: len(jpeg(scene())) // 2], "截断.jpg", "已损坏"),
        (b"\xff\xd8\xff\xe0" + b"garbage" * 50, "乱.jpg", "已损坏"),
        (bomb(), "大.png", "像素过多"),
        (bomb(9000), "大.png", "像素过多"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "IMG.HEIC", "HEIC"),
        (b"", "空.jpg", "是空的"),
        (b"%PDF-1.7\n%%EOF", "文.jpg", "不是照片"),
    ],
)
def test_what_is_no_usable_photo_is_refused_in_words(db, content: bytes, name: str, words: str) -> None:
    assert words in refusal(content, name)


def test_comment_of_the_original_stays_behind(db) -> None:
    stored, _ = put(jpeg(scene(), comment=b"<?php SECRETNOTE ?>"))
    assert b"SECRETNOTE" not in stored.read()


def test_senseless_metadata_is_left_out(db) -> None:
    made = exif()
    made.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "0000:00:00 00:00:00"
    made.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (99.0, 70.0, 0.0)
    _, facts = put(jpeg(scene(), exif=made))
    assert (facts.taken_at, facts.latitude, facts.longitude) == (None, None, None)
