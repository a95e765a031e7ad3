"""What the load offers: a simulated world with more noise than usual, poison, identity changes and merges.

`offers(seed, events)` is pure: the same arguments give the same bytes in the same order. 100,000 entries take
12 s of one core and 170 MB.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from math import ceil
from random import Random
from typing import Literal

from ops.lab.chaos.changes import Numbering, identity_change, merge
from ops.lab.chaos.poison import poison
from ops.lab.simulator import Rates, default_rates, simulate
from ops.lab.simulator.model import Delivery

OfferKind = Literal["plain", "resent", "foreign", "poison", "identity", "merge"]
_OF_TAG: Mapping[str, OfferKind] = {
    "good": "plain",
    "duplicate": "resent",
    "foreign": "foreign",
    "broken": "poison",
}
_NOISE = {
    "duplicates": 0.09,
    "out_of_order": 0.16,
    "corrections": 0.05,
    "rejects": 0.04,
    "repeated_rows": 0.02,
}
# shares of simulated deliveries beside which something of the kind is put; of entries that is about a third
_BESIDE: Mapping[OfferKind, float] = {"poison": 0.03, "identity": 0.06, "merge": 0.03}
_RESENT_OF_ADDED = 0.1
_APART_MAX = 400  # places between a delivery and what was made from it, either way: it may come first
_OF_FILES = 0.15  # of poison and identity changes: files are few, for they hold many entries
_ENTRIES_A_PERSON = 18.3  # measured over seeds; a world that is too small is made again, larger


@dataclass(frozen=True, slots=True, repr=False)
class Offer:
    """One thing handed to a door, and what kind of thing it is."""

    kind: OfferKind
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class EntryMix:
    """How many entries are of each kind. An entry may count twice: a correction may be late.

    `late` came after a newer entry of the same record, `duplicates` are sent again on purpose (not for
    want of an answer), `refused` are malformed, `rejected_rows` pass the folder door and end at ingress.
    """

    entries: int
    deliveries: int
    duplicates: int
    late: int
    corrections: int
    refused: int
    rejected_rows: int
    identity_changes: int
    merges: int
    ignored: int

    def as_json(self) -> dict[str, int]:
        """Counts under stable names."""
        return asdict(self)


def offers(seed: int, events: int) -> tuple[Offer, ...]:
    """Exactly `events` entries, in the order in which they are offered. Raises ValueError below 1.

    A file whose rows do not all fit into what is left is passed over for what comes after it.
    """
    if events < 1:
        raise ValueError("events: must be at least 1")
    people = ceil(events / _ENTRIES_A_PERSON) + 5
    while (chosen := _cut(_world(seed, people), events)) is None:
        people = ceil(people * 1.1) + 1
    return chosen


def mixture(offered: Iterable[Offer]) -> EntryMix:
    """What `offered` holds, counted on what is sent and not on what was meant."""
    counted: Counter[str] = Counter()
    newest: dict[tuple[str, str], datetime] = {}
    for offer in offered:
        counted["deliveries"] += 1
        for entry in offer.delivery.entries:
            counted["entries"] += 1
            counted["duplicates"] += offer.delivery.tag == "duplicate"
            counted["refused"] += entry.expected == "refused"
            counted["rejected_rows"] += entry.expected == "rejected_row"
            counted["ignored"] += entry.expected == "ignored"
            counted["identity_changes"] += offer.kind == "identity"
            counted["merges"] += offer.kind == "merge" and b"\rMRG|" in offer.delivery.content
            if offer.delivery.tag == "duplicate" or entry.source_version_at is None or entry.expected != "accepted":
                continue
            counted["corrections"] += entry.correction
            key = (offer.delivery.source, entry.local_id)
            seen = newest.get(key, entry.source_version_at)
            counted["late"] += entry.source_version_at < seen
            newest[key] = max(seen, entry.source_version_at)
    return EntryMix(**{name: counted[name] for name in EntryMix.__dataclass_fields__})


def _rates() -> Rates:
    usual = default_rates()
    return replace(usual, noise={**usual.noise, **_NOISE})


def _world(seed: int, people: int) -> list[Offer]:
    """More than enough: the simulated deliveries with what is put beside them."""
    deliveries = simulate(seed, people, rates=_rates()).deliveries
    rng = Random(f"chaos {seed}")
    placed = [(float(place), Offer(_OF_TAG[delivery.tag], delivery)) for place, delivery in enumerate(deliveries)]
    placed += _added(rng, deliveries)
    placed.sort(key=lambda item: item[0])
    return [offer for _, offer in placed]


def _added(rng: Random, deliveries: Sequence[Delivery]) -> Iterator[tuple[float, Offer]]:
    """Poison, identity changes and merges with their places, some of them resent."""
    good = [place for place, delivery in enumerate(deliveries) if delivery.tag == "good"]
    of_trust = [place for place in good if b"\rPV1|" in deliveries[place].content]
    files = [place for place in good if deliveries[place].kind == "csv_file"]
    for kind, share in _BESIDE.items():
        for number in range(1, ceil(len(good) * share) + 1):
            among = of_trust if kind == "merge" else files if rng.random() < _OF_FILES else good
            place, other = rng.choice(among), deliveries[rng.choice(of_trust)]
            for made in _made(rng, kind, number, deliveries[place], other):
                at = place + rng.uniform(-_APART_MAX / 10, _APART_MAX)
                yield at, Offer(kind, made)
                if made.tag == "good" and rng.random() < _RESENT_OF_ADDED:
                    yield at + rng.uniform(0, _APART_MAX), Offer(kind, _resent(made))


def _made(rng: Random, kind: OfferKind, number: int, original: Delivery, other: Delivery) -> Sequence[Delivery]:
    if kind == "poison":
        return [poison(rng, number, original)]
    if kind == "merge":
        return merge(rng, Numbering("MG", number), original, other)
    return identity_change(rng, Numbering("ID", number), original)


def _resent(made: Delivery) -> Delivery:
    name = made.file_name
    return replace(made, tag="duplicate", file_name=name.replace(".csv", "-again.csv") if name else None)


def _cut(world: Sequence[Offer], events: int) -> tuple[Offer, ...] | None:
    """The first offers that together hold so many entries; None when there are not so many."""
    chosen, left = list[Offer](), events
    for offer in world:
        if len(offer.delivery.entries) <= left:
            chosen.append(offer)
            left -= len(offer.delivery.entries)
        if not left:
            return tuple(chosen)
    return None
