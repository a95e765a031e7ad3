"""A moment is one, whatever clock the sender reads it from: facts hold it in UTC (RFC 3339), its day is London's."""

import pytest
from fhir_plain import WEIGHT, changed, of, read
from hl7_messages import EVERY_KIND, message, message_of

from schemas import canonical
from schemas.source_message import SourceMessage

FHIR = ("2026-05-28T23:30:00Z", "2026-05-29T00:30:00+01:00", "2026-05-28T18:30:00-05:00", "2026-05-29T05:00:00+05:30")
HL7 = ("20260529003000", "20260529003000+0100", "20260528233000+0000", "20260528183000-0500")


def when(found: SourceMessage | None) -> bytes:
    """Day and moment of the weight, as a fact stores them."""
    assert found is not None
    (body,) = (fact.body for fact in found.facts if getattr(fact.body, "quantity", None) == "weight")
    return canonical.dump(body.model_dump(mode="json", include={"on", "at"}))


def of_fhir(text: str) -> bytes:
    return when(read(changed(of(WEIGHT, effectiveDateTime=text)))[1])


def of_hl7(text: str) -> bytes:
    return when(
        message_of(message("ORU^R01", *(line.replace("20260714100000", text) for line in EVERY_KIND["ORU^R01"])))
    )


@pytest.mark.parametrize("text", FHIR)
def test_a_moment_of_a_fhir_sender_is_written_in_utc_and_its_day_is_londons(text: str) -> None:
    assert of_fhir(text) == canonical.dump({"on": "2026-05-29", "at": "2026-05-28T23:30:00Z"})


@pytest.mark.parametrize("text", HL7)
def test_a_moment_of_an_hl7_sender_has_the_same_bytes(text: str) -> None:
    assert of_hl7(text) == of_fhir(FHIR[0])
