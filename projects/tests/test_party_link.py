"""One-time links: the party gets its one matter and one reply; a stranger, a second use and a late one get a clear word
and nothing else."""

from __future__ import annotations

import contextlib
import re
import threading
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from core.errors import Refused
from core.idempotency import new_key
from core.models import AuditEntry, Notification, StoredFile
from factories import make_cast, make_project
from factories_review import make_party
from projects.models import PartyLink, Rectification, RectificationReply
from projects.services import field_sweeps, party_links
from projects.services.party_links import LinkClosed, answer, create_link, try_code
from projects.services.rectifications import Upload, enter_reply, open_rectifications, reinspect

from .field_cases import NOON, TODAY, decide, picture, raise_one, site

pytestmark = pytest.mark.django_db
WEEK = date(2026, 6, 17)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)
    return time_machine


@pytest.fixture
def project(cast):
    return site(cast)


@pytest.fixture
def row(cast, project):
    return raise_one(cast, project, text="檐口做法与审定方案不符。", basis="审定方案第 12 页")


@pytest.fixture
def issued(cast, project, row):
    return create_link(row, party=project.parties.get(role="contractor"), actor=cast.planner, last_day=WEEK)


@pytest.fixture
def outside():
    return Client(enforce_csrf_checks=True)


def at(issued, page="link", **more):
    return reverse(f"party:{page}", kwargs={"token": issued.token, **more})


def post(client, issued, page, data=None):
    """As a browser does: with the token of the page that holds the form."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(at(issued)).content.decode())
    return client.post(at(issued, page), {**(data or {}), "csrfmiddlewaretoken": found.group(1) if found else ""})


def enter(client, issued):
    assert post(client, issued, "code", {"code": issued.code}).status_code == 302
    return client


REPLY = {"text": "已按审定方案返工。", "signed_as": "张三"}


# --- given ----------------------------------------------------------------------------------------------------------


def test_neither_address_nor_code_is_kept_anywhere(issued, row):
    kept = " ".join(str(value) for value in PartyLink.objects.values().get().values())
    logged = " ".join(str(entry) for entry in AuditEntry.objects.values_list("detail", "object_label"))
    assert len(issued.token) == 43 and len(issued.code) == 6
    for secret in (issued.token, issued.code):
        assert secret not in kept
        assert secret not in logged


def test_page_shows_address_and_code_once(cast, row, as_user):
    client, url = as_user("planner"), reverse("projects:link-create", args=[row.pk])
    data = {"submission_key": new_key(), "party": row.contractor_id, "last_day": "2026-06-17"}
    first = client.post(url, data)
    page = first.content.decode()
    assert re.search(r"/r/[\w-]{43}/", page) and re.search(r"once-code\">\d{6}<", page)
    assert "no-store" in first["Cache-Control"]
    again = client.post(url, data).content.decode()
    assert "只显示一次，不能再次查看" in again and not re.search(r"/r/[\w-]{43}/", again)
    assert row.links.count() == 1
    detail = client.get(row.get_absolute_url()).content.decode()
    assert not re.search(r"/r/[\w-]{43}/", detail)


@pytest.mark.parametrize("day, words", [("2026-06-09", "有效期应在"), ("2026-08-10", "有效期应在"), ("", "这个字段")])
def test_link_lives_within_limits(row, as_user, day, words):
    url = reverse("projects:link-create", args=[row.pk])
    data = {"submission_key": new_key(), "party": row.contractor_id, "last_day": day}
    page = as_user("bureau").post(url, data).content.decode()
    assert (words in page or "必填" in page) and not row.links.exists()


def test_link_goes_to_a_party_of_this_project_alone(cast, row, as_user):
    stranger = make_party(make_project(cast.locality))
    url = reverse("projects:link-create", args=[row.pk])
    as_user("bureau").post(url, {"submission_key": new_key(), "party": stranger.pk, "last_day": "2026-06-17"})
    assert not row.links.exists()


def test_new_link_takes_the_old_one_back(cast, project, row, issued, outside):
    again = create_link(row, party=project.parties.get(role="contractor"), actor=cast.bureau, last_day=WEEK)
    old, new = outside.get(at(issued)), outside.get(at(again))
    assert (old.status_code, new.status_code) == (410, 200)
    assert "此链接已作废" in old.content.decode()


def test_who_may_send_and_take_back(cast, row, issued, as_user):
    url = reverse("projects:link-revoke", args=[row.pk, issued.link.pk])
    for who, status in {"leader": 403, "other_unit_officer": 404, "foreign": 404, "anonymous": 302}.items():
        assert as_user(who).post(url).status_code == status, who
    assert as_user("unit_officer").get(url).status_code == 405
    assert as_user("unit_officer").post(url).status_code == 302
    assert as_user("unit_officer").post(url).status_code == 403, "taken back already"
    with pytest.raises(Refused):
        create_link(row, party=row.contractor, actor=cast.leader, last_day=WEEK)


# --- opened ---------------------------------------------------------------------------------------------------------


def test_before_the_code_nothing_of_the_matter_is_told(cast, project, row, issued, outside):
    page = outside.get(at(issued)).content.decode()
    for secret in (row.number, project.name, project.number, row.text, cast.locality.name, row.contractor.name):
        assert secret not in page
    photo = at(issued, "photo", pk=row.photos.get().pk)
    assert outside.get(photo).status_code == 404


def test_party_sees_its_one_matter_and_nothing_else(cast, project, row, issued, outside):
    other = raise_one(cast, project, text="另一项：栏杆高度不足。")
    elsewhere = make_project(cast.locality, name="另一个项目", units=[cast.unit])
    enter_reply(other, actor=cast.unit_officer, text="别人的回复", signed_as="王五")
    page = enter(outside, issued).get(at(issued)).content.decode()
    for told in (row.number, project.name, row.text, row.basis, "示例施工公司"):
        assert told in page
    people = [cast.planner.name, cast.lead.name, cast.unit_officer.name, cast.department.name, cast.bureau.name]
    others = [other.number, other.text, elsewhere.name, "别人的回复", "示例建设公司", "李四", "张三", cast.unit.name]
    for secret in (*people, *others, cast.team.name, cast.institution.name, project.number, "13800000001"):
        assert secret not in page, secret
    links = set(re.findall(r'(?:href|src|action)="([^"]+)"', page))
    assert all(link.startswith(("/static/", "/r/", "#main")) for link in links), links


def test_photos_of_this_matter_alone(cast, project, row, issued, outside):
    other = raise_one(cast, project)
    enter(outside, issued)
    own = outside.get(at(issued, "photo", pk=row.photos.get().pk))
    assert (own.status_code, own["Content-Type"]) == (200, "image/jpeg")
    assert outside.get(at(issued, "photo", pk=other.photos.get().pk)).status_code == 404


def test_what_reinspection_found_is_told(cast, row, issued, outside):
    enter_reply(row, actor=cast.unit_officer, text="已整改。", signed_as="张三")
    row.refresh_from_db()
    reinspect(row, actor=cast.planner, passed=False, text="东侧仍未改。")
    page = enter(outside, issued).get(at(issued)).content.decode()
    assert "复查未通过：东侧仍未改。" in page


def test_opening_spends_nothing_and_asks_no_login(issued, outside):
    for _ in range(5):
        assert outside.get(at(issued)).status_code == 200
    issued.link.refresh_from_db()
    assert (issued.link.used_at, issued.link.tries_left) == (None, 5)


def pages(issued, client, row):
    yield client.get(at(issued))
    yield client.get(at(issued, "photo", pk=row.photos.get().pk))
    yield client.get(at(issued, "done"))
    yield client.get(reverse("party:link", kwargs={"token": "x" * 43}))


def test_every_answer_is_uncached_unindexed_and_tells_no_address(row, issued, outside):
    client = enter(outside, issued)
    for response in pages(issued, client, row):
        assert response["Cache-Control"] == "private, no-store"
        # The origin at most: the path holds the token.
        assert response["Referrer-Policy"] == "strict-origin"
        assert "noindex" in response["X-Robots-Tag"]
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
    cookie = client.cookies[party_links_cookie()]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (at(issued), True, "Strict")


def party_links_cookie():
    from projects.views.party import COOKIE

    return COOKIE


def test_unknown_link_is_a_plain_word_and_bad_forms_of_one_are_no_page(outside):
    answer = outside.get(reverse("party:link", kwargs={"token": "A" * 43}))
    assert (answer.status_code, "不存在的链接" in answer.content.decode()) == (404, True)
    for path in ("/r/short/", "/r/" + "A" * 42 + "%00/", "/r/" + "A" * 44 + "/", "/r/../admin/"):
        assert outside.get(path).status_code == 404


# --- guesses --------------------------------------------------------------------------------------------------------


def wrong(issued):
    return f"{(int(issued.code) + 1) % 10**6:06d}"


def test_five_wrong_codes_lock_the_link_and_its_sender_is_told(cast, issued, outside):
    left = [post(outside, issued, "code", {"code": wrong(issued)}) for _ in range(5)]
    assert [response.status_code for response in left] == [200, 200, 200, 200, 410]
    assert "还可以再试 4 次" in left[0].content.decode()
    assert "此链接已锁定" in left[4].content.decode()
    right = outside.post(at(issued, "code"), {"code": issued.code})
    assert right.status_code in {403, 410}
    with pytest.raises(LinkClosed):
        try_code(issued.link, issued.code)
    assert Notification.objects.filter(user=cast.planner, kind="partylink.locked").count() == 1
    assert AuditEntry.objects.filter(action="partylink.wrong_code", result="refused").count() == 5


def test_new_browser_gives_no_new_tries(issued):
    for _ in range(4):
        post(Client(enforce_csrf_checks=True), issued, "code", {"code": wrong(issued)})
    issued.link.refresh_from_db()
    assert issued.link.tries_left == 1


def test_right_code_costs_no_try_however_it_is_typed(issued):
    for typed in (issued.code, f" {issued.code[:3]} {issued.code[3:]} ", issued.code.translate(FULL)):
        assert post(Client(enforce_csrf_checks=True), issued, "code", {"code": typed}).status_code == 302
    issued.link.refresh_from_db()
    assert issued.link.tries_left == 5


FULL = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.mark.parametrize("typed", ["", " ", "abc", "\x00", "9" * 400, "'; --", "<b>"])
def test_nonsense_for_a_code_is_no_crash(issued, outside, typed):
    assert post(outside, issued, "code", {"code": typed}).status_code == 200


def test_proof_of_one_link_opens_no_other(cast, project, row, issued, outside):
    enter(outside, issued)
    other = create_link(row, party=project.parties.get(role="builder"), actor=cast.planner, last_day=WEEK)
    outside.cookies[party_links_cookie()]["path"] = "/"
    page = outside.get(at(other)).content.decode()
    assert "输入校验码" in page and row.text not in page


def test_forged_and_old_proofs_ask_for_the_code_again(row, issued, outside, noon):
    enter(outside, issued)
    noon.move_to("2026-06-10 15:00:00+08:00")
    assert row.text not in outside.get(at(issued)).content.decode(), "two hours are over"
    outside.cookies[party_links_cookie()] = "eyJsaW5rIjoxfQ:forged:forged"
    assert row.text not in outside.get(at(issued)).content.decode()


# --- answered -------------------------------------------------------------------------------------------------------


def test_reply_with_photos_reaches_the_planner(cast, row, issued, outside):
    before = row.photos.get()
    data = {**REPLY, f"beside_{before.pk}": picture("后.jpg"), "photos": [picture("二.jpg", "green")]}
    answered = post(enter(outside, issued), issued, "reply", data)
    assert (answered.status_code, answered["Location"]) == (302, at(issued, "done"))
    receipt = outside.get(at(issued, "done")).content.decode()
    assert "回复已收到" in receipt and row.number in receipt
    row.refresh_from_db()
    reply = row.replies.get()
    assert (row.state, reply.link, reply.by, reply.signed_as) == ("replied", issued.link, None, "张三")
    assert (before.answered_by.count(), reply.photos.count()) == (1, 2)
    assert Notification.objects.filter(user=cast.planner, kind="rectification.replied").count() == 1
    entry = AuditEntry.objects.get(action="rectification.answer")
    assert (entry.actor, entry.detail["party"], entry.locality_code) == (None, "示例施工公司", "110101")


def test_used_link_answers_nobody_a_second_time(row, issued, outside):
    enter(outside, issued)
    post(outside, issued, "reply", REPLY)
    for client in (outside, Client(enforce_csrf_checks=True)):
        again = client.get(at(issued))
        assert (again.status_code, "此链接已使用" in again.content.decode()) == (410, True)
        assert row.text not in again.content.decode()
    second = outside.post(at(issued, "reply"), {**REPLY, "text": "再说一次"})
    assert second.status_code == 410
    assert row.replies.count() == 1
    assert Client().get(at(issued, "done")).status_code == 410, "the receipt is for the browser that sent it"


def test_expired_link_is_closed_at_midnight(row, issued, outside, noon):
    noon.move_to("2026-06-17 23:59:00+08:00")
    enter(outside, issued)
    noon.move_to("2026-06-18 00:00:00+08:00")
    late = outside.get(at(issued))
    assert (late.status_code, "此链接已过期" in late.content.decode()) == (410, True)
    assert outside.post(at(issued, "reply"), REPLY).status_code == 410
    with pytest.raises(LinkClosed, match="expired"):
        answer(issued.link, **REPLY)
    assert not row.replies.exists()


def test_link_of_a_settled_matter_says_so(cast, row, issued, outside):
    enter(outside, issued)
    reinspect(row, actor=cast.planner, passed=True, text="现场已改正。")
    over = outside.get(at(issued))
    assert (over.status_code, "此事项已办结" in over.content.decode()) == (410, True)
    with pytest.raises(LinkClosed, match="settled"):
        answer(issued.link, **REPLY)


def test_link_of_a_party_that_left_the_project_is_closed(project, row, issued, outside):
    enter(outside, issued)
    project.parties.filter(role="contractor").update(is_active=False)
    assert outside.get(at(issued)).status_code == 410
    with pytest.raises(LinkClosed, match="revoked"):
        answer(issued.link, **REPLY)


def test_stranger_without_the_code_sends_nothing(row, issued, outside):
    page = post(outside, issued, "reply", {**REPLY, "photos": [picture()]})
    assert (page.status_code, "请先输入校验码" in page.content.decode()) == (403, True)
    assert not row.replies.exists() and not StoredFile.objects.filter(purpose="rectification").exists()


def test_forged_request_is_refused(row, issued, outside):
    enter(outside, issued)
    assert outside.post(at(issued, "reply"), REPLY).status_code == 403
    assert not row.replies.exists()


def test_developer_may_answer_after_the_contractor(cast, project, row, issued, outside):
    other = create_link(row, party=project.parties.get(role="builder"), actor=cast.planner, last_day=WEEK)
    post(enter(outside, issued), issued, "reply", REPLY)
    post(enter(outside, other), other, "reply", {**REPLY, "signed_as": "李四"})
    row.refresh_from_db()
    assert (row.state, row.replies.count()) == ("replied", 2)


# --- hostile --------------------------------------------------------------------------------------------------------

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HOSTILE = {
    "program": ("现场.jpg", b"MZ" + b"\0" * 600),
    "script": ("现场.svg", SVG),
    "script in disguise": ("现场.jpg", SVG),
    "page": ("现场.jpg", b"<!doctype html><script>alert(1)</script>"),
    "two endings": ("现场.php.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 100),
    "half a picture": ("现场.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 40),
    "empty": ("现场.jpg", b""),
    "pdf": ("现场.jpg", b"%PDF-1.7\n%%EOF"),
    "archive": ("现场.jpg", b"PK\x03\x04" + b"\0" * 100),
}


def test_what_is_no_photo_is_refused_and_the_link_stays_good(row, issued, outside, subtests):
    enter(outside, issued)
    for kind, (name, content) in HOSTILE.items():
        page = post(outside, issued, "reply", {**REPLY, "photos": [picture(), SimpleUploadedFile(name, content)]})
        with subtests.test(kind=kind):
            assert page.status_code == 200
            text = page.content.decode()
            assert "请检查以下内容" in text and REPLY["text"] in text, "what was typed is still there"
            assert not row.replies.exists() and not StoredFile.objects.filter(purpose="rectification").exists()
    assert post(outside, issued, "reply", REPLY).status_code == 302


def test_what_is_kept_is_made_anew_without_where_it_was_taken(row, issued, outside):
    from PIL import Image

    out = __import__("io").BytesIO()
    exif = Image.Exif()
    exif[0x9286] = "secret comment"
    Image.new("RGB", (60, 40), "red").save(out, "JPEG", exif=exif, comment=b"<?php evil ?>")
    upload = SimpleUploadedFile("现场.jpg", out.getvalue() + b"<?php system($_GET[0]); ?>", "image/jpeg")
    post(enter(outside, issued), issued, "reply", {**REPLY, "photos": [upload]})
    kept = StoredFile.objects.get(purpose="rectification")
    assert (kept.mime, kept.uploaded_by) == ("image/jpeg", None)
    assert b"php" not in kept.read() and b"secret" not in kept.read()


def test_too_many_photos_and_too_much_at_once(row, issued, outside, monkeypatch):
    enter(outside, issued)
    many = [picture(f"{n}.jpg") for n in range(10)]
    page = post(outside, issued, "reply", {**REPLY, "photos": many}).content.decode()
    assert "一次最多上传 9 张照片" in page
    monkeypatch.setattr("projects.views.party.MAX_BODY", 1000)
    huge = post(outside, issued, "reply", {**REPLY, "photos": [picture()]})
    assert (huge.status_code, "照片太大" in huge.content.decode()) == (413, True)
    assert not row.replies.exists()


@pytest.mark.parametrize("text", ["", " ", "\x00", "长" * 9000, "<script>alert(1)</script>"])
def test_hostile_words_are_words(row, issued, outside, text):
    answered = post(enter(outside, issued), issued, "reply", {**REPLY, "text": text})
    assert answered.status_code in {200, 302}
    assert "<script>alert(1)" not in answered.content.decode()


def test_extra_fields_change_nothing(cast, project, row, issued, outside):
    data = {
        **REPLY,
        "state": "closed",
        "accepted": "1",
        "rectification": "1",
        "by": str(cast.bureau.pk),
        "kind": "reinspection",
    }
    post(enter(outside, issued), issued, "reply", data)
    row.refresh_from_db()
    reply = row.replies.get()
    assert (row.state, reply.kind, reply.accepted, reply.by) == ("replied", "reply", None, None)


def test_original_of_another_matter_is_no_field_here(cast, project, row, issued, outside):
    other = raise_one(cast, project)
    data = {**REPLY, f"beside_{other.photos.get().pk}": picture()}
    post(enter(outside, issued), issued, "reply", data)
    assert not row.replies.get().photos.exists()


# --- afterwards -----------------------------------------------------------------------------------------------------


def test_link_that_ran_out_unused_is_told_once(cast, issued, noon):
    noon.move_to("2026-06-18 06:35:00+08:00")
    for _ in range(2):
        field_sweeps.sweep(date(2026, 6, 18))
    assert Notification.objects.filter(user=cast.planner, kind="partylink.expired").count() == 1


def test_reply_by_link_still_stands_before_acceptance_until_reinspected(project, row, issued, outside):
    post(enter(outside, issued), issued, "reply", REPLY)
    assert list(open_rectifications(project)) == [row]


def test_waiver_takes_the_link_back(cast, row, issued, outside):
    from projects.services.rectifications import waive

    decide(cast, review__waiver_by="[bureau]")
    waive(row, actor=cast.bureau, reason="该处已拆除")
    issued.link.refresh_from_db()
    assert issued.link.revoked_at is not None
    assert outside.get(at(issued)).status_code == 410


# --- two at once ----------------------------------------------------------------------------------------------------


def race(acts):
    """Each act on its own connection, begun together; what each ended with."""
    gate, ended = threading.Barrier(len(acts)), []

    def run(act):
        try:
            with contextlib.suppress(threading.BrokenBarrierError):
                gate.wait(10)
            act()
            ended.append("done")
        except LinkClosed as closed:
            ended.append(closed.standing)
        except Exception as error:  # what the control of a race ends with
            ended.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(ended)


@pytest.fixture
def at_once(transactional_db):
    cast = make_cast()
    project = site(cast)
    row = raise_one(cast, project)
    return row, create_link(row, party=row.contractor, actor=cast.planner, last_day=TODAY + timedelta(days=7))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_replies_at_once_one_counts(at_once):
    row, _issued = at_once
    links = [PartyLink.objects.select_related("rectification__project", "party").get() for _ in range(2)]
    ended = race([lambda link=link: answer(link, **REPLY, uploads=[Upload(picture())]) for link in links])
    assert ended == ["done", "used"]
    assert RectificationReply.objects.filter(rectification=row).count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_without_lock_and_mark_both_get_as_far_as_the_constraint(at_once, monkeypatch):
    _row, _issued = at_once
    gate = threading.Barrier(2)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **kwargs: self)

    def unspent(link):
        gate.wait(10)
        return True

    monkeypatch.setattr(party_links, "_spend", unspent)
    links = [PartyLink.objects.select_related("rectification__project", "party").get() for _ in range(2)]
    ended = race([lambda link=link: answer(link, **REPLY) for link in links])
    assert ended == ["ValidationError", "done"], "the database's own constraint is the last wall"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_share_no_try(at_once):
    _row, issued = at_once
    links = [PartyLink.objects.select_related("rectification__locality", "party").get() for _ in range(8)]
    race([lambda link=link: try_code(link, wrong(issued)) for link in links])
    assert PartyLink.objects.get().tries_left == 0
    assert AuditEntry.objects.filter(action="partylink.wrong_code").count() == 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_reply_and_closing_at_once_end_in_one_state(at_once):
    row, _issued = at_once
    planner = row.raised_by.user
    link = PartyLink.objects.select_related("rectification__project", "party").get()
    ended = race([
        lambda: answer(link, **REPLY),
        lambda: reinspect(Rectification.objects.get(pk=row.pk), actor=planner, passed=True, text="现场已改正。"),
    ])  # fmt: skip
    row.refresh_from_db()
    kinds = list(row.replies.values_list("kind", flat=True))
    assert (row.state, kinds) in [
        ("closed", ["reinspection"]),
        ("replied", ["reply"]),
        ("closed", ["reply", "reinspection"]),
    ]
    assert "done" in ended and not {"OperationalError", "IntegrityError"} & set(ended)
