"""Who sees and does what, over the real addresses: 404 unseen, 403 with the reason."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from core.files import store_generated
from core.tests.undone import undone
from evaluations.models import DutyReport
from evaluations.services.reports import endorse_report, save_sections, submit_report
from factories import Cast

from .conftest import TEXTS


def _status(client, user, name, *args, method="get", **data):
    client.logout()
    if user is not None:
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return getattr(client, method)(reverse(f"evaluations:{name}", args=args), data).status_code


def _submit(report: DutyReport, cast: Cast) -> DutyReport:
    save_sections(report, actor=cast.planner, texts=TEXTS, revision=report.revision)
    return submit_report(report, actor=cast.planner)


ALL = (
    "anonymous", "planner", "lead", "colleague", "foreign",
    "unit_officer", "other_unit_officer", "bureau", "other_bureau",
    "leader", "city", "finance", "department", "evaluator", "sysadmin", "secadmin", "auditor",
)  # fmt: skip


def _expected(default: int, **special: int):
    return [(who, special.get(who, 302 if who == "anonymous" else default)) for who in ALL]


def _statuses(client, cast, name: str, pk: int, **more):
    return [(who, _status(client, getattr(cast, who, None), name, pk, **more)) for who in ALL]


def test_draft_is_seen_by_its_author_alone(client, cast, report):
    assert _statuses(client, cast, "report-detail", report.pk) == _expected(404, planner=200)


def test_submitted_is_seen_by_lead_bureau_and_leaders(client, cast, report):
    _submit(report, cast)
    expected = _expected(404, planner=200, lead=200, bureau=200, leader=200, city=200)
    assert _statuses(client, cast, "report-detail", report.pk) == expected


def test_endorse_is_the_leads(client, cast, report, subtests):
    _submit(report, cast)
    for who, status in _expected(404, planner=403, lead=302, bureau=403, leader=403, city=403):
        with subtests.test(who=who), undone():
            assert _status(client, getattr(cast, who, None), "report-endorse", report.pk, method="post") == status
            report.refresh_from_db()
            assert report.state == ("frozen" if who == "lead" else "submitted")


def test_edit_is_the_authors(client, cast, report):
    assert _statuses(client, cast, "report-edit", report.pk) == _expected(404, planner=200)


UNSEEN = dict.fromkeys(("other_bureau", "foreign", "sysadmin", "secadmin", "auditor"), 404)


def test_export_of_the_round(client, cast, cycle):
    expected = _expected(403, bureau=302, leader=302, city=302, **UNSEEN)
    assert _statuses(client, cast, "cycle-export", cycle.pk, method="post") == expected


def test_closing_is_the_bureaus(client, cast, cycle, subtests):
    for who, status in _expected(403, bureau=302, **UNSEEN):
        with subtests.test(who=who), undone():
            assert _status(client, getattr(cast, who, None), "cycle-close", cycle.pk, method="post") == status


def test_posted_extra_fields_change_nothing(client, cast, report):
    client.force_login(cast.planner, backend=settings.AUTHENTICATION_BACKENDS[-1])
    data = {
        "revision": report.revision,
        "overview": "正文",
        "state": "frozen",
        "author": cast.lead_planner.pk,
        "version": 9,
    }
    client.post(reverse("evaluations:report-edit", args=[report.pk]), data)
    report.refresh_from_db()
    assert (report.state, report.author, report.version) == ("draft", cast.own_planner, 1)
    assert report.sections["overview"] == "正文"


def test_autosave_answers_conflicts_and_keeps_the_first(client, cast, report):
    client.force_login(cast.planner, backend=settings.AUTHENTICATION_BACKENDS[-1])
    url = reverse("evaluations:report-autosave", args=[report.pk])
    assert client.post(url, {"revision": 0, "overview": "一"}).json()["revision"] == 1
    refused = client.post(url, {"revision": 0, "overview": "二"})
    assert refused.status_code == 409 and "别处保存过" in refused.json()["error"]
    assert client.post(url, {"revision": "x"}).status_code == 400
    report.refresh_from_db()
    assert report.sections["overview"] == "一"


def test_missing_section_is_named_and_nothing_is_lost(client, cast, report):
    client.force_login(cast.planner, backend=settings.AUTHENTICATION_BACKENDS[-1])
    data = {"revision": 0, **TEXTS, "plans": "", "submit": "1"}
    page = client.post(reverse("evaluations:report-edit", args=[report.pk]), data)
    assert page.status_code == 200 and "请填写“下一步工作打算”" in page.content.decode()
    assert TEXTS["overview"] in page.content.decode()
    report.refresh_from_db()
    assert report.state == "draft"


def test_nobody_outside_downloads_the_pdf(client, cast, report):
    endorse_report(_submit(report, cast), actor=cast.lead)
    from django.utils import timezone

    from core.models import IssuedDocument

    stored = store_generated(b"%PDF-1.7", name="a.pdf", mime="application/pdf", actor=None, purpose="duty_report")
    report.document = IssuedDocument.objects.create(
        code="ABCDEFGHJK",
        number="SZ-2026-99999",
        kind="duty_report",
        title="t",
        content_hash="0" * 64,
        file=stored,
        issued_at=timezone.now(),
    )
    report.save()
    assert _status(client, cast.colleague, "report-download", report.pk) == 404
    assert _status(client, cast.other_bureau, "report-download", report.pk) == 404
    assert _status(client, cast.planner, "report-download", report.pk) == 200
