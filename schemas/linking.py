"""What the linker reads and writes: `identity.v1`, `link.map.v1`, `review.v1`, `person.changes.v1`."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from schemas import canonical
from schemas.data_keys import Family
from schemas.errors import Unreadable
from schemas.record_keys import WrappedKeys

TIER_RANK: Mapping[str, int] = {"primary_care": 1, "tier2": 2, "tier3": 3, "tier4": 4}
LinkStatus = Literal["linked", "held"]
DecisionKind = Literal["link", "apart", "none"]
DECISION = "decision"  # begins the key of a steward's decision, in identity.v1 beside the identities
MODEL = "model"  # begins the key of the linker's message to itself, to answer a batch under a model
_ID = r"[0-9a-f]{32}"
_RECORD_KEY = re.compile(_ID.encode())
_DECISION_KEY = re.compile(rf"{DECISION}/({_ID})\|({_ID})/([0-9A-Za-z-]{{1,64}})")
_MODEL_KEY = re.compile(rf"{MODEL}/([0-9a-f]{{32}})")
_DECIDED_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def record_of_key(key: bytes | None) -> str:
    """The record that a message of `identity.v1` or `link.map.v1` is about. Raises Unreadable for any other key: it
    would be part of keys of a state that could not be read back.
    """
    if key is None or not _RECORD_KEY.fullmatch(key):
        raise Unreadable("key", rule="names no record")
    return key.decode("ascii")


@dataclass(frozen=True, slots=True)
class RecordIdentity:
    """The winning identity of a record of a source, tokens sealed for the linker with the wrapped key that opens them,
    and the record it was merged into, if any.
    """

    record_id: str
    source: str
    tier: str
    sealed_tokens: bytes | None
    tokens_key: WrappedKeys | None
    merged_into: str | None

    def value(self) -> bytes:
        """The message's value; its key is the record id."""
        tokens = base64.b64encode(self.sealed_tokens).decode() if self.sealed_tokens is not None else None
        key = self.tokens_key.form() if self.tokens_key is not None else None
        parts = {"source": self.source, "tier": self.tier, "tokens": tokens, "merged_into": self.merged_into}
        return canonical.dump({"v": 1, **parts, "key": key})

    @classmethod
    def parse(cls, record_id: str, value: bytes) -> "RecordIdentity":
        """Raises Unreadable for what records does not write."""
        parts = canonical.read_object(value)
        # a list: the value may not be hashable
        if parts.get("v") != 1 or parts.get("tier") not in list(TIER_RANK):
            raise Unreadable("identity", rule="is of an unknown version or tier")
        source, tokens, merged_into = parts.get("source"), parts.get("tokens"), parts.get("merged_into")
        texts = isinstance(tokens, str | None) and isinstance(merged_into, str | None)
        if not isinstance(source, str) or not texts:
            raise Unreadable("identity", rule="lacks a part")
        try:
            sealed = base64.b64decode(tokens, validate=True) if tokens is not None else None
        except ValueError:
            raise Unreadable("identity", rule="holds tokens that are not base64") from None
        form = parts.get("key")
        key = WrappedKeys.of_form(form, (Family.TOKENS,)) if form is not None else None
        return cls(record_id, source, parts["tier"], sealed, key, merged_into)


@dataclass(frozen=True, slots=True)
class PairDecision:
    """What a steward decided about two records, lesser id first: one person, two people, or back to the machine.

    Every decision has its key, because compaction keeps what arrived last and the latest decision may arrive
    first. `decided_at` is UTC to the second ("2026-11-23T10:00:00Z"), so that its order is that of the text.
    """

    records: tuple[str, str]
    kind: DecisionKind
    decided_at: str
    decision_id: str

    def key(self) -> bytes:
        """The message's key."""
        return f"{DECISION}/{'|'.join(self.records)}/{self.decision_id}".encode()

    def value(self) -> bytes:
        """The message's value."""
        return canonical.dump({"v": 1, "kind": self.kind, "decided_at": self.decided_at})

    @property
    def decided_ms(self) -> int:
        """When it was decided, in milliseconds since 1970."""
        return int(datetime.fromisoformat(self.decided_at).timestamp() * 1000)

    @classmethod
    def parse(cls, key: str, value: bytes) -> "PairDecision":
        """Raises Unreadable for anything but a decision about two different records."""
        match, parts = _DECISION_KEY.fullmatch(key), canonical.read_object(value)
        if match is None or not match[1] < match[2]:
            raise Unreadable("decision", rule="is of two records, the lesser first")
        kind, decided_at = parts.get("kind"), parts.get("decided_at")
        if parts.get("v") != 1 or kind not in ("link", "apart", "none"):
            raise Unreadable("decision", rule="is of an unknown version or kind")
        if not isinstance(decided_at, str) or not _DECIDED_AT.fullmatch(decided_at):
            raise Unreadable("decided_at", rule="is no time in UTC to the second")
        try:
            datetime.fromisoformat(decided_at)
        except ValueError:
            raise Unreadable("decided_at", rule="is not in the calendar") from None
        return cls((match[1], match[2]), kind, decided_at, match[3])


@dataclass(frozen=True, slots=True)
class RelinkBatch:
    """The linker's message to itself, in `identity.v1`: answer the records of this batch again under a model, which
    `digest` names by its content. Batch 0 also says that this model is the active one from here on.
    """

    digest: str
    number: int
    batches: int

    def key(self) -> bytes:
        """The message's key: one for each model, removed when every batch is done."""
        return f"{MODEL}/{self.digest}".encode()

    def value(self) -> bytes:
        """The message's value."""
        return canonical.dump({"v": 1, "batch": self.number, "batches": self.batches})

    @classmethod
    def parse(cls, key: str, value: bytes) -> "RelinkBatch":
        """Raises Unreadable for what the linker does not write."""
        match, parts = _MODEL_KEY.fullmatch(key), canonical.read_object(value)
        if match is None or parts.get("v") != 1:
            raise Unreadable("model", rule="is of an unknown version or name")
        number, batches = parts.get("batch"), parts.get("batches")
        if type(number) is not int or type(batches) is not int or not 0 <= number < batches:
            raise Unreadable("model", rule="is one batch of all")
        return cls(match[1], number, batches)


@dataclass(frozen=True, slots=True)
class Link:
    """The linker's answer for one record.

    `revision` is the offset in `identity.v1` that led to it: higher means newer. `formerly` lists every other person
    the record has been answered under, so that a reader who missed an answer still withdraws from all of them.
    """

    person_id: str
    status: LinkStatus
    reasons: Sequence[str]
    evidence: Sequence[Mapping[str, object]]
    formerly: Sequence[str]
    revision: int

    def repeats(self, former: "Link") -> bool:
        """True when nothing but its history (`formerly`, `revision`) differs from `former`."""
        return (
            (self.person_id, self.status) == (former.person_id, former.status)
            and list(self.reasons) == list(former.reasons)
            and list(self.evidence) == list(former.evidence)
        )

    def value(self) -> bytes:
        """The message's value; its key is the record id."""
        return canonical.dump(
            {
                "v": 1,
                "person_id": self.person_id,
                "status": self.status,
                "reasons": list(self.reasons),
                "evidence": [dict(evidence) for evidence in self.evidence],
                "formerly": list(self.formerly),
                "revision": self.revision,
            }
        )

    @classmethod
    def parse(cls, value: bytes) -> "Link":
        """Raises Unreadable for what the linker does not write."""
        parts = canonical.read_object(value)
        if parts.get("v") != 1 or parts.get("status") not in ("linked", "held"):
            raise Unreadable("link", rule="is of an unknown version or status")
        if any(not isinstance(parts.get(name), type_) for name, type_ in _LINK_PARTS.items()):
            raise Unreadable("link", rule="lacks a part")
        if not all(_is_id(person) for person in (parts["person_id"], *parts["formerly"])):
            raise Unreadable("link", rule="names a person in another form")
        if parts["revision"] < 0 or not all(isinstance(reason, str) for reason in parts["reasons"]):
            raise Unreadable("link", rule="has a revision or a reason of another form")
        return cls(
            parts["person_id"],
            parts["status"],
            tuple(parts["reasons"]),
            tuple(parts["evidence"]),
            tuple(parts["formerly"]),
            parts["revision"],
        )


def _is_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_ID, value) is not None


_LINK_PARTS: Mapping[str, type] = {
    "person_id": str, "reasons": list, "evidence": list, "formerly": list, "revision": int,
}  # fmt: skip
