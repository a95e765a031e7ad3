"""Sending through the real doors, as providers do, and writing down every answer in the journal.

A provider that gets no positive or negative answer sends the same bytes again: the entry keeps its id, so the
worst result is a duplicate. When its patience ends, the journal has `unknown`.
"""

import csv
import http.client
import json
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ops.client.journal import Answer, Journal, Sent
from ops.client.mllp_client import MllpClient, NoAnswer
from ops.errors import TierlinkError
from schemas.envelope import entry_id
from schemas.errors import InvalidField, Severity, Unreadable

POLL_SECONDS = 0.05
FILE_SECONDS_MAX = 300.0
LOOPBACK = "127.0.0.1"
ANSWER_DIRECTORIES = ("done", "failed")
_SEND_AGAIN = (408, 429)  # like 5xx: about the moment, not about the message


@dataclass(frozen=True)
class SendAnswer:
    """What a door answered: its verdict, its own code (HTTP status, MSA-1, done or failed) and its whole answer.

    `reasons` are its errors, each as `field: rule`; no value that was sent is in them.
    """

    answer: Answer
    code: str
    body: bytes
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patience:
    """How long a provider stays with one entry: with one try, between two tries, and in all."""

    answer_seconds_max: float = 60.0
    pause_seconds: float = 1.0
    tries_max: float = 21
    seconds_max: float = math.inf


USUAL_PATIENCE = Patience()


class _Sender(ABC):
    """One source, one connection at a time; sends the same bytes until they are answered.

    `ended`, once set, ends the tries of an entry that has no answer.
    """

    def __init__(
        self,
        source: str,
        port: int,
        journal: Journal,
        *,
        patience: Patience = USUAL_PATIENCE,
        ended: threading.Event | None = None,
    ) -> None:
        self._source = source
        self._journal = journal
        self._patience = patience
        self._ended = ended or threading.Event()
        self._connect(port, patience.answer_seconds_max)

    @abstractmethod
    def _connect(self, port: int, answer_seconds_max: float) -> None:
        """Prepare to send to this port of this machine, and to wait so long for one answer."""

    def _until_answered(self, once: Callable[[], SendAnswer], message_id: str, kind: str) -> SendAnswer:
        """The first definite answer of `once`, or its last; either way the journal has it."""
        sent = Sent(self._source, entry_id(self._source, message_id), "unknown", kind)
        begun = self._journal.begin([sent])
        deadline, tries = time.monotonic() + self._patience.seconds_max, 1
        answered = once()
        while answered.answer == "unknown" and tries < self._patience.tries_max:
            if time.monotonic() >= deadline or self._ended.wait(self._patience.pause_seconds):
                break
            answered, tries = once(), tries + 1
        self._journal.note([Sent(self._source, sent.entry_id, answered.answer, kind)], begun=begun)
        return answered


class HttpSender(_Sender):
    """Posts FHIR to one source; a 503 is sent again, as a provider would."""

    def _connect(self, port: int, answer_seconds_max: float) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=answer_seconds_max)

    def send(self, body: bytes, *, message_id: str, kind: str = "fhir") -> SendAnswer:
        """Post one message until it is answered or patience ends, and note the answer."""
        identifier = message_id or sha256(body).hexdigest()
        return self._until_answered(lambda: self._post(body), identifier, kind)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _post(self, body: bytes) -> SendAnswer:
        headers = {"Content-Type": "application/fhir+json", "X-Tierlink-Source": self._source}
        try:
            self._connection.request("POST", "/fhir", body=body, headers=headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return SendAnswer("unknown", "none", b"")
        verdicts: dict[int, Answer] = {202: "accepted", 200: "ignored"}
        # without a body it was cut off in its headers: http.client takes that for whole
        again = answer.status >= 500 or answer.status in _SEND_AGAIN or not text
        verdict: Answer = "unknown" if again else verdicts.get(answer.status, "refused")
        return SendAnswer(verdict, str(answer.status), text, tuple(_fhir_reasons(text)))


class Hl7Sender(_Sender):
    """Sends HL7v2 to one source over MLLP and reads each acknowledgement."""

    def _connect(self, port: int, answer_seconds_max: float) -> None:
        self._client = MllpClient(LOOPBACK, port, answer_seconds_max=answer_seconds_max)

    def send(self, message: bytes, *, message_id: str, kind: str = "hl7v2") -> SendAnswer:
        """Send one message and note the answer; "try again" (broker away) and a lost connection are sent again."""
        return self._until_answered(lambda: self._once(message), message_id, kind)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _once(self, message: bytes) -> SendAnswer:
        try:
            answer = self._client.send(message)
        except NoAnswer:
            return SendAnswer("unknown", "none", b"")
        except Unreadable:  # half an answer: what follows on this connection cannot be trusted either
            self._client.close()
            return SendAnswer("unknown", "none", b"")
        except InvalidField:  # a framing byte inside: a provider's interface engine could not send it either
            return SendAnswer("refused", "none", b"")
        verdicts: dict[str, Answer] = {"accepted": "accepted", "ignored": "ignored", "try": "unknown"}
        text = " ".join((answer.text, *(issue.rule for issue in answer.issues)))
        errors = [issue for issue in answer.issues if issue.severity is Severity.ERROR]
        reasons = tuple(_reason(issue.location, issue.rule) for issue in errors)
        return SendAnswer(verdicts.get(answer.disposition, "refused"), answer.code, text.encode(), reasons)


def _reason(field: str, rule: str) -> str:
    return f"{field}: {rule}" if field else rule


def _fhir_reasons(body: bytes) -> Iterator[str]:
    """The errors of an OperationOutcome; none where the body is something else."""
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        for issue in json.loads(body)["issue"]:
            if issue["severity"] in ("error", "fatal"):
                yield _reason(", ".join(issue.get("expression", ())), issue["diagnostics"])


def _report_reasons(report: bytes) -> Iterator[str]:
    """The errors that the report beside a file names; its last line only sums up."""
    for row in [*csv.DictReader(report.decode("utf-8", "replace").splitlines())][:-1]:
        if row["severity"] == "error":
            place = ", ".join(part for part in (row["row"] and f"row {row['row']}", row["column"]) if part)
            yield _reason(place, row["rule"])


class FileSender:
    """Drops files as a council does and waits until each is in done/ or failed/."""

    def __init__(self, source: str, folder: Path, journal: Journal) -> None:
        self._source = source
        self._folder = folder
        self._journal = journal
        self._begun: dict[str, Path] = {}

    def drop(self, name: str, content: bytes, *, rows: Sequence[int] = ()) -> None:
        """The file is in inbox/, complete from the first moment it is visible.

        With `rows` (their positions in the file) the journal has them as `unknown` until they are noted.
        Raises OSError where the file cannot be written; it may then be dropped again.
        """
        if rows and name not in self._begun:
            self._begun[name] = self._journal.begin(self._entries(content, rows, "unknown"))
        part = self._folder / "inbox" / f".{name}.part"
        part.write_bytes(content)
        part.rename(self._folder / "inbox" / name)

    def answered_in(self, name: str) -> str | None:
        """`done` or `failed` once the file is answered, else None."""
        found = (directory for directory in ANSWER_DIRECTORIES if (self._folder / directory / name).exists())
        return next(found, None)

    def wait(self, name: str, content: bytes, *, rows: Sequence[int]) -> SendAnswer:
        """Note one answer per row (their positions in the file) once the file is answered."""
        deadline = time.monotonic() + FILE_SECONDS_MAX
        while (directory := self.answered_in(name)) is None:
            if time.monotonic() > deadline:
                raise TierlinkError(f"a file of {self._source} was not answered in {FILE_SECONDS_MAX:.0f} s")
            time.sleep(POLL_SECONDS)
        return self.note(directory, name, content, rows=rows)

    def note(self, directory: str | None, name: str, content: bytes, *, rows: Sequence[int]) -> SendAnswer:
        """Note one answer per row: that of the directory, or `unknown` where the file is in none."""
        answers: dict[str | None, Answer] = {"done": "accepted", "failed": "refused"}
        answer = answers.get(directory, "unknown")
        begun = self._begun.pop(name, None)
        self._journal.note(self._entries(content, rows, answer), begun=begun)
        report = self._folder / (directory or "") / f"{name}.report.csv"
        text = report.read_bytes() if report.exists() else b""
        return SendAnswer(answer, directory or "none", text, tuple(_report_reasons(text)))

    def _entries(self, content: bytes, rows: Sequence[int], answer: Answer) -> list[Sent]:
        file_id = sha256(content).hexdigest()
        return [Sent(self._source, entry_id(self._source, file_id, row), answer, "csv") for row in rows]
