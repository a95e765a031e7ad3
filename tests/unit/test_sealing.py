"""What is sealed opens with its key at its place, and in no other way."""

import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared_folder

from schemas.errors import Unreadable
from schemas.intake_keys import day_public, new_day_key
from schemas.sealing import open_at_ingress, seal, seal_for_ingress, unseal

KEY, OTHER_KEY = bytes(range(64)), bytes(range(64, 128))
TEXT, CONTEXT = b"Ngozi Okonkwo, 999 000 0018", b"tierlink door session"


@pytest.fixture(scope="module")
def pair() -> tuple[bytes, bytes]:
    private = new_day_key()
    return private, day_public(private)


def test_what_a_connector_seals_ingress_opens(pair: tuple[bytes, bytes]) -> None:
    private, public = pair
    sealed = seal_for_ingress(public, TEXT, context=CONTEXT)
    assert open_at_ingress(private, sealed, context=CONTEXT) == TEXT


def test_sealing_the_same_twice_shows_nobody_that_it_is_the_same(pair: tuple[bytes, bytes]) -> None:
    _, public = pair
    assert seal_for_ingress(public, TEXT, context=CONTEXT) != seal_for_ingress(public, TEXT, context=CONTEXT)


def test_the_connectors_key_does_not_open_what_it_sealed(pair: tuple[bytes, bytes]) -> None:
    _, public = pair
    with pytest.raises(Unreadable):
        open_at_ingress(public, seal_for_ingress(public, TEXT, context=CONTEXT), context=CONTEXT)


def test_another_engine_cannot_open_it(pair: tuple[bytes, bytes]) -> None:
    private = new_day_key()
    with pytest.raises(Unreadable):
        open_at_ingress(private, seal_for_ingress(pair[1], TEXT, context=CONTEXT), context=CONTEXT)


def test_a_message_moved_to_another_topic_or_key_cannot_be_opened(pair: tuple[bytes, bytes]) -> None:
    private, public = pair
    with pytest.raises(Unreadable):
        open_at_ingress(private, seal_for_ingress(public, TEXT, context=CONTEXT), context=CONTEXT + b"1")


def test_a_flipped_bit_anywhere_is_noticed(pair: tuple[bytes, bytes]) -> None:
    private, public = pair
    sealed = seal_for_ingress(public, TEXT, context=CONTEXT)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(Unreadable):
            open_at_ingress(private, bytes(changed), context=CONTEXT)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 47, 48])
def test_a_message_cut_short_is_unreadable_and_nothing_worse(pair: tuple[bytes, bytes], length: int) -> None:
    sealed = seal_for_ingress(pair[1], TEXT, context=CONTEXT)[:length]
    with pytest.raises(Unreadable) as raised:
        open_at_ingress(pair[0], sealed, context=CONTEXT)
    assert "Okonkwo" not in str(raised.value)


@given(st.binary(max_size=200))
def test_a_deterministic_seal_gives_back_any_text_and_the_same_bytes(text: bytes) -> None:
    sealed = seal(KEY, text, context=CONTEXT)
    assert sealed == seal(KEY, text, context=CONTEXT)
    assert unseal(KEY, sealed, context=CONTEXT) == text
    assert len(text) < 4 or text not in sealed


@pytest.mark.parametrize("text", [TEXT, b"", b"\0"])
def test_a_deterministic_seal_opens_with_its_key_and_place_only(text: bytes) -> None:
    sealed = seal(KEY, text, context=CONTEXT)
    with pytest.raises(Unreadable):
        unseal(OTHER_KEY, sealed, context=CONTEXT)
    with pytest.raises(Unreadable):
        unseal(KEY, sealed, context=b"elsewhere")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Unreadable):
            unseal(KEY, bytes(changed), context=CONTEXT)
    with pytest.raises(Unreadable):
        unseal(KEY, sealed[:3], context=CONTEXT)


def test_nothing_and_a_zero_byte_are_sealed_apart() -> None:
    assert seal(KEY, b"", context=CONTEXT) != seal(KEY, b"\0", context=CONTEXT)


def vectors(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every (group, test) of one file of Project Wycheproof."""
    folder = shared_folder("wycheproof") / "testvectors_v1"
    for group in json.loads((folder / name).read_text())["testGroups"]:
        for item in group["tests"]:
            yield group, item


def _bytes(texts: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(texts[name]) for name in names]


def test_aes_siv_does_what_wycheproof_says() -> None:
    judged = 0
    for group, item in vectors("aead_aes_siv_cmac_test.json"):
        if group["keySize"] not in (256, 384, 512):
            continue
        key, nonce, extra, text, cipher, tag = _bytes(item, "key", "iv", "aad", "msg", "ct", "tag")
        if not text:
            continue  # the library takes no empty text, which is why `seal` marks it
        siv, parts = AESSIV(key), [extra, nonce]
        if item["result"] == "valid":
            assert siv.encrypt(text, parts) == tag + cipher, item["tcId"]
            assert siv.decrypt(tag + cipher, parts) == text, item["tcId"]
        else:
            with pytest.raises(InvalidTag):
                siv.decrypt(tag + cipher, parts)
        judged += 1
    assert judged > 500


def test_hkdf_does_what_wycheproof_says() -> None:
    judged = 0
    for _, item in vectors("hkdf_sha256_test.json"):
        secret, salt, info, expected = _bytes(item, "ikm", "salt", "info", "okm")
        if item["result"] != "valid":
            with pytest.raises(ValueError, match="octets"):
                HKDFExpand(SHA256(), item["size"], info)
            continue
        extracted = hmac.digest(salt or bytes(32), secret, "sha256")
        assert HKDFExpand(SHA256(), item["size"], info).derive(extracted) == expected, item["tcId"]
        judged += 1
    assert judged > 50


def test_hmac_does_what_wycheproof_says() -> None:
    judged = 0
    for group, item in vectors("hmac_sha256_test.json"):
        key, text, tag = _bytes(item, "key", "msg", "tag")
        computed = hmac.digest(key, text, "sha256")[: group["tagSize"] // 8]
        assert hmac.compare_digest(computed, tag) == (item["result"] == "valid"), item["tcId"]
        judged += 1
    assert judged > 150
