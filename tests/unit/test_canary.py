"""The sweep sees a planted value in every form it could escape in, and nothing in what looks like one."""

import base64
import hashlib
import random
import urllib.parse

import pytest

from ops.verify.leak_search import forms, seen
from ops.verify.nobodies import NOBODIES

VALUES = tuple(value for nobody in NOBODIES.values() for value in nobody.values())
DATES = [value for value in VALUES if value[:3] == "190"]
NUMBERS = [value for value in VALUES if value.isdigit() and len(value) == 10]


def assert_seen(value: str, text: bytes) -> None:
    """Wherever the text begins: the search looks at every fourth place."""
    for before in range(4):
        assert value in seen(VALUES, b"." * before + b" " + text + b" tail"), (value, before)


@pytest.mark.parametrize("value", VALUES)
def test_every_value_is_seen_in_every_form(value: str) -> None:
    plain = value.encode()
    for text in (
        plain, plain.upper(), plain.lower(), value[::-1].encode(), value.replace(" ", "").encode(),
        " ".join(value).encode(), urllib.parse.quote(value, safe="").encode(),
        plain.hex().encode(), plain.hex().upper().encode(), plain.lower().hex().encode(),
    ):  # fmt: skip
        assert_seen(value, text)
    for algorithm in ("md5", "sha1", "sha256"):
        digest = hashlib.new(algorithm, plain).digest()
        for text in (digest.hex().encode(), base64.b64encode(digest), base64.urlsafe_b64encode(digest)):
            assert_seen(value, text)


@pytest.mark.parametrize("value", VALUES)
def test_every_value_is_seen_in_base64_wherever_it_falls(value: str) -> None:
    for before in range(3):
        for after in range(3):
            text = b"\x8f" * before + value.encode() + b"\xd1" * after
            assert_seen(value, base64.b64encode(text))
            assert_seen(value, base64.b64encode(b'{"name":"' + text + b'"}'))


def test_a_number_is_seen_as_it_is_printed_on_letters() -> None:
    for value in NUMBERS:
        assert_seen(value, f"{value[:3]} {value[3:6]} {value[6:]}".encode())
        assert_seen(value, f"{value[:3]}-{value[3:6]}-{value[6:]}".encode())
        assert_seen(value, base64.b64encode(f"{value[:3]} {value[3:6]} {value[6:]}".encode()))


def test_a_date_is_seen_as_other_systems_write_it() -> None:
    assert len(DATES) == 3
    for value in DATES:
        year, month, day = value.split("-")
        for text in (f"{day}/{month}/{year}", f"{year}{month}{day}", f"{year}/{month}/{day}"):
            assert_seen(value, text.encode())


def test_a_mobile_number_is_seen_with_its_country_code() -> None:
    (phone, *_) = [value for value in VALUES if value.startswith("07")]
    assert_seen(phone, f"+44{phone[1:]}".encode())
    assert_seen(phone, f"44{phone[1:]}".encode())


@pytest.mark.parametrize("value", ["07012345678", "07012 345678", "+447012345678", "+44 7012 345678"])
def test_a_mobile_number_is_seen_however_a_source_wrote_it_and_however_it_comes_out(value: str) -> None:
    for text in (b"07012345678", b"07012 345678", b"447012345678", b"+447012345678", b"00447012345678"):
        assert seen((value,), b"tel " + text + b" end") == {value}
    assert seen((value,), b"tel 07012345679 end") == set()


@pytest.mark.parametrize("value", VALUES)
def test_every_form_is_found_by_the_search_as_by_reading_on(value: str) -> None:
    for form in set(forms(value)):
        assert value in seen(VALUES, b"<" + form + b">"), form


@pytest.mark.parametrize("seed", [1, 2])
def test_five_megabytes_of_random_hex_base64_and_bytes_hold_nothing(seed: int) -> None:
    noise = random.Random(seed).randbytes(2_500_000)
    assert seen(VALUES, noise.hex().encode()) == set()
    assert seen(VALUES, base64.b64encode(noise)) == set()
    assert seen(VALUES, noise) == set()


def test_a_short_value_inside_a_longer_word_is_no_hit() -> None:
    """Base64 and hex are one long word: a postcode or eight digits stand in one by chance."""
    assert seen(VALUES, b"aQX98ZZb") == set()
    assert seen(VALUES, b"f19010203a") == set()
    assert seen(VALUES, b'"QX98ZZ"') == {"QX9 8ZZ"}
    assert seen(VALUES, b"f19010203a 19010203") == {"1901-02-03"}


def test_nothing_planted_nothing_seen() -> None:
    assert seen(VALUES, b"") == set()
    assert seen((), b"Quixothyrbel") == set()
    assert seen(VALUES, b"a referral of somebody else on 2026-01-05 with 101.5 kg") == set()
