"""What an engine answered for a record, or for two and between them, as a person reads it."""

from dataclasses import dataclass

from rich.console import Console

from linkage.model import Model
from ops.errors import SettingsError
from ops.steward.answers_read import Answers, Reading, answers_of_people, evidence_between, evidence_of
from ops.steward.link_coverage import EvidenceChecker, chain
from ops.training import explaining
from ops.training.explaining import Explained

ANOTHER_MODEL = "these weights are not those of the model below: the engine links with another, or did when it answered"

NO_EVIDENCE = "no evidence: no weight and no decision of any pair asked for says that it may be one person"


@dataclass(frozen=True)
class AnswerExplanation:
    """One record or two, the answers of all records of their people, the evidence between them, and the chain that
    joins the two where they are one person and no row joins them.
    """

    records: tuple[str, ...]
    answers: Answers
    checker: EvidenceChecker
    rows: tuple[Explained, ...]
    chain: tuple[Explained, ...]

    def as_json(self) -> dict[str, object]:
        """The object of `--json`."""
        return {
            "records": {record: self._answer(record) for record in self.records},
            "one_person": len({self.answers[record].person_id for record in self.records}) == 1,
            "evidence": [self._row(row) for row in self.rows],
            "chain": [self._row(row) for row in self.chain],
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

    def _row(self, row: Explained) -> dict[str, object]:
        return {**row.as_json(), "by_this_model": self.checker.knows(row.evidence)}

    def of_person(self, person: str) -> list[str]:
        """The records of a person."""
        return sorted(record for record, link in self.answers.items() if link.person_id == person)


def explained(reading: Reading, records: tuple[str, ...], model: Model) -> AnswerExplanation:
    """What the engine answered for the records, one or two. Raises SettingsError for one it does not know."""
    answers, checker = answers_of_people(reading, records), EvidenceChecker(model)
    if any(record not in answers for record in records):
        raise SettingsError("no such record: it is named as `linkage reviews` and `consume link.map.v1` print it")
    if len(records) == 1:
        rows = map(evidence_of, answers[records[0]].evidence)
        found = tuple(Explained((records[0], row.other), checker.model, row) for row in rows)
        return AnswerExplanation(records, answers, checker, found, ())
    a, b = records
    between = evidence_between(answers, a, b)
    found = tuple(Explained((a, b), checker.model, row) for row in between)
    one_person = answers[a].person_id == answers[b].person_id
    if not one_person or any(map(checker.joins, between)):
        return AnswerExplanation(records, answers, checker, found, ())
    steps = [
        Explained(pair, checker.model, row)
        for pair in chain(checker, answers, a, b)
        for row in evidence_between(answers, *pair)
        if checker.joins(row)
    ]
    return AnswerExplanation(records, answers, checker, found, tuple(steps))


def show(console: Console, found: AnswerExplanation) -> None:
    """Whose the records are, then field, level, bits and rules of each pair with evidence, then the model."""
    for record in found.records:
        link = found.answers[record]
        why = f" ({', '.join(link.reasons)})" if link.reasons else ""
        of = len(found.of_person(link.person_id))
        whose = "the only record" if of == 1 else f"one of {of} records"
        console.print(f"{record}: {whose} of person {link.person_id}, {link.status}{why}", soft_wrap=True)
    for row in found.rows:
        _show(console, found.checker, row)
    if not found.rows:
        console.print(NO_EVIDENCE)
    if found.chain:
        console.print(f"one person by a chain of {len({row.pair for row in found.chain})} pairs:")
    for row in found.chain:
        _show(console, found.checker, row)
    if found.rows or found.chain:
        explaining.show_model(console, found.checker.model)


def _show(console: Console, checker: EvidenceChecker, row: Explained) -> None:
    explaining.show_pair(console, row)
    if not checker.knows(row.evidence):
        console.print(ANOTHER_MODEL)
