"""The pages of filling in: what a rater is shown, what nobody else is, and what is said when something is wrong."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEntry, Notification
from districts.access import forget_access
from evaluations.models import Indicator, Sheet
from evaluations.permissions.sheets import SEALED
from evaluations.services.assigning import reopen_sheet
from evaluations.services.steps import close_step
from evaluations.tests.filling_cases import (
    everything,
    later,
    lines_of,
    logged_in,
    make_filling,
    posted,
    submit,
    values_of,
)

pytestmark = pytest.mark.django_db
EVERYBODY = ["bureau", "leader", "city", "unit_officer", "other_officer", "department", "owner", "planner", "colleague"]
# Nowhere but in an answer: the score too is one that no number of a row or a name holds by accident.
SECRET, SCORE = "绝密评语七三", "73.37"


@pytest.fixture
def filling(db):
    cache.clear()
    return make_filling()


@pytest.fixture
def secret(filling):
    """甲街道 has handed in about 龚䶮, and 龚䶮 about 甲街道: figures and words that stand nowhere else."""
    sheet, back = filling.of_unit(), filling.of_planner()
    for one in (sheet, back):
        one.form.indicators.exclude(kind="text").update(increment=Decimal("0.01"))
    submit(sheet, filling.site.unit_officer, everything(sheet, SCORE, comment=SECRET))
    submit(back, filling.site.planner, everything(back, SCORE, comment=SECRET))
    return sheet, back


def page(user, name, **kwargs):
    forget_access(user)
    return logged_in(user).get(reverse(f"evaluations:{name}", kwargs=kwargs))


# --- one's own -----------------------------------------------------------------------------------------------


def test_the_list_holds_ones_own_forms_and_how_far_one_is(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    submit(sheet, officer, everything(sheet))
    text = page(officer, "sheet-list").content.decode()
    assert f"/evaluations/sheets/{sheet.pk}/" in text and "1 / 1" in text
    other = filling.of_planner()
    assert f"/evaluations/sheets/{other.pk}/" not in text


def test_posted_as_a_page_it_is_saved_and_submitted(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    client, url = logged_in(officer), reverse("evaluations:sheet", args=[sheet.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, posted(sheet, officer, 81, save="1")).status_code == 302
    assert values_of(sheet, officer) == [81] * len(lines_of(sheet))
    assert client.post(url, posted(sheet, officer, "８２", submit="1")).status_code == 302  # full-width digits
    sheet.refresh_from_db()
    assert sheet.state == "submitted" and values_of(sheet, officer) == [82] * len(lines_of(sheet))
    # Sent again from a page left open: said, not counted twice.
    again = client.post(url, posted(sheet, officer, 10, submit="1"), follow=True)
    assert "已在另一处提交" in again.content.decode()
    assert values_of(sheet, officer) == [82] * len(lines_of(sheet))


def test_what_is_missing_is_said_beside_its_field_and_in_the_summary(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    data = posted(sheet, officer, 80, submit="1")
    line = lines_of(sheet)[1]
    del data[f"i{line.pk}-value"]
    text = logged_in(officer).post(reverse("evaluations:sheet", args=[sheet.pk]), data).content.decode()
    assert f"{line.title}：请评分。" in text and f'href="#id_i{line.pk}-value"' in text
    sheet.refresh_from_db()
    assert sheet.state == "waiting"


def test_autosave_answers_with_the_mark_of_each_line(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    client, url = logged_in(officer), reverse("evaluations:sheet-autosave", args=[sheet.pk])
    line = lines_of(sheet)[0]
    data = {f"i{line.pk}-value": "66", f"i{line.pk}-seen": ""}
    first = client.post(url, data)
    assert first.status_code == 200 and set(first.json()["seen"]) == {f"i{line.pk}-seen"}
    assert values_of(sheet, officer)[0] == 66
    assert client.post(url, {**data, f"i{line.pk}-value": "100.5"}).json()["errors"]
    stale = client.post(url, {f"i{line.pk}-value": "12", f"i{line.pk}-seen": "0" * 16})
    assert "别处" in stale.json()["error"] and "66" not in stale.json()["error"]
    assert values_of(sheet, officer)[0] == 66


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "x", "9" * 60, "-0.000001", "\x00"])
def test_odd_numbers_are_refused_in_words(filling, value):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    line = lines_of(sheet)[0]
    url = reverse("evaluations:sheet-autosave", args=[sheet.pk])
    answer = logged_in(officer).post(url, {f"i{line.pk}-value": value, f"i{line.pk}-seen": ""})
    assert answer.status_code == 200 and ("error" in answer.json() or value == "\x00")
    assert values_of(sheet, officer)[0] is None


def test_other_fields_that_are_posted_change_nothing(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    extra = {"state": "submitted", "share": "99", "author": "1", "weight": "100", "points": "100", "save": "1"}
    client = logged_in(officer)
    client.post(reverse("evaluations:sheet", args=[sheet.pk]), posted(sheet, officer, 70, **extra))
    sheet.refresh_from_db()
    assert (sheet.state, sheet.share, sheet.author) == ("draft", 365, officer)


def test_withdrawing_abstaining_and_asking_to_be_let_off_are_pages(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    client = logged_in(officer)

    def post(name, **data):
        return client.post(reverse(f"evaluations:{name}", args=[sheet.pk]), data).status_code

    assert post("sheet-abstain", reason="") == 200  # the reason is asked for
    assert post("sheet-abstain", reason="少有接触") == 302
    assert post("sheet-withdraw") == 302
    assert post("sheet-decline", reason="亲属") == 302
    assert post("sheet-take-back") == 302
    sheet.refresh_from_db()
    assert sheet.state == "waiting"


def test_compared_are_ones_own_alone(filling, secret):
    kwargs = {"pk": filling.round.pk, "number": 1, "direction": "department"}
    assert SECRET in page(filling.site.planner, "sheet-compare", **kwargs).content.decode()
    assert SECRET not in page(filling.site.colleague, "sheet-compare", **kwargs).content.decode()
    assert page(filling.site.bureau, "sheet-compare", **kwargs).status_code == 404


def test_filling_in_asks_the_same_however_many_lines(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    client, url = logged_in(officer), reverse("evaluations:sheet", args=[sheet.pk])
    client.get(url)
    counts = []
    for extra in (0, 30):
        for number in range(extra):
            Indicator.objects.create(form_id=sheet.form_id, code=f"more-{number}", title="更多", order=50)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40, counts


def test_the_list_asks_the_same_at_one_form_and_at_thirty(filling):
    sheet, officer = filling.of_unit(), filling.site.unit_officer
    client, url = logged_in(officer), reverse("evaluations:sheet-list")
    client.get(url)
    counts = []
    for extra in (0, 29):
        for number in range(extra):
            Sheet.objects.create(
                round=sheet.round, step=sheet.step, form=sheet.form, subject=sheet.subject, side="unit",
                rater_key=f"x{number}", rater="甲", unit=sheet.unit,
            )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1], counts


# --- the seal -------------------------------------------------------------------------------------------------


def round_urls(filling, sheet, back):
    """Every page of organising and filling in, for these two sheets."""
    pk = filling.round.pk
    urls = [reverse("evaluations:round-list"), reverse("evaluations:sheet-list")]
    urls += [reverse(f"evaluations:{n}", args=[pk]) for n in ("round", "round-rules", "round-sheets", "round-subjects")]
    for row in (sheet, back):
        urls += [reverse(f"evaluations:{n}", args=[row.pk]) for n in ("sheet", "sheet-manage")]
        for name in ("form", "form-preview"):
            urls.append(reverse(f"evaluations:{name}", args=[pk, 1, row.form.direction]))
        urls.append(reverse("evaluations:sheet-compare", args=[pk, 1, row.form.direction]))
    return [*urls, "/home/", "/notifications/", "/audit/"]


def leaks(filling, secret, who):
    client = logged_in(getattr(filling.site, who))
    found = []
    for url in round_urls(filling, *secret):
        response = client.get(url, follow=True)
        assert response.status_code in (200, 403, 404), (who, url)
        if SECRET in response.content.decode():
            found.append(url)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("who", EVERYBODY)
def test_before_the_step_closes_no_page_says_anything_to_anybody_but_the_author(filling, secret, who):
    own = {"unit_officer": secret[0], "planner": secret[1]}.get(who)
    found = leaks(filling, secret, who)
    if own is None:
        assert found == []
    else:
        assert {url for url in found if f"/sheets/{own.pk}/" not in url and "compare" not in url} == set()


def test_refused_is_refused_alike_whatever_the_sheet_holds(filling, secret):
    """Empty, half filled in, handed in: the same status, the same words, the same number of queries."""
    empty = filling.round.sheets.get(subject__planner=filling.site.planners[1], unit=filling.site.other_unit)
    for who in ("bureau", "leader"):
        client = logged_in(getattr(filling.site, who))
        client.get(reverse("evaluations:sheet", args=[empty.pk]))
        seen = []
        for sheet in (secret[0], empty):
            with CaptureQueriesContext(connection) as queries:
                response = client.get(reverse("evaluations:sheet", args=[sheet.pk]))
            assert SEALED in response.content.decode()
            seen.append((response.status_code, len(queries)))
        assert seen[0] == seen[1] and seen[0][0] == 403


def test_a_stranger_is_told_that_there_is_nothing(filling, secret):
    for who in ("department", "other_officer", "colleague", "city"):
        client = logged_in(getattr(filling.site, who))
        for name in ("sheet", "sheet-manage", "sheet-abstain", "sheet-decline"):
            assert client.get(reverse(f"evaluations:{name}", args=[secret[0].pk])).status_code in (403, 404), who
        assert client.post(reverse("evaluations:sheet-autosave", args=[secret[0].pk]), {}).status_code == 404


def test_searching_for_what_was_written_finds_nothing(filling, secret):
    for words in (SECRET, SCORE):
        url = reverse("evaluations:round-sheets", args=[filling.round.pk]) + f"?q={words}"
        assert "没有符合条件的评估表" in logged_in(filling.site.bureau).get(url).content.decode()


def test_notices_and_the_log_say_nothing(filling, secret):
    close_step(filling.step, actor=filling.site.bureau)
    assert not Notification.objects.filter(text__contains=SECRET).exists()
    for entry in AuditEntry.objects.all():
        assert SECRET not in json.dumps(entry.detail, ensure_ascii=False) and SCORE not in str(entry.detail)


@pytest.mark.slow
def test_after_it_has_closed_the_organisers_read_and_the_rated_do_not(filling, secret):
    close_step(filling.step, actor=filling.site.bureau)
    for who in EVERYBODY:
        found = leaks(filling, secret, who)
        reads = {"bureau": 2, "leader": 2}.get(who, 0)
        others = [url for url in found if "/sheets/" in url]
        if who in ("unit_officer", "planner"):
            assert len(others) >= 1  # their own
        else:
            assert len(others) == reads, (who, found)


def test_given_back_it_is_closed_to_the_organisers_again_until_it_is_handed_in(filling, secret):
    close_step(filling.step, actor=filling.site.bureau)
    sheet = Sheet.objects.select_related("step", "round").get(pk=secret[0].pk)
    reopen_sheet(
        sheet, actor=filling.site.bureau, reason="漏评一项", until=later(filling.today, 3), today=filling.today
    )
    url = reverse("evaluations:sheet", args=[sheet.pk])
    assert logged_in(filling.site.bureau).get(url).status_code == 403
    officer = filling.site.unit_officer
    client = logged_in(officer)
    assert "data-sheet-autosave" in client.get(url).content.decode()
    assert client.post(url, posted(sheet, officer, 74, submit="1")).status_code == 302
    assert logged_in(filling.site.bureau).get(url).status_code == 200
    # Handed in again it is closed for good.
    assert client.post(reverse("evaluations:sheet-withdraw", args=[sheet.pk])).status_code in (403, 409)


def test_the_admin_has_no_door_to_answers():
    from django.contrib import admin

    from evaluations.models import Answer

    assert Answer not in admin.site._registry and Sheet not in admin.site._registry


def test_nothing_of_it_without_a_login(filling, secret):
    for url in round_urls(filling, *secret):
        response = Client().get(url)
        assert response.status_code == 302 and response["Location"].startswith(settings.LOGIN_URL), url
