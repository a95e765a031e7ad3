"""Lives of a pathway task: each reads on from the last commit, cuts batches of its own, and dies in one of them."""

from dataclasses import dataclass

from hypothesis import strategies as st
from pathway_engine import KeyValue, Run, answer, message, step

from ops.lab.model_check.rules import OtherBuild
from streams.steps.outcome import Change, Claim, Emit, Outcome, Release
from streams.steps.pathway import PathwayStep

WAVES: tuple[tuple[type[Outcome], ...], ...] = ((Claim,), (Emit,), (Change, Release))


@dataclass(frozen=True)
class Life:
    """The sizes of its batches; in the last of them it dies in this wave, of which this share has arrived."""

    cuts: tuple[int, ...]
    wave: int
    share: float
    other_build: bool = False


lives = st.lists(
    st.builds(
        Life,
        st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple),
        st.integers(0, 2),
        st.sampled_from([0.0, 0.4, 1.0]),
        st.booleans(),
    ),
    max_size=4,
)


def lived(
    pairs: list[KeyValue],
    deaths: list[Life],
    *,
    kind: type[PathwayStep] = PathwayStep,
    waves: tuple[tuple[type[Outcome], ...], ...] = WAVES,
) -> Run:
    """What all lives sent and kept. Where one was of another build, everything is answered again by the right one."""
    done, committed, right, other = Run(), 0, step(kind=kind), step(kind=OtherBuild)
    for life in [*deaths, Life((len(pairs) + 1,), len(waves), 0)]:
        engine = other if life.other_build else right
        state = engine.restore(list(done.changelog.items()))
        for number, size in enumerate(life.cuts):
            batch = [message(pairs[offset], offset) for offset in range(committed, min(len(pairs), committed + size))]
            state, outcomes = answer(engine, state, *batch)
            dies = number == len(life.cuts) - 1
            for place, wave in enumerate(waves):
                sent = [outcome for outcome in outcomes if isinstance(outcome, wave)]
                if dies and place >= life.wave:
                    done.take(sent[: int(len(sent) * life.share)] if place == life.wave else [])
                    continue
                done.take(sent)
            if not dies or life.wave >= len(waves):
                committed += len(batch)
    if any(life.other_build for life in deaths):
        state = right.restore(list(done.changelog.items()))
        _, outcomes = answer(right, state, *(message(pair, offset) for offset, pair in enumerate(pairs)))
        done.take(outcomes)
    return done
