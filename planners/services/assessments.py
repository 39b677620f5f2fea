"""What an evaluation hands down: the result of a contract's party or holder, and honours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import audit
from core.text import clean_text
from planners.models import Assessment, Contract, Group, Honour, Institution, Planner, Team

audit.register_actions({"assessment.record": "登记评估结果", "honour.record": "登记荣誉"})

Holder = Planner | Group | Team | Institution
_FIELD: dict[type, str] = {Planner: "planner", Group: "group", Team: "team", Institution: "institution"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A result as the evaluation states it. `source` names its record: the same source is the same result."""

    title: str
    start: date
    end: date
    grade: str
    decided_on: date
    source: str
    score: Decimal | None = None
    # The source of the result that this one corrects.
    corrects: str = ""


@transaction.atomic
def record_assessment(contract: Contract, *, holder: Holder, finding: Finding, actor: User | None) -> Assessment:
    """Note a result under its contract. Called again with the same source it gives the row that is there.

    The evaluation has checked who may settle and publish; here is only kept what it says. Side effects: audit entry.
    Raises: ValidationError (a result already stands under this source and says otherwise; nothing to correct).
    """
    known = Assessment.objects.select_for_update().filter(source=finding.source).first()
    if known is not None:
        if (known.grade, known.score, known.contract_id) != (finding.grade, finding.score, contract.pk):
            raise ValidationError("该结果已登记，更正须另出新版。")
        return known
    before = None
    if finding.corrects:
        before = Assessment.objects.select_for_update().filter(source=finding.corrects).first()
        if before is None or Assessment.objects.filter(supersedes=before).exists():
            raise ValidationError("没有可以更正的评估结果。")
    made = Assessment.objects.create(
        locality_id=contract.locality_id,
        contract=contract,
        title=finding.title,
        start=finding.start,
        end=finding.end,
        score=finding.score,
        grade=finding.grade,
        decided_on=finding.decided_on,
        source=finding.source,
        supersedes=before,
        **{_FIELD[type(holder)]: holder},
    )
    audit.record(
        "assessment.record",
        actor=actor,
        obj=made,
        detail={"contract": contract.number, "holder": str(holder), "grade": made.grade, "period": made.title},
    )
    return made


@transaction.atomic
def record_honour(
    recipient: Planner | Team | Institution,
    *,
    contract: Contract,
    kind: str,
    title: str,
    given_on: date,
    actor: User,
    issuer: str = "",
    article: str = "",
    assessment: Assessment | None = None,
) -> Honour:
    """Note an honour that the evaluation's consequences name. Side effects: audit entry."""
    made = Honour(
        locality_id=contract.locality_id,
        kind=kind,
        title=clean_text(title)[:120],
        issuer=issuer,
        given_on=given_on,
        article=article,
        assessment=assessment,
        recorded_by=actor,
        **{_FIELD[type(recipient)]: recipient},
    )
    made.full_clean()
    made.save()
    audit.record("honour.record", actor=actor, obj=made, detail={"title": made.title, "recipient": str(recipient)})
    return made
