"""PDFs: straight edges, real fonts, nothing from outside, the metadata that archives ask for."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL import Image

from core.pdf import PdfError, bar_chart, donut, progress, render_html, render_pdf
from core.pdf.fetch import Fetcher, ForbiddenSource
from core.pdf.linebreaks import keep_names_whole

PARAGRAPH = (
    "责任规划师制度是城市规划向基层延伸的重要举措，2024年3月5日起在景山街道开展驻场工作，累计30天，走访社区12个，会见负责人龚䶮、"
    "𠮷田、㛃、买买提·吐尔逊等，形成意见书5份（其中采纳3份、<strong>部分采纳1份</strong>），“城市更新”项目ABC-Development Plan推进"
    "顺利；下一步将<em>继续</em>做好工作。"
)
LEFT, RIGHT = 28 / 25.4 * 72, (210 - 26) / 25.4 * 72
needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")


def page(body: str) -> str:
    return f'<html lang="zh-CN"><head><title>测试</title></head><body>{body}</body></html>'


def poppler(tool: str, content: bytes, tmp_path: Path, *options: str) -> str:
    source = tmp_path / "x.pdf"
    source.write_bytes(content)
    target = ["-"] if tool == "pdftotext" else []
    return subprocess.run([tool, *options, str(source), *target], capture_output=True, check=True).stdout.decode()


def lines(content: bytes, tmp_path: Path) -> list[tuple[float, float, float]]:
    """(left, right, top) of each line of text, in points."""
    layout = poppler("pdftotext", content, tmp_path, "-bbox-layout")
    found = re.findall(r'<line xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)"', layout)
    return [(float(left), float(right), float(top)) for left, top, right in found]


@needs_poppler
def test_right_edges_of_chinese_are_straight(tmp_path: Path) -> None:
    result = render_html(page(f"<p>{PARAGRAPH}</p>"))
    found = [line for line in lines(result.content, tmp_path) if line[2] < 700]
    inner = found[:-1]
    assert len(inner) >= 4
    assert all(abs(right - RIGHT) < 0.6 for _, right, _ in inner), found
    assert found[-1][1] < RIGHT - 20, "the last line of a paragraph is left as it is"


@needs_poppler
def test_edges_would_be_ragged_without_the_spreading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from weasyprint.layout import inline

    from core.pdf import justify

    monkeypatch.setattr(justify, "install", lambda: None)
    monkeypatch.setattr(inline, "justify_line", justify._by_spaces)
    content = render_html(page(f"<p>{'责任规划师制度，' * 30}</p>")).content
    inner = [line for line in lines(content, tmp_path) if line[2] < 700][:-1]
    assert any(abs(right - RIGHT) > 0.6 for _, right, _ in inner)


@needs_poppler
def test_latin_words_keep_their_own_spacing(tmp_path: Path) -> None:
    content = render_html(page(f"<p>{'规划师与Development合作，' * 12}</p>")).content
    text = poppler("pdftotext", content, tmp_path)
    assert text.replace("\n", "").count("Development") == 12, "letters of a word stay together"


@needs_poppler
def test_line_never_begins_with_the_dot_of_a_name(tmp_path: Path) -> None:
    for before in range(18, 30):
        content = render_html(
            page(f'<p style="text-indent:0">{"规" * before}买买提·吐尔逊同志参加。{"划" * 30}</p>')
        ).content
        text = poppler("pdftotext", content, tmp_path)
        assert "买买提·吐尔逊" in text.replace("\n", "")
        assert not any(line.startswith("·") or line.endswith("·") for line in text.splitlines()), text
        inner = [line for line in lines(content, tmp_path) if line[2] < 700][:-1]
        assert all(abs(right - RIGHT) < 0.6 for _, right, _ in inner)


def test_dots_in_tags_and_drawings_stay_as_they_are() -> None:
    source = '<title>甲·乙</title><p title="甲·乙">甲·乙·丙 a·b</p><svg><text>甲·乙</text></svg>'
    assert keep_names_whole(source) == (
        '<title>甲·乙</title><p title="甲·乙"><span class="tied">甲·乙·丙</span> a·b</p><svg><text>甲·乙</text></svg>'
    )


@needs_poppler
def test_formal_text_has_22_lines_of_28_characters(tmp_path: Path) -> None:
    content = render_html(page("".join(f"<p>{'规' * 26}</p>" for _ in range(30)))).content
    text = poppler("pdftotext", content, tmp_path, "-layout", "-l", "1")
    assert len([line for line in text.splitlines() if "规" in line]) == 22
    long = render_html(page(f'<p style="text-indent:0">{"规" * 60}</p>')).content
    first = next(line for line in poppler("pdftotext", long, tmp_path).splitlines() if "规" in line)
    assert len(first) == 28


@needs_poppler
def test_every_glyph_is_there_and_every_font_embedded(tmp_path: Path) -> None:
    content = render_html(
        page(f"<h1>龚䶮、𠮷田、㛃</h1><p>{PARAGRAPH}</p>{donut(18, 30, title='进度', unit='天')}")
    ).content
    text = poppler("pdftotext", content, tmp_path).replace("\n", "")
    for name in ("龚䶮", "𠮷田", "㛃", "买买提·吐尔逊", "18 / 30"):
        assert name in text
    fonts = poppler("pdffonts", content, tmp_path).splitlines()[2:]
    assert fonts and all(re.search(r"\byes\s+yes\s+yes\b", line) for line in fonts), fonts


def test_metadata_tags_and_language(tmp_path: Path) -> None:
    result = render_pdf(
        "pdf/base.html", {}, title="述职报告", author="东城分局", keywords="portal-verify:ABCDEFGHJK",
        created="2026-03-05T09:00:00+08:00",
    )  # fmt: skip
    reader = pypdf.PdfReader(io.BytesIO(result.content))
    assert (reader.metadata.title, reader.metadata.author) == ("述职报告", "东城分局")
    assert "ABCDEFGHJK" in reader.metadata["/Keywords"]
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "zh-CN"
    assert root["/MarkInfo"]["/Marked"]
    xmp = root["/Metadata"].get_object().get_data().decode()
    assert re.search(r"pdfaid:part(?:>|=\")3", xmp) and re.search(r"pdfaid:conformance(?:>|=\")B", xmp)
    assert root["/OutputIntents"]
    assert result.pages == len(reader.pages) == 1


def test_same_content_gives_the_same_bytes() -> None:
    kept = {"title": "甲", "author": "乙", "created": "2026-03-05T09:00:00+08:00"}
    assert render_pdf("pdf/base.html", {}, **kept).sha256 == render_pdf("pdf/base.html", {}, **kept).sha256


@needs_poppler
def test_pages_are_numbered_with_their_total(tmp_path: Path) -> None:
    content = render_html(page("".join(f"<p>{'规' * 26}</p>" for _ in range(50)))).content
    text = poppler("pdftotext", content, tmp_path, "-layout")
    for number in (1, 2, 3):
        assert re.search(rf"第\s*{number}\s*页\s+共\s*3\s*页", text)
        assert re.search(rf"—\s*{number}\s*—", text)


@needs_poppler
def test_table_head_stands_on_every_page_and_rows_are_whole(tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>第{n}行</td><td>{'走访社区。' * 12}终{n}</td></tr>" for n in range(60))
    head = "<thead><tr><th>行号表头</th><th>内容</th></tr></thead>"
    content = render_html(page(f"<table>{head}<tbody>{rows}</tbody></table>")).content
    pages = poppler("pdftotext", content, tmp_path, "-layout").split("\f")[:-1]
    assert len(pages) > 2 and all("行号表头" in text for text in pages)
    for n in range(60):
        assert any(f"第{n}行" in text and f"终{n}" in text.replace(" ", "") for text in pages)


@needs_poppler
def test_heading_is_never_left_alone_at_the_foot(tmp_path: Path) -> None:
    for before in range(18, 23):
        body = (
            "".join(f"<p>前文{n}</p>" for n in range(before))
            + "<h2>一、小标题</h2><h3>（一）次级</h3><p>后文甲</p><p>后文乙</p>"
        )
        pages = poppler("pdftotext", render_html(page(body)).content, tmp_path).split("\f")
        with_heading = next(text for text in pages if "小标题" in text)
        assert "后文甲" in with_heading, f"{before} lines before"


def test_missing_picture_stops_the_document() -> None:
    with pytest.raises(PdfError):
        render_html(page('<img src="asset:photo-1" alt="">'))


@pytest.mark.parametrize(
    "source",
    ["http://example.com/x.png", "https://example.com/x.png", "file:///etc/passwd", "//example.com/x",
     "ftp://example.com/x",
     "data:text/html,<script>", "static:/../config/settings/base.py", "static:/%2e%2e/manage.py"],
)  # fmt: skip
def test_nothing_comes_from_outside(source: str) -> None:
    with pytest.raises(ForbiddenSource):
        Fetcher().fetch(source if ":" in source else f"static:{source}")
    if not source.startswith("//"):
        with pytest.raises(PdfError):
            render_html(page(f'<img src="{source}" alt="">'))


def test_handed_over_picture_and_static_file_are_shown() -> None:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(out, "JPEG")
    body = '<img src="asset:photo-1" alt="现场"><img src="static:/img/favicon.svg" alt="">'
    assert render_html(page(body), assets={"photo-1": out.getvalue()}).pages == 1


def test_text_of_people_is_escaped_in_templates(db: Any) -> None:
    from django.template import Context, Template

    html = Template("{% load portal %}<p>{{ text }}</p>").render(Context({"text": '<img src="file:///etc/passwd">'}))
    assert render_html(page(html)).pages == 1


def test_charts_are_the_same_each_time_and_say_their_values() -> None:
    made = bar_chart(["1月", "2月"], [1, 2.5], title="各月天数", unit="天", target=2)
    assert made == bar_chart(["1月", "2月"], [1, 2.5], title="各月天数", unit="天", target=2)
    assert "各月天数：1月 1天，2月 2.5天" in made
    assert "Noto Sans CJK SC" in made and "style=" not in made
    assert "&lt;b&gt;" in bar_chart(["<b>"], [1], title="甲")


@pytest.mark.parametrize("values", [[0, 0], [0.1, 0.2], [1_000_000, 3], [7], [0]])
def test_bars_stay_inside_the_chart(values: list[float]) -> None:
    made = bar_chart([str(n) for n in range(len(values))], values, title="甲", height=230)
    for y, height in re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', made):
        assert float(y) >= 20 and float(y) + float(height) <= 201


def test_charts_refuse_what_makes_no_sense() -> None:
    for make in (lambda: bar_chart(["甲"], [1, 2], title="x"), lambda: bar_chart([], [], title="x")):
        with pytest.raises(ValueError, match="bar chart"):
            make()
    with pytest.raises(ValueError, match="total"):
        donut(1, 0, title="x")
    assert "30 / 20" in donut(30, 20, title="超过") and "30 / 20" in progress(30, 20, title="超过")
