"""Asking for opinions, and giving them, under /projects/."""

from django.urls import path

from projects.views import consultations, consultees, opinions

urlpatterns = [
    # --- asking for opinions, and giving them ---
    path("consultations/", consultations.ConsultationList.as_view(), name="consultation-list"),
    path("consultations/export/", consultations.consultation_export, name="consultation-export"),
    path("<int:pk>/consultations/new/", consultations.consultation_create, name="consultation-create"),
    path("consultations/<int:pk>/", consultations.consultation, name="consultation"),
    path("consultations/<int:pk>/again/", consultations.consultation_again, name="consultation-again"),
    path("consultations/<int:pk>/suspend/", consultations.consultation_suspend, name="consultation-suspend"),
    path("consultations/<int:pk>/resume/", consultations.consultation_resume, name="consultation-resume"),
    path("consultations/<int:pk>/withdraw/", consultations.consultation_withdraw, name="consultation-withdraw"),
    path("consultations/<int:pk>/add/", consultations.consultation_add, name="consultation-add"),
    path("consultations/<int:pk>/move/", consultations.consultation_move, name="consultation-move"),
    path("consultations/<int:pk>/meeting/", consultations.consultation_meeting, name="consultation-meeting"),
    path("consultations/<int:pk>/minutes/", consultations.consultation_minutes, name="consultation-minutes"),
    path("consultations/<int:pk>/extend/", consultations.consultation_extend, name="consultation-extend"),
    path("extensions/<int:pk>/answer/", consultations.extension_answer, name="extension-answer"),
    path("consultees/<int:pk>/decline/", consultees.consultee_decline, name="consultee-decline"),
    path("consultees/<int:pk>/recuse/", consultees.consultee_recuse, name="consultee-recuse"),
    path("consultees/<int:pk>/release/", consultees.consultee_release, name="consultee-release"),
    path("consultees/<int:pk>/substitute/", consultees.consultee_substitute, name="consultee-substitute"),
    path("consultees/<int:pk>/opinion/", opinions.opinion_write, name="opinion-write"),
    path("consultees/<int:pk>/opinion/autosave/", opinions.opinion_autosave, name="opinion-autosave"),
    path("consultees/<int:pk>/paper/", opinions.opinion_paper, name="opinion-paper"),
    path("opinions/<int:pk>/", opinions.opinion, name="opinion"),
    path("opinions/<int:pk>/take-back/", opinions.opinion_take_back, name="opinion-take-back"),
    path("opinions/<int:pk>/endorse/", opinions.opinion_endorse, name="opinion-endorse"),
    path("opinions/<int:pk>/return/", opinions.opinion_return, name="opinion-return"),
    path("opinions/<int:pk>/renew/", opinions.opinion_renew, name="opinion-renew"),
    path("opinions/<int:pk>/discard/", opinions.opinion_discard, name="opinion-discard"),
    path("opinions/<int:pk>/pdf/", opinions.opinion_pdf, name="opinion-pdf"),
    path("opinions/<int:pk>/download/", opinions.opinion_download, name="opinion-download"),
    path("opinions/<int:pk>/scan/", opinions.opinion_scan, name="opinion-scan"),
]
