"""PID-3 as trusts write it: who issued a number is said by a name, an OID or both, in no fixed order.

Sources: HL7 2.4, CX and HD; table 0203; the NHS number's OID in the NHS OID register (read November 2026). 2.999 is
the OID arc for examples.
"""

from random import Random

from ops.lab.simulator.model import SimulatedEntry
from ops.lab.simulator.render.nhs_number_text import nhs_number_text
from ops.lab.simulator.spellings import chosen

_NHS_OID = "&2.16.840.1.113883.2.1.4.1&ISO"
_NHS_TYPES = ("", "NI", "PI", "MR", "HN", "NNGBR")  # said to be of the NHS by CX.4, whatever CX.5 says
_OTHER_SITE = "RYZ"


def numbers(entry: SimulatedEntry, issuer: str) -> list[str]:
    """The repetitions of PID-3: the NHS number, the record's number under `issuer`, and another site's."""
    issued_by = chosen(entry, "record_number_with_oid", issuer, (f"{issuer}&2.999.1&ISO",))
    found = [f"{entry.local_id}^^^{issued_by}^MR"]
    if entry.identity.nhs_number:
        authority = chosen(entry, "nhs_by_oid", "NHS", (_NHS_OID, f"NHS{_NHS_OID}"))
        kind = chosen(entry, "nhs_of_another_type", "NH", _NHS_TYPES)
        found.insert(0, f"{nhs_number_text(entry, entry.identity.nhs_number)}^^^{authority}^{kind}")
    if "number_of_another_site" in entry.spellings:
        # the same for all messages of the record, and of a form that this trust's numbers have
        found.insert(0, f"WM{Random(entry.local_id).randrange(10**6, 10**7)}^^^{_OTHER_SITE}^MR")
    return chosen(entry, "numbers_turned_round", found, (found[::-1],))
