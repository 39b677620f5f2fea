"""Sealed means sealed (`domain.md` rule 7), asked of the whole portal: while a step is open, no page, export, list,
search, notice, audit view or refusal gives anybody but its author a word or a score of an answer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from evaluations.models import Answer, Round, Sheet
from evaluations.querysets.sheets import AnswerQuerySet
from evaluations.services.answers import Given, submit_sheet
from portal.tests import role_matrix
from portal.tests.role_matrix import Address, Stage, addresses
from portal.tests.role_matrix_samples import unit_of
from portal.tests.site import ROLES

pytestmark = pytest.mark.slow

# What the two sides wrote: whom it is by → a word and a score that stand nowhere else.
CANARIES = {"planner": ("金丝雀甲评属地", "61.37"), "unit": ("金丝雀乙评规划师", "73.91")}
# Where an answer could come to light by itself; elsewhere it would have to be stored first, which is looked for below.
NEAR = ("evaluations:", "portal:", "core:", "accounts:", "account_")
# Leaves the session, or is slow and holds nothing of the kind.
SKIPPED = {"account_logout"}


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    with role_matrix.staged(django_db_blocker) as found:
        yield found


@pytest.fixture(scope="module")
def sealed(stage: Stage) -> dict[str, Sheet]:
    """A planner's form about an office and an office's about a planner, both handed in, their step open."""
    round_ = Round.objects.get(locality__code="110101", state="scoring")
    Answer.objects.filter(sheet__round=round_).delete()
    round_.sheets.update(state="waiting", author=None, submitted_at=None)
    for step in round_.steps.all():
        step.forms.get(direction="planner").indicators.exclude(kind="text").update(increment=Decimal("0.01"))
        step.forms.get(direction="department").indicators.exclude(kind="text").update(increment=Decimal("0.01"))
    chosen = {
        "planner": round_.sheets.filter(planner=stage.own["planner"].planner).earliest("pk"),
        "unit": round_.sheets.filter(unit=unit_of(stage.own)).earliest("pk"),
    }
    for who, sheet in chosen.items():
        word, score = CANARIES[who]
        given = {line.pk: Given(value=Decimal(score), comment=word) for line in sheet.form.indicators.all()}
        submit_sheet(sheet, actor=stage.own[who], given=given, today=sheet.step.opened_at.date())
    return {who: Sheet.objects.get(pk=sheet.pk) for who, sheet in chosen.items()}


def text_of(response: Any) -> str:
    """Everything readable in a response: pages, JSON, and what is inside of workbooks and archives."""
    data = b"".join(response.streaming_content) if response.streaming else response.content
    return _opened(data) + str(dict(response.headers))


def _opened(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "".join(_opened(archive.read(name)) for name in archive.namelist())


def targets(stage: Stage, sealed: dict[str, Sheet]) -> Iterator[tuple[Address, str]]:
    """Every address near an answer: of its sample, and of the sealed round, its forms and who is evaluated."""
    round_id = sealed["planner"].round_id
    for address in addresses():
        if not address.name.startswith(NEAR) or address.name in SKIPPED:
            continue
        yield address, stage.url(address)
        if not address.name.startswith("evaluations:") or "pk" not in address.arguments:
            continue
        kinds = {"/rounds/raters/": "sheet", "/rounds/subjects/": "subject", "/sheets/compare/": "round"}
        kinds |= {"/sheets/": "sheet", "/subjects/": "subject", "/rounds/": "round", "/after/": "round"}
        kind = next((kind for part, kind in kinds.items() if part in address.route), "")
        ids = {
            "round": {round_id}, "sheet": {sheet.pk for sheet in sealed.values()},
            "subject": {sheet.subject_id for sheet in sealed.values()}, "": set(),
        }[kind]  # fmt: skip
        rest = {"number": 1, "code": "days", "move": "collate"}
        for pk in ids:
            for direction in ("planner", "department") if "direction" in address.arguments else ("",):
                given = {"pk": pk, "direction": direction, **rest}
                yield address, reverse(address.name, kwargs={name: given[name] for name in address.arguments})


def leaks(stage: Stage, sealed: dict[str, Sheet], roles: tuple[str, ...] = ROLES) -> set[tuple[str, str, str]]:
    """(role, address, what came through): of everybody who did not write it."""
    found = set()
    urls = list(targets(stage, sealed))
    people: list[tuple[str, User | None]] = [*((role, stage.own[role]) for role in roles), ("anonymous", None)]
    for role, user in people:
        for address, url in urls:
            for method, suffix in (("get", ""), ("get", "?q=金丝雀"), ("post", "")):
                if (
                    suffix
                    and "list" not in address.name
                    and address.name not in ("portal:audit", "evaluations:results")
                ):
                    continue
                if method == "post" and not address.name.startswith("evaluations:sheet"):
                    continue
                text = _asked(stage, user, method, url + suffix)
                for who, canary in CANARIES.items():
                    if who != role:
                        found |= {(role, address.name, word) for word in canary if word in text}
    return found


def _asked(stage: Stage, user: User | None, method: str, url: str) -> str:
    texts: list[str] = []
    stage.ask(user, method, url, read=lambda response: texts.append(text_of(response)))
    return "".join(texts)


def test_no_response_gives_an_answer_to_who_did_not_write_it(stage, sealed):
    assert leaks(stage, sealed) == set()


def test_its_author_reads_it(stage, sealed):
    """The canaries are really there to be found."""
    for who, sheet in sealed.items():
        page = _asked(stage, stage.own[who], "get", reverse("evaluations:sheet", args=[sheet.pk]))
        assert all(word in page for word in CANARIES[who])


def test_a_broken_seal_is_found(stage, sealed, monkeypatch):
    """The walk itself: with the seal opened to whoever collates before the closing, pages give it away."""
    monkeypatch.setattr(AnswerQuerySet, "readable_by", lambda self, user: self)
    told = {(role, name) for role, name, _ in leaks(stage, sealed, roles=("bureau",))}
    assert ("bureau", "evaluations:sheet") in told


def test_nothing_else_that_is_kept_holds_an_answer(sealed):
    """Audit, notices, jobs, drafts, sessions, documents: in no row of any other table."""
    holding = set()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            name = connection.ops.quote_name(model._meta.db_table)
            columns = [field.column for field in model._meta.local_fields]
            quoted = ", ".join(f"coalesce(CAST({connection.ops.quote_name(column)} AS text), '')" for column in columns)
            row = f"concat({quoted})" if connection.vendor == "postgresql" else quoted.replace(", ", " || ")
            cursor.execute(
                f"SELECT count(*) FROM {name} WHERE {row} LIKE %s OR {row} LIKE %s OR {row} LIKE %s",
                ["%金丝雀%", "%61.37%", "%73.91%"],
            )
            if cursor.fetchone()[0]:
                holding.add(model)
    assert holding == {Answer}


@pytest.mark.parametrize("role", [role for role in ROLES if role not in CANARIES])
def test_a_refusal_says_and_costs_the_same_of_an_empty_form_as_of_a_full_one(stage, sealed, role):
    full = sealed["unit"]
    empty = (
        Sheet.objects.filter(round=full.round_id, form=full.form_id, state="waiting").exclude(pk=full.pk).earliest("pk")
    )
    said = []
    # What is read once and kept (caches of the process) is no difference between the two.
    stage.ask(stage.own[role], "get", reverse("evaluations:sheet", args=[empty.pk]))
    for sheet in (full, empty):
        with CaptureQueriesContext(connection) as queries:
            response = stage.ask(stage.own[role], "get", reverse("evaluations:sheet", args=[sheet.pk]))
        said.append((response.status_code, len(queries)))
    assert said[0] == said[1] and said[0][0] in (403, 404)
