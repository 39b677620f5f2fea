"""Bringing policies in: the shipped packs, supplements and amendments entered later, the trial overlay on and off."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from core import audit
from core.permissions import require
from districts.models import Locality, PolicyPack, PolicyScope, PolicyVersion
from districts.permissions import can_adopt_policy, can_set_policy
from districts.policy.catalogue import CATALOGUE
from districts.policy.consistency import check_together
from districts.policy.keys import DOCUMENT
from districts.policy.problems import Problem, Report
from districts.policy.schema import (
    PackDocument,
    SupplementDocument,
    VersionDocument,
    load_pack,
    load_supplement,
    parse_version,
    plain_supplement,
    plain_version,
)

POLICY_DIR = Path(__file__).resolve().parents[1] / "policies"
DEMO_DIR = POLICY_DIR / "demo"
Kind = PolicyVersion.Kind

audit.register_actions(
    {
        "policy.load": "载入制度方案",
        "policy.correct": "更正制度方案转录",
        "policy.supplement": "录入地方补充规定",
        "policy.amend": "录入制度修订版本",
        "policy.adopt": "采用论文转述的制度",
        "policy.overlay_on": "启用示例补充规定",
        "policy.overlay_off": "撤回示例补充规定",
    }
)


@dataclass
class Loaded:
    """What a load did, by slug."""

    created: list[str] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def document_hash(document: dict[str, Any]) -> str:
    """SHA-256 of the document in one canonical form."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def shipped_packs(directory: Path = POLICY_DIR, *, only: Collection[str] | None = None) -> list[PackDocument]:
    """Every pack file of the directory (or those named in `only`), checked. Raises PolicyError."""
    paths = [path for path in sorted(directory.glob("*.yaml")) if only is None or path.stem in only]
    return [_shipped_pack(path, path.stat().st_mtime_ns) for path in paths]


@lru_cache(maxsize=64)
def _shipped_pack(path: Path, stamp: int) -> PackDocument:
    """A file read once as long as it does not change; documents are immutable."""
    return load_pack(path)


def shipped_overlays(directory: Path = DEMO_DIR) -> list[SupplementDocument]:
    return [load_supplement(path) for path in sorted(directory.glob("*.yaml"))]


@transaction.atomic
def load_policy_files(directory: Path = POLICY_DIR, *, only: Collection[str] | None = None) -> Loaded:
    """Load the shipped packs, or those named in `only`; running it again changes nothing.

    A corrected file replaces the version that it loaded before, unless something has been signed or opened under that
    version (what was signed stays signed): then the version is kept and named in `kept`.
    Side effects: rows, scopes for the localities that exist, one audit entry per change. Raises PolicyError.
    """
    done = Loaded()
    for document in shipped_packs(directory, only=only):
        pack, _ = PolicyPack.objects.get_or_create(
            slug=document.slug, defaults={"title": document.title, "second_hand": document.second_hand}
        )
        for number, version in enumerate(document.versions, start=1):
            _load_version(pack, number, version, document.localities, done)
    attach_packs(Locality.objects.all())
    return done


def _load_version(
    pack: PolicyPack, number: int, version: VersionDocument, localities: tuple[str, ...], done: Loaded
) -> None:
    fields = _version_fields(version, localities)
    row = pack.versions.filter(number=number).first()
    if row is None:
        row = PolicyVersion.objects.create(pack=pack, number=number, kind=_kind(number), **fields)
        audit.record("policy.load", actor=None, obj=row, detail={"pack": pack.slug, "hash": row.source_hash})
        done.created.append(pack.slug)
    elif row.source_hash == fields["source_hash"]:
        done.unchanged.append(pack.slug)
    elif row.entered_by_id is not None or _is_referred_to(row):
        done.kept.append(pack.slug)
    else:
        PolicyVersion.objects.filter(pk=row.pk).update(**fields)
        audit.record(
            "policy.correct", actor=None, obj=row, detail={"before": row.source_hash, "after": fields["source_hash"]}
        )
        done.corrected.append(pack.slug)


def _kind(number: int) -> str:
    return Kind.ORIGINAL if number == 1 else Kind.AMENDMENT


def _version_fields(version: VersionDocument, localities: tuple[str, ...]) -> dict[str, Any]:
    document = plain_version(version, localities=localities)
    return {
        "title": version.document.title,
        "document_number": version.document.number,
        "document_date": _full_date(version.document.issued),
        "valid_from": version.valid_from,
        "valid_to": version.valid_to,
        "document": document,
        "source_hash": document_hash(document),
    }


def _full_date(issued: str) -> dt.date | None:
    """A document may say only its year or month; then there is no date to keep."""
    return dt.date.fromisoformat(issued) if len(issued) == 10 else None


def _is_referred_to(version: PolicyVersion) -> bool:
    """Whether any row of any app points to the version: a contract, a cycle, a supplement."""
    return any(
        relation.related_model._base_manager.filter(**{relation.field.name: version}).exists()
        for relation in PolicyVersion._meta.related_objects
    )


def attach_packs(localities: Iterable[Locality]) -> None:
    """Let the packs serve those localities that they name; to be called when a locality has been started."""
    by_code = {locality.code: locality for locality in localities}
    originals = PolicyVersion.objects.filter(kind=Kind.ORIGINAL).values_list("pack_id", "document__localities")
    for pack_id, codes in originals:
        for code in set(codes or ()) & by_code.keys():
            PolicyScope.objects.get_or_create(pack_id=pack_id, locality=by_code[code])


def _next_number(pack: PolicyPack) -> int:
    # The pack's row is the lock: two people entering at once get two numbers.
    PolicyPack.objects.select_for_update().get(pk=pack.pk)
    return (pack.versions.aggregate(last=Max("number"))["last"] or 0) + 1


@transaction.atomic
def add_supplement(version: PolicyVersion, *, actor: Any, supplement: SupplementDocument) -> PolicyVersion:
    """Enter a local decision (地方补充规定) that fills unset values of `version` from its date.

    It reaches contracts under that version. Side effects: one version row, one audit entry.
    Raises: Refused, ValidationError (another pack; a key that document or an earlier decision has set).
    """
    require(can_set_policy(actor, version.pack, supplement.localities))
    if version.kind == Kind.SUPPLEMENT or supplement.pack != version.pack.slug:
        raise ValidationError("补充规定须针对本方案的正式版本。")
    number = _next_number(version.pack)
    check_supplement(version, supplement)
    row = _supplement_row(version, number, supplement)
    row.entered_by = actor
    # Whatever supplements a trial version is of the trial too, and goes when that is withdrawn.
    row.is_demo = row.is_demo or version.is_demo
    row.save()
    audit.record("policy.supplement", actor=actor, obj=row, detail={"keys": sorted(supplement.values)})
    return row


def check_supplement(version: PolicyVersion, supplement: SupplementDocument) -> None:
    """Raises ValidationError for values that document or an earlier decision has set, or that do not fit together."""
    document = parse_version(version.document)
    taken = set(document.values) & set(supplement.values)
    if taken:
        raise ValidationError(f"原文已有规定，补充规定不能改变：{_labels(taken)}。如需改变，请录入修订版本。")
    reserved = {key for key in supplement.values if CATALOGUE[key].setter == DOCUMENT}
    if reserved:
        raise ValidationError(f"仅由制度文件规定，补充规定不能设定：{_labels(reserved)}。")
    report = Report()
    together = {**document.values, **supplement.values}
    check_together({key: value.value for key, value in together.items()}, "values", report)
    if report.problems:
        raise ValidationError([words_of(problem) for problem in report.problems])
    for other in version.supplements_by.filter(is_withdrawn=False, is_demo=False):
        # Two decisions that never apply on the same day, or to the same locality, may speak of the same key.
        apart = (other.valid_to is not None and other.valid_to < supplement.effective_from) or (
            supplement.effective_to is not None
            and other.valid_from is not None
            and supplement.effective_to < other.valid_from
        )
        places = set(other.document.get("localities") or ())
        elsewhere = bool(places and supplement.localities) and not places & set(supplement.localities)
        both = set(other.document["values"]) & set(supplement.values)
        if both and not apart and not elsewhere:
            raise ValidationError(f"“{other.title}”已补充：{_labels(both)}。")


def words_of(problem: Problem) -> str:
    """One fault for a person at a form: which value, what is wrong, what is allowed."""
    key = CATALOGUE.get(problem.path.removeprefix("version.").removeprefix("values.").removesuffix(".value"))
    label = f"{key.label}：" if key is not None else ""
    allowed = f"；允许：{problem.allowed}" if problem.allowed else ""
    return f"{label}{problem.wrong}{allowed}"


def _labels(keys: set[str]) -> str:
    return "、".join(key.label for name, key in CATALOGUE.items() if name in keys)


def _supplement_row(version: PolicyVersion, number: int, supplement: SupplementDocument) -> PolicyVersion:
    document = plain_supplement(supplement)
    return PolicyVersion(
        pack=version.pack,
        number=number,
        kind=Kind.SUPPLEMENT,
        supplements=version,
        title=supplement.title,
        document_number=supplement.number,
        document_date=supplement.date,
        valid_from=supplement.effective_from,
        valid_to=supplement.effective_to,
        document=document,
        source_hash=document_hash(document),
        is_demo=supplement.demo,
    )


@transaction.atomic
def amend_policy(
    pack: PolicyPack, *, actor: Any, version: VersionDocument, title: str = "", number: str = "",
    date: dt.date | None = None, demo: bool = False,
) -> PolicyVersion:  # fmt: skip
    """Enter an amendment: a new version from its `valid_from`, which ends the one before it on the day before.

    Contracts signed earlier keep their version. `title`, `number`, `date`: of the amending document, where that is not
    the document of the clauses. `demo`: a trial version, which ends no version as published.
    Side effects: one row, the earlier end date, one audit entry.
    Raises: Refused, ValidationError (no start date; not after the version before).
    """
    require(can_set_policy(actor, pack))
    serial = _next_number(pack)
    start, earlier = check_amendment(pack, version, demo=demo)
    for row in earlier:
        if row.is_demo == demo and (row.valid_to is None or row.valid_to >= start):
            row.valid_to = start - dt.timedelta(days=1)
            row.save(update_fields=["valid_to"])
    localities = tuple(pack.scopes.values_list("locality__code", flat=True))
    fields = _version_fields(version, localities)
    fields |= {name: value for name, value in (("title", title), ("document_number", number)) if value}
    fields |= {"document_date": date} if date else {}
    row = PolicyVersion.objects.create(
        pack=pack, number=serial, kind=Kind.AMENDMENT, entered_by=actor, is_demo=demo, **fields
    )
    audit.record("policy.amend", actor=actor, obj=row, detail={"from": start.isoformat()})
    return row


def check_amendment(
    pack: PolicyPack, version: VersionDocument, *, demo: bool = False
) -> tuple[dt.date, list[PolicyVersion]]:
    """Its first day and the versions before it.

    Raises ValidationError when it has no first day, or one that is not after all of theirs.
    """
    start = version.valid_from
    if start is None:
        raise ValidationError({"valid_from": "修订版本须写明施行日期。"})
    rows = pack.versions.exclude(kind=Kind.SUPPLEMENT).filter(is_withdrawn=False)
    earlier = list(rows if demo else rows.filter(is_demo=False))
    latest = max((row.valid_from for row in earlier if row.valid_from is not None), default=None)
    if latest is not None and latest >= start:
        raise ValidationError({"valid_from": f"施行日期须晚于现有各版本的施行日期（{latest}）。"})
    return start, earlier


@transaction.atomic
def found_pack(locality: Locality, *, actor: Any, slug: str, title: str, version: VersionDocument) -> PolicyVersion:
    """A pack of the locality's own with its first version: what it has adopted of a paper's account.

    Side effects: pack, scope and version rows, one audit entry. Raises: Refused.
    """
    require(can_adopt_policy(actor, locality))
    pack = PolicyPack.objects.create(slug=slug, title=title)
    PolicyScope.objects.create(pack=pack, locality=locality)
    row = PolicyVersion.objects.create(
        pack=pack, number=1, kind=Kind.ORIGINAL, entered_by=actor, **_version_fields(version, (locality.code,))
    )
    audit.record("policy.adopt", actor=actor, obj=row, detail={"keys": sorted(version.values)})
    return row


@transaction.atomic
def apply_demo_overlay(*, actor: Any = None, directory: Path = DEMO_DIR) -> list[PolicyVersion]:
    """Lay the trial overlay over the packs that are loaded; running it again changes nothing.

    A version that has lapsed goes on in a trial version where the overlay says so. Every row is marked `is_demo`.
    """
    laid = []
    for overlay in shipped_overlays(directory):
        pack = PolicyPack.objects.filter(slug=overlay.pack).first()
        original = pack.versions.filter(kind=Kind.ORIGINAL).first() if pack is not None else None
        if pack is None or original is None:
            continue
        bases = [original]
        if overlay.renewal is not None:
            bases.append(_renewed(pack, original, overlay))
        laid += [_lay(base, overlay) for base in bases]
        audit.record("policy.overlay_on", actor=actor, obj=pack, detail={"number": overlay.number})
    return laid


def _lay(base: PolicyVersion, overlay: SupplementDocument) -> PolicyVersion:
    number = _next_number(base.pack)
    made = _supplement_row(base, number, overlay)
    row = base.supplements_by.filter(is_demo=True, entered_by=None).order_by("number").first()
    if row is None:
        made.save()
        return made
    row.document, row.source_hash, row.is_withdrawn = made.document, made.source_hash, False
    row.valid_from, row.valid_to = made.valid_from, made.valid_to
    row.save()
    return row


def _renewed(pack: PolicyPack, original: PolicyVersion, overlay: SupplementDocument) -> PolicyVersion:
    """The trial version in which a lapsed one goes on: the same values, but for its dates."""
    row = pack.versions.filter(kind=Kind.AMENDMENT, is_demo=True, entered_by=None).first()
    if row is None:
        renewal = overlay.renewal or {}
        lapsed = parse_version(original.document)
        values = {key: value for key, value in lapsed.values.items() if not key.startswith("validity.valid_")}
        version = replace(
            lapsed,
            label=renewal["label"],
            valid_from=renewal["valid_from"],
            valid_to=renewal.get("valid_to"),
            values=values,
        )
        fields = _version_fields(version, tuple(original.document.get("localities", ())))
        fields["title"] = f"{lapsed.document.title}（{renewal['label']}）"
        number = _next_number(pack)
        return PolicyVersion.objects.create(pack=pack, number=number, kind=Kind.AMENDMENT, is_demo=True, **fields)
    if row.is_withdrawn:
        row.is_withdrawn = False
        row.save(update_fields=["is_withdrawn"])
    return row


@transaction.atomic
def remove_demo_overlay(*, actor: Any = None) -> int:
    """Withdraw every trial row: from now on the packs count as published. Returns how many were withdrawn.

    Rows stay, since trial contracts may refer to them.
    """
    rows = PolicyVersion.objects.filter(is_demo=True, is_withdrawn=False)
    packs = list(PolicyPack.objects.filter(versions__in=rows).distinct())
    count = rows.update(is_withdrawn=True)
    for pack in packs:
        audit.record("policy.overlay_off", actor=actor, obj=pack, detail={})
    return count
