"""Identity numbers and phones: unreadable in the database, readable to the code, masked on the screen."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.db import connection, models
from hypothesis import given
from hypothesis import strategies as st

from core import crypto
from core.crypto import EncryptedTextField, Undecipherable, blind_index, decrypt, encrypt, mask_identity, mask_phone

NUMBER = "110101199003077512"
# A model with such a field, by name: this app imports none of those above it.
Contact = apps.get_model("districts", "Contact")


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_text_comes_back_as_it_was(text: str) -> None:
    assert decrypt(encrypt(text)) == text


def test_same_text_gives_other_ciphertext_each_time() -> None:
    assert encrypt(NUMBER) != encrypt(NUMBER)


def test_altered_ciphertext_is_refused_without_quoting_it() -> None:
    sealed = encrypt(NUMBER)
    altered = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    with pytest.raises(Undecipherable) as caught:
        decrypt(altered)
    assert altered not in str(caught.value)


@pytest.mark.parametrize("value", [NUMBER, "v1:abc", "v1:00000000:AAAA", "v9:a:b", ""])
def test_what_is_no_ciphertext_is_refused(value: str) -> None:
    with pytest.raises(Undecipherable):
        decrypt(value)


def test_old_key_still_reads_after_a_change(settings) -> None:
    sealed = encrypt(NUMBER)
    settings.FIELD_KEYS_OLD, settings.FIELD_KEY = [settings.FIELD_KEY], "another-field-key-of-sufficient-length-42"
    assert decrypt(sealed) == NUMBER
    assert crypto.needs_new_key(sealed)
    assert not crypto.needs_new_key(encrypt(NUMBER))


def test_forgotten_key_does_not_read(settings) -> None:
    sealed = encrypt(NUMBER)
    settings.FIELD_KEY = "another-field-key-of-sufficient-length-42"
    with pytest.raises(Undecipherable):
        decrypt(sealed)


def test_nothing_of_the_number_stands_in_the_table(db) -> None:
    """The row is read past the field, as somebody with the database file would."""
    Locality, Organisation = (apps.get_model("districts", name) for name in ("Locality", "Organisation"))
    locality = Locality.objects.create(code="110101", name="东城区")
    office = Organisation.objects.create(locality=locality, kind="unit_office", name="景山街道办事处")
    contact = Contact(organisation=office, name="甲", phone="13812345678")
    contact.save()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {Contact._meta.db_table}")
        stored = repr(cursor.fetchall())
    assert "13812345678" not in stored
    assert "5678" not in stored
    assert Contact.objects.get(pk=contact.pk).phone == "13812345678"


def test_empty_stays_empty_and_can_be_asked_for(db) -> None:
    assert str(Contact.objects.filter(phone="").query)
    with pytest.raises(FieldError):
        list(Contact.objects.filter(phone="13812345678"))
    with pytest.raises(FieldError):
        list(Contact.objects.filter(phone__icontains="138"))


def test_field_is_a_text_column() -> None:
    assert EncryptedTextField().get_internal_type() == models.TextField().get_internal_type()


def test_blind_index_finds_the_same_number_only() -> None:
    assert blind_index("11010119900307751x") == blind_index(" 11010119900307751X ")
    assert blind_index(NUMBER) != blind_index(NUMBER[:-1] + "3")
    assert blind_index(NUMBER, "identity") != blind_index(NUMBER, "phone")
    assert NUMBER not in blind_index(NUMBER) and len(blind_index(NUMBER)) == 64


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (NUMBER, "110***********7512"),
        ("", ""),
        (None, ""),
        ("E12345678", "*******78"),
        ("1", "*"),
        ("123456", "****56"),
    ],
)
def test_identity_number_is_masked(value: str | None, shown: str) -> None:
    assert mask_identity(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("13812345678", "138****5678"), ("010-66886688", "010*****6688"), ("110", "**0")]
)
def test_phone_is_masked(value: str, shown: str) -> None:
    assert mask_phone(value) == shown


@given(st.text(min_size=1, max_size=40))
def test_mask_never_shows_more_than_two_thirds(value: str) -> None:
    shown = mask_identity(value)
    if value.strip():
        assert len(shown) == len(value.strip())
        assert shown.count("*") >= len(shown) / 3 or len(shown) > 11
