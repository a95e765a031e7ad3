"""What reads what: one row a stage. The worker walks it, the README's picture is made from it."""

from collections.abc import Iterable

from schemas import topics
from schemas.errors import UnknownName
from schemas.sources import Source
from streams.steps.outcome import Stage

STAGES = ("ingress", "records", "linker", "pathway")


def stage(name: str, *, sources: Iterable[Source], recipients: Iterable[str]) -> Stage:
    """The row of one stage. Raises UnknownName for a stage that does not exist."""
    sources = tuple(sources)
    receipts = tuple(source.receipts_topic for source in sources)
    published = tuple(
        topic
        for recipient in recipients
        for topic in (topics.pathway_state(recipient), topics.pathway_events(recipient))
    )
    rows = {
        "ingress": (
            (*(source.intake_topic for source in sources), topics.ERASURES),
            topics.VAULT,
            (topics.EVENTS, topics.DISPOSITIONS, *receipts),
        ),
        "records": (
            (topics.EVENTS, topics.LINK_MAP),
            topics.RECORDS_STATE,
            (topics.EVENTS, topics.IDENTITY, topics.PATHWAY_IN, topics.DISPOSITIONS),
        ),
        "linker": (
            (topics.IDENTITY,),
            topics.LINKER_STATE,
            (topics.LINK_MAP, topics.REVIEW, topics.PERSON_CHANGES, topics.IDENTITY),
        ),
        "pathway": ((topics.PATHWAY_IN,), topics.PATHWAY_STATE, published),
    }
    if name not in rows:
        raise UnknownName("stage")
    reads, changelog, writes = rows[name]
    return Stage(
        name=name,
        reads=reads,
        changelog=changelog,
        partitions=1 if name == "linker" else topics.PARTITIONS,
        dead_letter=topics.DEAD_LETTERS,
        writes=writes,
        published=frozenset(published),
        last=name == "pathway",
    )
