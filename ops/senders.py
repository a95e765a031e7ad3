"""Sending through the real doors, as providers do, and writing down every answer in the journal."""

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from connectors.doors.mllp_client import MllpClient, NoAnswer
from ops.broker_process import POLL_SECONDS
from ops.errors import TierlinkError
from ops.journal import Answer, Journal, Sent
from schemas.envelope import entry_id
from schemas.errors import InvalidField

ANSWER_SECONDS_MAX = 60.0
FILE_SECONDS_MAX = 300.0
TRIES_MAX = 20
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Answered:
    """What a door said: its verdict, its own code (HTTP status, MSA-1, done or failed) and its whole answer."""

    answer: Answer
    code: str
    body: bytes


class HttpSender:
    """Posts FHIR to one source over one connection; a 503 is sent again, as a provider would."""

    def __init__(self, source: str, port: int, journal: Journal) -> None:
        self._source = source
        self._port = port
        self._journal = journal
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS_MAX)

    def send(self, body: bytes, *, message_id: str, kind: str = "fhir") -> Answered:
        """Post one message and note the answer."""
        answered = self._post(body)
        for _ in range(TRIES_MAX):
            if answered.answer != "unknown":
                break
            time.sleep(1.0)
            answered = self._post(body)
        identifier = entry_id(self._source, message_id or sha256(body).hexdigest())
        self._journal.note([Sent(self._source, identifier, answered.answer, kind)])
        return answered

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _post(self, body: bytes) -> Answered:
        headers = {"Content-Type": "application/fhir+json", "X-Tierlink-Source": self._source}
        try:
            self._connection.request("POST", "/fhir", body=body, headers=headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answered("unknown", "none", b"")
        verdicts: dict[int, Answer] = {202: "accepted", 200: "ignored"}
        verdict: Answer = "unknown" if answer.status >= 500 else verdicts.get(answer.status, "refused")
        return Answered(verdict, str(answer.status), text)


class Hl7Sender:
    """Sends HL7v2 to one source over MLLP and reads each acknowledgement."""

    def __init__(self, source: str, port: int, journal: Journal) -> None:
        self._source = source
        self._journal = journal
        self._client = MllpClient(LOOPBACK, port, answer_seconds_max=ANSWER_SECONDS_MAX)

    def send(self, message: bytes, *, message_id: str, kind: str = "hl7v2") -> Answered:
        """Send one message and note the answer; "try again" (broker away) and a lost connection are sent again."""
        answered = self._once(message)
        for _ in range(TRIES_MAX):
            if answered.answer != "unknown":
                break
            time.sleep(1.0)
            answered = self._once(message)
        self._journal.note([Sent(self._source, entry_id(self._source, message_id), answered.answer, kind)])
        return answered

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _once(self, message: bytes) -> Answered:
        try:
            answer = self._client.send(message)
        except NoAnswer:
            return Answered("unknown", "none", b"")
        except InvalidField:  # a framing byte inside: a provider's interface engine could not send it either
            return Answered("refused", "none", b"")
        verdicts: dict[str, Answer] = {"accepted": "accepted", "ignored": "ignored", "try": "unknown"}
        text = " ".join((answer.text, *(issue.rule for issue in answer.issues)))
        return Answered(verdicts.get(answer.disposition, "refused"), answer.code, text.encode())


class FileSender:
    """Drops files as a council does and waits until each stands in done/ or failed/."""

    def __init__(self, source: str, folder: Path, journal: Journal) -> None:
        self._source = source
        self._folder = folder
        self._journal = journal

    def drop(self, name: str, content: bytes) -> None:
        """The file stands in inbox/, whole from the first moment it is visible."""
        part = self._folder / "inbox" / f".{name}.part"
        part.write_bytes(content)
        part.rename(self._folder / "inbox" / name)

    def wait(self, name: str, content: bytes, *, rows: Sequence[int]) -> Answered:
        """Note one answer per row (their positions in the file) once the file is answered."""
        deadline = time.monotonic() + FILE_SECONDS_MAX
        while True:
            for place in ("done", "failed"):
                if (self._folder / place / name).exists():
                    return self._note(place, name, content, rows)
            if time.monotonic() > deadline:
                raise TierlinkError(f"a file of {self._source} was not answered in {FILE_SECONDS_MAX:.0f} s")
            time.sleep(POLL_SECONDS)

    def _note(self, place: str, name: str, content: bytes, rows: Sequence[int]) -> Answered:
        answer: Answer = "accepted" if place == "done" else "refused"
        file_id = sha256(content).hexdigest()
        self._journal.note(
            Sent(self._source, entry_id(self._source, file_id, row), answer, "csv") for row in rows
        )
        report = self._folder / place / f"{name}.report.csv"
        return Answered(answer, place, report.read_bytes() if report.exists() else b"")
