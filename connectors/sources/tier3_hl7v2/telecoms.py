"""PID-13 and PID-14: the telephones and mailboxes of the person."""

from connectors.sources.tier3_hl7v2.local_codes import NOT_THEIR_PHONE, PHONE_EQUIPMENT, PHONE_USES
from connectors.sources.tier3_hl7v2.reading import Reading
from connectors.sources.tier3_hl7v2.structure import Repetition, Segment
from schemas.identity import has_mailbox_form
from schemas.placeholders import is_mailbox, is_telephone, is_word


def phones(reading: Reading, pid: Segment) -> tuple[str, ...]:
    """The numbers that may be theirs, each once; what is none, or is somebody else's, is reported."""
    found = []
    for place, xtn in _telecoms(pid):
        _check_telecom(reading, xtn, place)
        phone = _phone(xtn)
        if phone and not any(map(str.isdigit, phone)) and not is_word(phone, reading.source.placeholders):
            reading.warn(place, "is no telephone number; it was left out", code="value")
        elif phone and (is_telephone(phone) or is_word(phone, reading.source.placeholders)):
            reading.note(place, "holds a telephone number that is nobody's; it was left out")
        elif phone:
            found.append(phone)
    return tuple(dict.fromkeys(found))


def _check_telecom(reading: Reading, telecom: Repetition, place: str) -> None:
    """Reports what says how a number is used and is in no table: the number itself is read all the same."""
    for component, table in ((2, PHONE_USES), (3, PHONE_EQUIPMENT)):
        if telecom.value(component).upper() not in table:
            reading.warn(f"{place}.{component}", "is not a code of telephones; read all the same", code="code-invalid")
    mailbox = telecom.value(4)
    if mailbox and not has_mailbox_form(mailbox) and not is_mailbox(mailbox):
        reading.warn(f"{place}.4", "is no mailbox; it was left out", code="value")


def _phone(telecom: Repetition) -> str:
    """The number written whole, else put together from its parts; "" where the telecom is none of theirs.

    A mailbox may stand beside it in one repetition, or in its place.
    """
    if NOT_THEIR_PHONE & {telecom.value(2).upper(), telecom.value(3).upper()}:
        return ""
    whole = telecom.value() or telecom.value(12) or _in_parts(telecom)
    return "" if "@" in whole else whole


def _in_parts(telecom: Repetition) -> str:
    country, area, local = (telecom.value(part) for part in (5, 6, 7))
    if country and local:
        return f"{country}{area}{local}"
    # area codes are numbers to HL7, so they have lost their nought where no country stands before them
    return f"0{area.removeprefix('0')}{local}" if area and local else local


def emails(reading: Reading, pid: Segment) -> tuple[str, ...]:
    """The mailboxes, each once; what is nobody's is reported."""
    found = []
    for place, xtn in _telecoms(pid):
        for text in (xtn.value(4), xtn.value()):
            if "@" in text and is_mailbox(text):
                reading.note(place, "holds a mailbox that is nobody's; it was left out")
            elif has_mailbox_form(text):
                found.append(text)
    return tuple(dict.fromkeys(found))


def _telecoms(pid: Segment) -> list[tuple[str, Repetition]]:
    return [(f"PID-{field}", xtn) for field in (13, 14) for xtn in pid.repetitions(field)]
