"""The pieces that pages are built of, rendered in one function each: a template per table cell or per option costs
more than the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from django import forms, template
from django.forms import BoundField
from django.forms.utils import flatatt
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe

from core.templatetags.icons import render_icon

register = template.Library()

# Parameters that say where in a list one is, not what it holds: a new filter or order starts at the beginning.
POSITION = ("page", "after", "before", "cursor")


@dataclass(frozen=True, slots=True)
class Column:
    """A table column. `sort`: value of `?sort=` it answers to. `kind`: text, main, num, date, short (a word or two,
    kept on one line), status or actions."""

    label: str
    sort: str = ""
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of cells (plain strings are escaped, SafeString kept); `caption` is for screen readers."""

    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    caption: str
    row_classes: Sequence[str] = ()


def query_with(query: QueryDict, **changes: Any) -> str:
    """`?…` with parameters set, or removed where the value is None, back at the first page unless told otherwise."""
    changed = query.copy()
    for name in POSITION:
        if name not in changes:
            changed.pop(name, None)
    for name, value in changes.items():
        if value is None:
            changed.pop(name, None)
        elif isinstance(value, (list, tuple)):
            changed.setlist(name, [str(v) for v in value])
        else:
            changed[name] = str(value)
    return "?" + changed.urlencode()


@register.simple_tag(takes_context=True)
def qs(context: template.Context, **changes: Any) -> str:
    """The page's query string with these parameters changed; None removes one."""
    return query_with(context["request"].GET, **changes)


def _header(column: Column, query: QueryDict, current: str) -> SafeString:
    css = f"col-{column.kind}"
    if not column.sort:
        return format_html('<th scope="col" class="{}">{}</th>', css, column.label)
    ascending, descending = current == column.sort, current == f"-{column.sort}"
    url = query_with(query, sort=f"-{column.sort}" if ascending else column.sort)
    state = ' aria-sort="ascending"' if ascending else ' aria-sort="descending"' if descending else ""
    mark = "arrow-up" if ascending else "arrow-down" if descending else "arrows-sort"
    return format_html(
        '<th scope="col" class="{}"{}><a class="sorter" href="{}">{}{}</a></th>',
        css,
        mark_safe(state),  # noqa: S308 - a constant
        url,
        column.label,
        render_icon(mark, css="icon-sm"),
    )


@register.simple_tag(takes_context=True)
def sort_th(context: template.Context, label: str, sort: str = "", kind: str = "text") -> SafeString:
    """One sortable heading of a hand-written table; keeps the filters."""
    query = context["request"].GET
    return _header(Column(label, sort, kind), query, query.get("sort", ""))


def _cell(value: Any) -> str:
    """`conditional_escape`, a third of the time for what nearly every cell is: text, and text that is marked safe."""
    kind = type(value)
    if kind is SafeString:
        return str(value)
    if kind is str:
        return escape(value)
    return conditional_escape("" if value is None else value)


@register.simple_tag(takes_context=True)
def data_table(context: template.Context, table: Table) -> SafeString:
    """A whole table; rows become cards on a phone."""
    query = context["request"].GET
    current = query.get("sort", "")
    head = "".join(_header(column, query, current) for column in table.columns)
    cells = [
        (
            f'<th scope="row" class="col-{c.kind}" data-label="{conditional_escape(c.label)}">'
            if c.kind == "main"
            else f'<td class="col-{c.kind}" data-label="{conditional_escape(c.label)}">',
            "</th>" if c.kind == "main" else "</td>",
        )
        for c in table.columns
    ]
    body: list[str] = []
    for number, row in enumerate(table.rows):
        css = table.row_classes[number] if number < len(table.row_classes) else ""
        body.append(f'<tr class="{conditional_escape(css)}">' if css else "<tr>")
        for (start, end), value in zip(cells, row, strict=True):
            body.append(f"{start}{_cell(value)}{end}")
        body.append("</tr>")
    return mark_safe(  # noqa: S308 - escaped
        f'<div class="table-wrap" tabindex="0" role="region" aria-label="{conditional_escape(table.caption)}">'
        '<table class="table table-cards">'
        f'<caption class="visually-hidden">{conditional_escape(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


# --- forms -------------------------------------------------------------------------------------------------------

_CHECKS = (forms.CheckboxInput,)
_GROUPS = (forms.RadioSelect, forms.CheckboxSelectMultiple)


def _widget_class(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, (forms.Select, forms.SelectMultiple)) and not isinstance(widget, _GROUPS):
        css = "form-select"
    elif isinstance(widget, _CHECKS):
        css = "form-check-input"
    elif isinstance(widget, _GROUPS):
        css = ""
    else:
        css = "form-control"
    given = widget.attrs.get("class", "")
    return " ".join(filter(None, [css, given, "is-invalid" if bound.errors else ""]))


def _control(bound: BoundField) -> SafeString:
    css = _widget_class(bound)
    attrs: dict[str, str | bool] = {"class": css} if css else {}
    write = _WRITTEN.get(getattr(bound.field.widget, "template_name", ""))
    return write(_shown(bound, attrs)) if write is not None else bound.as_widget(attrs=attrs)


def _shown(bound: BoundField, attrs: dict[str, str | bool]) -> dict[str, Any]:
    """What Django hands to a widget's template."""
    widget = bound.field.widget
    attrs = bound.build_widget_attrs(attrs, widget)
    if bound.auto_id and "id" not in widget.attrs:
        attrs.setdefault("id", bound.auto_id)
    shown: dict[str, Any] = widget.get_context(bound.html_name, bound.value(), attrs)["widget"]
    return shown


def _select(shown: dict[str, Any]) -> SafeString:
    parts = [f'<select name="{escape(shown["name"])}"{flatatt(shown["attrs"])}>']
    for group, options, _ in shown["optgroups"]:
        parts.append(f'<optgroup label="{escape(str(group))}">' if group else "")
        for option in options:
            value, text = escape(str(option["value"])), _cell(option["label"])
            parts.append(f'<option value="{value}"{flatatt(option["attrs"])}>{text}</option>')
        parts.append("</optgroup>" if group else "")
    return mark_safe("".join([*parts, "</select>"]))  # noqa: S308 - escaped


def _boxes(shown: dict[str, Any]) -> SafeString:
    """Boxes to tick, or buttons of which one is chosen."""
    own = {name: shown["attrs"][name] for name in ("id", "class") if shown["attrs"].get(name)}
    parts = [f"<div{flatatt(own)}>"]
    for group, options, _ in shown["optgroups"]:
        parts.append(f"<div><label>{escape(str(group))}</label>" if group else "")
        for option in options:
            named = flatatt({"for": option["attrs"].get("id")})
            value = {} if option["value"] is None else {"value": option["value"]}
            box = flatatt({"type": option["type"], "name": option["name"], **value, **option["attrs"]})
            parts.append(f"<div><label{named}><input{box}> {_cell(option['label'])}</label></div>")
        parts.append("</div>" if group else "")
    return mark_safe("".join([*parts, "</div>"]))  # noqa: S308 - escaped


# Widgets written in one go, as Django's templates write them: those take two more templates for each option.
_WRITTEN: dict[str, Callable[[dict[str, Any]], SafeString]] = {
    "django/forms/widgets/select.html": _select,
    "django/forms/widgets/checkbox_select.html": _boxes,
    "django/forms/widgets/radio.html": _boxes,
}


def _notes(bound: BoundField) -> SafeString:
    """Help and errors under the ids that the control's aria-describedby names."""
    parts = []
    if bound.help_text:
        parts.append(format_html('<div class="form-hint" id="{}_helptext">{}</div>', bound.auto_id, bound.help_text))
    if bound.errors:
        inner = format_html_join("", "<span>{}</span>", ((error,) for error in bound.errors))
        parts.append(format_html('<p class="field-error" id="{}_error">{}</p>', bound.auto_id, inner))
    return mark_safe("".join(parts))  # noqa: S308 - escaped


@register.simple_tag
def field(bound: BoundField, label: str = "") -> SafeString:
    """Label, control, help and errors of one form field, tied together for screen readers."""
    text = label or bound.label
    needed = " required" if bound.field.required else ""
    if bound.is_hidden:
        return format_html("{}{}", bound.as_widget(), bound.errors or "")
    if isinstance(bound.field.widget, _CHECKS):
        return format_html(
            '<div class="field field-check"><div class="form-check">{}<label class="form-check-label" for="{}">{}'
            "</label></div>{}</div>",
            _control(bound),
            bound.id_for_label,
            text,
            _notes(bound),
        )
    if isinstance(bound.field.widget, _GROUPS):
        return format_html(
            '<fieldset class="field field-group"><legend class="form-label{}">{}</legend>{}{}</fieldset>',
            needed,
            text,
            _control(bound),
            _notes(bound),
        )
    notice = file_notice() if isinstance(bound.field.widget, forms.FileInput) else ""
    return format_html(
        '<div class="field"><label class="form-label{}" for="{}">{}</label>{}{}{}</div>',
        needed,
        bound.id_for_label,
        text,
        _control(bound),
        notice,
        _notes(bound),
    )


def file_notice() -> SafeString:
    """The notice beside every upload."""
    shield = render_icon("shield-lock", css="icon-sm")
    return format_html('<p class="file-notice">{}<strong>涉密信息不得上传。</strong></p>', shield)


@register.simple_tag
def form_errors(form: forms.BaseForm) -> SafeString:
    """A summary at the head of a refused form: its own errors, and a link to each field with one."""
    if not form.is_bound or not form.errors:
        return mark_safe("")
    own = [("", message) for message in form.non_field_errors()]
    linked = [
        (bound.id_for_label or bound.auto_id, f"{bound.label}：{message}")
        for bound in form
        if bound.errors
        for message in bound.errors
    ]
    if len(own) == 1 and not linked:
        return _summary(format_html("<p>{}</p>", own[0][1]))
    items = [
        format_html('<li><a href="#{}">{}</a></li>', target, text) if target else format_html("<li>{}</li>", text)
        for target, text in own + linked
    ]
    listed = format_html_join("", "{}", ((item,) for item in items))
    return _summary(format_html("<p>请检查以下内容：</p><ul>{}</ul>", listed))


def _summary(body: SafeString) -> SafeString:
    return format_html(
        '<div class="notice notice-error" role="alert" tabindex="-1" data-error-summary>{}<div>{}</div></div>',
        render_icon("alert-circle"),
        body,
    )


@register.simple_tag
def form_fields(form: forms.BaseForm, only: str = "") -> SafeString:
    """Every field of a form (or those named in `only`, separated by spaces), hidden ones included."""
    names = only.split() or list(form.fields)
    return mark_safe("".join(field(form[name]) for name in names))  # noqa: S308 - escaped


@register.inclusion_tag("partials/status_badge.html")
def status(label: str, tone: str = "neutral") -> dict[str, str]:
    """A state in words, with a tone: neutral, info, waiting, good or bad."""
    return {"label": label, "tone": tone}


@lru_cache(maxsize=256)
def status_html(label: str, tone: str = "neutral") -> SafeString:
    """The same badge for table cells that are formatted in Python; kept, since a page has few different ones."""
    return format_html('<span class="status status-{}">{}</span>', tone, label)


# --- filters -----------------------------------------------------------------------------------------------------


def _filter_control(bound: BoundField) -> SafeString:
    """Selects and text boxes are written in one go: Django renders a template for each, and for each option."""
    widget = bound.field.widget
    if isinstance(widget, forms.TextInput):
        return _text_box(bound, widget)
    if type(widget).__name__ in {"Select", "NullBooleanSelect", "SelectMultiple"}:
        value = bound.value()
        chosen = {str(v) for v in (value if isinstance(value, (list, tuple)) else [value]) if v is not None}
        options = _options(tuple((key, str(text)) for key, text in _flat(widget.choices)), frozenset(chosen))
        many = mark_safe(" multiple") if widget.allow_multiple_selected else ""
        return format_html(
            '<select class="form-select" name="{}" id="{}"{}>{}</select>', bound.html_name, bound.auto_id, many, options
        )
    return bound.as_widget(attrs={"class": "form-control"})


@lru_cache(maxsize=256)
def _options(choices: tuple[tuple[Any, str], ...], chosen: frozenset[str]) -> SafeString:
    """The options of a select. Kept: a list's are the same at every visit but for what is chosen."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            ("" if key is None else key, mark_safe(" selected") if str(key) in chosen else "", text)
            for key, text in choices
        ),
    )


def _text_box(bound: BoundField, widget: forms.TextInput) -> SafeString:
    attrs = bound.build_widget_attrs(widget.attrs, widget)
    value = widget.format_value(bound.value())
    attrs |= {"type": widget.input_type, "name": bound.html_name, "id": bound.auto_id, "class": "form-control"}
    return format_html("<input{}>", flatatt(attrs | ({"value": value} if value is not None else {})))


def _flat(choices: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    for key, text in choices:
        if isinstance(text, (list, tuple)):
            yield from text
        else:
            yield key, text


def _chip_value(bound: BoundField) -> str:
    value = bound.value()
    values = [str(v) for v in (value if isinstance(value, (list, tuple)) else [value]) if v not in (None, "")]
    choices = getattr(bound.field, "choices", None)
    if values and choices is not None:
        names: Mapping[str, str] = {str(key): str(text) for key, text in _flat(choices)}
        values = [names.get(v, v) for v in values]
    return "、".join(values)


def _chips(form: forms.BaseForm, query: QueryDict, primary: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for bound in form:
        names = [name for name in query if name == bound.html_name or name.startswith(f"{bound.html_name}_")]
        text = "" if bound.errors else _chip_value(bound)
        if names and text:
            url = query_with(query, **dict.fromkeys(names))
            found.append({"label": str(bound.label), "value": text, "url": url, "primary": bound.name == primary})
    return found


@register.simple_tag(takes_context=True)
def filter_bar(context: template.Context, filterset: Any, primary: str = "q", keep: str = "sort") -> SafeString:
    """The filters of a list: `primary` stands open beside the button, the others fold; active ones show as chips,
    values that make no sense in a notice."""
    form = filterset.form
    query = context["request"].GET
    chips = _chips(form, query, primary)

    def labelled(bound: BoundField, css: str) -> SafeString:
        return format_html(
            '<div class="{}"><label class="form-label" for="{}">{}</label>{}{}</div>',
            css,
            bound.id_for_label,
            bound.label,
            _filter_control(bound),
            _notes(bound),
        )

    first = labelled(form[primary], "filter-field") if primary in form.fields else ""
    others = [bound for bound in form if bound.name != primary and not bound.is_hidden]
    rest = mark_safe("".join(labelled(bound, "filter-field") for bound in others))  # noqa: S308 - escaped
    kept = [(name, query[name]) for name in keep.split() if name in query]
    # What a link of another page narrowed to stays when one asks for more.
    hidden = [bound.html_name for bound in form if bound.is_hidden and not bound.errors]
    linked = [(name, query[name]) for name in hidden if name in query]
    return render_to_string(
        "partials/filter_bar.html",
        {
            "primary": first,
            "rest": rest,
            "chips": chips,
            "kept": kept + linked,
            "problems": getattr(filterset, "problems", ()),
            "open": bool(form.errors),
            "folded": sum(not chip["primary"] for chip in chips),
            "clear_url": "?" + urlencode(kept),
        },
    )
