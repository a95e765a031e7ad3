"""Seeded people in weight management, as three providers report them in their own formats, with known truth.

    population -> journeys -> faults -> sending (render/*) -> Delivery...     what the doors are handed
                     |                                  |
                     +------------> truth -> expected  +-> noise             what an engine should make of it

It imports no step, no linkage, no reader and no writer of the engine: independent eyes. Same seed, same
people and rates: the same bytes. Nothing here looks at a clock; the newest day there is, is `AS_OF`.
"""

from dataclasses import dataclass
from random import Random

from ops.lab.simulator.faults import with_corrections
from ops.lab.simulator.journeys import AS_OF, journeys
from ops.lab.simulator.model import Delivery, EntryTruth
from ops.lab.simulator.population import people as population
from ops.lab.simulator.rates import Rates, default_rates, parse_rates
from ops.lab.simulator.scripts import in_own_script, with_names_of_scripts
from ops.lab.simulator.sending import deliveries, numbered
from ops.lab.simulator.spellings import spelt
from ops.lab.simulator.truth import Noise, PersonTruth, noise, truth_of

__all__ = [
    "AS_OF",
    "Delivery",
    "EntryTruth",
    "Noise",
    "PersonTruth",
    "Rates",
    "SimulatedFeed",
    "default_rates",
    "parse_rates",
    "simulate",
]


@dataclass(frozen=True, slots=True, repr=False)
class SimulatedFeed:
    """What is sent, in order; what is true; and how noisy the sending is."""

    deliveries: tuple[Delivery, ...]
    truth: tuple[PersonTruth, ...]
    noise: Noise


def simulate(seed: int, people: int, *, rates: Rates) -> SimulatedFeed:
    """The world of `seed` with that many people. Pure: the same arguments give an equal SimulatedFeed."""
    rng = Random(seed)
    everyone = population(rng, people, rates)
    entries = numbered(rng, with_corrections(rng, journeys(rng, everyone, rates), rates))
    entries = spelt(in_own_script(with_names_of_scripts(entries, everyone, rates)), rates)
    sent = deliveries(rng, entries, rates)
    truth = truth_of(everyone, entries)
    return SimulatedFeed(sent, truth, noise(sent, everyone, truth))
