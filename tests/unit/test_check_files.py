"""What a file begins with decides how `tierlink check` reads it."""

import pytest

from ops.client.check_files import checking_source, form_of, mapping_for
from ops.errors import SettingsError

EVERY = frozenset({"*"})


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"MSH|^~\\&|", "hl7v2"),
        (b"\x0bMSH|^~\\&|", "hl7v2"),
        (b"\r\nFHS|^~\\&|", "hl7v2"),
        (b"BHS|", "hl7v2"),
        (b'{"resourceType": "Bundle"}', "fhir"),
        (b"\xef\xbb\xbf\n  {", "fhir"),
        (b"[1]", "fhir"),
        (b"client_ref,nhs_no\n", "csv"),
        (b"", "csv"),
        (b"\xff\xfe\x00", "csv"),
    ],
)
def test_the_first_characters_decide_the_form(content: bytes, form: str) -> None:
    assert form_of(content) == form


@pytest.mark.parametrize(("content", "tier"), [(b"MSH|", "tier3"), (b"{", "primary_care"), (b"a,b", "tier2")])
def test_each_form_is_held_to_the_rules_of_the_tier_that_sends_it(content: bytes, tier: str) -> None:
    assert checking_source(content, services=EVERY).tier == tier


def test_a_mapping_that_is_none_is_the_operators_mistake_not_the_councils() -> None:
    with pytest.raises(SettingsError):
        mapping_for(None, "not = [toml")
