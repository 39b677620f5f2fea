"""`{% origin value %}`: where a rule value comes from, beside wherever it is used; works without scripts."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.explain import Clause
from districts.policy.catalogue import CATALOGUE
from districts.policy.values import CLAUSE, DECISION, ORIGIN_LABELS, PolicyValue

register = template.Library()


def origin_html(value: PolicyValue | Clause) -> SafeString:
    """A badge (条款, 补充规定, 示例, 未设定) that opens to document, article and summary, or to who may set the value.

    Takes a PolicyValue or the Clause of a figure's part; a function, so that tables formatted in Python use it too.
    """
    demo = isinstance(value, PolicyValue) and value.is_demo
    label = "示例补充规定" if demo else ORIGIN_LABELS.get(value.origin, value.origin)
    if isinstance(value, PolicyValue) and value.second_hand:
        label = "论文转述"
    css = "demo" if demo else value.origin
    head = value.article if value.origin == CLAUSE else value.document
    return format_html(
        '<details class="origin origin-{}"><summary><span class="origin-badge">{}</span>'
        '<span class="origin-head">{}</span></summary><div class="origin-body">{}</div></details>',
        css,
        label,
        head,
        _body(value),
    )


def _body(value: PolicyValue | Clause) -> SafeString:
    if value.origin == CLAUSE:
        return format_html("<p>{} <strong>{}</strong></p><p>{}</p>", value.document, value.article, value.summary)
    if value.origin == DECISION:
        cited = (value.document, value.article, _by(value), value.summary)
        return format_html("<p>{} <strong>{}</strong>{}</p><p>{}</p>", *cited)
    spec = CATALOGUE.get(value.key)
    return format_html(
        "<p>文件和补充规定都没有规定“{}”，系统不据此计算。</p><p>可由：{}</p>",
        spec.label if spec else value.key,
        spec.setter if spec else "规划主管部门",
    )


def _by(value: PolicyValue | Clause) -> str:
    decision = value.decision if isinstance(value, PolicyValue) else None
    return (
        "" if decision is None else f"（{decision.issuer}，{decision.date.isoformat()}，录入：{decision.entered_by}）"
    )


@register.simple_tag
def origin(value: Any) -> SafeString:
    return origin_html(value)
