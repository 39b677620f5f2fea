"""Photos: upright, small, without metadata; and apart from the picture, when and where it was taken."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from core.filetypes import HEIC, IMAGES, FileType
from core.text import CHINA

# A phone's largest pictures have 200 million pixels; what decodes to more than this is refused before it is decoded.
MAX_PIXELS = 210_000_000
# Without JPEG's scaled decoding a picture lies in memory whole.
MAX_PIXELS_WHOLE = 60_000_000
QUALITY = 85
_SIX = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """Private facts of a photo: none of them is in the kept picture.

    `taken_at`: aware; a camera that says no zone is taken to be in China. `latitude`, `longitude`: degrees, six places.
    `picture_hash`: 32 hex digits that stay (nearly) the same when the picture is scaled or saved again.
    """

    taken_at: datetime | None
    latitude: Decimal | None
    longitude: Decimal | None
    picture_hash: str
    width: int
    height: int


def prepare_photo(path: Path, kind: FileType, *, name: str, max_side: int) -> tuple[bytes, PhotoFacts]:
    """JPEG bytes and facts of the picture at `path`. Raises ValidationError with words for the person who uploads."""
    if kind is HEIC:
        raise ValidationError(
            "暂不支持 HEIC 照片。请在手机“设置—相机—格式”中选“兼容性最佳”后重拍，或转换为 JPEG 后上传。", code="type"
        )
    if kind.key not in IMAGES:
        raise ValidationError(f"“{name[:40]}”不是照片（内容不是 JPEG、PNG 或 WebP 图片），已拒绝。", code="type")
    if not _is_whole(path, kind.key):
        raise _damaged(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=["JPEG", "PNG", "WEBP"]) as opened:
                return _prepare(opened, max_side)
    except Image.DecompressionBombError as exc:
        raise _too_many_pixels() from exc
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, MemoryError, EOFError) as exc:
        raise _damaged(name) from exc


def _damaged(name: str) -> ValidationError:
    return ValidationError(f"照片“{name[:40]}”已损坏，无法打开。", code="damaged")


def _is_whole(path: Path, key: str) -> bool:
    """Does the picture reach its end? Pillow is told by WeasyPrint, for the whole process, to accept half of one."""
    data = path.read_bytes()
    if key == "png":
        return b"IEND" in data[-1024:]
    if key != "jpeg":
        return True
    # Segments up to the picture itself (a thumbnail inside of them has an end of its own), then the end mark.
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data.find(b"\xff\xd9", at) > 0


def _prepare(opened: Image.Image, max_side: int) -> tuple[bytes, PhotoFacts]:
    pixels = opened.width * opened.height
    scaled = opened.format in ("JPEG", "MPO")
    if pixels > (MAX_PIXELS if scaled else MAX_PIXELS_WHOLE):
        raise _too_many_pixels()
    exif = opened.getexif()
    taken, place = _taken_at(exif), _place(exif)
    profile = opened.info.get("icc_profile")
    if scaled:
        # Decodes at a half, a quarter or an eighth: less time, a fraction of the memory.
        opened.draft("RGB", (max_side, max_side))
    picture = _plain(ImageOps.exif_transpose(opened), profile)
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    # Saving would write a comment of the original (free text, or anything else) into the new file.
    picture.info.clear()
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    latitude, longitude = place
    return out.getvalue(), PhotoFacts(taken, latitude, longitude, picture_hash(picture), picture.width, picture.height)


def _too_many_pixels() -> ValidationError:
    return ValidationError("照片像素过多，无法处理，请缩小后再上传。", code="bomb")


def _plain(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """As RGB on white, in the colours that screens assume."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(layered, mask=layered.getchannel("A"))
        return white
    if profile and picture.mode == "RGB":
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"))
            return converted if converted is not None else picture
        except (ImageCms.PyCMSError, OSError):
            return picture
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _taken_at(exif: Image.Exif) -> datetime | None:
    details = exif.get_ifd(ExifTags.IFD.Exif)
    text = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        when = datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    return when.replace(tzinfo=_zone(details.get(ExifTags.Base.OffsetTimeOriginal)))


def _zone(text: Any) -> Any:
    try:
        hours, minutes = str(text).strip("\0 ").split(":")
        sign = -1 if hours.startswith("-") else 1
        return timezone(sign * timedelta(hours=abs(int(hours)), minutes=int(minutes)))
    except ValueError:
        return CHINA


def _place(exif: Image.Exif) -> tuple[Decimal | None, Decimal | None]:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), 90)
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), 180)
    return (latitude, longitude) if latitude is not None and longitude is not None else (None, None)


def _degrees(parts: Any, side: Any, limit: int) -> Decimal | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
        value = degrees + minutes / 60 + seconds / 3600
        if not 0 <= value <= limit:
            return None
        return Decimal(-value if str(side).strip("\0 ") in ("S", "W") else value).quantize(_SIX)
    except (TypeError, ValueError, ArithmeticError):
        return None


def picture_hash(picture: Image.Image) -> str:
    """A difference hash of 128 bits: is each spot brighter than its right and than its lower neighbour?"""
    grey = picture.convert("L")
    bits = ""
    for size, across in (((9, 8), True), ((8, 9), False)):
        small = grey.resize(size, Image.Resampling.BOX)
        pixel, wide = small.tobytes(), size[0]
        for y in range(8):
            for x in range(8):
                at = y * wide + x
                bits += "1" if pixel[at] > pixel[at + 1 if across else at + wide] else "0"
    return f"{int(bits, 2):032x}"


def picture_distance(one: str, other: str) -> int:
    """Bits (0–128) in which two picture hashes differ; up to about 10 is the same picture."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
