"""What was understood of a message, for the provider's engineer: its facts, and of the person counts and words only."""

from schemas.identity import Person
from schemas.source_message import SourceMessage


def facts_understood(message: SourceMessage) -> tuple[dict[str, object], ...]:
    """Each fact by its type, day and the other fields of its body that are set; `retracted` where it takes back."""
    return tuple(
        {
            **fact.body.model_dump(mode="json", exclude_none=True),
            **({"retracted": True} if fact.retracted else {}),
        }
        for fact in message.facts
    )


def identity_understood(person: Person) -> dict[str, object]:
    """Who issued the record's own id ("none" without one, "" when the source itself did), and what else was read.

    No value of the identity is in it.
    """
    return {
        "local_id_authority": person.local_id.authority if person.local_id else "none",
        "nhs_number": _nhs_number(person),
        "names": len(person.names),
        "addresses": len(person.addresses),
        "contacts": len(person.phones) + len(person.emails),
        "birth_date": person.birth_date is not None,
        "sex": person.sex,
        "retired": len(person.retired_local_ids),
    }


def _nhs_number(person: Person) -> str:
    if person.nhs_number is not None:
        return "valid"
    if person.nhs_number_claimed is not None:
        return "claimed"
    return "superseded" if person.former_nhs_numbers else "none"
