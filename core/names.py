"""Names of people and places: sort keys and initials by pinyin, and one spelling for each name.

Keys hold only a–z, 0–9 and spaces, so that they order the same under any collation of any database.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from pypinyin import Style, load_phrases_dict, pinyin

from core.text import clean_text, to_halfwidth

KEY_LENGTH = 255

# Readings as surnames, where the dictionary gives the common reading (《通用规范汉字表》, 姓氏读音).
SURNAMES = {
    "单": "shan4", "仇": "qiu2", "曾": "zeng1", "区": "ou1", "解": "xie4", "查": "zha1", "任": "ren2", "朴": "piao2",
    "盖": "ge3", "翟": "zhai2", "尉": "wei4", "华": "hua4", "冼": "xian3", "洗": "xian3", "缪": "miao4", "乐": "yue4",
    "种": "chong2", "覃": "qin2", "秘": "bi4", "折": "she2", "员": "yun4", "祭": "zhai4", "繁": "po2", "句": "gou1",
    "召": "shao4", "逄": "pang2", "葛": "ge3", "长": "zhang3", "臧": "zang1", "柏": "bai3", "应": "ying1", "车": "che1",
    "占": "zhan1", "卜": "bu3", "黑": "he4", "那": "na1", "哈": "ha3", "訾": "zi1", "过": "guo1", "能": "nai4",
    "都": "du1", "藏": "zang1", "干": "gan1", "曲": "qu1", "莘": "shen1", "郗": "xi1", "阚": "kan4", "燕": "yan1",
    "要": "yao1", "撒": "sa3", "瞿": "qu2", "谌": "chen2", "乜": "nie4", "盛": "sheng4", "幺": "yao1", "石": "shi2",
}  # fmt: skip
COMPOUND_SURNAMES = {
    "欧阳": ("ou1", "yang2"), "太史": ("tai4", "shi3"), "端木": ("duan1", "mu4"), "上官": ("shang4", "guan1"),
    "司马": ("si1", "ma3"), "东方": ("dong1", "fang1"), "独孤": ("du2", "gu1"), "南宫": ("nan2", "gong1"),
    "万俟": ("mo4", "qi2"), "闻人": ("wen2", "ren2"), "夏侯": ("xia4", "hou2"), "诸葛": ("zhu1", "ge3"),
    "尉迟": ("yu4", "chi2"), "公羊": ("gong1", "yang2"), "赫连": ("he4", "lian2"), "澹台": ("tan2", "tai2"),
    "皇甫": ("huang2", "fu3"), "宗政": ("zong1", "zheng4"), "濮阳": ("pu2", "yang2"), "公冶": ("gong1", "ye3"),
    "太叔": ("tai4", "shu1"), "申屠": ("shen1", "tu2"), "公孙": ("gong1", "sun1"), "慕容": ("mu4", "rong2"),
    "仲孙": ("zhong4", "sun1"), "钟离": ("zhong1", "li2"), "长孙": ("zhang3", "sun1"), "宇文": ("yu3", "wen2"),
    "司徒": ("si1", "tu2"), "鲜于": ("xian1", "yu2"), "司空": ("si1", "kong1"), "令狐": ("ling2", "hu2"),
    "单于": ("chan2", "yu2"), "呼延": ("hu1", "yan2"), "百里": ("bai3", "li3"), "东郭": ("dong1", "guo1"),
    "西门": ("xi1", "men2"), "轩辕": ("xuan1", "yuan2"), "纳兰": ("na4", "lan2"), "拓跋": ("tuo4", "ba2"),
    "公西": ("gong1", "xi1"), "漆雕": ("qi1", "diao1"), "乐正": ("yue4", "zheng4"), "谷梁": ("gu3", "liang2"),
}  # fmt: skip
# Characters of names that the dictionary does not hold.
EXTRA_READINGS = {"𠮷": "ji2", "𬱖": "di2", "𫍯": "xi3", "𡋾": "jiong3", "𬀩": "wei3"}

# Places that the dictionary reads as other words; streets and towns are named after them.
PLACES = {
    "朝阳": "cháo yáng", "什刹海": "shí chà hǎi", "大栅栏": "dà shi làn", "长辛店": "cháng xīn diàn", "单县": "shàn xiàn",
    "冠县": "guàn xiàn", "洪洞": "hóng tóng", "会稽": "kuài jī", "会理": "huì lǐ", "朝天门": "cháo tiān mén",
    "长治": "cháng zhì", "长子县": "zhǎng zǐ xiàn", "乐亭": "lào tíng", "重庆": "chóng qìng", "牟平": "mù píng",
}  # fmt: skip
load_phrases_dict({name: [[syllable] for syllable in said.split()] for name, said in PLACES.items()})

# What ends like this is a place or a body, whatever its first character could be as a surname (解放街道, 区府路).
_PLACE = re.compile(r"(?:街道|社区|街|镇|乡|村|区|县|市|州|盟|旗|园|路|巷|片|组团|中心|院|局|委|办|公司|项目|单元|城)$")
_HAN = re.compile(r"[\u3007\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_DOTS = re.compile("[·•‧・･∙⋅．]")
_DOT_BETWEEN_HAN = re.compile(rf"(?<={_HAN.pattern})\.(?={_HAN.pattern})")
_SPACE_BETWEEN_HAN = re.compile(rf"(?<={_HAN.pattern})\s+(?={_HAN.pattern})")
_SPACE_AT_DOT = re.compile(r"\s*·\s*")
# Compatibility ideographs are people's own characters: normal forms would swap them for others.
_COMPATIBILITY = re.compile("[\uf900-\ufaff\U0002f800-\U0002fa1f]")
_TOKEN = re.compile(rf"{_HAN.pattern}|[a-z]+|\d+|\S")


def normalise_name(name: str | None) -> str:
    """One spelling: half-width letters, `·` for every kind of dot, no stray spaces; rare characters untouched."""
    text = to_halfwidth(_DOTS.sub("·", clean_text(name)))
    parts = _COMPATIBILITY.split(text)
    kept = _COMPATIBILITY.findall(text)
    composed = [unicodedata.normalize("NFC", part) for part in parts]
    text = "".join(part + (kept[i] if i < len(kept) else "") for i, part in enumerate(composed))
    text = _DOT_BETWEEN_HAN.sub("·", " ".join(text.split()))
    return _SPACE_BETWEEN_HAN.sub("", _SPACE_AT_DOT.sub("·", text))


@lru_cache(maxsize=20000)
def _reading(char: str) -> str:
    """Pinyin with its tone digit; empty when nobody knows."""
    if char in EXTRA_READINGS:
        return EXTRA_READINGS[char]
    found = pinyin(char, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore", v_to_u=False)
    syllable = found[0][0] if found and found[0] else ""
    # Some readings keep a letter with a mark (ê, ü): bring all to a–z.
    plain = "".join(c for c in unicodedata.normalize("NFD", syllable.replace("ü", "v")) if c.isascii() and c.isalnum())
    return plain.lower()


def _readings(name: str) -> list[tuple[str, str]]:
    """(token, reading) of each token of a normalised name; tokens are Han characters, words, numbers and marks."""
    tokens = _TOKEN.findall(name.lower())
    run = "".join(token for token in tokens if _HAN.fullmatch(token))
    known = _phrase(run)
    given = iter(known)
    result = [(token, next(given) if _HAN.fullmatch(token) else "") for token in tokens]
    if _is_person(name, tokens):
        head = COMPOUND_SURNAMES.get("".join(tokens[:2])) if len(tokens) > 2 else None
        surname = head or ((SURNAMES[tokens[0]],) if tokens[0] in SURNAMES else ())
        for at, reading in enumerate(surname):
            result[at] = (tokens[at], reading)
    return result


def _phrase(run: str) -> list[str]:
    """Readings of a run of Han characters in context (重庆, 银行), one for each character."""
    if not run:
        return []
    # A list for each run of unknown characters keeps one entry for each; the stubs know of text alone.
    apart: Any = list
    found = pinyin(run, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False, errors=apart)
    if len(found) != len(run):
        return [_reading(char) for char in run]
    return [_ascii(item[0]) if _ascii(item[0]) else _reading(char) for char, item in zip(run, found, strict=True)]


def _ascii(syllable: str) -> str:
    return syllable if syllable.isascii() and syllable[:1].isalpha() else ""


def _is_person(name: str, tokens: list[str]) -> bool:
    han = sum(1 for token in tokens if _HAN.fullmatch(token))
    return bool(tokens) and han == len(tokens) and 1 <= han <= 5 and not (han > 2 and _PLACE.search(name))


def sort_key(name: str | None) -> str:
    """A key (at most 255 characters) that orders names by pinyin, tone and character, the same on every database.

    Surnames have their own readings (单 Shàn, 仇 Qiú). Same-sounding characters stay apart (张 with 张, 章 with 章);
    characters without a known reading come last, in code-point order. Numbers order by value (第2街道 before 第10街道).
    """
    parts = []
    for token, reading in _readings(normalise_name(name)):
        if reading:
            parts.append(f"{reading}{ord(token):05x}")
        elif token.isdecimal():
            parts.append(f"{int(token):08d}" if len(token) <= 8 else f"99999999{token}")
        elif token.isascii() and token.isalpha():
            parts.append(token)
        elif unicodedata.category(token[0])[0] not in "PZ":
            parts.append("zzz" + "".join(f"{ord(char):06x}" for char in token))
    return " ".join(parts)[:KEY_LENGTH]


def initials(name: str | None) -> str:
    """First letters of the pinyin, lower case: 单小雨 → sxy. Letters and digits stay; unknown characters are left out."""
    return "".join(
        reading[0] if reading else token if token.isascii() and token.isalnum() else ""
        for token, reading in _readings(normalise_name(name))
    )


def syllables(name: str | None) -> list[str]:
    """Pinyin without tones, one for each character (单小雨 → shan, xiao, yu); words and digits as they are."""
    return [
        reading.rstrip("12345") if reading else token
        for token, reading in _readings(normalise_name(name))
        if reading or (token.isascii() and token.isalnum())
    ]
