"""What names a record: its source's local id, else who it is about, else the entry itself.

One tuple for two names. Keyed, it is the record's id; unkeyed and cut to a partition number, the place of its entries
in the intake, so that all of one record stand in one partition and ingress can work the place out again.
"""

from linkage.normalise import NORMALISER_VERSION, Identity, Name, NormalisedIdentity, normalise
from schemas import canonical
from schemas.identity import Person
from schemas.naming import local_id_parts


def record_parts(source: str, person: Person | None, entry_id: str) -> tuple[str, ...]:
    """(`local`, source, issuer, value), else (`identity`, source, version of the normaliser, normalised identity), else
    (`entry`, source, entry id).

    `person` is None when the entry could not be read.
    """
    if person is not None and person.local_id is not None:
        return local_id_parts(source, person.local_id)
    identity = _NOBODY if person is None else canonical_identity(normalise(identity_of(person)))
    if identity == _NOBODY:
        return "entry", source, entry_id
    return "identity", source, str(NORMALISER_VERSION), identity


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
