"""Registering: by bureau, department and unit; parties, dates, other localities; warned of what is there already; a
project that moves between units while it is asked about; a body that is dissolved."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from core.errors import Refused
from core.idempotency import new_key
from core.models import AuditEntry, Notification
from districts.models import Organisation
from districts.services.organisations import update_organisation
from districts.services.unit_changes import Order, end_unit, merge_units
from factories import make_membership, make_organisation, make_project, make_user
from factories_review import make_consultation, make_opinion
from projects.lookalikes import lookalikes
from projects.models import Consultation, KeyDate, Project, ProjectParty
from projects.services.parties import add_key_date, add_party, remove_key_date, update_key_date
from projects.services.registry import create_project, update_project

ROLES = (
    "bureau", "department", "unit_officer", "other_unit_officer", "planner", "leader", "city", "finance",
    "other_bureau", "sysadmin", "anonymous",
)  # fmt: skip


def form_data(**extra: Any) -> dict[str, Any]:
    data = {
        "submission_key": new_key(),
        "number": "XM-77",
        "name": "口袋公园",
        "kind": "public_space",
        "stage": "scheme",
    }
    return {**data, **extra}


def test_a_department_registers_its_own_project_with_parties_and_dates_at_once(cast, as_user):
    office = Organisation.objects.get(membership__user=cast.department)
    data = form_data(
        owner=office.pk, builder="甲公司、乙公司", designer=cast.institution.name, contractor="丙建工", start_on="2026年5月1日",
        finish_on="2026/12/1", units=[cast.unit.pk], place="示例路 1 号", summary="街角空地改造。",
    )  # fmt: skip
    answer = as_user("department").post(reverse("projects:project-create", args=[cast.locality.code]), data)
    made = Project.objects.get()
    assert answer.url == reverse("projects:project", args=[made.pk])
    assert (made.owner, made.stage, made.summary) == (office, "scheme", "街角空地改造。")
    assert set(made.parties.values_list("role", "name", "institution")) == {
        ("builder", "甲公司", None), ("builder", "乙公司", None), ("contractor", "丙建工", None),
        ("designer", cast.institution.name, cast.institution.pk),
    }  # fmt: skip
    assert list(made.key_dates.values_list("title", "day")) == [
        ("开工", date(2026, 5, 1)),
        ("计划竣工", date(2026, 12, 1)),
    ]


def test_a_department_registers_nothing_for_another_body(cast, as_user):
    with pytest.raises(ValidationError, match="所在单位须为本单位"):
        create_project(
            cast.locality, actor=cast.department, number="X", name="甲", kind="other", owner=cast.unit.office
        )
    page = as_user("department").post(
        reverse("projects:project-create", args=[cast.locality.code]), form_data(owner=cast.unit.office.pk)
    )
    assert page.status_code == 200
    assert not Project.objects.exists()


def test_only_the_owner_among_departments_changes_a_project(cast, project, as_user):
    stranger = make_user("别的局")
    make_membership(stranger, "department", cast.locality, organisation=make_organisation(cast.locality, "department"))
    update_project(project, actor=cast.department, place="雄安路口东")
    with pytest.raises(Refused, match="仅可修改本单位的项目"):
        update_project(project, actor=stranger, place="别处")


@pytest.mark.parametrize("page", ["party-create", "key-date-create", "party-edit", "key-date-edit"])
def test_who_may_keep_parties_and_dates(cast, project, as_user, page):
    target = project
    if page == "party-edit":
        target = add_party(project, actor=cast.bureau, role="builder", name="甲公司")
    if page == "key-date-edit":
        target = add_key_date(project, actor=cast.bureau, title="开工", day=date(2026, 5, 1))
    expected = (200, 200, 200, 404, 403, 403, 403, 403, 404, 403, 302)
    url = reverse(f"projects:{page}", args=[target.pk])
    assert {who: as_user(who).get(url).status_code for who in ROLES} == dict(zip(ROLES, expected, strict=True))


def test_a_party_is_registered_once_and_leaves_without_being_erased(cast, project, as_user):
    url = reverse("projects:party-create", args=[project.pk])
    data = {"submission_key": new_key(), "role": "builder", "name": "甲公司", "contact": "王某", "phone": "13800138000"}
    client = as_user("department")
    for _ in range(2):
        assert client.post(url, data).status_code == 302
    again = client.post(url, {**data, "submission_key": new_key()})
    assert "该单位已登记" in again.content.decode()
    party = ProjectParty.objects.get()
    page = client.get(reverse("projects:project", args=[project.pk])).content.decode()
    assert "13800138000" not in page
    assert "138****8000" in page
    edit = reverse("projects:party-edit", args=[party.pk])
    assert "13800138000" not in client.get(edit).content.decode()
    client.post(edit, {"role": "builder", "name": "甲公司", "contact": "李某"})
    party.refresh_from_db()
    assert (party.is_active, party.contact, party.phone) == (False, "李某", "13800138000")
    assert not AuditEntry.objects.filter(detail__contains="13800138000").exists()
    # Once it has left, the same name may come again.
    add_party(project, actor=cast.bureau, role="builder", name="甲公司")


def test_dates_are_changed_and_taken_out_with_a_trace(cast, project, as_user):
    row = add_key_date(project, actor=cast.bureau, title="开工", day=date(2026, 5, 1))
    as_user("bureau").post(reverse("projects:key-date-edit", args=[row.pk]), {"title": "开工", "day": "2026-06-01"})
    entry = AuditEntry.objects.get(action="keydate.update")
    assert entry.detail["changed"] == {"day": ["2026-05-01", "2026-06-01"]}
    url = reverse("projects:key-date-delete", args=[row.pk])
    assert as_user("planner").post(url).status_code == 403
    assert as_user("bureau").get(url).status_code == 405
    assert as_user("bureau").post(url).status_code == 302
    assert not KeyDate.objects.exists()
    assert AuditEntry.objects.get(action="keydate.delete").detail == {"title": "开工", "day": "2026-06-01"}
    for act in (
        lambda: remove_key_date(row, actor=cast.bureau),
        lambda: update_key_date(row, actor=cast.bureau, note="x"),
    ):
        with pytest.raises(ValidationError, match="已删除"):
            act()


# --- several localities (R9) --------------------------------------------------------------------------------------


def test_a_project_that_reaches_into_another_place_is_seen_there_and_changed_at_home(cast, project, as_user):
    url = reverse("projects:project", args=[project.pk])
    assert as_user("other_bureau").get(url).status_code == 404
    update_project(project, actor=cast.bureau, also_in=[cast.other_locality])
    assert as_user("other_bureau").get(url).status_code == 200
    assert as_user("foreign").get(url).status_code == 200
    assert as_user("other_bureau").get(reverse("projects:project-edit", args=[project.pk])).status_code == 403
    assert "涉及通州区" in Notification.objects.get(user=cast.other_bureau).text
    listed = as_user("other_bureau").get(reverse("projects:list")).content.decode()
    assert project.name in listed
    update_project(project, actor=cast.bureau, also_in=[])
    assert as_user("other_bureau").get(url).status_code == 404


def test_its_own_place_is_no_other_place(cast, project):
    with pytest.raises(ValidationError, match="不含项目所在地方"):
        update_project(project, actor=cast.bureau, also_in=[cast.locality])


# --- twice the same -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, place, why",
    [
        ("雄安路口公共空间提升", "", "名称相同"),
        ("雄安路口 公共空间提升", "雄安路口", "名称和地点相同"),
        ("雄安路口公共空间提升工程", "雄安路口", "地点相同，名称相近"),
        ("雄安路口公共空间提升工程", "别处", None),
        ("地铁站改造", "雄安路口", None),
    ],
)
def test_what_looks_like_a_registered_project(cast, project, name, place, why):
    found = [one.why for one in lookalikes(cast.locality, name=name, place=place)]
    assert found == ([why] if why else [])


def test_a_twin_is_warned_of_and_registered_only_knowingly(cast, project, as_user):
    client, url = as_user("bureau"), reverse("projects:project-create", args=[cast.locality.code])
    data = form_data(name=project.name, place="雄安路口")
    page = client.post(url, data).content.decode()
    assert "可能已经登记过" in page
    assert project.number in page
    assert 'name="not_the_same"' in page
    assert Project.objects.count() == 1
    assert client.post(url, {**data, "not_the_same": "on"}).status_code == 302
    assert Project.objects.count() == 2


def test_the_warning_does_not_say_what_a_unit_may_not_see(cast, project, as_user):
    url = reverse("projects:project-create", args=[cast.locality.code])
    page = as_user("other_unit_officer").post(url, form_data(name=project.name)).content.decode()
    assert "其他单位登记的一个项目（名称相同）" in page
    assert project.number not in page


def test_another_places_project_is_no_twin(cast, project):
    assert lookalikes(cast.other_locality, name=project.name) == []


# --- a project moves between units while it is asked about --------------------------------------------------------


def test_a_project_that_moves_goes_on_being_answered_by_who_was_asked_and_all_are_told(cast, project, as_user):
    row = make_consultation(project, asker=project.owner, asked_by=cast.department, planners=(cast.own_planner,))
    update_project(project, actor=cast.bureau, units=[cast.other_unit])
    row.refresh_from_db()
    assert (row.state, row.consultees.get().state) == ("asked", "asked")
    assert Consultation.objects.visible_to(cast.planner).get() == row
    told = set(Notification.objects.filter(text__contains="由景山街道调整为东四街道").values_list("user", flat=True))
    told |= set(Notification.objects.filter(kind="consultation.moved").values_list("user", flat=True))
    assert told >= {cast.unit_officer.pk, cast.other_unit_officer.pk, cast.department.pk, cast.planner.pk}
    text = Notification.objects.get(user=cast.planner, kind="consultation.moved").text
    assert f"征询 {row.number} 继续进行" in text
    page = reverse("projects:project", args=[project.pk])
    assert (as_user("unit_officer").get(page).status_code, as_user("other_unit_officer").get(page).status_code) == (
        404,
        200,
    )
    assert Consultation.objects.visible_to(cast.other_unit_officer).get() == row
    shown = as_user("bureau").get(reverse("projects:timeline", args=[project.pk])).content.decode()
    assert "项目所属单元有变化" in shown


def test_what_was_answered_before_the_move_stays(cast, project):
    row = make_consultation(project, asker=project.owner, asked_by=cast.department, planners=(cast.own_planner,))
    opinion = make_opinion(row.consultees.get())
    update_project(project, actor=cast.bureau, units=[cast.other_unit])
    opinion.refresh_from_db()
    assert opinion.state == "submitted"


def test_a_units_office_moves_nothing(cast, project):
    with pytest.raises(ValidationError, match="由规划主管部门调整"):
        update_project(project, actor=cast.unit_officer, units=[cast.unit, cast.other_unit])


def order() -> Order:
    return Order(effective=date(2026, 7, 1), document_number="东政发〔2026〕8号", document_date=date(2026, 6, 1))


def test_projects_of_a_unit_that_is_merged_are_found_under_what_it_became(cast, project, as_user):
    change = merge_units(cast.unit, actor=cast.bureau, order=order(), others=[cast.other_unit], into=cast.other_unit)
    words = [row for row in change.effects if row["area"] == "项目"]
    assert [row["becomes"] for row in words] == ["保留原单元，在新单元下继续办理"]


def test_a_unit_that_ends_says_which_projects_are_left_without_one(cast, project):
    change = end_unit(cast.unit, actor=cast.bureau, order=order())
    (row,) = [row for row in change.effects if row["area"] == "项目"]
    assert (row["what"], row["tone"]) == ("景山街道：1 个未办结的项目", "warning")


# --- a department dissolved ---------------------------------------------------------------------------------------


def test_what_a_dissolved_department_has_not_finished_goes_to_its_heir_and_everybody_is_told(cast, project):
    gone, heir = project.owner, make_organisation(cast.locality, "department", name="承接局")
    officer = make_user("承接干部")
    make_membership(officer, "department", cast.locality, organisation=heir)
    done = make_project(cast.locality, owner=gone, stage="done")
    update_organisation(gone, actor=cast.bureau, is_active=False, succeeded_by=heir)
    project.refresh_from_db()
    done.refresh_from_db()
    assert (project.owner, done.owner) == (heir, gone)
    update_project(project, actor=officer, place="雄安路口西")
    with pytest.raises(Refused):
        update_project(project, actor=cast.department, place="东")
    told = {row.user for row in Notification.objects.filter(text__contains="由承接局承接")}
    assert officer in told


def test_without_an_heir_the_bureau_sees_to_it(cast, project):
    colleague = make_user("另一分局干部")
    make_membership(colleague, "bureau", cast.locality)
    update_organisation(project.owner, actor=cast.bureau, is_active=False)
    project.refresh_from_db()
    assert project.owner is not None and project.owner.kind == "bureau"
    assert "承接" in Notification.objects.get(user=colleague).text
    assert AuditEntry.objects.filter(action="project.update", object_id=str(project.pk)).count() == 1
