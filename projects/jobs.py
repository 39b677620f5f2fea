"""Long work of projects: documents on paper, issued once when they are final, else printed as a marked draft."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from core.jobs import JobFailed, JobRun, job
from core.models import IssuedDocument
from projects.models import Dispute, Opinion, OpinionDispatch, StageDecision
from projects.services import dispatches, dispute_documents, opinion_documents, proofs

_DRAFT = {"text": "草稿已生成，仅供核对。"}


def _issued(run: JobRun, document: IssuedDocument, page: str, pk: int) -> dict[str, Any]:
    run.progress(1, 1, "已生成")
    text = f"{document.title}已生成，编号 {document.number}。"
    return {"text": text, "links": [{"label": "下载 PDF", "url": reverse(page, args=[pk])}]}


@job(proofs.PDF_KIND, label="生成征询凭证", lease_seconds=120)
def make_stage_proof(run: JobRun) -> dict[str, Any]:
    """The 征询凭证 of one decision."""
    decision = StageDecision.objects.filter(pk=run.arguments["decision"]).first()
    if decision is None or decision.ground not in proofs.CERTIFIED:
        raise JobFailed("这项结论没有可以出具的凭证。")
    run.progress(0, 1, "正在排版")
    document = proofs.issue_proof(decision.pk, actor=run.actor)
    return _issued(run, document, "projects:decision-download", decision.pk)


@job(dispute_documents.PDF_KIND, label="生成分歧卷宗 PDF", lease_seconds=120)
def make_dispute_pdf(run: JobRun) -> dict[str, Any]:
    """One dossier: issued when the dispute is ruled."""
    dispute = Dispute.objects.filter(pk=run.arguments["dispute"]).first()
    if dispute is None:
        raise JobFailed("这项分歧已不存在。")
    run.progress(0, 1, "正在排版")
    if dispute.state == Dispute.State.RULED:
        document = dispute_documents.issue_dossier(dispute.pk, actor=run.actor)
        return _issued(run, document, "projects:dispute-download", dispute.pk)
    stored = dispute_documents.draft_pdf(dispute.pk, actor=run.actor)
    run.progress(1, 1, "已生成")
    return {**_DRAFT, "file": stored.pk}


@job(dispatches.PDF_KIND, label="生成函告送审稿", lease_seconds=120)
def make_dispatch_pdf(run: JobRun) -> dict[str, Any]:
    """One letter on paper, issued once."""
    dispatch = OpinionDispatch.objects.filter(pk=run.arguments["dispatch"]).first()
    if dispatch is None:
        raise JobFailed("这份函告已不存在。")
    run.progress(0, 1, "正在排版")
    document = dispatches.issue_draft(dispatch.pk, actor=run.actor)
    return _issued(run, document, "projects:dispatch-download", dispatch.pk)


@job(opinion_documents.PDF_KIND, label="生成意见书 PDF", lease_seconds=120)
def make_opinion_pdf(run: JobRun) -> dict[str, Any]:
    """One opinion: issued once it is submitted."""
    opinion = Opinion.objects.filter(pk=run.arguments["opinion"]).first()
    if opinion is None:
        raise JobFailed("这份意见书已不存在。")
    run.progress(0, 1, "正在排版")
    if opinion.submitted_at is not None:
        document = opinion_documents.issue_opinion(opinion.pk, actor=run.actor)
        return _issued(run, document, "projects:opinion-download", opinion.pk)
    stored = opinion_documents.draft_pdf(opinion.pk, actor=run.actor)
    run.progress(1, 1, "已生成")
    return {**_DRAFT, "file": stored.pk}
