"""A row of everything that has a form, in one locality: what the walk over all forms sends its values to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from core.files import store_generated
from core.models import StoredFile
from districts.models import Contact, Membership, PolicyVersion, UnitChange
from districts.policy.schema import load_supplement
from districts.services.policies import apply_demo_overlay, load_policy_files
from districts.services.policy_loading import add_supplement
from evaluations.models import (
    Circular,
    DepartmentResponse,
    FilingPackage,
    Indicator,
    Objection,
    Publication,
    Result,
    Round,
    Sheet,
    SystemReview,
)
from evaluations.models import Inspection as Supervision
from evaluations.services.cycles import open_cycle
from evaluations.services.form_editing import add_question
from evaluations.services.rounds import move_round, open_round
from factories import (
    Cast,
    fill_sheet,
    make_assignment,
    make_contract,
    make_log,
    make_organisation,
    make_project,
    make_round,
)
from factories_review import make_consultation, make_consultee, make_opinion, make_party, make_rectification
from planners.services.teams import add_group
from portal.tests.role_matrix_made import make_adoption, make_outcomes, make_results
from portal.tests.role_matrix_samples import TOKEN
from projects.models import (
    Consultation,
    DataRequest,
    HardQuestion,
    ItemAnswer,
    OpinionDispatch,
    PartyLink,
    ProjectFile,
)
from projects.permissions_disputes import Matter
from projects.services.disputes import file_dispute
from projects.services.party_links import token_hash
from worklogs.models import Inspection
from worklogs.tests.monthly_cases import report_of

# 聊城 三(二) has hard questions; the locality of the walk takes them over by a decision of its own.
QUESTIONS = """\
schema: 1
supplements: beijing-core
decision: {number: 示例1号, date: 2026-01-05, title: 疑难问题, issuer: 示例分局, entered_by: 示例}
effective_from: 2026-01-05
values:
  work.hard_questions: {value: 区政府就疑难问题向责任规划师咨询, summary: 疑难咨询}
"""


def rows_of(cast: Cast) -> dict[str, models.Model]:
    """Beginnings of addresses → the row whose id stands there; the longest beginning counts."""
    place, today = cast.locality, date(2026, 1, 10)
    draft = make_contract(place, planner=cast.own_planner, state="draft", signed_on=None)
    contact = Contact.objects.create(
        organisation=cast.unit.office, unit=cast.unit, duty=Contact._meta.get_field("duty").choices[0][0], name="联系人",
        phone="",
    )  # fmt: skip
    make_assignment(draft, cast.other_unit.charge, planner=cast.own_planner)
    cycle = open_cycle(
        place, actor=cast.bureau, start=date(2025, 1, 1), end=date(2025, 12, 31), due_on=None, today=today
    )
    unsent = make_log(cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 5), state="draft")
    project = make_project(place, units=[cast.unit])
    asked = make_consultation(
        project, asker=cast.contract.signer, asked_by=cast.bureau, planners=(cast.own_planner,), due_on=date(2027, 6, 1)
    )
    free = make_consultation(
        project, asker=cast.contract.signer, asked_by=cast.bureau, planners=(cast.own_planner,), due_on=date(2027, 6, 1)
    )
    meeting = make_consultation(
        project, asker=cast.contract.signer, asked_by=cast.bureau, planners=(cast.own_planner,), way="meeting",
        meeting_at=timezone.now(),
    )  # fmt: skip
    extension = asked.extensions.create(days=3, reason="示例", asked_by=cast.lead)
    other = make_consultation(project, asker=cast.contract.signer, asked_by=cast.bureau, state="answered")
    answered = make_opinion(make_consultee(other, cast.own_planner, state="answered"))
    rows: dict[str, Any] = {
        "districts/units/": cast.unit, "districts/contacts/": contact, "districts/organisations/": cast.unit.office,
        "districts/memberships/": Membership.objects.get(user=cast.unit_officer), "planners/": cast.own_planner,
        "planners/institutions/": cast.institution, "planners/teams/": cast.team, "planners/contracts/": cast.contract,
        "planners/contracts/<int:pk>/edit": draft, "planners/contracts/<int:pk>/sign": draft,
        "planners/contracts/<int:pk>/cancel": draft, "planners/members/": cast.team.members.first(),
        "planners/assignments/": cast.assignment, "projects/": project,
        "projects/consultations/": asked, "projects/consultees/": asked.consultees.get(),
        "projects/consultations/<int:pk>/extend": free, "projects/consultations/<int:pk>/meeting": meeting,
        "projects/consultations/<int:pk>/move": meeting, "projects/extensions/": extension,
        "projects/opinions/": answered,
        "worklogs/": unsent,
        "evaluations/": cycle, "evaluations/reports/": cycle.reports.get(author=cast.own_planner),
        "accounts/people/": cast.planner, "worklogs/monthly/": report_of(cast),
    }  # fmt: skip
    rows |= _field(cast)
    for step, state in {"correct": "confirmed", "confirm": "submitted", "return": "submitted"}.items():
        rows[f"worklogs/<int:pk>/{step}"] = make_log(
            cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 6), state=state, slot="am"
        )  # fmt: skip
    add_group(cast.team, actor=cast.bureau, name="第1小组")
    return {**rows, **_of_projects(cast), **_of_followup(cast), **_of_evaluations(cast)}


def _of_projects(cast: Cast) -> dict[str, models.Model]:
    """What hangs on a project: a stage under a pack that has a vote, a file, a date, a recusal, requests for data."""
    load_policy_files(only={"chengdu"})
    project = make_project(cast.locality, units=[cast.unit], stage="scheme")
    stage = project.stages.get()
    stage.policy_version = PolicyVersion.objects.filter(pack__slug="chengdu").first()
    stage.save()
    stored = store_generated(b"example", name="示例.jpg", mime="image/jpeg", actor=cast.bureau, purpose="example")
    document = ProjectFile.objects.create(project=project, kind="scheme", title="示例方案")
    document.versions.create(number=1, file=stored, uploaded_by=cast.bureau)
    return {
        "projects/stages/": stage, "projects/files/": document,
        "projects/parties/": project.parties.create(role="builder", name="示例单位"),
        "projects/dates/": project.key_dates.create(title="开工", day=date(2026, 5, 1)),
        "projects/recusals/": project.recusals.create(
            planner=cast.colleague_planner, ground="other", reason="示例", recorded_by=cast.bureau
        ),
        "projects/data-requests/": DataRequest.objects.create(
            locality=cast.locality, planner=cast.own_planner, what="示例资料", purpose="示例用途"
        ),
        "projects/<int:pk>/reopen": make_project(cast.locality, units=[cast.unit], stage="done"),
    }  # fmt: skip


def _field(cast: Cast) -> dict[str, models.Model]:
    """A rectification in hand and one that was answered, a dispute, an inspection, a link of a stranger."""
    project = make_project(cast.locality, units=[cast.unit])
    contractor = make_party(project)
    opened = make_rectification(project, raised_by=cast.own_planner, contractor=contractor)
    answered = make_rectification(project, raised_by=cast.own_planner, contractor=contractor, state="replied")
    PartyLink.objects.create(
        rectification=opened, party=contractor, token_hash=token_hash(TOKEN), code_hash="x", created_by=cast.bureau,
        expires_at=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    dispute = file_dispute(Matter(project), actor=cast.bureau, title="示例分歧", text="示例理由", raised_for="示例单位")
    log = make_log(
        cast.own_planner, cast.unit.charge, cast.contract, date(2026, 3, 4), state="draft", kind="inspection",
        project=project,
    )  # fmt: skip
    return {
        "projects/rectifications/": opened, "projects/rectifications/<int:pk>/reinspect": answered,
        "projects/disputes/": dispute, "worklogs/inspections/": Inspection.objects.create(log=log),
    }  # fmt: skip


def _of_followup(cast: Cast) -> dict[str, models.Model]:
    """What became of opinions: an answer, letters on their way, a question; an opinion that no letter carries yet."""
    base = PolicyVersion.objects.get(pack__slug="beijing-core", supplements=None)
    add_supplement(base, actor=cast.bureau, supplement=load_supplement(QUESTIONS))
    make_organisation(cast.locality, "government", name="示例区政府")
    make_adoption(_people(cast), cast.unit, _file(cast))
    owed = Consultation.objects.get(number="ZX-示例")
    started, alone = (
        make_consultation(owed.project, asker=owed.asker, asked_by=cast.department, state="answered") for _ in range(2)
    )
    sent = OpinionDispatch.objects.create(
        locality=owed.locality, consultation=started, number="HG-示例二", office_number="示例〔2026〕1号", text="示例",
        made_by=cast.bureau,
    )  # fmt: skip
    sent.steps.create(step=1, side="bureau", act="示例")
    for each in (started, alone):
        make_opinion(make_consultee(each, cast.own_planner, state="answered"))
    return {
        "projects/consultations/<int:pk>/adoption": owed, "projects/consultations/<int:pk>/dispatch": alone,
        "projects/consultations/<int:pk>/withdraw-answered": alone, "projects/answers/": ItemAnswer.objects.get(),
        "projects/dispatches/": owed.dispatch, "projects/dispatches/<int:pk>/steps/": sent,
        "projects/questions/": HardQuestion.objects.get(),
    }  # fmt: skip


def _of_evaluations(cast: Cast) -> dict[str, models.Model]:
    """Rounds being prepared, filled in, deliberated, told to their subjects, in effect, with what belongs to each."""
    apply_demo_overlay()
    people, file = _people(cast), _file(cast)
    today = timezone.localdate()
    filling = open_round(make_round(cast.locality, actor=cast.bureau, today=today), actor=cast.bureau, today=today)
    if filling.state == Round.State.SELF_REPORT:
        filling = move_round(filling, "start_scoring", actor=cast.bureau, today=today)
    new = make_round(cast.locality, actor=cast.bureau, year=2026, today=today)
    own = fill_sheet(filling.sheets.filter(unit=cast.unit).earliest("pk"), cast.unit_officer, submit=False)
    make_results(people, cast.locality)
    make_outcomes(people, cast.locality, cast.unit, file)
    rounds = {row.state: row for row in Round.objects.order_by("pk")}
    Round.objects.filter(pk=rounds["published"].pk).update(rules=filling.rules)
    form = new.steps.earliest("number").forms.get(direction="planner")
    add_question(form, actor=cast.bureau, title="示例问题", note="", is_required=False, revision=form.revision)
    told = Round.objects.create(
        locality=cast.locality, policy_version=filling.policy_version, scope="planner", title="示例告知",
        period_kind="other", start=date(2018, 1, 1), end=date(2018, 12, 31), state="notice", prepared_by=cast.bureau,
        opened_at=timezone.now(), objections_until=timezone.localdate() + timedelta(days=9),
    )  # fmt: skip
    subject = told.subjects.create(
        direction="planner", key="told", label="示例", planner=cast.own_planner, contract=cast.contract
    )
    result = Result.objects.create(subject=subject, state="settled")
    taken = Objection.objects.create(
        result=Result.objects.create(subject=told.subjects.create(
            direction="planner", key="taken", label="示例二", planner=cast.colleague_planner, contract=cast.contract
        ), state="settled"),
        raised_by=cast.colleague, grounds="示例", state="reviewing", reviewer=cast.leader,
    )  # fmt: skip
    circular = Circular.objects.create(
        locality=cast.locality, title="示例通报", start=date(2019, 1, 1), end=date(2019, 12, 31), text="示例",
        made_by=cast.bureau,
    )  # fmt: skip
    return {
        "evaluations/rounds/": new, "evaluations/rounds/<int:pk>/pause": filling,
        "evaluations/rounds/<int:pk>/steps/": filling, "evaluations/rounds/<int:pk>/sheets/": filling,
        "evaluations/rounds/<int:pk>/deliberation": rounds["deliberation"],
        "evaluations/rounds/<int:pk>/results/": rounds["deliberation"],
        "evaluations/rounds/subjects/": new.subjects.filter(direction="planner").earliest("pk"),
        "evaluations/rounds/raters/": own, "evaluations/sheets/": own,
        "evaluations/results/": Result.objects.get(subject__round=rounds["deliberation"]),
        "evaluations/results/<int:pk>/correct": Result.objects.get(subject__key="example-planner"),
        "evaluations/results/<int:pk>/rewards/": Result.objects.get(subject__key="example-planner"),
        "evaluations/deliberations/": rounds["deliberation"].deliberations.get(), "evaluations/own-results/": result,
        "evaluations/objections/": taken, "evaluations/responses/": DepartmentResponse.objects.get(),
        "evaluations/after/": rounds["published"], "evaluations/publications/": Publication.objects.get(),
        "evaluations/filings/": FilingPackage.objects.get(), "evaluations/reviews/": SystemReview.objects.get(),
        "evaluations/inspections/": Supervision.objects.get(), "evaluations/circulars/": circular,
    }  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """One more form behind an address: another word in the address or after it, another word in what is sent."""

    query: str = ""
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, str] = field(default_factory=dict)


def variants_of(cast: Cast) -> dict[str, list[Variant]]:
    """Addresses with more than one form, by name."""
    scored, asked = (
        Indicator.objects.filter(form__step__round__state="preparation", form__direction="planner", **kind).earliest(
            "pk"
        )
        for kind in ({"kind": "score"}, {"kind": "text"})
    )
    answered, done = (_response(cast, state) for state in ("answered", "done"))
    waiting = Sheet.objects.filter(round__state="scoring", step__number=1, state="waiting").earliest("pk")
    return {
        "districts:unit-change": [Variant(f"?kind={kind}") for kind, _ in UnitChange.Kind.choices],
        "districts:policy-supplement": [Variant(), Variant("?by=file")],
        "evaluations:line-edit": [Variant(kwargs={"code": each.code}) for each in (scored, asked)],
        "evaluations:result-reward": [Variant(kwargs={"number": 0})],
        "evaluations:response": [Variant(), Variant(kwargs={"pk": answered.pk})],
        "evaluations:response-again": [Variant(kwargs={"pk": done.pk}, sent={"reason": "示例"})],
        "evaluations:round-move": [Variant(kwargs={"move": "cancel"})],
        "evaluations:sheet-manage": [
            *(Variant(sent={"act": act}) for act in ("replace", "excuse", "share")),
            Variant(kwargs={"pk": waiting.pk}, sent={"act": "name"}),
            Variant(kwargs={"pk": _closed(cast, waiting).pk}, sent={"act": "reopen"}),
        ],
    }


def _response(cast: Cast, state: str) -> DepartmentResponse:
    subject = Round.objects.get(state="published").subjects.create(
        direction="department", key=state, label=cast.unit.name, unit=cast.unit
    )
    result = Result.objects.create(subject=subject, state="published")
    return DepartmentResponse.objects.create(result=result, state=state, statement="示例", measures="示例")


def _closed(cast: Cast, like: Sheet) -> Sheet:
    """A sheet that was handed in, of a step that has closed."""
    collated = Round.objects.create(
        locality=cast.locality, policy_version=like.round.policy_version, scope="planner", title="示例汇总",
        period_kind="other", start=date(2017, 1, 1), end=date(2017, 12, 31), state="collation", prepared_by=cast.bureau,
        opened_at=timezone.now(),
    )  # fmt: skip
    step = collated.steps.create(number=1, title="示例", state="closed", closed_at=timezone.now())
    subject = collated.subjects.create(
        direction="planner", key="closed", label="示例", planner=cast.own_planner, contract=cast.contract
    )
    return Sheet.objects.create(
        round=collated, step=step, form=step.forms.create(direction="planner", title="示例", state="frozen"),
        subject=subject, side="unit", rater_key="example", rater="示例", unit=cast.unit, state="submitted",
        author=cast.unit_officer, submitted_at=timezone.now(),
    )  # fmt: skip


def _people(cast: Cast) -> dict[str, Any]:
    return {
        "bureau": cast.bureau, "planner": cast.planner, "unit": cast.unit_officer, "lead": cast.lead,
        "department": cast.department, "leader": cast.leader,
    }  # fmt: skip


def _file(cast: Cast) -> StoredFile:
    return store_generated(b"example", name="示例.txt", mime="text/plain", actor=cast.bureau, purpose="example")
