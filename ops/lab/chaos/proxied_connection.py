"""One connection through a fault proxy: two directions, each of which can be made to misbehave.

Everything here runs on the proxy's event loop. Bytes of a healthy direction are written on in the very call
that brought them. A faulty one keeps them in a queue, in order, with the moment from which they may go.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

LinkFaultKind = Literal["latency", "reset", "black_hole", "trickle"]
Side = Literal["to_broker", "from_broker"]

# What a direction holds back before it stops reading: 30 s of 1 MB/s, so that latency does not become a limit
# on throughput at our rates. A trickle takes only what a router would buffer: the sender must feel it.
QUEUE_BYTES_MAX: Mapping[str | None, int] = {"latency": 32 * 2**20, "trickle": 64 * 2**10}
WRITE_BUFFER_BYTES_MAX = 2**20
TRICKLE_SECONDS = 1.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST


@dataclass(frozen=True)
class LinkFault:
    """What a link does from now on.

    latency: every byte comes `seconds` later, in order, throughput as before.  reset: every open connection is
    reset, once, on both sides.  black_hole: bytes are taken and thrown away, an end of stream too.  trickle:
    one byte a second.  `direction` is to_broker, from_broker or both; a reset has both.
    """

    kind: LinkFaultKind
    seconds: float = 0.0
    direction: Literal["to_broker", "from_broker", "both"] = "both"

    def __post_init__(self) -> None:
        assert (self.seconds > 0) == (self.kind == "latency"), "latency, and only latency, takes seconds"
        assert self.kind != "reset" or self.direction == "both", "a reset ends both directions"

    def acts_on(self, side: Side) -> bool:
        """True when this direction is not healthy."""
        return self.kind != "reset" and self.direction in (side, "both")


class Direction:
    """Bytes one way: `passed` were written on, `swallowed` (ends too) thrown away, `held` wait in the queue.

    `ended` is true, and `on_end` has been called, once the end of the stream has been written on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
        self.passed = 0
        self.swallowed = 0
        self.ended = False
        self._loop = loop
        self._on_end = on_end
        self._fault: LinkFault | None = None
        self._queue: deque[tuple[float, bytes]] = deque()  # b"" is the end of the stream
        self.held = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._full = False
        self._paused = False
        self._source_ended = False
        self._source: asyncio.Transport | None = None
        self._target: asyncio.Transport | None = None

    def join(self, source: asyncio.Transport, target: asyncio.Transport) -> None:
        """Connects these two from now on. What came before was queued, and is sent under the current fault."""
        self._source, self._target = source, target
        self.obey(self._fault)

    def obey(self, fault: LinkFault | None) -> None:
        """This fault, or none, from now on; without one, what was held back goes at once, in order."""
        self._fault = fault
        self._stop_timer()
        if self._target is None:
            return
        if fault is None or fault.kind == "black_hole":
            self._due = 0.0
            let_go = self._swallow if fault else self._write
            while self._queue:
                let_go(self._next())
        else:
            self._wake()
        self._balance()

    def arrived(self, chunk: bytes) -> None:
        """Take bytes from the source; b"" means that no more will come (a second b"" changes nothing)."""
        if self._source_ended:
            return
        self._source_ended = not chunk
        if self._target is not None and self._fault is None:
            self._write(chunk)
        elif self._target is not None and self._fault is not None and self._fault.kind == "black_hole":
            self._swallow(chunk)
        else:
            seconds = self._fault.seconds if self._fault else 0.0
            self._due = max(self._due, self._loop.time() + seconds)
            self._queue.append((self._due, chunk))
            self.held += len(chunk)
            self._wake()
            self._balance()

    def target_is_full(self, full: bool) -> None:
        """The target takes no more for now, or takes again."""
        self._full = full
        self._balance()

    def stop(self) -> None:
        """Forget what is held back; nothing more is taken or written."""
        self._stop_timer()
        self._source_ended = True
        self._queue.clear()
        self.held = 0
        self._source = self._target = None

    def _wake(self) -> None:
        if self._queue and self._timer is None and self._target is not None and self._fault is not None:
            wait = TRICKLE_SECONDS if self._fault.kind == "trickle" else self._queue[0][0] - self._loop.time()
            self._timer = self._loop.call_later(max(0.0, wait), self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        assert self._fault is not None
        if self._fault.kind == "trickle":
            self._write(self._first_byte())
        else:
            while self._queue and self._queue[0][0] <= self._loop.time():
                self._write(self._next())
        self._wake()
        self._balance()

    def _next(self) -> bytes:
        chunk = self._queue.popleft()[1]
        self.held -= len(chunk)
        return chunk

    def _first_byte(self) -> bytes:
        due, chunk = self._queue.popleft()
        if len(chunk) > 1:
            self._queue.appendleft((due, chunk[1:]))
        self.held -= len(chunk[:1])
        return chunk[:1]

    def _write(self, chunk: bytes) -> None:
        open_target = self._target if self._target and not self._target.is_closing() else None
        if chunk and open_target:
            self.passed += len(chunk)
            open_target.write(chunk)
        elif not chunk:
            self.ended = True
            if open_target:
                with suppress(OSError):  # the peer has gone meanwhile
                    open_target.write_eof()
            self._on_end()

    def _swallow(self, chunk: bytes) -> None:
        self.swallowed += len(chunk) or 1

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _balance(self) -> None:
        kind = self._fault.kind if self._fault else None
        pause = kind != "black_hole" and (self._full or self.held >= QUEUE_BYTES_MAX.get(kind, 1))
        if self._source is None or self._source_ended or self._source.is_closing() or pause == self._paused:
            return
        self._paused = pause
        if pause:
            self._source.pause_reading()
        else:
            self._source.resume_reading()


class ProxiedConnection:
    """A client's connection and ours to the broker.

    `on_open` is called when the client is there, to connect `broker` and join() the two; `on_closed` once,
    when both are gone.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        on_open: Callable[["ProxiedConnection"], None],
        on_closed: Callable[["ProxiedConnection"], None],
    ) -> None:
        self.to_broker = Direction(loop, self._close_when_ended)
        self.from_broker = Direction(loop, self._close_when_ended)
        self.client = _End(self.to_broker, self.from_broker, on_open=lambda: on_open(self))
        self.broker = _End(self.from_broker, self.to_broker)
        self._on_closed = on_closed
        self._closed = False

    @property
    def swallowed(self) -> int:
        """How many bytes (and ends) were thrown away: above zero, the streams are not whole any more."""
        return self.to_broker.swallowed + self.from_broker.swallowed

    @property
    def held(self) -> int:
        """How many bytes wait for their moment."""
        return self.to_broker.held + self.from_broker.held

    def join(self) -> None:
        """Both ends are connected: bytes go through. A link that was reset meanwhile stays so, on both sides."""
        client, broker = self.client.transport, self.broker.transport
        assert client is not None
        assert broker is not None
        if self._closed:
            self.broker.reset()
        else:
            self.to_broker.join(client, broker)
            self.from_broker.join(broker, client)

    def obey(self, fault: LinkFault | None) -> None:
        """Both directions behave so from now on."""
        self.to_broker.obey(fault if fault and fault.acts_on("to_broker") else None)
        self.from_broker.obey(fault if fault and fault.acts_on("from_broker") else None)

    def reset(self) -> None:
        """RST to both sides; what was held back is lost."""
        for end in (self.client, self.broker):
            end.reset()
        self._forget()

    def close(self) -> None:
        """Both sides are closed when what was written has gone out."""
        for end in (self.client, self.broker):
            if end.transport is not None:
                end.transport.close()
        self._forget()

    def _close_when_ended(self) -> None:
        if self.to_broker.ended and self.from_broker.ended:
            self.close()

    def _forget(self) -> None:
        self.to_broker.stop()
        self.from_broker.stop()
        if not self._closed:
            self._closed = True
            self._on_closed(self)


class _End(asyncio.Protocol):
    """One of a link's two connections: what it reads goes into one direction, the other writes to it."""

    def __init__(
        self, reads_into: Direction, written_by: Direction, *, on_open: Callable[[], None] | None = None
    ) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self._reads_into = reads_into
        self._written_by = written_by
        self._on_open = on_open

    def reset(self) -> None:
        """RST, if there is anybody to get it."""
        if self.transport is not None and not self.lost:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        self.transport = transport
        if self._on_open is not None:
            self._on_open()

    def data_received(self, chunk: bytes) -> None:
        self._reads_into.arrived(chunk)

    def eof_received(self) -> bool:
        self._reads_into.arrived(b"")
        return True  # the other direction goes on

    def pause_writing(self) -> None:
        self._written_by.target_is_full(True)

    def resume_writing(self) -> None:
        self._written_by.target_is_full(False)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        # A process that was killed: what it had sent is still on its way, and arrives, late if the link is slow.
        self._reads_into.arrived(b"")
        self._written_by.target_is_full(False)
