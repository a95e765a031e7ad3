"""When two facts under one number are two things: what a fact is known by where its source has no number for it.

A correction finds its fact by the business id, so two facts that share one would replace each other in silence. What is
named here is part of the id at every door, and tells two facts apart that a sender gave one number.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from schemas.facts import Body, FactBody
from schemas.units import plain

# Type of fact -> the fields by which one referral can have several. Of the other types a referral has one: the later
# version corrects the earlier. Another dose is another fact; so is a status, a suspension or an answer of another day.
DISTINGUISHING: Mapping[str, tuple[str, ...]] = {
    "acceptance": ("definition",),
    "completion": ("definition",),
    "medicine": ("action", "dmd_code", "dose_mg"),
    "procedure": ("code",),
    "suspension": ("on",),
    "rtt_status": ("on",),
    "eligibility": ("rule",),
    "experience": ("on",),
    "comorbidity": ("condition",),
}
# What can happen twice under one number. Any other is one thing said in two ways.
REPEATABLE = frozenset({"attendance", "measurement", "questionnaire_score"})


def distinguishing(body: Body) -> tuple[str, ...]:
    """What tells `body` from another fact of its type under one referral, in words that stand in an id."""
    kind = str(type(body).model_fields["type"].default)
    values = (getattr(body, name) for name in DISTINGUISHING.get(kind, ()))
    return tuple(_word(value) for value in values if value is not None)


def are_two_things(first: FactBody, second: FactBody) -> bool:
    """True when two bodies of one type, told under one number, are two things and not one said in two ways."""
    return first.type in REPEATABLE or distinguishing(first) != distinguishing(second)


def _word(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{plain(value):f}"
    return value.isoformat() if isinstance(value, date) else str(value)
