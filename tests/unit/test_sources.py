"""The list of sources is read strictly: a slip in it would lose a provider's messages without a word."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.doors import TRANSPORTS
from schemas.errors import InvalidField
from schemas.sources import parse

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
    ],
)
def test_a_slip_is_named_by_place_and_rule(old: str, new: str, field: str) -> None:
    with pytest.raises(InvalidField) as raised:
        parse(GOOD.replace(old, new, 1), doors=TRANSPORTS, test_mode=False)
    assert raised.value.field == field


@pytest.mark.parametrize("text", ['source = "x"', "source = [1]", "[source]\nslug='a'"])
def test_what_is_no_list_of_sources_is_said_to_be_none(text: str) -> None:
    with pytest.raises(InvalidField):
        parse(text, doors=TRANSPORTS, test_mode=True)


@given(st.text(max_size=60))
def test_no_text_at_all_does_worse(text: str) -> None:
    with suppress(InvalidField):
        parse(text, doors=TRANSPORTS, test_mode=True)
