"""Segments, fields and values by the delimiters a message declares."""

import pytest
from hl7_messages import issues, message, message_of

from connectors.sources.tier3_hl7v2.structure import (
    Delimiters,
    Segment,
    escape,
    header_of,
    parse,
    unescape,
)

USUAL = Delimiters("|", "^", "~", "\\", "&")


def segment(raw: bytes, name: str) -> Segment:
    parsed = parse(raw).message
    assert parsed is not None
    found = parsed.first(name)
    assert found is not None
    return found


def test_positions_are_those_of_the_standard():
    raw = b"MSH|^~\\&|APP&1.2.3&ISO^x|FAC\rPID|1||A^^^B&9&ISO^MR~C^^^NHS^NH||Fam&own^Giv"
    pid, header = segment(raw, "PID"), segment(raw, "MSH")
    assert (header.value(3), header.value(3, 1, 2), header.value(3, 2), header.value(4)) == (
        "APP",
        "1.2.3",
        "x",
        "FAC",
    )
    assert [repetition.value() for repetition in pid.repetitions(3)] == ["A", "C"]
    assert (pid.value(3, 4), pid.value(3, 4, 2), pid.value(5), pid.value(5, 2)) == ("B", "9", "Fam", "Giv")
    assert (pid.value(99), pid.value(3, 99), pid.value(3, 1, 99)) == ("", "", "")


@pytest.mark.parametrize("marks", ["#:!?;", "$%*@/", "|^~\\&#"])
def test_the_delimiters_are_the_ones_the_message_declares(marks: str):
    swapped = message("ADT^A31").decode().translate(str.maketrans("|^~\\&", marks[:5]))
    raw = swapped.replace(f"MSH{marks[:5]}", f"MSH{marks}", 1).encode()
    assert message_of(raw).person == message_of(message("ADT^A31")).person


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("Smith \\T\\ Jones", "Smith & Jones"),
        ("\\F\\\\S\\\\R\\\\E\\", "|^~\\"),
        ("caf\\XC3A9\\", "café"),
        ("\\XE9\\t\\XE9\\", "été"),
        ("a\\.br\\b\\.sp3\\c", "a b c"),
        ("\\.sp999999999\\x", " x"),
        ("\\H\\bold\\N\\", "bold"),
        ("\\C2842\\\\M123456\\\\Zxy\\", ""),
        ("C:\\notes\\old", "C:\\notes\\old"),
        ("\\X0D\\PV1|", "\rPV1|"),
        ("lone \\", "lone \\"),
    ],
)
def test_escape_sequences_are_read_once_and_what_is_none_stays(sent: str, read: str):
    assert unescape(sent, USUAL) == read


def test_an_escaped_line_end_becomes_a_space_in_a_value():
    raw = message("ADT^A31").replace(b"Okonkwo", b"Okonkwo\\X0D\\PV1|1|O")
    assert parse(raw).message is not None
    assert "\r" not in segment(raw, "PID").value(5)


@pytest.mark.parametrize("text", ["A|B", "\\X0D\\", "a\rMSA|AA", "\x0b\x1c\r", "\u2028", "~^&\\|"])
def test_escaping_leaves_no_delimiter_and_no_control_character(text: str):
    written = escape(text)
    assert not set(written) & set("|^~&\r\n\x0b\x1c\u2028")
    assert unescape(written, USUAL) == "".join(" " if c < " " or c == "\u2028" else c for c in text)


def test_the_null_value_is_read_as_absent():
    assert message_of(message("ADT^A31").replace(b"Okonkwo^Ngozi^Ada^^Ms^^L", b'""^Ngozi')).person.names[0].family == ""


def test_the_header_of_a_broken_message_is_still_found_for_the_answer():
    header = header_of(message("ADT^A31") + message("ADT^A31", control_id="M2"))
    assert header is not None
    assert header.value(10) == "M1"
    assert header_of(b"\r\n") is None


def test_thousands_of_repetitions_are_bounded():
    many = message("ADT^A31").replace(b"700002^^^RXX^MR", b"~".join(b"%d^^^RXX^XX" % n for n in range(5000)))
    assert issues(many) == [("warning", "business-rule", "PID-3")]  # numbers of one issuer: one names the record
    assert sum(1 for _ in segment(many, "PID").repetitions(3)) == 50
