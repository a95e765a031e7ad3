"""What the linker does with input that says nothing, says too much, or contradicts itself: a defined outcome each,
with its reason code where a steward or an operator reads it.
"""

import json
import random
from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest
from graph_holdings import holdings
from linker_alone import LinkerAlone, decision_message, gone, identity, identity_message, keys, rid
from memory_engine import RECEIVED_AT, MemoryEngine, record_id, sources
from small_world import ANN, COUNCIL, GP, NOBODY, at_source, attended, message_from

from linkage.index import BLOCK_MAX
from linkage.normalise import Identity, Name, normalise
from linkage.tokens import encode
from schemas.check import check
from schemas.fhir import write
from schemas.identity import Address, Person, PersonName, Postcode
from schemas.topics import DEAD_LETTERS, LINK_MAP, REVIEW

# ---------------------------------------------------------------- by the whole engine, from the door on

PLACEHOLDERS = Person(
    nhs_number_claimed="9999999999",
    names=(PersonName("Unknown", ("Baby",)), PersonName("XXTESTPATIENT", ("Mr",), "old")),
    birth_date=date(1900, 1, 1),
    sex="unknown",
    addresses=(Address("", Postcode("ZZ993VZ"), "Not known"),),
    phones=("00000000000", "07777777777"),
    emails=("noreply@nhs.example",),
)
SAYS_NOTHING = {
    "nothing at all": NOBODY,
    "placeholders in every field": PLACEHOLDERS,
    "a sex": Person(sex="female"),
    "a surname and forename": Person(names=ANN.names),
    "a town": Person(addresses=(Address("", None, "Leeds"),)),
    "a number that is none": Person(nhs_number_claimed="12"),
    "a surname as long as a door lets in": Person(names=(PersonName("Okafor" * 85, ("Ann",)),)),
}


def engine_told(*people: tuple[str, str, Person]) -> MemoryEngine:
    engine = MemoryEngine()
    for at, (slug, local, person) in enumerate(people):
        engine.take(*message_from(slug, f"m{at}", at_source(person, local), attended(f"a{at}", 3), at=3))
    return engine.run()


@pytest.mark.parametrize("what", SAYS_NOTHING)
def test_a_record_is_held_alone_as_no_usable_identity_of_which_is_known_only(what: str) -> None:
    nobody = SAYS_NOTHING[what]
    engine = engine_told((GP, "G1", ANN), (COUNCIL, "C1", nobody), (COUNCIL, "C2", nobody), (GP, "G2", nobody))
    links = engine.latest(LINK_MAP)
    lost = [links[record_id(slug, local)] for slug, local in ((COUNCIL, "C1"), (COUNCIL, "C2"), (GP, "G2"))]
    assert {(link["status"], *link["reasons"]) for link in lost} == {("held", "no-usable-identity")}
    assert len({link["person_id"] for link in links.values()}) == 4
    assert engine.latest(REVIEW) == engine.latest(DEAD_LETTERS) == {}
    assert sorted(engine.dispositions().values()) == ["held", "held", "held", "linked"]


@pytest.mark.parametrize("name", [PersonName("Okafor" * 20_000, ("Ann",)), PersonName("Okafor", ("Ann" * 40_000,))])
def test_a_name_of_a_hundred_thousand_letters_is_left_out_and_its_sender_learns_which_field_is_too_long(
    name: PersonName,
) -> None:
    """One name is an optional element: the number tells who it is, and the rest of the entry counts."""
    engine = engine_told((GP, "G1", replace(ANN, names=(name,))), (COUNCIL, "C1", ANN))
    assert set(engine.dispositions().values()) == {"linked"}
    long = message_from(GP, "m", at_source(replace(ANN, names=(name,)), "G1"), attended("a", 3), at=3)[1]
    bundle = write.bundle(long, source=sources()[GP])
    checked, _ = check(bundle, source=sources()[GP], test_mode=True, received_at=RECEIVED_AT)
    assert [(issue.severity.value, issue.code) for issue in checked.issues if ".name[0]" in issue.location] == [
        ("error", "too-long")
    ]


# ---------------------------------------------------------------- by the linker alone

NUMBER = "9434765919"
SARAH = identity("Sarah", "Hall", "1971-05-24", NUMBER)
DAVID, OLA, PIA = (
    identity("David", "Okafor", "1950-01-17", postcode="BD9 9ZZ"),
    identity("Ola", "Lindqvist", "1962-03-02", postcode="HD1 2QT"),
    identity("Pia", "Petrova", "1983-08-30", postcode="HX1 5DQ"),
)
UNLIKE = {"a": DAVID, "b": OLA, "c": PIA}


@pytest.mark.parametrize(
    "who",
    [
        Identity(None, birth_date="1971"),
        Identity(None, birth_date="1971-05"),
        Identity(None, birth_date="1971-05-24"),
    ],
)
def test_a_record_of_which_only_a_birth_date_or_part_of_it_is_known_is_held_alone(who: Identity) -> None:
    linker = LinkerAlone([identity_message("known", SARAH), identity_message("a", who), identity_message("b", who)])
    assert linker.reasons("a") == linker.reasons("b") == ("held", ["no-usable-identity"])
    assert not linker.together("a", "b")
    assert linker.reasons("known") == ("linked", [])


def test_a_held_record_that_is_told_who_it_is_is_held_no_longer() -> None:
    linker = LinkerAlone([identity_message("known", SARAH), identity_message("a", Identity(None, birth_date="1971"))])
    linker.give(identity_message("a", SARAH))
    assert linker.reasons("a") == ("linked", [])
    assert linker.together("known", "a")


def test_a_name_of_a_hundred_thousand_letters_is_compared_by_its_first_forty() -> None:
    """A source that does not come by a door, such as a file under evaluation."""
    long, longer = (identity("Ann" * n, "Okaforiana" * n, "1971-03-14") for n in (30_000, 60_000))
    linker = LinkerAlone([identity_message("a", long), identity_message("b", longer), identity_message("c", DAVID)])
    assert linker.together("a", "b")
    assert linker.reasons("a") == linker.reasons("b") == ("linked", [])
    assert len(json.dumps(linker.topics)) < 10_000


# ---------------------------------------------------------------- a token shared by everybody


def test_one_number_on_three_unlike_people_is_held_for_a_steward_under_the_rule() -> None:
    linker = LinkerAlone(
        identity_message(name, replace(identity, nhs_number=NUMBER)) for name, identity in UNLIKE.items()
    )
    assert [rules for _, rules in linker.reviews()] == [["V2"]] * 3
    assert [linker.reasons(name) for name in UNLIKE] == [("held", ["V2"])] * 3


@pytest.fixture(scope="module")
def crowd() -> LinkerAlone:
    """One more than the cap of people as unlike as can be, with one NHS number, the first with nothing else.
    All but the last are read back from the state: sooner than to tell them one by one.
    """
    rng = random.Random(1)

    def somebody() -> Identity:
        given, family = ("".join(rng.sample("abcdefghijklmnoprstuvwyz", 7)) for _ in range(2))
        born = f"{rng.randint(1920, 2005)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        return replace(identity(given, family, born, NUMBER), postcodes=(), houses=())

    *people, last = (identity_message(f"p{i:03}", somebody() if i else Identity(NUMBER)) for i in range(BLOCK_MAX + 1))
    linker = LinkerAlone(read_back=people)
    linker.give(last)
    return linker


def test_a_token_that_everybody_shares_joins_nobody_and_asks_no_steward(crowd: LinkerAlone) -> None:
    answers = crowd.topics[LINK_MAP].values()
    assert len(answers) == len({link["person_id"] for link in answers}) == BLOCK_MAX + 1
    assert crowd.topics[REVIEW] == {}
    assert not any(link["evidence"] for link in answers)


def test_a_record_whose_only_token_everybody_shares_is_held_and_says_why(crowd: LinkerAlone) -> None:
    assert crowd.reasons("p000") == ("held", ["crowded"])
    assert crowd.reasons("p001") == ("linked", []), "its names may be somebody's yet"


def test_who_stands_in_a_crowd_is_still_linked_by_what_else_is_known(crowd: LinkerAlone) -> None:
    for local in ("x", "y"):
        crowd.give(identity_message(local, SARAH))
    assert crowd.together("x", "y")
    assert not crowd.together("x", "p000")
    assert crowd.reasons("x") == ("linked", [])
    for local in ("x", "y"):
        crowd.give(gone(local))


# ---------------------------------------------------------------- one record changing identity a thousand times

LIVES, REASONS = zip(
    (SARAH, ("linked", [])),
    (DAVID, ("linked", [])),
    (Identity(None, birth_date="1971"), ("held", ["no-usable-identity"])),
    (replace(SARAH, nhs_number=None, names=(Name(("Susan",), "Hall"),)), ("held", ["V3"])),
    (replace(SARAH, names=(Name(("Tom",), "Reed"),), birth_date="1996-02-03"), ("held", ["V2"])),
    (OLA, ("linked", [])),
    strict=True,
)


def test_a_record_that_changes_its_identity_a_thousand_times_is_answered_as_if_it_had_had_the_last_only() -> None:
    encoded = [encode(normalise(identity), keys=keys()) for identity in LIVES]
    beside = [
        identity_message("sarah", SARAH),
        identity_message("david", DAVID),
        identity_message("twin", LIVES[3]),
    ]
    restless = LinkerAlone(beside)
    longest = 0
    for turn in range(1000):
        restless.give(identity_message("x", encoded[turn * 3 % len(encoded)]))
        longest = max(longest, len(restless.of("x")["formerly"]))
    assert longest <= 3, "whom it was ever taken for, each once, not every turn"
    last = 999 * 3 % len(encoded)
    settled = LinkerAlone([*beside, identity_message("x", encoded[last])])
    assert restless.results() == settled.results()
    assert restless.changelog.keys() == settled.changelog.keys(), "and its state has not grown"
    assert restless.rejected == []
    assert holdings(restless.state.graph) == holdings(settled.state.graph)


def test_each_turn_is_answered_with_the_reason_of_that_identity_and_not_of_the_one_before() -> None:
    linker = LinkerAlone([identity_message("sarah", SARAH)])
    for who, reasons in zip((*LIVES, *LIVES), (*REASONS, *REASONS), strict=True):
        linker.give(identity_message("x", who))
        assert linker.reasons("x") == reasons
        assert linker.together("sarah", "x") == (who is SARAH)


# ---------------------------------------------------------------- decisions


def test_decisions_that_contradict_each_other_are_open_for_a_steward_in_whatever_order_they_come() -> None:
    decisions = [
        decision_message("a", "b", "link", 1),
        decision_message("b", "c", "link", 2),
        decision_message("a", "c", "apart", 3),
    ]
    found = []
    for order in permutations(decisions):
        linker = LinkerAlone([*(identity_message(local, identity) for local, identity in UNLIKE.items()), *order])
        assert linker.together("a", "b")
        assert not linker.together("a", "c"), "two people outrank one"
        assert linker.reviews() == [(frozenset((rid("b"), rid("c"))), ["V5-contradiction"])]
        assert linker.reasons("b") == linker.reasons("c") == ("held", ["V5-contradiction"])
        found.append(linker.results())
        linker.give(decision_message("a", "c", "none", 4, "d2"))
        assert linker.together("a", "b", "c")
        assert linker.reviews() == []
        assert {linker.of(local)["status"] for local in UNLIKE} == {"linked"}
    assert all(end == found[0] for end in found)


def test_the_same_pair_decided_both_ways_at_one_moment_goes_by_the_id_of_the_decision() -> None:
    decisions = [decision_message("a", "b", "link", 1, "d1"), decision_message("a", "b", "apart", 1, "d2")]
    for order in permutations(decisions):
        linker = LinkerAlone([identity_message("a", DAVID), identity_message("b", DAVID), *order])
        assert not linker.together("a", "b")
        assert "V5-apart" in {rule for evidence in linker.of("a")["evidence"] for rule in evidence["rules"]}


def test_a_decision_about_records_nobody_told_of_waits_and_is_told_as_waiting_when_one_comes() -> None:
    linker = LinkerAlone()
    assert linker.give(decision_message("a", "b", "link")) == 0
    assert linker.rejected == []
    linker.give(identity_message("a", DAVID))
    assert [evidence["rules"] for evidence in linker.of("a")["evidence"]] == [["V5-waiting"]]
    assert linker.reasons("a") == ("linked", [])
    linker.give(identity_message("b", OLA))
    assert linker.together("a", "b")
    linker.give(gone("b"))
    assert [evidence["rules"] for evidence in linker.of("a")["evidence"]] == [["V5-waiting"]]


@pytest.mark.parametrize("pair", ["{a}|{a}", "{b}|{a}", "{a}", "{a}|", "{a}|{b}|{b}", "9434765919|9434765870", ""])
def test_a_decision_that_names_no_two_records_is_a_dead_letter_and_changes_nothing(pair: str) -> None:
    a, b = sorted((rid("a"), rid("b")))
    linker = LinkerAlone([identity_message("a", DAVID), identity_message("b", DAVID)])
    before = linker.results()
    _, value = decision_message("a", "b", "apart")
    assert linker.give((f"decision/{pair.format(a=a, b=b)}/d1".encode(), value)) == 0
    assert linker.rejected == ["unreadable"]
    assert linker.results() == before
