"""What a source told is what ingress reads: through FHIR and JSON and back, every kind of fact, nothing
lost."""

import json
from dataclasses import replace

import pytest
from fhir_messages import EVERY_KIND, facts, messages, people
from fhir_samples import GP_HUB, SOURCES, TOLD_AT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import canonical
from schemas.check import check
from schemas.disposition import Verdict
from schemas.facts import Body, Death, Demographics
from schemas.fhir.read import read
from schemas.fhir.write import bundle
from schemas.identity import LocalId, Person
from schemas.source_message import SourceFact, SourceMessage
from schemas.sources import Source

_sources = st.sampled_from(SOURCES)
_ROOMY = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _ordered(message: SourceMessage) -> SourceMessage:
    def key(fact: SourceFact) -> str:
        words = (
            fact.business_id,
            fact.referral_business_id,
            fact.ubrn,
            fact.retracted,
            fact.body.model_dump(mode="json"),
        )
        return repr(words)

    return replace(message, facts=tuple(sorted(message.facts, key=key)))


def _through_json(message: SourceMessage, source: Source) -> SourceMessage | None:
    document = canonical.load_object(canonical.dump(bundle(message, source=source)))
    found = read(document, source=source, test_mode=True, received_at=message.source_version_at)
    assert found.message is not None, found.issues
    return found.message


@_ROOMY
@given(messages(), _sources)
def test_a_message_written_as_fhir_and_read_back_is_the_same_message(message: SourceMessage, source: Source) -> None:
    again = _through_json(message, source)
    assert again is not None
    assert _ordered(again) == _ordered(message)


@pytest.mark.parametrize("kind", [kind for kind in EVERY_KIND if kind not in (Demographics, Death)])
@settings(max_examples=8)
@given(data=st.data())
def test_every_kind_of_fact_survives_fhir(kind: type[Body], data: st.DataObject) -> None:
    message = SourceMessage("M-1", TOLD_AT, data.draw(people()), (data.draw(facts(kind)),))
    again = _through_json(message, GP_HUB)
    assert again is not None
    items = [fact for fact in again.facts if not isinstance(fact.body, Demographics)]
    assert items == list(message.facts)


@_ROOMY
@given(messages(), _sources)
def test_equal_messages_give_equal_bytes(message: SourceMessage, source: Source) -> None:
    first = canonical.dump(bundle(message, source=source))
    assert first == canonical.dump(bundle(replace(message), source=source))
    assert json.loads(first)["type"] == "message"


@_ROOMY
@given(messages(), _sources)
def test_what_we_write_ourselves_passes_the_check_without_a_structural_warning(
    message: SourceMessage, source: Source
) -> None:
    checked, again = check(
        bundle(message, source=source), source=source, test_mode=True, received_at=message.source_version_at
    )
    assert again is not None
    assert checked.verdict in (Verdict.ACCEPTED, Verdict.ACCEPTED_WITH_WARNINGS)
    expected = ("plausible", "NHS number")
    assert [issue for issue in checked.issues if not any(word in issue.rule for word in expected)] == []


def test_the_comparison_sees_one_changed_field() -> None:
    message = SourceMessage("M-1", TOLD_AT, Person(local_id=LocalId("1")))
    assert _through_json(message, GP_HUB) == message
    assert _through_json(message, GP_HUB) != replace(message, message_id="M-2")
