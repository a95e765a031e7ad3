"""No value that was sent stands in a reason, and no name, number, date or postcode becomes part of a fact."""

import copy
import json
from typing import Any

import pytest
from fhir_plain import Path, leaves, with_value
from fhir_samples import FHIR_OPEN, GP_HUB, RECEIVED_AT, TOLD_AT, every_fact, referral_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import shared_folder

from connectors.sources.primary_care_fhir import read
from schemas.check import check
from schemas.fhir.write import bundle
from schemas.source_message import SourceMessage

# Each improbable, each of the shape of something personal.
DAY = "1901-02-03"
CANARIES = ("Zyxwvutsrqpo", "9990001238", f"{DAY}T04:05:06Z", "ZZ99 1AA")
NEEDLES = (*CANARIES, DAY)
SHAPES: tuple[Any, ...] = (
    *CANARIES,
    9990001238,
    ["Zyxwvutsrqpo"],
    {"Zyxwvutsrqpo": "9990001238"},
    None,
    True,
)


def renamed(value: object, path: Path, name: str) -> object:
    """A copy with the key that `path` ends on called `name`."""
    copied: Any = copy.deepcopy(value)
    place = copied
    for step in path[:-1]:
        place = place[step]
    if isinstance(place, dict):
        place[name] = place.pop(path[-1])
    return copied


def found_in(document: object, needles: tuple[str, ...], *, everything: bool = True) -> list[str]:
    """Which of `needles` stand in the reasons or in the facts made of `document`."""
    source = FHIR_OPEN if everything else GP_HUB
    checked, message = check(document, source=source, test_mode=True, received_at=RECEIVED_AT)
    shown = checked.as_json()
    if checked.identity is not None:  # who issues the number is shown as sent: it names no person
        shown["identity"] = {**checked.identity, "local_id_authority": ""}
    shown = json.dumps(shown, ensure_ascii=False)
    if message is not None:
        shown += "".join(fact.body.model_dump_json() for fact in message.facts)
    return [needle for needle in needles if needle.lower() in shown.lower()]


def everything_told() -> dict[str, Any]:
    """A Bundle with every kind of fact and every field filled."""
    message = every_fact()
    return bundle(SourceMessage("M-1", TOLD_AT, message.person, message.facts), source=FHIR_OPEN)


PLACES = [(0, path) for path in leaves(referral_bundle())] + [(1, path) for path in leaves(everything_told())]


@pytest.mark.parametrize("part", range(8))
def test_a_persons_value_in_any_place_reaches_no_reason_and_no_fact(part: int) -> None:
    documents = (referral_bundle(), everything_told())
    for which, path in PLACES[part::8]:
        for shape in SHAPES:
            spoilt = with_value(documents[which], path, shape)
            assert found_in(spoilt, NEEDLES) == [], path


@pytest.mark.parametrize("part", range(4))
def test_a_persons_value_as_the_name_of_any_element_reaches_no_reason(part: int) -> None:
    document = referral_bundle()
    for path in list(leaves(document))[part::4]:
        for canary in CANARIES[:2]:
            assert found_in(renamed(document, path, canary), CANARIES, everything=False) == [], path


def test_prose_display_and_contained_resources_are_never_read() -> None:
    def hide(patient: dict[str, Any]) -> None:
        patient["text"] = {"status": "generated", "div": "<div>Zyxwvutsrqpo</div>"}
        patient["contained"] = [{"resourceType": "Patient", "name": [{"family": "Zyxwvutsrqpo"}]}]
        patient["contact"] = [{"name": {"family": "Zyxwvutsrqpo"}}]
        patient["photo"] = [{"title": "Zyxwvutsrqpo", "url": "https://gp.example/9990001238"}]

    def note(request: dict[str, Any]) -> None:
        request["note"] = [{"text": "Zyxwvutsrqpo"}]
        request["code"]["text"] = request["code"]["coding"][0]["display"] = "Zyxwvutsrqpo"
        request["subject"]["display"] = "Zyxwvutsrqpo"

    document = referral_bundle(Patient=hide, ServiceRequest=note)
    checked, message = check(document, source=GP_HUB, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    assert checked.issues == ()
    clear = bundle(message, source=GP_HUB)
    assert "Zyxwvutsrqpo" not in json.dumps(clear)


_strings = st.sampled_from(CANARIES) | st.text(max_size=30).map(lambda text: f"Zyxwvutsrqpo{text}")
_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | _strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_strings, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.sampled_from(PLACES), _json)
def test_any_json_in_any_place_is_judged_and_shows_nothing(place: tuple[int, Path], value: object) -> None:
    which, path = place
    document = (referral_bundle(), everything_told())[which]
    assert found_in(with_value(document, path, value), NEEDLES) == []


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(raw: bytes) -> None:
    (entry,) = read(raw, source=GP_HUB, test_mode=True, received_at=RECEIVED_AT)
    assert entry.checked.issues
    assert entry.bundle is None


def test_the_public_list_of_hostile_strings_reaches_no_reason() -> None:
    hostile = json.loads((shared_folder("blns") / "blns.json").read_text())
    places = [path for which, path in PLACES if which == 0]
    for number, text in enumerate(hostile):
        marked = f"Zyxwvutsrqpo{text}Zyxwvutsrqpo"
        document = with_value(referral_bundle(), places[number % len(places)], marked)
        assert found_in(document, CANARIES) == []
        name = with_value(referral_bundle(), ("entry", 1, "resource", "name", 0, "family"), marked)
        assert found_in(name, CANARIES) == []


def test_the_search_finds_a_value_that_is_there() -> None:
    """The control: birth year, sex and codes are told, so the search must see them."""
    document = referral_bundle()
    assert found_in(document, ("1971", "female", "414916001", "104.50", "Zyxwvutsrqpo")) == [
        "1971",
        "female",
        "414916001",
        "104.50",
    ]
