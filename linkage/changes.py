"""What became of people between two states of the link graph: one event for each person affected.

A pure function of the answers before and after, so the same change replayed gives the same events. A person is
named by the record its records are anchored on; whoever publishes puts a published id in its place.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from linkage.answers import EVIDENCE_MAX, LinkAnswer
from linkage.decide import Band, Rule
from linkage.explain import Evidence
from linkage.members import Pair, pair_of

Kind = Literal["linked", "merged", "split", "renamed", "withdrawn"]
WEIGHT, ANCHOR, GONE, NEW = "weight", "anchor", "record-gone", "first-record"
_WORDS = (Rule.DECIDED_LINK, Rule.DECIDED_APART, Rule.MUST_LINK)  # what people said comes before any weight


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What became of one person. `person`: its anchor now; of a person with no record left, its last one.

    linked: records that had no person before are now this one's. merged: records of several persons are now
    one's. split: a person's records are now several persons', of which this is one. renamed: the same person
    under another anchor. withdrawn: records of it are gone, perhaps all. Where several hold it is the first
    of merged, split, renamed, withdrawn, linked.

    `previous`: every person its records were answered under before, itself among them if so. `records`: those
    that came or, withdrawn, went. `reason`: a rule's code, or "weight", "anchor", "record-gone",
    "first-record". `evidence` by pair, in milli-bits by field, at most EVIDENCE_MAX; `model` that weighed it.
    """

    kind: Kind
    person: str
    previous: tuple[str, ...]
    records: tuple[str, ...]
    reason: str
    evidence: tuple[tuple[Pair, Evidence], ...]
    model: str


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both states, restricted to the records whose answer may have changed."""

    before: Mapping[str, str]  # record -> person
    after: Mapping[str, LinkAnswer]
    members: Mapping[str, frozenset[str]]  # person after -> records
    heirs: Mapping[str, frozenset[str]]  # person before -> persons after
    model: str


def changes(before: Mapping[str, str], after: Mapping[str, LinkAnswer], *, model: str) -> tuple[PersonChange, ...]:
    """The events between two states, by person. `before`: the anchor of every record whose answer may have
    changed and that had one; `after`: the answers of those that are still there.

    Every cluster that changed must be there whole, as `LinkGraph` announces it.
    """
    members: dict[str, frozenset[str]] = {answer.anchor: frozenset(answer.members) for answer in after.values()}
    heirs: dict[str, set[str]] = defaultdict(set)
    for record, person in before.items():
        heirs[person].update({after[record].anchor} if record in after else ())
    sides = _Sides(before, after, members, {person: frozenset(to) for person, to in heirs.items()}, model)
    found = [change for person in members if (change := _of_person(sides, person))]
    ended = [person for person, to in heirs.items() if not to]
    found += [_ended(sides, person) for person in ended]
    return tuple(sorted(found, key=lambda answer: (answer.person, answer.kind)))


def _of_person(sides: _Sides, person: str) -> PersonChange | None:
    """What became of a person that has records, None when nothing did."""
    records = sides.members[person]
    previous = {sides.before[record] for record in records if record in sides.before}
    came = {record for record in records if sides.before.get(record) != person}
    gone = {record for record, was in sides.before.items() if was in previous and record not in sides.after}
    if len(previous) > 1:
        main = person if person in previous else min(previous)
        joined = {record for record in records if sides.before.get(record) != main}
        return _change(sides, "merged", person, joined, _joining(sides, person, joined))
    if any(len(sides.heirs[was]) > 1 for was in previous):
        left = {record for was in previous for record, now in sides.before.items() if now == was} - records
        return _change(sides, "split", person, left & sides.after.keys(), _parting(sides, records, left))
    if previous and person not in previous:
        return _change(sides, "renamed", person, came, (ANCHOR, ()))
    if gone:
        return _change(sides, "withdrawn", person, gone, (GONE, ()))
    if came:
        return _change(sides, "linked", person, came, _joining(sides, person, came))
    return None


def _ended(sides: _Sides, person: str) -> PersonChange:
    gone = {record for record, was in sides.before.items() if was == person}
    return PersonChange("withdrawn", person, (person,), tuple(sorted(gone)), GONE, (), sides.model)


_Why = tuple[str, tuple[tuple[Pair, Evidence], ...]]


def _change(sides: _Sides, kind: Kind, person: str, records: Iterable[str], why: _Why) -> PersonChange:
    previous = {sides.before[record] for record in sides.members[person] if record in sides.before}
    reason, evidence = why
    return PersonChange(kind, person, tuple(sorted(previous)), tuple(sorted(records)), reason, evidence, sides.model)


def _joining(sides: _Sides, person: str, came: set[str]) -> _Why:
    """Why these records are one person's with the others: the evidence between them."""
    records = sides.members[person]
    if came == records and len(records) == 1:
        return (NEW, ())
    rest = records - came or records
    evidence = _between(sides, came, rest)
    return (_reason(evidence, Band.AUTO) or WEIGHT, evidence)


def _parting(sides: _Sides, stayed: Iterable[str], left: set[str]) -> _Why:
    """Why the two parts are no longer one person's; "weight" where nothing is left between them."""
    evidence = _between(sides, set(stayed), frozenset(left))
    return (_reason(evidence, Band.APART) or _reason(evidence, Band.REVIEW) or WEIGHT, evidence)


def _between(sides: _Sides, some: set[str], others: frozenset[str]) -> tuple[tuple[Pair, Evidence], ...]:
    """The evidence of pairs of one of `some` and one of `others`: words first, then the surest, by pair."""
    found = {
        (pair_of(record, evidence.other), evidence.rules, evidence.bits): evidence
        for record in sorted(some & sides.after.keys())
        for evidence in sides.after[record].evidence
        if evidence.other in others and evidence.other != record
    }
    surest = sorted(found, key=lambda key: (bool(found[key].terms), -key[2], key))[:EVIDENCE_MAX]
    return tuple((key[0], found[key]) for key in surest)


def _reason(found: Iterable[tuple[Pair, Evidence]], band: Band) -> str | None:
    """The code of the first rule told by evidence of the band; what people said before what was weighed."""
    rules = [rule for _, evidence in found if evidence.band == band.value for rule in evidence.rules]
    words = [rule.value for rule in _WORDS if rule.value in rules]
    return (words or rules or [None])[0]
