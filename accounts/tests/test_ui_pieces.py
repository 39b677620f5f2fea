"""The shared pieces of pages."""

from __future__ import annotations

import pytest
from django import forms
from django.http import QueryDict
from django.template import Context, Template
from django.test import RequestFactory
from pytest_django.asserts import assertInHTML

from accounts.tests.ui_example import ExampleForm
from core.templatetags.icons import UnknownIcon, render_icon
from core.templatetags.ui import Column, Table, data_table, field, form_errors, query_with

pytestmark = pytest.mark.urls("accounts.tests.ui_example")


def context(query=""):
    return Context({"request": RequestFactory().get("/example/" + query)})


@pytest.mark.parametrize("name", ["../../secrets", "map-pin.svg", "", "MAP", "map_pin", "no-such-icon"])
def test_icon_takes_known_plain_names_alone(name):
    with pytest.raises(UnknownIcon):
        render_icon(name)


def test_icon_is_silent_unless_labelled():
    assert 'aria-hidden="true"' in render_icon("map-pin")
    named = render_icon("map-pin", label='<位置>"')
    assert 'role="img"' in named
    assert "&lt;位置&gt;&quot;" in named
    assert "aria-hidden" not in named


@pytest.mark.parametrize(
    ("query", "changes", "expected"),
    [
        ("state=a&page=3", {"sort": "-date"}, "?state=a&sort=-date"),
        ("state=a&page=3", {"page": 4}, "?state=a&page=4"),
        ("state=a&after=xyz", {"state": None}, "?"),
        ("k=1&k=2", {"sort": "d"}, "?k=1&k=2&sort=d"),
        ("", {"q": "走访&x=<b>"}, "?q=%E8%B5%B0%E8%AE%BF%26x%3D%3Cb%3E"),
    ],
)
def test_query_with_keeps_filters_and_leaves_the_page(query, changes, expected):
    assert query_with(QueryDict(query), **changes) == expected


def test_table_escapes_cells_and_labels_them_for_cards():
    table = Table([Column("姓名", kind="main"), Column("说明")], [("<b>王</b>", None)], caption="名单")
    html = data_table(context(), table)
    assert "&lt;b&gt;王&lt;/b&gt;" in html
    assert "<b>王" not in html
    assert 'scope="row"' in html
    assert 'data-label="说明"' in html
    assert ">None<" not in html


def test_table_with_a_row_of_the_wrong_length_is_a_mistake():
    with pytest.raises(ValueError):
        data_table(context(), Table([Column("甲"), Column("乙")], [("一",)], caption="名单"))


@pytest.mark.parametrize(
    ("query", "state", "next_sort"),
    [
        ("", None, "sort=date"),
        ("?sort=date", "ascending", "sort=-date"),
        ("?sort=-date", "descending", "sort=date"),
    ],
)
def test_sortable_heading_says_its_state_and_turns_round(query, state, next_sort):
    html = data_table(context(query), Table([Column("日期", "date")], [], caption="记录"))
    assert next_sort in html
    assert ("aria-sort" in html) is (state is not None)
    if state:
        assert f'aria-sort="{state}"' in html


def test_field_ties_label_help_and_error_to_the_control():
    form = ExampleForm({"what": ""})
    html = field(form["what"])
    assert '<label class="form-label required" for="id_what">' in html
    assert 'id="id_what_helptext"' in html
    assert 'id="id_what_error"' in html
    described = html.split('aria-describedby="')[1].split('"')[0].split()
    assert set(described) == {"id_what_helptext", "id_what_error"}
    assert 'aria-invalid="true"' in html
    assert "is-invalid" in html


def test_every_upload_says_that_secrets_must_not_be():
    assert "涉密信息不得上传" in field(ExampleForm()["photo"])


def test_error_summary_links_to_each_field_and_shows_the_forms_own_errors():
    form = ExampleForm({})
    form.add_error(None, "整体有误")
    html = form_errors(form)
    assert 'href="#id_what"' in html
    assert "整体有误" in html
    assert "data-error-summary" in html
    assert form_errors(ExampleForm()) == ""


def test_field_escapes_what_people_typed():
    class Sample(forms.Form):
        word = forms.CharField(max_length=3, help_text="<i>")

    html = field(Sample({"word": '"><script>'})["word"])
    assert "<script>" not in html
    assert "<i>" not in html


@pytest.mark.django_db
def test_filter_bar_shows_active_filters_with_a_way_to_drop_each(logged_in):
    page = logged_in.get("/example/?q=走访&state=sent&unit=2&sort=-date").content.decode()
    assert "状态：待确认" in page
    assert "责任单元：&lt;安定门&gt;" in page
    assert "关键词：走访" in page
    assert 'href="?q=%E8%B5%B0%E8%AE%BF&amp;unit=2&amp;sort=-date"' in page
    assert 'class="chip-clear" href="?sort=-date"' in page
    assert '<option value="sent" selected>' in page
    assert '<input type="hidden" name="sort" value="-date">' in page
    assert "chip" not in logged_in.get("/example/").content.decode().split("filter-bar")[1].split("</form>")[1][:40]


@pytest.mark.django_db
def test_unset_figure_says_so(logged_in):
    assert '<span class="unset">未设定</span>' in logged_in.get("/example/").content.decode()


def test_keyset_pager_has_no_dead_links():
    html = Template('{% include "partials/keyset_pager.html" %}').render(Context({"next_url": "?after=a&b"}))
    assert 'rel="next" href="?after=a&amp;b"' in html
    assert 'rel="prev"' not in html


class ChoosingForm(forms.Form):
    plain = forms.ChoiceField(choices=[("", "请选择"), ("1", "<一>"), ("2", '"二"')], help_text="必选")
    several = forms.MultipleChoiceField(choices=[("甲组", [("1", "一"), ("2", "二")]), ("3", "三")], required=False)
    boxes = forms.MultipleChoiceField(
        choices=[("甲组", [("1", "<一>"), ("2", "二")]), ("3", "三")], widget=forms.CheckboxSelectMultiple
    )
    buttons = forms.ChoiceField(choices=[("", "无"), ("1", "一")], widget=forms.RadioSelect)
    marked = forms.ChoiceField(choices=[("x", "是")], disabled=True, widget=forms.Select(attrs={"data-x": 'y"'}))


@pytest.mark.parametrize(
    "data", [None, {"plain": "2", "several": ["1", "3"], "boxes": ["3"], "buttons": "1"}, {"plain": "9"}]
)
@pytest.mark.parametrize("name", ["plain", "several", "boxes", "buttons", "marked"])
def test_choice_written_in_one_go_is_the_one_django_writes(name, data):
    bound = ChoosingForm(data)[name]
    css = "" if name in ("boxes", "buttons") else "form-select"
    css = f"{css} is-invalid".strip() if bound.errors else css
    assertInHTML(bound.as_widget(attrs={"class": css} if css else {}), field(bound))
