"""One key for one use, each made alone; no zone holds a key it does not use."""

import hmac
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.admin.keys import fresh_keys
from ops.lab.known_keys import known_keys
from schemas.errors import InvalidField, Unreadable
from schemas.keyring import SEALING, ZONES, Keyring, Purpose, key_bytes, recipient_purpose, require_strong

CONTEXT = b"record"


def keyring(seed: str = "tests", versions: int = 1) -> Keyring:
    return known_keys(seed, recipients=("demo", "research"), versions=versions)


def held(keys: Keyring) -> set[str]:
    return {name for name, _ in keys}


EXPECTED_ZONES = {
    "ingress": {
        "record-id", "entry-name", "fact-id", "ubrn", "identity-version", "content", "link-tokens",
        "dead-letter",
    },
    "records": {"dead-letter"},
    "linker": {"person-id", "dead-letter"},
    "pathway": {"claim", "recipient/demo", "recipient/research", "dead-letter"},
}  # fmt: skip


@pytest.mark.parametrize("zone", EXPECTED_ZONES)
def test_a_zone_holds_exactly_its_keys(zone: str) -> None:
    assert held(keyring().zone(zone)) == EXPECTED_ZONES[zone]


def test_every_zone_is_spelt_out_above() -> None:
    assert set(ZONES) == set(EXPECTED_ZONES)


def test_no_zone_but_pathway_names_people_for_a_recipient() -> None:
    zones = {name: held(keyring().zone(name)) for name in ZONES}
    assert [name for name, keys in zones.items() if "recipient/demo" in keys] == ["pathway"]
    assert [name for name, keys in zones.items() if "person-id" in keys] == ["linker"]


def test_every_key_is_random_and_another_whatever_keys_there_are_beside_it() -> None:
    """Nothing is derived: who learns one key learns no other, and a recipient more changes no key there is."""
    keys = fresh_keys(["demo"])
    values = [keys.key(name) for name in held(keys)]
    assert len(set(values)) == len(values) == 11
    again = fresh_keys(["demo"])
    assert not {again.key(name) for name in held(again)} & set(values)
    assert {name: len(keys.key(name)) for name in held(keys)} == {name: key_bytes(name) for name in held(keys)}


def test_a_name_is_the_first_half_of_hmac_sha_256_and_says_nothing_of_its_key() -> None:
    parts = b"".join(len(part).to_bytes(4, "big") + part for part in (b"local", b"gp-hub", b"", b"G1"))
    expected = hmac.digest(keyring().key("record-id"), parts, "sha256").hex()[:32]  # RFC 2104, FIPS 180-4
    assert keyring().mac("record-id", "local", "gp-hub", "", "G1") == expected
    assert re.fullmatch("[0-9a-f]{32}", expected)


def test_a_name_stays_when_the_keys_that_seal_are_rotated() -> None:
    assert keyring(versions=3).mac("record-id", "a") == keyring().mac("record-id", "a")


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_two_names_are_equal_only_for_equal_parts(first: list[str], second: list[str]) -> None:
    keys = keyring()
    assert (keys.mac("fact-id", *first) == keys.mac("fact-id", *second)) == (first == second)


def test_joining_the_parts_differently_gives_another_name() -> None:
    keys = keyring()
    assert keys.mac("record-id", "ab", "c") != keys.mac("record-id", "a", "bc")
    assert keys.mac("record-id", "a") != keys.mac("fact-id", "a")


@pytest.mark.parametrize("name", sorted(SEALING))
def test_what_an_older_version_sealed_still_opens_and_the_newest_seals(name: str) -> None:
    old, new = keyring(), keyring(versions=2)
    sealed = old.seal(name, b"tokens", context=CONTEXT)
    assert new.unseal(name, sealed, context=CONTEXT) == b"tokens"
    assert sealed[:2] == b"\0\1", "a sealed value says which version made it"
    assert new.seal(name, b"tokens", context=CONTEXT)[:2] == b"\0\2"
    assert new.seal(name, b"tokens", context=CONTEXT) == new.seal(name, b"tokens", context=CONTEXT)


@pytest.mark.parametrize("name", sorted(SEALING))
def test_what_a_version_sealed_that_is_not_held_does_not_open(name: str) -> None:
    sealed = keyring(versions=2).seal(name, b"tokens", context=CONTEXT)
    for changed in (sealed, b"\0\1" + sealed[2:], b"\0\0" + sealed[2:], b"\xff\xff" + sealed[2:], sealed[:1], b""):
        with pytest.raises(Unreadable):
            keyring().unseal(name, changed, context=CONTEXT)
    with pytest.raises(Unreadable):
        keyring(versions=2).unseal(name, sealed, context=b"another")
    with pytest.raises(Unreadable):
        keyring("another engine", versions=2).unseal(name, sealed, context=CONTEXT)


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose not in SEALING])
def test_what_names_has_exactly_one_key(purpose: Purpose) -> None:
    """Two would name one record twice."""
    name = recipient_purpose("demo") if purpose == Purpose.RECIPIENT else purpose.value
    key = keyring().key(name)
    with pytest.raises(InvalidField, match="exactly one"):
        Keyring({(name, 1): key, (name, 2): key[::-1]})
    assert Keyring({(name, 2): key}).mac(name, "a") == Keyring({(name, 1): key}).mac(name, "a")


@pytest.mark.parametrize("version", [0, -1, 2**16])
def test_a_version_fits_the_two_bytes_it_is_written_in(version: int) -> None:
    with pytest.raises(InvalidField):
        Keyring({("dead-letter", version): keyring().key("dead-letter")})


@pytest.mark.parametrize(
    "weak",
    [b"", b"k" * 31, b"k" * 32, bytes(range(11)) * 3, b"correct horse battery staple", b"0123456789a" * 6],
)
def test_a_weak_key_is_refused_and_not_repeated(weak: bytes) -> None:
    with pytest.raises(InvalidField) as raised:
        require_strong(weak)
    assert not weak or weak.decode() not in str(raised.value)
    with pytest.raises(InvalidField):
        Keyring({("record-id", 1): weak})


def test_random_keys_are_strong() -> None:
    for number in range(1000):
        require_strong(sha256(str(number).encode()).digest())


def test_no_text_of_a_keyring_holds_a_key() -> None:
    keys = keyring(versions=2)
    shown = f"{keys!r} {keys} {keys.zone('ingress')!r} {list(keys)}"
    assert "dead-letter 2" in shown
    for name in held(keys):
        key = keys.key(name)
        assert key.hex()[:8] not in shown
        assert repr(key)[2:10] not in shown
    with pytest.raises(InvalidField) as raised:
        keys.zone("records").key("record-id")
    assert "record-id" in str(raised.value)
