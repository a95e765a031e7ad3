"""The council's programme team: a spreadsheet of events saved as CSV, dates as people write them."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from ops.lab.simulator.model import Fact, SimulatedEntry
from ops.lab.simulator.render import words
from ops.lab.simulator.render.measured_codes import UNITS
from ops.lab.simulator.render.nhs_number_text import nhs_number_text
from ops.lab.simulator.render.no_facts import no_weight
from ops.lab.simulator.render.placeholders import with_placeholders
from ops.lab.simulator.spellings import chosen

HEADERS = (
    "client_ref,nhs_no,surname,forename,known_as,prev_surname,dob,sex,ethnicity,postcode,address1,town,"
    "prev_postcode,prev_address1,prev_town,mobile,email,gp_practice,"
    "referral_ref,referral_date,referral_source,accepted_date,declined_date,declined_by,decline_reason,start_date,"
    "delivery,session_ref,session_date,attendance,group,weight,weight_unit,self_reported,height,height_unit,"
    "completed_date,withdrawn_date,end_reason,discharged_date,onward_referral_date,onward_to,last_updated,"
    "session_medium,session_purpose,completed_60pct_date,suspended_date,suspended_until,suspended_reason,"
    "eq_vas,experience_date,experience,ubrn,triage_date,triage_level,onward_returned_date,onward_returned_reason"
).split(",")
FIRST_ROW = 2  # as a spreadsheet numbers them: row 1 is the header
_CLOCK = ZoneInfo("Europe/London")
_SEX = {"female": "Female", "male": "Male", None: ""}
_ATTENDANCE = {
    "5": "Attended",
    "6": "Attended late",
    "7": "7",
    "3": "DNA",
    "2": "Cancelled by client",
    "4": "Cancelled by us",
}
_REFERRAL_SOURCE = {"gp": "GP", "self": "Self"}
_RETURNED = "returned-with-advice"
_BY = {"service": "Service", "person": "Client"}
_REASON = {
    "unable-to-contact": "Unable to contact",
    "not-eligible": "Not eligible",
    "declined-by-person": "Declined by client",
    "work": "Work",
    "health": "Health",
    "moved-away": "Moved away",
    "did-not-attend": "DID NOT ATTEND",
    "completed": "Completed",
    "referred-on": "Referred on",
}
_COMPLETED = {"attended-8-of-12/1": "completed_date", "dwmp-attended-60pct/1": "completed_60pct_date"}
_MEDIUM = {"in_person": "In person", "telephone": "Telephone", "video": "Video", "online": "Online"}
_PURPOSE = {"assessment": "Assessment", "session": "Session", "follow_up": "Follow up"}
_EXPERIENCE = {"1": "Very good", "2": "Good"}
_DAYS = tuple(header for header in HEADERS if header.endswith("_date"))
_TRUST_ODS = "RXX"


def row(entry: SimulatedEntry) -> dict[str, str]:
    """One entry as the cells of one row, by header; what the event does not concern is empty.

    Every row repeats which referral it is under and when that was received: the extract's key columns.
    """
    cells = _identity(entry)
    for fact in entry.facts:
        cells |= _in_words(entry, _cells(fact), fact)
    return {**cells, **no_weight(entry), "last_updated": _moment(entry.source_version_at)}


def file_text(rows: Sequence[dict[str, str]]) -> str:
    """A file with the header and these rows, lines ended as spreadsheets end them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADERS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _identity(entry: SimulatedEntry) -> dict[str, str]:
    identity, ethnic = with_placeholders(entry), entry.identity.ethnic_category
    number, mobile, former = identity.nhs_number, identity.phone, identity.former_address
    return {
        "client_ref": entry.local_id,
        "nhs_no": nhs_number_text(entry, f"{number[:3]} {number[3:6]} {number[6:]}") if number else "",
        "surname": identity.surname.upper(),
        "forename": " ".join(name for name in (identity.forename, identity.middle_name) if name),
        "known_as": identity.known_as or "",
        "prev_surname": (identity.old_surname or "").upper(),
        "dob": _day(identity.birth_date) if identity.birth_date else "",
        "sex": _word(entry, "sex_in_words", _SEX[identity.sex], words.COUNCIL_SEX.get(identity.sex or "")),
        "ethnicity": _word(entry, "ethnic_in_words", ethnic, words.COUNCIL_ETHNIC.get(ethnic)),
        "postcode": identity.postcode or "",
        "address1": identity.address.line,
        "town": identity.address.town,
        "prev_postcode": former.postcode if former else "",
        "prev_address1": former.line if former else "",
        "prev_town": former.town if former else "",
        "mobile": _mobile(mobile),
        "email": identity.email or "",
        "gp_practice": identity.practice_ods,
    }


def _mobile(mobile: str | None) -> str:
    return f"{mobile[:5]} {mobile[5:]}" if mobile and mobile.isdigit() else mobile or ""


def _word(entry: SimulatedEntry, name: str, usual: str, others: Sequence[str] | None) -> str:
    return chosen(entry, name, usual, others or (usual,))


def _in_words(entry: SimulatedEntry, cells: dict[str, str], fact: Fact) -> dict[str, str]:
    """The cells of a fact with the spellings of its entry."""
    units = UNITS.get(fact.unit_given or "", ())
    others = {
        "attendance": ("attendance_in_words", words.COUNCIL_ATTENDANCE.get(fact.attendance or "")),
        "weight_unit": ("units_in_words", units),
        "height_unit": ("units_in_words", units),
        "group": ("yes_no_in_letters", words.YES if fact.group else words.NO),
        "self_reported": ("yes_no_in_letters", words.YES if fact.method == "self_reported" else words.NO),
        **dict.fromkeys(_DAYS, ("days_otherwise", (f"{fact.on:%Y-%m-%d}", f"{fact.on:%d %b %Y}"))),
    }
    spelt = {header: _word(entry, name, cells[header], to) for header, (name, to) in others.items() if header in cells}
    return cells | spelt


def _cells(fact: Fact) -> dict[str, str]:
    day = _day(fact.on)
    match fact.kind:
        case "referral" if fact.direction == "sent":
            return {"onward_referral_date": day, "onward_to": _TRUST_ODS}
        case "referral":
            source = _REFERRAL_SOURCE[fact.referral_source or ""]
            ubrn = fact.ubrn or ""
            return {"referral_ref": fact.key, "referral_date": day, "referral_source": source, "ubrn": ubrn}
        case "decline" if fact.reason == _RETURNED:
            return {"onward_returned_date": day, "onward_returned_reason": "Returned with advice"}
        case "triage":
            return {"triage_date": day, "triage_level": fact.level or ""}
        case "decline":
            return {
                "declined_date": day,
                "declined_by": _BY[fact.by or ""],
                "decline_reason": _REASON[fact.reason or ""],
            }
        case "withdrawal":
            return {"withdrawn_date": day, "end_reason": _REASON[fact.reason or ""]}
        case "discharge":
            return {"discharged_date": day, "end_reason": _REASON[fact.reason or ""]}
        case "start":
            return {"start_date": day, "delivery": "Group"}
        case "attendance":
            return _appointment(fact)
        case "measurement":
            return _measured(fact)
        case "score":
            return {"eq_vas": f"{fact.value:f}"}
        case "experience":
            return {"experience_date": day, "experience": _EXPERIENCE[fact.code or ""]}
        case "suspension":
            until = _day(fact.ends_on) if fact.ends_on else ""
            return {"suspended_date": day, "suspended_until": until, "suspended_reason": "Pregnancy"}
        case "completion":
            return {_COMPLETED[fact.definition or ""]: day}
        case _:
            return {{"acceptance": "accepted_date"}[fact.kind]: day}


def _appointment(fact: Fact) -> dict[str, str]:
    return {
        "session_ref": fact.key,
        "session_date": _day(fact.on),
        "attendance": _ATTENDANCE[fact.attendance or ""],
        "group": "Yes" if fact.group else "No",
        "session_medium": _MEDIUM[fact.medium or ""],
        "session_purpose": _PURPOSE[fact.purpose or ""],
    }


def _measured(fact: Fact) -> dict[str, str]:
    given = f"{fact.value_given:f}"
    session = {"session_ref": fact.key.split("/")[0], "session_date": _day(fact.on)}
    if fact.quantity == "height":
        return {**session, "height": given, "height_unit": fact.unit_given or ""}
    return {
        **session,
        "weight": given,
        "weight_unit": fact.unit_given or "",
        "self_reported": "Yes" if fact.method == "self_reported" else "No",
    }


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _moment(at: datetime) -> str:
    assert at.tzinfo is UTC
    return f"{at.astimezone(_CLOCK):%d/%m/%Y %H:%M}"
