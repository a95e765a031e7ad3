"""Attendances, measurements, comorbidities and questionnaire scores as Appointment, Observation,
QuestionnaireResponse."""

from typing import Any

from schemas import codes, uris
from schemas.facts import Attendance, Comorbidity, Measurement, QuestionnaireScore
from schemas.fhir.extensions import extension, fields, number, without_empty
from schemas.fhir.write_request import organisation
from schemas.source_message import SourceFact
from schemas.sources import Source
from schemas.units import UNITS

_VITAL_SIGNS = [{"coding": [{"system": uris.OBSERVATION_CATEGORY, "code": "vital-signs"}]}]


def event(fact: SourceFact, *, source: Source, subject: dict[str, str], under: str | None) -> dict[str, Any]:
    """The resource of one fact; `under` is the fullUrl of the ServiceRequest it belongs to."""
    shared = {
        "identifier": _identifier(fact, source),
        "basedOn": [{"reference": under}] if under else None,
    }
    match fact.body:
        case Attendance():
            resource = _appointment(fact, fact.body, subject)
        case Measurement():
            resource = _measurement(fact, fact.body, subject)
        case Comorbidity():
            resource = _comorbidity(fact, fact.body, subject)
        case QuestionnaireScore():
            resource = _score(fact, fact.body, subject)
            shared["identifier"] = (shared["identifier"] or [None])[
                0
            ]  # the one resource of ours with a single one
        case _:
            raise AssertionError("written elsewhere")
    return without_empty({**resource, **shared})


def _identifier(fact: SourceFact, source: Source) -> Any:
    if fact.business_id is None:
        return None
    return [
        {
            "system": uris.identifier_system(fact.body.type.replace("_", "-"), source.slug),
            "value": fact.business_id,
        }
    ]


def _day(fact: SourceFact) -> list[dict[str, Any]]:
    """The day by itself, where the moment does not already say it."""
    moment = fact.body.at
    return [] if moment is not None and moment.date() == fact.body.on else [extension("on", fact.body.on)]


def _appointment(fact: SourceFact, body: Attendance, subject: dict[str, str]) -> dict[str, Any]:
    status, reason = codes.APPOINTMENT_OF[body.attendance]
    participants: list[dict[str, Any]] = [{"actor": subject, "status": "accepted"}]
    if body.provider_ods:
        participants.append({"actor": organisation(body.provider_ods), "status": "accepted"})
    cancelled = {"coding": [{"system": uris.CANCELLATION_REASON, "code": reason}]}
    return {
        "resourceType": "Appointment",
        "extension": fields(body, without=("booked_on", "provider_ods")) + _day(fact),
        "status": "entered-in-error" if fact.retracted else status,
        "cancelationReason": cancelled if reason else None,
        "start": body.at.isoformat() if body.at else None,
        "created": body.booked_on.isoformat() if body.booked_on else None,
        "participant": participants,
    }


def _observation(fact: SourceFact, subject: dict[str, str]) -> dict[str, Any]:
    body = fact.body
    return {
        "resourceType": "Observation",
        "status": "entered-in-error" if fact.retracted else "final",
        "subject": subject,
        "effectiveDateTime": (body.at or body.on).isoformat(),
        "extension": _day(fact) if body.at else [],
    }


def _measurement(fact: SourceFact, body: Measurement, subject: dict[str, str]) -> dict[str, Any]:
    unit = UNITS[body.unit_given].ucum
    quantity = {"value": number(body.value_given), "unit": unit, "system": uris.UCUM, "code": unit}
    resource = _observation(fact, subject)
    if body.method != "measured":
        resource["extension"].append(extension("method", body.method))
    return resource | {
        "category": _VITAL_SIGNS,
        "code": {"coding": [{"system": uris.SNOMED, "code": codes.MEASUREMENT_CODE[body.quantity]}]},
        "valueQuantity": quantity,
    }


def _comorbidity(fact: SourceFact, body: Comorbidity, subject: dict[str, str]) -> dict[str, Any]:
    return _observation(fact, subject) | {
        "code": {"coding": [{"system": uris.SNOMED, "code": codes.COMORBIDITY_CODE[body.condition]}]},
        "valueBoolean": body.present,
    }


def _score(fact: SourceFact, body: QuestionnaireScore, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "extension": [extension("score", body.score), *(_day(fact) if body.at else [])],
        "questionnaire": f"{uris.TIERLINK}Questionnaire/{body.questionnaire}",
        "status": "entered-in-error" if fact.retracted else "completed",
        "subject": subject,
        "authored": (body.at or body.on).isoformat(),
    }
