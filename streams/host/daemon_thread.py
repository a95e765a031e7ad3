"""Long work beside the loop, on a thread that never keeps the process from ending."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


async def run_in_daemon_thread(work: Callable[[], Result]) -> Result:
    """What `work` returns, or the error it raises; the loop ticks meanwhile.

    Not `asyncio.to_thread`: its threads are joined at exit, and a worker that gets SIGTERM while it
    reads a million elements has ten seconds.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  raised again where it was asked for
            errors.append(error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=run, name="daemon-work", daemon=True).start()
    await ended.wait()
    if errors:
        raise errors[0]
    return results[0]
