"""Names sort by pinyin with the readings of surnames, rare characters included, the same everywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.name_search import search_text
from core.names import KEY_LENGTH, initials, normalise_name, sort_key, syllables


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("单小雨", "shan"), ("仇英", "qiu"), ("曾国藩", "zeng"), ("区大为", "ou"), ("解晓东", "xie"), ("查良镛", "zha"),
        ("欧阳明", "ou"), ("尉迟恭", "yu"), ("长孙无忌", "zhang"), ("万俟雪", "mo"), ("单于明", "chan"), ("任静", "ren"),
        ("朴树", "piao"), ("盖叫天", "ge"), ("翟明", "zhai"), ("龚䶮", "gong"), ("𠮷田", "ji"), ("㛃", "jie"),
        ("买买提·吐尔逊", "mai"),
    ],
)  # fmt: skip
def test_surname_is_read_as_a_surname(name: str, reading: str) -> None:
    assert syllables(name)[0] == reading
    assert sort_key(name).startswith(reading)


@pytest.mark.parametrize(
    ("place", "reading"),
    [
        ("解放街道", "jie"),
        ("区府路", "qu"),
        ("单店镇", "dan"),
        ("重庆市", "chong"),
        ("朝阳门街道", "chao"),
        ("什刹海街道", "shi"),
        ("长辛店镇", "chang"),
    ],
)
def test_places_are_not_read_as_surnames(place: str, reading: str) -> None:
    assert syllables(place)[0] == reading


def test_order_is_by_syllable_then_tone_then_character() -> None:
    names = [
        "章三",
        "张三",
        "张四",
        "曾国藩",
        "单小雨",
        "龚䶮",
        "欧阳明",
        "买买提·吐尔逊",
        "阿依古丽",
        "张一",
        "西安",
        "先",
    ]
    assert sorted(names, key=sort_key) == [
        "阿依古丽", "龚䶮", "买买提·吐尔逊", "欧阳明", "单小雨", "西安", "先", "曾国藩", "张三", "张四", "张一", "章三",
    ]  # fmt: skip


def test_numbers_order_by_value() -> None:
    assert sorted(["第10街道", "第2街道", "第1街道"], key=sort_key) == ["第1街道", "第2街道", "第10街道"]


def test_unknown_characters_come_last_and_stay_apart() -> None:
    unknown = ["\ue863", "\ue864"]  # private use: how old systems stored rare characters
    keys = [sort_key(name) for name in unknown]
    assert keys == sorted(keys) and keys[0] != keys[1]
    assert keys[0] > sort_key("佐")


@given(st.text(max_size=60))
def test_every_name_has_a_plain_key_of_bounded_length(name: str) -> None:
    key = sort_key(name)
    assert re.fullmatch(r"[a-z0-9 ]*", key)
    assert len(key) <= KEY_LENGTH
    assert key == sort_key(name)


def test_initials_and_search_text() -> None:
    assert initials("单小雨") == "sxy"
    assert initials("欧阳明") == "oym"
    assert initials("买买提·吐尔逊") == "mmttex"
    assert search_text("单小雨") == "单小雨 shanxiaoyu sxy"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("张　三", "张三"), (" 龚䶮 ", "龚䶮"), ("买买提•吐尔逊", "买买提·吐尔逊"), ("买买提‧吐尔逊", "买买提·吐尔逊"),
        ("买买提・吐尔逊", "买买提·吐尔逊"), ("买买提.吐尔逊", "买买提·吐尔逊"), ("买买提 · 吐尔逊", "买买提·吐尔逊"),
        ("Ｌｉ  Ming", "Li Ming"), ("J. Smith", "J. Smith"), ("\u200b李\u202e四", "李四"), ("𠮷野", "𠮷野"), ("㛃", "㛃"),
    ],
)  # fmt: skip
def test_one_spelling_of_each_name(typed: str, kept: str) -> None:
    assert normalise_name(typed) == kept


def test_compatibility_characters_stay_peoples_own() -> None:
    """Normal forms would turn these into other characters."""
    assert normalise_name("\ufa0c\U0002f800") == "\ufa0c\U0002f800"


@given(st.text(alphabet=st.characters(min_codepoint=0x3400, max_codepoint=0x323AF, categories=["Lo"]), max_size=30))
def test_normalising_han_characters_changes_none(name: str) -> None:
    assert normalise_name(normalise_name(name)) == normalise_name(name)
