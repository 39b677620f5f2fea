"""Exactly the pages of accounts that the portal offers.

allauth's own list holds many more (sign-up, e-mail, phone, social); nobody signs up here, and what is not offered must
not answer. allauth still reverses some of those names while it renders its own pages, so they resolve, to 404.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from django.urls import path

from accounts import views, views_people

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("me/", views.me, name="accounts-me"),
    path("sessions/end-others/", views.end_other_sessions, name="accounts-end-other-sessions"),
    path("sessions/", views.session_list, name="accounts-sessions"),
    path("sessions/<int:pk>/end/", views.session_end, name="accounts-session-end"),
    path("people/", views_people.AccountList.as_view(), name="accounts-people"),
    path("people/new/", views_people.account_create, name="accounts-create"),
    path("people/<int:pk>/", views_people.account_detail, name="accounts-person"),
    path("people/<int:pk>/disable/", views_people.account_disable, name="accounts-disable"),
    path("people/<int:pk>/enable/", views_people.account_enable, name="accounts-enable"),
    path("people/<int:pk>/password/", views_people.account_reset_password, name="accounts-reset-password"),
    path("people/<int:pk>/sessions/end/", views_people.account_end_sessions, name="accounts-end-sessions"),
    path(
        "people/<int:pk>/second-factor/lift/",
        views_people.account_lift_second_factor,
        name="accounts-lift-second-factor",
    ),
    path("2fa/", mfa.index, name="mfa_index"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", recovery.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", recovery.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("signup/", views.not_offered, name="account_signup"),
    path("email/", views.not_offered, name="account_email"),
    path("confirm-email/", views.not_offered, name="account_email_verification_sent"),
    path("password/set/", views.not_offered, name="account_set_password"),
    path("password/reset/", views.not_offered, name="account_reset_password"),
]
