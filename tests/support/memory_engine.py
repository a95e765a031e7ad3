"""The engine in memory (`ops.lab.memory_engine`) for tests, and what only tests ask of it."""

import base64

from ops.lab.memory_engine.engine import CRASH_POINTS, Faults, Finals, MemoryEngine, result_topics
from ops.lab.memory_engine.parts import (
    RECEIVED_AT,
    RECIPIENTS,
    START_MS,
    IntakeMessage,
    all_bucket_keys,
    all_keys,
    door_seal,
    door_session,
    intake_keys,
    intake_message,
    published,
    real_step,
    record_id,
    sealed_entry,
    sealed_envelope,
    sources,
    stages,
)

__all__ = [
    "CRASH_POINTS",
    "RECEIVED_AT",
    "RECIPIENTS",
    "START_MS",
    "Faults",
    "Finals",
    "IntakeMessage",
    "MemoryEngine",
    "all_bucket_keys",
    "all_keys",
    "base64_parts",
    "differing",
    "door_seal",
    "door_session",
    "everything",
    "intake_keys",
    "intake_message",
    "published",
    "real_step",
    "record_id",
    "result_topics",
    "sealed_entry",
    "sealed_envelope",
    "sources",
    "stages",
]


def everything(engine: MemoryEngine) -> bytes:
    """Every key, value and header of every topic in one text, base64 within JSON not opened."""
    parts = []
    for log in engine.logs.partitions.values():
        for message in log.messages:
            parts += [message.key or b"", message.value or b"", *(value for _, value in message.headers)]
    return b"\n".join(parts)


def differing(first: Finals, second: Finals) -> dict[str, list[str]]:
    """Topic -> keys whose final values differ; empty when two runs ended in the same."""
    found = {}
    for name in first.keys() | second.keys():
        left, right = first.get(name, {}), second.get(name, {})
        keys = [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
        if keys:
            found[name] = sorted(key.decode() for key in keys)
    return found


def base64_parts(text: bytes) -> bytes:
    """What stands in base64 in any JSON value of `text`, opened."""
    found = []
    for part in text.replace(b'"', b" ").split():
        try:
            found.append(base64.b64decode(part, validate=True))
        except ValueError:
            continue
    return b"\n".join(found)
