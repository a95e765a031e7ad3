"""`tierlink bench pathway`: what a new event costs a person with much behind them, and a message of the demo.

Processor time of this process around the step, with its keys and definitions, without broker and without host. The
people of all sizes take turns, so that what else the machine does hits each alike: the ratios are worth more than the
microseconds. The demonstration's messages go through the whole engine in memory once; what pathway read is then
answered again and again from nothing. A message is one that a door received, whatever it leads to.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any

from ops.lab import Report
from ops.lab.bench.pathway_people import entries, id_of, under
from ops.lab.bench.restart_world import entries_of
from ops.lab.memory_engine.engine import MemoryEngine
from ops.lab.memory_engine.parts import real_step, sealed_entry
from ops.lab.simulator import default_rates, simulate
from streams.steps.outcome import Answer, Message, Outcome, Step

SIZES = (1, 10, 100, 1_000)
REPEATS = 15
PEOPLE, SEED = 60, 7
BATCH_MAX = 200
WARM_UP = 2  # rounds that do not count
RATIO_MAX, DEMO_US_MAX = 3.0, 800.0  # of 100 facts to 10; of a message


@dataclass(frozen=True, kw_only=True)
class PathwayBench:
    """What to run: people of each size, and simulated people of the demonstration."""

    sizes: Sequence[int] = SIZES
    repeats: int = REPEATS
    people: int = PEOPLE


def run(options: PathwayBench, *, report: Report) -> dict[str, object]:
    """Microseconds of a new event by facts behind it, how they grow, and those of a message of the demonstration."""
    report(f"one new event, {options.repeats} people of each size")
    event_us = new_event_us(options.sizes, options.repeats)
    report(f"{options.people} people of the demonstration")
    return judged(event_us, demo_us(options.people, options.repeats))


def judged(event_us: dict[int, float], demo: dict[str, float]) -> dict[str, object]:
    """The figures, and which target was missed."""
    ratio = round(event_us[100] / event_us[10], 2) if {10, 100} <= event_us.keys() else None
    missed = []
    if ratio is not None and ratio > RATIO_MAX:
        missed.append(f"an event at 100 facts costs {ratio} times one at 10: at most {RATIO_MAX}")
    if demo["us_a_message"] > DEMO_US_MAX:
        missed.append(f"a message of the demonstration costs {demo['us_a_message']:.0f} us: at most {DEMO_US_MAX:.0f}")
    return {
        "new_event_us": {str(facts): round(us) for facts, us in event_us.items()},
        "ratio_100_to_10": ratio,
        "demo": {name: round(figure) for name, figure in demo.items()},
        "missed": missed,
    }


def new_event_us(sizes: Sequence[int], repeats: int) -> dict[int, float]:
    """The median for each size; a new person each time, known with all its facts but the newest."""
    step, found = real_step("pathway"), {size: list[float]() for size in sizes}
    parts = {size: entries(size + 1) for size in sizes}
    for number in range(WARM_UP + repeats):
        for size in sizes:
            *before, newest = under(id_of("person", size, number), parts[size])
            state = _answered(step, step.restore([]), before)
            begun = process_time()
            _answered(step, state, [newest])
            if number >= WARM_UP:
                found[size].append(process_time() - begun)
    return {size: 1e6 * median(spent) for size, spent in found.items()}


def demo_us(people: int, repeats: int) -> dict[str, float]:
    """A message of the demonstration: as the engine ran (`us_as_it_ran`), and the median when answered again."""
    heard = _Heard()
    engine, messages = MemoryEngine(seed=1, steps={"pathway": heard}, batch_max=BATCH_MAX), 0
    for delivery in simulate(SEED, people, rates=default_rates()).deliveries:
        for entry in entries_of(delivery):
            if entry.message is not None:  # neither refused nor ignored
                engine.take_sealed(delivery.source, sealed_entry(delivery.source, entry))
                messages += 1
    engine.run()
    spent = median(heard.again_s() for _ in range(repeats))
    return {
        "people": people,
        "messages": messages,
        "read_by_pathway": heard.read,
        "us_as_it_ran": 1e6 * heard.spent_s / messages,
        "us_a_message": 1e6 * spent / messages,
    }


class _Heard:
    """The pathway step; notes what it is asked, and how long it took."""

    def __init__(self) -> None:
        self.step: Step[Any] = real_step("pathway")
        self.calls: list[tuple[int, Message | None]] = []  # task, and its message; None at the end of a batch
        self.tasks: dict[int, int] = {}  # the state of each, by identity
        self.kept: list[object] = []
        self.spent_s = 0.0

    @property
    def read(self) -> int:
        return sum(message is not None for _, message in self.calls)

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> Any:
        state = self.step.restore(elements)
        self.tasks[id(state)] = len(self.kept)
        self.kept.append(state)
        return state

    def advance(self, state: Any, message: Message) -> tuple[Any, tuple[Outcome, ...]]:
        self.calls.append((self.tasks[id(state)], message))
        return self._timed(lambda: self.step.advance(state, message))

    def finish(self, state: Any) -> tuple[Answer, ...]:
        self.calls.append((self.tasks[id(state)], None))
        return self._timed(lambda: self.step.finish(state))

    def waiting(self, state: Any) -> int:
        return self.step.waiting(state)

    def again_s(self) -> float:
        """All of it again, from nothing."""
        states = [self.step.restore([]) for _ in self.kept]
        begun = process_time()
        for task, message in self.calls:
            if message is None:
                self.step.finish(states[task])
            else:
                self.step.advance(states[task], message)
        return process_time() - begun

    def _timed(self, asked: Callable[[], Any]) -> Any:
        begun = process_time()
        answer = asked()
        self.spent_s += process_time() - begun
        return answer


def _answered(step: Step[Any], state: Any, messages: Iterable[Message]) -> Any:
    for message in messages:
        state, _ = step.advance(state, message)
    step.finish(state)
    return state
