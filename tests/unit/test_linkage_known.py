"""What the graph works out instead of holding it: pairs that speak against, as long as they share a live block."""

from dataclasses import replace
from itertools import combinations

from graph_holdings import pairs_held
from linkage_palette import model

from linkage.cluster import LinkGraph
from linkage.graph_state import GraphState, keys_of
from linkage.members import Member
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import Block, EncodedIdentity, TokenKeys, encode

KEYS = TokenKeys.from_bytes(b"u" * 32, epoch=1)
STRANGERS = (("ANN", "HALL", "1950-01-02"), ("TOM", "REED", "1961-03-04"), ("ZOE", "IQBAL", "1972-05-06"))


def three_strangers_of_one_telephone(cap: int) -> GraphState:
    known = GraphState(model(), cap)
    for given, family, birth_date in STRANGERS:
        identity = Identity(None, names=(Name((given,), family),), birth_date=birth_date, phones=("07700900123",))
        slot = known.admit(given, Member(2, encode(normalise(identity), keys=KEYS)))
        known.index.enter(keys_of(known.encoded(slot)), slot)
    return known


def test_a_pair_that_speaks_against_is_found_in_its_component_though_it_is_not_held() -> None:
    known = three_strangers_of_one_telephone(cap=3)
    assert known.candidates(0, known.met(0)) == {}
    assert set(known.within({0, 1, 2})) == set(combinations(("ANN", "TOM", "ZOE"), 2))
    assert known.between(0, 1) is known.within({0, 1})["ANN", "TOM"]


def test_what_a_crowded_block_alone_supports_speaks_neither_for_nor_against() -> None:
    known = three_strangers_of_one_telephone(cap=2)
    assert known.within({0, 1, 2}) == {}
    assert known.between(0, 1) is None


def test_what_is_held_of_a_pair_is_seen_from_both_sides_and_forgotten_on_both() -> None:
    known = three_strangers_of_one_telephone(cap=3)
    first, second = known.between(0, 1), known.between(1, 2)
    known.hold(0, 1, first)
    known.hold(2, 1, second)
    assert dict(known.near(1)) == {0: first, 2: second}
    known.hold(1, 0, second)
    assert known.held(0, 1) is second
    known.hold(0, 1, None)
    assert dict(known.near(1)) == {2: second}
    assert list(known.near(0)) == []
    assert pairs_held(known) == 1


def test_a_verdict_is_the_same_whichever_of_their_blocks_two_records_met_in() -> None:
    """Short tokens agree by chance in one block and not in another, so the least shared one is looked through,
    also once it has outgrown the cap. Here the chance is made: in one block of theirs the two look alike.
    """
    ann, tom = (
        Identity(None, names=(Name((given,), family),), birth_date=born, phones=PHONES)
        for given, family, born in STRANGERS[:2]
    )
    items, other = encode(normalise(ann), keys=KEYS), encode(normalise(tom), keys=KEYS)
    assert len(items.packed) // len(items.tokens) == len(other.packed) // len(other.tokens), "of one shape"
    low, high = sorted(set(items.tokens) & set(other.tokens))
    crowd = [made(items, {low: items.salted(low)}) for _ in range(3)]
    for alike in (low, high):
        pair = [
            made(items, {token: items.salted(token) for token in (low, high)}),
            made(items, {token: (items if token == alike else other).salted(token) for token in (low, high)}),
        ]
        found = {verdict_of(order) for order in ([*crowd, *pair], [*pair, *crowd], [pair[1], *crowd, pair[0]])}
        assert len(found) == 1


PHONES = ("07700900123", "07700900124")


def made(like: EncodedIdentity, blocks: dict[bytes, bytes]) -> EncodedIdentity:
    kept = [Block(token, salted) for token, salted in sorted(blocks.items())]
    return EncodedIdentity.of(like.epoch, None, like.layout, kept)


def verdict_of(order: list[EncodedIdentity]) -> tuple[int, int]:
    """What is held of the two records of two blocks, and what is worked out, after all came in this order."""
    all_held = replace(model(), review=-(2**40), interactions=dict.fromkeys(model().interactions, 0))
    graph = LinkGraph(all_held, cap=3)
    names = [f"{place}{len(identity.tokens)}" for place, identity in enumerate(order)]
    for name, item in zip(names, order, strict=True):
        graph.put(name, Member(2, item))
    known = graph._known
    first, second = (known.roll.slot(name) for name in names if name.endswith("2"))
    assert first is not None
    assert second is not None
    held, judged = known.held(first, second), known.between(first, second)
    assert held is not None
    assert judged is not None
    return held.score.bits, judged.score.bits
