"""Whether a hostile source can tell from its receipts, and when they come, that somebody else knows a person.

It sends an entry about each of many people, half of whom another source knows, and sees its own receipts topic: fields,
bytes, sizes, order, offsets and times. A logistic regression learns on half of the people what tells them apart and is
judged on the other half: 0.5 is chance. In the control the receipt says `linked` or `held`, as receipts once did.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

from ops.admin.topic_reader import TopicMessage
from ops.lab.memory_engine.engine import MemoryEngine
from ops.lab.memory_engine.parts import sources
from ops.lab.model_check.message_source import (
    COUNCIL,
    GP,
    at_source,
    attended,
    message_from,
    referral,
    someone,
    without_number,
)
from schemas.identity import Person, PersonName
from schemas.source_message import SourceMessage

TOGETHER = 100  # people between two rests of the engine: receipts and answers of many are in flight together
ROUNDS, RATE = 20, 0.5
ACCURACY_MAX = 0.55  # 0.5 is chance
FIELDS = 64  # hashed into so many numbers
_SYLLABLES = ("ba", "ko", "li", "mu", "ner", "sta", "vo", "wen", "tri", "dal", "fos", "gra", "hul", "jor", "pek", "rus")
_AREAS, _LETTERS = ("LS", "BD", "HD", "HX", "M"), "ABDEFGHJL"
Look = Callable[[bytes, str], bytes]  # what the source reads, of a receipt and where its entry ended


@dataclass(frozen=True)
class ReceiptFigures:
    """`accuracy` on people the classifier has not seen, and that of the control."""

    probes: int
    known: int
    accuracy: float
    control: float

    def as_json(self) -> dict[str, float]:
        """Every figure by its name."""
        return asdict(self)


@dataclass(frozen=True)
class Probe:
    """One entry of the hostile source: its numbers as a classifier takes them, and the answer."""

    seen: tuple[float, ...]
    is_known: bool


def measure(probes: int, seed: int) -> ReceiptFigures:
    """The figures of so many probes."""
    looks: tuple[Look, ...] = (as_it_is, as_it_was)
    found = probed(probes, seed, looks)
    shares = [accuracy(each) for each in found]
    return ReceiptFigures(probes, sum(probe.is_known for probe in found[0]), *(round(share, 4) for share in shares))


def as_it_is(receipt: bytes, _: str) -> bytes:
    """What stands in the receipt."""
    return receipt


def as_it_was(receipt: bytes, disposition: str) -> bytes:
    """The receipt of before: where the entry ended stood in it."""
    return receipt.replace(b"accepted", disposition.encode())


def probed(probes: int, seed: int, looks: Sequence[Look]) -> list[list[Probe]]:
    """By look, the probes: people in random order, each known to another source by a fair coin."""
    chance, found = random.Random(seed), [list[Probe]() for _ in looks]
    for start in range(0, probes, TOGETHER):
        engine = MemoryEngine(seed=chance.getrandbits(32))
        people = [_person(number, chance) for number in range(start, min(start + TOGETHER, probes))]
        known = [chance.random() < 0.5 for _ in people]
        for number in chance.sample(range(len(people)), len(people)):
            if known[number]:
                engine.take(GP, _of_others(people[number], start + number))
        engine.run()
        began_ms, entries = engine.now_ms, dict[str, int]()
        for number in chance.sample(range(len(people)), len(people)):
            entries[engine.take(COUNCIL, _of_council(people[number], start + number))] = number
        ends = engine.run().dispositions()
        for order, receipt in enumerate(engine.read([sources()[COUNCIL].receipts_topic])):
            entry_id = (receipt.key or b"").decode()
            for look, probes_seen in zip(looks, found, strict=True):
                text = look(receipt.value or b"", ends[entry_id])
                numbers = tuple(_numbers(receipt, order, receipt.timestamp_ms - began_ms, text))
                probes_seen.append(Probe(numbers, known[entries[entry_id]]))
    return found


def _person(number: int, chance: random.Random) -> Person:
    """Somebody with whom nobody else is mixed up."""
    given, family, street = ("".join(chance.choices(_SYLLABLES, k=count)).title() for count in (2, 3, 3))
    outward = f"{chance.choice(_AREAS)}{chance.randint(1, 9)}"
    postcode = f"{outward}{chance.randint(1, 9)}{''.join(chance.choices(_LETTERS, k=2))}"
    born = date(1940, 1, 1) + timedelta(days=chance.randrange(20_000))
    return someone(1_000 + number, (given, family), born, (f"{1 + number % 90} {street} Lane", postcode))


def _of_others(person: Person, number: int) -> SourceMessage:
    _, message = message_from(GP, f"g{number}", at_source(person, f"G{number}"), referral(f"U{number}", 0), at=0)
    return message


def _of_council(person: Person, number: int) -> SourceMessage:
    """Family name, initial and birth date alone: in doubt if anybody else knows such a person, else in none."""
    name, words = person.names[0], at_source(without_number(person), f"C{number}", addresses=())
    vague = replace(words, names=(PersonName(name.family, (name.given[0][:1],)),))
    _, message = message_from(COUNCIL, f"c{number}", vague, attended(f"a{number}", 5), at=5)
    return message


def _numbers(receipt: TopicMessage, order: int, after_ms: int, text: bytes) -> Iterator[float]:
    """Everything a source sees of one receipt, as numbers of about the same size."""
    headers = sum(len(value) for _, value in receipt.headers)
    yield from (1.0, len(text) / 100, headers / 100, len(receipt.headers), order / TOGETHER, receipt.offset / 10)
    yield from (after_ms / 1_000, math.log1p(abs(after_ms)), receipt.partition / 12)
    counts = [0.0] * FIELDS
    for place in range(len(text) - 2):
        counts[int.from_bytes(text[place : place + 3]) % FIELDS] += 0.1
    yield from counts


def accuracy(probes: Sequence[Probe]) -> float:
    """The share of the second half that a logistic regression learnt on the first half answers rightly."""
    middle = len(probes) // 2
    weights = learnt(probes[:middle])
    right = [(_score(weights, probe) > 0) == probe.is_known for probe in probes[middle:]]
    return sum(right) / len(right)


def learnt(probes: Sequence[Probe]) -> list[float]:
    """Weights by stochastic gradient descent, the step smaller each round."""
    weights, order = [0.0] * len(probes[0].seen), list(probes)
    for turn in range(ROUNDS):
        random.Random(turn).shuffle(order)
        for probe in order:
            likely = 1 / (1 + math.exp(-max(-30.0, min(30.0, _score(weights, probe)))))
            step = RATE / (1 + turn) * (probe.is_known - likely)
            weights = [weight + step * number for weight, number in zip(weights, probe.seen, strict=True)]
    return weights


def _score(weights: Sequence[float], probe: Probe) -> float:
    return sum(weight * number for weight, number in zip(weights, probe.seen, strict=True))
