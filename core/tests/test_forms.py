"""What forms and templates share: tolerant fields, the crispy helper, the ways of writing dates and money."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django import forms

from core.forms import DayField, FullWidthTolerantMixin, PortalFormHelper
from core.templatetags import portal


class Example(FullWidthTolerantMixin, forms.Form):
    halfwidth_fields = ("code",)
    day = DayField(label="日期")
    number = forms.DecimalField(label="天数")
    code = forms.CharField(label="编号")
    text = forms.CharField(label="内容", required=False)


def filled(**changes: Any) -> Example:
    return Example({"day": "2024-03-05", "number": "1.5", "code": "A1", "text": "甲", **changes})


def test_full_width_typing_is_taken() -> None:
    form = filled(day="２０２４年３月５日", number="１．５", code="ＸＭ－００１", text="走访，\x00“甲”")
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {
        "day": date(2024, 3, 5), "number": Decimal("1.5"), "code": "XM-001", "text": "走访，“甲”",
    }  # fmt: skip


@pytest.mark.parametrize("typed", ["昨天", "2024-02-30", "2024", "٢٠٢٤"])
def test_unreadable_date_is_worded_beside_the_field(typed: str) -> None:
    form = filled(day=typed)
    assert list(form.errors) == ["day"]
    assert form.errors["day"][0].endswith("。")


def test_empty_date_says_that_it_is_needed() -> None:
    assert list(filled(day="").errors) == ["day"]


def test_helper_lays_out_every_form_alike() -> None:
    from crispy_forms.utils import render_crispy_form

    form = filled(day="昨天")
    helper = PortalFormHelper(form, ("day", "gone"), "gone", submit="提交", attrs={"autocomplete": "off"})
    html = render_crispy_form(form, helper=helper, context={"back": "/home/", "warning": "请先核对"})
    assert '<form class="panel" method="post" novalidate autocomplete="off">' in html
    assert html.index("请检查以下内容") < html.index("请先核对") < html.index('class="form-grid"') < html.index("提交")
    assert 'aria-describedby="id_day_error"' in html
    assert '<a class="btn" href="/home/">返回</a>' in html


@pytest.mark.parametrize(
    ("value", "prose", "table"),
    [
        (date(2024, 3, 5), "2024年3月5日", "2024-03-05"), ("2024-03-05", "2024年3月5日", "2024-03-05"),
        (datetime(2024, 3, 4, 16, 30, tzinfo=UTC), "2024年3月5日", "2024-03-05"), (None, "", ""), ("不是日期", "", ""),
    ],
)  # fmt: skip
def test_dates_are_written_one_way(value: Any, prose: str, table: str) -> None:
    assert (portal.prose_date(value), portal.table_date(value)) == (prose, table)


def test_time_is_local() -> None:
    assert portal.table_time(datetime(2024, 3, 4, 16, 30, tzinfo=UTC)) == "2024-03-05 00:30"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Decimal("1234.5"), "1,234.50"), (0, "0.00"), ("60000", "60,000.00"), (None, ""), ("x", ""), (-5, "-5.00")],
)
def test_money_has_thousands_and_two_decimals(value: Any, shown: str) -> None:
    assert portal.money(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Decimal("18.0"), "18"), (Decimal("2.50"), "2.5"), (100, "100"), (0, "0"), (Decimal("0.00"), "0"), (None, "")],
)
def test_days_lose_idle_decimals(value: Any, shown: str) -> None:
    assert portal.days(value) == shown


def test_mask_tells_phones_from_identity_numbers() -> None:
    assert portal.mask("13812345678") == "138****5678"
    assert portal.mask("110101199003077512") == "110***********7512"
    assert portal.mask(None) == ""
