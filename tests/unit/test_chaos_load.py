"""The seeded load: the same seed gives the same bytes, every kind is in it, and the readers judge it as said."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

import pytest

from connectors import mapping as mappings
from connectors.entry import SourceEntry
from connectors.sources import primary_care_fhir, tier2_csv, tier3_hl7v2
from ops.lab.chaos.workload import EntryMix, Offer, mixture, offers
from ops.lab.simulator.model import Delivery
from ops.runtime.paths import load_sources, packaged
from schemas.envelope import entry_id

SEED, EVENTS = 4, 3000
NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
VERDICT = {"accepted": "accepted", "refused": "rejected", "rejected_row": "rejected", "ignored": "ignored"}
# smallest share of entries of each kind, whatever the seed
SHARES = {
    "duplicates": 0.05, "late": 0.10, "corrections": 0.03, "refused": 0.015, "rejected_rows": 0.008,
    "identity_changes": 0.012, "merges": 0.005, "ignored": 0.008,
}  # fmt: skip


@cache
def offered() -> tuple[Offer, ...]:
    return offers(SEED, EVENTS)


def read(delivery: Delivery) -> list[SourceEntry]:
    """What the real reader of the door makes of a delivery."""
    source = load_sources(None, test_mode=True)[delivery.source]
    if delivery.kind == "fhir":
        found = primary_care_fhir.read(delivery.content, source=source, test_mode=True, received_at=NOW)
        return list(found)
    if delivery.kind == "hl7":
        return [tier3_hl7v2.read(delivery.content, source=source, test_mode=True, received_at=NOW)]
    mapping = mappings.parse(packaged("connectors.mappings", f"{source.mapping}.toml"))
    file_id = sha256(delivery.content).hexdigest()
    reading = tier2_csv.read(
        delivery.content, source=source, mapping=mapping, file_id=file_id, test_mode=True, received_at=NOW
    )
    return list(reading.entries)


def disagreements(offer: Offer) -> Iterator[str]:
    """Where the reader judges an entry otherwise, or names it otherwise, than the load says."""
    entries, items = read(offer.delivery), offer.delivery.entries
    if offer.delivery.kind == "csv_file" and offer.delivery.tag == "broken":
        yield from ("file" for _ in entries)  # refused as a whole: no row of it is read
        return
    for entry, truth in zip(entries, items, strict=True):
        if entry.checked.verdict.value.removesuffix("_with_warnings") != VERDICT[truth.expected]:
            yield f"{offer.kind} {offer.delivery.kind}: {entry.checked.verdict.value}, not {truth.expected}"
        named = entry_id(offer.delivery.source, entry.message_id, entry.position)
        if truth.expected == "accepted" and named != entry_id(offer.delivery.source, truth.message_id, truth.position):
            yield f"{offer.kind} {offer.delivery.kind}: another entry id"


def test_the_same_seed_offers_the_same_bytes_and_another_seed_does_not() -> None:
    again, other = offers(SEED, EVENTS), offers(SEED + 1, 50)
    assert [entry.delivery for entry in again] == [entry.delivery for entry in offered()]
    contents = {entry.delivery.content for entry in offered()}
    assert not contents & {entry.delivery.content for entry in other}


@pytest.mark.parametrize("events", [1, 7, 100, EVENTS])
def test_exactly_so_many_entries_are_offered(events: int) -> None:
    found = offered() if events == EVENTS else offers(SEED, events)
    assert sum(len(entry.delivery.entries) for entry in found) == mixture(found).entries == events


def test_no_entry_at_all_is_no_load() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        offers(SEED, 0)


def lacking(found: EntryMix) -> list[str]:
    """The kinds of which less is offered than is promised."""
    return [name for name, share in SHARES.items() if getattr(found, name) < share * found.entries]


def test_every_kind_is_offered_at_its_share() -> None:
    assert lacking(mixture(offered())) == []


@pytest.mark.parametrize(
    ("kind", "name"), [("poison", "refused"), ("identity", "identity_changes"), ("merge", "merges")]
)
def test_a_load_without_a_kind_is_seen_to_lack_it(kind: str, name: str) -> None:
    assert lacking(mixture(action for action in offered() if action.kind != kind)) == [name]


def test_every_source_has_its_own_poison_identity_changes_and_resends() -> None:
    found = Counter((entry.kind, entry.delivery.source) for entry in offered())
    for kind in ("plain", "poison", "identity"):
        for source in ("gp-hub", "council-east", "trust-wm"):
            assert found[kind, source] > 0, (kind, source)
    resent = Counter(entry.delivery.kind for entry in offered() if entry.delivery.tag == "duplicate")
    assert set(resent) == {"fhir", "hl7", "csv_file"}


def test_no_two_files_bear_one_name() -> None:
    names = [entry.delivery.file_name for entry in offered() if entry.delivery.file_name is not None]
    assert len(names) == len(set(names)) > 20


def test_the_doors_readers_judge_and_name_what_is_added_as_the_load_says() -> None:
    added = [action for action in offered() if action.kind in ("poison", "identity", "merge")]
    assert [disagreement for each in added for disagreement in disagreements(each)] == []
    assert len({sha256(entry.delivery.content).digest() for entry in added}) > 100


def test_a_delivery_said_to_be_poison_that_is_none_is_seen() -> None:
    good = next(entry for entry in offered() if entry.kind == "plain" and entry.delivery.kind == "hl7")
    poison = next(entry for entry in offered() if entry.kind == "poison" and entry.delivery.kind == "hl7")
    lying = Offer("poison", replace(poison.delivery, content=good.delivery.content))
    assert list(disagreements(lying)) == ["poison hl7: accepted, not refused"]


def test_a_merge_retires_a_record_that_is_told_of() -> None:
    told_of = {entry.local_id for item in offered() for entry in item.delivery.entries}
    merges = [item.delivery for item in offered() if b"\rMRG|" in item.delivery.content]
    retired = [merge.content.rpartition(b"MRG|")[2].partition(b"^")[0].decode() for merge in merges]
    # the second registration may lie beyond the last entry offered, or come later than its merge
    assert sum(item in told_of for item in retired) >= 0.8 * len(retired)  # of about twenty
    kinds = {merge.content.split(b"|")[8].split(b"^")[1] for merge in merges}
    assert kinds == {b"A34", b"A40"}
