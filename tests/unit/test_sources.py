"""The list of sources is read strictly: a slip in it would lose a provider's messages without a word."""

from contextlib import suppress
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.doors import TRANSPORTS
from schemas.errors import InvalidField
from schemas.identity import LocalId
from schemas.sources import Source, parse

GOOD = """
[[source]]
slug = "gp-hub"
ods = "Y00001"
tier = "primary_care"
door = "fhir_http"
services = ["408289007"]

[[source]]
slug = "council"
ods = "e10000"
tier = "tier2"
door = "folder"
services = ["weight"]
mapping = "council-east"
"""
OPEN = """
[[source]]
slug = "everything"
ods = "RYY"
tier = "tier3"
door = "hl7_mllp"
services = ["*"]
"""


def test_sources_come_in_the_order_of_the_file() -> None:
    found = parse(GOOD, doors=TRANSPORTS, test_mode=False)
    assert list(found) == ["gp-hub", "council"]
    assert found["council"].ods == "E10000"
    assert found["council"].mapping == "council-east"
    assert found["gp-hub"].intake_topic == "intake.gp-hub.v1"
    assert found["gp-hub"].receipts_topic == "receipts.gp-hub.v1"


def test_a_feed_of_everything_exists_only_in_test_mode() -> None:
    assert list(parse(GOOD + OPEN, doors=TRANSPORTS, test_mode=False)) == ["gp-hub", "council"]
    everything = parse(GOOD + OPEN, doors=TRANSPORTS, test_mode=True)["everything"]
    assert everything.serves(None, "anything")


def test_a_source_serves_what_it_names_and_nothing_else() -> None:
    hub = parse(GOOD, doors=TRANSPORTS, test_mode=False)["gp-hub"]
    assert hub.serves("1", "408289007")
    assert not hub.serves("1", None)
    assert not hub.serves()


ALIASES = "source[0].authority_aliases"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('slug = "gp-hub"', 'slug = "GP hub"', "source[0].slug"),
        ('slug = "gp-hub"', "slug = 7", "source[0].slug"),
        ('slug = "gp-hub"', "", "source[0].slug"),
        ('slug = "council"', 'slug = "gp-hub"', "source[1].slug"),
        ('tier = "tier2"', 'tier = "tier5"', "source[1].tier"),
        ('door = "folder"', 'door = "fax"', "source[1].door"),
        ('services = ["weight"]', "services = []", "source[1].services"),
        ('services = ["weight"]', 'services = "weight"', "source[1].services"),
        ('services = ["weight"]', "services = [1]", "source[1].services"),
        ('mapping = "council-east"', "", "source[1].mapping"),
        ('services = ["408289007"]', 'services = ["408289007"]\nmapping = "x"', "source[0].mapping"),
        ('mapping = "council-east"', "mapping = 5", "source[1]"),
        ('mapping = "council-east"', 'mapping = "a"\nconsultant_led = "no"', "source[1]"),
        ('mapping = "council-east"', 'mapping = "a"\none_record_each = 1', "source[1]"),
        ('mapping = "council-east"', 'mapping = "a"\nservice = "typo"', "source[1]"),
        ('ods = "Y00001"', 'ods = "Y!"', "ods_code"),
        ('ods = "Y00001"', "", "ods_code"),
        ('ods = "Y00001"', "ods = 5", "source[0]"),
        ('slug = "gp-hub"', "slug", "sources"),
        ('ods = "Y00001"', 'ods = "Y00001"\nauthorities = "RXX"', "source[0].authorities"),
        ('ods = "Y00001"', 'ods = "Y00001"\nauthorities = ["rxx", "RXX"]', "source[0].authorities"),
        ('ods = "Y00001"', 'ods = "Y00001"\ndefault_authority = ""', "source[0].default_authority"),
        ('ods = "Y00001"', 'ods = "Y00001"\ndefault_authority = 5', "source[0]"),
        *[
            ('ods = "Y00001"', f'ods = "Y00001"\nauthorities = ["RXX"]\nauthority_aliases = {names}', ALIASES)
            for names in (
                "5",
                '["2.16.1"]',
                '{ "2.16.1" = "" }',
                '{ "2.16.1" = 5 }',
                '{ "rxx" = "RYY" }',
                '{ "2.16.1" = "RXX", "urn:oid:2.16.1" = "RYY" }',
                '{ "A" = "B", "B" = "C" }',
            )
        ],
        ('ods = "Y00001"', 'ods = "Y00001"\nsenders = ["PAS"]', "source[0].senders"),
        ('ods = "Y00001"', 'ods = "Y00001"\nplaceholders = [""]', "source[0].placeholders"),
        ('ods = "Y00001"', 'ods = "Y00001"\nnhs_number_fields = ["PID-3"]', "source[0].nhs_number_fields"),
        ('ods = "Y00001"', 'ods = "Y00001"\ncodes = 5', "source[0].codes"),
        ('ods = "Y00001"', 'ods = "Y00001"\ncodes = { shoe = { "a" = "b" } }', "source[0].codes"),
        ('ods = "Y00001"', 'ods = "Y00001"\ncodes = { sex = { "W" = "woman" } }', "source[0].codes.sex"),
    ],
)
def test_a_slip_is_named_by_place_and_rule(old: str, new: str, field: str) -> None:
    with pytest.raises(InvalidField) as raised:
        parse(GOOD.replace(old, new, 1), doors=TRANSPORTS, test_mode=False)
    assert raised.value.field == field


def test_an_authority_has_other_names_and_every_spelling_of_them_counts() -> None:
    table = '[source.authority_aliases]\n"urn:oid:2.16.1" = "rxx"\n" old  name " = "RXX"\n'
    source = parse(f"{WORDS}\n{table}", doors=TRANSPORTS, test_mode=False)["trust"]
    assert [source.issuer(name) for name in ("2.16.1", "URN:OID:2.16.1", "Old Name", "rxx", "")] == ["RXX"] * 5
    assert source.issuer("2.16.2") == "2.16.2"
    assert source.authority("") == "", "the source itself is no default"
    assert hash(source) == hash(trust())


WORDS = """
[[source]]
slug = "trust"
ods = "RXX"
tier = "tier3"
door = "hl7_mllp"
services = ["WMS"]
authorities = ["rxx", "Site B"]
default_authority = "RXX"
placeholders = ["Zzz Top"]
senders = ["PAS | RXX"]
nhs_number_fields = ["PID-19"]

[source.codes.patient_class]
"Out  Patient" = "O"
"""


def trust() -> Source:
    return parse(WORDS, doors=TRANSPORTS, test_mode=False)["trust"]


def test_a_source_has_words_of_its_own() -> None:
    source = trust()
    assert source.code("patient_class", "out patient ") == "O"
    assert source.code("patient_class", "I") is source.code("sex", "f") is None
    assert source.accepts_sender("PAS", "rxx")
    assert not source.accepts_sender("PAS", "RYY")
    assert replace(source, senders=frozenset()).accepts_sender("any", "")
    assert (source.placeholders, source.nhs_number_fields) == ({"zzz top"}, {"PID-19"})
    assert hash(source) == hash(trust())


def test_the_first_authority_that_is_present_names_the_record_whatever_the_order() -> None:
    known, other, unknown = LocalId("2", "RXX"), LocalId("1", "SITE B"), LocalId("0", "A")
    for numbers in permutations((known, other, unknown)):
        assert trust().record_local_id(numbers) == known
        assert replace(trust(), authorities=()).record_local_id(numbers) == unknown
    assert trust().record_local_id((unknown, other)) == other
    assert trust().record_local_id((unknown,)) is None


def test_a_number_without_an_issuer_counts_under_the_default_or_is_no_local_id() -> None:
    assert trust().issuer("") == "RXX"
    assert replace(trust(), default_authority=None).issuer("") is None
    assert replace(trust(), default_authority=None, authorities=()).issuer(" ") == ""
    assert trust().issuer("ryy") == "RYY"


@pytest.mark.parametrize("text", ['source = "x"', "source = [1]", "[source]\nslug='a'"])
def test_what_is_no_list_of_sources_is_said_to_be_none(text: str) -> None:
    with pytest.raises(InvalidField):
        parse(text, doors=TRANSPORTS, test_mode=True)


@given(st.text(max_size=60))
def test_no_text_at_all_does_worse(text: str) -> None:
    with suppress(InvalidField):
        parse(text, doors=TRANSPORTS, test_mode=True)
