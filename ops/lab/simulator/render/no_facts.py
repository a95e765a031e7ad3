"""Elements that tell no fact although they look like one: a bound, a negation, a proposal, a withdrawn result.

Each stands beside the true facts of an entry, under a number of its own, and changes nothing that is expected. Sources
(read November 2026): R4, the elements marked as modifiers and `dataAbsentReason`; HL7 2.4, table 0085; v3 NullFlavor.
"""

from collections.abc import Sequence

from ops.lab.simulator.model import GP, SimulatedEntry
from ops.lab.simulator.render.fhir_references import Reference
from ops.lab.simulator.spellings import chosen

Resource = dict[str, object]

_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_WEIGHT = {"coding": [{"system": "http://snomed.info/sct", "code": "27113001"}]}
_TOO_HEAVY = {"value": 250.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
_NO_MEASUREMENT: Sequence[Resource] = (
    {"status": "final", "valueQuantity": {**_TOO_HEAVY, "comparator": "<"}},
    {"status": "final", "valueQuantity": {**_TOO_HEAVY, "comparator": ">="}},
    {"status": "cancelled", "valueQuantity": _TOO_HEAVY},
    {"status": "unknown", "valueQuantity": _TOO_HEAVY},
    {"status": "registered", "valueQuantity": _TOO_HEAVY},
    {"status": "final", "dataAbsentReason": {"coding": [{"system": _ABSENT, "code": "asked-declined"}]}},
    {"status": "final", "dataAbsentReason": {"text": "No scales"}},
    {"status": "final", "valueString": "Declined"},
    {"status": "final", "valueCodeableConcept": {"text": "Patient declined"}},
    {
        "status": "final",
        "valueQuantity": _TOO_HEAVY,
        "modifierExtension": [{"url": "https://hub.example/fhir/StructureDefinition/negated", "valueBoolean": True}],
    },
)
_NO_REQUEST: Sequence[Resource] = (
    {"doNotPerform": True},
    {"intent": "proposal"},
    {"intent": "plan"},
    {"intent": "option"},
    {"status": "draft"},
    {"status": "on-hold"},
    {"status": "unknown"},
)
# OBX-2, OBX-5, OBX-6, OBX-11
_NO_RESULT = (
    ("NM", "250.5", "kg", "X"), ("NM", "250.5", "kg", "I"), ("NM", "250.5", "kg", "P"), ("NM", "", "", "X"),
    ("ST", "Declined", "", "F"), ("ST", "Unable to weigh", "kg", "F"), ("CE", "ASKU", "", "F"),
    ("SN", "<^250", "kg", "F"),
)  # fmt: skip
_NOT_TAKEN = ("Declined", "N/A", "not weighed", "DNA", "-", "ASKU", "<200")


def no_measurement(entry: SimulatedEntry, subject: Reference) -> list[Resource]:
    """An Observation of a weight that measures nothing, where the entry drew one."""
    found = chosen(entry, "no_measurement_beside", None, _NO_MEASUREMENT)
    if found is None:
        return []
    named = _number(entry, f"https://tierlink.example/Id/measurement/{GP}", "NONE")
    return [
        {
            "resourceType": "Observation",
            "identifier": [named],
            "code": _WEIGHT,
            "subject": subject,
            "effectiveDateTime": entry.facts[0].on.isoformat(),
            **found,
        }
    ]


def no_request(entry: SimulatedEntry, request: Resource) -> list[Resource]:
    """`request` as one that asks for nothing, under another number, where the entry drew one."""
    found = chosen(entry, "no_request_beside", None, _NO_REQUEST)
    if found is None:
        return []
    named = _number(entry, "https://hub.example/Id/request", "DRAFT")
    return [{**request, "identifier": [named], **found}]


def no_result(entry: SimulatedEntry, code: str, at: str) -> list[dict[int, str]]:
    """The fields of a second OBX that reports no result, where the entry drew one."""
    found = chosen(entry, "no_result_beside", None, _NO_RESULT)
    if found is None:
        return []
    kind, value, unit, status = found
    return [{1: "2", 2: kind, 3: code, 5: value, 6: unit, 11: status, 14: at}]


def no_weight(entry: SimulatedEntry) -> dict[str, str]:
    """The cell of a weight that was not taken at a session, where the entry drew one and has none."""
    if not any(fact.kind == "attendance" for fact in entry.facts) or any(
        fact.quantity == "weight" for fact in entry.facts
    ):
        return {}
    cell = chosen(entry, "no_weight_taken", "", _NOT_TAKEN)
    return {"weight": cell} if cell else {}


def _number(entry: SimulatedEntry, system: str, prefix: str) -> dict[str, str]:
    return {"system": system, "value": f"{prefix}-{entry.message_id}"}
