"""What deserves a second look, from plain records: each kind of remark, what is left alone, and what always holds."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worklogs.plausibility import CODES, Limits, Picture, Record, explanation, findings, limit_words, sentence
from worklogs.plausibility.check import kilometres
from worklogs.plausibility.shapes import bands, distance

DAY = date(2026, 3, 5)
MARK = "0123456789abcdef" * 2
SQUARE, TOWN = (39.9087, 116.3975), (39.9163, 116.6656)


def record(pk: int, **changed) -> Record:
    values = {
        "planner": 1, "charge": 1, "charge_name": "景山街道", "on": DAY, "slot": "am", "content": f"第{pk}件事",
        **changed,
    }  # fmt: skip
    return Record(pk, **values)


def picture(pk: int, log: int, digest: str = "", **changed) -> Picture:
    return Picture(pk, log, digest or f"sha-{pk}", **changed)


def codes(*rows: Record, limits: Limits | None = None, **extra) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for one in findings(rows, limits=limits or Limits(), **extra):
        found.setdefault(one.log, []).append(one.code)
    return found


def typed(count: int, minutes: float, *, start: datetime = datetime(2026, 3, 31, 21, 0)) -> list[Record]:
    """`count` records of as many days, typed in evenly over `minutes`."""
    return [
        record(n, on=date(2026, 3, 1 + n), entered=start + timedelta(minutes=minutes * n / max(1, count - 1)))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "slots, charges, expected",
    [
        (("am", "am"), (1, 2), ["two_places"]),
        (("am", "full"), (1, 2), ["overfull", "two_places"]),
        (("am", "pm"), (1, 2), []),
        (("am", "am"), (1, 1), ["same_hours"]),
        (("full", "pm"), (1, 1), ["overfull"]),
        (("am", "pm"), (1, 1), []),
    ],
)
def test_plausibility_of_one_persons_hours(slots, charges, expected):
    rows = [record(n, slot=slot, charge=charge) for n, (slot, charge) in enumerate(zip(slots, charges, strict=True))]
    assert codes(*rows) == ({0: expected, 1: expected} if expected else {})
    # Two people, or two days, are nobody in two places.
    assert codes(rows[0], record(1, slot=slots[1], charge=charges[1], planner=2)) == {}
    assert codes(rows[0], record(1, slot=slots[1], charge=charges[1], on=DAY + timedelta(days=1))) == {}


def test_plausibility_says_how_much_a_day_holds_and_where_else():
    rows = [record(1, slot="full"), record(2, slot="pm"), record(3, slot="am", charge=2, charge_name="东四街道")]
    said = {(f.log, f.code): f for f in findings(rows, limits=Limits())}
    assert sentence("overfull", said[1, "overfull"].facts) == "当天各条记录合计 2 天。"
    assert said[3, "two_places"].others == (1,)
    assert said[1, "two_places"].facts["others"] == [
        {"pk": 3, "on": "2026-03-05", "slot": "am", "place": "东四街道", "planner": 1}
    ]


def test_plausibility_leaves_a_correction_and_what_it_corrects_alone():
    photo = {"digest": "same", "mark": MARK}
    rows = [
        record(1, slot="full", content="甲", pictures=(picture(1, 1, **photo),)),
        record(2, slot="full", content="甲", earlier=1, pictures=(picture(2, 2, **photo),)),
    ]
    assert codes(*rows) == {}


@pytest.mark.parametrize("days, minutes, remarked", [(6, 30, True), (6, 31, False), (5, 1, False), (20, 30, True)])
def test_plausibility_of_a_month_typed_in_at_one_sitting(days, minutes, remarked):
    assert codes(*typed(days, minutes)) == ({n: ["sitting"] for n in range(days)} if remarked else {})


def test_plausibility_of_a_sitting_counts_days_not_records_and_knows_no_import():
    start = datetime(2026, 3, 31, 21)
    assert codes(*(record(n, slot="am" if n % 2 else "pm", entered=start, content=str(n)) for n in range(8))) == {
        n: ["overfull"] for n in range(8)
    }
    assert codes(*(record(n, on=date(2026, 3, 1 + n)) for n in range(20))) == {}
    # The limits are settings: a portal may ask for less, and the sentence tells what was found.
    found = findings(typed(3, 4), limits=Limits(sitting_minutes=5, sitting_days=3))
    assert "3 天的 3 条记录是在 2026-03-31 21:00 至 21:04 的约 4 分钟内填写的" in sentence("sitting", found[0].facts)
    assert limit_words(found[0].facts) == "5 分钟之内，涉及 3 天起"


def test_plausibility_of_words_copied_within_a_month():
    rows = [record(1, content="走访  社区"), record(2, content="走访 社区 ", on=DAY + timedelta(days=9))]
    assert codes(*rows) == {1: ["same_words"], 2: ["same_words"]}
    assert codes(rows[0], record(2, content="走访 社区", on=date(2026, 4, 1))) == {}
    assert codes(rows[0], record(2, content="走访 社区", planner=2, on=date(2026, 3, 9))) == {}


def test_plausibility_of_a_day_without_a_contract():
    assert codes(record(1, in_term=False)) == {1: ["outside"]}


def flipped(mark: str, bits: int) -> str:
    return f"{int(mark, 16) ^ sum(1 << 16 * n % 128 + n for n in range(bits)):032x}"


def test_plausibility_of_photos_used_twice():
    mine = record(1, pictures=(picture(1, 1, mark=MARK),))
    again = record(2, on=date(2026, 3, 20), pictures=(picture(2, 2, mark=flipped(MARK, 7)),))
    assert codes(mine, again) == {1: ["same_photo"], 2: ["same_photo"]}
    near = next(f for f in findings([mine, again], limits=Limits()) if f.log == 1)
    assert "相同或几乎相同" in sentence("same_photo", near.facts)
    assert limit_words(near.facts) == "图像指纹相差不超过 7 位（共 128 位）"
    other = record(2, on=date(2026, 3, 20), pictures=(picture(2, 2, mark=flipped(MARK, 8)),))
    assert codes(mine, other) == {}
    # Somebody else's, under whatever record; and two photos of one record are no second use.
    assert codes(mine, elsewhere=[picture(9, 77, "sha-1")]) == {1: ["same_photo"]}
    assert codes(record(1, pictures=(picture(1, 1, mark=MARK), picture(2, 1, mark=MARK)))) == {}


def test_plausibility_of_blank_pictures_says_nothing():
    blank = [record(n, on=DAY + timedelta(days=n), pictures=(picture(n, n, mark="0" * 32),)) for n in (1, 2)]
    assert codes(*blank) == {}


@pytest.mark.parametrize("off, allowed, remarked", [(0, 0, False), (-1, 0, True), (1, 1, False), (3, 2, True)])
def test_plausibility_of_the_day_a_photo_was_taken(off, allowed, remarked):
    row = record(1, pictures=(picture(1, 1, taken=DAY + timedelta(days=off)),))
    assert codes(row, limits=Limits(photo_days=allowed)) == ({1: ["photo_day"]} if remarked else {})


def test_plausibility_of_where_a_photo_was_taken():
    known = [picture(10 + n, 100 + n, place=SQUARE) for n in range(3)]
    far = record(1, pictures=(picture(1, 1, place=TOWN),))
    near = record(2, slot="pm", pictures=(picture(2, 2, place=SQUARE),))
    assert codes(far, near, located={1: known}) == {1: ["photo_place"]}
    (found,) = findings([far], limits=Limits(), located={1: known})
    assert sentence("photo_place", found.facts) == "有 1 张照片的拍摄位置距此处其他照片约 23 公里。"
    # One stray photo among the others moves nothing; too few of them say nothing; own photos are no witnesses.
    assert codes(near, located={1: [*known, picture(20, 120, place=TOWN)]}) == {}
    assert codes(far, located={1: known[:2]}) == {}
    assert codes(far, located={1: [*known[:2], picture(3, 1, place=SQUARE)]}) == {}
    assert codes(far, located={1: known}, limits=Limits(place_km=30)) == {}


def test_plausibility_words_accuse_nobody():
    for code in CODES:
        assert explanation(code)
        assert not any(word in CODES[code] + explanation(code) for word in ("虚假", "造假", "作弊", "违规", "嫌疑"))


@pytest.mark.parametrize("wrong", [{"photo_bits": 8}, {"sitting_minutes": 0}, {"photo_days": -1}, {"place_km": -1}])
def test_plausibility_limits_beyond_reason_are_refused(wrong):
    with pytest.raises(ValueError):
        Limits(**wrong)


# --- what always holds --------------------------------------------------------------------------------

marks = st.integers(0, 2**128 - 1).map(lambda n: f"{n:032x}")


@st.composite
def months(draw) -> list[Record]:
    rows = []
    for pk in range(1, draw(st.integers(1, 9)) + 1):
        photos = tuple(
            picture(100 * pk + n, pk, draw(st.sampled_from(["a", "b", f"own-{pk}-{n}"])),
                    mark=draw(st.sampled_from([MARK, flipped(MARK, 3), ""])), taken=DAY)
            for n in range(draw(st.integers(0, 2)))
        )  # fmt: skip
        rows.append(
            record(
                pk, planner=draw(st.integers(1, 2)), charge=draw(st.integers(1, 2)),
                on=DAY + timedelta(days=draw(st.integers(0, 3))), slot=draw(st.sampled_from(["am", "pm", "full"])),
                content=draw(st.sampled_from(["甲", "乙"])), pictures=photos,
                entered=datetime(2026, 3, 31, 21) + timedelta(minutes=draw(st.integers(0, 90))),
            )
        )  # fmt: skip
    return rows


LOOSE = Limits(sitting_days=2)


@given(months(), st.randoms())
def test_plausibility_depends_on_no_order_and_points_both_ways(rows, random):
    found = findings(rows, limits=LOOSE)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert findings(shuffled, limits=LOOSE) == found
    at = {(f.log, f.code): f for f in found}
    assert len(at) == len(found)
    for one in found:
        assert one.log not in one.others
        if one.code in ("two_places", "same_words", "same_photo"):
            assert all(one.log in at[other, one.code].others for other in one.others)


@given(months())
def test_plausibility_of_more_records_remarks_on_no_less(rows):
    """Taking a record away never makes a remark appear on another's two places, hours, words or photos."""

    def kinds(some):
        return {(f.log, f.code) for f in findings(some, limits=LOOSE) if f.code not in ("same_hours", "sitting")}

    assert kinds(rows[:-1]) <= kinds(rows)


@given(months(), st.integers(1, 60))
def test_plausibility_of_a_longer_sitting_remarks_on_no_less(rows, minutes):
    def remarked(limit):
        found = findings(rows, limits=Limits(sitting_minutes=limit, sitting_days=2))
        return {f.log for f in found if f.code == "sitting"}

    assert remarked(minutes) <= remarked(minutes + 15)


@given(months())
def test_plausibility_adds_up_a_day_as_the_day_is(rows):
    by_pk = {row.pk: row for row in rows}
    for one in findings(rows, limits=LOOSE):
        if one.code == "overfull":
            day = [by_pk[pk] for pk in (one.log, *one.others)]
            assert float(one.facts["days"]) == sum(len(row.halves) for row in day) / 2 > 1


@given(marks, st.sets(st.integers(0, 127), max_size=7))
def test_plausibility_finds_every_nearly_same_picture_by_one_part(mark, bits):
    other = f"{int(mark, 16) ^ sum(1 << bit for bit in bits):032x}"
    assert distance(mark, other) == len(bits)
    if bands(mark) and bands(other):
        assert set(bands(mark)) & set(bands(other))


def test_plausibility_measures_the_way_over_the_ground():
    assert kilometres(SQUARE, SQUARE) == 0
    assert round(kilometres(SQUARE, TOWN), 1) == 22.9
