"""The registry, contracts and assignments under /planners/."""

from django.urls import path, re_path

from planners import lookups
from planners.views import appointing, contracts, coverage, logins, qualifications, registry, reselection, teams

app_name = "planners"

urlpatterns = [
    path("", registry.PlannerList.as_view(), name="list"),
    path("export/", registry.planner_export, name="export"),
    path("lookup/", lookups.planner_lookup, name="planner-lookup"),
    re_path(r"^new/(?P<code>\d{6})/$", registry.planner_create, name="planner-create"),
    path("<int:pk>/", registry.planner_detail, name="planner"),
    path("<int:pk>/edit/", registry.planner_edit, name="planner-edit"),
    path("<int:pk>/login/", logins.planner_login, name="planner-login"),
    path("<int:pk>/reveal/<slug:what>/", registry.planner_reveal, name="planner-reveal"),
    path("<int:pk>/qualification/", qualifications.qualification, name="qualification"),
    path(
        "<int:pk>/qualification/<slug:role>/<int:number>/judge/",
        qualifications.qualification_judge,
        name="qualification-judge",
    ),
    path("<int:pk>/credentials/new/", qualifications.credential_create, name="credential-create"),
    path("credentials/<int:pk>/file/", qualifications.credential_file, name="credential-file"),
    path("credentials/<int:pk>/withdraw/", qualifications.credential_withdraw, name="credential-withdraw"),
    path("institutions/", teams.InstitutionList.as_view(), name="institution-list"),
    path("institutions/new/", teams.institution_create, name="institution-create"),
    path("institutions/lookup/", lookups.institution_lookup, name="institution-lookup"),
    path("institutions/<int:pk>/edit/", teams.institution_edit, name="institution-edit"),
    path("teams/", teams.TeamList.as_view(), name="team-list"),
    path("teams/lookup/", lookups.team_lookup, name="team-lookup"),
    path("groups/lookup/", lookups.group_lookup, name="group-lookup"),
    re_path(r"^teams/new/(?P<code>\d{6})/$", teams.team_create, name="team-create"),
    path("teams/<int:pk>/", teams.team_detail, name="team"),
    path("teams/<int:pk>/edit/", teams.team_edit, name="team-edit"),
    path("teams/<int:pk>/lead/", teams.team_lead, name="team-lead"),
    path("teams/<int:pk>/groups/new/", teams.group_create, name="group-create"),
    path("teams/<int:pk>/members/new/", teams.member_add, name="member-add"),
    path("members/<int:pk>/role/", teams.member_role, name="member-role"),
    path("members/<int:pk>/end/", teams.member_end, name="member-end"),
    path("coverage/", coverage.coverage_list, name="coverage"),
    path("coverage/export/", coverage.coverage_export, name="coverage-export"),
    path("reselections/", reselection.reselection_list, name="reselection-list"),
    path("contracts/", contracts.ContractList.as_view(), name="contract-list"),
    path("contracts/export/", contracts.contract_export, name="contract-export"),
    re_path(r"^contracts/new/(?P<code>\d{6})/$", contracts.contract_create, name="contract-create"),
    re_path(r"^contracts/new/(?P<code>\d{6})/people/$", contracts.contract_people, name="contract-people"),
    path("contracts/<int:pk>/", contracts.contract_detail, name="contract"),
    path("contracts/<int:pk>/edit/", contracts.contract_edit, name="contract-edit"),
    path("contracts/<int:pk>/sign/", contracts.contract_sign, name="contract-sign"),
    path("contracts/<int:pk>/cancel/", contracts.contract_cancel, name="contract-cancel"),
    path("contracts/<int:pk>/end/", contracts.contract_end, name="contract-end"),
    path(
        "contracts/<int:pk>/qualification/<int:planner_pk>/override/",
        qualifications.qualification_override,
        name="qualification-override",
    ),
    path("contracts/<int:pk>/signings/new/", appointing.signing_create, name="signing-create"),
    path("contracts/<int:pk>/assignments/new/", appointing.assignment_create, name="assignment-create"),
    path("assignments/<int:pk>/end/", appointing.assignment_end, name="assignment-end"),
]
