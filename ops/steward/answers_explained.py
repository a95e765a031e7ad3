"""What an engine answered for a record, or for two and between them, as a person reads it."""

from dataclasses import dataclass

from rich.console import Console

from linkage.model import Model
from ops.errors import SettingsError
from ops.steward.answers_read import Answers, Reading, answers_of_people, evidence_between, evidence_of
from ops.steward.link_coverage import EvidenceChecker, chain
from ops.training import explaining
from ops.training.explaining import Explained

ANOTHER_MODEL = (
    "these weights are not those of the model below: the engine links with another, or did when it answered"
)

NOTHING_TOLD = "nothing is told: no weight and no word of any pair asked for says that it may be one person"


@dataclass(frozen=True)
class AnswerExplanation:
    """One record or two, the answers of all records of their people, what is told of them, and the chain that
    joins the two where they are one person and no row joins them.
    """

    records: tuple[str, ...]
    answers: Answers
    teller: EvidenceChecker
    told: tuple[Explained, ...]
    chain: tuple[Explained, ...]

    def as_json(self) -> dict[str, object]:
        """The object of `--json`."""
        return {
            "records": {record: self._answer(record) for record in self.records},
            "one_person": len({self.answers[record].person_id for record in self.records}) == 1,
            "evidence": [self._row(one) for one in self.told],
            "chain": [self._row(one) for one in self.chain],
        }

    def _answer(self, record: str) -> dict[str, object]:
        link = self.answers[record]
        return {
            "person": link.person_id,
            "status": link.status,
            "reasons": list(link.reasons),
            "formerly": list(link.formerly),
            "of_one_person": self.of_person(link.person_id),
        }

    def _row(self, one: Explained) -> dict[str, object]:
        return {**one.as_json(), "by_this_model": self.teller.knows(one.evidence)}

    def of_person(self, person: str) -> list[str]:
        """The records of a person."""
        return sorted(record for record, link in self.answers.items() if link.person_id == person)


def explained(reading: Reading, records: tuple[str, ...], model: Model) -> AnswerExplanation:
    """What the engine answered for the records, one or two. Raises SettingsError for one it does not know."""
    answers, teller = answers_of_people(reading, records), EvidenceChecker(model)
    if any(record not in answers for record in records):
        raise SettingsError(
            "no such record: it is named as `linkage reviews` and `consume link.map.v1` print it"
        )
    if len(records) == 1:
        rows = map(evidence_of, answers[records[0]].evidence)
        told = tuple(Explained((records[0], row.other), teller.model, row) for row in rows)
        return AnswerExplanation(records, answers, teller, told, ())
    a, b = records
    between = evidence_between(answers, a, b)
    told = tuple(Explained((a, b), teller.model, row) for row in between)
    one_person = answers[a].person_id == answers[b].person_id
    if not one_person or any(map(teller.joins, between)):
        return AnswerExplanation(records, answers, teller, told, ())
    steps = [
        Explained(pair, teller.model, row)
        for pair in chain(teller, answers, a, b)
        for row in evidence_between(answers, *pair)
        if teller.joins(row)
    ]
    return AnswerExplanation(records, answers, teller, told, tuple(steps))


def show(console: Console, found: AnswerExplanation) -> None:
    """Whose the records are, then field, level, bits and rules of each pair told of, then the model."""
    for record in found.records:
        link = found.answers[record]
        why = f" ({', '.join(link.reasons)})" if link.reasons else ""
        of = len(found.of_person(link.person_id))
        whose = "the only record" if of == 1 else f"one of {of} records"
        console.print(f"{record}: {whose} of person {link.person_id}, {link.status}{why}", soft_wrap=True)
    for one in found.told:
        _show(console, found.teller, one)
    if not found.told:
        console.print(NOTHING_TOLD)
    if found.chain:
        console.print(f"one person by a chain of {len({one.pair for one in found.chain})} pairs:")
    for one in found.chain:
        _show(console, found.teller, one)
    if found.told or found.chain:
        explaining.show_model(console, found.teller.model)


def _show(console: Console, teller: EvidenceChecker, one: Explained) -> None:
    explaining.show_pair(console, one)
    if not teller.knows(one.evidence):
        console.print(ANOTHER_MODEL)
