"""Bytes to segments: line ends, character sets, and where one message ends."""

import pytest
from hl7_messages import OPEN, PID, PV1, entry_of, issues, message, message_of, verdict

from connectors.sources.tier3_hl7v2 import split
from connectors.sources.tier3_hl7v2.wire import MESSAGE_BYTES_MAX, SEGMENTS_MAX, lines_of


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_that_senders_use_ends_a_segment(end: str):
    assert message_of(message("ADT^A04", PV1, end=end)).facts == message_of(message("ADT^A04", PV1)).facts


def test_a_line_feed_typed_into_a_field_adds_no_segment():
    name = PID.replace("Okonkwo", "Okonkwo\nrest of the name")
    (spoken,) = message_of(message("ADT^A04", name, PV1)).person.names
    assert spoken.family == "Okonkwo rest of the name"


def test_a_message_that_ends_its_segments_in_two_ways_is_refused_and_not_half_read():
    mixed = message("ADT^A04", PID.replace("Okonkwo", "Okonkwo\nPV1|1|I"), PV1)
    assert issues(mixed) == [("error", "structure", "MSH")]
    assert issues(mixed.replace(b"\r", b"\n", 1).replace(b"\nPV1|1|I", b"\rPV1|1|I"))[0][1] == "structure"


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("UNICODE UTF-8", "utf-8"),
        ("8859/1", "latin-1"),
        ("", "utf-8"),
        ("ASCII", "utf-8"),
        ("8859/15", "iso8859-15"),
    ],
)
def test_the_declared_character_set_is_believed(declared: str, encoding: str):
    text = message("ADT^A31").decode().replace("UNICODE UTF-8", declared).replace("Okonkwo", "Núñez")
    raw = text.encode(encoding)
    assert message_of(raw).person.names[0].family == "Núñez"
    assert issues(raw) == []


@pytest.mark.parametrize("declared", ["UNICODE UTF-8", "ASCII", ""])
def test_windows_1252_under_another_name_is_read_and_reported(declared: str):
    text = message("ADT^A31").decode().replace("UNICODE UTF-8", declared).replace("Okonkwo", "O’Núñez")
    raw = text.encode("cp1252")
    assert message_of(raw).person.names[0].family == "O’Núñez"
    assert issues(raw) == [("warning", "value", "MSH-18")] or issues(raw)[0][2] == "MSH-18"


def test_bytes_of_no_character_set_at_all_are_still_read():
    raw = message("ADT^A31").replace(b"Okonkwo", b"Ok\x81\xffonkwo")
    assert verdict(raw) == "accepted_with_warnings"


def test_a_character_set_nobody_knows_is_read_as_utf_8_and_reported():
    raw = message("ADT^A31").replace(b"UNICODE UTF-8", b"GB 18030-2000")
    assert [issue[2] for issue in issues(raw)] == ["MSH-18"]


@pytest.mark.parametrize("raw", [b"", b"\r", b"PID|1", b"{}", b"MSH", b"MSH|", b"MSH|^~\\&", b"MSH||||", b"\xff\xfe"])
def test_what_is_not_hl7_is_refused_with_a_structural_reason(raw: bytes):
    assert issues(raw)[0][:2] == ("error", "structure")
    assert entry_of(raw).bundle is None


@pytest.mark.parametrize("marks", ["|^~\\^", "|^^\\&", "aBCDE", "|^~", "|^~\\&#!", "|^ \\&"])
def test_delimiters_that_cannot_be_told_apart_are_refused(marks: str):
    assert issues(message("ADT^A31").replace(b"|^~\\&", marks.encode(), 1))[0][1] == "structure"


def test_two_messages_in_one_frame_are_refused_rather_than_merged():
    assert issues(message("ADT^A31") + message("ADT^A31", control_id="M2")) == [("error", "structure", "MSH")]


def test_what_is_too_large_is_refused_before_it_is_taken_apart():
    assert "larger" in (lines_of(b"MSH|" + b"x" * MESSAGE_BYTES_MAX).refusal or "")
    assert "segments" in (lines_of(b"MSH|^~\\&|\r" + b"ZZZ|\r" * SEGMENTS_MAX).refusal or "")
    assert issues(message("ADT^A31", PID, "PV1|" + "|" * 300_000))[0][1] == "structure"


def test_a_scanned_letter_of_several_megabytes_is_no_obstacle():
    letter = "OBX|1|ED|LETTER||^TEXT^PDF^Base64^" + "QUJD" * 1_500_000 + "||||||F"
    assert verdict(message("ORU^R01", PV1, "OBR|1||F1", letter)) == "accepted"


def test_a_file_is_split_at_every_MSH_whatever_separates_the_messages():
    items, two = message("ADT^A31"), message("ADT^A31", control_id="M2")
    for between in (b"", b"\n\n", b"\r\n\r\n", b"\x1c\r\x0b"):
        assert split(b"\xef\xbb\xbf" + items + between + two) == [items, two]
    assert split(items.replace(b"\r", b"\n") + b"\n" + two.replace(b"\r", b"\r\n")) == [items, two]
    assert split(b"FHS|^~\\&|\rBHS|^~\\&|\r" + items + b"BTS|1\rFTS|1\r") == [items]


def test_nothing_in_a_file_is_lost_by_splitting_it():
    assert split(b"\r\n \r\n") == []
    stray, whole = split(b"free text before\r" + message("ADT^A31"))
    assert stray == b"free text before\r"
    assert verdict(stray) == "rejected"
    assert verdict(whole) == "accepted"


def test_a_line_that_is_no_segment_is_left_out_and_reported():
    raw = message("ADT^A04", PID, "and the second line of a note", PV1)
    assert issues(raw) == [("warning", "structure", "message")]
    assert len(message_of(raw, source=OPEN).facts) == 2
