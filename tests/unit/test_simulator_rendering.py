"""What the simulated providers send, read here with the standard library alone."""

import csv
import io
import json
import subprocess
import sys
from functools import cache

import pytest

from ops.lab.simulator import Delivery, SimulatedFeed, default_rates, simulate


@cache
def simulation() -> SimulatedFeed:
    return simulate(7, 120, rates=default_rates())


def good(kind: str) -> list[Delivery]:
    return [delivery for delivery in simulation().deliveries if delivery.kind == kind and delivery.tag == "good"]


def fields(segment: str) -> list[str]:
    """The fields of a segment, numbered as HL7 does: MSH-1 is the separator itself."""
    parts = segment.split("|")
    return ["MSH", "|", *parts[1:]] if parts[0] == "MSH" else parts


def test_a_practice_sends_a_message_bundle_about_one_patient_under_its_own_message_id() -> None:
    for delivery in good("fhir"):
        bundle = json.loads(delivery.content)
        types = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
        assert (bundle["type"], types[:2], types.count("Patient")) == (
            "message",
            ["MessageHeader", "Patient"],
            1,
        )
        assert bundle["identifier"]["value"] == delivery.entries[0].message_id
        assert bundle["timestamp"].endswith("Z")


def test_references_inside_a_bundle_lead_somewhere() -> None:
    for delivery in good("fhir"):
        document = json.loads(delivery.content)
        urls = [entry["fullUrl"] for entry in document["entry"]]
        assert len(set(urls)) == len(urls)
        for reference in _references(document):
            text = reference.partition("/_history/")[0]
            if "?" in text:  # a search by an identifier that the Patient has
                assert text.rpartition("|")[2] in json.dumps(document["entry"][1]["resource"]["identifier"])
            elif text.startswith("#"):
                assert f'"id": "{text[1:]}"' in json.dumps(document)
            else:
                assert text in urls or f"https://hub.example/fhir/{text}" in urls


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        references = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return references + [reference for value in node.values() for reference in _references(value)]
    return [reference for value in node for reference in _references(value)] if isinstance(node, list) else []


def test_every_measurement_of_a_practice_has_a_unit() -> None:
    for delivery in good("fhir"):
        for entry in json.loads(delivery.content)["entry"]:
            if entry["resource"]["resourceType"] == "Observation":
                quantity = entry["resource"].get("valueQuantity", {"unit": "absent"})
                assert quantity.get("code", "kg") in {"kg", "g", "[lb_av]", "cm", "m", "kg/m2"}
                assert quantity.get("code") or quantity["unit"]


def test_the_trust_numbers_its_messages_and_names_the_service() -> None:
    identifiers = []
    for delivery in good("hl7"):
        lines = delivery.content.decode().split("\r")
        assert lines.pop() == ""
        header = fields(lines[0])
        identifiers.append("|".join((header[3], header[4], header[10], header[7])))
        assert (header[12], header[18]) == ("2.4", "UNICODE UTF-8")
        assert identifiers[-1] == delivery.entries[0].message_id
        services = [fields(line)[10] for line in lines if line.startswith("PV1")]
        assert services == ([] if "ADT^A31" in header[9] else ["WMS"])
    assert len(set(identifiers)) == len(identifiers)


def test_the_trust_sends_every_message_type_of_an_outpatient_pathway() -> None:
    types = {fields(delivery.content.decode().split("\r")[0])[9].rsplit("^", 1)[0] for delivery in good("hl7")}
    siu = {"SIU^S12", "SIU^S13", "SIU^S15", "SIU^S26"}
    assert types >= siu | {"REF^I12", "ADT^A04", "ADT^A03", "ORU^R01"}


def test_an_attended_appointment_carries_the_number_it_was_booked_under() -> None:
    booked, attended = set(), set()
    for delivery in good("hl7"):
        lines = [fields(line) for line in delivery.content.decode().split("\r") if line]
        named = {line[0]: line for line in lines}
        if "S12" in named["MSH"][9]:
            booked.add(named["SCH"][2])
        if "A04" in named["MSH"][9]:
            attended.add(named["PV1"][5])
    assert attended
    assert attended <= booked


def test_a_name_with_a_delimiter_in_it_does_not_become_two_fields() -> None:
    from ops.lab.simulator.render.hl7_segments import escaped

    assert escaped("O|Brien^&~\\") == "O\\F\\Brien\\S\\\\T\\\\R\\\\E\\"


def test_a_councils_file_has_forty_to_eighty_rows_and_one_entry_for_each() -> None:
    for delivery in good("csv_file"):
        rows = list(csv.DictReader(io.StringIO(delivery.content.decode(), newline="")))
        assert [entry.position for entry in delivery.entries] == list(range(2, len(rows) + 2))
        assert len(rows) <= 80 + sum(entry.expected == "rejected_row" for entry in delivery.entries)
        for row, entry in zip(rows, delivery.entries, strict=True):
            if entry.expected == "accepted":
                assert row["client_ref"] == entry.local_id
                assert row["last_updated"]
                assert row["referral_ref"]
                assert row["weight"].replace(".", "").isdigit() == bool(row["weight_unit"])
    assert len(good("csv_file")) > 10


def test_a_file_name_holds_no_person() -> None:
    names = {delivery.file_name or "" for delivery in good("csv_file")}
    assert len(names) == len(good("csv_file"))
    assert all(name.startswith("council-east-20") and name.endswith(".csv") for name in names)


def test_a_broken_message_is_followed_by_the_good_one_it_was_made_from() -> None:
    accepted_at: dict[tuple[str, str], int] = {}
    for place, delivery in enumerate(simulation().deliveries):
        if delivery.tag == "good" and delivery.kind != "csv_file":
            accepted_at[delivery.source, delivery.entries[0].message_id] = place
    broken = [(place, delivery) for place, delivery in enumerate(simulation().deliveries) if delivery.tag == "broken"]
    assert {delivery.kind for _, delivery in broken} == {"fhir", "hl7"}
    for place, delivery in broken:
        good_place = accepted_at[delivery.source, delivery.entries[0].message_id]
        assert good_place > place
        assert simulation().deliveries[good_place].content != delivery.content
        assert delivery.entries[0].expected == "refused"


def test_a_duplicate_is_the_same_bytes_again() -> None:
    first: dict[bytes, tuple[object, ...]] = {}
    for delivery in simulation().deliveries:
        if delivery.tag == "duplicate":
            assert first[delivery.content] == delivery.entries
        else:
            first[delivery.content] = delivery.entries
    assert any(delivery.tag == "duplicate" and delivery.kind == "csv_file" for delivery in simulation().deliveries)


def test_messages_for_another_clinic_name_another_service_and_nobody_of_ours() -> None:
    ours = {record.local_id for person in simulation().truth for record in person.records}
    foreign = [delivery for delivery in simulation().deliveries if delivery.tag == "foreign"]
    assert foreign
    for delivery in foreign:
        assert b"|CAR" in delivery.content
        assert b"WMS" not in delivery.content
        assert delivery.entries[0].local_id not in ours
        assert delivery.entries[0].expected == "ignored"


@pytest.mark.parametrize("of", [simulation().deliveries[0], simulation().truth[0], simulation()], ids=type)
def test_nothing_simulated_shows_a_person_in_its_repr(of: object) -> None:
    person = simulation().truth[0]
    identity = person.records[0].identity
    assert identity.surname not in repr(of)
    assert str(identity.nhs_number) not in repr(of)


def test_the_simulator_imports_nothing_of_the_engine_it_judges() -> None:
    program = (
        "import sys, ops.lab.simulator.expected\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}"
        " & {'streams', 'linkage', 'connectors', 'schemas', 'kafka', 'faust'}))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    seen = subprocess.run(  # the same look does see an import
        [sys.executable, "-c", f"import schemas.identity\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout.strip() == "['schemas']"
