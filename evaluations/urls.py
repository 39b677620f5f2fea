from django.urls import include, path

from .views import cycles, reports

app_name = "evaluations"

urlpatterns = [
    path("", include("evaluations.urls_rounds")),
    path("", include("evaluations.urls_results")),
    path("", include("evaluations.urls_outcomes")),
    path("", cycles.cycle_list, name="list"),
    path("open/", cycles.cycle_open, name="cycle-open"),
    path("<int:pk>/", cycles.cycle_detail, name="cycle-detail"),
    path("<int:pk>/close/", cycles.cycle_close, name="cycle-close"),
    path("<int:pk>/reopen/", cycles.cycle_reopen, name="cycle-reopen"),
    path("<int:pk>/refresh/", cycles.cycle_refresh, name="cycle-refresh"),
    path("<int:pk>/export/", cycles.cycle_export, name="cycle-export"),
    path("batches/<int:pk>/download/", cycles.batch_download, name="batch-download"),
    path("reports/<int:pk>/", reports.report_detail, name="report-detail"),
    path("reports/<int:pk>/edit/", reports.report_edit, name="report-edit"),
    path("reports/<int:pk>/autosave/", reports.report_autosave, name="report-autosave"),
    path("reports/<int:pk>/submit/", reports.report_submit, name="report-submit"),
    path("reports/<int:pk>/withdraw/", reports.report_withdraw, name="report-withdraw"),
    path("reports/<int:pk>/endorse/", reports.report_endorse, name="report-endorse"),
    path("reports/<int:pk>/return/", reports.report_return, name="report-return"),
    path("reports/<int:pk>/supersede/", reports.report_supersede, name="report-supersede"),
    path("reports/<int:pk>/pdf/", reports.report_pdf, name="report-pdf"),
    path("reports/<int:pk>/pdf/download/", reports.report_download, name="report-download"),
]
