"""The same as `test_linkage_order.py` promises of the graph, of what the linker says on its topics: whatever order
duplicates, retractions, changes of identity, source merges and decisions come in.

Of one record the last message stands, so each keeps its own order; nothing else does. `formerly` and `revision` tell
of the way there and are left out.
"""

import hashlib
import random
from collections.abc import Sequence

from attach_to_best import AttachToBest
from linkage_palette import model, palette
from linker_alone import KeyValue, LinkerAlone, decision_message, gone, identity_message

from linkage.decisions import Kind
from linkage.members import Member
from schemas.topics import LINK_MAP

STORY = 61  # of many one with everything in it
LOCALS = "abcdefgh"
KINDS: list[Kind] = ["link", "apart", "none"]
Life = list[tuple[KeyValue, Member | None]]  # what a record's messages are, and what they make of it


def story(seed: int) -> tuple[list[Life], list[KeyValue]]:
    """What each of eight records goes through, and what is decided of them."""
    rng = random.Random(seed)
    lives: list[Life] = []
    for local in LOCALS:
        life: Life = []
        for _ in range(rng.choice((1, 1, 2))):
            encoded = rng.choice(palette()[1:])
            assert encoded is not None
            merged = rng.choice(LOCALS) if rng.random() < 0.1 else None
            life += [(identity_message(local, encoded, merged), Member(2, encoded))] * rng.choice((1, 2))
            life += [(gone(local), None)] if rng.random() < 0.15 else []
        lives.append(life)
    decisions: list[KeyValue] = []
    for number in range(4):
        a, b = rng.sample(LOCALS, 2)
        kinds = rng.sample(KINDS, 2)
        decisions += [decision_message(a, b, kind, rng.randint(1, 3), f"d{number}{kind}") for kind in kinds]
    return lives, decisions


def permuted(lives: Sequence[Life], decisions: Sequence[KeyValue], seed: int) -> Life:
    """One order of arrival, some decisions twice."""
    rng = random.Random(seed)
    again = rng.sample(decisions, len(decisions) // 2)
    places: list[int] = [at for at, life in enumerate(lives) for _ in life] + [-1] * (len(decisions) + len(again))
    rng.shuffle(places)
    decisions_left = iter(rng.sample([*decisions, *again], len(decisions) + len(again)))
    left = [iter(life) for life in lives]
    return [(next(decisions_left), None) if place < 0 else next(left[place]) for place in places]


def results_of(life: Life) -> str:
    """All results of the linker, by hash."""
    linker = LinkerAlone(message for message, _ in life)
    assert linker.rejected == []
    return hashlib.sha256(repr(linker.results()).encode()).hexdigest()


def results_of_the_mutant(life: Life) -> str:
    """The people of a linker that attaches to the best cluster; nobody decides anything there."""
    mutant = AttachToBest(model())
    for (key, _), member in life:
        if member is not None:
            mutant.put(key.decode(), member)
        elif not key.startswith(b"decision/"):
            mutant.remove(key.decode())
    return repr(sorted(map(sorted, mutant.groups())))


def test_thirty_orders_of_arrival_end_in_one_set_of_answers_and_reviews() -> None:
    assert len({results_of(permuted(*story(STORY), order)) for order in range(30)}) == 1


def test_a_linker_that_attaches_to_the_best_cluster_does_not_pass_the_same() -> None:
    assert len({results_of_the_mutant(permuted(*story(STORY), order)) for order in range(20)}) > 1


def test_the_story_holds_what_makes_order_matter() -> None:
    linker = LinkerAlone(message for message, _ in permuted(*story(STORY), 0))
    answers = list(linker.topics[LINK_MAP].values())
    assert len(answers) < len(LOCALS), "somebody was taken back"
    assert len({link["person_id"] for link in answers}) < len(answers), "somebody was joined"
    rules = {rule for link in answers for evidence in link["evidence"] for rule in evidence["rules"]}
    assert rules >= {"V5-link", "V5-apart", "V5-waiting"}
