"""Public means chosen: which fields go out, of whom, when, and that nothing else ever does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.errors import Refused
from districts.models import PolicyVersion
from evaluations.models import Publication, Result, Round
from evaluations.services import publications as service
from evaluations.services.rounds import move_round
from evaluations.services.shown import shown_result
from evaluations.tests.outcome_cases import announced, published, result_of
from evaluations.tests.round_cases import make_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    return make_site("jincheng", demo=True)


def drafted(site, round_, **extra):
    values = {"kind": "notice", "fields": ["subject", "grade"]} | extra
    return service.draft_publication(round_, actor=site.bureau, **values)


def test_only_chosen_fields_of_chosen_sides_go_out(client, site):
    round_ = announced(site)
    row = drafted(site, round_)
    assert client.get(f"/notices/{row.pk}/").status_code == 404
    row = service.put_out(row, actor=site.bureau, today=timezone.localdate())
    assert row.rows == [
        {"subject": r.subject.label, "grade": "合格"}
        for r in Result.objects.filter(subject__direction="planner").order_by("subject__sort_key")
    ]
    assert (row.start, row.until) == (timezone.localdate(), round_.objections_until)
    page = client.get(f"/notices/{row.pk}/").content.decode()
    assert "龚䶮" in page and "合格" in page
    # What could leak: scores, what was written, the offices, phones of the planners.
    for canary in ("88.50", "91.25", "密封内容", "甲街道", "得分", site.planners[0].phone or "没有电话"):
        assert canary not in page
    assert "龚䶮" not in client.get("/notices/").content.decode()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"fields": ["subject", "phone"]}, "不能公开的字段"),
        ({"fields": ["subject", "figures"]}, "不能公开的字段"),
        ({"fields": ["grade", "score"]}, "受评对象"),
        ({"directions": []}, "哪一方"),
        ({"kind": "result"}, "不能公布"),
        ({"kind": "other"}, "没有这个类别"),
    ],
)
def test_what_is_not_on_the_list_cannot_be_chosen(site, values, why):
    round_ = announced(site)
    with pytest.raises(ValidationError, match=why):
        drafted(site, round_, **values)
    assert not Publication.objects.exists()


def test_an_office_that_few_rated_shows_nothing_and_one_that_many_rated_does(site):
    round_ = announced(site)
    of_unit = result_of(round_, subject__unit=site.unit)
    assert (shown_result(of_unit).score, shown_result(of_unit).grade) == (None, "")
    row = drafted(site, round_, fields=["subject", "score", "grade"], directions=["department"])
    assert row.rows and all("91.25" not in str(line) and "不显示" in line["score"] for line in row.rows)


def test_an_office_that_enough_planners_rated_is_shown(site):
    round_ = announced(site, raters=9)
    shown = shown_result(result_of(round_, subject__unit=site.unit))
    assert str(shown.score) == "91.25" and shown.means


def test_while_nobody_has_set_the_smallest_group_no_office_is_shown(site):
    round_ = announced(site, raters=9)
    rules = {key: row for key, row in round_.rules.items() if key != "evaluation.smallest_group"}
    Round.objects.filter(pk=round_.pk).update(rules=rules)
    PolicyVersion.objects.filter(is_demo=True).update(is_withdrawn=True)
    shown = shown_result(result_of(round_, subject__unit=site.unit))
    assert shown.score is None and "未设定" in shown.hidden


def test_who_puts_out_and_takes_down(site):
    round_ = announced(site)
    for user in (site.leader, site.city, site.planner, site.unit_officer):
        with pytest.raises(Refused):
            service.draft_publication(round_, actor=user, kind="notice", fields=["subject", "grade"])
    row = drafted(site, round_)
    with pytest.raises(Refused):
        service.put_out(row, actor=site.planner, today=timezone.localdate())
    row = service.put_out(row, actor=site.bureau, today=timezone.localdate())
    with pytest.raises(ValidationError, match="原因"):
        service.withdraw_publication(row, actor=site.bureau, reason=" ")
    service.withdraw_publication(row, actor=site.bureau, reason="更正")
    assert not service.public_now(today=timezone.localdate()).exists()


def test_a_notice_is_public_on_its_last_day_and_not_after_it(site):
    round_ = announced(site)
    service.put_out(drafted(site, round_), actor=site.bureau, today=timezone.localdate())
    assert service.public_now(today=round_.objections_until).exists()
    assert not service.public_now(today=round_.objections_until + timedelta(days=1)).exists()


def test_a_result_that_changed_after_the_draft_is_not_put_out_unseen(site):
    round_ = announced(site)
    row = drafted(site, round_)
    Result.objects.filter(subject__planner=site.planners[0]).update(final_grade="优秀")
    with pytest.raises(ValidationError, match="重新拟稿"):
        service.put_out(row, actor=site.bureau, today=timezone.localdate())
    again = drafted(site, round_)
    assert again.pk == row.pk and "优秀" in str(again.rows)


def test_deliberated_anew_it_comes_down_by_itself(site):
    round_ = announced(site)
    service.put_out(drafted(site, round_), actor=site.bureau, today=timezone.localdate())
    move_round(round_, "deliberate_again", actor=site.leader, today=timezone.localdate(), reason="复议")
    assert Publication.objects.get().state == "withdrawn"


def test_a_locality_that_does_not_publish_does_not(site):
    round_ = published(site)
    rules = round_.rules
    rules["evaluation.publication"]["value"] = False
    Round.objects.filter(pk=round_.pk).update(rules=rules)
    with pytest.raises(ValidationError, match="不公布"):
        drafted(site, Round.objects.get(pk=round_.pk), kind="result")
