"""Providers against doors that fail them: the same bytes again until answered, and no acknowledgement unheard."""

import itertools
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from eventually import eventually

from connectors.doors.mllp_framing import framed
from ops.client.journal import Journal, Sent
from ops.client.senders import FileSender, Hl7Sender, HttpSender, Patience, SendAnswer
from schemas.envelope import entry_id

Script = Callable[[bytes], bytes | None]  # what was asked -> the answer; None ends the connection without one
SOON = Patience(answer_seconds_max=20.0, pause_seconds=0.01, tries_max=6, seconds_max=60.0)


class CutOff(bytes):
    """An answer after which the connection ends."""


class FailingDoor:
    """A listening socket that answers each message by the next line of its script, the last one for ever."""

    def __init__(self, ends_with: bytes, script: Sequence[Script], *, port: int = 0) -> None:
        self._ends_with = ends_with
        self._script = itertools.chain(script, itertools.repeat(script[-1]))
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Nobody is listened to any more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                while (asked := self._asked(connection)) and (answer := next(self._script)(asked)):
                    connection.sendall(answer)
                    if isinstance(answer, CutOff):
                        break

    def _asked(self, connection: socket.socket) -> bytes:
        asked = b""
        while not asked.endswith(self._ends_with):
            try:
                chunk = connection.recv(65536)
            except OSError:
                return b""
            if not chunk:
                return b""
            asked += chunk
        self.heard.append(asked)
        return asked


def http(status: str) -> Script:
    return lambda _: f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}".encode()


def acknowledged(code: str, text: str) -> Script:
    ack = f"MSH|^~\\&|T|T|P|P|20260101000000||ACK|1|P|2.4\rMSA|{code}|1|{text}\r".encode()
    return lambda _: framed(ack)


def lost(_: bytes) -> None:
    """The door took the message, and its answer never came."""


def echoed(asked: bytes) -> bytes:
    """What a port that nobody holds can do: connected to itself, it gives back what was sent."""
    return asked


def half(of: Script) -> Script:
    def halved(asked: bytes) -> bytes:
        whole = of(asked)
        assert whole is not None
        return CutOff(whole[: len(whole) // 2])

    return halved


BODY = b'{"resourceType":"Bundle"}'
MESSAGE = b"MSH|^~\\&|PAS|RXX|T|T|20260101000000||ADT^A31|1|P|2.4\rPID|1\r"
TAKEN, IGNORED = http("202 Accepted"), http("200 OK")
AA = acknowledged("AA", "accepted 1")


@pytest.fixture
def door() -> Iterator[Callable[..., FailingDoor]]:
    """door(ends_with, script): a listening door that is closed after the test."""
    made: list[FailingDoor] = []

    def listening(ends_with: bytes, *script: Script, port: int = 0) -> FailingDoor:
        made.append(FailingDoor(ends_with, script, port=port))
        return made[-1]

    yield listening
    for item in made:
        item.close()


def answers(journal: Journal) -> list[tuple[str, str]]:
    return [(message.entry_id, message.answer) for message in journal.read()]


def post(port: int, journal: Journal, patience: Patience = SOON) -> SendAnswer:
    sender = HttpSender("gp-hub", port, journal, patience=patience)
    answered = sender.send(BODY, message_id="m")
    sender.close()
    return answered


def say(port: int, journal: Journal, patience: Patience = SOON) -> SendAnswer:
    sender = Hl7Sender("trust-wm", port, journal, patience=patience)
    answered = sender.send(MESSAGE, message_id="m")
    sender.close()
    return answered


@pytest.mark.parametrize(
    ("before", "final", "verdict"),
    [
        ([lost], TAKEN, "accepted"),
        ([lost, lost, lost], IGNORED, "ignored"),
        ([http("503 Try again")], TAKEN, "accepted"),
        ([http("500 Fault"), http("408 Too slow"), http("429 Too many")], TAKEN, "accepted"),
        ([half(TAKEN)], TAKEN, "accepted"),
        ([echoed], TAKEN, "accepted"),
        ([lost], http("422 Refused"), "refused"),
    ],
)
def test_a_body_without_an_answer_is_posted_again_and_counted_once(
    door: Callable[..., FailingDoor], tmp_path: Path, before: list[Script], final: Script, verdict: str
) -> None:
    journal, opened = Journal(tmp_path / "journal"), door(BODY, *before, final)
    assert post(opened.port, journal).answer == verdict
    assert answers(journal) == [(entry_id("gp-hub", "m"), verdict)]
    assert len(opened.heard) >= len(before) + 1
    assert {item.rpartition(b"\r\n\r\n")[2] for item in opened.heard} == {BODY}


@pytest.mark.parametrize(
    ("before", "final", "verdict"),
    [
        ([lost], AA, "accepted"),
        ([lost, lost], acknowledged("AA", "ignored 1"), "ignored"),
        ([acknowledged("AE", "try again")], AA, "accepted"),
        ([half(AA)], AA, "accepted"),
        ([echoed], AA, "accepted"),
        ([lambda _: framed(b"not HL7")], AA, "accepted"),
        ([lost], acknowledged("AE", "refused"), "refused"),
    ],
)
def test_a_message_without_an_answer_is_sent_again_and_counted_once(
    door: Callable[..., FailingDoor], tmp_path: Path, before: list[Script], final: Script, verdict: str
) -> None:
    journal, opened = Journal(tmp_path / "journal"), door(b"\x1c\r", *before, final)
    assert say(opened.port, journal).answer == verdict
    assert answers(journal) == [(entry_id("trust-wm", "m"), verdict)]
    assert len(opened.heard) > len(before)
    assert set(opened.heard) == {framed(MESSAGE)}


@pytest.mark.parametrize(("ends_with", "send"), [(BODY, post), (b"\x1c\r", say)])
def test_what_is_never_answered_is_unknown_and_never_acknowledged(
    door: Callable[..., FailingDoor], tmp_path: Path, ends_with: bytes, send: Callable[..., SendAnswer]
) -> None:
    journal, opened = Journal(tmp_path / "journal"), door(ends_with, lost)
    assert send(opened.port, journal).answer == "unknown"
    assert [answer for _, answer in answers(journal)] == ["unknown"]
    assert len(opened.heard) == SOON.tries_max


def test_patience_ends_at_its_deadline_and_at_once_when_the_sending_has_ended(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        closed_port = held.getsockname()[1]
    for_ever = Patience(pause_seconds=0.01, tries_max=10**9, seconds_max=0.1)
    assert post(closed_port, Journal(tmp_path / "a"), for_ever).answer == "unknown"
    ended = threading.Event()
    ended.set()
    hours = Patience(pause_seconds=3600.0)
    sender = HttpSender("gp-hub", closed_port, Journal(tmp_path / "b"), patience=hours, ended=ended)
    assert sender.send(BODY, message_id="m").answer == "unknown"
    sender.close()


def test_a_door_that_comes_back_on_its_port_gets_what_waited_for_it(
    door: Callable[..., FailingDoor], tmp_path: Path
) -> None:
    journal, patience = Journal(tmp_path / "journal"), Patience(pause_seconds=0.01, tries_max=10**6)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    sending = threading.Thread(target=lambda: post(port, journal, patience), daemon=True)
    sending.start()
    under_way = [(entry_id("gp-hub", "m"), "unknown")]
    eventually(lambda: answers(journal) == under_way, why="it is under way, and nobody has answered")
    door(BODY, TAKEN, port=port)
    sending.join(30)
    assert answers(journal) == [(entry_id("gp-hub", "m"), "accepted")]


def test_what_a_sender_that_died_had_sent_is_unknown_until_somebody_knows_better(tmp_path: Path) -> None:
    journal, sent = Journal(tmp_path / "journal"), Sent("gp-hub", "e", "accepted", "fhir")
    journal.begin([sent])
    assert answers(Journal(tmp_path / "journal")) == [("e", "unknown")]
    journal.note([sent])  # by another sender: acknowledged is acknowledged, whoever else never heard of it
    assert answers(journal) == [("e", "accepted"), ("e", "unknown")]


def test_a_line_cut_short_by_a_death_is_no_answer(tmp_path: Path) -> None:
    journal, sent = Journal(tmp_path / "journal"), Sent("gp-hub", "e", "accepted", "fhir")
    begun = journal.begin([sent])
    journal.note([sent], begun=begun)
    assert answers(journal) == [("e", "accepted")]
    whole = (tmp_path / "journal").read_bytes()
    journal.begin([sent])
    (tmp_path / "journal").write_bytes(whole[:-5])
    assert answers(journal) == [("e", "unknown")]


def a_folder(tmp_path: Path) -> Path:
    for room in ("inbox", "work", "done", "failed"):
        (tmp_path / "folder" / room).mkdir(parents=True)
    return tmp_path / "folder"


def test_a_file_is_unknown_from_its_drop_until_it_stands_in_done(tmp_path: Path) -> None:
    folder, journal = a_folder(tmp_path), Journal(tmp_path / "journal")
    sender = FileSender("council-east", folder, journal)
    sender.drop("a.csv", b"content", rows=[2, 3])
    assert [answer for _, answer in answers(journal)] == ["unknown", "unknown"]
    assert sender.note(sender.answered_in("a.csv"), "a.csv", b"content", rows=[2, 3]).answer == "unknown"
    assert [answer for _, answer in answers(journal)] == ["unknown", "unknown"], "given up: noted, not twice"
    (folder / "inbox" / "a.csv").rename(folder / "done" / "a.csv")
    assert sender.wait("a.csv", b"content", rows=[2, 3]).answer == "accepted"
    assert [answer for _, answer in answers(journal)] == ["unknown", "unknown", "accepted", "accepted"]
