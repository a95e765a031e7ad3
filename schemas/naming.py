"""What a record is called: a keyed hash of what was told, so that no order of arrival changes it (decision 0017).

A record has a local id, or else a normalised identity, or else only the entry that told of it. The word that leads each
tuple keeps the three apart; source and issuer keep two sources, and two issuers of one source, apart.
"""

from schemas.identity import LocalId
from schemas.keyring import Keyring, Purpose


def record_of_local_id(keys: Keyring, source: str, local_id: LocalId) -> str:
    """The record that `source` keeps under a number, by issuer ("" for the source itself) and value."""
    return keys.mac(Purpose.RECORD_ID, "local", source, local_id.authority, local_id.value)


def record_of_identity(keys: Keyring, source: str, normaliser: int, identity: str) -> str:
    """The record of a person without a number: `identity` in the canonical text of that version of the normaliser."""
    return keys.mac(Purpose.RECORD_ID, "identity", source, str(normaliser), identity)


def record_of_entry(keys: Keyring, source: str, entry_id: str) -> str:
    """The record of a person of whom nothing is known: `entry_id` follows from source, message id and place in it."""
    return keys.mac(Purpose.RECORD_ID, "entry", source, entry_id)
