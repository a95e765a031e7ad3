"""The acknowledgement a trust's interface engine gets."""

import hl7
import pytest
from hl7_messages import RECEIVED_AT, message

from connectors.sources.tier3_hl7v2.answer import (
    ISSUES_MAX,
    Acknowledgement,
    echoed_control_id,
    read_answer,
    write_answer,
)
from connectors.sources.tier3_hl7v2.structure import header_of
from schemas.errors import Unreadable, error, information, warning


def ack(answer: Acknowledgement, raw: bytes = b"") -> str:
    return write_answer(answer, header=header_of(raw), at=RECEIVED_AT, control_id="ack-1").decode()


def test_sender_and_receiver_change_places_and_the_control_id_comes_back():
    value = ack(Acknowledgement("AA", "M1", "accepted 1f"), message("ADT^A04"))
    assert value == (
        "MSH|^~\\&|TIERLINK|ROUTE|PAS|RXX|20261101080000+0000||ACK^A04|ack-1|P|2.4||||||UNICODE UTF-8\r"
        "MSA|AA|M1|accepted 1f\r"
    )


def test_each_reason_has_its_place_its_condition_and_its_rule():
    reasons = (
        error("PID-3.1", "is required", code="required"),
        warning("OBX[2]-6", "is not a unit", code="code-invalid"),
        information("message", "holds more", code="informational"),
    )
    segments = ack(Acknowledgement("AE", "M1", "refused", reasons), message("ADT^A04")).split("\r")[2:]
    assert segments == [
        "ERR||PID^1^3^1^1|101^Required field missing^HL70357|E|required|||PID-3.1: is required",
        "ERR||OBX^2^6^1|103^Table value not found^HL70357|W|code-invalid|||OBX[2]-6: is not a unit",
        "ERR|||102^Data type error^HL70357|I|informational|||message: holds more",
        "",
    ]


def test_a_message_without_a_header_is_still_answered():
    assert ack(Acknowledgement("AR", "", "refused")).split("\r")[1] == "MSA|AR||refused"


def test_what_is_written_is_what_our_sender_reads():
    answer = Acknowledgement("AE", "M|1^\\", "refused", (error("PID-7", "is odd: really"), warning("MSH-7", "is late")))
    assert read_answer(ack(answer, message("ADT^A04")).encode()) == answer


@pytest.mark.parametrize("raw", [b"", b"MSH|^~\\&|A\r", b"MSH|^~\\&|A\rMSA|ZZ|1\r", b"HTTP/1.1 400 Bad Request\r\n"])
def test_what_is_no_acknowledgement_is_not_taken_for_one(raw: bytes):
    with pytest.raises(Unreadable):
        read_answer(raw)


def test_the_gravest_reasons_come_first_and_their_number_is_bounded():
    many = (*(warning("PID-5", f"rule {n}") for n in range(100)), error("PID-3", "is wrong"))
    segments = ack(Acknowledgement("AE", "1", "refused", many)).split("\rERR")[1:]
    assert len(segments) == ISSUES_MAX
    assert "PID-3: is wrong" in segments[0]


@pytest.mark.parametrize("marks", ["#:!?;", "$%*@/"])
def test_an_answer_uses_the_usual_delimiters_whatever_the_sender_uses(marks: str):
    raw = message("ADT^A04").decode().translate(str.maketrans("|^~\\&", marks)).encode()
    text = ack(Acknowledgement("AA", echoed_control_id(header_of(raw)), "accepted"), raw)
    assert str(hl7.parse(text).segment("MSA")[2]) == "M1"
    assert text.startswith("MSH|^~\\&|TIERLINK|ROUTE|PAS|RXX|")


def test_a_control_id_that_holds_an_escaped_segment_comes_back_as_a_value():
    raw = message("ADT^A04", control_id="M1\\X0D\\MSA\\F\\AA\\F\\forged")
    answer = Acknowledgement("AE", echoed_control_id(header_of(raw)), "refused")
    parsed = hl7.parse(ack(answer, raw))
    assert [str(segment[0]) for segment in parsed] == ["MSH", "MSA"]
    assert str(parsed.segment("MSA")[1]) == "AE"
