"""However the messages are cut into batches, and wherever a life ends, the same is published in the end.

One log, several lives. Each life reads on from the last commit, cuts it into batches of its own, and dies in one of
them after a part of its claims, outputs or state. The last life answers everything. What stands last under a key has
the highest revision it ever had.
"""

import pytest
from examples import share
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from pathway_engine import KeyValue, run
from pathway_lives import Life, lived, lives
from pathway_messages import messages

from ops.lab.model_check.rules import RevisionAtHand, TrustsClaims
from streams.steps.outcome import Change, Claim, Emit, Release

WITHOUT_CLAIMS = ((Emit,), (Claim, Change, Release))


def same(pairs: list[KeyValue], deaths: list[Life], **how: object) -> bool:
    calm, found = run(pairs), lived(pairs, deaths, **how)  # type: ignore[arg-type]
    return found.published() == calm.published() and found.kept() == calm.kept() and not found.anomalies()


logs = st.lists(messages(), max_size=12)


@settings(max_examples=share(120))
@given(logs, lives)
def test_any_cuts_and_any_deaths_end_in_what_a_calm_life_publishes(pairs: list[KeyValue], deaths: list[Life]) -> None:
    assert same(pairs, deaths)


MUTANTS: dict[str, dict[str, object]] = {
    "claims read back are trusted": {"kind": TrustsClaims},
    "what is published again has the revision of the message at hand": {"kind": RevisionAtHand},
    "claims are sent with the state": {"waves": WITHOUT_CLAIMS},
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_property_sees_a_rule_that_forgets_what_it_published(mutant: str) -> None:
    pairs, deaths = find(
        st.tuples(logs, lives),
        lambda drawn: not same(*drawn, **MUTANTS[mutant]),
        settings=settings(max_examples=3000, derandomize=True, database=None, phases=[Phase.generate]),
    )
    assert same(pairs, deaths)
