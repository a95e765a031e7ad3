"""Changelogs, held against the oracle's as far as two runs of one input must agree.

Left out is what depends on the order of arrival: revisions of links, when an identity began to wait, who a
record formerly was, and withdrawals (a record that was alone for a second was never withdrawn elsewhere).
"""

import json
from typing import Any

from ops.verify.compare import HISTORY_FIELDS, Finals
from schemas import topics

CHANGELOGS = (topics.RECORDS_STATE, topics.LINKER_STATE, topics.PATHWAY_STATE)
ARRIVAL_FIELDS = HISTORY_FIELDS | {"link_revision", "since", "since_ms"}
WITHDRAWALS = b"/w"


def note_finals(topic: str) -> Finals:
    """Finals of a changelog without what arrival decides."""
    return Finals(_pathway_note if topic == topics.PATHWAY_STATE else _note)


def _pathway_note(key: bytes, value: bytes) -> Any:
    return None if key.endswith(WITHDRAWALS) else _note(key, value)


def _note(_: bytes, value: bytes) -> Any:
    try:
        said = json.loads(value)
    except ValueError:
        return value
    return (
        {name: one for name, one in said.items() if name not in ARRIVAL_FIELDS}
        if isinstance(said, dict)
        else said
    )
