"""Projects: registered by bureau and unit, recognised by the bureau, seen by those they concern."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from core.errors import Refused, StaleState
from core.idempotency import new_key
from districts.models import Charge
from factories import make_project, make_unit
from planners.services.assigning import assign
from projects.filters import find_projects
from projects.models import Project
from projects.services.registry import create_project, recognise_project, update_project

ROLES = ("bureau", "planner", "unit_officer", "other_unit_officer", "other_bureau", "sysadmin", "anonymous")
PAGES = {
    "list": (200,) * 6 + (302,), "export": (200,) * 6 + (302,), "project-lookup": (200,) * 6 + (302,),
    "project": (200, 200, 200, 404, 404, 200, 302), "project-edit": (200, 403, 200, 404, 404, 403, 302),
    "project-create": (200, 403, 200, 200, 404, 403, 302),
}  # fmt: skip


@pytest.fixture
def project(cast) -> Project:
    return make_project(cast.locality, name="雄安路口公共空间提升", units=[cast.unit])


def address(cast: Any, project: Project, page: str) -> str:
    args = {"project": [project.pk], "project-edit": [project.pk], "project-create": [cast.locality.code]}
    return reverse(f"projects:{page}", args=args.get(page, []))


@pytest.mark.parametrize("page", PAGES)
def test_page_access(cast, project, as_user, page):
    found = {who: as_user(who).get(address(cast, project, page)).status_code for who in ROLES}
    assert found == dict(zip(ROLES, PAGES[page], strict=True))


def test_recognition_access(cast, project, as_user):
    url = reverse("projects:project-recognise", args=[project.pk])
    found = {who: as_user(who).post(url).status_code for who in ROLES if who != "bureau"}
    assert found == dict(zip(ROLES[1:], (403, 403, 404, 404, 403, 302), strict=True))
    assert as_user("bureau").get(url).status_code == 405
    assert as_user("bureau").post(url).status_code == 302
    again = as_user("bureau").post(url)
    assert again.status_code == 403
    assert "已认定为责任项目" in again.content.decode()
    assert Charge.objects.filter(kind="project").count() == 1


def test_a_recognised_project_is_a_charge_of_its_name(cast, project):
    made = recognise_project(project, actor=cast.bureau)
    assert (made.charge.kind, made.charge.name, made.charge.locality) == ("project", project.name, cast.locality)
    with pytest.raises(StaleState):
        recognise_project(project, actor=cast.bureau)
    update_project(made, actor=cast.bureau, name="新名称")
    made.charge.refresh_from_db()
    assert made.charge.name == "新名称"


def test_a_planner_is_sent_to_a_recognised_project_as_to_a_unit(cast):
    project = recognise_project(make_project(cast.locality), actor=cast.bureau)
    row = assign(cast.contract, project.charge, actor=cast.bureau, planner=cast.own_planner, start=date(2026, 1, 1))
    assert row.charge.kind == "project"


def test_a_unit_registers_for_itself_and_touches_no_other(cast, project):
    values = {"number": "XM-9", "name": "胡同环境整治", "kind": "renewal"}
    with pytest.raises(ValidationError, match="须包含本责任单元"):
        create_project(cast.locality, actor=cast.unit_officer, units=[cast.other_unit], **values)
    create_project(cast.locality, actor=cast.unit_officer, units=[cast.unit], **values)
    with pytest.raises(Refused, match="仅可修改本责任单元的项目"):
        update_project(project, actor=cast.other_unit_officer, name="改名")
    with pytest.raises(ValidationError, match="由规划主管部门调整"):
        update_project(project, actor=cast.unit_officer, units=[cast.unit, cast.other_unit])
    with pytest.raises(ValidationError, match="不属于本地方"):
        update_project(project, actor=cast.bureau, units=[cast.foreign_unit])


def test_one_number_names_one_project_of_a_locality(cast, project):
    with pytest.raises(ValidationError, match="项目编号已存在"):
        create_project(cast.locality, actor=cast.bureau, number=project.number, name="乙", kind="other")


@pytest.mark.parametrize("words", ["雄安", "公共空间", "雄", "雄安 提升"])
def test_projects_are_found_by_any_part_of_the_name(cast, project, as_user, words):
    make_project(cast.locality, name="安雄路口改造")
    found = as_user("bureau").get(reverse("projects:project-lookup"), {"q": words}).json()["results"]
    names = [row["text"] for row in found]
    assert project.name in names
    assert ("安雄路口改造" in names) == (words == "雄")


def test_a_number_is_found_by_its_beginning(cast, project, as_user):
    found = as_user("bureau").get(reverse("projects:project-lookup"), {"q": project.number}).json()["results"]
    assert [row["id"] for row in found] == [project.pk]


def test_lists_lookups_and_exports_hold_what_one_may_see(cast, project, as_user):
    make_project(cast.other_locality, name="绝密项目", number="绝密一号")
    for who in ("bureau", "planner", "unit_officer", "leader"):
        for page in ("list", "project-lookup"):
            assert "绝密" not in as_user(who).get(reverse(f"projects:{page}")).content.decode()
    make_project(cast.locality, units=[cast.other_unit])
    own = as_user("unit_officer").get(reverse("projects:project-lookup")).json()["results"]
    assert [row["id"] for row in own] == [project.pk]


def test_the_list_takes_the_same_few_queries_for_one_row_and_for_thirty(cast, as_user, django_assert_max_num_queries):
    client, counts = as_user("bureau"), []
    for size in (1, 30):
        for _ in range(size):
            make_project(cast.locality, units=[cast.unit, make_unit(cast.locality)])
        with django_assert_max_num_queries(8) as counted:
            assert client.get(reverse("projects:list")).status_code == 200
        counts.append(len(counted))
    assert counts[0] == counts[1]


def test_a_unit_officers_form_makes_one_project_of_the_own_unit(cast, as_user):
    client, url = as_user("unit_officer"), reverse("projects:project-create", args=[cast.locality.code])
    data = {
        "submission_key": new_key(), "number": "XM-77", "name": "口袋公园", "kind": "public_space",
        "stage": "initiation", "units": [cast.other_unit.pk],
    }  # fmt: skip
    first, second = client.post(url, data), client.post(url, data)
    assert first.url == second.url
    assert list(Project.objects.get(number="XM-77").units.all()) == [cast.unit]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite compares")
def test_two_character_word_is_found_by_the_index(project):
    """Not by asking for the pairs of every project's name, which took a second for 20,000 of them."""
    found = find_projects(Project.objects.all(), "雄安")
    with connection.cursor() as cursor:
        # In a table of a few rows any way is as good: what is left open is the one that counts in a large one.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        assert "project_name_bigrams" in found.explain()
    assert list(found) == [project]
