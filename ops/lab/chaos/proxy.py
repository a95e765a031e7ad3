"""A TCP proxy between one process and the broker, whose link can be made slow, dead or torn.

    with ProxyProcess() as park:
        proxy = FaultProxy(listen_port, target_port, park=park).start()
        proxy.apply(LinkFault("latency", seconds=2.0))
        proxy.heal()

Give a worker `127.0.0.1:<listen_port>` as bootstrap and the broker a Listener(target_port, listen_port): then
all of the worker's connections go through the proxy. A connection made while a fault lasts is subject to it.
When nobody listens at the target, the client's connection is closed at once. Measured on two shared cores:
0.7 GB/s through a healthy proxy (1.4 GB/s without); a round trip of 200 bytes 0.03 to 0.1 ms longer (median).
"""

from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Self

from ops.errors import TierlinkError
from ops.lab.chaos.proxied_connection import LinkFault
from ops.lab.chaos.proxy_listener import Traffic
from ops.lab.chaos.proxy_process import ProxyProcess

__all__ = ["FaultProxy", "LinkFault", "ProxyProcess", "Traffic"]


class FaultProxy:
    """Listens on `listen_port` and passes everything on to `target_port`, both of 127.0.0.1.

    `park` is the process it lives in, started by whoever made it; without one it starts its own. The methods
    may be called from any thread; when they return, what they say is so. They raise TierlinkError when the
    process has gone.
    """

    def __init__(self, listen_port: int, target_port: int, *, park: ProxyProcess | None = None) -> None:
        self.listen_port = listen_port
        self.target_port = target_port
        self._own_park = park is None
        self._park = park or ProxyProcess()
        self._listens = False

    def start(self) -> Self:
        """It listens, and is healthy. Raises OSError when the port is taken."""
        if self._own_park:
            self._park.start()
        try:
            self._park.ask("open", self.listen_port, target_port=self.target_port)
            self._listens = True
        finally:
            if not self._listens and self._own_park:
                self._park.stop()
        return self

    def stop(self) -> None:
        """It does not listen any more, and its open connections have been reset. start() opens it again."""
        listened, self._listens = self._listens, False
        if listened and not self._own_park:
            with suppress(TierlinkError):  # the process has gone, and the proxy with it
                self._park.ask("shut", self.listen_port)
        if self._own_park:
            self._park.stop()

    def apply(self, fault: LinkFault) -> None:
        """This fault instead of the one before (which is healed first), for open and for new connections.

        A reset is over when this returns, and leaves the link healthy.
        """
        self._park.ask("apply", self.listen_port, **asdict(fault))

    def heal(self) -> None:
        """The link is healthy: what latency or a trickle held back goes at once, in order.

        A connection that lost bytes in a black hole cannot go on as if it had them: it is reset.
        """
        self._park.ask("heal", self.listen_port)

    def traffic(self) -> Traffic:
        """The counts since start()."""
        return Traffic(**self._park.ask("traffic", self.listen_port))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
