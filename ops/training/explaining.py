"""Why two records of a file were linked, held or left apart: every field, its level and what it weighed."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from linkage.compare import common_block
from linkage.decide import judge
from linkage.explain import Evidence, evidence, explain
from linkage.model import Model, score
from ops.training.records import Records

NO_BLOCK = "no-common-block"  # nothing that is looked for says they could be one person: never compared
SURE = {"auto": "linked", "review": "held for a person", "apart": "left apart"}


@dataclass(frozen=True)
class Explained:
    """One pair by the weights and rules of pairs alone: what others of their records say is in the engine's own
    answers.
    """

    pair: tuple[str, str]
    model: Model
    evidence: Evidence

    def as_json(self) -> dict[str, object]:
        """The object of `--json`; bits are bits."""
        model = self.model
        return {
            "pair": list(self.pair),
            **{name: value for name, value in explain(self.evidence).items() if name != "other"},
            "model": {
                "name": model.name,
                "provenance": model.provenance,
                "link": model.link / 1000,
                "review": model.review / 1000,
            },
        }


def explained(records: Records, model: Model, pair: tuple[str, str]) -> Explained:
    """The evidence on two records of the file. Raises SettingsError for a record that is not there."""
    a, b = (records.encoded[records.place(record)] for record in pair)
    block = common_block(a, b)
    found = score(model, a, b, block=block) if block is not None else None
    if found is None:
        return Explained(pair, model, Evidence(pair[1], 0, "apart", (), (NO_BLOCK,)))
    return Explained(pair, model, evidence(model, pair[1], found, judge(model, found)))


def show(console: Console, found: Explained) -> None:
    """The pair, then the model. No value of a record is in it."""
    show_pair(console, found)
    show_model(console, found.model)


def show_pair(console: Console, found: Explained) -> None:
    """A table of fields, levels and bits, then the verdict."""
    row = found.evidence
    table = Table(title=f"{found.pair[0]} and {found.pair[1]}")
    table.add_column("field")
    table.add_column("level")
    table.add_column("bits", justify="right")
    for field, level, bits in row.terms:
        table.add_row(field, level, f"{bits / 1000:+.2f}")
    table.add_section()
    table.add_row("all", "", f"{row.bits / 1000:+.2f}")
    console.print(table)
    console.print(f"verdict: {SURE[row.band]}; rules: {', '.join(row.rules) or 'none, by weight alone'}")


def show_model(console: Console, model: Model) -> None:
    """Which model, on what it was fitted, and from how many bits it links."""
    console.print(
        f"model: {model.name} ({model.provenance}); links from {model.link / 1000:.2f} bits, "
        f"shows a person from {model.review / 1000:.2f}"
    )
