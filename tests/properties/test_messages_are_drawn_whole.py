"""What the properties draw: every kind of fact, every field of it with and without a value, every code of a list.

What is never drawn is never tried in another order.
"""

from collections.abc import Hashable
from typing import Literal, get_args, get_origin

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pathway_messages import KINDS, SOURCES, bodies_of, days, stored_facts

from schemas.facts import Body, StoredFact

REASONS = {"transferred", "died", "completed", "pregnancy"}  # on which something depends, though no list is closed
DEFINITIONS = {"as-reported/1", "dwmp-attended-60pct/1"}
DETERMINED = settings(derandomize=True, database=None, deadline=None, phases=[Phase.generate])


def drawn(strategy: st.SearchStrategy[object], *, lists: int = 100) -> list[object]:
    """Some hundred values, five to a list, the same in every run."""
    found: list[object] = []

    @settings(DETERMINED, max_examples=lists)
    @given(st.lists(strategy, min_size=5, max_size=5))
    def collect(values: list[object]) -> None:
        found.extend(values)

    collect()
    return found


def never_drawn(kind: type[Body], found: list[object]) -> dict[str, set[Hashable]]:
    """By field what should have been drawn and was not."""
    missing = {}
    for name, field in kind.model_fields.items():
        values = {getattr(body, name) for body in found}
        lacking = wanted(kind, name, field.annotation) - values
        if not values - {None}:
            lacking |= {"any value"}
        if lacking:
            missing[name] = lacking
    return missing


def wanted(kind: type[Body], name: str, annotation: object) -> set[Hashable]:
    """Values of a field that some message must have."""
    types = (annotation,) if get_origin(annotation) is Literal else get_args(annotation) or (annotation,)
    found: set[Hashable] = {None} if type(None) in types else set()
    for type_ in types:
        found |= set(get_args(type_)) if get_origin(type_) is Literal else set()
        found |= {True, False} if type_ is bool else set()
    if name == "reason" and not any(get_origin(type_) is Literal for type_ in types):
        found |= REASONS
    return found | (DEFINITIONS if name == "definition" else set())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_of_a_fact_is_drawn(kind: type[Body]) -> None:
    assert never_drawn(kind, drawn(bodies_of(kind, days))) == {}


def test_every_kind_of_fact_and_every_source_is_drawn() -> None:
    found = [fact for fact in drawn(stored_facts(), lists=300) if isinstance(fact, StoredFact)]
    assert {type(fact.body) for fact in found} == set(KINDS)
    assert {fact.source for fact in found} == set(SOURCES.values())


def test_most_facts_lie_in_days_on_which_they_can_have_happened() -> None:
    found = [fact for fact in drawn(stored_facts()) if isinstance(fact, StoredFact)]
    assert sum(fact.body.on <= fact.source_version_at.date() for fact in found) > len(found) / 2


def test_a_field_that_is_never_drawn_is_seen() -> None:
    for kind in KINDS:
        bare = [kind.model_construct(**dict.fromkeys(kind.model_fields))]
        assert set(never_drawn(kind, bare)) == set(kind.model_fields), kind.__name__
