"""已核对: who may say so, once, with a word on what was found; other evidence is another remark."""

from __future__ import annotations

from datetime import date

import pytest

from core.errors import Refused, StaleState
from core.models import AuditEntry
from factories import make_assignment, make_log
from worklogs.models import LogFinding
from worklogs.services import checks
from worklogs.services.findings import note_finding

DAY = date(2026, 3, 5)


@pytest.fixture
def finding(cast) -> LogFinding:
    make_assignment(cast.contract, cast.other_unit.charge, team=cast.team)
    log = make_log(cast.own_planner, cast.unit.charge, cast.contract, DAY, slot="am", content="甲", state="confirmed")
    make_log(cast.own_planner, cast.other_unit.charge, cast.contract, DAY, slot="am", content="乙")
    checks.check_all()
    return LogFinding.objects.get(log=log)


def address(finding: LogFinding) -> str:
    return f"/worklogs/{finding.log_id}/findings/{finding.pk}/note/"


@pytest.mark.parametrize(
    "who, status",
    [("unit_officer", 302), ("bureau", 302), ("planner", 403), ("lead", 403), ("leader", 403), ("city", 403),
     ("finance", 403), ("other_unit_officer", 404), ("colleague", 404), ("department", 404), ("other_bureau", 404),
     ("sysadmin", 404), ("auditor", 404)],
)  # fmt: skip
def test_finding_note_by_role(client, cast, finding, who, status):
    client.force_login(getattr(cast, who))
    assert client.post(address(finding), {"note": "已电话核实"}).status_code == status
    finding.refresh_from_db()
    assert (finding.state == "noted") is (status == 302)


def test_finding_note_is_kept_with_who_and_when_and_shown(client, cast, finding):
    client.force_login(cast.unit_officer)
    page = client.post(address(finding), {"note": " 上午先到景山，后到东四 "}, follow=True).content.decode()
    assert "核对结果已记下" in page and "景山专人" in page and "已核对：上午先到景山，后到东四" in page
    finding.refresh_from_db()
    assert (finding.noted_by, finding.note) == (cast.unit_officer, "上午先到景山，后到东四")
    assert AuditEntry.objects.filter(action="logfinding.note", object_id=str(finding.pk)).count() == 1
    client.force_login(cast.planner)
    page = client.get(f"/worklogs/{finding.log_id}/").content.decode()
    assert "上午先到景山" in page and "记为已核对" not in page


def test_finding_note_needs_a_word(client, cast, finding):
    client.force_login(cast.unit_officer)
    page = client.post(address(finding), {"note": "  "}, follow=True).content.decode()
    assert "请简要写明核对结果" in page
    page = client.post(address(finding), {"note": "字" * 201}, follow=True).content.decode()
    assert "不能超过 200 字" in page
    finding.refresh_from_db()
    assert finding.state == "open"


def test_finding_note_by_the_second_of_two_is_refused(cast, finding):
    same = LogFinding.objects.select_related("log__charge", "log__planner").get(pk=finding.pk)
    note_finding(finding, actor=cast.unit_officer, note="已核实")
    with pytest.raises(StaleState, match="已被他人处理"):
        note_finding(same, actor=cast.bureau, note="我也核实")
    assert LogFinding.objects.get(pk=finding.pk).note == "已核实"


def test_finding_note_never_on_an_own_log(cast, finding):
    # The same person, now an officer of the unit too.
    finding.log.planner.user = cast.unit_officer
    with pytest.raises(Refused, match="自己"):
        note_finding(finding, actor=cast.unit_officer, note="已核实")


def test_finding_noted_stays_when_the_evidence_changes_and_the_new_evidence_is_open(client, cast, finding):
    note_finding(finding, actor=cast.unit_officer, note="已核实")
    checks.check_all()
    assert list(LogFinding.objects.filter(log=finding.log).values_list("state", "current")) == [("noted", True)]
    make_log(cast.own_planner, cast.other_unit.charge, cast.contract, DAY, slot="full", content="丙")
    checks.check_all()
    rows = LogFinding.objects.filter(log=finding.log, code="two_places").order_by("pk")
    assert list(rows.values_list("state", "current")) == [("noted", False), ("open", True)]
    client.force_login(cast.unit_officer)
    page = client.get(f"/worklogs/{finding.log_id}/").content.decode()
    assert "已不再成立" in page and "已核实" in page
    finding.refresh_from_db()
    with pytest.raises(Refused, match="不再成立"):
        note_finding(LogFinding.objects.create(log=finding.log, code="outside", current=False), actor=cast.bureau,
                     note="无")  # fmt: skip
