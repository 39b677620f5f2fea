"""Rectifications and disputes under /projects/."""

from django.urls import path

from projects.views import disputes, rectifications

urlpatterns = [
    # rectifications and disputes
    path("rectifications/", rectifications.RectificationList.as_view(), name="rectifications"),
    path("rectifications/<int:pk>/", rectifications.rectification_detail, name="rectification"),
    path(
        "rectifications/<int:pk>/photos/<int:photo_pk>/", rectifications.rectification_photo, name="rectification-photo"
    ),
    path(
        "rectifications/<int:pk>/photos/<int:photo_pk>/plan/", rectifications.rectification_plan,
        name="rectification-plan",
    ),
    path("rectifications/<int:pk>/links/new/", rectifications.link_create, name="link-create"),
    path("rectifications/<int:pk>/links/<int:link_pk>/revoke/", rectifications.link_revoke, name="link-revoke"),
    path("rectifications/<int:pk>/reply/", rectifications.rectification_reply, name="rectification-reply"),
    path("rectifications/<int:pk>/reinspect/", rectifications.rectification_reinspect, name="rectification-reinspect"),
    path("rectifications/<int:pk>/escalate/", rectifications.rectification_escalate, name="rectification-escalate"),
    path("rectifications/<int:pk>/waive/", rectifications.rectification_waive, name="rectification-waive"),
    path("disputes/", disputes.DisputeList.as_view(), name="disputes"),
    path("disputes/precedents/", disputes.PrecedentList.as_view(), name="precedents"),
    path("<int:pk>/disputes/new/", disputes.dispute_create, name="dispute-create"),
    path("disputes/<int:pk>/", disputes.dispute_detail, name="dispute"),
    path("disputes/<int:pk>/state/", disputes.dispute_state, name="dispute-state"),
    path("disputes/<int:pk>/rule/", disputes.dispute_rule, name="dispute-rule"),
    path("disputes/<int:pk>/withdraw/", disputes.dispute_withdraw, name="dispute-withdraw"),
    path("disputes/<int:pk>/files/<int:file_pk>/", disputes.dispute_file, name="dispute-file"),
    path("disputes/<int:pk>/pdf/", disputes.dispute_pdf, name="dispute-pdf"),
    path("disputes/<int:pk>/download/", disputes.dispute_download, name="dispute-download"),
]  # fmt: skip
