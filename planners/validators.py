"""Checks of what people type into the registry."""

from __future__ import annotations

import re
from datetime import date

from django.core.exceptions import ValidationError

from core.text import to_halfwidth

# GB 11643-1999: weights and check characters of the 18-digit resident identity number.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_PHONE = re.compile(r"^\+?[0-9][0-9\- ]{4,19}$")
_OTHER = re.compile(r"^[A-Z0-9()（）\-]{4,30}$")
_NAME = re.compile(r"^[^\d\x00-\x1f<>{}\\|@#$%^&*=+/?!\"~`;:]+$")


def clean_resident_number(value: str) -> str:
    """An 18-digit resident identity number in canonical form. Raises ValidationError saying what is wrong."""
    number = to_halfwidth(value).strip().upper()
    if not re.fullmatch(r"\d{17}[\dX]", number, flags=re.ASCII):
        raise ValidationError("居民身份证号码应为 18 位，最后一位可以是 X。")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise ValidationError("身份证号码中的出生日期不存在，请核对。") from None
    if not date(1900, 1, 1) <= born <= date.today():
        raise ValidationError("身份证号码中的出生日期不合理，请核对。")
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    if _CHECKS[total % 11] != number[17]:
        raise ValidationError("身份证号码校验位不正确，请核对是否输错。")
    return number


def clean_other_document(value: str) -> str:
    """A passport, a permit or another document: letters and digits. Raises ValidationError."""
    number = to_halfwidth(value).strip().upper()
    if not _OTHER.fullmatch(number):
        raise ValidationError("证件号码应为 4 至 30 位字母或数字。")
    return number


def validate_phone(value: str) -> None:
    if value and not _PHONE.fullmatch(value):
        raise ValidationError("电话号码只能含数字、空格和短横线。")


def validate_person_name(value: str) -> None:
    """Names are real names: rare characters and dots are welcome, figures and punctuation of code are not."""
    if not _NAME.fullmatch(value):
        raise ValidationError("姓名不能含数字或特殊符号。")
