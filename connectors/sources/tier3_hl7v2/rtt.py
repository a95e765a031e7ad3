"""REFERRAL TO TREATMENT PERIOD STATUS of an activity, where the source says in which of its fields it sends one.

HL7 has no field for it. Trusts use a Z segment (ZU1 of the NHS's ITK carries 18-week data) in layouts of their own, so
the place is named in the source's table: `hl7_fields.rtt_status`, and `rtt_on` where the day stands beside it.
"""

from collections.abc import Iterable

from connectors.sources.tier3_hl7v2.reading import Reading
from schemas.facts import Attendance, Discharge, Referral, RttStatus
from schemas.source_message import SourceFact

_NOT_KNOWN = "99"  # in the body of a status that is taken back; nothing reads it


def rtt_of(reading: Reading, facts: Iterable[SourceFact]) -> list[SourceFact]:
    """The status of each activity that the message tells, under its number; taken back where the activity is.

    What is only booked has none yet: the status of a coming appointment is that of the activity before it.
    """
    place = reading.source.hl7_fields.get("rtt_status")
    if place is None:
        return []
    status, day = reading.local("rtt_status"), None
    if "rtt_on" in reading.source.hl7_fields:
        day = reading.moment(reading.source.hl7_fields["rtt_on"], past=True)
    found = []
    for fact in facts:
        booked = isinstance(fact.body, Attendance) and fact.body.attendance == "0"
        if not isinstance(fact.body, Attendance | Discharge | Referral) or (booked and not fact.retracted):
            continue
        word, on = (_NOT_KNOWN, reading.reported_on) if fact.retracted else (status, day.on if day else fact.body.on)
        if word is None:
            continue
        body = RttStatus(on=on, status=word)  # type: ignore[arg-type]  # of the list
        under = fact.business_id if isinstance(fact.body, Referral) else fact.referral_business_id
        found.append(SourceFact(body, fact.business_id, referral_business_id=under, retracted=fact.retracted))
    if status is not None and not found:
        reading.note(place, "is not read of a message that tells no activity that has been")
    return found
