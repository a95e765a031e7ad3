"""One entry between a source's reader and the way in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.disposition import Checked


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One thing a provider sent, read and checked.

    `message_id` and `position` name it (a resend gives the same pair); `form` is fhir, hl7v2 or csv; `original` its
    bytes as sent; `bundle` the FHIR message Bundle made of it, None when it could not be made; `local_id` the source's
    patient id in the clear, for the keyed record reference only. The repr shows none of them.
    """

    message_id: str = field(repr=False)
    position: int
    form: str
    original: bytes = field(repr=False)
    bundle: Mapping[str, object] | None = field(repr=False)
    local_id: str | None = field(repr=False)
    checked: Checked
