"""A sender of HL7v2 over MLLP: one message, one answer, in order. For `tierlink send`, the simulator and tests."""

import socket
import time
from types import TracebackType
from typing import Self

from connectors.doors.mllp_framing import END, START, Fault, Frame, Unframer, framed
from connectors.sources.tier3_hl7v2.answer import Acknowledgement, read_answer
from schemas.errors import InvalidField

ANSWER_BYTES_MAX = 1024 * 1024
ANSWER_SECONDS_MAX = 30.0  # the door waits ten for the broker; the rest is queueing
CHUNK_BYTES = 65536


class NoAnswer(Exception):
    """The connection gave no whole answer in time. Whether the message was taken is unknown: send it again."""

    retriable = True


class MllpClient:
    """One connection. Use as a context manager, or `close` it; not for several threads at once."""

    def __init__(self, host: str, port: int, *, answer_seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        self._address = (host, port)
        self._seconds_max = answer_seconds_max
        self._socket: socket.socket | None = None
        self._unframer = Unframer(bytes_max=ANSWER_BYTES_MAX)

    def send(self, message: bytes) -> Acknowledgement:
        """Sends one message and returns its answer, connecting first where there is no connection.

        Raises NoAnswer (the connection is closed; a resend is safe, because a message keeps its entry id),
        Unreadable when the answer is no ACK, InvalidField for a message that holds a framing byte.
        """
        if START in message or END in message:
            raise InvalidField("message", rule="holds VT or FS, which frame messages")
        deadline = time.monotonic() + self._seconds_max
        try:
            connection = self._connected()
            connection.settimeout(self._seconds_max)
            connection.sendall(framed(message))
            return read_answer(self._answer(connection, deadline))
        except OSError as failure:
            self.close()
            raise NoAnswer(type(failure).__name__) from None

    def close(self) -> None:
        """Closes the connection; the next `send` opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._unframer = Unframer(bytes_max=ANSWER_BYTES_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=self._seconds_max)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _answer(self, connection: socket.socket, deadline: float) -> bytes:
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            connection.settimeout(remaining)
            chunk = connection.recv(CHUNK_BYTES)
            for item in self._unframer.feed(chunk):
                match item:
                    case Frame():
                        return item.content
                    case Fault():
                        raise ConnectionError
            if not chunk:
                raise ConnectionError
