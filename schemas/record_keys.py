"""A record's data keys as they travel and are kept: wrapped under its bucket, by family (decision 0022).

The vault keeps all three families. `events.v1` carries those of bodies and tokens, to records, which opens neither and
hands each to the stage that does.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from schemas import canonical
from schemas.data_keys import EPOCH_MAX, BucketKeys, Family
from schemas.errors import Unreadable

TRAVELLING = (Family.BODY, Family.TOKENS)


@dataclass(frozen=True, slots=True)
class WrappedKeys:
    """The data keys of one record, wrapped under its bucket in one epoch. The higher epoch counts."""

    epoch: int
    by_family: Mapping[Family, bytes] = field(repr=False)

    @classmethod
    def of(cls, record_id: str, data_keys: Mapping[Family, bytes], epoch: int, held: BucketKeys) -> "WrappedKeys":
        """Raises KeyNotHeld, LookupError as `BucketKeys.wrapped`."""
        wrapped = {family: held.wrapped(family, record_id, key, epoch) for family, key in data_keys.items()}
        return cls(epoch, wrapped)

    def supersedes(self, former: "WrappedKeys | None") -> bool:
        """True when these count and `former` does not any more."""
        return former is None or self.epoch > former.epoch

    def only(self, *families: Family) -> "WrappedKeys":
        """Those of these families."""
        return WrappedKeys(self.epoch, {family: self.by_family[family] for family in families})

    def opened(self, record_id: str, family: Family, held: BucketKeys) -> bytes | None:
        """The data key of one family, None when it was destroyed. Raises as `BucketKeys.opened`."""
        return held.opened(family, record_id, self.epoch, self.by_family[family])

    def form(self) -> dict[str, object]:
        """What JSON holds of it."""
        wrapped = {family.value: base64.b64encode(key).decode() for family, key in self.by_family.items()}
        return {"epoch": self.epoch, "wrapped": wrapped}

    def value(self) -> bytes:
        """The value of an element that holds nothing else."""
        return canonical.dump({"v": 1, "kind": "key", **self.form()})

    @classmethod
    def of_form(cls, form: object, families: Iterable[Family]) -> "WrappedKeys":
        """What `form` gave of exactly these families. Raises Unreadable for anything else."""
        epoch, wrapped = (form.get("epoch"), form.get("wrapped")) if isinstance(form, dict) else (None, None)
        if type(epoch) is not int or not 1 <= epoch <= EPOCH_MAX or not isinstance(wrapped, dict):
            raise Unreadable("wrapped keys", rule="are of another form")
        if wrapped.keys() != {*families}:
            raise Unreadable("wrapped keys", rule="are of other families")
        try:
            by_family = {Family(name): base64.b64decode(text, validate=True) for name, text in wrapped.items()}
        except (TypeError, ValueError):
            raise Unreadable("wrapped keys", rule="are not base64") from None
        return cls(epoch, by_family)

    @classmethod
    def parse(cls, value: bytes, families: Iterable[Family]) -> "WrappedKeys":
        """What `value` gave of exactly these families. Raises Unreadable for anything else."""
        parts = canonical.read_object(value)
        if parts.get("v") != 1:
            raise Unreadable("wrapped keys", rule="are of an unknown version")
        return cls.of_form(parts, families)
