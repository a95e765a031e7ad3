"""The mutant of the order tests: each arrival joins the best cluster there is, for good. What most live
linkers do.
"""

from linkage.decide import Band, judge
from linkage.members import Member
from linkage.model import Model, score
from linkage.tokens import EncodedIdentity


class AttachToBest:
    """A linker whose people depend on the order of arrival."""

    def __init__(self, model: Model) -> None:
        self.model, self.records, self.label = model, dict[str, EncodedIdentity](), dict[str, str]()

    def put(self, record_id: str, arrived: Member) -> None:
        """The record joins the cluster of the record it is linked to most surely, whatever comes later."""
        if record_id in self.label or arrived.encoded is None:
            self.label.setdefault(record_id, record_id)
            return
        best = (0, record_id)
        for other, encoded in self.records.items():
            found = score(self.model, arrived.encoded, encoded)
            if found and judge(self.model, found).band is Band.AUTO:
                best = max(best, (found.bits, self.label[other]))
        self.records[record_id], self.label[record_id] = arrived.encoded, best[1]

    def remove(self, record_id: str) -> None:
        """The record is gone; what it made others do is not."""
        self.records.pop(record_id, None)
        self.label.pop(record_id, None)

    def groups(self) -> set[frozenset[str]]:
        """The people."""
        return {frozenset(r for r in self.label if self.label[r] == label) for label in self.label.values()}
