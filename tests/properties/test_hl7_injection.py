"""Whatever stands in the fields of a message: an answer of its own, no forged segment, no crash."""

import hl7
from hl7_messages import EVERY_KIND, OPEN, RECEIVED_AT, entry_of, filled, message
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sources.tier3_hl7v2 import split
from connectors.sources.tier3_hl7v2.answer import (
    Acknowledgement,
    echoed_control_id,
    read_answer,
    write_answer,
)
from connectors.sources.tier3_hl7v2.structure import header_of
from connectors.sources.tier3_hl7v2.wire import lines_of
from schemas.check import check

FORGERIES = [
    "\rMSA|AA|",
    "\\X0D\\MSA|AA|x",
    "\x1c\r\x0bMSH|",
    "|^~\\&",
    "\\",
    "\nPID|2||",
    "~",
    "^",
    "&",
    "\u2028",
    '""',
    "\\F\\AA\\F\\",
]
hostile = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(FORGERIES)), max_size=4).map("".join)
kinds = st.sampled_from(sorted(EVERY_KIND))


@given(kinds, hostile)
@settings(max_examples=300)
def test_no_text_in_any_field_adds_a_segment_or_a_field_to_the_answer(kind: str, text: str):
    raw = filled(kind, text)
    entry, header = entry_of(raw, source=OPEN), header_of(raw)
    answer = Acknowledgement("AE", echoed_control_id(header), "refused", entry.checked.issues)
    ack = write_answer(answer, header=header, at=RECEIVED_AT, control_id="a1")
    parsed = hl7.parse(ack.decode())
    names = [str(segment[0]) for segment in parsed]
    assert names == ["MSH", "MSA", *["ERR"] * min(len(entry.checked.issues), 50)]
    assert [len(parsed.segment(name)) for name in ("MSH", "MSA")] == [19, 4]
    assert (str(parsed.segment("MSA")[1]), str(parsed.segment("MSA")[3])) == ("AE", "refused")
    assert not set(ack) & {0x0B, 0x1C, 0x0A}
    assert read_answer(ack).code == "AE"


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda tail: b"MSH|^~\\&|" + tail)))
@settings(max_examples=300)
def test_no_bytes_at_all_break_the_reader(raw: bytes):
    entry = entry_of(raw, source=OPEN)
    assert entry.checked.issues
    assert all(entry_of(item, source=OPEN).checked for item in split(raw))


@given(kinds, hostile)
@settings(max_examples=200)
def test_what_is_accepted_is_a_bundle_that_ingress_accepts_too(kind: str, text: str):
    entry = entry_of(filled(kind, text, kept=("PV1-2", "OBX-5", "OBX-6", "SCH-11", "MSH-10")), source=OPEN)
    if entry.bundle is not None and entry.checked.verdict.value != "ignored":
        checked, value = check(entry.bundle, source=OPEN, test_mode=True, received_at=RECEIVED_AT)
        assert value is not None, checked.issues
        assert value.message_id == entry.message_id


@given(kinds, st.binary(min_size=1, max_size=8), st.data())
@settings(max_examples=300)
def test_a_message_damaged_anywhere_is_answered(kind: str, noise: bytes, data: st.DataObject):
    raw = message(kind, *EVERY_KIND[kind])
    at = data.draw(st.integers(0, len(raw)))
    assert entry_of(raw[:at] + noise + raw[at + len(noise) :], source=OPEN).checked.verdict


@given(
    st.lists(kinds, max_size=5),
    st.sampled_from(["\r", "\n", "\r\n"]),
    st.sampled_from([b"", b"\n\n", b"\x1c\r\x0b"]),
)
def test_a_file_is_split_into_the_messages_it_was_made_of(wanted: list[str], end: str, between: bytes):
    made = [message(kind, *EVERY_KIND[kind], control_id=f"C{n}") for n, kind in enumerate(wanted)]
    joined = between.join(item.replace(b"\r", end.encode()) for item in made)
    assert [lines_of(part) for part in split(joined)] == [lines_of(part) for part in made]
