"""Which records stand in which block: for every blocking token the numbers of its records.

A million records have nine million tokens, nearly all of them with one record, so nothing here is an object
of a single token. Tokens lie sorted in small arrays beside the numbers of their records, 12 bytes a standing;
an array is grown by a piece of memory, never rehashed. Only a token more records share than the cap allows
(its crowd) has a set of its own, so that the millionth of them costs what the first did.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection

# Records a block may hold. What it costs to compare all with all, and how many doubts one wrong number can open, grow
# with its square; the largest block of 63,000 simulated records has seven.
BLOCK_MAX = 100
SHARDS = 1 << 17  # at 9 million tokens an array has 70: 550 bytes to look through and to move
_NOBODY: Collection[int] = ()
Met = tuple[int, Collection[int] | None]  # a token, and the others under it; None where it does not count


class BlockIndex:
    """Standings of record numbers under tokens (64-bit numbers). A token counts (`live`) while at most `cap`
    records stand under it.
    """

    __slots__ = ("_cap", "_crowds", "_numbers", "_standings", "_tokens")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._tokens: list[array[int] | None] = [None] * SHARDS
        self._numbers: list[array[int] | None] = [None] * SHARDS
        self._crowds: dict[int, set[int]] = {}
        self._standings = 0

    def __len__(self) -> int:
        return self._standings

    def enter(self, tokens: Collection[int], number: int) -> list[Met]:
        """The record, which did not, now stands under these tokens. Returns, in their order, those that others stand
        under too.
        """
        met: list[Met] = []
        all_tokens, all_numbers, crowds = self._tokens, self._numbers, self._crowds
        for token in tokens:
            at = token % SHARDS
            shard, numbers = all_tokens[at], all_numbers[at]
            if shard is None or numbers is None:
                shard, numbers = self._shard(token)
            start = bisect_left(shard, token)
            if start == len(shard) or shard[start] != token:
                if token in crowds:
                    crowds[token].add(number)
                    met.append((token, None))
                else:
                    shard.insert(start, token)
                    numbers.insert(start, number)
                continue
            end = bisect_right(shard, token, start)
            if end - start < self._cap:
                met.append((token, numbers[start:end]))
                shard.insert(end, token)
                numbers.insert(end, number)
            else:
                met.append((token, None))
                crowds[token] = {*numbers[start:end], number}
                del shard[start:end], numbers[start:end]
        self._standings += len(tokens)
        return met

    def leave(self, token: int, number: int) -> int:
        """The record, which did, no longer stands under the token. Returns how many still do."""
        self._standings -= 1
        crowd = self._crowds.get(token)
        if crowd is not None:
            crowd.remove(number)
            if len(crowd) <= self._cap:
                self._disperse(token)
            return len(crowd)
        tokens, numbers = self._shard(token)
        start = bisect_left(tokens, token)
        end = bisect_right(tokens, token, start)
        at = numbers.index(number, start, end)
        del tokens[at], numbers[at]
        return end - start - 1

    def live(self, token: int) -> Collection[int]:
        """The records under a token that counts, in no order that means anything; none under any other."""
        shard = token % SHARDS
        tokens, numbers = self._tokens[shard], self._numbers[shard]
        if tokens is None or numbers is None:
            return _NOBODY
        start = bisect_left(tokens, token)
        if start == len(tokens) or tokens[start] != token:
            return _NOBODY
        return numbers[start : bisect_right(tokens, token, start)]

    def all(self, token: int) -> Collection[int]:
        """The records under a token, whether it counts or not."""
        crowd = self._crowds.get(token)
        return self.live(token) if crowd is None else frozenset(crowd)

    def crowd(self, token: int) -> int:
        """How many stand under a token that does not count; 0 where it does."""
        return len(self._crowds.get(token, _NOBODY))

    def counts(self, token: int) -> bool:
        """Whether the token, which some record stands under, is live."""
        return token not in self._crowds

    def crowded(self, token: int, number: int) -> bool:
        """Whether the token does not count and the record stands under it."""
        return number in self._crowds.get(token, _NOBODY)

    def crowds(self) -> int:
        """How many tokens are shared by more records than the cap."""
        return len(self._crowds)

    def _disperse(self, token: int) -> None:
        crowd = sorted(self._crowds.pop(token))
        tokens, numbers = self._shard(token)
        at = bisect_left(tokens, token)
        tokens[at:at] = array("Q", [token] * len(crowd))
        numbers[at:at] = array("I", crowd)

    def _shard(self, token: int) -> tuple["array[int]", "array[int]"]:
        shard = token % SHARDS
        tokens, numbers = self._tokens[shard], self._numbers[shard]
        if tokens is None or numbers is None:
            tokens = self._tokens[shard] = array("Q")
            numbers = self._numbers[shard] = array("I")
        return tokens, numbers
