"""The trusts' door: HL7v2 over MLLP, a port for each source. It answers AA only when the broker has the message.

A connection is a conversation: one message, one answer, in the order sent. Everything has a limit:
connections, the size of a frame, how long a frame may take, how long a silent connection is kept, how long
an answer may wait to be read.
"""

import asyncio
import logging
import signal
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Self

from connectors.doors.door import DoorAnswer, DoorSetup, require_allowed_host, take_entry
from connectors.doors.mllp_framing import FRAME_BYTES_MAX, Fault, Frame, Unframer, framed
from connectors.entry import SourceEntry
from connectors.sources.tier3_hl7v2 import read
from connectors.sources.tier3_hl7v2.answer import Acknowledgement, echoed_control_id, write_answer
from connectors.sources.tier3_hl7v2.structure import header_of
from schemas.errors import InvalidField, Severity, error
from schemas.sources import Source

_log = logging.getLogger(__name__)
CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class MllpLimits:
    """How much of everything one door takes."""

    connections_max: int = 64  # interface engines keep one or a few open for years
    frame_bytes_max: int = FRAME_BYTES_MAX
    frame_seconds_max: float = 30.0  # 8 MiB in 30 s is 2 Mbit/s; a trickle is cut off
    idle_seconds_max: float = 600.0  # quiet nights are normal, half-open connections are not for ever
    answer_seconds_max: float = 30.0  # for the sender to take its answer
    closing_seconds_max: float = 15.0  # above the broker's ten: what is under way may still be answered


class MllpServer:
    """Listens for sources, one port each. `async with` it, or `start` and `close`."""

    def __init__(self, setup: DoorSetup, *, limits: MllpLimits | None = None) -> None:
        self._setup, self._metrics, self._clock = setup, setup.metrics, setup.clock
        self._limits = limits or MllpLimits()
        self._servers: list[asyncio.Server] = []
        self._conversations: dict[asyncio.Task[None], _Conversation] = {}
        # One thread for each conversation: a message waits for the broker without making another trust wait.
        self._threads = ThreadPoolExecutor(self._limits.connections_max, thread_name_prefix="mllp")

    async def start(
        self, ports: Mapping[Source, int], *, host: str = "127.0.0.1", allow_remote: bool = False
    ) -> Mapping[str, int]:
        """Listens for each source at its port (0: any free one) and returns the ports bound, by slug.

        Raises InvalidField when `host` is not a loopback address and `allow_remote` is not given, OSError
        when a port is taken (then nothing listens).
        """
        require_allowed_host(host, allow_remote=allow_remote)
        bound = {}
        try:
            for source, port in ports.items():
                server = await asyncio.start_server(self._listener(source), host, port, limit=CHUNK_BYTES)
                self._servers.append(server)
                bound[source.slug] = server.sockets[0].getsockname()[1]
        except OSError:
            await self.close()
            raise
        return bound

    async def close(self) -> None:
        """No new connections; what is under way is answered, for at most `closing_seconds_max`; then all are closed."""
        for server in self._servers:
            server.close()
        for task, conversation in self._conversations.items():
            conversation.last = True
            if not conversation.answering:
                task.cancel()
        if self._conversations:
            _, late = await asyncio.wait(self._conversations, timeout=self._limits.closing_seconds_max)
            for task in late:
                task.cancel()
        self._servers.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _listener(self, source: Source) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(self._conversations) >= self._limits.connections_max:
                self._metrics.refused(source.slug, "too-many-connections")
                writer.close()
                return
            conversation = _Conversation(reader, writer, limits=self._limits, answer=partial(self._answer, source))
            task = asyncio.ensure_future(conversation.run(source.slug))
            self._conversations[task] = conversation
            task.add_done_callback(self._conversations.pop)

        return accept

    async def _answer(self, source: Source, received: Frame | Fault) -> bytes:
        if isinstance(received, Fault):
            self._metrics.refused(source.slug, "framing")
            issue = error("MSH", f"the message {received.kind.value}", code="structure")
            return self._write_answer(received.opening, Acknowledgement("AR", "", DoorAnswer.REFUSED, (issue,)))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._take, source, received.content)

    def _take(self, source: Source, raw: bytes) -> bytes:
        """Runs in a thread: reads, checks, publishes, waits for the broker; only then is there an AA."""
        try:
            now = self._clock()
            entry = read(raw, source=source, test_mode=self._setup.test_mode, received_at=now)
            answer, entry_id = take_entry(self._setup, source, entry)
            acknowledgement = _acknowledgement(answer, entry, entry_id)
        except Exception as fault:  # noqa: BLE001  # a fault of ours with one message must not end the conversation
            _log.error("a message of %s met a fault: %s", source.slug, type(fault).__name__)
            self._metrics.refused(source.slug, "fault")
            acknowledgement = _TRY_AGAIN
        return self._write_answer(raw, acknowledgement)

    def _write_answer(self, raw: bytes, acknowledgement: Acknowledgement) -> bytes:
        header = header_of(raw)
        named = replace(acknowledgement, control_id=echoed_control_id(header))
        return framed(write_answer(named, header=header, at=self._clock(), control_id=uuid.uuid4().hex[:20]))


class _Conversation:
    """One connection: reads frames, has them answered one after the other, keeps the deadlines."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        limits: MllpLimits,
        answer: Callable[[Frame | Fault], Awaitable[bytes]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._answer = answer
        self._unframer = Unframer(bytes_max=limits.frame_bytes_max)
        self._frame, self._frame_ends_at = 0, 0.0
        self.answering = False
        self.last = False  # set when the door closes: the answer under way is the last

    async def run(self, source: str) -> None:
        """Until the sender goes, breaks a limit, or the door closes. Never raises but when cancelled."""
        try:
            await self._messages()
        except (ConnectionError, TimeoutError) as ended:
            _log.info("a connection of %s ended: %s", source, type(ended).__name__)
        finally:
            self._writer.close()

    async def _messages(self) -> None:
        chunk = await self._chunk()
        while chunk is None or chunk:
            received = [self._unframer.give_up()] if chunk is None else self._unframer.feed(chunk)
            if await self._answer_all(received):
                return
            chunk = await self._chunk()
        await self._answer_all(self._unframer.end())

    async def _answer_all(self, received: Sequence[Frame | Fault]) -> bool:
        """Answers each in turn; True when the conversation is over."""
        for frame in received:
            self.answering = True
            self._writer.write(await self._answer(frame))
            async with asyncio.timeout(self._limits.answer_seconds_max):
                await self._writer.drain()
            self.answering = False
            if self.last or (isinstance(frame, Fault) and frame.fatal):
                return True
        return False

    async def _chunk(self) -> bytes | None:
        """The next bytes, empty when the sender has gone, None when a frame took too long.

        Raises TimeoutError when a connection was silent for too long.
        """
        clock = asyncio.get_running_loop().time
        if self._frame != self._unframer.frames_begun:
            self._frame, self._frame_ends_at = (
                self._unframer.frames_begun,
                clock() + self._limits.frame_seconds_max,
            )
        inside = self._unframer.inside
        until = self._frame_ends_at if inside else clock() + self._limits.idle_seconds_max
        try:
            async with asyncio.timeout_at(until):
                return await self._reader.read(CHUNK_BYTES)
        except TimeoutError:
            if inside:
                return None
            raise


_NOT_KEPT = error("MSH-10", "was not kept here; send the message again", code="transient")
_TRY_AGAIN = Acknowledgement("AE", "", DoorAnswer.TRY_AGAIN, (_NOT_KEPT,))


def _acknowledgement(answer: DoorAnswer, entry: SourceEntry, entry_id: str) -> Acknowledgement:
    issues = entry.checked.issues
    if answer is DoorAnswer.TRY_AGAIN:
        return _TRY_AGAIN
    if answer is not DoorAnswer.REFUSED:
        return Acknowledgement("AA", "", f"{answer} {entry_id}", issues)
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    unlike_hl7 = any(issue.code == "structure" and issue.location.startswith("MSH") for issue in errors)
    return Acknowledgement("AR" if unlike_hl7 else "AE", "", answer, issues)


class MllpDoor:
    """An `MllpServer` with the ports that the command line names."""

    def __init__(self, setup: DoorSetup) -> None:
        require_allowed_host(setup.host, allow_remote=setup.allow_remote)
        if setup.ports.keys() - setup.sources.keys():
            raise InvalidField("--listen", rule="names a source that is not an MLLP source")
        self._setup = setup

    def serve(self, listening: Callable[[], None]) -> None:
        """See `Door`."""
        asyncio.run(self._serve(listening))

    async def _serve(self, listening: Callable[[], None]) -> None:
        setup, stop = self._setup, asyncio.Event()
        for order in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(order, stop.set)
        async with MllpServer(setup) as server:
            ports = {setup.sources[slug]: port for slug, port in setup.ports.items()}
            await server.start(ports, host=setup.host, allow_remote=setup.allow_remote)
            listening()
            await stop.wait()


open_door = MllpDoor
