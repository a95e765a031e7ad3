"""What the linker compares is sealed wherever it lies: no topic and no state, which is all that the engine keeps on
disk, holds a token that somebody could count.

Tokens are looked for raw, in hex and in base64. A search that finds nothing proves nothing: the same search finds
every one of them in what the linker opens, and every seal where it should lie.
"""

import base64
from collections.abc import Callable, Iterable
from functools import cache

import pytest
from memory_engine import MemoryEngine, all_bucket_keys, all_keys, base64_parts, everything, stages
from small_world import small_world

from linkage.tokens import EncodedIdentity
from ops.verify.compare import OpenedValue, Side
from schemas import canonical
from schemas.data_keys import FAMILIES, Family
from schemas.keyring import ZONES, Purpose
from schemas.sealed_body import open_padded
from schemas.topics import EVENTS, IDENTITY
from streams.steps.outcome import Emit

SALTED_BYTES = 12  # looked for of each block's comparison tokens: four of them, more than chance finds


@cache
def engine() -> MemoryEngine:
    made = MemoryEngine(seed=5)
    for slug, message in small_world():
        made.take(slug, message)
    made.run()
    (key, moved), *_ = ((item.key, item.value) for item in made.read([IDENTITY]))
    assert key is not None
    made.put(Emit(IDENTITY, 0, key[::-1], moved))  # under another record's name: a dead letter
    return made.run()


def seals(topic: str) -> dict[bytes, str]:
    """Every sealed identity on a topic, with the record it is of."""
    found = {}
    for message in engine().read([topic]):
        items, record = (
            canonical.load_object(message.value or b"{}"),
            (message.key or b"").decode().split("/")[0],
        )
        if items.get("tokens") is not None:
            found[base64.b64decode(items["tokens"])] = record
    return found


@cache
def opened() -> tuple[bytes, ...]:
    """What the seals hide."""
    value_of = OpenedValue.of(Side(lambda name: engine().read([name]), all_bucket_keys()), all_keys())
    found = []
    for sealed, record in seals(EVENTS).items():
        data_key = value_of.wrapped[record].opened(record, Family.TOKENS, all_bucket_keys())
        assert data_key is not None
        found.append(open_padded(data_key, sealed, context=record.encode()))
    return tuple(found)


@cache
def tokens() -> frozenset[bytes]:
    """The tokens of every identity that was ever told: of numbers, of blocks, and within blocks."""
    found: set[bytes] = set()
    for octet in map(EncodedIdentity.from_bytes, opened()):
        found |= {octet.nhs} if octet.nhs else set()
        found |= {block.token for block in octet.blocks}
        found |= {block.salted[:SALTED_BYTES] for block in octet.blocks}
    return frozenset(found)


def seen(wanted: Iterable[bytes], text: bytes) -> set[bytes]:
    """Which of these stand in the text, raw, in hex, or in base64, also where JSON stands in JSON."""
    opened_text = text + b"\n" + base64_parts(text) + b"\n" + base64_parts(text.replace(b"\\", b" "))
    lower = text.lower()
    return {item for item in wanted if item in opened_text or item.hex().encode() in lower}


def test_no_topic_and_no_state_holds_a_token_unsealed() -> None:
    assert len(tokens()) > 150
    assert seen(tokens(), everything(engine())) == set()


@pytest.mark.parametrize("form", [bytes, base64.b64encode, base64.b16encode])
def test_the_same_search_finds_every_token_in_what_the_linker_opens(form: Callable[[bytes], bytes]) -> None:
    text = b"\n".join(b'{"v":1,"tokens":"' + form(raw) + b'"}' for raw in opened())
    assert seen(tokens(), text) == tokens()


@pytest.mark.parametrize("reader", ["records", "linker"])
def test_the_same_search_finds_every_seal_on_the_topic_and_in_the_state_of_its_readers(reader: str) -> None:
    (of,) = (stage for stage in stages() if stage.name == reader)
    state = [value for task in range(of.partitions) for value in engine().changelog(of, task).values()]
    kept = seen(seals(EVENTS if reader == "records" else IDENTITY), b"\n".join(state))
    assert len(kept) > 10


def test_only_the_zone_that_seals_and_the_one_that_compares_hold_the_keys_of_the_seal() -> None:
    assert {zone for zone, held in FAMILIES.items() if Family.TOKENS in held} == {"ingress", "linker"}
    assert Purpose.LINK_TOKENS not in ZONES["linker"], "who compares tokens cannot make them"
