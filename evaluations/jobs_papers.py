"""Letters of a round, and the package for the city: each paper issued once however often the worker is stopped."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.urls import reverse
from django.utils import timezone

from core.files import store_generated
from core.jobs import JobFailed, JobRun, job
from core.models import IssuedDocument
from core.spreadsheets import ExportColumn, write_workbook
from evaluations.models import Cycle, FilingPackage, Round, Subject
from evaluations.services.documents import file_name, issue_report
from evaluations.services.filing import FILING_KIND, results_key
from evaluations.services.index import final_reports
from evaluations.services.letters import (
    LETTERS_KIND,
    _basis,
    issue_letter,
    issue_result_paper,
    letters_owed,
    period_words,
    signer_of,
)
from evaluations.services.objections import results_of
from evaluations.services.paper_requests import ISSUERS, PAPER_KIND
from evaluations.services.papers import Grid, Paper, Section, issue_paper
from evaluations.services.rules import rules_of
from evaluations.services.yearly import issue_summary, result_rows

CHANGED = "制作期间结果有更正，请重新制作。"
COLUMNS = (
    ExportColumn("序号"), ExportColumn("类别"), ExportColumn("受评对象"), ExportColumn("合同"), ExportColumn("服务天数"),
    ExportColumn("得分"), ExportColumn("等级"), ExportColumn("说明"), ExportColumn("版次"),
)  # fmt: skip
INDEX = (
    ExportColumn("序号"), ExportColumn("文件"), ExportColumn("平台编号"), ExportColumn("核验码"), ExportColumn("字节数"),
    ExportColumn("SHA-256"),
)  # fmt: skip


@job(LETTERS_KIND, label="生成评估结果告知书", lease_seconds=120, max_attempts=20)
def make_letters(run: JobRun) -> Mapping[str, Any]:
    """Every letter of a round, or one."""
    round_ = Round.objects.filter(pk=run.arguments["round"]).first()
    if round_ is None or round_.state not in ("notice", "published", "filed"):
        raise JobFailed("评估已不在告知结果的阶段，没有生成告知书。")
    one = run.arguments.get("result")
    owed = [one] if one else letters_owed(round_)
    for done, pk in enumerate(owed):
        run.progress(done, len(owed), f"正在生成第 {done + 1} 份")
        run.step(f"letter-{pk}", _same, prepare=partial(_letter, pk, run))
    run.progress(len(owed), len(owed), "已完成")
    links = [{"label": "下载告知书", "url": reverse("evaluations:result-letter", args=[one])}] if one else []
    return {"text": f"共 {len(owed)} 份告知书。", "links": links}


def _same(made: Any) -> Any:
    return made


def _letter(pk: int, run: JobRun) -> int:
    return issue_letter(pk, actor=run.actor).pk


# --- the package --------------------------------------------------------------------------------------------------

Row = tuple[str, int]  # name in the archive, id of the issued document


@job(FILING_KIND, label="制作备案材料", lease_seconds=180, max_attempts=20)
def make_filing(run: JobRun) -> Mapping[str, Any]:
    """Papers first, then the letter that counts them, then table, index and ZIP."""
    package = FilingPackage.objects.select_related("round__locality").filter(pk=run.arguments["package"]).first()
    if package is None or package.state != FilingPackage.State.DRAFT or package.job_id != run.job.pk:
        raise JobFailed("这份备案材料已另行办理，没有重新制作。")
    round_ = package.round
    works = _works(round_, run)
    rows: list[Row] = []
    for done, (key, name, make) in enumerate(works):
        run.progress(done, len(works) + 2, f"正在生成 {name}")
        rows.append((name, run.step(key, _same, prepare=make)))
    run.progress(len(works), len(works) + 2, "正在生成报送函")
    letter = run.step("letter", _same, prepare=lambda: _cover(package, rows, run).pk)
    run.progress(len(works) + 1, len(works) + 2, "正在打包")
    run.step(
        "archive", lambda made: _keep(package, letter, made, run),
        prepare=lambda: _archive(package, [("01 报送函.pdf", letter), *rows], run),
    )  # fmt: skip
    run.progress(len(works) + 2, len(works) + 2, "已完成")
    return {
        "text": f"备案材料已制作，共 {len(rows) + 3} 个文件。",
        "links": [{"label": "查看备案材料", "url": reverse("evaluations:filing", args=[package.pk])}],
    }


def _works(round_: Round, run: JobRun) -> list[tuple[str, str, Callable[[], int]]]:
    """(key of the step, name in the archive, what makes it) of every paper but letter, table and index."""
    actor = run.actor
    works: list[tuple[str, str, Callable[[], int]]] = [
        ("summary", "03 年度总结.pdf", lambda: issue_summary(round_.pk, actor=actor).pk)
    ]
    folders = {Subject.Direction.PLANNER: "04 评估表", Subject.Direction.DEPARTMENT: "05 单位评价汇总"}
    counted: dict[str, int] = {}
    for result in results_of(round_):
        folder = folders[Subject.Direction(result.subject.direction)]
        counted[folder] = counted.get(folder, 0) + 1
        name = f"{folder}/{counted[folder]:03d} {_safe(result.subject.label)}.pdf"
        works.append((f"result-{result.pk}", name, partial(_result_paper, result.pk, run)))
    number = 0
    cycles = Cycle.objects.filter(locality_id=round_.locality_id, start__lte=round_.end, end__gte=round_.start)
    for cycle in cycles.order_by("start", "pk"):
        for report in final_reports(cycle):
            number += 1
            name = f"06 述职文书/{number:03d} {_safe(file_name(report).removesuffix('.pdf').removesuffix('草稿'))}.pdf"
            works.append((f"report-{report.pk}", name, partial(_report, report.pk, run)))
    return works


def _safe(name: str) -> str:
    """A name that is one file on every system."""
    return "".join("-" if char in '/\\:*?"<>|' or ord(char) < 32 else char for char in name)[:80].strip(" .")


def _result_paper(pk: int, run: JobRun) -> int:
    return issue_result_paper(pk, actor=run.actor).pk


def _report(pk: int, run: JobRun) -> int:
    return issue_report(pk, actor=run.actor).pk


def _cover(package: FilingPackage, rows: Sequence[Row], run: JobRun) -> IssuedDocument:
    """报送函: what is sent to whom, on what ground, with the digest of what comes with it."""
    round_ = package.round
    rules = rules_of(round_)
    rule = rules.get("evaluation.filing")
    documents = IssuedDocument.objects.in_bulk([pk for _, pk in rows])
    digest = hashlib.sha256(
        json.dumps([[name, documents[pk].file_sha256] for name, pk in rows], ensure_ascii=False).encode()
    ).hexdigest()
    counts: dict[str, int] = {"评估结果表": 1}
    for name, _ in rows:
        group = name.partition("/")[0].partition(" ")[2].removesuffix(".pdf")
        counts[group] = counts.get(group, 0) + 1
    what = rule.value.get("what") or "评估结果"
    again = [f"本件为第 {package.version} 版，按退回意见补正后重新报送。"] if package.version > 1 else []
    paper = Paper(
        kind="filing_letter", serial="BS", title=f"关于报送{round_.locality.name}{round_.title}结果备案的函",
        public_title=f"关于报送{round_.locality.name}{round_.title}结果备案的函", addressee=package.recipient,
        opening=[
            f"{round_.title}（{period_words(round_)}）已完成，结果经审议和异议期后生效。现将{what}及有关材料报上，请予备案。",
            *again,
        ],
        sections=[
            Section("报送材料", grid=Grid(
                ("材料", "份数"), [(name, str(n)) for name, n in counts.items()], ("", "w-value"), (1,),
                note=f"附件摘要（SHA-256）：{digest}；逐件摘要见随附目录。",
            )),
        ],
        signer=signer_of(round_), signed_on=timezone.localtime(run.job.created).date(),
        basis=_basis(rules, "evaluation.filing"),
        public_summary=[("文书", "备案报送函"), ("地方", round_.locality.name), ("评估", round_.title)],
    )  # fmt: skip
    return issue_paper(
        paper, actor=run.actor, locality_code=round_.locality.code, subject=f"filing-{package.pk}-{run.job.pk}"
    )


def _archive(package: FilingPackage, rows: Sequence[Row], run: JobRun) -> dict[str, Any]:
    """The ZIP as a private file, and its index."""
    round_ = package.round
    documents = IssuedDocument.objects.select_related("file").in_bulk([pk for _, pk in rows])
    index: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path, table, listing = (Path(folder) / name for name in ("package.zip", "table.xlsx", "index.xlsx"))
        with table.open("wb") as stream:
            write_workbook(COLUMNS, result_rows(round_), title="评估结果表", stream=stream)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, pk in rows:
                document = documents[pk]
                if document.file is None:
                    raise JobFailed(f"{name}没有生成，请重新制作。")
                archive.write(document.file.path, name)
                index.append(_entry(name, document.file.path, document))
            archive.write(table, "02 评估结果表.xlsx")
            index.insert(1, _entry("02 评估结果表.xlsx", table))
            with listing.open("wb") as stream:
                write_workbook(INDEX, _listed(index), title="目录", stream=stream)
            archive.write(listing, "00 目录.xlsx")
        stored = store_generated(
            path, name=f"{round_.title}备案材料第{package.version}版.zip", mime="application/zip", actor=run.actor,
            purpose="filing", locality_code=round_.locality.code,
        )  # fmt: skip
    return {"archive": stored.pk, "index": index}


def _entry(name: str, path: Path, document: IssuedDocument | None = None) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
        "number": document.number if document else "", "code": document.code if document else "",
    }  # fmt: skip


def _listed(index: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [
        [number, row["name"], row["number"], row["code"], row["size"], row["sha256"]]
        for number, row in enumerate(index, 1)
    ]


def _keep(package: FilingPackage, letter: int, made: Mapping[str, Any], run: JobRun) -> int:
    """Note it on the package, unless that has been asked for anew or a result has been corrected meanwhile."""
    row = FilingPackage.objects.select_for_update(of=("self",)).select_related("round").get(pk=package.pk)
    if row.job_id != run.job.pk or row.state != FilingPackage.State.DRAFT:
        raise JobFailed("这份备案材料已另行办理，没有重新制作。")
    if results_key(row.round) != run.arguments["results"]:
        raise JobFailed(CHANGED)
    row.archive_id, row.letter_id, row.index = made["archive"], letter, made["index"]
    row.save(update_fields=["archive", "letter", "index"])
    return int(made["archive"])


# --- one paper on request -----------------------------------------------------------------------------------------


@job(PAPER_KIND, label="生成文书 PDF", lease_seconds=120)
def make_paper(run: JobRun) -> Mapping[str, Any]:
    """One paper that is issued when first asked for; who may ask is the asking page's matter."""
    what, pk = str(run.arguments["what"]), int(run.arguments["pk"])
    run.progress(0, 1, "正在排版")
    try:
        document = ISSUERS[what](pk, actor=run.actor)
    except (ValueError, ObjectDoesNotExist) as error:
        raise JobFailed("现在还不能生成这份文书。") from error
    run.progress(1, 1, "已生成")
    return {"text": f"{document.title}已生成，编号 {document.number}。", "file": document.file_id}
