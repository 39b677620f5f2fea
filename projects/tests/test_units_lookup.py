"""Units of a project: boxes to tick where one can see them all, a search where there are many."""

from __future__ import annotations

import pytest
from django.urls import reverse

from factories import make_project, make_unit
from projects.forms import MOST_BOXES


def crowd(cast, number: int) -> list:
    return [make_unit(cast.locality, name=f"示例街道{n:02}") for n in range(number)]


def page_of(client, project) -> str:
    return client.get(reverse("projects:project-edit", args=[project.pk])).content.decode()


@pytest.mark.parametrize("many", [False, True])
def test_all_units_are_on_the_page_only_while_they_are_few(cast, as_user, many):
    units = crowd(cast, MOST_BOXES if many else MOST_BOXES - 2)
    project = make_project(cast.locality, units=[units[3]])
    page = page_of(as_user("bureau"), project)
    assert page.count('name="units"') == (1 if many else MOST_BOXES)
    assert (units[3].name in page, units[4].name in page) == (True, not many)


def test_what_was_unticked_or_makes_no_sense_is_not_kept(cast, as_user):
    units = crowd(cast, MOST_BOXES)
    project = make_project(cast.locality, units=units[:2])
    client = as_user("bureau")
    form = client.get(reverse("projects:project-edit", args=[project.pk])).context["form"]
    sent = {bound.html_name: bound.value() for bound in form if bound.value()} | {"units": [units[1].pk]}
    done = client.post(reverse("projects:project-edit", args=[project.pk]), sent)
    assert done.status_code == 302, done.context["form"].errors
    assert list(project.units.all()) == [units[1]]
    again = client.post(reverse("projects:project-edit", args=[project.pk]), sent | {"units": ["x", "9" * 30, ""]})
    assert again.status_code == 200
    assert again.context["form"].errors["units"]
    assert list(project.units.all()) == [units[1]]


@pytest.mark.browser
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_unit_is_found_by_typing_and_added_to_those_chosen(cast, browse):
    units = crowd(cast, MOST_BOXES)
    project = make_project(cast.locality, units=[units[0]], name="示例项目", place="示例路")
    page = browse(cast.bureau, "phone")
    page.goto(f"/projects/{project.pk}/edit/")
    box = page.get_by_role("combobox", name="责任单元")
    for word in (units[7].name, units[9].name):
        box.fill(word)
        page.get_by_role("option", name=word).click()
    page.get_by_label(units[0].name).uncheck()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"**/projects/{project.pk}/")
    assert set(project.units.all()) == {units[7], units[9]}
