"""Rows of one file that say different things under one id and one version time: each is kept, and both are named."""

from collections.abc import Mapping
from dataclasses import replace

from connectors.mapping import FactGroup
from connectors.sources.tier2_csv.cells import Cells
from schemas.business_ids import REPEATABLE
from schemas.source_message import SourceFact, SourceMessage


class FactsOfFile:
    """What the rows of one file, given in their order, say under each id.

    A later version time is a correction, and the same row twice is the same fact: neither is a collision.
    """

    def __init__(self) -> None:
        # hashes: (person, type, id, version time) -> body, and (type, id) -> person
        self._bodies: dict[int, int] = {}
        self._people: dict[int, int] = {}

    def without_collisions(self, message: SourceMessage, cells: Cells) -> SourceMessage:
        """The message with an id of its own for each fact that differs from another under its id; warns in `cells`."""
        person = message.person.local_id or message.person.nhs_number
        if person is None:
            return message
        facts = tuple(self._kept(fact, (person, message.source_version_at), cells) for fact in message.facts)
        return replace(message, facts=facts)

    def _kept(self, fact: SourceFact, named: tuple[object, object], cells: Cells) -> SourceFact:
        kind, body = fact.body.type, hash(fact.body)
        if fact.business_id is None or kind == "demographics":
            return fact
        business_id, count = fact.business_id, 1
        if self._people.setdefault(hash((kind, business_id)), hash(named[0])) != hash(named[0]):
            self._warn(cells, kind, "names things of two people in this file; each is kept")
        while self._bodies.setdefault(hash((*named, kind, business_id)), body) != body:
            if kind not in REPEATABLE:
                self._warn(cells, kind, "is said in two ways at one version time; only one of them counts")
                return fact
            count += 1
            business_id = f"{fact.business_id}/{count}"
        if count > 1:
            self._warn(cells, kind, "names two things at one version time; each is kept")
        return replace(fact, business_id=business_id)

    @staticmethod
    def _warn(cells: Cells, kind: str, rule: str) -> None:
        groups: Mapping[str, FactGroup] = {group.type: group for group in reversed(cells.mapping.facts)}
        cells.warning(groups[kind].key[0], f"{rule} ({kind})", code="duplicate")
