"""One entry between a source's reader and the way in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.disposition import Checked
from schemas.source_message import SourceMessage


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One thing a provider sent, read and checked.

    `message_id` and `position` name it (a resend gives the same pair); `form` is fhir, hl7v2 or csv; `original` its
    bytes as sent; `bundle` the FHIR message Bundle made of it and `message` what the check reads in that Bundle, None
    when it could not be made or is not taken. The repr shows none of them.
    """

    message_id: str = field(repr=False)
    position: int
    form: str
    original: bytes = field(repr=False)
    bundle: Mapping[str, object] | None = field(repr=False)
    message: SourceMessage | None = field(repr=False)
    checked: Checked
