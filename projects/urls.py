"""Projects under /projects/."""

from django.urls import path, re_path

from projects import lookups, urls_adoption, urls_asking, urls_field
from projects.views import data_requests, parts, projects, stages

app_name = "projects"

urlpatterns = [
    *urls_asking.urlpatterns,
    *urls_adoption.urlpatterns,
    *urls_field.urlpatterns,
    path("", projects.ProjectList.as_view(), name="list"),
    path("board/", projects.project_board, name="board"),
    path("export/", projects.project_export, name="export"),
    path("lookup/", lookups.project_lookup, name="project-lookup"),
    re_path(r"^new/(?P<code>\d{6})/$", projects.project_create, name="project-create"),
    path("<int:pk>/", projects.project_detail, name="project"),
    path("<int:pk>/edit/", projects.project_edit, name="project-edit"),
    path("<int:pk>/recognise/", projects.project_recognise, name="project-recognise"),
    path("<int:pk>/timeline/", stages.project_timeline, name="timeline"),
    path("<int:pk>/timeline/export/", stages.timeline_export, name="timeline-export"),
    # What hangs on a project.
    path("<int:pk>/parties/new/", parts.party_create, name="party-create"),
    path("parties/<int:pk>/edit/", parts.party_edit, name="party-edit"),
    path("<int:pk>/dates/new/", parts.key_date_create, name="key-date-create"),
    path("dates/<int:pk>/edit/", parts.key_date_edit, name="key-date-edit"),
    path("dates/<int:pk>/delete/", parts.key_date_delete, name="key-date-delete"),
    path("<int:pk>/files/new/", parts.file_create, name="file-create"),
    path("files/<int:pk>/new-version/", parts.file_version, name="file-version"),
    path("file-versions/<int:pk>/", parts.file_open, name="file"),
    path("<int:pk>/recusals/new/", parts.recusal_create, name="recusal-create"),
    path("recusals/<int:pk>/end/", parts.recusal_end, name="recusal-end"),
    # Stages.
    path("stages/<int:pk>/decide/", stages.stage_decide, name="stage-decide"),
    path("stages/<int:pk>/send-back/", stages.stage_send_back, name="stage-send-back"),
    path("stages/<int:pk>/skip/", stages.stage_skip, name="stage-skip"),
    path("stages/<int:pk>/go-back/", stages.stage_go_back, name="stage-go-back"),
    path("stages/<int:pk>/votes/new/", stages.vote_create, name="vote-create"),
    path("votes/<int:pk>/scan/", stages.vote_scan, name="vote-scan"),
    path("<int:pk>/reopen/", stages.project_reopen, name="project-reopen"),
    path("decisions/<int:pk>/", stages.decision_proof, name="decision"),
    path("decisions/<int:pk>/pdf/", stages.decision_pdf, name="decision-pdf"),
    path("decisions/<int:pk>/download/", stages.decision_download, name="decision-download"),
    # Planners' requests for data.
    path("data-requests/", data_requests.DataRequestList.as_view(), name="data-request-list"),
    path("data-requests/new/", data_requests.data_request_create, name="data-request-create"),
    path("data-requests/<int:pk>/", data_requests.data_request, name="data-request"),
    path("data-requests/<int:pk>/answer/", data_requests.data_request_answer, name="data-request-answer"),
    path("data-requests/<int:pk>/withdraw/", data_requests.data_request_withdraw, name="data-request-withdraw"),
    path("data-files/<int:pk>/", data_requests.data_file, name="data-file"),
]
