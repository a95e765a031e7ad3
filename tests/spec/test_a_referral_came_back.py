"""A practice's feed, or a council's file, says that a referral it sent came back: the referral stands, and is answered.

Sources: R4 request-status (revoked: ended before it was done, no further activity; entered-in-error: should never have
been); the extension request-statusReason of R4; e-RS A028, RETURN_TO_REFERRER_WITH_ADVICE. Read November 2026.
"""

from datetime import date
from typing import Any

import pytest
from council_files import HEADERS, line, mapping_text, read_east, row
from fhir_samples import GP_HUB, RECEIVED_AT, referral_bundle

from connectors.mapping import parse
from schemas.check import check
from schemas.errors import InvalidField, Issue
from schemas.facts import Decline, FactBody, Referral
from schemas.source_message import SourceFact
from schemas.uris import STATUS_REASON, extension_url

NUMBER = "000012345678"


def facts_with(**request: Any) -> tuple[list[SourceFact], tuple[Issue, ...]]:
    """Referral and decline of the practice's message when its request has these elements."""
    document = referral_bundle(ServiceRequest=lambda resource: resource.update(request))
    checked, message = check(document, source=GP_HUB, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return [fact for fact in message.facts if fact.body.type in ("referral", "decline")], checked.issues


def why(code: str) -> dict[str, Any]:
    return {"extension": [{"url": STATUS_REASON, "valueCodeableConcept": {"coding": [{"code": code}]}}]}


def test_a_revoked_referral_was_sent_and_is_over_from_the_day_of_the_message() -> None:
    (referral, decline), issues = facts_with(status="revoked")
    assert isinstance(referral.body, Referral)
    assert not referral.retracted
    assert decline.body == Decline(on=date(2026, 6, 1), declined_by="referrer")
    assert (decline.business_id, decline.referral_business_id) == (f"{NUMBER}/decline", NUMBER)
    assert issues == ()


def test_the_day_is_that_of_the_last_change_where_the_request_says_it() -> None:
    (_, decline), _ = facts_with(status="revoked", meta={"lastUpdated": "2026-05-30T10:00:00Z"})
    assert decline.body.on == date(2026, 5, 30)


def test_a_change_that_lies_ahead_of_the_message_is_no_day() -> None:
    (_, decline), _ = facts_with(status="revoked", meta={"lastUpdated": "2027-05-30T10:00:00Z"})
    assert decline.body.on == date(2026, 6, 1)


@pytest.mark.parametrize(
    ("code", "reason", "declined_by"),
    [
        ("RETURN_TO_REFERRER_WITH_ADVICE", "returned-with-advice", "service"),
        ("returned-with-advice", "returned-with-advice", "service"),
        ("no-capacity", "no-capacity", "service"),
        ("declined", "declined-by-person", "person"),
        ("duplicate", "duplicate", "referrer"),
    ],
)
def test_why_it_came_back_says_by_whom(code: str, reason: str, declined_by: str) -> None:
    (_, decline), issues = facts_with(status="revoked", **why(code))
    assert decline.body == Decline(on=date(2026, 6, 1), declined_by=declined_by, reason=reason)  # type: ignore[arg-type]
    assert issues == ()


def test_a_reason_of_no_list_is_named_and_left_out() -> None:
    (_, decline), issues = facts_with(status="revoked", **why("because Mr Smith rang"))
    assert decline.body == Decline(on=date(2026, 6, 1), declined_by="referrer")
    assert [(issue.severity.value, issue.location) for issue in issues] == [
        ("warning", "Bundle.entry[2].resource.extension[0].valueCodeableConcept")
    ]


def test_a_referral_entered_in_error_is_taken_back_and_nothing_declines_it() -> None:
    (referral,), _ = facts_with(status="entered-in-error")
    assert referral.retracted


def test_a_milestone_says_the_same_with_its_day() -> None:
    parts = [{"url": "type", "valueCode": "decline"}, {"url": "on", "valueDate": "2026-05-29"}]
    parts += [{"url": "declined-by", "valueCode": "service"}, {"url": "reason", "valueCode": "returned-with-advice"}]
    milestone = {"extension": [{"url": extension_url("milestone"), "extension": parts}]}
    (_, decline), _ = facts_with(**milestone)
    assert decline.body == Decline(on=date(2026, 5, 29), declined_by="service", reason="returned-with-advice")
    assert decline.referral_business_id == NUMBER


# ------------------------------------------------------------ a council's file

COLUMNS = (*HEADERS, "onward_returned_date", "onward_returned_reason")
RETURNED = {"onward_referral_date": "09/05/2026", "onward_to": "RXX", "onward_returned_date": "10/05/2026"}


def of_a_row(**cells: str) -> dict[str, SourceFact]:
    """The facts of one row by type and number."""
    text = row(**cells).rstrip("\r\n") + f",{cells['onward_returned_date']},{cells['onward_returned_reason']}\r\n"
    (entry,) = read_east(line(COLUMNS) + text).entries
    assert entry.message is not None
    return {f"{fact.body.type} {fact.business_id}": fact for fact in entry.message.facts}


def test_a_council_says_that_its_onward_referral_came_back_with_advice() -> None:
    found = of_a_row(**RETURNED, onward_returned_reason="Returned with advice")
    decline = found["decline R-77/onward/decline"]
    assert decline.body == Decline(on=date(2026, 5, 10), reason="returned-with-advice")
    assert decline.referral_business_id == found["referral R-77/onward"].business_id == "R-77/onward"


def test_it_is_not_the_councils_own_decline() -> None:
    declined = {"declined_date": "05/04/2026", "declined_by": "Service", "decline_reason": "Not eligible"}
    found = of_a_row(**RETURNED, **declined, onward_returned_reason="No capacity")
    bodies: dict[str, FactBody] = {name: fact.body for name, fact in found.items() if name.startswith("decline")}
    assert bodies == {
        "decline R-77/decline": Decline(on=date(2026, 4, 5), declined_by="service", reason="not-eligible"),
        "decline R-77/onward/decline": Decline(on=date(2026, 5, 10), reason="no-capacity"),
    }


@pytest.mark.parametrize("sent", [0, 2])
def test_under_which_of_two_sent_referrals_nobody_could_say(sent: int) -> None:
    text = mapping_text()
    before, group, after = text.partition("[[fact]] # the referral onward to Tier 3")
    onward, _, rest = after.partition("[[fact]]")
    with pytest.raises(InvalidField, match="exactly one referral with direction sent"):
        parse(before + (group + onward) * sent + "[[fact]]" + rest)


def test_a_referral_itself_is_under_no_sent_one() -> None:
    text = mapping_text().replace('direction = "sent"\n', 'direction = "sent"\nunder = "sent"\n')
    with pytest.raises(InvalidField, match=r"fact\[[0-9]+\]\.under"):
        parse(text)


# ------------------------------------------------------------ a Task about the request

REQUEST = "urn:x:2"


def with_task(request: dict[str, Any] | None = None, **task: Any) -> tuple[list[SourceFact], tuple[Issue, ...]]:
    """As `facts_with`, beside a Task about the request."""
    document = referral_bundle(ServiceRequest=lambda resource: resource.update(request or {}))
    plain = {"resourceType": "Task", "status": "rejected", "intent": "order", "focus": {"reference": REQUEST}}
    when = {"lastModified": "2026-05-31T09:00:00+01:00"}
    document["entry"].append({"fullUrl": "urn:x:task", "resource": {**plain, **when, **task}})
    checked, message = check(document, source=GP_HUB, test_mode=True, received_at=RECEIVED_AT)
    assert message is not None
    return [fact for fact in message.facts if fact.body.type in ("referral", "decline")], checked.issues


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


def test_a_task_that_the_service_rejected_declines_the_referral_it_is_about() -> None:
    (referral, decline), issues = with_task(statusReason=concept("RETURN_TO_REFERRER_WITH_ADVICE"))
    assert isinstance(decline.body, Decline)
    assert (decline.body.on, decline.body.declined_by) == (date(2026, 5, 31), "service")
    assert (decline.body.reason, decline.referral_business_id) == ("returned-with-advice", referral.business_id)
    assert issues == ()


def test_a_task_names_its_request_by_a_number_too() -> None:
    number = {"identifier": {"system": "https://fhir.nhs.uk/Id/UBRN", "value": NUMBER}}
    (_, decline), _ = with_task(focus=number)
    assert decline.referral_business_id == NUMBER


@pytest.mark.parametrize("status", ["requested", "accepted", "completed", "cancelled"])
def test_any_other_task_tells_nothing_and_says_so(status: str) -> None:
    (_,), issues = with_task(status=status)
    assert [(issue.severity.value, issue.location) for issue in issues] == [
        ("information", "Bundle.entry[5].resource.status")
    ]


def test_a_rejection_entered_in_error_is_taken_back() -> None:
    (_, decline), _ = with_task(status="entered-in-error")
    assert decline.retracted


def test_a_task_about_nothing_is_an_error() -> None:
    (_,), issues = with_task(focus={"display": "a letter"})
    assert [(issue.severity.value, issue.location) for issue in issues] == [("error", "Bundle.entry[5].resource.focus")]


def test_a_revoked_request_whose_task_says_why_is_declined_once_by_the_task() -> None:
    (_, decline), issues = with_task({"status": "revoked"}, statusReason=concept("no-capacity"))
    assert isinstance(decline.body, Decline)
    assert (decline.body.on, decline.body.reason) == (date(2026, 5, 31), "no-capacity")
    assert issues == ()
