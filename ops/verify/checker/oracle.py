"""What of a run is compared with its oracle beside the results: changelogs, and who was put together.

Of a changelog is left out what depends on the order of arrival: revisions of links, when an identity began to
wait, who a record formerly was (the persons that records sent it to are elements of their own), and withdrawals (in the
other run the record may never have been alone).
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping

from ops.verify.compare import HISTORY_FIELDS, Finals
from schemas import topics

CHANGELOGS = (topics.RECORDS_STATE, topics.LINKER_STATE, topics.PATHWAY_STATE)
ARRIVAL_FIELDS = HISTORY_FIELDS | {"link_revision", "since", "since_ms"}
# What a key of a changelog holds where it says only which way things came.
HISTORY = {topics.PATHWAY_STATE: re.compile(rb"/w\Z"), topics.RECORDS_STATE: re.compile(rb"\A[^/]+/p/")}


def note_finals(topic: str) -> Finals:
    """Finals of a changelog without what arrival decides."""
    history = HISTORY.get(topic)
    return Finals(lambda key, value: None if history and history.search(key) else _note(value))


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


def _note(value: bytes) -> object:
    try:
        content = json.loads(value)
    except ValueError:
        return value
    if not isinstance(content, dict):
        return content
    return {name: part for name, part in content.items() if name not in ARRIVAL_FIELDS}
