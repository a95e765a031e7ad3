"""PID and PD1 as the trust writes them."""

from ops.lab.simulator.model import SimulatedAddress, SimulatedEntry, SimulatedIdentity
from ops.lab.simulator.render import hl7_numbers, words
from ops.lab.simulator.render.hl7_segments import escaped, segment
from ops.lab.simulator.render.placeholders import with_placeholders
from ops.lab.simulator.spellings import chosen


def patient(entry: SimulatedEntry, issuer: str) -> list[str]:
    """PID and PD1 of an entry, whose record `issuer` numbers."""
    identity = with_placeholders(entry)
    pid = {
        1: "1",
        3: "~".join(hl7_numbers.numbers(entry, issuer)),
        5: "~".join(_names(identity)),
        7: f"{identity.birth_date:%Y%m%d}" if identity.birth_date else "",
        8: _sex(entry),
        11: "~".join(_addresses(identity)),
        13: "~".join(_telecoms(identity)),
        22: _word(entry, "ethnic_in_words", identity.ethnic_category, words.ETHNIC),
        32: "01" if identity.nhs_number else "",
    }
    return [segment("PID", pid), segment("PD1", {3: f"^^{identity.practice_ods}"})]


def _sex(entry: SimulatedEntry) -> str:
    sex = entry.identity.sex
    return chosen(entry, "sex_in_words", sex[0].upper(), words.SEX[sex]) if sex else ""


def _word(entry: SimulatedEntry, name: str, code: str, spellings: words.Words) -> str:
    return chosen(entry, name, code, spellings.get(code, (code,)))


def _names(identity: SimulatedIdentity) -> list[str]:
    """XPN: the legal name with its middle name, a previous one, a nickname (HL7 table 0200: L, P, N)."""
    forename, middle = escaped(identity.forename), escaped(identity.middle_name or "")
    names = [f"{escaped(identity.surname)}^{forename}^{middle}^^^^L"]
    if identity.old_surname:
        names.append(f"{escaped(identity.old_surname)}^{forename}^^^^^P")
    if identity.known_as:
        names.append(f"{escaped(identity.surname)}^{escaped(identity.known_as)}^^^^^N")
    return names


def _addresses(identity: SimulatedIdentity) -> list[str]:
    """XAD: home, and as a permanent address the one before; HL7 table 0190 of version 2.4 knows no former one."""
    homes = [_address(identity.address, identity.postcode, "H")]
    former = identity.former_address
    return [*homes, _address(former, former.postcode, "P")] if former else homes


def _address(home: SimulatedAddress, postcode: str | None, kind: str) -> str:
    return f"{escaped(home.line)}^^{escaped(home.town)}^^{postcode or ''}^GBR^{kind}"


def _telecoms(identity: SimulatedIdentity) -> list[str]:
    """XTN: the mobile as one number, the mailbox in a repetition of its own (HL7 tables 0201 and 0202)."""
    mobile = [f"{escaped(identity.phone)}^PRN^CP"] if identity.phone else []
    return [*mobile, f"^NET^Internet^{escaped(identity.email)}"] if identity.email else mobile
