"""What each fault does to bytes on their way, and that nothing happens to them without one."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from eventually import eventually

from ops.errors import TierlinkError
from ops.lab.chaos.proxied_connection import ProxiedConnection
from ops.lab.chaos.proxy import FaultProxy, LinkFault, ProxyProcess
from ops.local.broker.server_process import free_port, is_free

LOOPBACK = "127.0.0.1"
NEVER_SECONDS = 30.0  # a latency that no test waits for


@pytest.fixture(scope="module")
def process() -> Iterator[ProxyProcess]:
    """The one process of all proxies here."""
    with ProxyProcess() as running:
        yield running


@pytest.fixture
def target() -> Iterator[socket.socket]:
    """Where the proxy leads: a socket that listens."""
    with socket.create_server((LOOPBACK, free_port())) as server:
        server.settimeout(30)
        yield server


@pytest.fixture
def proxy(process: ProxyProcess, target: socket.socket) -> Iterator[FaultProxy]:
    """A healthy proxy before the target."""
    with FaultProxy(free_port(but_not={target.getsockname()[1]}), target.getsockname()[1], inside=process) as item:
        yield item


Connect = Callable[[], tuple[socket.socket, socket.socket]]


@pytest.fixture
def connect(proxy: FaultProxy, target: socket.socket) -> Iterator[Connect]:
    """connect(): the two ends of a new connection, the client's and the broker's."""
    ends: list[socket.socket] = []

    def make() -> tuple[socket.socket, socket.socket]:
        near = socket.create_connection((LOOPBACK, proxy.listen_port), timeout=30)
        far, _ = target.accept()
        far.settimeout(30)
        ends.extend((near, far))
        return near, far

    yield make
    for end in ends:
        end.close()


def received(end: socket.socket, count: int) -> bytes:
    """Exactly so many bytes."""
    found = b""
    while len(found) < count:
        part = end.recv(min(count - len(found), 2**18))
        assert part, f"the stream ended after {len(found)} of {count} bytes"
        found += part
    return found


def sent_until_stopped(end: socket.socket, count: int) -> int:
    """How many bytes went before the sender was stopped for half a second; at least `count` if it never was."""
    end.settimeout(0.5)
    sent = 0
    with suppress(TimeoutError):
        while sent < count:
            sent += end.send(bytes(2**18))
    return sent


def is_reset(end: socket.socket) -> bool:
    """True when the next read meets RST; False for a plain end."""
    try:
        assert end.recv(1) == b""
    except ConnectionResetError:
        return True
    return False


def test_without_a_fault_every_byte_passes_in_order_both_ways(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    there, back = random.Random(1).randbytes(3_000_000), random.Random(2).randbytes(2_000_000)
    sender = threading.Thread(target=near.sendall, args=(there,))
    sender.start()
    assert received(far, len(there)) == there
    sender.join()
    sender = threading.Thread(target=far.sendall, args=(back,))
    sender.start()
    assert received(near, len(back)) == back
    sender.join()
    traffic = proxy.traffic()
    assert (traffic.to_broker, traffic.from_broker) == (len(there), len(back))
    assert (traffic.swallowed, traffic.held, traffic.open, traffic.resets) == (0, 0, 1, 0)


def test_the_end_of_one_direction_leaves_the_other_open(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    near.sendall(b"question")
    near.shutdown(socket.SHUT_WR)
    assert received(far, 8) == b"question"
    assert far.recv(1) == b""
    far.sendall(b"answer")
    far.close()
    assert received(near, 6) == b"answer"
    assert near.recv(1) == b""
    eventually(lambda: proxy.traffic().open == 0, why="a connection that has ended both ways is forgotten")


def test_latency_holds_bytes_back_and_healing_lets_them_go_in_order(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    proxy.apply(LinkFault("latency", seconds=NEVER_SECONDS))
    near.sendall(b"one")
    eventually(lambda: proxy.traffic().held == 3, why="the bytes are held back")
    near.sendall(b"two")
    eventually(lambda: proxy.traffic().held == 6, why="so are the next")
    assert proxy.traffic().to_broker == 0
    proxy.heal()
    near.sendall(b"three")
    assert received(far, 11) == b"onetwothree"


def test_latency_on_one_way_leaves_the_other_as_it_was(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    proxy.apply(LinkFault("latency", seconds=NEVER_SECONDS, direction="from_broker"))
    near.sendall(b"request")
    assert received(far, 7) == b"request"
    far.sendall(b"answer")
    eventually(lambda: proxy.traffic().held == 6, why="the answer is held back")
    assert proxy.traffic().from_broker == 0


def test_bytes_come_by_themselves_when_their_latency_is_over(connect: Connect, proxy: FaultProxy) -> None:
    proxy.apply(LinkFault("latency", seconds=0.2))
    near, far = connect()  # a new connection is subject to it too
    chunks = random.Random(3).randbytes(2_000_000)
    sender = threading.Thread(target=near.sendall, args=(chunks,))
    sender.start()
    assert received(far, len(chunks)) == chunks
    sender.join()
    assert proxy.traffic().held == 0


def test_what_a_killed_client_had_sent_still_arrives_late(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    proxy.apply(LinkFault("latency", seconds=0.2))
    far.sendall(b"unread: closing sends RST")
    eventually(lambda: proxy.traffic().from_broker > 0, why="the answer has come, and nobody reads it")
    near.sendall(b"last words")
    eventually(lambda: proxy.traffic().held == 10, why="the bytes are on their way")
    near.close()
    assert received(far, 10) == b"last words"
    assert far.recv(1) == b""
    proxy.apply(LinkFault("reset"))
    traffic = proxy.traffic()
    assert (traffic.open, traffic.resets) == (0, 1), "what is left of the connection can be reset too"


def test_a_reset_ends_what_is_open_on_both_sides_and_nothing_after(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    proxy.apply(LinkFault("reset"))
    assert is_reset(near)
    assert is_reset(far)
    near, far = connect()
    near.sendall(b"again")
    assert received(far, 5) == b"again"
    assert proxy.traffic().resets == 1


def test_a_reset_between_the_two_connections_reaches_the_broker_too(target: socket.socket) -> None:
    """The broker's kernel may have taken the connection before the proxy knows of it."""

    async def reset_then_joined() -> None:
        loop, opened = asyncio.get_running_loop(), asyncio.Event()
        link = ProxiedConnection(loop, on_open=lambda _: opened.set(), on_closed=lambda _: None)
        server = await loop.create_server(lambda: link.client, LOOPBACK, 0)
        near = socket.create_connection(server.sockets[0].getsockname())
        await opened.wait()
        link.reset()
        await loop.create_connection(lambda: link.broker, *target.getsockname())
        link.join()
        server.close()
        near.close()

    asyncio.run(reset_then_joined())
    far, _ = target.accept()
    with far:
        far.settimeout(30)
        assert is_reset(far)


@pytest.mark.parametrize("direction", ["to_broker", "from_broker"])
def test_a_black_hole_swallows_one_way_until_healing_resets_who_lost_something(
    connect: Connect, proxy: FaultProxy, direction: str
) -> None:
    to_broker = direction == "to_broker"
    whole_near, whole_far = connect()
    near, far = connect()
    proxy.apply(LinkFault("black_hole", direction="to_broker" if to_broker else "from_broker"))
    into, out = (near, far) if to_broker else (far, near)
    into.sendall(b"gone")
    eventually(lambda: proxy.traffic().swallowed == 4, why="the bytes are swallowed")
    out.sendall(b"kept")
    assert received(into, 4) == b"kept"
    new_near, new_far = connect()
    (new_near if to_broker else new_far).sendall(b"gone too")
    eventually(lambda: proxy.traffic().swallowed == 12, why="a new connection is subject to it")
    assert proxy.traffic().open == 3, "connections stay"
    proxy.heal()
    assert all(is_reset(end) for end in (near, far, new_near, new_far))
    whole_near.sendall(b"whole")
    assert received(whole_far, 5) == b"whole"


def test_the_end_of_a_stream_does_not_leave_a_black_hole_either(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    proxy.apply(LinkFault("black_hole", direction="to_broker"))
    near.shutdown(socket.SHUT_WR)
    eventually(lambda: proxy.traffic().swallowed == 1, why="the end is swallowed")
    far.sendall(b"still there?")
    assert received(near, 12) == b"still there?"
    proxy.heal()
    assert is_reset(far)


def test_a_trickle_lets_single_bytes_through_and_healing_the_rest(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    proxy.apply(LinkFault("trickle"))
    near.sendall(b"0123456789")
    assert far.recv(10) == b"0"
    traffic = proxy.traffic()
    assert traffic.held + traffic.to_broker == 10
    assert traffic.held > 0
    proxy.heal()
    assert received(far, 9) == b"123456789"


def test_another_fault_takes_the_place_of_the_one_before(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    proxy.apply(LinkFault("latency", seconds=NEVER_SECONDS))
    near.sendall(b"held")
    eventually(lambda: proxy.traffic().held == 4, why="the bytes are held back")
    proxy.apply(LinkFault("black_hole", direction="from_broker"))
    assert received(far, 4) == b"held"


def test_a_reader_that_is_too_slow_stops_the_sender_not_the_machine(connect: Connect, proxy: FaultProxy) -> None:
    near, far = connect()
    sent = sent_until_stopped(near, 2**28)
    assert 0 < sent < 2**26, "buffers of the kernel and 1 MiB of ours, not what was sent"
    assert received(far, sent) == bytes(sent)


def test_with_nobody_at_the_target_the_client_is_closed_at_once(proxy: FaultProxy, target: socket.socket) -> None:
    target.close()
    with socket.create_connection((LOOPBACK, proxy.listen_port), timeout=30) as near:
        assert not is_reset(near)
    eventually(lambda: proxy.traffic().open == 0, why="nothing of it is left")
    with socket.create_server((LOOPBACK, proxy.target_port)) as back:
        back.settimeout(30)
        near = socket.create_connection((LOOPBACK, proxy.listen_port), timeout=30)
        back.accept()[0].close()
        near.close()


def test_a_stopped_proxy_gives_its_port_back_and_starts_again(
    connect: Connect, proxy: FaultProxy, process: ProxyProcess
) -> None:
    near, _ = connect()
    with pytest.raises(OSError, match="open failed"):
        FaultProxy(proxy.listen_port, proxy.target_port, inside=process).start()
    proxy.apply(LinkFault("latency", seconds=NEVER_SECONDS))
    proxy.stop()
    assert is_reset(near)
    assert is_free(proxy.listen_port)
    proxy.start()
    near, far = connect()
    near.sendall(b"healthy")
    assert received(far, 7) == b"healthy"


def test_many_proxies_are_one_process_and_no_thread(process: ProxyProcess) -> None:
    threads, ports = threading.active_count(), set[int]()
    while len(ports) < 24:
        ports.add(free_port(but_not=ports))
    proxies = [FaultProxy(port, 1, inside=process).start() for port in ports]
    assert threading.active_count() == threads
    for item in proxies:
        item.stop()
    assert all(is_free(port) for port in ports)


def test_a_proxy_without_a_process_starts_its_own(target: socket.socket) -> None:
    item = FaultProxy(free_port(), target.getsockname()[1])
    with pytest.raises(TierlinkError, match="not been started"):
        item.heal()
    with item, socket.create_connection((LOOPBACK, item.listen_port), timeout=30) as near:
        near.sendall(b"through")
        with target.accept()[0] as far:
            assert received(far, 7) == b"through"
    assert is_free(item.listen_port)


def test_the_proxies_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    port = free_port()
    program = (
        "import os, signal; from ops.lab.chaos.proxy import FaultProxy;"
        f"FaultProxy({port}, 1).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, env=os.environ)
    assert ended.returncode == -signal.SIGKILL
    eventually(lambda: is_free(port), why="the port is free again")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "latency"},
        {"kind": "reset", "seconds": 1.0},
        {"kind": "reset", "direction": "to_broker"},
    ],
)
def test_a_fault_that_makes_no_sense_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        LinkFault(**wrong)  # type: ignore[arg-type]  # what is wrong with it is the test
