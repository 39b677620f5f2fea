"""The page of one job: progress while it runs, its result afterwards."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from core import audit, jobs
from core.errors import Refused
from core.files import stream
from core.http import PersonRequest
from core.models import Job
from core.models.jobs import may_watch_all


@login_required
@require_safe
def job_detail(request: PersonRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    return render(request, "core/job.html", _known(request, job))


@login_required
@require_safe
def job_progress(request: PersonRequest, pk: int) -> HttpResponse:
    """The part of the page that htmx asks for again while the job runs."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    return render(request, "core/_job_progress.html", _known(request, job))


@login_required
@require_POST
def job_cancel(request: PersonRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    if job.requested_by_id != request.user.pk:
        raise Refused("仅发起人可以取消任务。")
    if jobs.cancel(job, actor=request.user):
        messages.success(request, "已请求取消。")
    else:
        messages.info(request, "任务已经结束，无需取消。")
    return redirect(job)


@login_required
@require_safe
def job_file(request: PersonRequest, pk: int) -> FileResponse:
    """The result file, to the person who asked for it alone: administrators run jobs, they don't read results."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    if job.requested_by_id != request.user.pk:
        raise Refused("结果文件仅发起人可以下载。")
    if job.result_file is None:
        raise Http404
    audit.record("job.download", actor=request.user, obj=job, locality=job.locality_code)
    return stream(job.result_file)


def _known(request: PersonRequest, job: Job) -> dict[str, object]:
    return {
        "job": job,
        "is_requester": job.requested_by_id == request.user.pk,
        "shows_error": may_watch_all(request.user),
        "links": job.result.get("links", []) if isinstance(job.result, dict) else [],
    }
