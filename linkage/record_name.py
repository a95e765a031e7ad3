"""What names a record: its source's local id, else who it is about, else the entry itself.

One tuple for two names. Keyed, it is the record's id; unkeyed and cut to a partition number, the place of its entries
in the intake, so that all of one record stand in one partition and ingress can work the place out again.
"""

from linkage.normalise import Identity, Name, NormalisedIdentity, normalise
from schemas import canonical
from schemas.identity import Person

NORMALISER = "1"  # another way to normalise names other records: then this is another


def record_parts(source: str, person: Person | None, entry_id: str) -> tuple[str, ...]:
    """(source, `local`, issuer, value), else (source, `identity`, version of the
    normaliser, normalised identity), else (source, `entry`, entry id).

    `person` is None when the entry could not be read. The issuer is left out for the source's own numbers.
    """
    if person is not None and person.local_id is not None:
        return (source, "local", *person.local_id.parts)
    identity = _NOBODY if person is None else canonical_identity(normalise(identity_of(person)))
    return (source, "entry", entry_id) if identity == _NOBODY else (source, "identity", NORMALISER, identity)


def identity_of(person: Person) -> Identity:
    """What linking may use of a person."""
    return Identity(
        nhs_number=person.nhs_number.digits if person.nhs_number else None,
        nhs_number_claimed=person.nhs_number_claimed,
        names=tuple(Name(given=name.given, family=name.family, use=name.use) for name in person.names),
        birth_date=person.birth_date.isoformat() if person.birth_date else None,
        sex=person.sex if person.sex in ("male", "female") else None,
        postcodes=tuple(address.postcode.compact if address.postcode else "" for address in person.addresses),
        houses=tuple(address.line for address in person.addresses),
        cities=tuple(address.city for address in person.addresses),
        phones=person.phones,
        emails=person.emails,
        former_numbers=tuple(number.digits for number in person.former_nhs_numbers),
    )


def canonical_identity(identity: NormalisedIdentity) -> str:
    """One text for one identity."""
    names = [[list(name.given), name.family, name.use] for name in identity.names]
    parts = [
        identity.nhs_number,
        identity.nhs_number_claimed,
        names,
        identity.birth_date,
        identity.sex,
        list(identity.postcodes),
        list(identity.houses),
        list(identity.cities),
        list(identity.phones),
        list(identity.emails),
        list(identity.former_numbers),
    ]
    return canonical.dump(parts).decode()


_NOBODY = canonical_identity(normalise(Identity(nhs_number=None)))
