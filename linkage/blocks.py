"""Which records are worth comparing: those that share a block.

A block is a text made of several fields, or of one that nearly nobody shares. Two plans:

* the usual one, for records that travel: about nine blocks, each so narrow that in a million people it holds
  a handful. What the *other* record of a pair may lack or have wrong decides which: no birth date (postcode and
  surname or house), a wrong one (its year, or day and month, and both names), a move (birth date and forename, or
  surname and an initial), a new surname (birth date and forename), crossed names (both in no order).
* the wide one, for small files of poor records under evaluation, inside the zone that knows names: it adds
  blocks on little (both names alone, a birth date, a street, a city and one sound). At a million people they
  would be crowds, and their tokens would have a frequency worth counting: never send them.

Measured, usual plan and wide plan:

| records | blocks a record | pairs of one person that share one | pairs compared a record |
|---|---|---|---|
| FEBRL 4, without its number | 5.8, 22.1 | 95.26 %, 99.96 % | 0.5, 1.3 |
| FEBRL 3, without its number | 5.8, 22.1 | 88.61 %, 99.80 % | 1.2, 2.0 |
| fake_1000 | 3.9, 15.0 | 50.6 %, 91.5 % | 1.0, 2.6 |
| 30,000 simulated people | 9.0 | 99.92 % | 0.7 |
| the same without numbers, telephones, e-mails | 6.8 | 99.18 % | 0.7 |

What a block is worth is what it alone brings together; what it costs grows with the population where it brings
strangers. ops/decisions/0014 tells what is not in the usual plan for that.
"""

from collections.abc import Iterable

from linkage.normalise import NormalisedIdentity, house_of, street_of
from linkage.spelling import (
    distinct,
    joined,
    known_by,
    name_pairs,
    sound,
    sound_pairs,
    sounds,
    surname_sounds,
    surname_sounds_with_initials,
)

MAX_BLOCKS = 60  # four names, three addresses and every contact stay below it
MAX_BLOCKS_WIDE = 160
FULL_DATE = 10  # letters of "YYYY-MM-DD": less of a birth date is no reason to compare two records
_BEGINS, _ENDS = 7, 12  # letters and digits of an e-mail that two spellings of it usually still share


def block_texts(clean: NormalisedIdentity, *, wide: bool = False) -> list[str]:
    """The plain text of every block of an identity, the surest first, each once and no more than the plan's limit."""
    texts = [f"nhs/{number}" for number in (clean.nhs_number, *clean.former_numbers) if number]
    texts += [f"phone/{phone}" for phone in clean.phones] + [f"email/{email}" for email in clean.emails]
    texts += _of_birth(clean) + _of_address(clean)
    if not wide:
        return distinct(texts)[:MAX_BLOCKS]
    heard, pairs = sounds(clean.names), sound_pairs(clean.names)
    texts += _wide_of_birth(clean, heard) + _wide_of_address(clean, heard, pairs)
    texts += [f"names/{pair}" for pair in pairs] + _wide_of_email(clean.emails)
    texts += [f"nhs/{clean.nhs_number_claimed}"] if clean.nhs_number_claimed else []
    return distinct(texts)[:MAX_BLOCKS_WIDE]


def _dated(clean: NormalisedIdentity) -> tuple[str, str, str] | None:
    """Year, month and day, where all three are known."""
    if clean.birth_date is None or len(clean.birth_date) < FULL_DATE:
        return None
    year, month, day = clean.birth_date.split("-")
    return year, month, day


def _of_birth(clean: NormalisedIdentity) -> list[str]:
    dated = _dated(clean)
    if dated is None:
        return []
    year, month, day = dated
    texts = [f"birth/{clean.birth_date}/={name}" for name in known_by(clean.names)]
    texts += [f"birth/{clean.birth_date}/{name}" for name in surname_sounds_with_initials(clean.names)]
    texts += [f"y/{year}/={pair}" for pair in name_pairs(clean.names)]
    return texts + [f"md/{month}{day}/{pair}" for pair in sound_pairs(clean.names)]


def _of_address(clean: NormalisedIdentity) -> list[str]:
    texts, heard = [], surname_sounds(clean.names)
    for postcode, line in zip(clean.postcodes, clean.houses, strict=True):
        house = house_of(line)
        if postcode and house:
            texts.append(f"home/{postcode}/{house}")
        if postcode:
            texts += [f"near/{postcode}/{surname}" for surname in heard]
    return texts


def _wide_of_birth(clean: NormalisedIdentity, heard: list[str]) -> list[str]:
    dated = _dated(clean)
    if dated is None:
        return []
    year, month, day = dated
    low, high = sorted((month, day))
    texts = [f"{part}/{name}" for name in heard for part in (f"y/{year}", f"md/{month}{day}")]
    texts += [f"birth/{clean.birth_date}/{name}" for name in heard]
    return [f"swap/{year}/{low}/{high}", *texts]


def _wide_of_address(clean: NormalisedIdentity, heard: list[str], pairs: list[str]) -> list[str]:
    texts = []
    for postcode, line, city in zip(clean.postcodes, clean.houses, clean.cities, strict=True):
        house, street = house_of(line), joined(street_of(line))
        town, road = sound(joined(city)), sound(street)
        texts += [f"street/{road}/{town}"] if road and town else []
        texts += [f"street/{house}/{road}"] if house and road else []
        texts += [f"street/{postcode}/{street[:6]}"] if postcode and street else []
        texts += [f"near/{postcode}/{name}" for name in heard if postcode]
        texts += [f"house/{house}/{pair}" for pair in pairs if house]
        texts += [f"city/{town}/{name}" for name in heard if town]
        texts += [f"house/{postcode[:-3]}/{house}/{name}" for name in heard if postcode and house]
    return texts


def _wide_of_email(emails: Iterable[str]) -> list[str]:
    texts = []
    for email in emails:
        bare = "".join(filter(str.isalnum, email))
        mailbox = "".join(filter(str.isalnum, email.partition("@")[0]))
        texts += [f"mailbox/{mailbox}", f"begins/{bare[:_BEGINS]}", f"ends/{bare[-_ENDS:]}"]
        texts += [f"mailbox/{mailbox[:5]}/{email.partition('@')[2][:3]}"]
    return texts
