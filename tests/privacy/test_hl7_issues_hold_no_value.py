"""Nothing a trust sends stands in an issue, a repr, a log or, but for the header HL7 asks back, an answer."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hl7_messages import EVERY_KIND, OPEN, RECEIVED_AT, TRUST, entry_of, filled

from connectors.sources.tier3_hl7v2.answer import Acknowledgement, echoed_control_id, write_answer
from connectors.sources.tier3_hl7v2.structure import header_of

# twelve letters no word has, a number of the test range, a birthday nobody living has, a postcode of no place
CANARIES = ("Qzxvkwjqhzpf", "9990000018", "19010203", "ZZ99 3GZ", "qzxvkwjq@example.org", "07700900123")
ECHOED = ("MSH-3", "MSH-4", "MSH-5", "MSH-6", "MSH-10", "MSH-11", "MSH-12")
TYPED = ("OBX-3", "OBX-11", "PV1-2", "PV1-10", "AIS-3", "RF1-3", *ECHOED)


def spoken(raw: bytes, **how: bool) -> str:
    """Everything about a message that leaves the sealed envelope in the clear."""
    entry = entry_of(raw, source=OPEN, **how)
    answer = Acknowledgement("AE", echoed_control_id(header_of(raw)), "refused", entry.checked.issues)
    ack = write_answer(answer, header=header_of(raw), at=RECEIVED_AT, control_id="a1").decode()
    return "\n".join([repr(entry), json.dumps(entry.checked.as_json()), repr(entry.checked), ack])


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("kind", sorted(EVERY_KIND))
@pytest.mark.parametrize("kept", [ECHOED, TYPED])
@pytest.mark.parametrize("components", [1, 12])
def test_a_canary_in_every_field_and_component_is_nowhere_in_what_is_said(
    kind: str, canary: str, kept: tuple[str, ...], components: int, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    raw = filled(kind, "^".join([canary] * components), kept=kept)
    assert canary.encode() in raw
    for test_mode in (True, False):
        assert canary.lower() not in spoken(raw, test_mode=test_mode).lower()
    assert canary.lower() not in caplog.text.lower()


def test_the_search_would_find_a_canary_that_did_leak():
    assert CANARIES[0] in spoken(filled("ADT^A31", CANARIES[0])), "MSH-10 is echoed by the standard's own rule"


def test_the_header_that_is_echoed_is_all_that_is_echoed():
    raw = filled("ADT^A31", CANARIES[0])
    ack = write_answer(
        Acknowledgement("AA", "", "accepted"), header=header_of(raw), at=RECEIVED_AT, control_id="a"
    ).decode()
    fields = ack.split("\r")[0].split("|")
    assert [number + 1 for number, text in enumerate(fields) if CANARIES[0] in text] == [3, 4, 5, 6, 11, 12]


@pytest.fixture(scope="module")
def naughty() -> Sequence[str]:
    root = os.environ.get("TIERLINK_SHARED_DATA", "")
    path = Path(root) / "blns/blns.json"
    if not root or not path.is_file():
        pytest.skip("TIERLINK_SHARED_DATA names no folder with blns/blns.json")
    return [text for text in json.loads(path.read_text(encoding="utf-8")) if text]


def test_no_hostile_string_in_any_field_breaks_the_reader_or_is_repeated(
    naughty: Sequence[str], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    kinds = sorted(EVERY_KIND)
    long_enough = 0
    for number, text in enumerate(naughty):
        raw = filled(kinds[number % len(kinds)], text, kept=(*ECHOED, "MSH-18"))
        said = spoken(raw)
        assert entry_of(raw, source=TRUST).checked.issues is not None
        if len(text) >= 12 and text.isascii():  # shorter ones can be part of our own sentences
            long_enough += 1
            assert text not in said
    assert long_enough > 150
    assert caplog.text == ""
