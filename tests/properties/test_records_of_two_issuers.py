"""Two patients never share a record because first part of an identifier was ignored, and order changes nothing."""

from dataclasses import replace
from itertools import permutations

from fhir_messages import messages
from fhir_samples import FHIR_OPEN, RECEIVED_AT, TRUST, referral_bundle
from hypothesis import given
from hypothesis import strategies as st
from memory_engine import all_keys

from schemas.check import check
from schemas.fhir.write import bundle
from schemas.source_message import SourceMessage
from schemas.sources import Source
from streams.steps.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms.of(all_keys().zone("ingress"))
SYSTEMS = ("https://north.example/Id/patient", "https://south.example/Id/patient", "urn:oid:1.2.3")
_identifiers = st.lists(
    st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(["7", "07", "700002"])),
    min_size=1,
    max_size=3,
    unique=True,
)


def record(document: object, source: Source) -> str:
    _, message = check(document, source=source, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return PSEUDONYMS.record_id(source, message.person, "e")


def bundle_of(identifiers: list[tuple[str, str]]) -> object:
    document = referral_bundle()
    numbers = [{"system": system, "value": value} for system, value in identifiers]
    document["entry"][1]["resource"]["identifier"] = numbers
    return document


@given(_identifiers, _identifiers)
def test_two_patients_of_no_common_pair_are_two_records(
    first: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    if not set(first) & set(other):
        assert record(bundle_of(first), FHIR_OPEN) != record(bundle_of(other), FHIR_OPEN)


@given(_identifiers)
def test_the_order_of_identifiers_changes_nothing(identifiers: list[tuple[str, str]]) -> None:
    orders = permutations(identifiers)
    assert len({record(bundle_of(list(order)), FHIR_OPEN) for order in orders}) == 1


@given(messages(), messages())
def test_what_a_connector_writes_keeps_issuer_and_value(first: SourceMessage, other: SourceMessage) -> None:
    records = [record(bundle(message, source=TRUST), TRUST) for message in (first, other)]
    assert (records[0] == records[1]) == (first.person.local_id == other.person.local_id)


OID, FORMER = "2.16.840.1.113883.2.1.3.2.4.18.23", "https://rxx.example/former/patient"
ISSUER = "https://rxx.example/patient"


def test_an_issuer_under_its_oid_or_a_former_name_in_fhir_is_the_same_record() -> None:
    """R4 Identifier.system: an OID as a URN. Which issuer an OID is, only the source's file says."""
    systems = (ISSUER, f"urn:oid:{OID}", f"URN:OID:{OID}", FORMER)
    known = replace(FHIR_OPEN, authority_aliases={OID: ISSUER, FORMER: ISSUER})
    listing = replace(known, authorities=(ISSUER,))
    for source in (known, listing):
        assert len({record(bundle_of([(system, "7")]), source) for system in systems}) == 1
        assert record(bundle_of([(ISSUER, "7")]), source) != record(bundle_of([(f"urn:oid:{OID}", "8")]), source)
    assert len({record(bundle_of([(system, "7")]), FHIR_OPEN) for system in systems}) == 3, (
        "else they are three issuers"
    )
