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
from linker_alone import LinkerAlone, Told, decided, gone, tells

from linkage.decisions import Kind
from linkage.members import Member
from schemas.topics import LINK_MAP

STORY = 61  # of many one with everything in it
LOCALS = "abcdefgh"
KINDS: list[Kind] = ["link", "apart", "none"]
Life = list[tuple[Told, Member | None]]  # what a record's messages are, and what they make of it


def story(seed: int) -> tuple[list[Life], list[Told]]:
    """What each of eight records goes through, and what is decided of them."""
    rng = random.Random(seed)
    lives: list[Life] = []
    for local in LOCALS:
        life: Life = []
        for _ in range(rng.choice((1, 1, 2))):
            encoded = rng.choice(palette()[1:])
            assert encoded is not None
            merged = rng.choice(LOCALS) if rng.random() < 0.1 else None
            life += [(tells(local, encoded, merged), Member(2, encoded))] * rng.choice((1, 2))
            life += [(gone(local), None)] if rng.random() < 0.15 else []
        lives.append(life)
    decisions: list[Told] = []
    for number in range(4):
        a, b = rng.sample(LOCALS, 2)
        kinds = rng.sample(KINDS, 2)
        decisions += [decided(a, b, kind, rng.randint(1, 3), f"d{number}{kind}") for kind in kinds]
    return lives, decisions


def permuted(lives: Sequence[Life], decisions: Sequence[Told], seed: int) -> Life:
    """One order of arrival, some decisions twice."""
    rng = random.Random(seed)
    again = rng.sample(decisions, len(decisions) // 2)
    turns: list[int] = [at for at, life in enumerate(lives) for _ in life] + [-1] * (
        len(decisions) + len(again)
    )
    rng.shuffle(turns)
    words = iter(rng.sample([*decisions, *again], len(decisions) + len(again)))
    left = [iter(life) for life in lives]
    return [(next(words), None) if turn < 0 else next(left[turn]) for turn in turns]


def said(told: Life) -> str:
    """All that the linker then says, by hash."""
    linker = LinkerAlone(message for message, _ in told)
    assert linker.rejected == []
    return hashlib.sha256(repr(linker.told()).encode()).hexdigest()


def said_by_the_mutant(told: Life) -> str:
    """The people of a linker that attaches to the best cluster; nobody decides anything there."""
    mutant = AttachToBest(model())
    for (key, _), member in told:
        if member is not None:
            mutant.put(key.decode(), member)
        elif not key.startswith(b"decision/"):
            mutant.remove(key.decode())
    return repr(sorted(map(sorted, mutant.groups())))


def test_thirty_orders_of_arrival_end_in_one_set_of_answers_and_reviews() -> None:
    assert len({said(permuted(*story(STORY), order)) for order in range(30)}) == 1


def test_a_linker_that_attaches_to_the_best_cluster_does_not_pass_the_same() -> None:
    assert len({said_by_the_mutant(permuted(*story(STORY), order)) for order in range(20)}) > 1


def test_the_story_holds_what_makes_order_matter() -> None:
    linker = LinkerAlone(message for message, _ in permuted(*story(STORY), 0))
    answers = list(linker.topics[LINK_MAP].values())
    assert len(answers) < len(LOCALS), "somebody was taken back"
    assert len({one["person_id"] for one in answers}) < len(answers), "somebody was joined"
    rules = {rule for one in answers for evidence in one["evidence"] for rule in evidence["rules"]}
    assert rules >= {"V5-link", "V5-apart", "V5-waiting"}
