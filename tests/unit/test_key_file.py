"""A key file holds each key by itself: wrapped for its zone, its name and its version, and for nothing else."""

import base64
import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from ops.lab.known_keys import known_keys
from schemas.errors import InvalidField, SchemaError, Unreadable
from schemas.key_file import KeyEntry, KeyFile, parse_wrapping
from schemas.keyring import Keyring

WRAPPING = sha256(b"wraps the linker's keys").digest()
OTHER = sha256(b"wraps another's").digest()
KEYS = known_keys("key files", recipients=("demo", "research"), versions=2)


def nonce(name: str, version: int) -> bytes:
    return sha256(f"{name}/{version}".encode()).digest()[:12]


def file_of(zone: str = "linker", wrapping: bytes = WRAPPING) -> KeyFile:
    file = KeyFile(zone)
    for name, version in KEYS.zone(zone):
        file = file.wrap(name, version, KEYS.key(name, version), wrapping=wrapping, nonce=nonce(name, version))
    return file


def test_a_key_file_gives_back_the_keys_and_holds_none_open() -> None:
    text = file_of().text()
    assert KeyFile.parse(text).opened(WRAPPING) == KEYS.zone("linker")
    assert KeyFile.parse(text).text() == text
    for name, version in KEYS:
        assert base64.b64encode(KEYS.key(name, version)).decode()[:12] not in text


def test_an_entry_is_aes_256_gcm_by_another_hand() -> None:
    entry = json.loads(file_of("records").text())["keys"][0]
    wrapped = base64.b64decode(entry["wrapped"])
    parts = (b"tierlink key", b"records", b"dead-letter", b"1")
    bound = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert AESGCM(WRAPPING).decrypt(wrapped[:12], wrapped[12:], bound) == KEYS.key("dead-letter", 1)


@pytest.mark.parametrize("zone", ["linker", "ingress", "pathway"])
def test_another_wrapping_key_opens_nothing(zone: str) -> None:
    with pytest.raises(InvalidField, match="does not open") as raised:
        file_of(zone).opened(OTHER)
    assert WRAPPING.hex()[:8] not in str(raised.value)


def test_an_entry_stands_only_for_the_name_the_version_and_the_zone_it_was_wrapped_for() -> None:
    """Who may write the file and does not hold the wrapping key cannot give one recipient another's key."""
    demo, research = (entry for entry in file_of("pathway").entries if entry.name.startswith("recipient/"))
    swapped = file_of("pathway").with_entry(KeyEntry(demo.name, demo.version, research.wrapped))
    with pytest.raises(InvalidField, match="recipient/demo 1: does not open"):
        swapped.opened(WRAPPING)
    first, second = (entry for entry in file_of().entries if entry.name == "dead-letter")
    with pytest.raises(InvalidField, match="dead-letter 2: does not open"):
        file_of().with_entry(KeyEntry("dead-letter", 2, first.wrapped)).opened(WRAPPING)
    moved = KeyFile("ingress", (second,))
    with pytest.raises(InvalidField, match="does not open"):
        moved.opened(WRAPPING)


@given(st.data())
def test_one_changed_byte_of_an_entry_is_said_by_name_and_the_others_still_open(chance: st.DataObject) -> None:
    file = file_of()
    entry = chance.draw(st.sampled_from(file.entries))
    place = chance.draw(st.integers(0, len(entry.wrapped) - 1))
    changed = bytearray(entry.wrapped)
    changed[place] ^= chance.draw(st.integers(1, 255))
    damaged = file.with_entry(KeyEntry(entry.name, entry.version, bytes(changed)))
    with pytest.raises(InvalidField, match=f"key {entry.name} {entry.version}: does not open"):
        damaged.opened(WRAPPING)
    others = damaged.without([entry.at]).opened(WRAPPING)
    assert set(others) == set(KEYS.zone("linker")) - {entry.at}


def test_a_key_comes_and_goes_without_touching_a_byte_of_another_entry() -> None:
    before = file_of("pathway")
    key = known_keys("one more", recipients=("city",)).key("recipient/city")
    more = before.wrap("recipient/city", 1, key, wrapping=WRAPPING, nonce=nonce("recipient/city", 1))
    lines = before.text().replace('"}\n]', '"},\n]').splitlines()
    assert set(lines) - set(more.text().replace('"}\n]', '"},\n]').splitlines()) == set()
    assert more.without([("recipient/city", 1)]).text() == before.text()
    fewer = before.without([("recipient/research", 1)])
    assert set(fewer.entries) < set(before.entries)
    assert fewer.opened(WRAPPING).key("recipient/demo") == KEYS.key("recipient/demo")


GOOD = {"name": "dead-letter", "version": 1, "wrapped": "AAAA"}


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "\x00", '{"tierlink_keys": 1, "zone": "linker"}', "[" * 100_000,
     '{"tierlink_keys": 2, "zone": "linker", "keys": []}', '{"tierlink_keyring": 1, "version": 1, "keys": {}}',
     '{"tierlink_keys": 1, "zone": "linker", "keys": 5}'],
)  # fmt: skip
def test_what_is_no_key_file_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Unreadable):
        KeyFile.parse(text)


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({**GOOD, "name": "person"}, "key[0].name"),
        ({**GOOD, "name": "record-id"}, "key[0].name"),  # a key that the linker may not hold
        ({**GOOD, "name": "Mary Smith"}, "key[0].name"),
        ({**GOOD, "name": "recipient/../x"}, "key[0].name"),
        ({**GOOD, "name": 5}, "key[0].name"),
        ({**GOOD, "version": "1"}, "key[0].version"),
        ({**GOOD, "version": True}, "key[0].version"),
        ({**GOOD, "wrapped": "!"}, "key[0].wrapped"),
        ({**GOOD, "wrapped": 5}, "key[0].wrapped"),
        ({**GOOD, "key": "plain"}, "key[0]"),
        ("dead-letter", "key[0]"),
    ],
)
def test_an_entry_at_fault_is_named_by_its_place(entry: object, place: str) -> None:
    with pytest.raises(InvalidField) as raised:
        KeyFile.parse(json.dumps({"tierlink_keys": 1, "zone": "linker", "keys": [entry]}))
    assert raised.value.field == place
    assert "Mary" not in str(raised.value)


def test_an_entry_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidField, match="twice"):
        KeyFile.parse(json.dumps({"tierlink_keys": 1, "zone": "linker", "keys": [GOOD, GOOD]}))


def test_a_wrapped_key_that_is_weak_short_or_of_version_0_is_refused() -> None:
    def wrapped(key: bytes, version: int = 1) -> KeyFile:
        bound = b"".join(
            len(part).to_bytes(4, "big") + part
            for part in (b"tierlink key", b"linker", b"dead-letter", str(version).encode())
        )
        return KeyFile(
            "linker", (KeyEntry("dead-letter", version, b"n" * 12 + AESGCM(WRAPPING).encrypt(b"n" * 12, key, bound)),)
        )

    for key in (b"k" * 64, KEYS.key("dead-letter")[:32], b""):
        with pytest.raises(InvalidField):
            wrapped(key).opened(WRAPPING)
    with pytest.raises(InvalidField, match="version"):
        wrapped(KEYS.key("dead-letter"), 0).opened(WRAPPING)
    assert wrapped(KEYS.key("dead-letter")).opened(WRAPPING)


@pytest.mark.parametrize("text", ["", "!", "YWFhYQ==", base64.b64encode(b"k" * 32).decode(), "é"])
def test_a_wrapping_key_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SchemaError) as raised:
        parse_wrapping(text)
    assert not text or text not in str(raised.value)
    assert parse_wrapping(base64.b64encode(WRAPPING).decode() + "\n") == WRAPPING


def test_no_text_of_a_key_file_in_memory_holds_what_is_wrapped() -> None:
    shown = repr(file_of())
    for entry in file_of().entries:
        assert repr(entry.wrapped)[2:10] not in shown


def test_the_keys_of_a_file_are_compared_as_keys() -> None:
    assert isinstance(file_of().opened(WRAPPING), Keyring)
    assert file_of().opened(WRAPPING) != KEYS
