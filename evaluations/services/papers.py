"""Papers in 公文 form: said in plain data, printed by one template, issued once with number, hash and QR code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from accounts.models import User
from core.models import IssuedDocument
from core.pdf import canonical_hash, issue_document
from core.templatetags.portal import prose_date

TEMPLATE = "pdf/paper.html"
NUMERALS = "一二三四五六七八九十"


def numeral(number: int) -> str:
    """一, 十, 十一, 二十, 二十一 … up to 九十九."""
    tens, ones = divmod(number, 10)
    head = "" if not tens else ("十" if tens == 1 else NUMERALS[tens - 1] + "十")
    return head + (NUMERALS[ones - 1] if ones else "")


@dataclass(frozen=True)
class Grid:
    """A table. `widths`: a class of the style sheet for each column ("" takes what is left); `numbers`: columns that
    are aligned as figures."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[str] = ()
    numbers: Sequence[int] = ()
    note: str = ""

    @property
    def heads(self) -> list[tuple[str, str]]:
        widths = [*self.widths, *[""] * len(self.columns)]
        return list(zip(self.columns, widths, strict=False))

    @property
    def cells(self) -> list[list[tuple[str, bool]]]:
        return [[(str(value), number in self.numbers) for number, value in enumerate(row)] for row in self.rows]


@dataclass(frozen=True)
class Section:
    """One part: a heading (numbered by the paper), paragraphs, a table."""

    title: str = ""
    paragraphs: Sequence[str] = ()
    grid: Grid | None = None


@dataclass(frozen=True)
class Paper:
    """What a paper says. `title` names it for its readers, `public_title` for everybody who has its code."""

    kind: str
    serial: str
    title: str
    public_title: str
    addressee: str = ""
    opening: Sequence[str] = ()
    sections: Sequence[Section] = ()
    closing: Sequence[str] = ()
    signer: str = ""
    signed_on: date | None = None
    marks: str = ""
    public_summary: Sequence[tuple[str, str]] = ()
    basis: Sequence[str] = field(default=())
    # The heading where it says less than `title`, and beneath it whom or what the paper is about.
    heading: str = ""
    byline: str = ""

    @property
    def numbered(self) -> list[tuple[str, Section]]:
        """Sections with their numerals; one without a heading has none."""
        found, number = [], 0
        for section in self.sections:
            number += bool(section.title)
            head = f"{numeral(number)}、{section.title}" if section.title else ""
            found.append((head, section))
        return found

    @property
    def signed_words(self) -> str:
        return prose_date(self.signed_on) if self.signed_on else ""


def issue_paper(
    paper: Paper, *, actor: User | None, locality_code: str, subject: str, supersedes: IssuedDocument | None = None
) -> IssuedDocument:
    """The issued document of a paper: exactly one for the same content about the same `subject`, however often asked.

    A worker may die between storing the PDF and noting it; the next one finds it by its content.
    """
    frozen = {"subject": subject, **asdict(paper)}
    known = IssuedDocument.objects.filter(
        kind=paper.kind, content_hash=canonical_hash(frozen), file__isnull=False, revoked_at=None
    ).first()
    if known is not None:
        return known
    if supersedes is not None and supersedes.superseded_by_id is not None:
        supersedes = None
    return issue_document(
        kind=paper.kind, serial=paper.serial, title=paper.public_title[:200], template=TEMPLATE,
        context={"paper": paper}, frozen=frozen, actor=actor, locality_code=locality_code,
        public_summary=paper.public_summary, supersedes=supersedes, file_name=f"{paper.title}.pdf".replace("/", "-"),
    )  # fmt: skip


def clause_words(value: Any) -> str:
    """Where a rule value comes from, as it is cited in a paper."""
    clause = value.clause
    return str(clause) if clause.origin != "unset" else f"“{value.label}”未设定"
