"""Attendances, measurements, comorbidities and questionnaire scores as Appointment, Observation,
QuestionnaireResponse."""

from schemas import codes, uris
from schemas.facts import Attendance, Comorbidity, Measurement, QuestionnaireScore
from schemas.fhir.extensions import extension, fields, number, without_empty
from schemas.fhir.write_request import organisation
from schemas.source_message import SourceFact
from schemas.sources import Source
from schemas.units import UNITS

_VITAL_SIGNS = [{"coding": [{"system": uris.OBSERVATION_CATEGORY, "code": "vital-signs"}]}]


def event(fact: SourceFact, *, source: Source, subject: dict[str, str], under: str | None) -> dict[str, object]:
    """The resource of one fact; `under` is the fullUrl of the ServiceRequest it belongs to."""
    identifier = _identifier(fact, source)
    shared: dict[str, object] = {
        "identifier": [identifier] if identifier else None,
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
            shared["identifier"] = identifier  # FHIR allows only one here
        case _:
            raise AssertionError("written elsewhere")
    return without_empty({**resource, **shared})


def _identifier(fact: SourceFact, source: Source) -> dict[str, str] | None:
    if fact.business_id is None:
        return None
    system = uris.identifier_system(fact.body.type.replace("_", "-"), source.slug)
    return {"system": system, "value": fact.business_id}


def _day(fact: SourceFact) -> list[dict[str, object]]:
    """The day by itself, where the moment does not already say it."""
    moment = fact.body.at
    return [] if moment is not None and moment.date() == fact.body.on else [extension("on", fact.body.on)]


def _appointment(fact: SourceFact, body: Attendance, subject: dict[str, str]) -> dict[str, object]:
    status, reason = codes.APPOINTMENT_OF[body.attendance]
    participants: list[dict[str, object]] = [{"actor": subject, "status": "accepted"}]
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


def _observation(fact: SourceFact, subject: dict[str, str], *extensions: dict[str, object]) -> dict[str, object]:
    body = fact.body
    return {
        "resourceType": "Observation",
        "status": "entered-in-error" if fact.retracted else "final",
        "subject": subject,
        "effectiveDateTime": (body.at or body.on).isoformat(),
        "extension": [*(_day(fact) if body.at else []), *extensions],
    }


def _measurement(fact: SourceFact, body: Measurement, subject: dict[str, str]) -> dict[str, object]:
    unit = UNITS[body.unit_given].ucum
    quantity = {"value": number(body.value_given), "unit": unit, "system": uris.UCUM, "code": unit}
    method = [extension("method", body.method)] if body.method != "measured" else []
    return _observation(fact, subject, *method) | {
        "category": _VITAL_SIGNS,
        "code": {"coding": [{"system": uris.SNOMED, "code": codes.MEASUREMENT_CODE[body.quantity]}]},
        "valueQuantity": quantity,
    }


def _comorbidity(fact: SourceFact, body: Comorbidity, subject: dict[str, str]) -> dict[str, object]:
    return _observation(fact, subject) | {
        "code": {"coding": [{"system": uris.SNOMED, "code": codes.COMORBIDITY_CODE[body.condition]}]},
        "valueBoolean": body.present,
    }


def _score(fact: SourceFact, body: QuestionnaireScore, subject: dict[str, str]) -> dict[str, object]:
    return {
        "resourceType": "QuestionnaireResponse",
        "extension": [extension("score", body.score), *(_day(fact) if body.at else [])],
        "questionnaire": f"{uris.TIERLINK}Questionnaire/{body.questionnaire}",
        "status": "entered-in-error" if fact.retracted else "completed",
        "subject": subject,
        "authored": (body.at or body.on).isoformat(),
    }
