"""A number is its issuer's: what two issuers number alike is two things, and what names a thing finds it again."""

from dataclasses import replace
from itertools import product

import pytest
from hl7_messages import PID, PV1, SCH, TRUST, WEIGHT, clinical, entry_of, issues, message, message_of

from schemas.identity import LocalId, normalised_authority

OBR = "OBR|1|{}|{}|vitals|||20260714100000"
NAMESPACES = ("", "^PAS", "^LIMS", "^^1.2.826.1^ISO")


def ids(kind: str, *segments: str) -> set[tuple[str, str | None]]:
    return {(fact.body.type, fact.business_id) for fact in clinical(message(kind, *segments))}


@pytest.mark.parametrize(
    ("kind", "segments"),
    [
        ("SIU^S13", ("SCH||F-77{}|||||||||^^30^20260714093000", "AIS|1|A|WMS")),
        ("SIU^S13", ("SCH|F-77{}||||||||||^^30^20260714093000", "AIS|1|A|WMS")),
        ("REF^I12", ("RF1|P|R|WMS|||REF-9{}|20260615",)),
        ("ORU^R01", (PV1, "OBR|1||77{}|vitals|||20260714100000", WEIGHT)),
        ("ORU^R01", (PV1, "OBR|1|77{}||vitals|||20260714100000", WEIGHT)),
    ],
)
def test_a_number_of_two_namespaces_is_two_things(kind: str, segments: tuple[str, ...]):
    """HL7 2.5.1, 2.A.28 EI: EI.1 is unique within its namespace (EI.2) or universal id (EI.3)."""
    seen = [ids(kind, *(line.format(space) for line in segments)) for space in NAMESPACES]
    assert all(first.isdisjoint(second) for first, second in product(seen, seen) if first is not second)
    assert ids(kind, *(line.format("^pas ") for line in segments)) == seen[1]


def test_a_number_without_a_namespace_is_the_number_alone():
    assert ids("SIU^S13", SCH, "AIS|1|A|WMS") == {("attendance", "F-77")}


def test_no_number_without_a_namespace_is_taken_for_one_with():
    plain, named, escaped = (
        ids("SIU^S13", f"SCH||{number}|||||||||^^30^20260714093000", "AIS|1|A|WMS")
        for number in ("F\\S\\PAS", "F^PAS", "F\\E\\X5E\\E\\PAS")
    )
    assert len(plain | named | escaped) == 3


def test_the_visit_number_of_another_site_takes_back_nothing_here():
    here, there = (f"PV1|1|O|CLINIC1|||||||WMS|||||||||V-100^^^{site}" for site in ("RXX", "RYY"))
    assert ids("ADT^A04", here).isdisjoint(ids("ADT^A11", there))
    assert ids("ADT^A03", here) == ids("ADT^A13", here) != ids("ADT^A13", there)


def visit(**numbers: str) -> str:
    fields = {"19": "", "5": "", "50": ""} | {name.removeprefix("n"): number for name, number in numbers.items()}
    return f"PV1|1|O|CLINIC1||{fields['5']}|||||WMS|||||||||{fields['19']}{'|' * 31}{fields['50']}"


@pytest.mark.parametrize("known", [{"n19": "V-1"}, {"n50": "ALT-1"}, {"n5": "PRE-1"}, {"n50": "ALT-1", "n5": "PRE-1"}])
def test_a_cancelled_visit_is_taken_back_by_whichever_of_its_numbers_it_came_with(known: dict[str, str]):
    everything = visit(n19="V-1", n50="ALT-1", n5="PRE-1")
    taken_back = clinical(message("ADT^A11", everything))
    assert ids("ADT^A04", visit(**known)) <= {(fact.body.type, fact.business_id) for fact in taken_back}
    assert all(fact.retracted for fact in taken_back)


def test_a_cancelled_visit_that_only_its_visit_number_names_says_what_it_cannot_take_back():
    found = entry_of(message("ADT^A11", visit(n19="V-1"))).checked.issues
    assert ("information", "PV1-19") in [(issue.severity.value, issue.location) for issue in found]


def test_two_results_that_nothing_distinguishes_are_both_read_and_reported():
    second = WEIGHT.replace("118.4", "117.9")
    raw = message("ORU^R01", PV1, OBR.format("", "77"), WEIGHT, second)
    facts = clinical(raw)
    assert len({fact.business_id for fact in facts}) == len(facts) == 2
    assert ("warning", "business-rule", "OBX[2]-4") in issues(raw)


def test_the_position_of_a_result_is_no_sub_id_that_a_sender_can_write():
    """Three results under OBX-4 1, 1 and `1#2`: the second by its position is not the third by its sub-id."""
    results = [WEIGHT.replace("LN||", f"LN|{sub}|") for sub in ("1", "1", "1#2", "1/2", "1\\E\\X23\\E\\2")]
    facts = clinical(message("ORU^R01", PV1, OBR.format("", "77"), *results))
    assert len({fact.business_id for fact in facts}) == len(results)


@pytest.mark.parametrize("facility", ["RXX", "&2.16.1&ISO"])
def test_the_facility_issues_a_number_only_where_the_source_lists_it(facility: str):
    """HL7 2.5.1, 2.A.14 CX.6: where the identifier was first assigned; CX.4 goes before it."""
    source = replace(TRUST, authorities=("RXX", "2.16.1", "RYY"))
    pid = PID.replace("700002^^^RXX^MR", f"700002^^^^MR^{facility}")
    found = message_of(message("ADT^A31", pid), source=source).person.local_id
    assert found is not None
    assert found.authority == ("RXX" if facility == "RXX" else "2.16.1")
    before = PID.replace("700002^^^RXX^MR", f"700002^^^RYY^MR^{facility}")
    chosen = message_of(message("ADT^A31", before), source=source).person.local_id
    assert chosen is not None
    assert chosen.authority == "RYY"
    elsewhere = PID.replace("700002^^^RXX^MR", "700002^^^^MR^WARD 7")
    assert message_of(message("ADT^A31", elsewhere), source=source).person.local_id is None


OID = "2.16.840.1.113883.2.1.3.2.4.18.23"


@pytest.mark.parametrize("declared", [OID, f"urn:oid:{OID}"])
@pytest.mark.parametrize("sent", [f"&{OID}&ISO", OID, f"RXX&{OID}&ISO", f"urn:oid:{OID}", f"&urn:oid:{OID}&ISO"])
def test_an_authority_that_is_declared_by_its_oid_is_known_in_every_form(declared: str, sent: str) -> None:
    """HL7 2.4, HD: namespace and universal id name the same issuer. RFC 3061: an OID as a URN."""
    source = replace(TRUST, authorities=(normalised_authority(declared),))
    pid = PID.replace("700002^^^RXX^MR", f"700002^^^{sent}^MR")
    person = message_of(message("ADT^A04", pid, "EVN|A04|20260714100000", PV1), source=source).person
    assert person.local_id == LocalId("700002", OID)


@pytest.mark.parametrize("listed", [("RXX",), ()])
@pytest.mark.parametrize(
    "sent", ["RXX", f"&{OID}&ISO", OID, f"RXX&{OID}&ISO", f"urn:oid:{OID}", f"PAS&{OID}&ISO", "Old"]
)
def test_an_issuer_under_its_oid_or_a_former_name_is_the_same_issuer(sent: str, listed: tuple[str, ...]) -> None:
    """Before, a source that changed from a name to an OID in CX.4 had each patient twice."""
    source = replace(TRUST, authorities=listed, authority_aliases={OID: "RXX", "OLD": "RXX"})
    pid = PID.replace("700002^^^RXX^MR", f"700002^^^{sent}^MR")
    person = message_of(message("ADT^A04", pid, "EVN|A04|20260714100000", PV1), source=source).person
    assert person.local_id == LocalId("700002", "RXX")


def test_a_merge_under_another_name_of_the_issuer_retires_its_number() -> None:
    source = replace(TRUST, authorities=("RXX",), authority_aliases={OID: "RXX"})
    raw = message("ADT^A40", PID, f"MRG|700001^^^&{OID}&ISO^MR")
    assert message_of(raw, source=source).person.retired_local_ids == (LocalId("700001", "RXX"),)


def test_an_oid_that_no_source_declares_names_no_record_and_is_named() -> None:
    """No table of ours says which trust an OID is: to guess would join two trusts' patients."""
    source = replace(TRUST, authorities=("RXX",))
    raw = message("ADT^A04", PID.replace("^^^RXX^MR", f"^^^&{OID}&ISO^MR"), "EVN|A04|20260714100000", PV1)
    assert message_of(raw, source=source).person.local_id is None
    assert ("warning", "required", "PID-3") in issues(raw, source=source)
