"""施工巡查 from the phone: begun, each finding kept at once, photos pinned, handed in with what is to be mended."""

from __future__ import annotations

import io
from datetime import date
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from core.errors import Refused
from core.files import store_generated, store_photo
from core.idempotency import new_key
from factories import make_cast, make_log, make_policy_version, make_project
from factories_review import make_party
from projects.models import ProjectFile, ProjectFileVersion, Rectification, Recusal
from projects.services.rectifications import open_rectifications
from worklogs.models import FindingPhoto, Inspection, LogPhoto, WorkLog
from worklogs.services.entries import Entry
from worklogs.services.inspections import (
    Pin,
    add_finding,
    attach_inspection,
    change_finding,
    pin_photo,
    plans_of,
    remove_finding,
    start_inspection,
)
from worklogs.services.logs import confirm_log, correct_log, edit_log, return_log, submit_log, withdraw_log

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 10)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to("2026-06-10 12:00:00+08:00", tick=False)


@pytest.fixture
def project(cast):
    made = make_project(cast.locality, name="景山口袋公园提升", units=[cast.unit], stage="construction")
    make_party(made, "contractor", name="示例施工公司")
    return made


@pytest.fixture
def inspection(cast, project):
    return start_inspection(
        cast.own_planner, actor=cast.planner, project=project, on=TODAY, slot="am", content="主体完工，正在铺装。"
    )


@pytest.fixture
def plan(cast, project):
    return drawing(project, cast.bureau)


def picture(name="现场.jpg", colour="steelblue"):
    out = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), "image/jpeg")


def drawing(project, user, *, title="总平面图", **extra):
    extra = {"kind": ProjectFile.Kind.MAP, **extra}
    document = ProjectFile.objects.create(project=project, title=title, **extra)
    stored, _ = store_photo(picture(f"{title}.jpg", "white"), actor=user)
    return ProjectFileVersion.objects.create(document=document, number=1, file=stored, uploaded_by=user)


def demand(project, **extra):
    return {
        "subject": "node", "text": "檐口比审定方案高出 20 厘米。", "demand": "按审定方案返工。", "basis": "审定方案第 12 页",
        "contractor": project.parties.first(), "due_on": date(2026, 6, 30), **extra,
    }  # fmt: skip


SEEN = {"subject": "appearance", "text": "铺装颜色与样板一致。"}


def browser(cast, who):
    client = Client()
    if who != "anonymous":
        client.force_login(getattr(cast, who), backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client


# --- begun ----------------------------------------------------------------------------------------------------------


def test_inspection_is_one_with_a_draft_log(cast, project, inspection):
    log = inspection.log
    assert (log.kind, log.state, log.project, log.charge, log.planner) == (
        "inspection", "draft", project, cast.unit.charge, cast.own_planner
    )  # fmt: skip
    assert attach_inspection(log, actor=cast.planner) == inspection


def test_same_form_sent_twice_begins_one(cast, project):
    client, url = browser(cast, "planner"), reverse("worklogs:inspection-create")
    data = {
        "submission_key": str(uuid4()),
        "project": project.pk,
        "date": "2026-06-10",
        "slot": "am",
        "content": "主体完工。",
    }
    answers = [client.post(url, data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert (Inspection.objects.count(), WorkLog.objects.count()) == (1, 1)


def test_project_elsewhere_or_served_by_nobody_is_not_inspected(cast):
    elsewhere = make_project(cast.locality, units=[cast.other_unit], stage="construction")
    with pytest.raises(ValidationError) as error:
        start_inspection(cast.own_planner, actor=cast.planner, project=elsewhere, on=TODAY, slot="am", content="看看")
    assert "不在该项目所在的责任单元" in error.value.message_dict["project"][0]
    shown = browser(cast, "planner").get(reverse("worklogs:inspection-projects")).json()
    assert shown["results"] == []


def test_future_and_out_of_term_days_are_refused(cast, project):
    for on in (date(2026, 6, 11), date(2024, 6, 10)):
        with pytest.raises(ValidationError):
            start_inspection(cast.own_planner, actor=cast.planner, project=project, on=on, slot="am", content="看看")
    assert not WorkLog.objects.exists()


def test_planner_in_conflict_does_not_inspect(cast, project):
    Recusal.objects.create(
        project=project, planner=cast.own_planner, ground="declared", reason="亲属任职", recorded_by=cast.bureau
    )
    with pytest.raises(Refused, match="已登记回避"):
        start_inspection(cast.own_planner, actor=cast.planner, project=project, on=TODAY, slot="am", content="看看")


def test_project_of_the_address_is_chosen_only_where_one_serves(cast, project):
    url = reverse("worklogs:inspection-create")
    page = browser(cast, "planner").get(url, {"project": project.pk}).content.decode()
    assert project.name in page
    other = make_project(cast.locality, name="别的单元的项目", units=[cast.other_unit])
    for wanted in (other.pk, "x", "9" * 30, "-1"):
        assert other.name not in browser(cast, "planner").get(url, {"project": wanted}).content.decode()


def test_ordinary_log_becomes_an_inspection_by_its_kind(cast, project):
    log = make_log(
        cast.own_planner, cast.unit.charge, cast.contract, TODAY, kind="inspection", state="draft", project=project
    )
    other = make_log(
        cast.own_planner, cast.unit.charge, cast.contract, TODAY, kind="survey", state="draft", project=project
    )
    assert attach_inspection(log, actor=cast.planner).log == log
    with pytest.raises(Refused):
        attach_inspection(other, actor=cast.planner)


# --- collected ------------------------------------------------------------------------------------------------------


def test_finding_with_pinned_photo_through_the_page(cast, project, inspection, plan):
    client, url = browser(cast, "planner"), reverse("worklogs:finding-create", args=[inspection.pk])
    key = str(uuid4())
    for _ in range(2):
        answer = client.post(url, {
            "submission_key": key, "subject": "node", "text": "檐口高出 20 厘米。", "plan": plan.pk, "x": "３２.5", "y": "60",
            "mend": "on", "demand": "按审定方案返工。", "contractor": project.parties.first().pk, "due_on": "2026/6/30",
            "photos": [picture(), picture("二.jpg", "green")],
        })  # fmt: skip
        assert answer.status_code == 302
    finding = inspection.findings.get()
    assert (finding.demand, finding.due_on) == ("按审定方案返工。", date(2026, 6, 30))
    assert [(kept.plan, kept.x, kept.y) for kept in finding.photos.all()] == [(plan, 325, 600)] * 2
    assert LogPhoto.objects.filter(log=inspection.log).count() == 2, "evidence of the log as well"


def test_refused_form_loses_no_photo(cast, inspection):
    client, url = browser(cast, "planner"), reverse("worklogs:finding-create", args=[inspection.pk])
    key = str(uuid4())
    page = client.post(url, {"submission_key": key, "text": "檐口高出。", "photos": [picture()]}).content.decode()
    assert "请选择类别" in page and "刚上传的照片 1" in page and "檐口高出。" in page
    client.post(url, {"submission_key": key, "subject": "node", "text": "檐口高出。"})
    assert inspection.findings.get().photos.count() == 1


@pytest.mark.parametrize("data, words", [
    ({"mend": "on", "demand": ""}, "请写明整改意见"),
    ({"mend": "on", "demand": "返工"}, "请选择整改单位"),
    ({"mend": "on", "demand": "返工", "due_on": "2026-06-09", "contractor": "own"}, "不能早于巡查日期"),
    ({"mend": "on", "demand": "返工", "contractor": "other"}, "有效的选项"),
    ({"plan": "own"}, "请在图上点一下"),
    ({"plan": "own", "x": "101", "y": "5"}, "100"),
    ({"plan": "own", "x": "-1", "y": "5"}, "0"),
])  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(cast, project, inspection, plan, data, words):
    other = make_party(make_project(cast.locality))
    chosen = {"own": project.parties.first().pk, "other": other.pk}
    sent = {"submission_key": str(uuid4()), "subject": "node", "text": "檐口高出。", **data}
    if "contractor" in sent:
        sent["contractor"] = chosen[sent["contractor"]]
    if "plan" in sent:
        sent["plan"] = plan.pk
    page = (
        browser(cast, "planner").post(reverse("worklogs:finding-create", args=[inspection.pk]), sent).content.decode()
    )
    assert words in page and not inspection.findings.exists()


def test_without_the_tick_nothing_is_demanded(cast, project, inspection):
    sent = {
        "submission_key": str(uuid4()),
        "subject": "node",
        "text": "檐口高出。",
        "demand": "返工",
        "contractor": project.parties.first().pk,
    }
    browser(cast, "planner").post(reverse("worklogs:finding-create", args=[inspection.pk]), sent)
    finding = inspection.findings.get()
    assert (finding.demand, finding.contractor, finding.due_on) == ("", None, None)


def test_drawings_offered_are_pictures_of_this_project_that_everybody_may_see(cast, project, plan):
    drawing(project, cast.bureau, title="涉密图", needs_nda=True)
    drawing(project, cast.bureau, title="方案图", kind=ProjectFile.Kind.SCHEME)
    drawing(make_project(cast.locality), cast.bureau, title="别家图")
    paper = ProjectFile.objects.create(project=project, kind="map", title="文档图")
    pdf = store_generated(b"%PDF-1.4", name="图.pdf", mime="application/pdf", actor=None, purpose="x")
    ProjectFileVersion.objects.create(document=paper, number=1, file=pdf, uploaded_by=cast.bureau)
    newer = ProjectFileVersion.objects.create(
        document=plan.document, number=2, file=plan.file, uploaded_by=cast.bureau, note="改版"
    )
    assert plans_of(project) == [newer]


def test_pin_on_another_drawing_is_refused(cast, project, inspection, plan):
    secret = drawing(project, cast.bureau, title="涉密图", needs_nda=True)
    with pytest.raises(ValidationError, match="可以标注的平面图"):
        add_finding(inspection, actor=cast.planner, values=SEEN, pin=Pin(secret, 10, 10))
    url = reverse("worklogs:inspection-plan", args=[inspection.pk, secret.pk])
    assert browser(cast, "planner").get(url).status_code == 404
    assert (
        browser(cast, "planner").get(reverse("worklogs:inspection-plan", args=[inspection.pk, plan.pk])).status_code
        == 200
    )


def test_pin_moves_and_goes(cast, project, inspection, plan):
    client = browser(cast, "planner")
    url = reverse("worklogs:finding-create", args=[inspection.pk])
    client.post(url, {"submission_key": str(uuid4()), **SEEN, "photos": [picture()]})
    kept = FindingPhoto.objects.get()
    pin = reverse("worklogs:finding-pin", args=[inspection.pk, kept.pk])
    assert client.post(pin, {"plan": plan.pk, "x": "12.3", "y": "99.9"}).status_code == 302
    kept.refresh_from_db()
    assert (kept.plan, kept.x, kept.y) == (plan, 123, 999)
    assert 'cx="12.3%"' in client.get(reverse("worklogs:inspection", args=[inspection.pk])).content.decode()
    client.post(pin, {"plan": ""})
    kept.refresh_from_db()
    assert kept.plan is None


def test_findings_change_and_go_while_in_hand(cast, project, inspection):
    finding = add_finding(inspection, actor=cast.planner, values=demand(project))
    change_finding(finding, actor=cast.planner, values=SEEN)
    finding.refresh_from_db()
    assert (finding.text, finding.demand, finding.contractor) == (SEEN["text"], "", None)
    remove_finding(finding, actor=cast.planner)
    assert not inspection.findings.exists()


def test_photo_of_a_finding_can_be_taken_out(cast, inspection):
    client = browser(cast, "planner")
    client.post(reverse("worklogs:finding-create", args=[inspection.pk]), {
        "submission_key": str(uuid4()), **SEEN, "photos": [picture(), picture("二.jpg", "green")],
    })  # fmt: skip
    finding = inspection.findings.get()
    url = reverse("worklogs:finding-edit", args=[inspection.pk, finding.pk])
    client.post(url, {"submission_key": str(uuid4()), **SEEN, "drop_photo": [finding.photos.first().pk]})
    assert (finding.photos.count(), inspection.log.photos.count()) == (1, 1)


def test_one_picture_may_belong_to_two_findings_and_a_form_sent_twice_gives_it_once(cast, inspection):
    client, create = browser(cast, "planner"), reverse("worklogs:finding-create", args=[inspection.pk])
    for _ in range(2):
        client.post(create, {"submission_key": str(uuid4()), **SEEN, "photos": [picture()]})
    first, second = inspection.findings.all()
    assert (first.photos.count(), second.photos.count()) == (1, 1)
    key, edit = str(uuid4()), reverse("worklogs:finding-edit", args=[inspection.pk, first.pk])
    for _ in range(2):
        client.post(edit, {"submission_key": key, **SEEN, "photos": [picture("二.jpg", "green")]})
    assert first.photos.count() == 2


def test_where_the_policy_has_no_rectification_findings_are_recorded_without_demands(cast, project):
    version = make_policy_version(cast.other_locality, "tongzhou")
    from factories import make_assignment, make_contract

    elsewhere = make_project(cast.other_locality, units=[cast.foreign_unit], stage="construction")
    make_party(elsewhere)
    contract = make_contract(cast.other_locality, planner=cast.foreign_planner, policy_version=version)
    make_assignment(contract, cast.foreign_unit.charge, planner=cast.foreign_planner)
    one = start_inspection(
        cast.foreign_planner, actor=cast.foreign, project=elsewhere, on=TODAY, slot="am", content="看看工地"
    )
    with pytest.raises(ValidationError) as error:
        add_finding(one, actor=cast.foreign, values=demand(elsewhere))
    assert "本地制度对整改未设定" in error.value.message_dict["demand"][0]
    add_finding(one, actor=cast.foreign, values=SEEN)
    assert submit_log(one.log, actor=cast.foreign).state == "submitted"


# --- handed in ------------------------------------------------------------------------------------------------------


def test_handing_in_asks_for_what_is_to_be_mended(cast, project, inspection, plan):
    finding = add_finding(inspection, actor=cast.planner, values=demand(project))
    add_finding(inspection, actor=cast.planner, values=SEEN)
    stored, _ = store_photo(picture(), actor=cast.planner)
    photo = LogPhoto.objects.create(log=inspection.log, file=stored)
    FindingPhoto.objects.create(finding=finding, photo=photo, plan=plan, x=100, y=200)
    submit = reverse("worklogs:inspection-submit", args=[inspection.pk])
    assert browser(cast, "planner").post(submit).status_code == 302
    row = Rectification.objects.get()
    finding.refresh_from_db()
    assert (finding.rectification, row.source_log, row.text) == (row, inspection.log_id, "按审定方案返工。")
    assert (row.raised_on, row.due_on, row.contractor.name) == (TODAY, date(2026, 6, 30), "示例施工公司")
    kept = row.photos.get()
    assert (kept.file, kept.plan, kept.x, kept.y) == (stored, plan, 100, 200)
    assert list(open_rectifications(project)) == [row]
    page = browser(cast, "planner").get(row.get_absolute_url()).content.decode()
    assert reverse("worklogs:inspection", args=[inspection.pk]) in page and 'cx="10%"' in page
    assert (
        reverse("worklogs:inspection", args=[inspection.pk])
        not in browser(cast, "department").get(row.get_absolute_url()).content.decode()
    ), "no link for who may not open it"


def test_ordinary_submission_of_the_log_asks_too(cast, project, inspection):
    add_finding(inspection, actor=cast.planner, values=demand(project))
    assert browser(cast, "planner").post(reverse("worklogs:submit", args=[inspection.log_id])).status_code == 302
    assert Rectification.objects.count() == 1


def test_handed_in_again_nothing_is_asked_twice(cast, project, inspection):
    add_finding(inspection, actor=cast.planner, values=demand(project))
    log = submit_log(inspection.log, actor=cast.planner)
    return_log(log, actor=cast.unit_officer, reason="补照片")
    log.refresh_from_db()
    submit_log(log, actor=cast.planner)
    withdraw_log(log, actor=cast.planner)
    log.refresh_from_db()
    submit_log(log, actor=cast.planner)
    assert Rectification.objects.count() == 1


def test_what_was_asked_for_is_no_longer_changed_here(cast, project, inspection):
    finding = add_finding(inspection, actor=cast.planner, values=demand(project))
    log = submit_log(inspection.log, actor=cast.planner)
    return_log(log, actor=cast.unit_officer, reason="补照片")
    finding.refresh_from_db()
    finding.inspection.log.refresh_from_db()
    for act in (
        lambda: change_finding(finding, actor=cast.planner, values=SEEN),
        lambda: remove_finding(finding, actor=cast.planner),
    ):
        with pytest.raises(Refused, match="已提出整改意见"):
            act()


def test_handed_in_with_all_of_it_or_not_at_all(cast, project, inspection):
    add_finding(inspection, actor=cast.planner, values=demand(project))
    project.parties.update(is_active=False)
    answer = browser(cast, "planner").post(reverse("worklogs:inspection-submit", args=[inspection.pk]), follow=True)
    assert "发现 1：请从本项目的参建单位中选择" in answer.content.decode()
    inspection.log.refresh_from_db()
    assert inspection.log.state == "draft" and not Rectification.objects.exists()


def test_kind_and_project_stay_once_findings_hang_on_them(cast, project, inspection):
    other = make_project(cast.locality, units=[cast.unit])
    for changed in ({"kind": "survey"}, {"project": other}, {"project": None}):
        entry = Entry(**{**vars_of(inspection.log), **changed})
        with pytest.raises(ValidationError, match="不能更改"):
            edit_log(inspection.log, actor=cast.planner, entry=entry)
    edit_log(inspection.log, actor=cast.planner, entry=Entry(**{**vars_of(inspection.log), "content": "改过的概况。"}))
    log = submit_log(inspection.log, actor=cast.planner)
    confirm_log(log, actor=cast.unit_officer)
    log.refresh_from_db()
    with pytest.raises(ValidationError, match="不能更改"):
        correct_log(log, actor=cast.planner, entry=Entry(**{**vars_of(log), "kind": "survey"}), reason="填错")


def vars_of(log):
    entry = Entry.of(log)
    return {name: getattr(entry, name) for name in Entry.__slots__}


def test_correction_shows_what_the_first_version_found(cast, project, inspection):
    add_finding(inspection, actor=cast.planner, values=SEEN)
    log = confirm_log(submit_log(inspection.log, actor=cast.planner), actor=cast.unit_officer)
    version = correct_log(log, actor=cast.planner, entry=Entry(**{**vars_of(log), "slot": "full"}), reason="时段填错")
    page = browser(cast, "planner").get(version.get_absolute_url()).content.decode()
    assert SEEN["text"] in page


def test_draft_that_is_deleted_takes_its_findings_along(cast, project, inspection):
    add_finding(inspection, actor=cast.planner, values=demand(project))
    browser(cast, "planner").post(reverse("worklogs:delete", args=[inspection.log_id]))
    assert not Inspection.objects.exists() and not Rectification.objects.exists()


# --- who ------------------------------------------------------------------------------------------------------------

ROLES = (
    "planner", "lead", "colleague", "unit_officer", "bureau", "other_unit_officer", "foreign", "other_bureau",
    "sysadmin", "anonymous",
)  # fmt: skip
PAGES = {
    # while it is a draft, then handed in
    "inspection": (
        (200, 404, 404, 404, 404, 404, 404, 404, 404, 302),
        (200, 200, 404, 200, 200, 404, 404, 404, 404, 302),
    ),
    "finding-create": (
        (200, 404, 404, 404, 404, 404, 404, 404, 404, 302),
        (403, 403, 404, 403, 403, 404, 404, 404, 404, 302),
    ),
}


@pytest.mark.parametrize("page", PAGES)
def test_page_access(cast, project, inspection, page):
    url = reverse(f"worklogs:{page}", args=[inspection.pk])
    clients = {who: browser(cast, who) for who in ROLES}
    assert tuple(clients[who].get(url).status_code for who in ROLES) == PAGES[page][0]
    submit_log(inspection.log, actor=cast.planner)
    assert tuple(clients[who].get(url).status_code for who in ROLES) == PAGES[page][1]


def test_only_planners_begin_one(cast):
    url = reverse("worklogs:inspection-create")
    found = {who: browser(cast, who).get(url).status_code for who in ROLES}
    assert found == {
        **dict.fromkeys(ROLES, 403), "planner": 200, "lead": 200, "colleague": 200, "foreign": 200, "anonymous": 302,
    }  # fmt: skip


def test_photos_and_findings_of_another_inspection_are_not_reached(cast, project, inspection, plan):
    other = start_inspection(
        cast.colleague_planner, actor=cast.colleague, project=project, on=TODAY, slot="pm", content="另一次巡查"
    )
    finding = add_finding(other, actor=cast.colleague, values=SEEN)
    client = browser(cast, "planner")
    for name, pk in (("finding-edit", finding.pk), ("finding-pin", 1), ("inspection-plan", 10**9)):
        assert client.get(reverse(f"worklogs:{name}", args=[inspection.pk, pk])).status_code == 404
    assert client.post(reverse("worklogs:finding-remove", args=[inspection.pk, finding.pk])).status_code == 404


def test_page_costs_the_same_for_many_findings(cast, project, inspection):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, url = browser(cast, "planner"), reverse("worklogs:inspection", args=[inspection.pk])
    add_finding(inspection, actor=cast.planner, values=demand(project))
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for _ in range(29):
        add_finding(inspection, actor=cast.planner, values=demand(project))
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(one)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_submissions_at_once_ask_once(time_machine):
    import threading

    from django.db import connection

    from core.errors import StaleState

    cast = make_cast()
    project = make_project(cast.locality, units=[cast.unit], stage="construction")
    make_party(project)
    one = start_inspection(
        cast.own_planner, actor=cast.planner, project=project, on=TODAY, slot="am", content="看看工地"
    )
    add_finding(one, actor=cast.planner, values=demand(project))
    logs = [WorkLog.objects.select_related("planner", "project", "charge", "locality").get() for _ in range(2)]
    gate, ended = threading.Barrier(2), []

    def hand_in(log):
        try:
            gate.wait(10)
            submit_log(log, actor=cast.planner)
            ended.append("done")
        except (StaleState, Refused) as error:
            ended.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=hand_in, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ended) == ["StaleState", "done"]
    assert Rectification.objects.count() == 1


def test_pin_needs_the_planner(cast, project, inspection, plan):
    finding = add_finding(inspection, actor=cast.planner, values=SEEN)
    stored, _ = store_photo(picture(), actor=cast.planner)
    kept = FindingPhoto.objects.create(finding=finding, photo=LogPhoto.objects.create(log=inspection.log, file=stored))
    with pytest.raises(Refused):
        pin_photo(kept, actor=cast.lead, pin=Pin(plan, 1, 1))
    assert new_key()
