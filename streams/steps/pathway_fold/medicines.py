"""Medicines of a person: the starts and stops of one product by one tier, joined."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.facts import Body, Medicine, Tier
from schemas.pathway_episode import MedicineView
from streams.steps.pathway_fold.current_facts import CurrentFact, of_type


@dataclass(frozen=True, slots=True)
class PersonMedicine:
    """One run of a medicine, and the fact that began it (or, where none is known, that ended it)."""

    fact_id: str
    source: str
    view: MedicineView


def medicines(facts: Iterable[CurrentFact[Body]]) -> tuple[PersonMedicine, ...]:
    """Every run, by day: a stop ends the run of its product and tier that started last before it; facts are sorted."""
    running: dict[tuple[str, Tier], CurrentFact[Medicine]] = {}
    found: list[PersonMedicine] = []
    for fact in of_type(facts, Medicine):
        key = (fact.body.dmd_code, fact.tier)
        if fact.body.action == "started":
            if key in running:
                continue  # a repeat or another dose: the run goes on
            running[key] = fact
        else:
            found.append(_run(running.pop(key, None), fact))
    found += [_run(start, None) for start in running.values()]
    return tuple(sorted(found, key=lambda run: (run.view.started_on or run.view.stopped_on, run.fact_id)))


def _run(start: CurrentFact[Medicine] | None, stop: CurrentFact[Medicine] | None) -> PersonMedicine:
    first = start or stop
    assert first is not None, "a run has a start or a stop"
    body = first.body
    return PersonMedicine(
        first.fact_id,
        first.source,
        MedicineView(
            dmd_code=body.dmd_code,
            indication=body.indication,
            setting=body.setting,
            dose_mg=float(body.dose_mg) if body.dose_mg is not None else None,
            tier=first.tier,
            started_on=start.body.on if start else None,
            stopped_on=stop.body.on if stop else None,
        ),
    )
