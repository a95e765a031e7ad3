"""Which fields of the published models a recipient may hold: named sets, each with its reason.

A set lists what is published, so a field that is added to the vocabulary reaches nobody but `full` until somebody names
it here. Small groups are what a set guards against: the Information Commissioner's Office, "Anonymisation" (2025), asks
whether one person can be singled out; NHS England's disclosure control (2024) suppresses counts of 1 to 7. A set alone
makes nothing anonymous: what it leaves is pseudonymous data about one person. Decision 0018.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

Use = Literal["direct care", "planning", "research"]
Tree = Mapping[str, "Tree"]  # name -> the names kept below it; none below means all of it

ALWAYS = ("person", "revision", "known_at")  # without these nothing could be read in order
ALWAYS_IN_EVENTS = (*ALWAYS, "id", "status", "event")
# Kinds that take each other's place under one key when their fact is corrected: a set has all of a group or none.
REPLACING = (
    frozenset({"referral_sent", "referral_received"}),
    frozenset({"booked", "attended", "not_attended", "cancelled"}),
    frozenset({"gap", "handover_received", "handover_answered"}),
)


@dataclass(frozen=True, slots=True)
class FieldSet:
    """One set. `snapshot` are paths (`episodes.rtt.wait_days`, `*` for any name; a path names all that lies below it).

    `events` are the kinds published, `event_fields` the fields of each. None means everything there is.
    """

    name: str
    reason: str
    uses: frozenset[Use]
    snapshot: tuple[str, ...] | None = None
    events: frozenset[str] | None = None
    event_fields: tuple[str, ...] | None = None
    _tree: Tree | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """The paths as a tree, made once."""
        whole = self.snapshot is None
        assert whole == (self.events is None) == (self.event_fields is None), "all of everything, or lists of all three"
        object.__setattr__(self, "_tree", None if whole else tree_of((*ALWAYS, *(self.snapshot or ()))))

    def shows(self, kind: str) -> bool:
        """True when events of a kind are published."""
        return self.events is None or kind in self.events

    def of_snapshot(self, value: Mapping[str, object]) -> Mapping[str, object]:
        """A snapshot with the named fields and no other."""
        return value if self._tree is None else cast(Mapping[str, object], pruned(value, self._tree))

    def of_event(self, value: Mapping[str, object]) -> Mapping[str, object]:
        """An event, or a retraction, with the named fields and no other."""
        if self.event_fields is None:
            return value
        kept = {*ALWAYS_IN_EVENTS, *self.event_fields}
        return {name: part for name, part in value.items() if name in kept}


def tree_of(paths: Iterable[str]) -> Tree:
    """The paths as a tree.

    >>> tree_of(["person", "rtt.wait_days", "rtt.definition"])
    {'person': {}, 'rtt': {'wait_days': {}, 'definition': {}}}
    """
    tree: dict[str, dict[str, object]] = {}
    for path in paths:
        node = tree
        for name in path.split("."):
            node = cast(dict[str, dict[str, object]], node.setdefault(name, {}))
    return cast(Tree, tree)


def pruned(value: object, tree: Tree) -> object:
    """What `tree` names of a JSON value, in lists of each element.

    >>> pruned({"on": 1, "rtt": [{"wait_days": 5, "start_on": 2}]}, tree_of(["rtt.wait_days"]))
    {'rtt': [{'wait_days': 5}]}
    """
    if not tree or value is None:
        return value
    if isinstance(value, list | tuple):
        return [pruned(part, tree) for part in value]
    assert isinstance(value, Mapping), "a path ends where there is nothing below"
    if "*" in tree:
        return {name: pruned(part, tree["*"]) for name, part in value.items()}
    return {name: pruned(part, tree[name]) for name, part in value.items() if name in tree}


FIELD_SETS: Mapping[str, FieldSet] = {
    found.name: found
    for found in (
        FieldSet(
            "full",
            "Whoever treats a person may know all that is known of the pathway: exact days, practice, conditions.",
            frozenset({"direct care"}),
        ),
        FieldSet(
            "planning",
            "Counts, waits and outcomes by service and area. No day, year of birth, ethnic category, practice, weight, "
            "condition or reason: at one service each of these, beside an area, leaves groups of one or two people. "
            "But why an outcome is excluded: a rate is worth what is known of those left out of it.",
            frozenset({"direct care", "planning"}),
            (
                "current_stage", "current_tier", "current_to_tier", "three_tier",
                "demographics.sex", "demographics.imd_quintile", "demographics.imd_version", "demographics.council",
                "as_of", "findings.rule", "findings.episode", "episodes.id", "episodes.course",
                "episodes.referral_retracted", "episodes.ending_definition", "episodes.outcomes.baseline_method",
                "episodes.outcomes.end_method", "episodes.tier", "episodes.route", "episodes.ambiguous",
                "episodes.stage", "episodes.ending", "episodes.provider_ods", "episodes.council",
                "episodes.priority", "episodes.consultant_led", "episodes.attendance", "episodes.waits",
                "episodes.completions.definition", "episodes.completions.basis", "episodes.completions.met",
                "episodes.rtt.definition", "episodes.rtt.wait_days", "episodes.rtt.within_standard",
                "episodes.wait_to_first_attendance.definition", "episodes.wait_to_first_attendance.wait_days",
                "episodes.outcomes.definition", "episodes.outcomes.weeks", "episodes.outcomes.status",
                "episodes.outcomes.achieved", "episodes.outcomes.excluded", "episodes.outcomes.in_starters",
                "episodes.outcomes.in_closed", "episodes.outcomes.in_completers",
                "episodes.start_definition", "courses.id", "courses.definition", "courses.reasons", "courses.episodes",
                "handovers.id", "handovers.definition", "handovers.from_tier", "handovers.to_tier",
                "handovers.interval_days", "handovers.days_allowed", "handovers.status", "handovers.answer",
                "handovers.episode", "handovers.from_episode",
            ),
            events=frozenset(),
            event_fields=(),
        ),
        FieldSet(
            "research",
            "The course of care and its outcomes, by day. No organisation, area or programme, no day of death: with a "
            "place or a day that stands in a newspaper, a rare condition or category names one person.",
            frozenset({"direct care", "research"}),
            (
                "current_stage", "current_tier", "current_to_tier", "three_tier", "comorbidities",
                "demographics.sex", "demographics.birth_year", "demographics.ethnic_category",
                "demographics.ethnic_system", "demographics.imd_quintile", "demographics.imd_version",
                "demographics.ethnic_group", "core20", "ruled_out", "medicines", "as_of", "courses",
                "findings.rule", "findings.episode",
                "episodes.id", "episodes.course", "episodes.tier", "episodes.route", "episodes.ambiguous",
                "episodes.referral_retracted", "episodes.age_at_referral", "episodes.age_group",
                "episodes.bmi_at_referral", "episodes.height_cm", "episodes.stage", "episodes.ending",
                "episodes.ending_definition", "episodes.priority",
                "episodes.consultant_led", "episodes.sent_on", "episodes.received_on", "episodes.triaged_on",
                "episodes.triage_level", "episodes.offered_count", "episodes.chosen_on", "episodes.accepted_on",
                "episodes.acceptance_definition", "episodes.declined_on", "episodes.declined_by",
                "episodes.decline_reason", "episodes.first_contact_on", "episodes.first_session_on",
                "episodes.started_on", "episodes.start_definition", "episodes.treated_on", "episodes.withdrawn_on",
                "episodes.withdrawal_reason", "episodes.discharged_on", "episodes.suspensions",
                "episodes.completions", "episodes.attendance", "episodes.weights", "episodes.waists",
                "episodes.waits",
                "episodes.rtt.definition", "episodes.rtt.within_standard",
                "episodes.wait_to_first_attendance", "episodes.outcomes", "episodes.medicines",
                "episodes.procedures", "episodes.scores", "episodes.experience", "episodes.eligibility",
                "handovers.id", "handovers.definition", "handovers.from_tier", "handovers.to_tier",
                "handovers.sent_on", "handovers.received_on", "handovers.interval_days", "handovers.status",
                "handovers.answer", "handovers.days_allowed", "handovers.overdue_since",
                "handovers.episode", "handovers.from_episode",
            ),
            events=frozenset(
                "referral_sent referral_received triaged accepted declined choice_made started booked attended "
                "not_attended cancelled weight_recorded completed withdrawn suspended medicine procedure comorbidity "
                "score_recorded handover_received handover_answered gap loss".split()
            ),
            event_fields=(
                "on", "tier", "episode", "definition", "to_tier", "priority", "consultant_led", "reasons", "level",
                "declined_by", "reason", "offered_count", "delivery", "attendance", "booked_on", "medium", "group",
                "kg", "method", "plausible", "action", "dmd_code", "code", "system", "condition", "present",
                "sent_on", "interval_days", "weeks", "baseline_on", "baseline_kg", "end_kg", "loss_pct", "achieved",
                "completer", "purpose", "indication", "setting", "ends_on", "questionnaire", "score", "answer",
            ),
        ),
    )
}  # fmt: skip
