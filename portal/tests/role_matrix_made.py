"""What the role matrix needs and the demo does not leave lying about: drafts, jobs, imports, things of a moment."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

from allauth.mfa.models import Authenticator
from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import User
from core.exports import export_response
from core.files import store_generated
from core.imports.batches import check_upload
from core.imports.kinds import EXAMPLE_MARK, KINDS
from core.models import CalendarYear, ImportBatch, Job, StoredFile
from core.notifications import notify
from core.spreadsheets import ExportColumn
from districts.models import Locality, Membership, Organisation, PolicyDecision, PolicyVersion, Unit, UnitChange
from evaluations.models import (
    Circular,
    Cycle,
    Deliberation,
    DepartmentResponse,
    FilingPackage,
    Objection,
    Publication,
    ReportBatch,
    Result,
    Round,
    Subject,
    SystemReview,
)
from evaluations.models import Inspection as Supervision
from evaluations.services.rounds import move_round, open_round
from factories import fill_sheet, make_membership, make_round
from factories_review import make_answer, make_consultation, make_consultee, make_opinion
from planners.models import Contract, Credential
from portal.tests.role_matrix_samples import TOKEN, People, unit_of
from portal.tests.site import PLACE
from projects.models import (
    DataRequest,
    DataRequestFile,
    Dispute,
    HardQuestion,
    KeyDate,
    OpinionDispatch,
    PartyLink,
    Project,
    ProjectFile,
    ProjectFileVersion,
    ProjectParty,
    ProjectStage,
    Rectification,
    RectificationPhoto,
    Recusal,
    SavedFilter,
    StageDecision,
    Vote,
)
from projects.services.party_links import token_hash
from worklogs.models import Inspection, LogFinding, LogPhoto, MonthlyReport, PendingPhoto, WorkLog
from worklogs.services.trials import start_trial


def make_missing_samples(people: People) -> None:
    """One of each, in the demo's locality, by the people who ask there."""
    place, unit = Locality.objects.get(code=PLACE), unit_of(people)
    file = store_generated(
        b"example", name="示例.txt", mime="text/plain", actor=people["bureau"], purpose="example", locality_code=PLACE
    )
    notify([people["planner"]], kind="example", text="示例通知", url="/home/", key="role-matrix")
    CalendarYear.objects.get(year=2026).notices.create(
        number=99, title="示例通知", holidays={}, makeup={}, reason="示例更正", scan=file
    )
    _job(people["bureau"], file)
    _import(people["bureau"])
    _logs(people["planner"], unit, file)
    _decision(people["bureau"], place, file)
    _unit_change(people["bureau"], unit, file)
    Credential.objects.create(
        planner=people["planner"].planner, kind="title", name="示例职称证书", file=file, recorded_by=people["bureau"]
    )
    _field(people, place, unit, file)
    _substitution(people, unit)
    _filling(people, place, unit)
    _project_parts(people, unit, file)
    make_adoption(people, unit, file)
    _review(people, unit, file)
    make_results(people, place)
    make_outcomes(people, place, unit, file)


def _job(bureau: User, file: StoredFile) -> None:
    job = Job.objects.create(
        kind="core.import", label="导入（示例）", requested_by=bureau, locality_code=PLACE, result_file=file
    )
    ReportBatch.objects.create(cycle=Cycle.objects.get(locality__code=PLACE), job=job)


def _import(bureau: User) -> None:
    importer = KINDS["worklogs"]
    row = [column.example.removeprefix(EXAMPLE_MARK) for column in importer.columns]
    heads = [ExportColumn(column.heading) for column in importer.columns]
    sheet = b"".join(export_response(heads, [row], name="示例", title="示例"))
    batch = check_upload(importer, ContentFile(sheet, name="示例.xlsx"), place=PLACE, actor=bureau)
    ImportBatch.objects.filter(pk=batch.pk).update(state=ImportBatch.State.CHECKED)


def _logs(planner: User, unit: Unit, file: StoredFile) -> None:
    own = WorkLog.objects.filter(planner__user=planner, superseded_by=None)
    waiting = own.filter(state__in=["submitted", "confirmed"], charge=unit.charge).latest("date", "pk")
    WorkLog.objects.filter(pk=waiting.pk).update(state="submitted", confirmed_at=None, confirmed_by=None)
    LogPhoto.objects.create(log=waiting, file=file)
    PendingPhoto.objects.create(user=planner, file=file, submission_key=uuid4())
    MonthlyReport.objects.create(
        locality=waiting.locality, contract=waiting.contract, charge=waiting.charge, author=waiting.planner,
        month=date(2026, 2, 1), title="工作月报", state="submitted", submitted_at=timezone.now(),
    )  # fmt: skip
    LogFinding.objects.create(log=waiting, code="overfull", fingerprint="example", facts={"days": 2})
    WorkLog.objects.create(
        locality=waiting.locality, planner=waiting.planner, charge=waiting.charge, charge_name=waiting.charge_name,
        created_by=planner, contract=waiting.contract, date=waiting.date, slot=WorkLog.Slot.DAY,
        kind=WorkLog.Kind.SURVEY, content="示例草稿",
    )  # fmt: skip


def make_results(people: People, place: Locality) -> None:
    """A round being deliberated, with the planner's result and a meeting."""
    planner, bureau = people["planner"].planner, people["bureau"]
    contract = Contract.objects.filter(locality=place, team__members__planner=planner).earliest("pk")
    deliberated = Round.objects.create(
        locality=place, policy_version=contract.policy_version, scope="planner", title="示例评估", period_kind="year",
        start=date(2019, 1, 1), end=date(2019, 12, 31), state="deliberation", prepared_by=bureau, opened_by=bureau,
        opened_at=timezone.now(),
    )  # fmt: skip
    subject = Subject.objects.create(
        round=deliberated, direction="planner", key="example", label=planner.name, sort_key=planner.sort_key,
        contract=contract, planner=planner,
    )  # fmt: skip
    figure = {"value": None, "unset": [], "note": "示例", "parts": []}
    Result.objects.create(
        subject=subject, note="示例", figures={"total": figure, "steps": {}, "sheets": {}, "grading": {"clause": ""}}
    )
    Deliberation.objects.create(
        round=deliberated, body="示例工作组", held_on=date(2026, 2, 1), minutes="示例", recorded_by=bureau
    )


def _project_parts(people: People, unit: Unit, file: StoredFile) -> None:
    """What hangs on the unit's first project; the planner keeps out of another one, so that this one stays open."""
    planner, bureau = people["planner"].planner, people["bureau"]
    first = Project.objects.filter(units=unit).earliest("pk")
    passed = ProjectStage.objects.create(
        project=first, stage="initiation", round=90, state="passed", opened_on=date(2026, 1, 5),
        closed_on=date(2026, 2, 5),
    )  # fmt: skip
    StageDecision.objects.create(
        stage=passed, ground="not_required", decided_on=date(2026, 2, 5), recorded_by=bureau, proof={"rule": {}}
    )
    Vote.objects.create(
        stage=passed, kind="residents", held_on=date(2026, 2, 1), body="居民代表", outcome="通过", scan=file,
        recorded_by=bureau,
    )  # fmt: skip
    ProjectParty.objects.create(project=first, role="builder", name="示例建设单位")
    KeyDate.objects.create(project=first, title="开工", day=date(2026, 5, 1))
    document = ProjectFile.objects.create(project=first, kind="scheme", title="示例方案")
    ProjectFileVersion.objects.create(document=document, number=1, file=file, uploaded_by=bureau)
    other = Project.objects.create(locality=unit.locality, number="RM-1", name="示例回避项目", kind="other")
    other.units.add(unit)
    Recusal.objects.create(project=other, planner=planner, ground="declared", reason="示例", recorded_by=bureau)
    DataRequest.objects.create(locality=unit.locality, planner=planner, what="示例资料", purpose="示例用途")
    given = DataRequest.objects.create(
        locality=unit.locality, planner=planner, what="示例图则", purpose="示例用途", level="internal", state="granted",
        answered_by=bureau, answered_at=timezone.now(),
    )  # fmt: skip
    DataRequestFile.objects.create(request=given, file=file)


def _field(people: People, place: Locality, unit: Unit, file: StoredFile) -> None:
    """An inspection in hand, a rectification with a link, and a dispute, on the unit's project."""
    project = Project.objects.filter(units=unit).order_by("pk")[0]
    planner, today = people["planner"].planner, timezone.localdate()
    kind = project.stage if project.stage != Project.Stage.DONE else Project.Stage.ACCEPTANCE
    stage = project.stages.filter(state="open").first() or ProjectStage.objects.create(
        project=project, stage=kind, opened_on=today
    )
    party = ProjectParty.objects.create(project=project, role="contractor", name="示例施工单位")
    drawing = ProjectFile.objects.create(project=project, kind="map", title="示例平面图")
    picture = StoredFile.objects.create(
        sha256=file.sha256, size=1, mime="image/jpeg", original_name="示例.jpg", purpose="example"
    )
    plan = ProjectFileVersion.objects.create(document=drawing, number=1, file=picture, uploaded_by=people["bureau"])
    pin = {"plan": plan, "x": 100, "y": 100}
    rectification = Rectification.objects.create(
        locality=place, project=project, stage=stage, number="ZG-示例", raised_by=planner, raised_on=today,
        subject="node", text="示例整改意见", contractor=party,
    )  # fmt: skip
    RectificationPhoto.objects.create(rectification=rectification, file=picture, **pin)
    PartyLink.objects.create(
        rectification=rectification, party=party, token_hash=token_hash(TOKEN), code_hash="x",
        expires_at=timezone.now() + timedelta(days=30), created_by=people["planner"],
    )  # fmt: skip
    dispute = Dispute.objects.create(
        locality=place, project=project, stage=stage, number="FQ-示例", title="示例分歧", raised_side="parties",
        raised_by=people["unit"], raised_for="示例单位", filed_on=today, route="示例协调单位",
    )  # fmt: skip
    statement = dispute.statements.create(side="parties", text="示例陈述", by=people["unit"])
    statement.files.create(file=file)
    like = WorkLog.objects.filter(planner=planner, charge=unit.charge).latest("date", "pk")
    log = WorkLog.objects.create(
        locality=place, planner=planner, charge=unit.charge, charge_name=unit.name, contract=like.contract,
        date=like.date, slot=WorkLog.Slot.DAY, kind=WorkLog.Kind.INSPECTION, content="示例巡查", project=project,
        created_by=people["planner"],
    )  # fmt: skip
    found = Inspection.objects.create(log=log).findings.create(position=1, subject="node", text="示例发现")
    found.photos.create(photo=LogPhoto.objects.create(log=log, file=picture), **pin)


def _decision(bureau: User, place: Locality, file: StoredFile) -> None:
    """A supplement in preparation, with its dry run."""
    today = timezone.localdate()
    base = PolicyVersion.objects.filter(pack__scopes__locality=place, kind=PolicyVersion.Kind.ORIGINAL).earliest("pk")
    decision = PolicyDecision.objects.create(
        locality=place, kind=PolicyDecision.Kind.SUPPLEMENT, base=base, number="示例1号", title="示例补充规定",
        issuer="示例分局", date=today, effective_from=today, entered_by=bureau, scan=file,
        values={"deduction.formula": {"value": "larger", "summary": "取大"}},
    )  # fmt: skip
    start_trial(decision, actor=bureau, year=today.year)


def _unit_change(bureau: User, unit: Unit, file: StoredFile) -> None:
    today = timezone.localdate()
    change = UnitChange.objects.create(
        locality=unit.locality, kind=UnitChange.Kind.RENAME, effective=today, document_number="示例2号",
        document_date=today, scan=file, created_by=bureau, settled=timezone.now(),
    )  # fmt: skip
    change.lines.create(predecessor=unit, predecessor_name="示例旧名", successor=unit, successor_name=unit.name)


def _filling(people: People, place: Locality, unit: Unit) -> None:
    """An evaluation of last year that is being filled in, and one of the year before that is being prepared."""
    today = timezone.localdate()
    made = make_round(place, actor=people["bureau"], year=today.year - 1, today=today)
    opened = open_round(made, actor=people["bureau"], today=today)
    if opened.state == Round.State.SELF_REPORT:
        move_round(opened, "start_scoring", actor=people["bureau"], today=today)
    make_round(place, actor=people["bureau"], year=today.year - 2, today=today)
    sheet = opened.sheets.filter(unit=unit).earliest("pk")
    fill_sheet(sheet, people["unit"], submit=False)
    own = opened.sheets.filter(planner=people["planner"].planner).earliest("pk")
    fill_sheet(own, people["planner"])


def _substitution(people: People, unit: Unit) -> None:
    """A colleague without another part in the matrix stands in for the unit's officer."""
    today = timezone.localdate()
    colleague = User.objects.create(username="role-matrix-colleague", name="同事（示例）", locality_code=PLACE)
    Authenticator.objects.create(user=colleague, type="totp", data={})
    office = Organisation.objects.get(pk=unit.office_id)
    make_membership(colleague, "evaluator", unit.locality, organisation=office)
    own = Membership.objects.get(user=people["unit"])
    make_membership(
        colleague, "unit", unit.locality, unit=unit, stands_in_for=own, valid_from=today,
        valid_to=today + timedelta(days=9), reason="休假",
    )  # fmt: skip


def make_adoption(people: People, unit: Unit, file: StoredFile) -> None:
    """An answered request of the department about a project of the unit: one item answered and proven, one owed; its
    letter; a hard question; a saved filter."""
    project = Project.objects.filter(units=unit).earliest("pk")
    body, planner = Membership.objects.get(user=people["department"]).organisation, people["planner"].planner
    stage = project.stages.first() or project.stages.create(stage="scheme", opened_on=date(2026, 1, 1))
    request = make_consultation(
        project, asker=body, asked_by=people["department"], number="ZX-示例", state="answered", stage=stage
    )
    opinion = make_opinion(make_consultee(request, planner, state="answered"))
    make_answer(opinion.items.earliest("position")).proofs.create(
        done_on=date(2026, 3, 1), text="示例", file=file, recorded_by=people["department"]
    )
    letter = OpinionDispatch.objects.create(
        locality=project.locality, consultation=request, number="HG-示例", text="示例", made_by=people["bureau"]
    )
    for number, side in ((1, "bureau"), (2, "government"), (3, "unit")):
        letter.steps.create(step=number, side=side, act="示例")
    HardQuestion.objects.create(
        locality=project.locality, charge=unit.charge, planner=planner, asked_by=people["leader"], title="示例问题",
        asker=Organisation.objects.get(locality=project.locality, kind="government"), asked_on=date(2026, 3, 1),
    )  # fmt: skip
    SavedFilter.objects.create(user=people["unit"], page="projects:desk", name="示例", query="due=late")


def _review(people: People, unit: Unit, file: StoredFile) -> None:
    """What is asked of the planner about a project of the unit: one to be answered, one with the lead, one answered."""
    planner, today = people["planner"].planner, timezone.localdate()
    project = Project.objects.filter(units=unit).exclude(stage="done").order_by("pk")[0]
    asker = Organisation.objects.filter(locality=unit.locality, kind="bureau").order_by("pk")[0]
    for state, opinion in (("asked", "draft"), ("asked", "endorsing"), ("answered", "submitted")):
        consultation = make_consultation(
            project, asker=asker, asked_by=people["bureau"], asked_on=today, due_on=today + timedelta(days=9),
            state="answered" if state == "answered" else "asked", minutes=file,
        )  # fmt: skip
        contract = Contract.objects.filter(team__lead__user=people["lead"], state="signed").order_by("pk")[0]
        make_opinion(make_consultee(consultation, planner, state=state, contract=contract), state=opinion, scan=file)
        if opinion == "draft":
            consultation.extensions.create(days=3, reason="示例：需现场核实", asked_by=people["planner"])


def make_outcomes(people: People, place: Locality, unit: Unit, file: StoredFile) -> None:
    """A round in effect, with what follows: results, objection, response, publication, filing, oversight."""
    bureau, planner, today = people["bureau"], people["planner"].planner, timezone.localdate()
    version = PolicyVersion.objects.filter(pack__scopes__locality=place, kind=PolicyVersion.Kind.ORIGINAL).earliest(
        "pk"
    )
    contract = Contract.objects.filter(team__lead__user=people["lead"], state="signed").earliest("pk")
    round_ = Round.objects.create(
        locality=place, policy_version=version, scope="both", title="示例互评", period_kind="other",
        start=date(2019, 1, 1), end=date(2019, 12, 31), state="published", prepared_by=bureau, opened_at=timezone.now(),
    )  # fmt: skip
    subjects = (
        Subject.objects.create(
            round=round_, direction="planner", key="example-planner", label=planner.name, planner=planner,
            contract=contract,
        ),
        Subject.objects.create(round=round_, direction="department", key="example-unit", label=unit.name, unit=unit),
    )  # fmt: skip
    own, of_unit = (Result.objects.create(subject=subject, state="published") for subject in subjects)
    Objection.objects.create(result=own, raised_by=people["planner"], grounds="示例", evidence=file)
    DepartmentResponse.objects.create(result=of_unit)
    Publication.objects.create(round=round_, kind="result", state="out", fields=["subject"], rows=[], start=today)
    FilingPackage.objects.create(round=round_, recipient="示例机关", state="sent", archive=file)
    SystemReview.objects.create(locality=place, year=2019, drafted_by=bureau)
    Supervision.objects.create(
        locality=place, organisation=unit.office, number="DC-示例", held_on=today, due_on=today, findings="示例",
        demands="示例", made_by=bureau,
    )  # fmt: skip
    Circular.objects.create(
        locality=place, title="示例通报", start=date(2019, 1, 1), end=date(2019, 12, 31), text="示例", state="out",
        made_by=bureau,
    )  # fmt: skip
