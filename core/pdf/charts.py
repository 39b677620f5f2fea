"""Charts as inline SVG: the same numbers give the same text. Readable in black and white, with their own fonts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import cos, pi, sin

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# SVG takes no style from the page: fonts and colours stand on the element itself.
FONT = "'Noto Sans CJK SC','Noto Sans SC',sans-serif"
DARK, LIGHT, LINE, TEXT = "#1f4e79", "#d6e0ea", "#9aa5b1", "#222222"

Number = int | float | Decimal


def bar_chart(
    labels: Sequence[str],
    values: Sequence[Number],
    *,
    title: str,
    unit: str = "",
    target: Number | None = None,
    target_label: str = "",
    width: int = 620,
    height: int = 230,
) -> SafeString:
    """Bars with their values on top; `target` is a dashed line.

    `title` is read by screen readers, with every value. Raises ValueError when labels and values differ in number.
    """
    if len(labels) != len(values) or not labels:
        raise ValueError("a bar chart needs one label for each value, and at least one")
    highest = max([float(v) for v in values] + [float(target or 0)])
    top, ticks = _scale(highest)
    left, right, above, below = 40, 10, 26, 30
    wide, tall = width - left - right, height - above - below
    step = wide / len(labels)

    def y(value: Number) -> float:
        return above + tall * (1 - float(value) / top)

    parts = []
    for tick in ticks:
        parts.append(_line(left, y(tick), width - right, LIGHT))
        parts.append(_label(left - 6, y(tick) + 4, _words(tick), anchor="end", size=10))
    for at, (label, value) in enumerate(zip(labels, values, strict=True)):
        middle = left + step * (at + 0.5)
        bar = min(step * 0.58, 44)
        tall_bar = max(0.0, above + tall - y(value))
        parts.append(
            f'<rect x="{_n(middle - bar / 2)}" y="{_n(y(value))}" width="{_n(bar)}" height="{_n(tall_bar)}"'
            f' fill="{DARK}"/>'
        )
        parts.append(_label(middle, y(value) - 4, _words(value), size=10))
        parts.append(_label(middle, height - 12, label, size=10))
    parts.append(_line(left, above + tall, width - right, TEXT))
    if target is not None:
        parts.append(_line(left, y(target), width - right, TEXT, dashed=True))
        # Its words stand above the bars, where nothing crosses them.
        words = target_label or f"应达 {_words(target)}{unit}"
        start = width - right - 10 * len(words) - 34
        parts.append(_line(start, 10, start + 26, TEXT, dashed=True))
        parts.append(_label(start + 32, 14, words, anchor="start", size=10))
    if unit:
        parts.append(_label(left - 6, 14, f"（{unit}）", anchor="end", size=10))
    spoken = "，".join(f"{label} {_words(value)}{unit}" for label, value in zip(labels, values, strict=True))
    return _svg(width, height, f"{title}：{spoken}", "".join(parts))


def donut(done: Number, total: Number, *, title: str, unit: str = "", size: int = 150) -> SafeString:
    """A ring with `done / total` in its middle; more than the total fills the ring."""
    if total <= 0:
        raise ValueError("a donut needs a total above zero")
    share = min(max(float(done) / float(total), 0.0), 1.0)
    radius, centre, thick = size * 0.38, size / 2, size * 0.13
    middle = _n(centre)
    ring = f'<circle cx="{middle}" cy="{middle}" r="{_n(radius)}" fill="none" stroke-width="{_n(thick)}" stroke='
    parts = [f'{ring}"{LIGHT}"/>']
    if share >= 0.9999:
        parts.append(f'{ring}"{DARK}"/>')
    elif share > 0:
        angle = 2 * pi * share
        x, y = centre + radius * sin(angle), centre - radius * cos(angle)
        parts.append(
            f'<path d="M {middle} {_n(centre - radius)} A {_n(radius)} {_n(radius)} 0 {int(share > 0.5)} 1'
            f' {_n(x)} {_n(y)}" fill="none" stroke="{DARK}" stroke-width="{_n(thick)}"/>'
        )
    parts.append(_label(centre, centre + 2, f"{_words(done)} / {_words(total)}", size=round(size * 0.115), bold=True))
    if unit:
        parts.append(_label(centre, centre + size * 0.14, unit, size=round(size * 0.09)))
    return _svg(size, size, f"{title}：{_words(done)} / {_words(total)} {unit}".strip(), "".join(parts))


def progress(done: Number, total: Number, *, title: str, width: int = 320, height: int = 14) -> SafeString:
    """A bar filled to `done / total`."""
    if total <= 0:
        raise ValueError("a progress bar needs a total above zero")
    share = min(max(float(done) / float(total), 0.0), 1.0)
    body = (
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" fill="{LIGHT}" stroke="{LINE}"/>'
        f'<rect x="0.5" y="0.5" width="{_n((width - 1) * share)}" height="{height - 1}" fill="{DARK}"/>'
    )
    return _svg(width, height, f"{title}：{_words(done)} / {_words(total)}", body)


def _svg(width: int, height: int, spoken: str, body: str) -> SafeString:
    return mark_safe(  # noqa: S308  made here of numbers and escaped text
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{escape(spoken)}" font-family="{FONT}" font-size="11">'
        f"<title>{escape(spoken)}</title>{body}</svg>"
    )


def _line(x1: float, y: float, x2: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return f'<line x1="{_n(x1)}" y1="{_n(y)}" x2="{_n(x2)}" y2="{_n(y)}" stroke="{colour}" stroke-width="1"{dashes}/>'


def _label(x: float, y: float, text: str, *, anchor: str = "middle", size: int = 11, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" font-family="{FONT}" font-size="{size}"{weight}'
        f' fill="{TEXT}">{escape(text)}</text>'
    )


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _words(value: Number) -> str:
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scale(highest: float) -> tuple[float, list[float]]:
    """Top of the axis and its ticks: four or five round steps."""
    if highest <= 0:
        return 1.0, [0.0, 1.0]
    step = next(
        size * 10**power
        for power in range(-2, 12)
        for size in (1, 2, 5)
        if size * 10**power * 5 >= highest and (size * 10**power >= 1 or highest < 5)
    )
    count = 1
    while step * count < highest:
        count += 1
    return step * count, [round(step * n, 4) for n in range(count + 1)]
