"""The ways a world is linked: as records are joined today on clear text, and by our linker on keyed tokens.

A match key is a set of fields that must all agree; two records with one key in common are one person, and so
are those a chain of such pairs connects. The keys follow what is published: HESID (steps 1 and 3 of hesonline
"PSEUDO_HESID": sex, birth date and NHS number; sex, birth date and postcode), the kinds of key ONS used on
encoded names in "Beyond 2011: matching anonymous data" (exact names, initials, first letters, names crossed,
one field left out) and the sound-alike keys of PHE's enhanced matching (Aldridge 2015). They are written here
in our words: no list was copied, and the published ones differ in details.

What our linker got wrong is listed by what had happened to the records; kinds are words and levels of
agreement, never a value.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import jellyfish

from linkage.cluster import Decision, LinkGraph, Member
from linkage.compare import common_block, levels
from linkage.counts import Counts, counted
from linkage.decide import judge
from linkage.index import BLOCK_MAX
from linkage.model import Model, weigh
from linkage.normalise import NormalisedIdentity, normalise
from linkage.tokens import EncodedIdentity, TokenKeys, encode
from ops.lab.bench.linkage_world import TIER_RANK, LinkageWorld, WorldRecord

Clusters = dict[str, str]  # record id -> name of its cluster
BENCH_KEY = bytes(range(32))  # nothing here is anybody's: a key that makes runs repeatable

Pair = tuple[str, str]
Encoded = Mapping[str, EncodedIdentity]
Kinds = Counter[tuple[str, str]]  # what happened, how the two records agree


def number_join(records: Iterable[WorldRecord]) -> Clusters:
    """Records with one valid NHS number are one person; a record without one is alone."""
    return {record.record_id: record.identity.nhs_number or f"alone/{record.record_id}" for record in records}


@dataclass(frozen=True, slots=True, repr=False)
class KeyedRecord:
    """One record's valid NHS number and its match keys, in the order of KEYS; None where a field is missing."""

    record_id: str
    number: str | None
    keys: tuple[str | None, ...]


def keyed(records: Iterable[WorldRecord]) -> list[KeyedRecord]:
    """The match keys of every record, from its cleaned identity: its first name and its first address."""
    found = []
    for record in records:
        fields = _Fields(normalise(record.identity))
        keys = tuple(key(fields) for key in KEYS.values())
        found.append(KeyedRecord(record.record_id, fields.number, keys))
    return found


def match_keys(known: Sequence[KeyedRecord], *, veto: bool = False) -> Clusters:
    """Records with any key in common are one person, and so on along the chain.

    With `veto`, a key joins no two clusters that hold different valid NHS numbers; joins are then taken key
    by key, in the order of KEYS.
    """
    groups = _RecordSets(known, veto=veto)
    for place in range(len(KEYS)):
        first: dict[str, str] = {}
        for record in known:
            value = record.keys[place]
            if value is not None:
                groups.join(record.record_id, first.setdefault(value, record.record_id))
    return {record.record_id: groups.root(record.record_id) for record in known}


class _Fields:
    """One record's fields as keys read them; None where a field is empty."""

    def __init__(self, clean: NormalisedIdentity) -> None:
        name = clean.names[0] if clean.names else None
        self.number = clean.nhs_number
        self.given = name.given[0].replace("-", "") if name and name.given else None
        self.family = (name.family.replace("-", "") or None) if name else None
        self.born = clean.birth_date
        self.sex = clean.sex
        self.postcode = clean.postcodes[0] if clean.postcodes and clean.postcodes[0] else None
        self.house = clean.houses[0] if clean.houses and clean.houses[0] else None

    def first(self, name: str | None, letters: int) -> str | None:
        return name[:letters] if name else None

    def sound(self, name: str | None) -> str | None:
        return jellyfish.soundex(name) if name and name.isalpha() else None

    def crossed(self) -> str | None:
        return "+".join(sorted((self.given, self.family))) if self.given and self.family else None


def _all(*parts: str | None) -> str | None:
    return None if None in parts else "/".join(str(part) for part in parts)


KEYS: Mapping[str, Callable[[_Fields], str | None]] = {
    "number, sex, birth date": lambda f: _all(f.number, f.sex, f.born),
    "number, forename, surname": lambda f: _all(f.number, f.given, f.family),
    "names, birth date, sex, postcode": lambda f: _all(f.given, f.family, f.born, f.sex, f.postcode),
    "names crossed, birth date, postcode": lambda f: _all(f.crossed(), f.born, f.postcode),
    "sounds of names, birth date, sex, postcode": lambda f: _all(
        f.sound(f.given), f.sound(f.family), f.born, f.sex, f.postcode
    ),
    "forename initial, birth date, sex, postcode": lambda f: _all(f.first(f.given, 1), f.born, f.sex, f.postcode),
    "surname initial, birth date, sex, postcode": lambda f: _all(f.first(f.family, 1), f.born, f.sex, f.postcode),
    "names, birth date, sex": lambda f: _all(f.given, f.family, f.born, f.sex),
    "names crossed, birth date, sex": lambda f: _all(f.crossed(), f.born, f.sex),
    "sounds of names, birth date, sex": lambda f: _all(f.sound(f.given), f.sound(f.family), f.born, f.sex),
    "three letters of names, birth date, sex, district": lambda f: _all(
        f.first(f.given, 3), f.first(f.family, 3), f.born, f.sex, f.postcode and f.postcode[:-3]
    ),
    "names, sex, postcode, house": lambda f: _all(f.given, f.family, f.sex, f.postcode, f.house),
    "names, year of birth, sex, postcode": lambda f: _all(f.given, f.family, f.born and f.born[:4], f.sex, f.postcode),
}


class _RecordSets:
    """Disjoint sets of records, each with the NHS numbers it holds."""

    def __init__(self, known: Iterable[KeyedRecord], *, veto: bool) -> None:
        self._veto = veto
        self._parent = {record.record_id: record.record_id for record in known}
        self._numbers = {record.record_id: {record.number} if record.number else set() for record in known}

    def root(self, record_id: str) -> str:
        parent = self._parent
        while parent[record_id] != record_id:
            parent[record_id] = parent[parent[record_id]]
            record_id = parent[record_id]
        return record_id

    def join(self, a: str, b: str) -> None:
        a, b = sorted((self.root(a), self.root(b)))
        if a == b:
            return
        numbers = self._numbers[a] | self._numbers[b]
        if self._veto and len(numbers) > 1:
            return
        self._parent[b] = a
        self._numbers[a] = numbers


@dataclass(frozen=True, slots=True, repr=False)
class Linked:
    """What our linker made of a world. `held`: records with an open review; `reviews`: the open pairs;
    `reviewed`: the clusters once an oracle has answered those; `renamed`: how often a record that had been
    answered got another person id while records arrived.
    """

    clusters: Clusters
    held: frozenset[str]
    reviews: tuple[Pair, ...]
    reviewed: Clusters
    renamed: int
    link_cpu_s: float


def encoded_world(world: LinkageWorld) -> Encoded:
    """Every identity of the world, encoded under a key of the bench."""
    keys = TokenKeys.from_bytes(BENCH_KEY, epoch=1)
    return {record.record_id: encode(normalise(record.identity), keys=keys) for record in world.records}


def link(world: LinkageWorld, encoded: Encoded, model: Model) -> Linked:
    """The records are put in arrival order; then an oracle that knows the truth answers every open pair once."""
    graph, anchors, renamed = LinkGraph(model), dict[str, str](), 0
    started_s = time.process_time()
    for record in world.records:
        member = Member(TIER_RANK[record.tier], encoded[record.record_id], source=record.source)
        for touched in graph.put(record.record_id, member):
            anchor = graph.answer(touched).anchor
            renamed += anchors.get(touched, anchor) != anchor
            anchors[touched] = anchor
    link_cpu_s = time.process_time() - started_s
    held = frozenset(record_id for record_id in anchors if graph.answer(record_id).status == "held")
    reviews = tuple(review.pair for review in graph.reviews(anchors))
    answer_reviews(graph, reviews, {record.record_id: record.person for record in world.records})
    reviewed = {record_id: graph.answer(record_id).anchor for record_id in anchors}
    return Linked(anchors, held, reviews, reviewed, renamed, link_cpu_s)


def answer_reviews(graph: LinkGraph, reviews: tuple[Pair, ...], person_of: Mapping[str, str]) -> None:
    """These pairs have the decisions of a steward who makes no mistake."""
    for number, (a, b) in enumerate(reviews):
        kind = "link" if person_of[a] == person_of[b] else "apart"
        graph.decide(Decision((a, b), kind, "2026-07-01T09:00:00Z", f"{number:09d}"))  # type: ignore[arg-type]


def training_pairs(
    encoded: Encoded, *, cap: int = BLOCK_MAX
) -> Iterator[tuple[EncodedIdentity, EncodedIdentity, bytes]]:
    """Every pair of identities that shares a block of at most `cap` records, once each and in a fixed order,
    with the least block they share. A pair is given at that block only, so no pair need be remembered.
    """
    standing: dict[bytes, list[str]] = {}
    for record_id in sorted(encoded):
        for token in encoded[record_id].tokens:
            standing.setdefault(token, []).append(record_id)
    live = {token: records for token, records in standing.items() if 1 < len(records) <= cap}
    tokens = {record_id: live.keys() & identity.tokens for record_id, identity in encoded.items()}
    for token in sorted(live):
        for a, b in combinations(live[token], 2):
            if token == min(tokens[a] & tokens[b]):
                yield encoded[a], encoded[b], token


def training_counts(encoded: Encoded, *, cap: int = BLOCK_MAX) -> Counts:
    """The agreement patterns of all `training_pairs`: what a model is fitted on. Counts of several worlds add up."""
    return counted(levels(a, b, block=block) for a, b, block in training_pairs(encoded, cap=cap))


def false_links(world: LinkageWorld, clusters: Clusters, encoded: Mapping[str, EncodedIdentity], model: Model) -> Kinds:
    """Pairs of two people's records in one cluster, by kind; the most frequent first with `most_common`."""
    members: dict[str, list[WorldRecord]] = {}
    for record in world.records:
        members.setdefault(clusters[record.record_id], []).append(record)
    return Counter(
        (_who(world, a, b), _agreement(encoded, model, a, b))
        for records in members.values()
        for a, b in combinations(records, 2)
        if a.person != b.person
    )


def missed_links(
    world: LinkageWorld, clusters: Clusters, encoded: Mapping[str, EncodedIdentity], model: Model
) -> Kinds:
    """Tier 2 and 3 records that are not with their person's primary-care record, by kind."""
    primary = {record.person: record for record in world.records if record.tier == "primary_care"}
    return Counter(
        (_both(home, record), _agreement(encoded, model, home, record))
        for record, home in _with_home(world, primary)
        if clusters[record.record_id] != clusters[home.record_id]
    )


def _with_home(world: LinkageWorld, primary: Mapping[str, WorldRecord]) -> Iterator[tuple[WorldRecord, WorldRecord]]:
    for record in world.records:
        if record.tier != "primary_care" and record.person in primary:
            yield record, primary[record.person]


def _who(world: LinkageWorld, a: WorldRecord, b: WorldRecord) -> str:
    relation = world.relation.get(a.person) or "strangers"
    return f"{relation}: {_both(a, b)}"


def _both(a: WorldRecord, b: WorldRecord) -> str:
    return ", ".join(sorted({*a.happened, *b.happened})) or "nothing"


def _agreement(encoded: Mapping[str, EncodedIdentity], model: Model, a: WorldRecord, b: WorldRecord) -> str:
    """The levels of agreement, and what the pair alone would be judged."""
    left, right = encoded[a.record_id], encoded[b.record_id]
    block = common_block(left, right)
    if block is None:
        return "share no block"
    at = levels(left, right, block=block)
    agreements = [f"{field} {level}" for field, level in at.pairs() if level not in ("missing", "no")]
    verdict = judge(model, weigh(model, at))
    rules = "".join(f" {rule.value}" for rule in verdict.rules)
    return f"{', '.join(level for level in agreements if '_frequency' not in level)} ({verdict.band.value}{rules})"


def listed(kinds: Kinds, *, most: int = 15) -> str:
    """The most frequent kinds, one a line with its count."""
    return "\n".join(
        f"{count:6d}  {happened} | {agreement}" for (happened, agreement), count in kinds.most_common(most)
    )
