"""An opinion is handed in, endorsed where the pack asks, frozen, renewed as a version, entered from paper, printed."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from core import audit
from core.errors import Refused, StaleState
from core.jobs import run_one
from core.models import IssuedDocument, Job, Notification
from core.pdf import verify_bytes
from core.tests.undone import undone
from districts.services.policies import apply_demo_overlay
from factories_review import make_answer
from projects.models import Consultation, Opinion
from projects.services.consultees import release
from projects.services.course import withdraw
from projects.services.opinion_documents import file_name, issue_opinion
from projects.services.opinions import (
    ItemGiven,
    Written,
    endorse_opinion,
    enter_paper_opinion,
    renew_opinion,
    return_opinion,
    save_opinion,
    submit_opinion,
    take_back,
)
from projects.tests.review_cases import MONDAY, PDF, WRITTEN, answer, asked, of_planner, on_day, scan_of, write

ROLES = (
    "bureau", "department", "unit_officer", "other_unit_officer", "other_bureau", "planner", "lead", "colleague",
    "foreign", "leader", "city", "sysadmin", "anonymous",
)  # fmt: skip
READERS = {"bureau", "unit_officer", "planner", "lead", "leader", "city"}


@pytest.fixture
def endorsed(cast):
    """The overlay has opinions endorsed by the lead."""
    apply_demo_overlay()
    return cast


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (Written(items=WRITTEN.items), ["请选择总体意见。"]),
        (Written(verdict="agree_after"), ["请至少写一条意见", "请写明综合意见"]),
        (Written(verdict="agree"), ["请写明综合意见"]),
        (Written(verdict="disagree", items=[ItemGiven("", basis="导则")]), ["第 1 条没有写意见。"]),
        (Written(verdict="disagree", items=[ItemGiven("不可行")]), ["第 1 条没有写依据。"]),
    ],
)
def test_what_is_not_whole_is_not_handed_in(cast, written, words):
    row = of_planner(cast)
    with on_day(MONDAY):
        draft = write(row, cast.own_planner, written)
        with pytest.raises(ValidationError) as caught:
            submit_opinion(draft, actor=cast.planner)
    found = "".join(caught.value.messages)
    assert all(word in found for word in words)
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_where_the_pack_asks_for_no_endorsement_it_is_handed_in_at_once(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = answer(row, cast.own_planner)
    assert (opinion.state, opinion.endorsed_by, row.consultees.get().state) == ("submitted", None, "answered")
    assert Notification.objects.filter(user=cast.bureau, kind="opinion.submitted").count() == 1


def test_where_the_pack_asks_the_lead_endorses_first(endorsed, as_user):
    cast = endorsed
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = answer(row, cast.own_planner)
        assert (opinion.state, row.consultees.get().state) == ("endorsing", "asked")
        assert Notification.objects.filter(user=cast.lead, text__contains="请审核").exists()
        assert as_user("bureau").get(opinion.get_absolute_url()).status_code == 404
        with pytest.raises(Refused, match="仅团队领衔规划师可以审核"):
            endorse_opinion(opinion, actor=cast.colleague)
        with pytest.raises(Refused, match="不能审核自己的意见书"):
            endorse_opinion(opinion, actor=cast.planner)
        assert as_user("lead").get(opinion.get_absolute_url()).status_code == 200
        assert as_user("lead").post(reverse("projects:opinion-endorse", args=[opinion.pk])).status_code == 302
        opinion.refresh_from_db()
        assert (opinion.state, opinion.endorsed_by) == ("submitted", cast.lead_planner)
        assert row.consultees.get().state == "answered"
        with pytest.raises((Refused, StaleState)):
            endorse_opinion(opinion, actor=cast.lead)


def test_the_lead_who_was_asked_endorses_nothing_of_their_own(endorsed):
    row = asked(endorsed)
    with on_day(MONDAY):
        assert answer(row, endorsed.lead_planner).state == "submitted"


def test_the_lead_gives_it_back_with_a_reason_and_it_comes_again(endorsed):
    cast = endorsed
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = answer(row, cast.own_planner)
        with pytest.raises(ValidationError, match="请填写原因"):
            return_opinion(opinion, actor=cast.lead, reason="")
        opinion = return_opinion(opinion, actor=cast.lead, reason="依据不足")
        assert (opinion.state, opinion.return_reason) == ("returned", "依据不足")
        save_opinion(row.consultees.get(), actor=cast.planner, written=WRITTEN, revision=opinion.revision)
        opinion.refresh_from_db()
        assert submit_opinion(opinion, actor=cast.planner).state == "endorsing"
        opinion.refresh_from_db()
        assert opinion.return_reason == ""


def test_the_author_takes_it_back_before_it_is_endorsed(endorsed, as_user):
    row = of_planner(endorsed)
    with on_day(MONDAY):
        opinion = answer(row, endorsed.own_planner)
        assert take_back(opinion, actor=endorsed.planner).state == "draft"
        with pytest.raises((Refused, StaleState)):
            take_back(opinion, actor=endorsed.planner)


def test_withdrawn_while_it_waits_for_the_lead_it_goes_back(endorsed):
    row = of_planner(endorsed)
    with on_day(MONDAY):
        opinion = answer(row, endorsed.own_planner)
        withdraw(row, actor=endorsed.bureau, reason="项目取消")
        opinion.refresh_from_db()
        assert (opinion.state, opinion.return_reason) == ("returned", "征询已撤回：项目取消")
        with pytest.raises((Refused, StaleState)):
            endorse_opinion(opinion, actor=endorsed.lead)


MOVES = {
    "submit": (lambda cast, row: submit_opinion(row, actor=cast.planner), {"draft", "returned"}),
    "take_back": (lambda cast, row: take_back(row, actor=cast.planner), {"endorsing"}),
    "endorse": (lambda cast, row: endorse_opinion(row, actor=cast.lead), {"endorsing"}),
    "return": (lambda cast, row: return_opinion(row, actor=cast.lead, reason="x"), {"endorsing"}),
    "renew": (lambda cast, row: renew_opinion(row, actor=cast.planner, reason="x"), {"submitted"}),
    "save": (
        lambda cast, row: save_opinion(
            row.consultee, actor=cast.planner, written=WRITTEN, revision=row.revision, opinion=row
        ),
        {"draft", "returned"},
    ),
}  # fmt: skip


def test_every_move_starts_from_its_states_alone(endorsed, subtests):
    row = of_planner(endorsed)
    with on_day(MONDAY):
        number = write(row, endorsed.own_planner).pk
    for (move, (do, allowed)), state in product(MOVES.items(), Opinion.State.values):
        with subtests.test(move=move, state=state), undone(), on_day(MONDAY):
            values = {"state": state, "verdict": "agree"}
            if state in ("submitted", "superseded"):
                values["submitted_at"] = timezone.now()
                row.consultees.update(state="answered")
            Opinion.objects.filter(pk=number).update(**values)
            opinion = Opinion.objects.get(pk=number)
            if state in allowed:
                do(endorsed, opinion)
                continue
            with pytest.raises((Refused, StaleState)):
                do(endorsed, opinion)
            opinion.refresh_from_db()
            assert opinion.state == state and opinion.items.count() == 2


# --- frozen, and renewed ------------------------------------------------------------------------------------


def test_what_was_submitted_is_never_edited(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = answer(row, cast.own_planner)
        url = reverse("projects:opinion-write", args=[opinion.consultee_id])
        assert as_user("planner").get(url).status_code == 403
        forged = {
            "revision": opinion.revision,
            "items-TOTAL_FORMS": "0",
            "items-INITIAL_FORMS": "0",
            "verdict": "agree",
        }
        assert as_user("planner").post(url, forged).status_code == 403
        autosave = reverse("projects:opinion-autosave", args=[opinion.consultee_id])
        assert as_user("planner").post(autosave, forged).status_code == 403
    assert opinion.items.count() == 2 and Opinion.objects.get().verdict == "agree_after"


def test_a_new_version_says_why_and_takes_over_when_it_is_in(cast):
    row = of_planner(cast)
    Consultation.objects.filter(pk=row.pk).update(feedback_days=5)
    with on_day(date(2026, 6, 3)):
        first = answer(row, cast.own_planner)
        for item in first.items.all():
            make_answer(item)
        Consultation.objects.filter(pk=row.pk).update(state="settled")
    with on_day(date(2026, 6, 10)):
        with pytest.raises(ValidationError, match="请填写原因"):
            renew_opinion(first, actor=cast.planner, reason="")
        second = renew_opinion(first, actor=cast.planner, reason="补充消防依据")
        first.refresh_from_db()
        assert (first.state, second.version, second.items.count()) == ("submitted", 2, 2)
        with pytest.raises(StaleState, match="已有更新的版次"):
            renew_opinion(first, actor=cast.planner, reason="再次")
        submit_opinion(second, actor=cast.planner)
    first.refresh_from_db()
    second.refresh_from_db()
    row.refresh_from_db()
    assert (first.state, second.state, second.supersede_reason) == ("superseded", "submitted", "补充消防依据")
    # Its items are to be answered for anew; what was answered of the first stays where it is.
    assert (row.state, row.feedback_due_on) == ("answered", date(2026, 6, 17))
    assert Opinion.objects.counting().get() == second
    assert first.items.first().answers.count() == 1 and second.items.first().answers.count() == 0


def test_a_new_version_is_endorsed_like_the_first(endorsed):
    cast = endorsed
    row = of_planner(cast)
    with on_day(MONDAY):
        first = endorse_opinion(answer(row, cast.own_planner), actor=cast.lead)
        second = submit_opinion(renew_opinion(first, actor=cast.planner, reason="更正"), actor=cast.planner)
        first.refresh_from_db()
        assert (first.state, second.state) == ("submitted", "endorsing")
        endorse_opinion(second, actor=cast.lead)
    first.refresh_from_db()
    assert first.state == "superseded"


def test_late_is_late_and_still_counts(cast, as_user):
    row = of_planner(cast)
    with on_day(date(2026, 6, 16)):
        opinion = answer(row, cast.own_planner)
        assert "逾期提交" in as_user("bureau").get(opinion.get_absolute_url()).content.decode()
    assert row.consultees.get().state == "answered"


# --- seen by whom -------------------------------------------------------------------------------------------


def test_what_is_handed_in_is_read_by_whoever_sees_the_request(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = answer(row, cast.own_planner)
        found = {who: as_user(who).get(opinion.get_absolute_url()).status_code for who in ROLES}
        seen = {who for who in ROLES[:-1] if Opinion.objects.visible_to(getattr(cast, who)).exists()}
    assert found == {who: 302 if who == "anonymous" else 200 if who in READERS else 404 for who in ROLES}
    assert seen == READERS


def test_nobody_but_author_and_lead_moves_it(cast, as_user, subtests):
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = answer(row, cast.own_planner)
        clients = {who: as_user(who) for who in ROLES if who != "planner"}
        for name in ("take-back", "endorse", "return", "renew", "discard"):
            url = reverse(f"projects:opinion-{name}", args=[opinion.pk])
            found = {who: client.post(url, {"reason": "x"}).status_code for who, client in clients.items()}
            with subtests.test(name=name):
                assert found == {who: 302 if who == "anonymous" else 403 if who in READERS else 404 for who in found}
                opinion.refresh_from_db()
                assert opinion.state == "submitted" and Opinion.objects.count() == 1


# --- on paper -----------------------------------------------------------------------------------------------


def test_a_paper_opinion_is_entered_with_its_scan_as_of_its_day(cast):
    row = of_planner(cast)
    consultee = row.consultees.get()
    with on_day(date(2026, 6, 16)):
        opinion = enter_paper_opinion(
            consultee, actor=cast.bureau, written=WRITTEN, scan=scan_of(cast.bureau), received_on=date(2026, 6, 12)
        )
    row.refresh_from_db()
    assert (opinion.state, opinion.on_paper, opinion.author, opinion.entered_by, row.state) == (
        "submitted", True, cast.own_planner, cast.bureau, "answered",
    )  # fmt: skip
    assert opinion.submitted_at.astimezone(opinion.submitted_at.tzinfo).date() <= date(2026, 6, 12)
    assert audit.history(opinion).filter(action="opinion.paper").get().detail["received_on"] == "2026-06-12"
    assert Notification.objects.filter(user=cast.planner, text__contains="请核对").exists()


@pytest.mark.parametrize("day", [date(2026, 5, 31), date(2026, 6, 17)])
def test_it_came_between_the_request_and_today(cast, day):
    consultee = of_planner(cast).consultees.get()
    with on_day(date(2026, 6, 16)), pytest.raises(ValidationError, match="应在征询之日至今天之间"):
        enter_paper_opinion(
            consultee, actor=cast.bureau, written=WRITTEN, scan=scan_of(cast.bureau), received_on=day
        )  # fmt: skip


def test_it_is_not_entered_beside_what_the_planner_is_writing_or_has_answered(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        draft = write(row, cast.own_planner)
        given = {"actor": cast.bureau, "written": WRITTEN, "received_on": MONDAY}
        with pytest.raises(Refused, match="正在平台撰写"):
            enter_paper_opinion(row.consultees.get(), scan=scan_of(cast.bureau), **given)
        submit_opinion(draft, actor=cast.planner)
        with pytest.raises(Refused):
            enter_paper_opinion(row.consultees.get(), scan=scan_of(cast.bureau), **given)
    assert Opinion.objects.count() == 1


def test_the_planner_corrects_what_was_entered_by_a_new_version(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        paper = enter_paper_opinion(
            row.consultees.get(), actor=cast.bureau, written=WRITTEN, scan=scan_of(cast.bureau), received_on=MONDAY
        )
        own = renew_opinion(paper, actor=cast.planner, reason="录入有误")
        submit_opinion(own, actor=cast.planner)
    paper.refresh_from_db()
    assert (paper.state, own.on_paper) == ("superseded", False)


def test_the_page_enters_it_once_and_keeps_what_was_typed(cast, as_user):
    row = of_planner(cast)
    url = reverse("projects:opinion-paper", args=[row.consultees.get().pk])
    client = as_user("bureau")

    def sent(**extra):
        data = {
            "submission_key": "a" * 20, "received_on": "2026年6月1日", "verdict": "agree_after", "summary": "大体可行",
            "items-TOTAL_FORMS": "1", "items-INITIAL_FORMS": "0", "items-0-text": "首层应开放。",
            "items-0-severity": "must", "items-0-basis": "导则第 12 条",
            "scan": SimpleUploadedFile("意见.pdf", PDF, content_type="application/pdf"), **extra,
        }  # fmt: skip
        return client.post(url, data)

    with on_day(MONDAY):
        wrong = sent(scan=SimpleUploadedFile("意见.pdf", b"MZ\x90\x00\x03", content_type="application/pdf"))
        assert wrong.status_code == 200 and "首层应开放。" in wrong.content.decode()
        assert not Opinion.objects.exists()
        first, second = sent(), sent()
        opinion = Opinion.objects.get()
        assert (first.url, second.status_code) == (opinion.get_absolute_url(), 403)
        scan = reverse("projects:opinion-scan", args=[opinion.pk])
        assert as_user("planner").get(scan).status_code == 200
        assert as_user("other_unit_officer").get(scan).status_code == 404


def test_nobody_enters_their_own_paper(cast):
    """An officer who is a planner too hands it in as a planner."""
    from accounts.roles import Role
    from districts.access import forget_access
    from factories import make_membership

    row = of_planner(cast)
    officer = make_membership(cast.planner, Role.BUREAU, cast.locality, organisation=row.asker)
    cast.planner.active_membership_id = officer.pk
    cast.planner.save()
    forget_access(cast.planner)
    with on_day(MONDAY), pytest.raises(Refused, match="不能代录自己"):
        enter_paper_opinion(
            row.consultees.get(), actor=cast.planner, written=WRITTEN, scan=scan_of(cast.bureau), received_on=MONDAY
        )


# --- printed ------------------------------------------------------------------------------------------------


def test_the_document_is_issued_once_with_number_and_hash(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        opinion = answer(row, cast.own_planner)
        job = Job.objects.get(kind="projects.opinion_pdf")
        done = run_one(job.pk)
        assert done.state == "done", done.error
        opinion.refresh_from_db()
        document = opinion.document
        assert issue_opinion(opinion.pk, actor=cast.bureau) == document
        assert IssuedDocument.objects.count() == 1
        assert document.number.startswith("YJ-2026-") and len(document.content_hash) == 64
        response = as_user("bureau").get(reverse("projects:opinion-download", args=[opinion.pk]))
        content = b"".join(response.streaming_content)
        assert content.startswith(b"%PDF") and verify_bytes(content).intact
        assert as_user("other_bureau").get(reverse("projects:opinion-download", args=[opinion.pk])).status_code == 404
    # Whoever has the code learns what it is, not who wrote of which project.
    public = str(document.public_summary) + document.title
    assert "雄安路口" not in public and "单小雨" not in public
    assert file_name(opinion) == "雄安路口公共空间提升意见书（单小雨）.pdf"


def test_a_new_version_supersedes_the_document_of_the_first(cast):
    row = of_planner(cast)
    with on_day(MONDAY):
        first = answer(row, cast.own_planner)
        document = issue_opinion(first.pk, actor=cast.bureau)
        second = submit_opinion(renew_opinion(first, actor=cast.planner, reason="更正"), actor=cast.planner)
        later = issue_opinion(second.pk, actor=cast.bureau)
    document.refresh_from_db()
    assert document.superseded_by == later


def test_in_hand_it_is_printed_as_a_draft_without_a_number(cast, as_user):
    row = of_planner(cast)
    with on_day(MONDAY):
        draft = write(row, cast.own_planner)
        asked_for = as_user("planner").post(reverse("projects:opinion-pdf", args=[draft.pk]))
        job = Job.objects.get(kind="projects.opinion_pdf")
        assert asked_for.url == reverse("core:job", args=[job.pk])
        assert run_one(job.pk).state == "done"
    assert not IssuedDocument.objects.exists()
    with pytest.raises(ValueError, match="only a submitted opinion"):
        issue_opinion(draft.pk, actor=cast.planner)


def test_let_off_after_a_colleague_answered_the_rest_counts(cast):
    row = asked(cast, planners=[cast.own_planner, cast.colleague_planner], change_reason="两人负责")
    with on_day(MONDAY):
        answer(row, cast.own_planner)
        release(row.consultees.get(planner=cast.colleague_planner), actor=cast.bureau, reason="已足够")
        row.refresh_from_db()
    assert row.state == "answered"
