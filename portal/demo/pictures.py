"""Drawn street scenes in place of photos: nobody and no place is shown."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

SIZE = (1200, 900)
_SKIES = ("#cfe3f3", "#e7e3d6", "#d8e8df", "#f1dfd0")
_WALLS = ("#b98b6f", "#9aa7b0", "#c7b299", "#8c9c86")


def street_scene(number: int) -> bytes:
    """A JPEG of a drawn street, different for each number."""
    picture = Image.new("RGB", SIZE, _SKIES[number % len(_SKIES)])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 620, 1200, 900), fill="#8f8f8c")
    draw.polygon(((430, 900), (580, 620), (640, 620), (800, 900)), fill="#a7a6a2")
    for house in range(5):
        left = house * 250 - (number * 37) % 90
        top = 220 + (house * 97 + number * 53) % 180
        draw.rectangle((left, top, left + 215, 640), fill=_WALLS[(house + number) % len(_WALLS)])
        draw.polygon(((left - 12, top), (left + 107, top - 70), (left + 227, top)), fill="#5b5d61")
        for window in range(6):
            x, y = left + 22 + window % 3 * 64, top + 40 + window // 3 * 110
            draw.rectangle((x, y, x + 40, y + 62), fill="#f4efe2", outline="#55514a", width=3)
    for tree in range(4):
        x = 120 + tree * 300 + number * 11 % 60
        draw.rectangle((x - 8, 560, x + 8, 700), fill="#6a5138")
        draw.ellipse((x - 70, 430, x + 70, 590), fill="#6f9468")
    draw.rectangle((0, 858, 1200, 900), fill="#3c3c3c")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()
