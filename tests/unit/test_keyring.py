"""One key for one use, and no zone holds a key it does not use."""

import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidField, Unreadable
from schemas.keyring import ZONES, Keyring, Purpose, derive, recipient_purpose, require_strong

ROOT = sha256(b"a root for tests").digest()


def keyring(root: bytes = ROOT, version: int = 1) -> Keyring:
    return derive(root, version=version, recipients=("demo", "research"))


def held(keys: Keyring) -> set[str]:
    every = [*Purpose, recipient_purpose("demo"), recipient_purpose("research")]
    found = set()
    for purpose in every:
        try:
            keys.key(purpose)
        except InvalidField:
            continue
        found.add(str(purpose))
    return found


EXPECTED_ZONES = {
    "ingress": {
        "record-id", "entry-name", "fact-id", "ubrn", "identity-version", "link-tokens", "link-seal", "dead-letter",
    },
    "records": {"dead-letter"},
    "linker": {"link-seal", "person-id", "dead-letter"},
    "pathway": {"recipient/demo", "recipient/research", "dead-letter"},
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


def test_every_key_is_another_and_follows_from_root_and_version() -> None:
    keys = [keyring().key(name) for name in held(keyring())]
    assert len(set(keys)) == len(keys) == 11
    assert keyring().key("record-id") == keyring().key("record-id")
    assert keyring(version=2).key("record-id") != keyring().key("record-id")
    assert keyring(sha256(b"another root").digest()).key("record-id") != keyring().key("record-id")


def test_a_derived_key_is_hkdf_expand_by_another_hand() -> None:
    label = b"".join(len(part).to_bytes(4, "big") + part for part in (b"tierlink", b"record-id", b"1"))
    assert keyring().key("record-id") == hmac.digest(ROOT, label + b"\x01", "sha256")  # RFC 5869 section 2.3


def test_a_reference_names_the_version_of_its_key() -> None:
    assert keyring(version=7).mac("record-id", "a").startswith("v7:")
    assert len(keyring().mac("record-id", "a")) == len("v1:") + 32


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_two_references_are_equal_only_for_equal_parts(first: list[str], second: list[str]) -> None:
    keys = keyring()
    assert (keys.mac("fact-id", *first) == keys.mac("fact-id", *second)) == (first == second)


def test_joining_the_parts_differently_gives_another_reference() -> None:
    keys = keyring()
    assert keys.mac("record-id", "ab", "c") != keys.mac("record-id", "a", "bc")
    assert keys.mac("record-id", "a") != keys.mac("fact-id", "a")


@pytest.mark.parametrize(
    "weak",
    [b"", b"k" * 31, b"k" * 32, bytes(range(11)) * 3, b"correct horse battery staple", b"0123456789a" * 6],
)
def test_a_weak_key_is_refused_and_not_repeated(weak: bytes) -> None:
    with pytest.raises(InvalidField) as raised:
        require_strong(weak)
    assert not weak or weak.decode() not in str(raised.value)
    with pytest.raises(InvalidField):
        derive(weak, version=1, recipients=())


def test_random_keys_are_strong() -> None:
    for number in range(1000):
        require_strong(sha256(str(number).encode()).digest())


def test_a_key_file_gives_back_the_keys() -> None:
    assert held(Keyring.parse(keyring().zone("linker").dump())) == EXPECTED_ZONES["linker"]
    assert Keyring.parse(keyring().dump()) == keyring()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"version": 1, "keys": {"a": "!"}}', '{"version": "x", "keys": {}}',
     '{"version": 1, "keys": {"a": 5}}', '{"version": 1, "keys": []}', "\x00"],
)  # fmt: skip
def test_what_is_no_key_file_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Unreadable):
        Keyring.parse(text)


def test_a_key_file_with_a_weak_key_is_refused() -> None:
    with pytest.raises(InvalidField):
        Keyring.parse('{"version": 1, "keys": {"record-id": "YWFhYQ=="}}')


def test_no_text_of_a_keyring_holds_a_key() -> None:
    keys = keyring()
    shown = f"{keys!r} {keys} {keys.zone('ingress')!r}"
    for name in held(keys):
        key = keys.key(name)
        assert key.hex()[:8] not in shown
        assert repr(key)[2:10] not in shown
    with pytest.raises(InvalidField) as raised:
        keys.zone("records").key("record-id")
    assert "record-id" in str(raised.value)
