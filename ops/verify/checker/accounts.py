"""The answers that senders got, compared with the topics: lost, phantom, unknown.

lost     an entry that was acknowledged, or that is in the intake, whose chain ends too early (ops.verify.ledger
         names the topic), and what a stage wrote and a later one could not read (`stalled`)
phantom  a message of a topic whose origin nobody sent
unknown  an entry whose sender got no answer: it may be in the topics or not, but once
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from ops.client.journal import Sent
from ops.verify.ledger import TopicIndex, broken_at, stalled
from schemas import topics
from schemas.envelope import entry_name
from schemas.keyring import Keyring, recipient_purpose
from schemas.pathway_in import KEY, TICK, WITHDRAWAL

MAY_BE_IN = frozenset({"accepted", "ignored", "unknown"})


@dataclass(frozen=True)
class Accounts:
    """Counts of entries; `lost` and `phantom` by the topic at which it shows."""

    acknowledged: int
    unknown: int
    lost: Counter[str] = field(default_factory=Counter)
    phantom: Counter[str] = field(default_factory=Counter)


def accounts(sent: Iterable[Sent], index: TopicIndex, *, keys: Keyring, recipient: str) -> Accounts:
    """Compare the journal with the topics."""
    answers: dict[str, set[str]] = defaultdict(set)
    for entry in sent:
        answers[entry_name(keys, entry.source, entry.entry_id)].add(entry.answer)
    acknowledged = {entry for entry, given in answers.items() if given & {"accepted", "ignored"}}
    # what ingress could not open it sets apart, and tells no source: nobody is owed an end but who was told `accepted`
    opened = {entry for entry, places in index.places.items() if not index.dead_letters.keys() >= set(places)}
    owed = {entry for entry, given in answers.items() if "accepted" in given} | (opened - {""})
    lost = Counter(
        place for entry in owed if (place := broken_at(entry, index, keys=keys, recipient=recipient)) is not None
    )
    lost[topics.DEAD_LETTERS] += stalled(index)
    return Accounts(
        acknowledged=len(acknowledged),
        unknown=sum(given == {"unknown"} for given in answers.values()),
        lost=+lost,
        phantom=+phantoms(answers, index, keys=keys, recipient=recipient),
    )


def phantoms(answers: Mapping[str, Set[str]], index: TopicIndex, *, keys: Keyring, recipient: str) -> Counter[str]:
    """How much stands in each topic without what it must come from, one topic further up."""
    found = Counter[str]()
    found["intake"] = sum(not answers.get(entry, set()) & MAY_BE_IN for entry in index.places.keys() - {""})
    found["intake"] += sum(place not in index.dead_letters for place in index.places.get("", ()))
    found["receipts"] = len(index.receipts.keys() - index.places.keys())
    found[topics.DISPOSITIONS] = len(index.dispositions.keys() - index.places.keys())
    # more elements than arrivals: one thing sent became two
    found[topics.EVENTS] = sum(
        max(0, len(elements) - len(index.places.get(entry, ()))) for entry, elements in index.elements.items()
    )
    records = {place.record for elements in index.elements.values() for place in elements}
    found[topics.LINK_MAP] = len(index.links.keys() - records)
    found[topics.PATHWAY_IN] = _strangers(index)
    people = {key.split("/", 1)[0] for key in index.arrived}
    known = {keys.mac(recipient_purpose(recipient), person) for person in people}
    found[topics.pathway_state(recipient)] = len(index.published - known)
    found[topics.pathway_events(recipient)] = len(index.eventful - known)
    return found


def _strangers(index: TopicIndex) -> int:
    """Entries under a person that are none of their record, and withdrawals and keys of a record nobody linked."""
    known = {f"{place.record}/{place.name}" for elements in index.elements.values() for place in elements}
    found = 0
    for key in index.arrived:
        person, _, name = key.partition("/")
        record, _, entry = name.partition("/")
        if person != TICK:
            found += record not in index.links if entry in (WITHDRAWAL, KEY) else name not in known
    return found
