"""The listening side of a fault proxy: accepts a client, connects to the broker, joins the two.

Everything here runs on one event loop, that of the process in ops.lab.chaos.proxy_process.
"""

import asyncio
from dataclasses import dataclass

from ops.lab.chaos.proxied_connection import LinkFault, ProxiedConnection
from ops.local.broker.settings import LOOPBACK

BACKLOG = 512


@dataclass(frozen=True)
class Traffic:
    """What went through a proxy since it was started.

    Bytes written on, each way; bytes (and ends of streams) thrown away; bytes held back now; connections
    open now; connections that were reset.
    """

    to_broker: int = 0
    from_broker: int = 0
    swallowed: int = 0
    held: int = 0
    open: int = 0
    resets: int = 0


class ProxyListener:
    """From `listen_port` to `target_port`, both of 127.0.0.1, through one fault at a time."""

    def __init__(self, listen_port: int, target_port: int) -> None:
        self._ports = listen_port, target_port
        self._server: asyncio.Server | None = None
        self._links: set[ProxiedConnection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._fault: LinkFault | None = None
        self._resets = 0
        self._gone = Traffic()  # what closed links had carried

    async def open(self) -> None:
        """It listens. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, LOOPBACK, self._ports[0], backlog=BACKLOG)

    def shut(self) -> None:
        """It does not listen any more, and what was connected has been reset."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._connecting:
            task.cancel()
        self._reset(list(self._links))

    def apply(self, fault: LinkFault) -> None:
        """This fault instead of the one before, for open and new connections. A reset leaves none behind."""
        self.heal()
        if fault.kind == "reset":
            self._reset(list(self._links))
            return
        self._fault = fault
        for link in list(self._links):
            link.obey(fault)

    def heal(self) -> None:
        """No fault: links whose streams are whole go on, the others are reset."""
        self._fault = None
        self._reset([link for link in self._links if link.swallowed])
        for link in list(self._links):
            link.obey(None)

    def traffic(self) -> Traffic:
        """The counts up to now."""
        return self._with(list(self._links))

    def _accept(self) -> asyncio.Protocol:
        link = ProxiedConnection(asyncio.get_running_loop(), on_open=self._opened, on_closed=self._closed)
        link.obey(self._fault)
        self._links.add(link)
        return link.client

    def _opened(self, link: ProxiedConnection) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(link))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, link: ProxiedConnection) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: link.broker, LOOPBACK, self._ports[1])
        except OSError:
            link.close()
        else:
            link.join()

    def _reset(self, links: list[ProxiedConnection]) -> None:
        for link in links:
            link.reset()
        self._resets += len(links)

    def _closed(self, link: ProxiedConnection) -> None:
        self._links.discard(link)
        self._gone = self._with([link])

    def _with(self, links: list[ProxiedConnection]) -> Traffic:
        return Traffic(
            to_broker=self._gone.to_broker + sum(link.to_broker.passed for link in links),
            from_broker=self._gone.from_broker + sum(link.from_broker.passed for link in links),
            swallowed=self._gone.swallowed + sum(link.swallowed for link in links),
            held=sum(link.held for link in self._links),
            open=len(self._links),
            resets=self._resets,
        )
