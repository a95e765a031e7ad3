"""Which facts are one episode, by whose-facts/1."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ops.lab.simulator.expected.definitions import SEEN
from ops.lab.simulator.model import Fact
from ops.lab.simulator.truth import PersonTruth, RecordKey, RecordTruth

_NOT_OF_AN_EPISODE = ("referral", "comorbidity", "death")
_CLOSING = ("decline", "withdrawal", "discharge")


@dataclass(slots=True, repr=False, eq=False)
class ExpectedEpisode:
    """One referral at one service and its facts; `referrals` is empty where the source told none.

    `sources` and `records` reported it. `retracted`: the referral was taken back, and these facts named it.
    """

    tier: str
    sources: set[str]
    records: set[RecordKey]
    referrals: list[Fact] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    retracted: bool = False
    ambiguous: bool = False
    birth_date: date | None = None

    @property
    def referral(self) -> Fact | None:
        """The first that was received."""
        return min(self.referrals, key=lambda fact: fact.on, default=None)

    @property
    def received_on(self) -> date | None:
        """The day the service, or the hub before it, received the referral."""
        return self.referral.on if self.referral else None

    def of(self, *kinds: str) -> list[Fact]:
        """Its facts of these kinds, in order of day."""
        return sorted((fact for fact in self.facts if fact.kind in kinds), key=lambda fact: fact.on)

    @property
    def seen(self) -> list[Fact]:
        """The appointments at which the person was seen, in order of day."""
        return [fact for fact in self.of("attendance") if fact.attendance in SEEN]


def episodes_of(person: PersonTruth) -> list[ExpectedEpisode]:
    """Every episode of the person at a service; primary care has none."""
    found: list[ExpectedEpisode] = []
    sources: dict[str, list[RecordTruth]] = {}
    for record in person.records:
        if record.tier != "primary_care":
            sources.setdefault(record.source, []).append(record)
    for records in sources.values():
        found += _at_source(records, found)
    return found


def _at_source(records: Sequence[RecordTruth], others: Sequence[ExpectedEpisode]) -> list[ExpectedEpisode]:
    """The episodes that the records of one source add to those of `others`."""
    live: dict[str, ExpectedEpisode] = {}
    retracted: dict[str, ExpectedEpisode] = {}
    for record in records:
        for referral in (fact for fact in record.facts if fact.direction == "received"):
            if referral.retracted:  # what it said does not stand: only that facts name it
                retracted[referral.key] = ExpectedEpisode(record.tier, {record.source}, {record.key}, retracted=True)
            else:
                live[referral.key] = _under_number(record, referral, (*others, *live.values()))
    without = ExpectedEpisode(records[0].tier, {records[0].source}, {record.key for record in records})
    for record in records:
        for fact in record.facts:
            if fact.kind not in _NOT_OF_AN_EPISODE:
                (_home(fact, record, live, retracted) or without).facts.append(fact)
    of_source = [*_distinct(live.values()), *retracted.values(), without]
    return [episode for episode in of_source if episode not in others and (episode.facts or episode in live.values())]


def _distinct(episodes: Iterable[ExpectedEpisode]) -> list[ExpectedEpisode]:
    return list({id(episode): episode for episode in episodes}.values())


def _under_number(record: RecordTruth, referral: Fact, known: Iterable[ExpectedEpisode]) -> ExpectedEpisode:
    """The episode of the referral: a known one of the same tier and e-RS number, else a new one."""
    for episode in known:
        numbers = {fact.ubrn for fact in episode.referrals}
        if episode.tier == record.tier and referral.ubrn and referral.ubrn in numbers:
            episode.referrals.append(referral)
            episode.sources.add(record.source)
            episode.records.add(record.key)
            return episode
    born = record.identity.birth_date
    return ExpectedEpisode(record.tier, {record.source}, {record.key}, [referral], birth_date=born)


def _home(
    fact: Fact,
    record: RecordTruth,
    live: Mapping[str, ExpectedEpisode],
    retracted: Mapping[str, ExpectedEpisode],
) -> ExpectedEpisode | None:
    """The episode the fact names, else one by record, provider, programme and day; None where there is none."""
    named = live.get(fact.referral or "") or retracted.get(fact.referral or "")
    if named is not None:
        return named
    pool = _distinct(live.values())
    pool = [episode for episode in pool if record.key in episode.records] or pool
    pool = [episode for episode in pool if _names(fact, episode)] or pool
    pool.sort(key=lambda episode: episode.received_on or date.min)
    begun = [episode for episode in pool if (episode.received_on or date.min) <= fact.on]
    still_open = [episode for episode in begun if not _ended_before(episode, fact.on, live, record)]
    if len(still_open) > 1:
        for episode in still_open:
            episode.ambiguous = True
    fitting = still_open or begun or pool[:1]
    return fitting[-1] if fitting else None


def _names(fact: Fact, episode: ExpectedEpisode) -> bool:
    providers = {referral.provider_ods for referral in episode.referrals}
    programmes = {referral.programme for referral in episode.referrals}
    named_provider = fact.provider_ods is not None and fact.provider_ods in providers
    return named_provider or (fact.programme is not None and fact.programme in programmes)


def _ended_before(episode: ExpectedEpisode, on: date, live: Mapping[str, ExpectedEpisode], record: RecordTruth) -> bool:
    """True where a fact that names the episode's referral had closed it."""
    return any(
        fact.kind in _CLOSING and fact.on < on and live.get(fact.referral or "") is episode for fact in record.facts
    )
