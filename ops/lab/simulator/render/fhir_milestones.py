"""What happened under a request, as the extension `milestone` on its ServiceRequest (connectors/README.md, FHIR)."""

from collections.abc import Mapping

from ops.lab.simulator.model import Fact

_EXTENSION = "https://tierlink.example/StructureDefinition/milestone"
# SNOMED CT UK edition, public condition code lists (read November 2026)
CONDITIONS: Mapping[str, str] = {"diabetes_type2": "44054006", "hypertension": "38341003"}
_FIELDS: Mapping[str, Mapping[str, str]] = {  # of a kind: field of the fact -> part of the extension
    "decline": {"by": "declined-by", "reason": "reason"},
    "medicine": {"action": "action", "code": "dmd-code", "indication": "indication", "setting": "setting"},
}


def milestone(fact: Fact) -> dict[str, object]:
    """The extension of a fact that FHIR has no other place for."""
    coded = {part: getattr(fact, name) for name, part in _FIELDS[fact.kind].items()}
    parts: list[dict[str, object]] = [
        {"url": "type", "valueCode": fact.kind},
        {"url": "business-id", "valueString": fact.key},
        {"url": "on", "valueDate": fact.on.isoformat()},
        *({"url": part, "valueCode": code} for part, code in coded.items() if code is not None),
    ]
    if fact.dose_mg is not None:
        parts.append({"url": "dose-mg", "valueDecimal": float(fact.dose_mg)})
    return {"url": _EXTENSION, "extension": parts}
