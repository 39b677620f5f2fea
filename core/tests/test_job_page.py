"""The page of a job: its requester and system administrators see it; only the requester gets the result."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from core import jobs, roles
from core.files import store_generated
from core.models import AuditEntry, Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def sysadmin(db, monkeypatch):
    """Somebody for whom the app that knows memberships says: system administrator."""
    monkeypatch.setattr(roles, "_lookups", [lambda user: "sysadmin" if user.username == "root" else "planner"])
    return get_user_model().objects.create_user("root", name="管理员")


@pytest.fixture
def job(person):
    return Job.objects.create(kind="t", label="导出年度报告", requested_by=person, state="running", progress_total=8)


@pytest.mark.parametrize("page", ["", "progress/"])
@pytest.mark.parametrize("who, status", [(None, 302), ("zhang", 200), ("li", 404), ("root", 200)])
def test_who_sees_it(client, job, other, sysadmin, who, status, page):
    if who:
        client.force_login(get_user_model().objects.get(username=who))
    assert client.get(f"/jobs/{job.pk}/{page}").status_code == status


def test_administrator_of_another_locality_does_not_see_it(client, job, sysadmin, monkeypatch):
    Job.objects.filter(pk=job.pk).update(locality_code="110101")
    client.force_login(sysadmin)
    for places, status in (({"110112": "通州区"}, 404), ({"110101": "东城区"}, 200)):
        monkeypatch.setattr(roles, "_scopes", [(lambda user, found=places: found, lambda user: ())])
        assert client.get(f"/jobs/{job.pk}/").status_code == status


def test_running_job_asks_again_and_a_finished_one_does_not(client, job, person):
    client.force_login(person)
    running = client.get(f"/jobs/{job.pk}/progress/").content.decode()
    assert f'hx-get="/jobs/{job.pk}/progress/"' in running
    assert "0 / 8" in running
    Job.objects.update(
        state="done", progress_done=8, result={"text": "共 8 份", "links": [{"label": "查看", "url": "/x/"}]}
    )
    done = client.get(f"/jobs/{job.pk}/progress/").content.decode()
    assert "hx-get" not in done
    assert "共 8 份" in done
    assert '<a href="/x/">查看</a>' in done


def test_technical_error_is_for_administrators(client, job, person, sysadmin):
    Job.objects.update(state="failed", message=jobs.FAILED_MESSAGE, error="Traceback: boom")
    client.force_login(person)
    mine = client.get(f"/jobs/{job.pk}/").content.decode()
    assert (jobs.FAILED_MESSAGE in mine, "boom" in mine) == (True, False)
    client.force_login(sysadmin)
    assert "boom" in client.get(f"/jobs/{job.pk}/").content.decode()


@pytest.mark.parametrize("who, status, cancelled", [("zhang", 302, True), ("li", 404, False), ("root", 403, False)])
def test_only_the_requester_cancels(client, job, other, sysadmin, who, status, cancelled):
    client.force_login(get_user_model().objects.get(username=who))
    assert client.post(f"/jobs/{job.pk}/cancel/").status_code == status
    job.refresh_from_db()
    assert job.cancel_requested is cancelled
    assert AuditEntry.objects.filter(action="job.cancel").exists() is cancelled


@pytest.mark.parametrize("who, status", [("zhang", 404), ("li", 404), ("root", 403)])
def test_result_file_is_the_requesters_alone(client, job, other, sysadmin, who, status):
    client.force_login(get_user_model().objects.get(username=who))
    assert client.get(f"/jobs/{job.pk}/file/").status_code == status


def test_result_file_is_sent_and_the_download_recorded(client, job, person):
    made = store_generated(b"%PDF-1.7 test", name="年度报告.pdf", mime="application/pdf", actor=person, purpose="test")
    Job.objects.update(state="done", result_file=made)
    client.force_login(person)
    answer = client.get(f"/jobs/{job.pk}/file/")
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"%PDF-1.7 test")
    assert AuditEntry.objects.get(action="job.download").object_id == str(job.pk)
