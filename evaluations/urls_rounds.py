"""Rounds of evaluation: organising and filling in."""

from django.urls import path

from .views import arrangements, forms, own_reports, rounds, sheets

_FORM = "rounds/<int:pk>/forms/<int:number>/<slug:direction>/"
_STEP = "rounds/<int:pk>/steps/<int:number>/"

urlpatterns = [
    path("rounds/", rounds.RoundList.as_view(), name="round-list"),
    path("rounds/prepare/", rounds.round_prepare, name="round-prepare"),
    path("rounds/raters/lookup/", arrangements.rater_lookup, name="rater-lookup"),
    path("rounds/<int:pk>/", rounds.round_detail, name="round"),
    path("rounds/<int:pk>/rules/", rounds.round_rules, name="round-rules"),
    path("rounds/<int:pk>/refresh/", rounds.round_refresh, name="round-refresh"),
    path("rounds/<int:pk>/open/", rounds.round_open, name="round-open"),
    path("rounds/<int:pk>/move/<slug:move>/", rounds.round_move, name="round-move"),
    path("rounds/<int:pk>/pause/", rounds.round_pause, name="round-pause"),
    path("rounds/<int:pk>/resume/", rounds.round_resume, name="round-resume"),
    path("rounds/<int:pk>/sheets/", arrangements.SheetTable.as_view(), name="round-sheets"),
    path("rounds/<int:pk>/sheets/bulk/", arrangements.sheets_bulk, name="round-sheets-bulk"),
    path("rounds/<int:pk>/subjects/", arrangements.round_subjects, name="round-subjects"),
    path(f"{_STEP}open/", rounds.step_open, name="step-open"),
    path(f"{_STEP}close/", rounds.step_close, name="step-close"),
    path(f"{_STEP}extend/", rounds.step_extend, name="step-extend"),
    path(f"{_STEP}chase/", rounds.step_chase, name="step-chase"),
    path("sheets/compare/<int:pk>/<int:number>/<slug:direction>/", sheets.sheet_compare, name="sheet-compare"),
    path(_FORM, forms.form_detail, name="form"),
    path(f"{_FORM}preview/", forms.form_preview, name="form-preview"),
    path(f"{_FORM}edit/", forms.form_edit, name="form-edit"),
    path(f"{_FORM}copy/", forms.form_copy, name="form-copy"),
    path(f"{_FORM}questions/new/", forms.question_add, name="question-add"),
    path(f"{_FORM}lines/<slug:code>/", forms.line_edit, name="line-edit"),
    path(f"{_FORM}lines/<slug:code>/remove/", forms.question_remove, name="question-remove"),
    path("rounds/subjects/<int:pk>/leave-out/", arrangements.subject_leave_out, name="subject-leave-out"),
    path("rounds/subjects/<int:pk>/raters/new/", arrangements.rater_add, name="rater-add"),
    path("sheets/", sheets.sheet_list, name="sheet-list"),
    path("sheets/<int:pk>/", sheets.sheet_detail, name="sheet"),
    path("sheets/<int:pk>/autosave/", sheets.sheet_autosave, name="sheet-autosave"),
    path("sheets/<int:pk>/withdraw/", sheets.sheet_withdraw, name="sheet-withdraw"),
    path("sheets/<int:pk>/report/", own_reports.own_report, name="own-report"),
    path("sheets/<int:pk>/report/pdf/", own_reports.own_report_pdf, name="own-report-pdf"),
    path("sheets/<int:pk>/abstain/", sheets.sheet_abstain, name="sheet-abstain"),
    path("sheets/<int:pk>/decline/", sheets.sheet_decline, name="sheet-decline"),
    path("sheets/<int:pk>/take-back/", sheets.sheet_take_back, name="sheet-take-back"),
    path("rounds/raters/<int:pk>/", arrangements.sheet_manage, name="sheet-manage"),
]
