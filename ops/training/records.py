"""The records of an evaluation: what the files tell, encoded as the engine would encode it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from random import Random
from time import process_time

from linkage.compare import Levels
from linkage.counts import Counts, counted
from linkage.errors import ModelRefused
from linkage.model import Model, Origin
from linkage.tokens import EncodedIdentity, TokenKeys, encode
from linkage.train import em
from ops.errors import SettingsError, TierlinkError
from ops.training.candidates import Place, agreements, candidates, pairs_in_all, random_pairs
from ops.training.mapping import Reader, TableRecord
from ops.training.tables import read

WIDE_MAX = 20_000  # records: more of them travel, and stand in the engine's own blocks (linkage.blocks)
RANDOM_PAIRS_MAX = 100_000
RANDOM_PAIRS_EACH = 100  # for each record: more of them than records would say the same again
# Whoever has the file has the names: this key hides nothing, and the same file gives the same figures.
_KEYS = TokenKeys.from_bytes(sha256(b"the file is in the clear").digest(), epoch=1)


@dataclass(frozen=True, repr=False)
class Records:
    """Records of one or several files. `file_of` is by place; `encode_s` is CPU time for all of them."""

    rows: tuple[TableRecord, ...]
    file_of: tuple[str, ...]
    encoded: tuple[EncodedIdentity, ...]
    encode_s: float
    link_only: bool

    @property
    def files(self) -> Sequence[str] | None:
        """The file of each record where only pairs of two files count, else None."""
        return self.file_of if self.link_only else None

    @property
    def truth(self) -> Mapping[str, str]:
        """Record → person, of those whose truth is known."""
        return {row.record: row.truth for row in self.rows if row.truth}

    @property
    def file_by_record(self) -> Mapping[str, str] | None:
        """As `files`, by record."""
        if not self.link_only:
            return None
        return {row.record: file for row, file in zip(self.rows, self.file_of, strict=True)}

    @cached_property
    def candidates(self) -> tuple[tuple[Place, Levels], ...]:
        """Every pair that is compared, and its agreement."""
        return tuple(candidates(self.encoded, files=self.files))

    def place(self, record: str) -> int:
        """The place of a record. Raises SettingsError when there is none of that name."""
        for place, row in enumerate(self.rows):
            if row.record == record:
                return place
        raise SettingsError("no such record: it is named by its row, or by the column mapped to `record`")


def load(paths: Sequence[Path], reader: Reader, *, truth: str | None = None, link_only: bool = False) -> Records:
    """The records of all files. With several, a record is named "<number of the file>/<its name>". Up to WIDE_MAX
    records stand in the wide blocks made for poor ones.
    """
    if link_only and len(paths) < 2:
        raise SettingsError("--link-only: needs --input twice")
    rows: list[TableRecord] = []
    file_of: list[str] = []
    for number, path in enumerate(paths, start=1):
        found = reader.read(read(path), truth=truth, prefix=f"{number}/" if len(paths) > 1 else "")
        rows += found
        file_of += [str(number)] * len(found)
    wide, begun = len(rows) <= WIDE_MAX, process_time()
    encoded = tuple(encode(row.identity, keys=_KEYS, wide=wide) for row in rows)
    return Records(tuple(rows), tuple(file_of), encoded, process_time() - begun, link_only)


def counts_of(records: Records, *, by_chance: bool = True) -> Counts:
    """The agreement patterns of all candidates, and of pairs drawn by chance."""
    among = len(records.rows)
    wanted = min(RANDOM_PAIRS_MAX, RANDOM_PAIRS_EACH * among)
    drawn = random_pairs(Random(1), wanted, among=among, files=records.files) if by_chance else ()
    identities = [row.identity for row in records.rows]
    return counted(
        (at for _, at in records.candidates),
        random=agreements(identities, drawn, keys=_KEYS),
        pairs_in_all=pairs_in_all(among, records.files),
    )


def fitted(records: Records) -> Model:
    """The model that EM fits on the records, without a look at their truth. Raises TierlinkError when it cannot."""
    origin = Origin(
        name="fitted on the input",
        provenance="expectation maximisation on the records evaluated, without labels",
        counted="at this run",
        code="this version",
    )
    try:
        return em(counts_of(records), origin=origin)
    except ModelRefused as refusal:
        raise TierlinkError(f"no model can be fitted on the input ({refusal}); give one with --model") from None
