"""Files of a project: registered once, each upload a further version; nothing is replaced."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from accounts.models import User
from core import audit
from core.files import DOCUMENTS, IMAGES, MB, SPREADSHEETS, store_file
from core.models import StoredFile
from core.permissions import require
from core.saving import save_checked
from projects.models import Project, ProjectFile, ProjectFileVersion
from projects.permissions_files import can_add_file, can_add_version

audit.register_actions(
    {
        "projectfile.create": "上传项目资料",
        "projectfile.version": "上传资料新版本",
        "projectfile.open": "查阅项目资料",
    }
)
# A scheme of 200 drawn pages; it goes to the disk in pieces and comes from there in pieces.
MAX_BYTES = 100 * MB
ALLOWED = DOCUMENTS | IMAGES | SPREADSHEETS
PUBLIC, INTERNAL, CONFIDENTIAL = "public", "internal", "nda"
LEVELS = ((INTERNAL, "内部"), (PUBLIC, "公开"), (CONFIDENTIAL, "须签保密协议"))
_KEPT_AS = {
    PUBLIC: StoredFile.Confidentiality.PUBLIC,
    INTERNAL: StoredFile.Confidentiality.INTERNAL,
    CONFIDENTIAL: StoredFile.Confidentiality.SENSITIVE,
}


def level_of(version: ProjectFileVersion) -> str:
    if version.document.needs_nda:
        return CONFIDENTIAL
    public = version.file.confidentiality == StoredFile.Confidentiality.PUBLIC
    return PUBLIC if public else INTERNAL


def allowed_for(kind: str) -> frozenset[str]:
    """A plan that findings are pinned to has to be a picture."""
    return IMAGES if kind == ProjectFile.Kind.MAP else frozenset(ALLOWED)


@transaction.atomic
def add_file(
    project: Project, *, actor: User, kind: str, title: str, upload: Any, level: str = INTERNAL, note: str = ""
) -> ProjectFile:
    """Register a document with its first version, at the stage that is open. Raises Refused and ValidationError."""
    project = Project.objects.select_for_update(of=("self",)).select_related("locality").get(pk=project.pk)
    require(can_add_file(actor, project))
    if level not in _KEPT_AS:
        raise ValidationError({"level": "请选择密级。"})
    row = ProjectFile(
        project=project, stage=project.stages.current().first(), kind=kind, title=title.strip(),
        needs_nda=level == CONFIDENTIAL,
    )  # fmt: skip
    save_checked(row)
    version = _store(row, 1, upload, actor=actor, level=level, note=note)
    detail = {"title": row.title, "level": dict(LEVELS)[level], "file": version.file.original_name}
    audit.record("projectfile.create", actor=actor, obj=row, locality=project.locality, detail=detail)
    return row


@transaction.atomic
def add_version(document: ProjectFile, *, actor: User, upload: Any, note: str) -> ProjectFileVersion:
    """The next version of a document, saying what changed; the level stays. Raises Refused and ValidationError."""
    row = ProjectFile.objects.select_for_update(of=("self",)).select_related("project__locality").get(pk=document.pk)
    require(can_add_version(actor, row))
    if not note.strip():
        raise ValidationError({"note": "请说明改了什么。"})
    last = row.versions.aggregate(last=Max("number"))["last"] or 0
    newest = row.versions.select_related("file", "document").first()
    level = level_of(newest) if newest is not None else INTERNAL
    version = _store(row, last + 1, upload, actor=actor, level=level, note=note)
    detail = {"title": row.title, "version": version.number, "note": note.strip(), "file": version.file.original_name}
    audit.record("projectfile.version", actor=actor, obj=row, locality=row.project.locality, detail=detail)
    return version


def _store(row: ProjectFile, number: int, upload: Any, *, actor: User, level: str, note: str) -> ProjectFileVersion:
    try:
        stored = store_file(
            upload, actor=actor, purpose="project_file", allowed=allowed_for(row.kind), max_bytes=MAX_BYTES,
            confidentiality=_KEPT_AS[level], locality_code=row.project.locality.code,
        )  # fmt: skip
    except ValidationError as error:
        raise ValidationError({"upload": error.messages}) from error
    version = ProjectFileVersion(document=row, number=number, file=stored, note=note.strip(), uploaded_by=actor)
    save_checked(version)
    return version


def record_opening(version: ProjectFileVersion, *, actor: User) -> None:
    """Who opened what demands a 保密协议 is kept; other files are read freely by those who may."""
    if version.document.needs_nda:
        detail = {"title": version.document.title, "version": version.number}
        audit.record(
            "projectfile.open", actor=actor, obj=version.document, locality=version.document.project.locality,
            detail=detail,
        )  # fmt: skip
