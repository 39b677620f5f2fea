"""Whatever is sent to any form or importer: never a crash, never a change beside the fields of the form, the error in
words on the page and what was typed still there."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from unittest import mock
from urllib.parse import quote_from_bytes

import pytest
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.html import escape
from hypothesis import HealthCheck, given
from hypothesis import settings as quickly
from hypothesis import strategies as st

from core.imports.kinds import KINDS
from core.tests.undone import undone
from factories import Cast, make_cast
from portal.tests.bad_input_world import TOKEN, Variant, rows_of, variants_of

pytestmark = pytest.mark.slow

APPS = ("core", "accounts", "districts", "planners", "projects", "worklogs", "evaluations", "portal")
ROLES = ("bureau", "planner", "sysadmin", "secadmin", "unit_officer", "lead", "leader", "department", "city")
# Who is asked first where, so that few pages are asked for in vain.
FIRST = {
    "accounts/people": "sysadmin", "calendar": "sysadmin", "districts/start": "sysadmin",
    "districts/member": "secadmin",
    "districts/substit": "secadmin", "worklogs": "planner", "evaluations/reports": "planner", "accounts": "planner",
    "projects/consultations/<int:pk>/adoption": "department", "evaluations/objections": "leader",
    "evaluations/responses": "unit_officer", "evaluations/responses/<int:pk>/again": "bureau",
}  # fmt: skip
# Forms that stand before the login, that are asked by GET, or that need a state which this one locality has not: an
# import to take back, a second-hand policy, a change of units to file a scan with, a credential to judge.
ELSEWHERE = {
    "worklogs.forms.HintForm", "core.forms_imports.UndoForm", "districts.forms_policy.AdoptionForm",
    "districts.forms_units.ScanForm", "planners.forms_contracts.SigningForm",
    "planners.forms_qualifications.OverrideForm", "planners.forms_qualifications.VerdictForm",
    "accounts.forms.LoginForm", "accounts.forms.AuthenticateForm", "accounts.forms.CodeReauthenticateForm",
    "accounts.forms.ReauthenticateForm", "accounts.forms.ActivateTOTPForm",
    "projects.forms_rectifications.PartyReplyForm",
}  # fmt: skip
PROTECTED = {"state", "status", "score", "locality", "is_superuser", "created_by", "user", "author", "policy_version"}
MARK = "打字“<&>”甲"
NASTY = [
    "", " \u3000\t", "\x00", "甲\x00乙", "\ud800", "\u202e甲\u2066", "𠮷㛃😀" * 20, "长" * 9_000, "-1", "0", "9" * 40, "1e400",
    "NaN", "Infinity", "-0.001", "0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "二〇二六年", "２０２６", "٣",
    "<script>", "'; --", "%s{}", "[]", '{"a": 1}', "null", "../../x", "=1+1", "\r\n\r\n", "1/1", "甲/乙", "a-b",
    "planner-x",
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.integers().map(str), st.dates().map(date.isoformat))


class Visitor(Client):
    """Stays who it is: what a request did to the session is taken back with the rest."""

    def log_in(self, user: Any) -> None:
        self.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
        self.kept = self.cookies[settings.SESSION_COOKIE_NAME].value

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        self.cookies[settings.SESSION_COOKIE_NAME] = self.kept
        return response


@dataclass
class World:
    """One locality with a row of everything that has a form, and a browser of each role."""

    cast: Cast
    rows: dict[str, models.Model]
    variants: dict[str, list[Variant]]
    clients: dict[str, Visitor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for role in ROLES:
            self.clients[role] = Visitor(raise_request_exception=False)
            self.clients[role].log_in(getattr(self.cast, role))

    def row_for(self, route: str) -> models.Model | None:
        """The row whose id stands in such an address: that of the longest beginning."""
        found = [start for start in self.rows if route.startswith(start)]
        return self.rows[max(found, key=len)] if found else None


@dataclass(frozen=True)
class Page:
    """An address that takes a form, who may send it, its row and what the form there looks like."""

    name: str
    url: str
    client: Visitor
    row: models.Model | None
    forms: tuple[forms.BaseForm, ...]
    sent: Mapping[str, str] = field(default_factory=dict)

    def initial(self) -> dict[str, list[str]]:
        """What a browser would send back untouched."""
        return {
            bound.html_name: [str(v) for v in (value if isinstance(value, (list, tuple)) else [value])]
            for form in self.forms
            for bound in form
            if (value := bound.value()) not in (None, "")
        } | {name: [value] for name, value in self.sent.items()}

    def names(self) -> list[str]:
        return [bound.html_name for form in self.forms for bound in form] or [
            "reason",
            "note",
            "logs",
            "reports",
            "act",
        ]

    def send(self, values: dict[str, list[str]]) -> HttpResponse:
        body = "&".join(
            f"{_quoted(name)}={_quoted(value)}" for name, several in values.items() for value in several
        )  # fmt: skip
        return self.client.post(self.url, body, content_type="application/x-www-form-urlencoded")


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Built once, never committed."""
    with django_db_blocker.unblock(), undone():
        cast = make_cast()
        rows = rows_of(cast)
        yield World(cast, rows, variants_of(cast))


def _kwargs(route: str, groups: Any, world: World, variant: Variant) -> dict[str, Any]:
    row = world.row_for(route)
    known = {
        "code": world.cast.locality.code, "charge": world.cast.unit.charge_id,
        "year": 2027 if "calendar" in route else 2026,
        "month": 3, "what": "phone", "kind": "units", "form_key": "worklog-create", "token": TOKEN,
        "direction": "planner", "pk": row.pk if row else 1, **variant.kwargs,
    }  # fmt: skip
    return {key: known.get(key, 1) for key in groups}


def _forms(response: HttpResponse) -> tuple[forms.BaseForm, ...]:
    found: dict[int, forms.BaseForm] = {}
    for layer in getattr(response, "context", None) or ():
        for value in (v for part in getattr(layer, "dicts", [layer]) for v in part.values()):
            found |= {id(form): form for form in _among(value) if id(form) not in found}
    return tuple(found.values())


def _among(value: Any) -> Iterator[forms.BaseForm]:
    """A form, and those of a list of acts."""
    if isinstance(value, forms.BaseForm):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _among(each)


@pytest.fixture(scope="module")
def pages(world: World) -> list[Page]:
    found = []
    for name, pattern in _addresses(get_resolver()):
        groups = pattern.pattern.regex.groupindex
        route = _route(name, groups)
        if name == "account_logout" or not _takes_posts(pattern.callback):
            continue
        if "pk" in groups and world.row_for(route) is None:
            continue
        for variant in world.variants.get(name, (Variant(),)):
            url = reverse(name, kwargs=_kwargs(route, groups, world, variant)) + variant.query
            starts = [start for start in FIRST if route.startswith(start)]
            first = FIRST[max(starts, key=len)] if starts else "bureau"
            for role in dict.fromkeys((first, *ROLES)):
                with undone():
                    got = world.clients[role].get(url)
                    status = world.clients[role].post(url).status_code if got.status_code == 405 else got.status_code
                if status not in (403, 404):
                    row = world.row_for(route)
                    found.append(Page(name, url, world.clients[role], row, _forms(got), variant.sent))
                    break
    return found


def _addresses(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """(name with its namespace, pattern) of every address."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _addresses(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        else:
            yield f"{prefix}{entry.name}", entry


def _takes_posts(view: Any) -> bool:
    """Views that are for reading say so to `require_GET`, or are classes without `post`."""
    if hasattr(view, "view_class"):
        return hasattr(view.view_class, "post")
    while view is not None:
        code, cells = getattr(view, "__code__", None), getattr(view, "__closure__", None) or ()
        if code is not None and "request_method_list" in code.co_freevars:
            return "POST" in cells[code.co_freevars.index("request_method_list")].cell_contents
        view = getattr(view, "__wrapped__", None)
    return True


def _route(name: str, groups: Any) -> str:
    """The address with its parameters in words: worklogs/<int:pk>/edit/."""
    fixed = {"code": "110101", "token": TOKEN}
    plain = reverse(name, kwargs={key: fixed.get(key, 987654) for key in groups})
    return plain.lstrip("/").replace("987654", "<int:pk>")


def _every_form() -> set[str]:
    todo, found = [forms.BaseForm], set()
    while todo:
        for cls in todo.pop().__subclasses__():
            todo.append(cls)
            inner = cls.__subclasses__() or not getattr(cls, "base_fields", None)
            if cls.__module__.split(".")[0] in APPS and ".tests" not in cls.__module__ and not inner:
                found.add(f"{cls.__module__}.{cls.__qualname__}")
    return {name for name in found if not name.startswith("core.listing")} - ELSEWHERE


def test_every_form_is_reached_and_keeps_what_was_typed_beside_its_errors(world, pages):
    seen: set[str] = set()
    clean = forms.BaseForm.full_clean

    def watched(form: forms.BaseForm) -> None:
        seen.add(f"{type(form).__module__}.{type(form).__qualname__}")
        clean(form)

    wrong: list[Any] = []
    with mock.patch.object(forms.BaseForm, "full_clean", watched):
        for page in pages:
            values = {**page.initial(), **{name: [MARK] for name in _texts(page)}}
            with undone():
                response = page.send(values)
                wrong += [(page.url, response.status_code)] if response.status_code >= 500 else []
                wrong += [(page.url, words) for words in _swallowed(response, values)]
    assert wrong == []
    assert _every_form() - seen == set()


def _texts(page: Page) -> list[str]:
    """Fields that a person types into and that come back after an error."""
    return [
        bound.html_name
        for form in page.forms
        for bound in form
        if type(bound.field.widget) in (forms.TextInput, forms.Textarea, forms.NumberInput) and not bound.is_hidden
    ]


def _swallowed(response: HttpResponse, values: dict[str, list[str]]) -> Iterator[str]:
    """Errors that the page does not show, and typed text that it lost."""
    bound = [form for form in _forms(response) if form.is_bound and form.errors]
    if response.status_code != 200 or not bound:
        return
    html = response.content.decode()
    for form in bound:
        yield from (f"{name}: {e}" for name, errors in form.errors.items() for e in errors if escape(e) not in html)
        for name in form.fields:
            typed = (values.get(form.add_prefix(name)) or [""])[0]
            if typed == MARK and escape(MARK) not in html:
                yield f"{name}: lost"


@quickly(max_examples=80, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    at=st.integers(0, 10**6), values=st.lists(VALUES, min_size=1, max_size=8), kept=st.booleans(), twice=st.booleans()
)
def test_no_value_crashes_a_page(world, pages, at, values, kept, twice):
    page = pages[at % len(pages)]
    sent = page.initial() if kept else {}
    names = page.names()
    for number, value in enumerate(values):
        name = names[(at // len(pages) + number) % len(names)]
        sent[name] = [value, value] if twice else [value]
    with undone():
        response = page.send(sent)
    assert response.status_code < 500, (page.url, sent)


def test_fields_that_a_form_has_not_change_nothing(world, pages):
    """`state`, `score`, an owner or a place sent along with a form that is otherwise in order."""
    tried = 0
    for page in pages:
        row = page.row
        if row is None or not page.name.endswith("edit") or not page.forms:
            continue
        extra = {f.name: _other(f, row) for f in row._meta.concrete_fields if f.name in PROTECTED - set(page.names())}
        found = []
        for more in ({}, {name: [value] for name, value in extra.items()}):
            with undone():
                page.send({**page.initial(), **more})
                after = type(row)._base_manager.get(pk=row.pk)
                found.append({name: getattr(after, name) for name in extra})
        tried += len(extra)
        assert found[0] == found[1], page.url
    assert tried > 5


def _other(column: models.Field[Any, Any], row: models.Model) -> str:
    now = column.value_from_object(row)
    return next((str(key) for key, _ in reversed(column.flatchoices) if key != now), "1")


BAD_CELLS = [
    "",
    "=1+1",
    "甲" * 3000,
    "-1",
    "9" * 40,
    "1e400",
    "2026-02-30",
    "9999-12-31",
    "\u202e甲",
    "𠮷😀",
    "甲\x00乙",
    "；、，",
]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_sheet_crashes_an_import(world, kind):
    importer = KINDS[kind]
    headings = [column.heading for column in importer.columns]
    lines = [[BAD_CELLS[(row + at) % len(BAD_CELLS)] for at in range(len(headings))] for row in range(len(BAD_CELLS))]
    table = "\n".join(",".join(f'"{cell}"' for cell in line) for line in [headings, *lines])
    files = {
        "bad.csv": table.encode(), "gbk.csv": table.replace("𠮷😀", "").encode("gb18030"), "empty.csv": b"",
        "heads.csv": ",".join(headings).encode(), "other.csv": "甲,乙\n1,2\n".encode(),
        "zip.xlsx": b"PK\x03\x04" + b"\x00" * 64,
        "nul.csv": b"\x00" * 400, "half.csv": "姓名".encode()[:-1], "wide.csv": ("," * 5000).encode(),
    }  # fmt: skip
    client = next(c for role, c in world.clients.items() if importer.may(getattr(world.cast, role)))
    address = reverse("core:import-upload", args=[kind])
    for name, content in files.items():
        with undone():
            key = _forms(client.get(address))[0]["submission_key"].value()
            upload = SimpleUploadedFile(name, io.BytesIO(content).getvalue())
            data = {"submission_key": key, "place": world.cast.locality.code, "file": upload}
            response = client.post(address, data)
            assert response.status_code in (200, 302), (kind, name)
            if response.status_code == 302:
                assert client.get(response["Location"], follow=True).status_code == 200, (kind, name)
                started = client.post(f"{response['Location'].split('columns/')[0]}run/")
                assert started.status_code < 500, (kind, name)


def test_seeded_flaw_would_be_seen(pages):
    """The walk itself: a crash is a 500, an error that the page leaves out and text that it drops are named."""
    page = next(page for page in pages if page.name == "projects:project-create")
    sent, ui = {"name": [MARK]}, "core.templatetags.ui"
    with mock.patch("projects.forms.tier_choices", side_effect=ZeroDivisionError), undone():
        assert page.send(sent).status_code == 500
    bare = mock.patch.multiple(ui, _notes=lambda _: "", _control=lambda _: "", _summary=lambda _: "")
    with bare, undone():
        found = list(_swallowed(page.send(sent), sent))
    assert "name: lost" in found
    assert [words for words in found if words.startswith("number: ")] != []
