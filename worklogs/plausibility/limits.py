"""The limits of detection: how near, how soon, how far. Settings of the portal, shown beside what they find.

They are no policy and differ by no locality: nothing is refused, counted or deducted by them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .shapes import BANDS


@dataclass(frozen=True, slots=True)
class Limits:
    """`sitting_minutes`, `sitting_days`: records of at least so many days typed within so many minutes.
    `place_km`: further than this from where the other photos of the place were taken; known from `place_photos` on.
    `photo_days`: how many days a photo's date may be off. `photo_bits`: fingerprints that differ in at most so many of
    128 bits are the same picture (7 at most: the index finds no more). Raises ValueError for a limit beyond reason.
    """

    sitting_minutes: int = 30
    sitting_days: int = 6
    place_km: float = 10
    place_photos: int = 3
    photo_days: int = 0
    photo_bits: int = 7

    def __post_init__(self) -> None:
        if not 0 <= self.photo_bits < BANDS:
            raise ValueError(f"photo_bits must be 0 to {BANDS - 1}")
        if min(self.sitting_minutes, self.sitting_days, self.place_km, self.place_photos) <= 0 or self.photo_days < 0:
            raise ValueError("limits of detection must be positive")


# Name of the setting → what it means to somebody who reads it beside a remark.
EXPLANATIONS = {
    "sitting_minutes": "多长时间（分钟）内填写的记录视为一次填完",
    "sitting_days": "一次填完的记录涉及多少天起提示",
    "place_km": "照片拍摄位置与该处其他照片相距多少公里起提示",
    "place_photos": "该处至少有多少张带位置的照片才比较",
    "photo_days": "照片拍摄日期与记录日期允许相差的天数",
    "photo_bits": "两张照片的图像指纹相差不超过多少位视为同一张（共 128 位）",
}
