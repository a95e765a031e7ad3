"""What the senders were told against what stands in the topics: lost, phantom, unknown.

lost     an entry that was acknowledged, or that is in the intake, whose chain ends too early (ops.verify.ledger
         names the topic), and what a later stage could not read of our own making (`stalled`)
phantom  what stands in a topic though nobody sent what it says it comes from
unknown  an entry of which its sender only knows that no answer came: it may be in or not, but once
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from ops.client.journal import Sent
from ops.verify.ledger import TopicIndex, broken_at, stalled
from schemas import topics
from schemas.elements import FACT
from schemas.keyring import Keyring, recipient_purpose

MAY_BE_IN = frozenset({"accepted", "ignored", "unknown"})


@dataclass(frozen=True)
class Accounts:
    """Counts of entries; `lost` and `phantom` by the topic at which it shows."""

    acknowledged: int
    unknown: int
    lost: Counter[str] = field(default_factory=Counter)
    phantom: Counter[str] = field(default_factory=Counter)


def accounts(sent: Iterable[Sent], books: TopicIndex, *, keys: Keyring, recipient: str) -> Accounts:
    """Hold the journal against the books."""
    answers: dict[str, set[str]] = defaultdict(set)
    for one in sent:
        answers[one.entry_id].add(one.answer)
    acknowledged = {entry for entry, given in answers.items() if given & {"accepted", "ignored"}}
    owed = {entry for entry, given in answers.items() if "accepted" in given} | (books.places.keys() - {""})
    lost = Counter(
        place
        for entry in owed
        if (place := broken_at(entry, books, keys=keys, recipient=recipient)) is not None
    )
    lost[topics.DEAD_LETTERS] += stalled(books)
    return Accounts(
        acknowledged=len(acknowledged),
        unknown=sum(given == {"unknown"} for given in answers.values()),
        lost=+lost,
        phantom=+phantoms(answers, books, keys=keys, recipient=recipient),
    )


def phantoms(
    answers: Mapping[str, Set[str]], books: TopicIndex, *, keys: Keyring, recipient: str
) -> Counter[str]:
    """How much stands in each topic without what it must come from, one topic further up."""
    found = Counter[str]()
    found["intake"] = sum(not answers.get(entry, set()) & MAY_BE_IN for entry in books.places.keys() - {""})
    found["intake"] += sum(place not in books.dead for place in books.places.get("", ()))
    found["receipts"] = len(books.receipts.keys() - books.places.keys())
    named = {
        f"{record}/{FACT}/{'/'.join(one)}"
        for own in books.manifests.values()
        for record, facts in own
        for one in facts
    }
    # more manifests than arrivals: one thing sent became two
    found[topics.EVENTS] = len(books.facts - named) + sum(
        max(0, len(own) - len(books.places.get(entry, ()))) for entry, own in books.manifests.items()
    )
    records = {record for own in books.manifests.values() for record, _ in own}
    found[topics.LINK_MAP] = len(books.links.keys() - records)
    found[topics.PATHWAY_IN] = _strangers(books)
    people = {key.split("/", 1)[0] for key in books.arrived}
    known = {keys.mac(recipient_purpose(recipient), person) for person in people}
    found[topics.pathway_state(recipient)] = len(books.published - known)
    found[topics.pathway_events(recipient)] = len(books.eventful - known)
    return found


def _strangers(books: TopicIndex) -> int:
    """Facts under a person that are no fact of their record, and withdrawals of a record nobody linked."""
    facts = {_without_version(key) for key in books.facts}
    found = 0
    for key in books.arrived:
        person, record, *rest = key.split("/")
        if person == "tick":
            continue
        (fact,) = rest
        found += record not in books.links if fact == "w" else f"{record}/{fact}" not in facts
    return found


def _without_version(key: str) -> str:
    record, _, fact, _ = key.split("/")
    return f"{record}/{fact}"
