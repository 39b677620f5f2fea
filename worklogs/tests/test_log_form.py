"""The form on a phone: what is sent makes one record or none, and a refused form has lost nothing."""

from __future__ import annotations

import io
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.tests.examples import few
from factories import make_assignment, make_log, make_unit
from worklogs.models import LogPhoto, PendingPhoto, WorkLog
from worklogs.services import photos
from worklogs.services.months import close_month

KEY = str(uuid4())


def jpeg(colour="red", size=(60, 40)) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", size, colour)
    exif = Image.Exif()
    exif[0x0132] = "2026:03:05 09:30:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 55.0, 30.0), 3: "E", 4: (116.0, 23.0, 30.0)})
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def upload(data=None, name="现场.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg() if data is None else data, content_type="image/jpeg")


def sent(cast, **changed) -> dict:
    values = {
        "submission_key": str(uuid4()),
        "date": timezone.localdate().isoformat(),
        "charge": cast.unit.charge_id,
        "slot": "am",
        "kind": "survey",
        "content": "走访黄化门街，核对架空线。",
        **changed,
    }
    return {name: value for name, value in values.items() if value is not None}


@pytest.fixture
def page(client, cast):
    client.force_login(cast.planner)
    return client


def test_form_has_today_and_the_only_charge_ready(page, cast):
    text = page.get("/worklogs/new/").content.decode()
    assert f'value="{timezone.localdate().isoformat()}"' in text
    assert f'value="{cast.unit.charge_id}"' in text
    form = page.get("/worklogs/new/").context["form"]
    assert form["charge"].value() == cast.unit.charge_id


def test_form_submits_in_one_go(page, cast):
    response = page.post("/worklogs/new/", sent(cast, met_principal="on", met_whom="张主任", place="黄化门街"))
    log = WorkLog.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/worklogs/{log.pk}/")
    assert (log.state, log.slot, log.met_principal, log.met_whom, log.created_by) == (
        "submitted",
        "am",
        True,
        "张主任",
        cast.planner,
    )


def test_form_saves_a_draft_nobody_else_sees(page, cast, client):
    page.post("/worklogs/new/", sent(cast, save_draft="1"))
    log = WorkLog.objects.get()
    assert log.state == "draft"
    client.force_login(cast.unit_officer)
    assert client.get(f"/worklogs/{log.pk}/").status_code == 404


@pytest.mark.parametrize(
    "changed, field, words",
    [
        ({"date": "2999-01-01"}, "date", ""),
        ({"date": (timezone.localdate() + timedelta(days=1)).isoformat()}, "date", "不能晚于今天"),
        ({"date": "2024-12-31"}, "date", "聘期内"),
        ({"date": "昨天"}, "date", "无法识别日期"),
        ({"slot": ""}, "slot", "上午、下午或全天"),
        ({"slot": "midnight"}, "slot", ""),
        ({"kind": None}, "kind", "工作类别"),
        ({"content": ""}, "content", "做了什么"),
        ({"content": "长" * 2001}, "content", "2000"),
        ({"content": "含\0空"}, "content", ""),
        ({"charge": "999999"}, "charge", "您负责的"),
        ({"charge": "x"}, "charge", "您负责的"),
        ({"project": "999999"}, "project", "列表"),
        ({"met_whom": "长" * 101}, "met_whom", "100"),
    ],
)
def test_form_refuses_beside_the_field_and_keeps_the_rest(page, cast, changed, field, words):
    response = page.post("/worklogs/new/", sent(cast, place="黄化门街甲一号", **changed))
    form = response.context["form"]
    assert response.status_code == 200
    assert list(form.errors) == [field]
    assert words in form.errors[field][0]
    assert "黄化门街甲一号" in response.content.decode()
    assert not WorkLog.objects.exists()


def test_form_offers_nothing_of_others(page, cast):
    response = page.post("/worklogs/new/", sent(cast, charge=cast.other_unit.charge_id))
    assert list(response.context["form"].errors) == ["charge"]


@pytest.mark.parametrize(
    "extra",
    [{"state": "confirmed"}, {"planner": "1"}, {"confirmed_by": "1"}, {"source_number": "X"}, {"locality": "1"}],
)
def test_form_takes_no_field_it_does_not_show(page, cast, extra):
    page.post("/worklogs/new/", {**sent(cast), **extra})
    log = WorkLog.objects.get()
    assert (log.state, log.planner, log.confirmed_by, log.source_number, log.locality) == (
        "submitted",
        cast.own_planner,
        None,
        "",
        cast.locality,
    )


def test_form_sent_twice_makes_one(page, cast):
    data = sent(cast)
    first, again = page.post("/worklogs/new/", data), page.post("/worklogs/new/", data)
    assert WorkLog.objects.count() == 1
    assert first["Location"] == again["Location"]


def test_form_asks_before_a_second_log_for_the_same_hours(page, cast):
    page.post("/worklogs/new/", sent(cast))
    response = page.post("/worklogs/new/", sent(cast, kind="meeting"))
    assert "已有一条记录" in response.context["form"].errors["accept_same_time"][0]
    assert "仍要保存" in response.content.decode()
    page.post("/worklogs/new/", sent(cast, kind="meeting", accept_same_time="on"))
    assert WorkLog.objects.count() == 2


def test_form_copy_of_the_last_is_for_today(page, cast):
    make_log(
        cast.own_planner,
        cast.unit.charge,
        cast.contract,
        timezone.localdate() - timedelta(days=9),
        content="例行巡查",
        slot="pm",
    )
    form = page.get("/worklogs/new/?copy=last").context["form"]
    assert (form["content"].value(), form["slot"].value(), form["date"].value()) == (
        "例行巡查",
        "pm",
        timezone.localdate(),
    )


def test_form_copy_of_somebody_elses_answers_404(page, cast):
    other = make_log(cast.colleague_planner, cast.unit.charge, cast.contract, timezone.localdate())
    assert page.get(f"/worklogs/new/?copy={other.pk}").status_code == 404
    assert page.get("/worklogs/new/?copy=zzz").status_code == 200


def test_form_offers_a_search_when_charges_are_many(page, cast):
    for number in range(10):
        make_assignment(cast.contract, make_unit(cast.locality, name=f"第{number}街道").charge, team=cast.team)
    assert "data-narrow" in page.get("/worklogs/new/").content.decode()


# --- photos --------------------------------------------------------------------------------------------


def test_photo_is_kept_without_what_the_camera_wrote_into_it(page, cast):
    page.post("/worklogs/new/", sent(cast, photos=[upload()]))
    photo = LogPhoto.objects.get()
    assert (photo.latitude is not None, photo.taken_at is not None) == (True, True)
    response = page.get(f"/worklogs/{photo.log_id}/photos/{photo.pk}/")
    shown = b"".join(response.streaming_content)
    assert not Image.open(io.BytesIO(shown)).getexif()
    assert "39.9" not in page.get(f"/worklogs/{photo.log_id}/").content.decode()


SHOWN_TO = [
    ("planner", 200),
    ("unit_officer", 200),
    ("bureau", 200),
    ("lead", 200),
    ("colleague", 404),
    ("other_unit_officer", 404),
    ("other_bureau", 404),
    ("sysadmin", 404),
]


def test_photo_is_shown_to_those_who_see_the_log(client, cast):
    client.force_login(cast.planner)
    client.post("/worklogs/new/", sent(cast, photos=[upload()]))
    photo = LogPhoto.objects.get()
    for who, status in SHOWN_TO:
        client.force_login(getattr(cast, who))
        assert client.get(f"/worklogs/{photo.log_id}/photos/{photo.pk}/").status_code == status, who


def test_photo_of_another_log_is_not_reached_through_ones_own(page, cast):
    page.post("/worklogs/new/", sent(cast, photos=[upload()]))
    photo = LogPhoto.objects.get()
    other = make_log(cast.own_planner, cast.unit.charge, cast.contract, timezone.localdate())
    assert page.get(f"/worklogs/{other.pk}/photos/{photo.pk}/").status_code == 404


@pytest.mark.parametrize(
    "data, name, words",
    [
        (b"MZ\x90\x00" + b"\0" * 500, "现场.jpg", "不是照片"),
        (jpeg() + b"\0" * (40 * 1024 * 1024), "大.jpg", "超过上限"),
        (jpeg()[:200], "断.jpg", "损坏"),
        (b"", "空.jpg", "空"),
        (b"<svg onload=alert(1)>", "图.svg", ""),
    ],
    ids=["exe", "40MB", "broken", "empty", "svg"],
)
def test_photo_refused_beside_the_field_while_the_good_one_waits(page, cast, data, name, words):
    form = sent(cast, photos=[upload(), SimpleUploadedFile(name, data, content_type="image/jpeg")])
    response = page.post("/worklogs/new/", form)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["photos"]
    assert name in response.context["form"].errors["photos"][0]
    assert words in response.context["form"].errors["photos"][0]
    assert (WorkLog.objects.count(), PendingPhoto.objects.count()) == (0, 1)
    # Sent again without choosing anything, the photo that was good joins the log.
    again = {name: value for name, value in form.items() if name != "photos"}
    page.post("/worklogs/new/", again)
    assert (WorkLog.objects.get().photos.count(), PendingPhoto.objects.count()) == (1, 0)


def test_photo_survives_a_form_refused_for_something_else(page, cast, client):
    form = sent(cast, content="", photos=[upload()])
    response = page.post("/worklogs/new/", form)
    waiting = PendingPhoto.objects.get()
    assert f"/worklogs/pending-photos/{waiting.pk}/" in response.content.decode()
    assert page.get(f"/worklogs/pending-photos/{waiting.pk}/").status_code == 200
    page.post("/worklogs/new/", {**form, "content": "走访", "photos": [upload(jpeg("blue"))]})
    assert WorkLog.objects.get().photos.count() == 2
    client.force_login(cast.colleague)
    assert client.get(f"/worklogs/pending-photos/{waiting.pk}/").status_code == 404


def test_photo_waiting_can_be_taken_back(page, cast):
    form = sent(cast, content="", photos=[upload()])
    page.post("/worklogs/new/", form)
    del form["photos"]
    page.post("/worklogs/new/", {**form, "content": "走访", "drop_pending": PendingPhoto.objects.get().pk})
    assert WorkLog.objects.get().photos.count() == 0


def test_photos_are_nine_at_most(page, cast):
    colours = ["red", "blue", "green", "white", "black", "yellow", "pink", "brown", "grey", "navy"]
    response = page.post("/worklogs/new/", sent(cast, photos=[upload(jpeg(c)) for c in colours]))
    assert "最多 9 张" in response.context["form"].errors["photos"][0]
    assert PendingPhoto.objects.count() == 9


# --- afterwards ----------------------------------------------------------------------------------------


ACTIONS = [
    ("planner", 403, 403, 200),
    ("unit_officer", 302, 200, 403),
    ("bureau", 302, 200, 403),
    ("lead", 403, 403, 403),
    ("leader", 403, 403, 403),
    ("colleague", 404, 404, 404),
    ("other_unit_officer", 404, 404, 404),
    ("other_bureau", 404, 404, 404),
    ("department", 404, 404, 404),
    ("sysadmin", 404, 404, 404),
]


def test_log_actions_by_role(client, cast):
    for who, confirm, back, edit in ACTIONS:
        submitted = make_log(cast.own_planner, cast.unit.charge, cast.contract, timezone.localdate())
        returned = make_log(cast.own_planner, cast.unit.charge, cast.contract, timezone.localdate(), state="returned")
        client.force_login(getattr(cast, who))
        assert client.get(f"/worklogs/{returned.pk}/edit/").status_code == edit, who
        assert client.get(f"/worklogs/{submitted.pk}/return/").status_code == back, who
        assert client.post(f"/worklogs/{submitted.pk}/confirm/").status_code == confirm, who


@pytest.mark.parametrize("path", ["confirm", "return", "withdraw", "edit", "correct", "delete", "submit"])
def test_log_actions_ask_for_a_login(client, cast, path):
    log = make_log(cast.own_planner, cast.unit.charge, cast.contract, timezone.localdate())
    assert client.post(f"/worklogs/{log.pk}/{path}/").status_code == 302
    log.refresh_from_db()
    assert log.state == "submitted"


def test_second_person_is_told_that_it_was_dealt_with(client, cast):
    log = make_log(cast.own_planner, cast.unit.charge, cast.contract, timezone.localdate(), state="confirmed")
    client.force_login(cast.bureau)
    response = client.post(f"/worklogs/{log.pk}/confirm/")
    assert response.status_code in (403, 409)
    assert "已确认" in response.content.decode()


def test_correction_on_the_page_keeps_the_old_version_readable(client, cast):
    log = make_log(
        cast.own_planner, cast.unit.charge, cast.contract, timezone.localdate(), state="confirmed", content="原来的话"
    )
    client.force_login(cast.planner)
    data = sent(cast, content="更正后的话", reason="")
    assert list(client.post(f"/worklogs/{log.pk}/correct/", data).context["form"].errors) == ["reason"]
    response = client.post(f"/worklogs/{log.pk}/correct/", {**data, "reason": "时段记错"})
    version = WorkLog.objects.get(supersedes=log)
    assert response["Location"] == f"/worklogs/{version.pk}/"
    client.force_login(cast.unit_officer)
    client.post(f"/worklogs/{version.pk}/confirm/")
    old = client.get(f"/worklogs/{log.pk}/").content.decode()
    assert "原来的话" in old
    assert "时段记错" in old


def test_closed_month_shows_the_field_for_the_reason(page, cast):
    day = (timezone.localdate().replace(day=1) - timedelta(days=1)).replace(day=10)
    close_month(cast.unit.charge, actor=cast.unit_officer, month=day)
    response = page.post("/worklogs/new/", sent(cast, date=day.isoformat()))
    assert "补报" in response.context["form"].errors["reason"][0]
    assert 'name="reason"' in response.content.decode()
    page.post("/worklogs/new/", sent(cast, date=day.isoformat(), reason="当时出差"))
    assert WorkLog.objects.get().state == "proposed"


_ANYTHING = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "am", "full", "survey", "2026-03-05", "２０２６年３月５日", "on", "0", "-1", "9" * 30, "\0", "𠮷"]
    ),
)


@few
@given(
    data=st.dictionaries(
        st.sampled_from(
            [
                "submission_key",
                "date",
                "charge",
                "slot",
                "kind",
                "content",
                "met_principal",
                "met_whom",
                "place",
                "project",
                "reason",
                "accept_same_time",
                "drop_pending",
                "save_draft",
            ]
        ),
        _ANYTHING,
    )
)
def test_form_never_breaks_and_never_keeps_half(page, cast, data):
    before = WorkLog.objects.count()
    response = page.post("/worklogs/new/", {**sent(cast), **data})
    assert response.status_code in (200, 302, 400)
    made = WorkLog.objects.count() - before
    assert made == (1 if response.status_code == 302 else 0)
    WorkLog.objects.all().delete()


# --- sent twice ------------------------------------------------------------------------------------------


def test_a_draft_saved_twice_with_a_new_photo_has_it_once(page, cast):
    page.post("/worklogs/new/", sent(cast, save_draft="1", photos=[upload()]))
    log = WorkLog.objects.get()
    for _ in range(2):
        form = sent(cast, save_draft="1", submission_key=KEY, photos=[upload(jpeg("blue"))])
        assert page.post(f"/worklogs/{log.pk}/edit/", form).status_code == 302
    assert (log.photos.count(), PendingPhoto.objects.count()) == (2, 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_the_photo_is_kept_once(cast, monkeypatch, together):
    """Both have looked at what waits before either keeps its picture."""
    both = threading.Barrier(2, timeout=10)
    real = photos.store_photo

    def store(*args, **more):
        both.wait()
        return real(*args, **more)

    monkeypatch.setattr(photos, "store_photo", store)

    def post():
        client = Client()
        client.force_login(cast.planner)
        form = sent(cast, submission_key=KEY, photos=[upload()])
        return client.post("/worklogs/new/", form).status_code

    assert together(post, post) == [302, 302]
    assert WorkLog.objects.get().photos.count() == 1


def test_a_picture_that_waits_twice_is_shown_once_and_taken_back_at_once(page, cast):
    form = sent(cast, content="", photos=[upload()])
    page.post("/worklogs/new/", form)
    first = PendingPhoto.objects.get()
    PendingPhoto.objects.create(user=cast.planner, submission_key=first.submission_key, file=first.file)
    del form["photos"]
    shown = page.post("/worklogs/new/", form).context["pending_photos"]
    assert [row.pk for row in shown] == [first.pk]
    page.post("/worklogs/new/", {**form, "content": "走访", "drop_pending": first.pk})
    assert (WorkLog.objects.get().photos.count(), PendingPhoto.objects.count()) == (0, 0)
