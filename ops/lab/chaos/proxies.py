"""Every process's own way to the broker, through a proxy that can make it fail."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from ops.lab.chaos.proxy import FaultProxy, LinkFault, ProxyProcess
from ops.local.broker.embedded import Listener
from ops.local.broker.server_process import free_port

TRIES_MAX = 5


class Links:
    """One listener of the broker and one proxy before it for each name; `with Links(names) as links`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._park = ProxyProcess()
        self.listeners: dict[str, Listener] = {}
        given: set[int] = set()
        for name in names:
            port = free_port(but_not=given)
            given.add(port)
            advertised_port = free_port(but_not=given)
            given.add(advertised_port)
            self.listeners[name] = Listener(port, advertised_port)
        self._proxies = {
            name: FaultProxy(one.advertised_port, one.port, park=self._park)
            for name, one in self.listeners.items()
        }

    def __enter__(self) -> Self:
        self._park.start()
        for proxy in self._proxies.values():
            proxy.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._park.stop()  # and every proxy with it

    def apply(self, name: str, fault: LinkFault) -> None:
        """The way of this process has this fault from now on."""
        _insist(lambda: self._proxies[name].apply(fault))

    def heal(self, name: str) -> None:
        """The way of this process is healthy."""
        _insist(self._proxies[name].heal)

    def heal_all(self) -> None:
        """Every way is healthy."""
        for name in self._proxies:
            self.heal(name)


def _insist(order: Callable[[], None]) -> None:
    """Once more where a connection ended in that very moment: what is left to do is then done."""
    for _ in range(TRIES_MAX - 1):
        with suppress(OSError):
            return order()
    return order()
