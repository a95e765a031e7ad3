"""Read every topic once, compare with the journal and the oracle, and report what is wrong."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ops.admin.topic_reader import LagReader, read_topics
from ops.verify.checker.accounts import Accounts, accounts
from ops.verify.checker.histories import AnomalyTally, History, Kind, tallies
from ops.verify.checker.leaks import IdentifierSample, Search, TopicSearch, search_elsewhere
from ops.verify.checker.oracle import CHANGELOGS, note_finals, split_and_merged
from ops.verify.checker.run_view import RunView
from ops.verify.checker.verdict import CheckerVerdict
from ops.verify.compare import Comparison, Finals, OpenedValue, compare_finals, final_topics
from ops.verify.ledger import Reader, TopicIndex, TopicIndexBuilder
from schemas import topics

LAG_SECONDS_MAX = 20.0
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Findings:
    """What reading one run's topics gave."""

    index: TopicIndex
    accounts: Accounts
    tallies: Mapping[str, AnomalyTally]
    finals: Mapping[str, Finals]
    notes: Mapping[str, Finals]
    search: Search


@dataclass(frozen=True)
class OracleComparison:
    """The differences between a run and its oracle."""

    results: Comparison
    notes: Comparison
    split: int
    merged: int


@dataclass(frozen=True)
class RunReaders:
    """How a run is read: its topics, those of the oracle, and how many messages its groups have not seen."""

    run: Reader
    oracle: Reader | None
    unseen: Callable[[], Mapping[str, int]]


def check(run: RunView, *, oracle: str | None, stuck: int | None = None) -> CheckerVerdict:
    """The verdict on a run that is quiet, or will never be.

    `oracle` is the address of a fresh engine that was given the run's intake once and has come to rest; without
    one, only what the run contradicts itself is divergent. `stuck` is what the caller counted; without it, the
    groups that have unseen messages. Only reads. Raises TierlinkError when a broker does not answer.
    """
    readers = RunReaders(
        run=lambda names: read_topics(run.bootstrap, names),
        oracle=(lambda names: read_topics(oracle, names)) if oracle is not None else None,
        unseen=lambda: lag_of(run),
    )
    return judge(run, readers, stuck=stuck)


def judge(run: RunView, readers: RunReaders, *, stuck: int | None = None) -> CheckerVerdict:
    """As `check`, of what `readers` read."""
    found = read_run(run, readers.run)
    against = _against(run, found, readers.oracle) if readers.oracle is not None else None
    return _verdict(found, against, readers.unseen(), stuck)


def lag_of(run: RunView) -> dict[str, int]:
    """Group -> messages it has not committed, asked again for a while: a broker that has just started answers
    that nothing is committed until it has read the commits.
    """
    reader, deadline = LagReader(run.bootstrap), time.monotonic() + LAG_SECONDS_MAX
    try:
        while any((behind := reader.lag(run.groups)).values()) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return behind
    finally:
        reader.close()


def read_run(run: RunView, read: Reader) -> Findings:
    """Every topic of the run, read once."""
    builder = TopicIndexBuilder(run.sources.values(), keys=run.keys, recipient=run.recipient)
    search = Search(_read_intake(run, builder, read))
    finals = {name: Finals(OpenedValue(run.keys)) for name in final_topics(run.topics)}
    notes = {name: note_finals(name) for name in CHANGELOGS}
    histories: dict[str, History] = {}
    for name in run.topic_names:
        if name in run.intakes:
            continue
        history, pieces = histories.setdefault(name, History(name)), TopicSearch(search, f"topic {name}")
        final = finals.get(name) or notes.get(name)
        for message in read([name]):
            builder.take(message)
            history.take(message)
            pieces.take(message)
            if final is not None:
                final.take(message)
        pieces.close()
    search_elsewhere(search, run, read)
    index = builder.index()
    counts = accounts(run.journal, index, keys=run.keys, recipient=run.recipient)
    return Findings(index, counts, tallies(histories), finals, notes, search)


def _read_intake(run: RunView, builder: TopicIndexBuilder, read: Reader) -> tuple[str, ...]:
    """Read first, because it shows what to search for elsewhere. Its values are sealed and are not searched."""
    sample = IdentifierSample(run.intake)
    for message in read(run.intakes):
        builder.take(message)
        sample.take(message)
    return sample.values()


def _against(run: RunView, found: Findings, oracle: Reader) -> OracleComparison:
    builder = TopicIndexBuilder((), keys=run.keys, recipient=run.recipient)

    def oracle_finals(name: str) -> Finals:
        finals = note_finals(name) if name in CHANGELOGS else Finals(OpenedValue(run.keys))
        for message in oracle([name]):
            finals.take(message)
            if name == topics.LINK_MAP:
                builder.take(message)
        return finals

    results, notes = compare_finals(found.finals, oracle_finals), compare_finals(found.notes, oracle_finals)
    split, merged = split_and_merged(found.index.links, builder.index().links)
    return OracleComparison(results, notes, split, merged)


def _verdict(
    found: Findings, against: OracleComparison | None, unseen: Mapping[str, int], stuck: int | None
) -> CheckerVerdict:
    backwards, rebytes = _by_topic(found.tallies, "backwards"), _by_topic(found.tallies, "rebytes")
    rewound, differing = _by_topic(found.tallies, "rewound"), _differing(against.results if against else None)
    noted = _differing(against.notes if against else None)
    waiting = {group: count for group, count in unseen.items() if count}
    where = {
        "lost": found.accounts.lost,
        "phantom": found.accounts.phantom,
        "differing": differing,
        "rebytes": rebytes,
        "backwards": backwards,
        "rewound": rewound,
        "notes": noted,
        "unseen": waiting,
        "leaked": found.search.hits,
    }
    return CheckerVerdict(
        acknowledged=found.accounts.acknowledged,
        lost=found.accounts.lost.total(),
        phantom=found.accounts.phantom.total(),
        divergent=sum(differing.values()) + sum(rebytes.values()),
        backwards=sum(backwards.values()),
        split=against.split if against else 0,
        merged=against.merged if against else 0,
        unseen=sum(waiting.values()),
        stuck=len(waiting) if stuck is None else stuck,
        leaked=found.search.hits.total(),
        unknown=found.accounts.unknown,
        rewound=sum(rewound.values()),
        notes=sum(noted.values()) if against else None,
        compared=against.results.keys if against else 0,
        bytes_scanned=found.search.bytes_scanned,
        where={name: dict(sorted(places.items())) for name, places in where.items()},
        places=_places(found.tallies),
    )


def _by_topic(found: Mapping[str, AnomalyTally], kind: Kind) -> dict[str, int]:
    return {topic: tally.counts[kind] for topic, tally in found.items() if tally.counts[kind]}


def _differing(comparison: Comparison | None) -> dict[str, int]:
    by_topic = comparison.by_topic if comparison is not None else {}
    return {topic: differing for topic, (_, differing) in by_topic.items() if differing}


def _places(found: Mapping[str, AnomalyTally]) -> dict[str, tuple[str, ...]]:
    kinds: dict[str, tuple[str, ...]] = {}
    for tally in found.values():
        for kind, places in tally.places.items():
            kinds[kind] = (*kinds.get(kind, ()), *places)
    return kinds
