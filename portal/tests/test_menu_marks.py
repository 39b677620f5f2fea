"""Which entry of the menu is marked on which page."""

from __future__ import annotations

import pytest

from core.nav import current_entry, entries_for


@pytest.mark.parametrize(
    ("role", "path", "label"),
    [
        ("bureau", "/districts/", "地方"),
        ("bureau", "/districts/110101/policy/", "地方"),
        ("bureau", "/worklogs/trials/3/", "地方"),
        ("bureau", "/districts/110101/units/new/", "责任单元"),
        ("bureau", "/districts/110101/streets/", "责任单元"),
        ("bureau", "/districts/contacts/3/edit/", "责任单元"),
        ("bureau", "/districts/110101/organisations/new/", "单位与联系人"),
        ("planner", "/districts/substitutions/", None),
        ("bureau", "/districts/memberships/1/substitute/", None),
        ("secadmin", "/districts/memberships/1/substitute/", "身份与授权"),
        ("bureau", "/planners/members/3/end/", "团队与小组"),
        ("bureau", "/planners/assignments/3/end/", "聘用合同"),
        ("bureau", "/planners/credentials/3/withdraw/", "规划师"),
        ("bureau", "/imports/contracts/", "聘用合同"),
        ("unit", "/worklogs/months/1/2026/10/", "待确认"),
        ("leader", "/worklogs/months/1/2026/10/", "履职记录"),
        ("planner", "/calendar/2026/", "履职日历"),
        ("sysadmin", "/calendar/2027/publish/", "节假日"),
    ],
)
def test_page_marks_the_entry_it_belongs_to(role, path, label):
    found = current_entry(entries_for(role), path)
    assert (found.label if found else None) == label
