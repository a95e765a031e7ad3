"""What the pathway publishes after a restart: all that was claimed, and no revision below one it has given."""

import json

from pathway_engine import PERSON, Run, answer, inputs, message, run, step
from pathway_journeys import keyed

from schemas.pathway_in import withdrawal_message
from streams.steps.outcome import Claim, Emit

JOURNEY = """
    0 | gp    | refers to tier2 ubrn A
    4 | tier2 | receives referral ubrn A
   14 | tier2 | starts
   14 | tier2 | weight 120
   98 | tier2 | weight 110
   98 | tier2 | completes
"""


def test_after_a_restart_everything_claimed_is_published_again_when_its_person_is_touched() -> None:
    """The outputs behind a claim may never have left."""
    pairs = inputs(JOURNEY)
    once, again = run(pairs), run([*pairs, pairs[0]], restart_after=[len(pairs) - 1])
    repeated = again.sent[len(once.sent) :]
    last = {(emit.topic, emit.key): emit for emit in once.sent}
    assert {(emit.topic, emit.key): emit for emit in repeated} == last, "the very same messages"


def test_a_topic_read_again_from_its_beginning_takes_no_revision_back() -> None:
    """Positions can be lost while the state is whole: every content is published again under its own revision."""
    pairs = inputs(JOURNEY)
    again = run([*pairs, *pairs], restart_after=[len(pairs) - 1])
    assert again.anomalies() == {}
    assert again.published() == run(pairs).published()


def test_another_content_in_answer_to_a_message_that_comes_again_has_a_revision_above_the_one_claimed() -> None:
    """Of {referral, triage} the claims and outputs arrived, the state did not; then the referral comes alone."""
    referral, triage = inputs("""
        0 | tier2 | receives referral
        7 | tier2 | triages level 2
    """)
    engine, done = step(), Run()
    for batch in ((message(referral, 0), message(triage, 1)), (message(referral, 0),), (message(triage, 1),)):
        _, outcomes = answer(engine, engine.restore(list(done.changelog.items())), *batch)
        done.take(outcome for outcome in outcomes if isinstance(outcome, Claim | Emit))
    snapshots = [json.loads(emit.value or b"") for emit in done.sent if "state" in emit.topic]
    assert [snapshot["revision"] for snapshot in snapshots] == [1, 2, 3]
    assert done.anomalies() == {}


def test_what_was_claimed_in_a_former_life_and_does_not_follow_is_taken_back() -> None:
    """{referral, withdrawal} was one batch in the life that died, and is another in the next."""
    referral, leaves = inputs("0 | gp | refers to tier2")[0], withdrawal_message(PERSON, keyed("record", "gp"), 1)
    engine, done = step(), Run()
    _, outcomes = answer(engine, engine.restore([]), message(referral, 0))
    claims = [outcome for outcome in outcomes if isinstance(outcome, Claim)]
    done.take(outcome for outcome in outcomes if isinstance(outcome, Claim | Emit))
    assert len(claims) == 2
    assert done.published()
    state = engine.restore(list(done.changelog.items()))
    _, outcomes = answer(engine, state, message(referral, 0), message(leaves, 1))
    done.take(outcomes)
    assert done.published() == {}
    assert list(done.changelog) == [f"{PERSON}/{keyed('record', 'gp')}/w".encode()]
