"""A model fitted on records that carry NHS numbers, and the gate it passes before it is written."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkage.model import Model, Origin, dump
from linkage.subgroups import SubgroupReport, large
from linkage.subgroups_gate import refuse
from linkage.subgroups_shown import as_json, table
from linkage.train import LabelQuality, ModelRefused, anchored, quality_on_labels, refuse_unless_precise
from ops.errors import TierlinkError
from ops.training.groups import Labelled
from ops.training.records import Records, counts_of


class Refused(TierlinkError):
    """The model was not fitted, or is not good enough to decide about people."""


@dataclass(frozen=True)
class Trained:
    """A model that passed the gate, and what it does on the labelled pairs with their numbers set aside."""

    model: Model
    quality: LabelQuality
    candidates: int

    def as_json(self) -> dict[str, object]:
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


@dataclass(frozen=True)
class ByGroup:
    """How a new model links each group of people, and the model in use, where there is one, the same pairs."""

    new: SubgroupReport
    in_use: SubgroupReport | None

    @classmethod
    def of(cls, pairs: Labelled, *, new: Model, in_use: Model | None) -> "ByGroup":
        """Both models on the same pairs."""
        return cls(pairs.under(new), pairs.under(in_use) if in_use else None)

    def reasons(self) -> list[str]:
        """Why the new model may not take the place of the one in use; [] when it may."""
        return refuse(self.in_use, self.new)

    def as_json(self) -> dict[str, object]:
        """The part of `--json` about groups."""
        return {
            "by_group": as_json(self.new),
            "by_group_in_use": as_json(self.in_use) if self.in_use else None,
            "refused": self.reasons(),
        }

    def show(self, console: Console) -> None:
        """The reports as tables, only what may be shown of them."""
        for title, found in (("new model", self.new), ("model in use", self.in_use)):
            if found is not None:
                console.print(_drawn(f"pairs of one person by group, {title}", table(found)))
        if not any(len(groups) > 1 for groups in large(self.new).values()):
            console.print("no two groups of one kind are large enough to be compared: gaps are not judged")

    def refuse_unless_fair(self) -> None:
        """Raises Refused, with every reason, where a group of people would be linked worse."""
        reasons = self.reasons()
        if reasons:
            raise Refused(f"model refused: {'; '.join(reasons)}")


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


def _drawn(title: str, rows: list[tuple[str, ...]]) -> Table:
    drawn = Table(title=title)
    for place, heading in enumerate(rows[0]):
        drawn.add_column(heading, justify="right" if place else "left", no_wrap=place > 0)
    for row in rows[1:]:
        drawn.add_row(*map(Text, row))  # a group's name is a cell of the table: never markup
    return drawn
