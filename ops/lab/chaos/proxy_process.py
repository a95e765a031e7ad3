"""One process with one event loop for every fault proxy of a run; it ends with the process that started it.

A process, not a thread: a load generator's threads hold the interpreter for 5 ms at a time, and a round trip
through a proxy beside one such thread took 10.6 ms instead of 0.2 ms (measured). Orders and answers are lines
of JSON over a socket pair, one answer for each order.
"""

import asyncio
import json
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from ops.errors import TierlinkError
from ops.lab.chaos.proxied_connection import LinkFault
from ops.lab.chaos.proxy_listener import ProxyListener

ANSWER_SECONDS_MAX = 60.0  # the loop answers in milliseconds; starting Python on a busy machine takes seconds


class ProxyProcess:
    """The process, seen from outside. One for any number of proxies; may be asked from any thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._lock = threading.Lock()

    def start(self) -> Self:
        """It runs, without a proxy yet."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "ops.lab.chaos.proxy_process", str(theirs.fileno())]
            # A session of its own: Ctrl-C in a terminal must not take the links from workers that are stopping.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
            )
        ours.settimeout(ANSWER_SECONDS_MAX)
        self._orders = ours
        return self

    def stop(self) -> None:
        """The process has ended, and with it every proxy and connection; nothing happens when it does not run."""
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, order: str, port: int, **more: Any) -> dict[str, Any]:
        """The answer to one order to the proxy that listens on `port`.

        Raises OSError with the errno the order met, TierlinkError when the process does not run or answer.
        """
        with self._lock:
            if self._orders is None:
                raise TierlinkError("the fault proxies have not been started")
            try:
                self._orders.sendall(json.dumps({"order": order, "port": port, **more}).encode() + b"\n")
                line = _line(self._orders)
            except OSError as failure:
                raise TierlinkError("the process of the fault proxies does not answer") from failure
        answer: dict[str, Any] = json.loads(line)
        if "errno" in answer:
            raise OSError(answer["errno"], f"fault proxy: {order} failed")
        return answer

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _line(orders: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        if not (part := orders.recv(4096)):
            raise ConnectionResetError
        line += part
    return line


async def serve(orders: socket.socket) -> None:
    """Do what is ordered until the other side closes."""
    reader, writer = await asyncio.open_connection(sock=orders)
    listeners: dict[int, ProxyListener] = {}
    while line := await reader.readline():
        try:
            answer = await _answer(listeners, **json.loads(line))
        except OSError as failure:
            answer = {"errno": failure.errno or 0}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()


async def _answer(listeners: dict[int, ProxyListener], order: str, port: int, **more: Any) -> dict[str, Any]:
    if order == "open":
        listener = ProxyListener(port, **more)
        await listener.open()
        listeners[port] = listener
    elif order == "shut":
        listeners.pop(port).shut()
        await asyncio.sleep(0)  # transports let their sockets go in the next round of the loop
    elif order == "apply":
        listeners[port].apply(LinkFault(**more))
    elif order == "heal":
        listeners[port].heal()
    else:
        return asdict(listeners[port].traffic())
    return {}


if __name__ == "__main__":
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1]))))
