"""What the tests of rectifications and disputes share: a project in the cast's unit, its parties, pictures."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from core.files import store_photo
from districts.policy.schema import load_supplement
from districts.services.policy_loading import add_supplement
from factories import Cast, make_project
from factories_review import make_party
from projects.models import Project, Rectification
from projects.services.rectifications import FoundPhoto, open_rectification

_HEAD = [
    "decision: {number: 测试1号, date: 2025-01-01, title: 补充规定, issuer: 分局, entered_by: 测试}",
    "effective_from: 2025-01-01", "articles: {一: 测试}", "values:",
]  # fmt: skip
TODAY = date(2026, 6, 10)
NOON = "2026-06-10 12:00:00+08:00"


def picture(name: str = "现场.jpg", colour: str = "steelblue") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), "image/jpeg")


def site(cast: Cast, **extra: Any) -> Project:
    """A project under construction in the cast's unit, with a contractor and a developer."""
    extra.setdefault("owner", cast.department.memberships.get().organisation)
    project = make_project(
        cast.locality, name="景山口袋公园提升", units=[cast.unit], stage="construction", number="XM-T1", **extra
    )
    make_party(project, "contractor", name="示例施工公司", contact="张三", phone="13800000001")
    make_party(project, "builder", name="示例建设公司", contact="李四", phone="13800000002")
    return project


def raise_one(cast: Cast, project: Project, *, photos: int = 1, **extra: Any) -> Rectification:
    """Raised by the cast's planner under the policy as published, with photos."""
    kept = [store_photo(picture(colour=c), actor=cast.planner)[0] for c in ("red", "green", "blue")[:photos]]
    extra.setdefault("text", "檐口做法与审定方案不符。")
    extra.setdefault("subject", "node")
    extra.setdefault("contractor", project.parties.get(role="contractor"))
    return open_rectification(
        project, actor=cast.planner, planner=cast.own_planner, photos=[FoundPhoto(file.pk) for file in kept], **extra
    )


def decide(cast: Cast, **values: str) -> None:
    """Fill unset keys of the cast's policy by a local decision: `review__waiver_by="[bureau]"` (YAML)."""
    lines = [
        f"  {key.replace('__', '.')}: {{value: {value}, article: 一, summary: 测试}}" for key, value in values.items()
    ]
    text = "\n".join(["schema: 1", f"supplements: {cast.contract.policy_version.pack.slug}", *_HEAD, *lines])
    add_supplement(cast.contract.policy_version, actor=cast.bureau, supplement=load_supplement(text))
