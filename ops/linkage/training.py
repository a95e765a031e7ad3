"""A model fitted on records that carry NHS numbers, and the gate it passes before it is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linkage.model import Model, Origin, dump
from linkage.train import LabelQuality, ModelRefused, anchored, quality_on_labels, refuse_unless_precise
from ops.errors import TierlinkError
from ops.linkage.records import Records, counts_of


class Refused(TierlinkError):
    """The model was not fitted, or is not good enough to decide about people."""


@dataclass(frozen=True)
class Trained:
    """A model that passed the gate, and what it does on the labelled pairs with their numbers set aside."""

    model: Model
    quality: LabelQuality
    candidates: int

    def as_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "candidates": self.candidates,
            "matches": self.quality.right + self.quality.missed,
            "precision": round(self.quality.precision, 6),
            "recall": round(self.quality.recall, 6),
        }


def trained(records: Records, *, origin: Origin) -> Trained:
    """The model fitted on all pairs of which both carry a valid NHS number. Raises Refused, saying which rule it
    fails.
    """
    counts = counts_of(records, by_chance=False)
    try:
        model = anchored(counts, origin=origin)
        refuse_unless_precise(model, counts)
    except ModelRefused as refusal:
        raise Refused(f"model refused: {refusal}") from None
    return Trained(model, quality_on_labels(model, counts), len(records.candidates))


def write(model: Model, path: Path) -> None:
    """The model as JSON in a new file. Raises TierlinkError where there is one already: a model that decided about
    people is kept.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(dump(model))
    except FileExistsError:
        raise TierlinkError("--out: the file exists; models are kept, write another") from None
    except OSError:
        raise TierlinkError("--out: cannot be written") from None
