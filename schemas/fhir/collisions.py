"""Facts of one Bundle that say different things under one number: what can happen twice is kept apart, both are named.

Which of two versions of one fact counts would else be a question of their hash, and the other would be lost.
"""

from collections.abc import Iterable
from dataclasses import replace

from schemas.business_ids import are_two_things
from schemas.fhir.node import Node
from schemas.source_message import SourceFact


def kept_apart(facts: Iterable[SourceFact], bundle: Node) -> list[SourceFact]:
    """The facts, each with an id of its own where another one differs under its id; warns at `bundle`.

    The first keeps its id. The same fact twice is the same fact.
    """
    seen: dict[tuple[str, str], SourceFact] = {}
    found = []
    for fact in facts:
        kept, count = fact, 1
        while kept.business_id is not None:
            first = seen.setdefault((kept.body.type, kept.business_id), fact)
            if first == fact:
                break
            if not are_two_things(first.body, fact.body):
                rule = f"holds two {fact.body.type} facts under one identifier that differ; only one of them counts"
                bundle.warning("entry", rule, code="duplicate")
                break
            count += 1
            kept = replace(fact, business_id=f"{fact.business_id}#{count}")
        if count > 1:
            rule = f"holds two {fact.body.type} facts under one identifier; each is kept, known by its position"
            bundle.warning("entry", rule, code="duplicate")
        found.append(kept)
    return found
