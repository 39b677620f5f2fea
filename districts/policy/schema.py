"""Policy documents: a pack (制度方案) with its dated versions, and a supplement (地方补充规定).

`load_pack` and `load_supplement` read a YAML file or text and either return a whole, checked document or raise one
PolicyError with everything that is wrong. The same checks serve values that were typed into the portal
(`parse_values`). `README` of the file format: districts/policies/README.md.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from districts.policy.catalogue import CATALOGUE
from districts.policy.consistency import check_together
from districts.policy.documents import (
    Decision,
    DocumentMeta,
    PackDocument,
    SetValue,
    SupplementDocument,
    VersionDocument,
)
from districts.policy.kinds import Day, Field, Flag, Items, Kind, Struct, Text
from districts.policy.problems import PolicyError, Problem, Report
from districts.policy.reading import read_source, read_yaml

__all__ = [
    "CATALOGUE",
    "Decision",
    "DocumentMeta",
    "PackDocument",
    "PolicyError",
    "Problem",
    "SetValue",
    "SupplementDocument",
    "VersionDocument",
    "load_pack",
    "load_supplement",
    "parse_supplement",
    "parse_values",
    "parse_version",
    "plain_supplement",
    "plain_values",
    "plain_version",
]

SCHEMA = 1
T = TypeVar("T")


class _Slug(Kind):
    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        if isinstance(raw, str) and len(raw) <= 50 and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", raw):
            return raw
        self.refuse(raw, path, report)
        return None

    def allowed(self) -> str:
        return "小写字母、数字和连字符，不超过 50 个字符"


class _Division(Kind):
    """A six-digit administrative code; city level ends in 00, province level in 0000."""

    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        # Written without quotes a code is a YAML integer; it never starts with 0.
        text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
        if isinstance(text, str) and len(text) == 6 and text.isascii() and text.isdigit() and "11" <= text[:2] <= "82":
            return text
        self.refuse(raw, path, report)
        return None

    def allowed(self) -> str:
        return "六位行政区划代码，如 110112；地级市补零，如 371500"


class _Issued(Kind):
    """When a document was issued, as exactly as it says itself: a day, a month or a year."""

    def parse(self, raw: Any, path: str, report: Report) -> str | None:
        text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
        if isinstance(text, str):
            parts = text.split("-")
            shape = [len(part) for part in parts]
            if shape in ([4], [4, 2], [4, 2, 2]) and all(part.isdigit() for part in parts):
                try:
                    dt.date.fromisoformat("-".join([*parts, "01", "01"][:3]))
                    return text
                except ValueError:
                    pass
        self.refuse(raw, path, report)
        return None

    def allowed(self) -> str:
        return "2021、2021-04 或 2021-04-14"


_DAY = Day()
_META = Struct(
    {
        "title": Field("文件名称", Text(120)),
        "number": Field("发文字号", Text(40), required=False),
        "issuer": Field("发文机关", Text(80)),
        "issued": Field("成文日期", _Issued(), required=False),
        "source": Field("来源说明", Text(200), required=False),
        "note": Field("备注", Text(300), required=False),
    }
)
_DECISION = Struct(
    {
        "number": Field("文号", Text(40)),
        "date": Field("日期", _DAY),
        "entered_by": Field("录入人", Text(40)),
        "title": Field("名称", Text(120)),
        "issuer": Field("决定机关", Text(80)),
    }
)
# A decision that a version carries along: what a supplement had filled, or what an amending decision changed.
_CARRIED = Struct({**_DECISION.fields, "demo": Field("示例", Flag(), required=False)})
_LOCALITIES = Items(_Division())
_FLAG = Flag()
_TITLE = Text(120)
_LABEL = Text(40)


_RENEWAL = Struct(
    {
        "label": Field("名称", _LABEL),
        "valid_from": Field("开始", _DAY),
        "valid_to": Field("截止", _DAY, required=False),
    }
)


def load_pack(source: Path | str | bytes, *, name: str = "") -> PackDocument:
    """Read a policy pack from a file (`Path`) or from YAML text. Raises PolicyError with all that is wrong."""
    return _load(source, name, _pack)


def load_supplement(source: Path | str | bytes, *, name: str = "") -> SupplementDocument:
    """Read a supplement (地方补充规定) from a file (`Path`) or from YAML text. Raises PolicyError likewise."""
    return _load(source, name, _supplement)


def is_supplement(source: Path | str | bytes, *, name: str = "") -> bool:
    """Whether the file says that it supplements a pack. Raises PolicyError when it cannot be read at all."""
    text, name = read_source(source, name=name)
    data, _, _ = read_yaml(text, name=name)
    return isinstance(data, dict) and "supplements" in data


def _load(source: Path | str | bytes, name: str, build: Callable[[dict[str, Any], Report, str], T | None]) -> T:
    text, name = read_source(source, name=name)
    data, lines, report = read_yaml(text, name=name)
    built: T | None = None
    if isinstance(data, dict):
        built = build(data, report, name)
    else:
        report.add("", "文件内容不是“键: 值”的对象", "slug、title、localities、versions 等")
    if report.problems or built is None:
        raise PolicyError(report.located(name, lines))
    return built


def _refuse_unknown(data: Mapping[str, Any], known: tuple[str, ...], path: str, report: Report) -> None:
    for key in data:
        if key not in known:
            report.add(f"{path}.{key}" if path else key, f"未知键“{key[:40]}”", "、".join(known))


def _take(data: Mapping[str, Any], key: str, kind: Kind, path: str, report: Report, *, required: bool = True) -> Any:
    where = f"{path}.{key}" if path else key
    if data.get(key) is None:
        if required:
            report.add(where, f"缺少“{key}”", kind.allowed())
        return None
    return kind.parse(data[key], where, report)


def _pack(data: dict[str, Any], report: Report, name: str) -> PackDocument | None:
    known = ("schema", "slug", "title", "localities", "second_hand", "versions")
    _refuse_unknown(data, known, "", report)
    _check_schema(data, report)
    slug = _take(data, "slug", _Slug(), "", report)
    title = _take(data, "title", _TITLE, "", report)
    localities = _take(data, "localities", _LOCALITIES, "", report)
    second_hand = _take(data, "second_hand", _FLAG, "", report, required=False)
    raw_versions = data.get("versions")
    if not isinstance(raw_versions, list) or not 1 <= len(raw_versions) <= 50:
        report.add("versions", "缺少版本", "1 到 50 个版本的列表")
        return None
    versions = [_version(raw, f"versions[{index}]", report) for index, raw in enumerate(raw_versions)]
    if report.problems:
        _check_overlaps([version for version in versions if version is not None], report)
        return None
    complete = [version for version in versions if version is not None]
    _check_overlaps(complete, report)
    complete.sort(key=lambda version: version.valid_from or dt.date.min)
    return PackDocument(slug, title, localities, tuple(complete), bool(second_hand), name)


def _check_schema(data: Mapping[str, Any], report: Report) -> None:
    if data.get("schema") != SCHEMA:
        report.add("schema", f"格式版本“{data.get('schema')}”不认识", f"schema: {SCHEMA}")


def _version(raw: Any, path: str, report: Report) -> VersionDocument | None:
    if not isinstance(raw, dict):
        report.add(path, "版本应为对象", "label、document、articles、values")
        return None
    known = ("label", "valid_from", "valid_to", "document", "articles", "decisions", "values")
    _refuse_unknown(raw, known, path, report)
    label = _take(raw, "label", _LABEL, path, report)
    meta = _take(raw, "document", _META, path, report)
    valid_from = _take(raw, "valid_from", _DAY, path, report, required=False)
    valid_to = _take(raw, "valid_to", _DAY, path, report, required=False)
    if valid_from and valid_to and valid_from > valid_to:
        report.add(f"{path}.valid_to", "有效期截止早于开始", f"不早于 {valid_from}")
    articles = _articles(raw.get("articles"), f"{path}.articles", report)
    decisions = _decisions(raw.get("decisions"), f"{path}.decisions", report)
    values = parse_values(raw.get("values"), articles, path=f"{path}.values", report=report, decisions=decisions)
    _check_validity(values, valid_from, valid_to, path, report)
    if label is None or meta is None:
        return None
    return VersionDocument(label, DocumentMeta(**meta), articles, values, valid_from, valid_to, decisions)


def _decisions(raw: Any, path: str, report: Report) -> dict[str, Decision]:
    if raw is None:
        return {}
    if not isinstance(raw, list) or len(raw) > 100:
        report.add(path, "决定应为列表", "每项写明 number、date、title、issuer、entered_by")
        return {}
    parsed = [_CARRIED.parse(entry, f"{path}[{index}]", report) for index, entry in enumerate(raw)]
    return {entry["number"]: Decision(**entry) for entry in parsed if entry is not None}


def _articles(raw: Any, path: str, report: Report) -> dict[str, str]:
    if not isinstance(raw, dict) or not 1 <= len(raw) <= 300:
        report.add(path, "缺少条款表", "条款号: 摘要，1 到 300 条")
        return {}
    parsed = {key: Text(200).parse(summary, f"{path}.{key}", report) for key, summary in raw.items()}
    # An id whose summary was refused is still a known id: one mistake, one message.
    return {key: summary or "" for key, summary in parsed.items()}


def parse_values(
    raw: Any,
    articles: Mapping[str, str],
    *,
    path: str = "values",
    report: Report | None = None,
    article_required: bool = True,
    decisions: Collection[str] = (),
) -> dict[str, SetValue]:
    """Check `{key: {value, article, summary}}` against the catalogue; shapes as in the files or as kept in JSON.

    With `report` problems are added to it; without, PolicyError is raised when there are any. `decisions`: the numbers
    that a value may name as its origin; one that does need cite no article.
    """
    own = report is None
    report = report or Report()
    values: dict[str, SetValue] = {}
    if not isinstance(raw, Mapping):
        report.add(path, "缺少规则值", "键: {value, article, summary}")
        raw = {}
    for name, body in raw.items():
        decided = decisions and isinstance(body, Mapping) and body.get("decision") is not None
        parsed = _value(
            name, body, articles, f"{path}.{name}", report,
            article_required=article_required and not decided, decisions=decisions,
        )  # fmt: skip
        if parsed is not None:
            values[name] = parsed
    check_together({name: value.value for name, value in values.items()}, path, report)
    if own and report.problems:
        raise PolicyError(report.located("", {}))
    return values


def _value(
    name: str,
    body: Any,
    articles: Mapping[str, str],
    path: str,
    report: Report,
    *,
    article_required: bool,
    decisions: Collection[str],
) -> SetValue | None:
    key = CATALOGUE.get(name)
    if key is None:
        near = difflib.get_close_matches(str(name), CATALOGUE, n=3, cutoff=0.6)
        report.add(path, f"未知键“{str(name)[:60]}”", "、".join(near) or "制度方案目录中的键（policy show 可列出）")
        return None
    if not isinstance(body, Mapping):
        report.add(path, f"“{key.label}”应写成 value、article、summary 三项", "{value: …, article: 五(一), summary: …}")
        return None
    before = len(report.problems)
    _refuse_unknown(body, ("value", "article", "summary", *(["decision"] if decisions else [])), path, report)
    value = None
    if body.get("value") is None:
        report.add(f"{path}.value", f"“{key.label}”没有值", "文件未规定的不要写，留空即为未设定")
    else:
        value = key.kind.parse(body["value"], f"{path}.value", report)
    article = _take(body, "article", Text(60), path, report, required=article_required)
    decision = _take(body, "decision", Text(40), path, report, required=False) if decisions else None
    if decision and decision not in decisions:
        report.add(f"{path}.decision", f"决定“{decision}”没有列出", "、".join(decisions))
    # A value may stand on several articles together: 二、五(一). Those of a carried decision are its own.
    for cited in article.split("、") if article and not decision and (articles or article_required) else ():
        if cited not in articles:
            report.add(f"{path}.article", f"条款“{cited}”不在条款表中", "、".join(list(articles)[:40]))
    summary = _take(body, "summary", Text(200), path, report)
    if len(report.problems) > before:
        return None
    return SetValue(value, article or "", summary, decision or "")


def _check_validity(
    values: Mapping[str, SetValue], valid_from: dt.date | None, valid_to: dt.date | None, path: str, report: Report
) -> None:
    for name, bound in (("valid_from", valid_from), ("valid_to", valid_to)):
        stated = values.get(f"validity.{name}")
        if stated is not None and stated.value != bound:
            report.add(f"{path}.{name}", "与条款所写的有效期不一致", str(stated.value))


def _check_overlaps(versions: list[VersionDocument], report: Report) -> None:
    ordered = sorted(versions, key=lambda version: version.valid_from or dt.date.min)
    for earlier, later in pairwise(ordered):
        end = earlier.valid_to or dt.date.max
        start = later.valid_from or dt.date.min
        if start <= end:
            report.add(
                "versions",
                f"版本“{earlier.label}”与“{later.label}”的有效期重叠",
                "前一版本的 valid_to 早于后一版本的 valid_from",
            )


def _supplement(data: dict[str, Any], report: Report, name: str) -> SupplementDocument | None:
    known = ("schema", "supplements", "demo", "decision", "effective_from", "effective_to", "localities", "renewal")
    _refuse_unknown(data, (*known, "articles", "values"), "", report)
    _check_schema(data, report)
    pack = _take(data, "supplements", _Slug(), "", report)
    decision = _take(data, "decision", _DECISION, "", report)
    demo = _take(data, "demo", _FLAG, "", report, required=False)
    start = _take(data, "effective_from", _DAY, "", report)
    end = _take(data, "effective_to", _DAY, "", report, required=False)
    localities = _take(data, "localities", _LOCALITIES, "", report, required=False)
    renewal = _take(data, "renewal", _RENEWAL, "", report, required=False)
    if renewal and not demo:
        report.add("renewal", "补充规定不能延长有效期", "仅示例可写；正式延期请作为修订版本录入")
    if start and end and end < start:
        report.add("effective_to", "截止日期早于生效日期", f"不早于 {start}")
    articles = _articles(data["articles"], "articles", report) if data.get("articles") is not None else {}
    values = parse_values(data.get("values"), articles, report=report, article_required=bool(articles))
    if report.problems:
        return None
    return SupplementDocument(
        pack=pack,
        number=decision["number"],
        title=decision["title"],
        issuer=decision["issuer"],
        date=decision["date"],
        entered_by=decision["entered_by"],
        effective_from=start,
        effective_to=end,
        values=values,
        articles=articles,
        demo=bool(demo),
        localities=localities or (),
        renewal=renewal,
        file=name,
    )


def plain_version(version: VersionDocument, *, localities: tuple[str, ...] = ()) -> dict[str, Any]:
    """A version as a JSON document; `parse_version` reads it back."""
    meta = {name: getattr(version.document, name) for name in DocumentMeta.__slots__}
    return {
        "label": version.label,
        "valid_from": version.valid_from and version.valid_from.isoformat(),
        "valid_to": version.valid_to and version.valid_to.isoformat(),
        "document": {name: text for name, text in meta.items() if text},
        "articles": dict(version.articles),
        **({"decisions": [_plain_decision(one) for one in version.decisions.values()]} if version.decisions else {}),
        "values": plain_values(version.values),
        "localities": list(localities),
    }


def _plain_decision(decision: Decision) -> dict[str, Any]:
    plain = {name: getattr(decision, name) for name in Decision.__slots__}
    return {**plain, "date": decision.date.isoformat()}


def parse_version(data: Mapping[str, Any]) -> VersionDocument:
    """Read what `plain_version` wrote, or what was typed into the portal. Raises PolicyError."""
    report = Report()
    version = _version({key: value for key, value in data.items() if key != "localities"}, "version", report)
    if report.problems or version is None:
        raise PolicyError(report.located("", {}))
    return version


def plain_supplement(supplement: SupplementDocument) -> dict[str, Any]:
    """A supplement as a JSON document; `parse_supplement` reads it back."""
    return {
        "schema": SCHEMA,
        "supplements": supplement.pack,
        "demo": supplement.demo,
        "decision": {
            "number": supplement.number,
            "date": supplement.date.isoformat(),
            "title": supplement.title,
            "issuer": supplement.issuer,
            "entered_by": supplement.entered_by,
        },
        "effective_from": supplement.effective_from.isoformat(),
        "effective_to": supplement.effective_to and supplement.effective_to.isoformat(),
        "localities": list(supplement.localities) or None,
        "articles": dict(supplement.articles) or None,
        "values": plain_values(supplement.values),
    }


def parse_supplement(data: Mapping[str, Any]) -> SupplementDocument:
    """Read what `plain_supplement` wrote, or what was typed into the portal. Raises PolicyError."""
    report = Report()
    supplement = _supplement(dict(data), report, "")
    if report.problems or supplement is None:
        raise PolicyError(report.located("", {}))
    return supplement


def plain_values(values: Mapping[str, SetValue]) -> dict[str, dict[str, Any]]:
    """Values as JSON and YAML can hold them; `parse_values` reads them back unchanged."""
    plain: dict[str, dict[str, Any]] = {}
    for name, item in values.items():
        plain[name] = {"value": CATALOGUE[name].kind.plain(item.value), "summary": item.summary}
        # A decision need not have articles.
        if item.article:
            plain[name]["article"] = item.article
        if item.decision:
            plain[name]["decision"] = item.decision
    return plain
