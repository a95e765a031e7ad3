"""What stewards decided of pairs: one person, two people, or back to the machine (V5).

Of each pair the last decision by (time decided, id) stands, whatever came first. A decision about a record
that is not there is kept and waits for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from linkage.members import Pair

Kind = Literal["link", "apart", "none"]
KINDS = ("link", "apart", "none")


@dataclass(frozen=True, slots=True)
class Decision:
    """A steward's word on two records, lesser id first. "none" gives the pair back to the machine.

    `decided_at` is UTC in ISO 8601 with one number of digits for all decisions, so that its order is its text's.
    """

    pair: Pair
    kind: Kind
    decided_at: str
    decision_id: str

    def __post_init__(self) -> None:
        assert self.pair[0] < self.pair[1]
        assert self.kind in KINDS
        assert self.decided_at.endswith("Z")

    @property
    def rank(self) -> tuple[str, str, str]:
        """The greater stands. Two that share time and id (no writer makes such) are told apart by kind."""
        return (self.decided_at, self.decision_id, self.kind)


class Decisions:
    """The standing decision of every pair ever decided. Mutable; one owner."""

    def __init__(self) -> None:
        self._last: dict[Pair, Decision] = {}
        self._about: dict[str, dict[str, Decision]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def note(self, decision: Decision) -> bool:
        """Remember it. True when it now stands for its pair: its time counts where words contradict each other."""
        last = self._last.get(decision.pair)
        if last is not None and last.rank >= decision.rank:
            return False
        self._last[decision.pair] = decision
        for record, other in (decision.pair, decision.pair[::-1]):
            if decision.kind == "none":
                self._forget(record, other)
            else:
                self._about.setdefault(record, {})[other] = decision
        return last is not None or decision.kind != "none"

    def about(self, record_id: str) -> Mapping[str, Decision]:
        """What stands about a record, by the other record: "link" and "apart" only."""
        return self._about.get(record_id, _NOTHING)

    def kind(self, a: str, b: str) -> Kind:
        """What stands for two records; "none" also where nothing was ever decided."""
        found = self._about.get(a, _NOTHING).get(b)
        return found.kind if found else "none"

    def _forget(self, record: str, other: str) -> None:
        about = self._about.get(record)
        if about is not None and about.pop(other, None) is not None and not about:
            del self._about[record]


_NOTHING: Mapping[str, Decision] = {}
