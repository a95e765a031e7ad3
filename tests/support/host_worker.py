"""A small stage for the host's broker tests, and a worker of it: `python host_worker.py <settings as JSON>`.

An input value `+name` adds an element to the state, `-name` removes it; both are echoed. `!name` is a poison.
`~name` raises, as a bug would.
"""

import dataclasses
import hashlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eventually import eventually
from prometheus_client import CollectorRegistry

from ops.lab.worker import host_of
from streams.host import app
from streams.host.settings import HostSettings
from streams.steps.outcome import Change, Emit, Message, MessageByMessage, Outcome, Reject, Stage

PARTITIONS = 12


def echo_stage(name: str) -> Stage:
    """Two co-partitioned inputs, one output, one changelog, all named after the stage."""
    return Stage(
        name=name,
        reads=(f"{name}.a", f"{name}.b"),
        changelog=f"{name}.state",
        partitions=PARTITIONS,
        dead_letter=f"{name}.dlq",
        writes=(f"{name}.out",),
        last=True,
    )


@dataclasses.dataclass(frozen=True)
class EchoStep(MessageByMessage):
    """State: the set of names added and not removed."""

    stage: Stage
    freezes_at: bytes = b""  # the worker stops itself as by SIGSTOP when it meets this input
    rounds: int = 1  # of hashing: how much work one message is

    def restore(self, elements: Iterable[tuple[bytes, bytes]]) -> set[bytes]:
        """The names kept."""
        return {key for key, _ in elements}

    def advance(self, state: set[bytes], message: Message) -> tuple[set[bytes], tuple[Outcome, ...]]:
        """Echo, and add or remove."""
        assert message.value is not None
        sign, name = message.value[:1], message.value[1:]
        hashlib.pbkdf2_hmac("sha256", name, b"salt", self.rounds)
        if message.value == self.freezes_at:
            os.kill(os.getpid(), signal.SIGSTOP)
        if sign == b"!":
            return state, (Reject("poison"),)
        if sign == b"~":
            raise LookupError("a bug")
        (state.discard if sign == b"-" else state.add)(name)
        echo = Emit(self.stage.writes[0], message.partition, message.value, message.value, (("kind", b"echo"),))
        return state, (echo, Change(name, None if sign == b"-" else b"kept"))


def show_when_ready(facts: app.HostFacts, file: Path) -> None:
    """Makes the file once the worker says of itself that it is alive and ready; asked from another thread."""

    def watch() -> None:
        eventually(lambda: all((facts.live() | facts.ready()).values()), why="ready", within_seconds=60)
        file.touch()

    threading.Thread(target=watch, daemon=True).start()


def seal(message: Message, code: str) -> bytes:
    """Deterministic, as the host asks."""
    return b"sealed:" + code.encode() + b":" + (message.value or b"")


def main(options: dict[str, Any]) -> None:
    """Run one worker; readiness is shown by a file `ready` in its directory."""
    logging.basicConfig(level=options.pop("level", "WARNING"), format="%(asctime)s %(name)s %(levelname)s %(message)s")
    stage = echo_stage(options.pop("stage"))
    if options.pop("trusting", False):  # it does not fence itself, so that the broker's fence is seen
        app.Watchdog.check = app.Watchdog.start = lambda self: None  # type: ignore[method-assign]
    step = EchoStep(stage, options.pop("freezes_at", "").encode(), options.pop("rounds", 1))
    run_worker = host_of(mutant=options.pop("mutant", None), fault_at=options.pop("fault_at", None))
    settings = HostSettings(**{**options, "state_directory": Path(options["state_directory"])})
    registry = CollectorRegistry()
    run_worker(
        stage,
        step,
        settings=settings,
        seal_dead_letter=seal,
        registry=registry,
        on_facts=lambda facts: show_when_ready(facts, settings.state_directory / "ready"),
        inspect_states=None,
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
