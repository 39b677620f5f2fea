"""The 征询凭证: what stands behind a decision, as a document with number, hash and QR that anybody can verify.

It is printed from what was kept with the decision on the day, so that it says the same years later.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import User
from core.jobs import enqueue
from core.models import IssuedDocument, Job
from core.pdf import canonical_hash, issue_document
from core.templatetags.portal import prose_date
from projects.models import StageDecision

TEMPLATE = "pdf/stage_proof.html"
PDF_KIND = "projects.stage_proof_pdf"
DOCUMENT_KIND = "stage_proof"
SERIAL = "PZ"
# Where nothing was asked there is nothing to certify.
CERTIFIED = (StageDecision.Ground.CONSULTED, StageDecision.Ground.INVITED, StageDecision.Ground.WAIVED)
ROWS = StageDecision.objects.select_related(
    "stage__project__locality", "stage__project__owner", "stage__policy_version", "document__file", "recorded_by"
)


def title_of(decision: StageDecision) -> str:
    waived = decision.ground == StageDecision.Ground.WAIVED
    return "免予征询责任规划师凭证" if waived else "征询责任规划师凭证"


def file_name(decision: StageDecision) -> str:
    return f"{title_of(decision)}（{decision.stage.project.number}{decision.stage}）.pdf".replace("/", "-")


def request_pdf(decision: StageDecision, *, actor: User) -> Job:
    """Ask a worker for the PDF; asked twice it is made once."""
    return enqueue(
        PDF_KIND, actor=actor, arguments={"decision": decision.pk}, key=f"stage-proof-{decision.pk}",
        locality=decision.stage.project.locality, label=f"生成{title_of(decision)}",
    )  # fmt: skip


def issue_proof(decision_id: int, *, actor: User | None) -> IssuedDocument:
    """The issued document of a decision, made if need be: exactly one, whoever asks and however often.

    A worker may die between storing the PDF and noting it on the decision; the next one finds it by its content.
    Raises ValueError for a ground that is not certified.
    """
    decision = ROWS.get(pk=decision_id)
    if decision.ground not in CERTIFIED:
        raise ValueError("there is nothing to certify")
    if decision.document is not None:
        return decision.document
    project, stage = decision.stage.project, decision.stage
    frozen = {
        "decision": decision.pk, "project": project.number, "name": project.name, "stage": str(stage),
        "ground": decision.ground, "decided_on": decision.decided_on, "approval": decision.approval_number,
        "reason": decision.reason, "proof": decision.proof, "clause": decision.clause,
    }  # fmt: skip
    known = IssuedDocument.objects.filter(
        kind=DOCUMENT_KIND, content_hash=canonical_hash(frozen), file__isnull=False, revoked_at=None
    ).first()
    # The page of verification answers everybody who has the code: no planner is named there.
    summary = [
        ("文书", title_of(decision)), ("地方", project.locality.name), ("项目", f"{project.name}（{project.number}）"),
        ("阶段", str(stage)), ("依据", decision.get_ground_display()),
        ("审批（验收）日期", decision.decided_on.isoformat()),
    ]  # fmt: skip
    document = known or issue_document(
        kind=DOCUMENT_KIND, serial=SERIAL, title=title_of(decision), template=TEMPLATE, context=_context(decision),
        frozen=frozen, actor=actor, author=project.locality.name, locality_code=project.locality.code,
        public_summary=summary, file_name=file_name(decision),
    )  # fmt: skip
    StageDecision.objects.filter(pk=decision.pk, document=None).update(document=document)
    return document


def _context(decision: StageDecision) -> dict[str, Any]:
    proof = decision.proof
    parts = {
        "opinions": proof.get("opinions"), "meetings": proof.get("meetings"),
        "notes": proof.get("silent") or proof.get("lacking") or proof.get("waived_rectifications"),
    }  # fmt: skip
    present = [name for name, rows in parts.items() if rows]
    return {
        "numerals": dict(zip(present, ("二", "三", "四"), strict=False)),
        "decision": decision,
        "stage": decision.stage,
        "project": decision.stage.project,
        "proof": decision.proof,
        "clause": decision.clause,
        "heading": title_of(decision),
        "decided_words": prose_date(decision.decided_on),
        "recorded_words": prose_date(timezone.localdate(decision.recorded_at)),
    }
