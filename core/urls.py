from django.urls import URLPattern, path

from core.views import calendars, documents, drafts, health, imports, jobs, notifications

app_name = "core"
urlpatterns: list[URLPattern] = [
    path("health/", health.health, name="health"),
    path("jobs/<int:pk>/", jobs.job_detail, name="job"),
    path("jobs/<int:pk>/progress/", jobs.job_progress, name="job-progress"),
    path("jobs/<int:pk>/cancel/", jobs.job_cancel, name="job-cancel"),
    path("jobs/<int:pk>/file/", jobs.job_file, name="job-file"),
    path("notifications/", notifications.notification_list, name="notifications"),
    path("notifications/read/", notifications.notifications_read, name="notifications-read"),
    path("notifications/<int:pk>/open/", notifications.notification_open, name="notification-open"),
    path("verify/", documents.verify_entry, name="verify-entry"),
    path("verify/<str:code>/", documents.verify, name="verify"),
    path("imports/<int:pk>/", imports.import_detail, name="import"),
    path("imports/<int:pk>/columns/", imports.import_columns, name="import-columns"),
    path("imports/<int:pk>/run/", imports.import_run, name="import-run"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("imports/<int:pk>/rejected.xlsx", imports.import_rejected, name="import-rejected"),
    path("imports/<slug:kind>/", imports.import_upload, name="import-upload"),
    path("imports/<slug:kind>/template.xlsx", imports.import_template, name="import-template"),
    path("calendar/", calendars.calendar_list, name="calendar-list"),
    path("calendar/<int:year>/", calendars.calendar_year, name="calendar-year"),
    path("calendar/<int:year>/publish/", calendars.calendar_publish, name="calendar-publish"),
    path("calendar/<int:year>/notices/<int:number>/scan/", calendars.calendar_scan, name="calendar-scan"),
    path("drafts/<str:form_key>/", drafts.draft, name="draft"),
]
