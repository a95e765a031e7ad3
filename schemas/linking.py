"""What records and the linker say to each other: `identity.v1`, `link.map.v1`, `review.v1`."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas import canonical
from schemas.errors import Unreadable

TIER_RANK: Mapping[str, int] = {"primary_care": 1, "tier2": 2, "tier3": 3, "tier4": 4}
LinkStatus = Literal["linked", "held"]


@dataclass(frozen=True, slots=True)
class RecordIdentity:
    """The winning identity of a record, tokens sealed for the linker, and the record it was merged into, if
    any.
    """

    record_id: str
    tier: str
    sealed_tokens: bytes | None
    merged_into: str | None

    def value(self) -> bytes:
        """The message's value; its key is the record id."""
        tokens = base64.b64encode(self.sealed_tokens).decode() if self.sealed_tokens is not None else None
        return canonical.dump({"v": 1, "tier": self.tier, "tokens": tokens, "merged_into": self.merged_into})

    @classmethod
    def parse(cls, record_id: str, value: bytes) -> "RecordIdentity":
        """Raises Unreadable for what records does not write."""
        parts = canonical.load_object(value)
        if parts.get("v") != 1 or parts.get("tier") not in list(TIER_RANK):  # a list: what it is may not hash
            raise Unreadable("identity", rule="is of an unknown version or tier")
        tokens, merged_into = parts.get("tokens"), parts.get("merged_into")
        if not isinstance(tokens, str | None) or not isinstance(merged_into, str | None):
            raise Unreadable("identity", rule="lacks a part")
        try:
            sealed = base64.b64decode(tokens, validate=True) if tokens is not None else None
        except ValueError:
            raise Unreadable("identity", rule="holds tokens that are not base64") from None
        return cls(record_id, parts["tier"], sealed, merged_into)


@dataclass(frozen=True, slots=True)
class Link:
    """The linker's answer for one record.

    `revision` is the offset in `identity.v1` that led to it: higher means newer. `formerly` lists every other
    person the record has been answered under, so that a reader who missed an answer still withdraws from all
    of them.
    """

    person_id: str
    status: LinkStatus
    reasons: Sequence[str]
    evidence: Sequence[Mapping[str, Any]]
    formerly: Sequence[str]
    revision: int

    def value(self) -> bytes:
        """The message's value; its key is the record id."""
        return canonical.dump(
            {
                "v": 1,
                "person_id": self.person_id,
                "status": self.status,
                "reasons": list(self.reasons),
                "evidence": [dict(one) for one in self.evidence],
                "formerly": list(self.formerly),
                "revision": self.revision,
            }
        )

    @classmethod
    def parse(cls, value: bytes) -> "Link":
        """Raises Unreadable for what the linker does not write."""
        parts = canonical.load_object(value)
        if parts.get("v") != 1 or parts.get("status") not in ("linked", "held"):
            raise Unreadable("link", rule="is of an unknown version or status")
        if any(not isinstance(parts.get(name), type_) for name, type_ in _LINK_PARTS.items()):
            raise Unreadable("link", rule="lacks a part")
        if not all(isinstance(one, str) for one in parts["formerly"]):
            raise Unreadable("link", rule="names a person in another form")
        return cls(
            parts["person_id"],
            parts["status"],
            tuple(parts["reasons"]),
            tuple(parts["evidence"]),
            tuple(parts["formerly"]),
            parts["revision"],
        )


_LINK_PARTS: Mapping[str, type] = {
    "person_id": str, "reasons": list, "evidence": list, "formerly": list, "revision": int,
}  # fmt: skip


def receipt(disposition: str, *, revision: int, reasons: Sequence[Mapping[str, str]] = ()) -> bytes:
    """The value of a receipt; its key is the entry id. `reasons` name field and rule, never a value."""
    return canonical.dump(
        {"v": 1, "disposition": disposition, "revision": revision, "reasons": [dict(one) for one in reasons]}
    )
