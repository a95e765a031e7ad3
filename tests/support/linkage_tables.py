"""Cases of linkage as a clinician would write them: tables of records, and what is known of each.

A row is tier, NHS number, forename, surname, birth date, sex, postcode, house. "-" is missing.
"""

from pathlib import Path

import linkage
from linkage.cluster import Decision, LinkGraph, Member
from linkage.decisions import Kind
from linkage.model import parse
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import TokenKeys, encode

MODEL = parse((Path(linkage.__file__).parent / "models" / "shipped.json").read_text())
KEYS = TokenKeys.from_bytes(b"s" * 32, epoch=1)
NUMBERS = {"N1": "9434765919", "N2": "9434765870", "N3": "4010232137"}


def member(row: str, merged_into: str | None = None) -> Member:
    tier, number, given, family, birth, sex, postcode, house = (
        None if cell == "-" else cell for cell in (cell.strip() for cell in row.split("|"))
    )
    families = (family or "").split("/")
    identity = Identity(
        nhs_number=NUMBERS.get(number or ""),
        nhs_number_claimed=number if number and number not in NUMBERS else None,
        names=tuple(Name((given,) if given else (), name) for name in families),
        birth_date=birth,
        sex=sex,
        postcodes=(postcode,) if postcode else (),
        houses=(house,) if house else (),
    )
    return Member(int(tier or 0), encode(normalise(identity), keys=KEYS), merged_into)


def said(pair: str, kind: Kind, day: int = 1, number: str = "d1") -> Decision:
    a, b = sorted(pair.split())
    return Decision((a, b), kind, f"2026-01-{day:02}T09:00:00Z", number)


def graph_of(table: str) -> LinkGraph:
    graph = LinkGraph(MODEL)
    for line in table.strip().splitlines():
        name, row = line.strip().split(":", 1)
        graph.put(name, member(row))
    return graph


GP = "gp: 1 | N1 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12"
ONE_PERSON = {
    "the same number and nothing else": "t2: 2 | N1 | - | - | - | - | - | -",
    "all the same, no number": "t2: 2 | - | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12",
    "no number and a short form of the name": "t2: 2 | - | Sara | Hall | 1971-05-24 | female | LS1 4AP | 12",
    "married and moved, with a number": "t3: 3 | N1 | Sarah | Byron | 1971-05-24 | female | BD9 9ZZ | 3",
    "married, maiden name given": "t2: 2 | - | Sarah | Byron/Hall | 1971-05-24 | female | LS1 4AP | 12",
    "moved, no number": "t2: 2 | - | Sarah | Hall | 1971-05-24 | female | BD9 9ZZ | 3",
    "a digit of the number wrong": "t2: 2 | 9434765918 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12",
    "names in each other's place": "t2: 2 | - | Hall | Sarah | 1971-05-24 | female | LS1 4AP | 12",
    "one number, another year of birth": "t3: 3 | N1 | Sarah | Hall | 1972-05-24 | female | LS1 4AP | 12",
    "one number, known by another forename": "t3: 3 | N1 | Jane | Hall | 1971-05-24 | female | LS1 4AP | 12",
}

TWO_PEOPLE = {
    "twins with their own numbers": "x: 3 | N2 | Susan | Hall | 1971-05-24 | female | LS1 4AP | 12",
    "mother and daughter of one name": "x: 2 | N2 | Sarah | Hall | 1998-11-09 | female | LS1 4AP | 12",
    "husband and wife": "x: 2 | - | David | Hall | 1970-08-30 | male | LS1 4AP | 12",
    "a stranger born on one day": "x: 2 | - | Ruth | Okafor | 1971-05-24 | female | BD9 9ZZ | 4",
}

FOR_A_STEWARD = {
    "possible-duplicate-number of one patient": "x: 3 | N2 | Sarah | Hall | 1971-05-24 | female | LS1 4AP | 12",
    "unsure of one renamed and moved, or a stranger": "x: 2 | - | Sarah | Okafor | 1971-05-24 | female | BD9 9ZZ | 4",
    "V2 of a sister": "x: 2 | N1 | Sal | Hall | 1974-01-17 | female | LS1 4AP | 12",
    "V2 of a stepmother": "x: 2 | N1 | Sarah | Reed | 1950-01-17 | female | LS1 4AP | 12",
    "V2 without a birth date": "x: 2 | N1 | Jane | Hall | - | female | LS1 4AP | 12",
    "V2 of a twin brother": "x: 2 | N1 | David | Hall | 1971-05-24 | male | LS1 4AP | 12",
    "V2": "x: 2 | N1 | David | Okafor | 1950-01-17 | male | BD9 9ZZ | 4",  # one number, another person
    "V4": "x: 2 | N1 | Sarah | Hall | 1998-11-09 | female | LS1 4AP | 12",  # the daughter's birth date
}
