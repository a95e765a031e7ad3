"""The messages of `erasures.v1`, from operations to ingress: a record is to be erased, a bucket is to be turned.

    <record>        erase  everything of the record goes, and what comes of it later is withdrawn
    turn/<bucket>   turn   the data keys of the bucket's records are wrapped again, under a newer bucket key

An erased record's data keys are destroyed with the bucket keys that wrapped them, so a turn follows every erasure
(decision 0022).
"""

import re
from dataclasses import dataclass

from schemas import canonical
from schemas.data_keys import BUCKETS, EPOCH_MAX
from schemas.errors import Unreadable

_RECORD = re.compile(r"[0-9a-f]{32}")
_TURN = re.compile(r"turn/([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Erasure:
    """This record is to be erased."""

    record_id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """This bucket is to be wrapped in this epoch."""

    bucket: int
    epoch: int


def erasure_message(record_id: str) -> tuple[bytes, bytes]:
    """Key and value; it goes to the partition of the record's intake (`topics.intake_partition`)."""
    return record_id.encode("ascii"), canonical.dump({"v": 1, "kind": "erase"})


def turn_message(turn: Turn) -> tuple[bytes, bytes]:
    """Key and value; it goes to every partition, as records of a bucket have their intake in any."""
    return f"turn/{turn.bucket}".encode("ascii"), canonical.dump({"v": 1, "kind": "turn", "epoch": turn.epoch})


def parse(key: bytes | None, value: bytes | None) -> Erasure | Turn:
    """The content of one message. Raises Unreadable for anything the two functions above do not write."""
    try:
        name = (key or b"").decode("ascii")
    except UnicodeDecodeError:
        raise _refused() from None
    parts = canonical.read_object(value or b"")
    if parts.get("v") != 1:
        raise Unreadable("erasure", rule="is of an unknown version")
    turn, epoch = _TURN.fullmatch(name), parts.get("epoch")
    if parts.get("kind") == "erase" and _RECORD.fullmatch(name):
        return Erasure(name)
    if parts.get("kind") != "turn" or turn is None or type(epoch) is not int:
        raise _refused()
    if int(turn[1]) >= BUCKETS or not 1 <= epoch <= EPOCH_MAX:
        raise _refused()
    return Turn(int(turn[1]), epoch)


def _refused() -> Unreadable:
    return Unreadable("erasure", rule="is neither of a record nor of a bucket")
