"""Who was linked rightly: the people about whom a published pathway can be held against the truth."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

R = TypeVar("R", bound=Hashable)


def rightly_linked(found: Mapping[R, str], truth: Mapping[R, str]) -> set[str]:
    """The people all of whose records, and nobody else's, form one group of `found`.

    Both map a record to its group, `truth` to its person. A record that `found` lacks stands alone.
    """
    groups: dict[Hashable, set[str]] = {}
    parts: dict[str, set[Hashable]] = {}
    for record, person in truth.items():
        group: Hashable = found.get(record, ("alone", record))
        groups.setdefault(group, set()).add(person)
        parts.setdefault(person, set()).add(group)
    return {person for person, own in parts.items() if len(own) == 1 and len(groups[next(iter(own))]) == 1}
