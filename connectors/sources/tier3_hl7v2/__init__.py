"""Tier 3: a trust's HL7v2 feed. Pure: bytes in, one entry out.

    wire          bytes -> segment lines, a file -> messages
    structure     lines -> segments, fields, values, by the declared delimiters
    moments       HL7 times
    local_codes   the words of trusts' dialects
    patient       PID, PD1, MRG         appointments   SIU, outpatient ADT
    referrals     REF^I12               measurements   ORU^R01
    events        which message types are read, and the services they name
    reader        all of it: one entry, or every reason why not
    answer        the acknowledgement, written and read

The messages read, those they undo, and those that are ignored with their reason: `events`.
"""

from connectors.sources.tier3_hl7v2.reader import message_id_of, read
from connectors.sources.tier3_hl7v2.wire import split

__all__ = ["message_id_of", "read", "split"]
