"""The snapshot of a journey as a recipient with the field set `full` reads it, with numbers in the place of ids.

Episodes are numbered in the order in which they were received (opened, where no receipt is known), handovers by the
day they were sent, courses by the day they began, findings by their day: `episode` of a handover is such a number.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pathway_engine import agreement
from pathway_journeys import DEFINITIONS, keyed, keyring, person_fact

from schemas import canonical
from schemas.definitions import Definitions
from schemas.facts import StoredFact
from streams.steps.pathway_fold.fold import fold
from streams.steps.publishing import Publication, Recipient

Snapshot = Mapping[str, Any]
_OPENED = (
    "triaged_on", "accepted_on", "declined_on", "first_contact_on", "first_session_on", "started_on", "treated_on",
    "withdrawn_on", "discharged_on", "ending_on",
)  # fmt: skip
NOBODY: Snapshot = {"episodes": [], "courses": [], "handovers": [], "findings": []}


def snapshot(facts: Iterable[StoredFact], as_of: date, definitions: Definitions = DEFINITIONS) -> Snapshot:
    """What `demo` reads of these facts on day `as_of`; NOBODY where nothing is published."""
    pathway = fold([person_fact(fact) for fact in facts], as_of=as_of, definitions=definitions)
    recipient = Recipient(agreement("demo"), keyring("demo"))
    value = recipient.snapshot(recipient.about(keyed("person"), Publication(0, 0)), pathway).value
    return numbered(canonical.load_object(value)) if value is not None else NOBODY


def numbered(whole: Snapshot) -> Snapshot:
    """The published snapshot with every list in order and every id replaced by the number of what it names."""
    episodes = sorted(whole["episodes"], key=_order)
    courses = sorted(whole["courses"], key=lambda course: (course["started_on"], course["id"]))
    numbers = _numbers(episodes) | _numbers(courses)
    handovers = sorted(whole["handovers"], key=lambda sent: (sent["sent_on"], sent["from_tier"], sent["to_tier"]))
    findings = sorted(whole["findings"], key=lambda finding: (finding["on"], finding["rule"]))
    return {
        **whole,
        "episodes": [_with(episode, numbers, "course") for episode in episodes],
        "courses": [{**course, "episodes": [numbers[each] for each in course["episodes"]]} for course in courses],
        "handovers": [_with(sent, numbers, "episode", "from_episode") for sent in handovers],
        "findings": [_with(finding, numbers, "episode") for finding in findings],
    }


def _order(episode: Snapshot) -> tuple[str, ...]:
    """The day it was received or opened; then what it is called, and at last its id, so that there is one order."""
    days = [episode[name] for name in _OPENED if episode[name]] + [weight["on"] for weight in episode["weights"]]
    opened = episode["received_on"] or min(days, default="9999-12-31")
    return opened, episode["tier"], episode["provider_ods"] or "", episode["programme"] or "", episode["id"]


def _numbers(parts: Iterable[Snapshot]) -> dict[str, int]:
    return {part["id"]: number for number, part in enumerate(parts, 1)}


def _with(part: Snapshot, numbers: Mapping[str, int], *names: str) -> Snapshot:
    return {**part, **{name: numbers[part[name]] if part[name] else None for name in names}}
