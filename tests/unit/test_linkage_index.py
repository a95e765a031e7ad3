"""The block index: who stands under which token, up to the cap and beyond, and what that takes."""

import random
import sys
from collections import defaultdict

from linkage.index import SHARDS, BlockIndex


def test_it_answers_as_a_table_of_sets_would_whatever_comes_and_goes() -> None:
    rng = random.Random(5)
    index, table = BlockIndex(3), defaultdict[int, set[int]](set)
    for _ in range(4000):
        token, number = rng.choice((7, 7 + SHARDS, 2**64 - 1, 11)), rng.randrange(9)
        if number in table[token]:
            table[token].remove(number)
            assert index.leave(token, number) == len(table[token])
        else:
            table[token].add(number)
            beside = table[token] - {number}
            ((_, found),) = index.enter([token], number) or [(token, ())]
            assert (found is None) == (len(table[token]) > 3)
            assert found is None or set(found) == beside
            assert index.crowd(token) == (len(table[token]) if found is None else 0)
        assert set(index.all(token)) == table[token]
        assert index.counts(token) == (len(table[token]) <= 3)
        assert set(index.live(token)) == (table[token] if len(table[token]) <= 3 else set())
    assert len(index) == sum(map(len, table.values()))
    assert index.crowds() == sum(len(numbers) > 3 for numbers in table.values())


def bytes_held(index: BlockIndex) -> int:
    arrays = [item for shard in (index._tokens, index._numbers) for item in shard if item is not None]
    return sum(map(sys.getsizeof, [*arrays, index._tokens, index._numbers]))


def test_a_standing_takes_no_more_than_twenty_bytes() -> None:
    rng, index = random.Random(6), BlockIndex(300)
    # into a sixteenth of the arrays: each is as full as with sixteen million tokens in all
    tokens = [rng.getrandbits(40) * SHARDS + rng.randrange(SHARDS // 16) for _ in range(1_000_000)]
    for number, token in enumerate(tokens):
        index.enter([token], number // 11)
    assert bytes_held(index) / len(tokens) < 20  # twelve, and the arrays themselves
    table = {token: {number} for number, token in enumerate(tokens[:1000])}
    assert sum(map(sys.getsizeof, table.values())) / len(table) > 100, "what a set for each token takes"


def test_a_crowd_of_a_hundred_thousand_lies_outside_the_arrays_and_comes_back_whole() -> None:
    index = BlockIndex(300)
    index.enter([7 + SHARDS], 1)  # another token in the same array
    for number in range(100_000):
        index.enter([7], number)
    array = index._tokens[7]
    assert array is not None
    assert len(array) == 1
    assert index.live(7) == ()
    for number in range(300, 100_000):
        index.leave(7, number)
    assert sorted(index.live(7)) == list(range(300))
    assert list(index.live(7 + SHARDS)) == [1]
