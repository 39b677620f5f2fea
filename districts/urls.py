"""Localities, units and organisations under /districts/."""

from django.urls import path, re_path

from districts import lookups
from districts.views import (
    decisions,
    localities,
    memberships,
    organisations,
    policies,
    substitutions,
    unit_changes,
    units,
)

app_name = "districts"

urlpatterns = [
    path("", localities.locality_list, name="list"),
    path("start/", localities.locality_start, name="locality-start"),
    re_path(r"^start/(?P<code>\d{4,6})/$", localities.locality_streets, name="locality-streets"),
    path("divisions/lookup/", lookups.division_lookup, name="division-lookup"),
    path("charges/lookup/", lookups.charge_lookup, name="charge-lookup"),
    path("units/", units.UnitList.as_view(), name="unit-list"),
    path("units/export/", units.unit_export, name="unit-export"),
    path("units/lookup/", lookups.unit_lookup, name="unit-lookup"),
    path("units/<int:pk>/", units.unit_detail, name="unit"),
    path("units/<int:pk>/edit/", units.unit_edit, name="unit-edit"),
    path("units/<int:pk>/change/", unit_changes.unit_change, name="unit-change"),
    path("units/changes/", unit_changes.UnitChangeList.as_view(), name="unit-change-list"),
    path("units/changes/export/", unit_changes.unit_change_export, name="unit-change-export"),
    path("units/changes/<int:pk>/", unit_changes.unit_change_detail, name="unit-change-detail"),
    path("units/changes/<int:pk>/scan/", unit_changes.unit_change_scan, name="unit-change-scan"),
    path("units/<int:pk>/contacts/new/", organisations.contact_create, name="contact-create"),
    path("contacts/<int:pk>/edit/", organisations.contact_edit, name="contact-edit"),
    path("contacts/<int:pk>/phone/", organisations.contact_reveal, name="contact-reveal"),
    path("organisations/", organisations.OrganisationList.as_view(), name="organisation-list"),
    path("organisations/lookup/", lookups.organisation_lookup, name="organisation-lookup"),
    path("organisations/<int:pk>/edit/", organisations.organisation_edit, name="organisation-edit"),
    path("memberships/", memberships.membership_list, name="memberships"),
    path("memberships/export/", memberships.membership_export, name="membership-export"),
    path("memberships/grant/", memberships.membership_grant, name="membership-grant"),
    path("memberships/people/", lookups.person_lookup, name="person-lookup"),
    path("memberships/<int:pk>/end/", memberships.membership_end, name="membership-end"),
    path("memberships/<int:pk>/substitute/", substitutions.substitution_create, name="substitution-create"),
    path("substitutions/", substitutions.substitution_list, name="substitutions"),
    path("substitutions/<int:pk>/end/", substitutions.substitution_end, name="substitution-end"),
    re_path(r"^(?P<code>\d{6})/$", localities.locality_detail, name="locality"),
    re_path(r"^(?P<code>\d{6})/policy/$", policies.policy_detail, name="policy"),
    re_path(r"^(?P<code>\d{6})/policy/versions/$", policies.policy_versions, name="policy-versions"),
    re_path(r"^(?P<code>\d{6})/policy/supplement/$", decisions.supplement_create, name="policy-supplement"),
    re_path(r"^(?P<code>\d{6})/policy/amend/$", decisions.amendment_create, name="policy-amend"),
    re_path(r"^(?P<code>\d{6})/policy/adopt/$", decisions.adoption_create, name="policy-adopt"),
    path("decisions/<int:pk>/", decisions.decision_detail, name="decision"),
    path("decisions/<int:pk>/edit/", decisions.decision_edit, name="decision-edit"),
    path("decisions/<int:pk>/enforce/", decisions.decision_enforce, name="decision-enforce"),
    path("decisions/<int:pk>/discard/", decisions.decision_discard, name="decision-discard"),
    path("decisions/<int:pk>/scan/", decisions.decision_scan, name="decision-scan"),
    re_path(r"^(?P<code>\d{6})/streets/$", localities.unit_from_streets, name="unit-streets"),
    re_path(r"^(?P<code>\d{6})/units/new/$", units.unit_create, name="unit-create"),
    re_path(r"^(?P<code>\d{6})/organisations/new/$", organisations.organisation_create, name="organisation-create"),
]
