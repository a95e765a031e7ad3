"""A SourceMessage as a FHIR R4 message Bundle: the same message, the same bytes."""

import uuid
from datetime import UTC

from schemas import uris
from schemas.envelope import NAMESPACE
from schemas.facts import (
    Attendance,
    Comorbidity,
    Death,
    Demographics,
    Measurement,
    QuestionnaireScore,
    Referral,
)
from schemas.fhir.extensions import extension
from schemas.fhir.write_event import event
from schemas.fhir.write_patient import patient
from schemas.fhir.write_request import carrier, milestone, referral
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source


def bundle(message: SourceMessage, *, source: Source) -> dict[str, object]:
    """The message Bundle of `message`, ready for JSON. Equal messages of one source give equal Bundles.

    `schemas.fhir.read.read` gives the message back, its facts as a set, provided that: Demographics has the sex and
    birth year of the person where the person has them; a referral with a UBRN has a business id; a milestone under a
    named referral has a business id; a measurement's value is its `value_given` by `schemas.units.converted`; names and
    addresses are not wholly empty. fullUrls are uuid5 of the source, the message id and the position.
    """
    return _Writer(message, source).bundle()


class _Writer:
    """Collects entries; a ServiceRequest is written once for each referral that facts name."""

    def __init__(self, message: SourceMessage, source: Source) -> None:
        self._message = message
        self._source = source
        self._entries: list[dict[str, object]] = []
        self._subject = {"reference": self._url("patient", 0)}
        self._requests: dict[str | None, dict[str, object]] = {}
        self._urls: dict[str | None, str] = {}

    def bundle(self) -> dict[str, object]:
        """All entries: header, Patient, what facts give, in the facts' order."""
        self._append("header", 0, self._header())
        self._append("patient", 0, patient(self._message, source=self._source))
        facts = [fact for fact in self._message.facts if not isinstance(fact.body, Demographics | Death)]
        referrals = [fact for fact in facts if isinstance(fact.body, Referral)]
        for position, fact in enumerate(referrals):
            if fact.business_id is not None:
                self._urls.setdefault(fact.business_id, self._url("referral", position))
        for position, fact in enumerate(referrals):
            self._referral(fact, position)
        for position, fact in enumerate(facts):
            if isinstance(fact.body, Attendance | Measurement | Comorbidity | QuestionnaireScore):
                under = self._under(fact)
                resource = event(fact, source=self._source, subject=self._subject, under=under)
                self._append("event", position, resource)
            elif not isinstance(fact.body, Referral):
                self._milestone(fact)
        return {
            "resourceType": "Bundle",
            "identifier": {
                "system": uris.identifier_system("message", self._source.slug),
                "value": self._message.message_id,
            },
            "type": "message",
            "timestamp": self._message.source_version_at.astimezone(UTC).isoformat(),
            "entry": self._entries,
        }

    def _url(self, kind: str, position: int | str) -> str:
        parts = (self._source.slug, self._message.message_id, kind, str(position))
        return f"urn:uuid:{uuid.uuid5(NAMESPACE, ''.join(f'{len(part)}:{part}' for part in parts))}"

    def _append(self, kind: str, position: int | str, resource: dict[str, object]) -> None:
        self._entries.append({"fullUrl": self._url(kind, position), "resource": resource})

    def _header(self) -> dict[str, object]:
        return {
            "resourceType": "MessageHeader",
            "extension": [extension("service-named", self._message.service_named)],
            "eventUri": f"{uris.TIERLINK}event/entry",
            "sender": {"identifier": {"system": uris.ODS_ORGANISATION, "value": self._source.ods}},
            "source": {"endpoint": f"{uris.TIERLINK}source/{self._source.slug}"},
            "focus": [self._subject],
        }

    def _referral(self, fact: SourceFact, position: int) -> None:
        resource = referral(fact, source=self._source, subject=self._subject, under=self._under(fact))
        if fact.business_id is not None:
            self._requests.setdefault(fact.business_id, resource)
        self._append("referral", position, resource)

    def _under(self, fact: SourceFact) -> str | None:
        """The fullUrl of the ServiceRequest of the referral that `fact` names, written now if it was not yet."""
        number = fact.referral_business_id
        if number is None:
            return None
        if number not in self._urls:
            self._carrier(number)
        return self._urls[number]

    def _carrier(self, number: str | None) -> None:
        resource = carrier(number, source=self._source, subject=self._subject)
        position = "none" if number is None else f"id:{number}"
        self._requests[number], self._urls[number] = resource, self._url("carrier", position)
        self._append("carrier", position, resource)

    def _milestone(self, fact: SourceFact) -> None:
        number = fact.referral_business_id
        if number not in self._requests:
            self._carrier(number)
        extensions = self._requests[number].setdefault("extension", [])
        assert isinstance(extensions, list)
        extensions.append(milestone(fact))
