"""Transports: bytes in, an answer out in the provider's own language. All the I/O of the edge is here.

A new transport is a module in this folder with `open_door` (`door.py` says what that is) and a line in TRANSPORTS.
"""

from dataclasses import dataclass
from enum import StrEnum


class Ports(StrEnum):
    """How many ports a transport listens on."""

    NONE = "none"
    SHARED = "one for all its sources"
    PER_SOURCE = "one for each source"


@dataclass(frozen=True, slots=True)
class Transport:
    """`module` is imported only where the door is opened: the process of a folder loads no web server.

    `summary` is its line on the command line.
    """

    module: str
    ports: Ports
    summary: str


# What a source names as its `door`. Before the underscore stands the format its senders use (`fhir_`: documents come
# as FHIR and are read as they are), after it the word on the command line.
TRANSPORTS: dict[str, Transport] = {
    "fhir_http": Transport("connectors.doors.fhir_http", Ports.SHARED, "Take FHIR message Bundles by POST /fhir."),
    "hl7_mllp": Transport("connectors.doors.hl7_mllp", Ports.PER_SOURCE, "Take HL7v2 messages over MLLP."),
    "folder": Transport("connectors.doors.folder", Ports.NONE, "Take CSV files put into drop/<source>/inbox/."),
}


def command_word(door: str) -> str:
    """The word for a door on the command line.

    >>> command_word("fhir_http"), command_word("folder")
    ('http', 'folder')
    """
    return door.rpartition("_")[2]
