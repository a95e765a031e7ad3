"""What records and the linker send each other reads back, and nothing else is taken for it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.data_keys import Family
from schemas.errors import Unreadable
from schemas.linking import TIER_RANK, Link, PairDecision, RecordIdentity, RelinkBatch
from schemas.record_keys import WrappedKeys

A, B = "0" * 31 + "a", "0" * 31 + "b"  # two records
texts = st.text(max_size=5)
ids = st.integers(0, 2**128 - 1).map("{:032x}".format)
identities = st.builds(
    RecordIdentity,
    st.just("r"),
    texts,
    st.sampled_from(sorted(TIER_RANK)),
    st.none() | st.binary(max_size=9),
    st.none()
    | st.builds(WrappedKeys, st.integers(1, 9), st.fixed_dictionaries({Family.TOKENS: st.binary(max_size=9)})),
    st.none() | texts,
)
links = st.builds(
    Link,
    person_id=ids,
    status=st.sampled_from(["linked", "held"]),
    reasons=st.lists(texts, max_size=2).map(tuple),
    evidence=st.lists(st.fixed_dictionaries({"other": texts}), max_size=2).map(tuple),
    formerly=st.lists(ids, max_size=2).map(tuple),
    revision=st.integers(0, 2**40),
)


@given(identities)
def test_an_identity_reads_back(identity: RecordIdentity) -> None:
    assert RecordIdentity.parse("r", identity.value()) == identity


@given(links)
def test_an_answer_reads_back(link: Link) -> None:
    assert Link.parse(link.value()) == link


@given(st.integers(0, 2**20), st.integers(1, 2**20))
def test_a_batch_to_be_answered_again_reads_back(number: int, more: int) -> None:
    batch = RelinkBatch("0a" * 16, number, number + more)
    assert RelinkBatch.parse(batch.key().decode(), batch.value()) == batch


DECISION = PairDecision((A, B), "link", "2026-11-23T10:00:00Z", "d-1")


def test_a_decision_reads_back_and_each_has_a_key_of_its_own() -> None:
    assert PairDecision.parse(DECISION.key().decode(), DECISION.value()) == DECISION
    assert DECISION.key() != replace(DECISION, decision_id="d-2").key()


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        (f"decision/{B}|{A}/d-1", {}),  # the greater first
        (f"decision/{A}|{A}/d-1", {}),  # a record and itself
        (f"decision/{A}|{B}", {}),
        (f"decision/{A}|{B}/d 1", {}),
        (f"decision/{A}|{B}/d-1\n", {}),
        (A, {}),
        *(
            (f"decision/{A}|{B}/d-1", changes)
            for changes in (
                {"kind": "maybe"},
                {"kind": ["link"]},
                {"kind": ...},
                {"v": 2},
                {"decided_at": "2026-11-23T10:00:00+00:00"},
                {"decided_at": "2026-02-30T10:00:00Z"},
                {"decided_at": 1},
                {"decided_at": ...},
            )
        ),
    ],
)
def test_a_decision_of_another_form_is_unreadable_and_nothing_worse(key: str, changes: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        PairDecision.parse(key, changed(json.loads(DECISION.value()), changes))


LINK = json.loads(Link("p", "linked", (), (), (), 3).value())
IDENTITY = json.loads(RecordIdentity("r", "s", "tier2", b"x", None, None).value())


@pytest.mark.parametrize(
    "changes",
    [{"v": 2}, {"status": "maybe"}, {"revision": "3"}, {"revision": None}, {"formerly": None},
     {"person_id": 1},
     *({name: ...} for name in ("person_id", "reasons", "evidence", "formerly", "revision"))],
)  # fmt: skip
def test_an_answer_of_another_form_is_unreadable_and_nothing_worse(changes: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        Link.parse(changed(LINK, changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 0},
        {"source": 1},
        {"source": ...},
        {"tier": "tier9"},
        {"tokens": 4},
        {"tokens": "!"},
        {"merged_into": 1},
        {"tier": ...},
    ],
)
def test_an_identity_of_another_form_is_unreadable_and_nothing_worse(changes: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        RecordIdentity.parse("r", changed(IDENTITY, changes))


def changed(parts: dict[str, object], changes: dict[str, object]) -> bytes:
    both = {**parts, **changes}
    return json.dumps({name: value for name, value in both.items() if value is not ...}).encode()


def test_tiers_rank_from_primary_care_up() -> None:
    assert sorted(TIER_RANK, key=lambda tier: TIER_RANK[tier]) == ["primary_care", "tier2", "tier3", "tier4"]
