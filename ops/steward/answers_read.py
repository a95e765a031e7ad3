"""What a running engine answered: whose a record is, by which evidence, and the pairs it left to a steward.

Read from `link.map.v1` and `review.v1` as anybody in the linkage zone may; the last message of a key stands, a
tombstone takes it away. Nothing is compared anew: what is shown is what was sent.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from linkage.explain import Evidence
from ops.admin.topic_reader import TopicMessage
from schemas.errors import Unreadable
from schemas.linking import Link

Reading = Callable[[], Iterable[TopicMessage]]  # a topic from its beginning, each time it is asked
Answers = dict[str, Link]  # record -> the last answer


# ---------------------------------------------------------------- answers


def answers_of(messages: Iterable[TopicMessage], records: Collection[str]) -> Answers:
    """The last answers of these records; one that has none is absent."""
    wanted = ((record, value) for record, value in keyed(messages) if record in records)
    return _last(wanted, lambda *_: True)


def answers_of_people(reading: Reading, records: Collection[str]) -> Answers:
    """The last answers of these records and of all others of the people they belong to. Read twice, so that no
    more is kept.
    """
    people = {link.person_id for link in answers_of(reading(), records).values()}
    return _last(keyed(reading()), lambda record, link: record in records or link.person_id in people)


def _last(answers: Iterable[tuple[str, bytes | None]], wanted: Callable[[str, Link], bool]) -> Answers:
    last: Answers = {}
    for record, value in answers:
        link = Link.parse(value) if value is not None else None
        if link is not None and wanted(record, link):
            last[record] = link
        else:
            last.pop(record, None)
    return last


def keyed(messages: Iterable[TopicMessage]) -> Iterator[tuple[str, bytes | None]]:
    """Record and answer of each message in order; None takes the record away."""
    return ((message.key.decode(), message.value) for message in messages if message.key is not None)


# ---------------------------------------------------------------- evidence


def evidence_of(row: Mapping[str, Any]) -> Evidence:
    """One row of an answer as `linkage.explain` wrote it. Raises Unreadable where a part is missing."""
    try:
        terms = tuple((term["field"], term["level"], round(term["bits"] * 1000)) for term in row["fields"])
        bits, rules = round(row["bits"] * 1000), tuple(row["rules"])
        return Evidence(row["other"], bits, row["band"], terms, rules)
    except (KeyError, TypeError):
        raise Unreadable("evidence", rule="lacks a part") from None


def evidence_between(answers: Mapping[str, Link], a: str, b: str) -> tuple[Evidence, ...]:
    """The evidence on the two in either answer, as seen from `a`. An answer names its surest pairs only, so one may
    lack a pair that the other has.
    """
    found = []
    for record, counterpart in ((a, b), (b, a)):
        for row in answers[record].evidence if record in answers else ():
            if row.get("other") == counterpart:
                evidence = evidence_of(row)
                found.append(Evidence(b, evidence.bits, evidence.band, evidence.terms, evidence.rules))
    return tuple(dict.fromkeys(found))
