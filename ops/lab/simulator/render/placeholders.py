"""What systems and people write into a field where they know nothing: it names nobody.

Sources: vendors' default values and ONS pseudo-postcodes, NHS Data Dictionary (read November 2026). They stand only
where the record has nothing to say, so who is who does not depend on them.
"""

from dataclasses import replace

from ops.lab.simulator.model import SimulatedAddress, SimulatedEntry, SimulatedIdentity
from ops.lab.simulator.spellings import chosen

_WORDS = ("N/A", "NK", "UNKNOWN", "Not known", "TBC", "none", "xx")
_TELEPHONES = ("07000000000", "00000000000", "07000 000000", "N/A", "Not known", "TBC")
_MAILBOXES = ("none@none.com", "noemail@example.org", "noreply@example.org", "unknown@example.org")
_NOWHERE = SimulatedAddress(line="Not known", town="", postcode="ZZ99 3WZ", lsoa="", imd_quintile=0)
_NO_FIXED_ABODE = replace(_NOWHERE, line="No fixed abode", postcode="ZZ99 3VZ")


def with_placeholders(entry: SimulatedEntry) -> SimulatedIdentity:
    """The identity of the entry, with what its source writes for a middle name, a short form, a contact and a former
    address that it does not know."""
    identity = entry.identity
    return replace(
        identity,
        middle_name=identity.middle_name or chosen(entry, "placeholder_middle", None, _WORDS),
        known_as=identity.known_as or chosen(entry, "placeholder_known_as", None, _WORDS),
        phone=identity.phone or chosen(entry, "placeholder_contacts", None, _TELEPHONES),
        email=identity.email or chosen(entry, "placeholder_contacts", None, _MAILBOXES),
        former_address=identity.former_address
        or chosen(entry, "placeholder_former_address", None, (_NOWHERE, _NO_FIXED_ABODE)),
    )
