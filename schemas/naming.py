"""What a record is called: a keyed hash of what was told, so that no order of arrival changes it (decision 0017).

A record has a local id, or else a normalised identity, or else only the entry that told of it (`linkage.record_name`).
"""

from schemas.identity import LocalId
from schemas.keyring import Keyring, Purpose


def local_id_parts(source: str, local_id: LocalId) -> tuple[str, ...]:
    """What names the record that `source` keeps under a number: issuer ("" for the source itself) and value.

    The word that leads keeps it apart from a record that is named otherwise.
    """
    return "local", source, local_id.authority, local_id.value


def record_of_local_id(keys: Keyring, source: str, local_id: LocalId) -> str:
    """The record that `source` keeps under a number."""
    return keys.mac(Purpose.RECORD_ID, *local_id_parts(source, local_id))
