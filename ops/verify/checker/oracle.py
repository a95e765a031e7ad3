"""What of a run is compared with its oracle beside the results: changelogs, and who was put together.

Of a changelog is left out what depends on the order of arrival: revisions of links, when an identity began to
wait, who a record formerly was, whom it was sent to, and withdrawals (in the other run the record may never have been
alone).
"""

import json
from collections import defaultdict
from collections.abc import Mapping

from ops.verify.compare import HISTORY_FIELDS, Finals
from schemas import topics

CHANGELOGS = (topics.RECORDS_STATE, topics.LINKER_STATE, topics.PATHWAY_STATE)
ARRIVAL_FIELDS = HISTORY_FIELDS | {"link_revision", "since", "since_ms"}
WITHDRAWALS, SENT_TO = b"/w", b"/p/"


def note_finals(topic: str) -> Finals:
    """Finals of a changelog without what arrival decides."""
    notes = {topics.PATHWAY_STATE: _pathway_note, topics.RECORDS_STATE: _records_note}
    return Finals(notes.get(topic, _note))


def split_and_merged(run: Mapping[str, str], oracle: Mapping[str, str]) -> tuple[int, int]:
    """How many people of the oracle are several in the run, and how many people of the run several in the oracle.

    Both map record to person. People's ids may differ; only who is together counts, and only records of both.
    """
    in_run: dict[str, set[str]] = defaultdict(set)
    in_oracle: dict[str, set[str]] = defaultdict(set)
    for record in run.keys() & oracle.keys():
        in_run[oracle[record]].add(run[record])
        in_oracle[run[record]].add(oracle[record])
    split, merged = (sum(len(people) > 1 for people in found.values()) for found in (in_run, in_oracle))
    return split, merged


def _pathway_note(key: bytes, value: bytes) -> object:
    return None if key.endswith(WITHDRAWALS) else _note(key, value)


def _records_note(key: bytes, value: bytes) -> object:
    return None if SENT_TO in key else _note(key, value)


def _note(_: bytes, value: bytes) -> object:
    try:
        content = json.loads(value)
    except ValueError:
        return value
    if not isinstance(content, dict):
        return content
    return {name: part for name, part in content.items() if name not in ARRIVAL_FIELDS}
