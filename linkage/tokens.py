"""An identity as keyed tokens: what may leave the zone that knows names.

Two kinds. *Blocking tokens* say which records are worth comparing; each is made of several fields (or of one
nobody shares), so none has a frequency worth attacking. *Comparison tokens* let two records of one block be
compared field by field; they are encrypted under a key of that block, so equal names in two blocks look
unrelated. Deletion neighbourhoods (all strings one letter shorter) let a typing error be seen by equality
alone, and are padded so that a name's length does not show.

Cost: every comparison value is MACed once, then each block costs one MAC and one AES call over all of them.
Names, streets and towns repeat, so the MACs of the commonest are remembered.
"""

from collections.abc import Callable, Iterable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from linkage.blocks import FULL_DATE, MAX_BLOCKS, block_texts
from linkage.frequency import birth_date_class, forename_class, surname_class
from linkage.keys import MAC_BYTES, TokenKeys
from linkage.normalise import NormalisedIdentity, house_of, street_of
from linkage.spelling import distinct, formal_forms, joined, shortened, sound, split
from linkage.token_format import (
    BIRTH,
    BIRTH_MONTH,
    BIRTH_NEAR,
    BIRTH_YEAR,
    CITY,
    EMAIL,
    FAMILY,
    FAMILY_PART,
    GIVEN,
    GIVEN_PART,
    HOUSE,
    NAME_NEAR,
    NICK_TOKENS,
    NUMBER_BYTES,
    NUMBER_NEAR,
    PHONE,
    POSTCODE,
    POSTCODE_NEAR,
    SEX,
    SINGLE_BYTES,
    STREET,
    TOKEN_BYTES,
    VERSION,
    Block,
    EncodedIdentity,
    item,
    shared,
)

__all__ = ["MAX_BLOCKS", "TOKEN_BYTES", "VERSION", "Block", "EncodedIdentity", "TokenKeys", "encode"]

PARTS_MAX = 4  # middle names, and parts of compound surnames, that are compared
_FULL = 11  # letters of a name that its deletion neighbourhood covers
_NEAR_MIN = 4  # below four letters one edit makes another name (LI, LEE): its neighbourhood is itself
_VOWELS = frozenset("AEIOUY")  # MHMD and AHMD: of scripts that write none, one edit makes another name
Macs = tuple[int, bytes]  # a byte of the layout, and the MACs of that value


def encode(identity: NormalisedIdentity, *, keys: TokenKeys, wide: bool = False) -> EncodedIdentity:
    """The identity as keyed tokens. A missing field gives no token; no clear value is in the
    answer. Deterministic. `wide` (linkage.blocks): more blocks, for evaluation only, and for all records or none.
    """
    values = _values(identity, keys)
    layout = bytes([item_byte for item_byte, _ in values])
    plain = b"".join([macs for _, macs in values])
    packed: list[bytes] = []
    for token, salt in sorted([keys.block(text) for text in block_texts(identity, wide=wide)]):
        packed += (token, _salted(plain, salt))
    number = identity.nhs_number or identity.nhs_number_claimed
    return EncodedIdentity(
        keys.epoch,
        _number(identity.nhs_number, keys) if identity.nhs_number else None,
        shared(layout),
        b"".join(packed),
        former=tuple(sorted(_number(old, keys) for old in identity.former_numbers)),
        near=_number_near(number, keys) if number else b"",
    )


def _salted(plain: bytes, salt: bytes) -> bytes:
    """The first bytes of every MAC, encrypted. ECB on purpose: each MAC is one AES block and a distinct value, and
    a pseudo-random permutation keyed by the block is all that is wanted.
    """
    hidden = Cipher(algorithms.AES(salt), modes.ECB()).encryptor().update(plain)  # noqa: S305 (see above)
    kept = bytearray(len(plain) // MAC_BYTES * SINGLE_BYTES)
    for i in range(SINGLE_BYTES):
        kept[i::SINGLE_BYTES] = hidden[i::MAC_BYTES]
    return bytes(kept)


# ---------------------------------------------------------------- what is compared


def _values(clean: NormalisedIdentity, keys: TokenKeys) -> list[Macs]:
    """Every value that is compared, as its MACs, in the order of the layout: the first of each group, then the
    others by group.
    """
    by_group = {group: found for group, found in _by_group(clean, keys) if found}
    parts = [*by_group.pop(GIVEN_PART, []), *by_group.pop(FAMILY_PART, [])]
    return [
        *(found[0] for found in by_group.values()),
        *(value for found in by_group.values() for value in found[1:]),
        *parts,
    ]


def _by_group(clean: NormalisedIdentity, keys: TokenKeys) -> Iterable[tuple[int, list[Macs]]]:
    """The values of each group. Forenames and surnames share one key, so that crossed names compare."""
    given = distinct(joined(name.given[0]) for name in clean.names if name.given)
    family = distinct(joined(name.family) for name in clean.names)
    middle = (part for name in clean.names for part in (*name.given[1:], *split(name.given[:1])))
    parts = (part for name in clean.names for part in split((name.family,)))

    def made(group: int, texts: Iterable[str], how: Callable[[str, TokenKeys], bytes]) -> list[Macs]:
        return [(group, keys.remembered(group, text, how)) for text in distinct(texts)]

    yield GIVEN, [(item(GIVEN, forename_class(n)), keys.remembered(GIVEN, n, _given)) for n in given]
    yield FAMILY, [(item(FAMILY, surname_class(n)), keys.remembered(FAMILY, n, _name)) for n in family]
    yield BIRTH, [_birth(clean, keys)] if clean.birth_date else []
    yield POSTCODE, made(POSTCODE, clean.postcodes, _postcode)
    yield HOUSE, made(HOUSE, map(house_of, clean.houses), _house)
    yield STREET, made(STREET, (joined(street_of(line)) for line in clean.houses), _street)
    yield CITY, made(CITY, map(joined, clean.cities), _city)
    yield SEX, made(SEX, (clean.sex or "",), _sex)
    yield PHONE, [(PHONE, _phone(text, keys)) for text in clean.phones]
    yield EMAIL, [(EMAIL, _email(text, keys)) for text in clean.emails]
    yield GIVEN_PART, made(GIVEN_PART, map(joined, distinct(middle)[:PARTS_MAX]), _part)
    yield FAMILY_PART, made(FAMILY_PART, distinct(parts)[:PARTS_MAX], _part)


def _padded(keys: TokenKeys, purpose: str, whole: str, texts: Iterable[str], length: int) -> bytes:
    """Exactly `length` MACs in an order that says nothing; the filling is the value's own, so it equals no
    other value's.
    """
    macs = keys.macs(purpose, [f"-{text}" for text in sorted(texts)[:length]])
    macs += keys.padding(f"{purpose}/{whole}", length - len(macs))
    return b"".join(sorted(macs))


def _name(text: str, keys: TokenKeys) -> bytes:
    """Whole, sound, first three letters, first letter, last (of those a slip is seen in); neighbourhood. An
    initial's whole is its initial, so that it meets names that begin so.
    """
    whole = "1" if len(text) == 1 else "="
    single = (whole + text, "s" + sound(text), "3" + text[:3], "1" + text[:1], "0" + text[:_FULL][-1:])
    near = shortened(text[:_FULL]) if len(text) >= _NEAR_MIN and not _VOWELS.isdisjoint(text) else {text}
    return b"".join(keys.macs("name", single)) + _padded(keys, "name", text, near, NAME_NEAR)


def _given(text: str, keys: TokenKeys) -> bytes:
    """As a name; then the names it is short for, itself among them."""
    forms = {text, *formal_forms(text)}
    macs = keys.macs("name", [f"n{form}" for form in forms])
    macs += keys.padding(f"nick/{text}", NICK_TOKENS - len(macs))
    return _name(text, keys) + b"".join(sorted(macs))


def _part(text: str, keys: TokenKeys) -> bytes:
    """A middle name or a part of a compound one: it meets a whole name."""
    return b"".join(keys.macs("name", ("=" + text,)))


def _birth(clean: NormalisedIdentity, keys: TokenKeys) -> Macs:
    birth_date = clean.birth_date or ""
    year, month, day = birth_date[:4], birth_date[5:7], birth_date[8:]
    if len(birth_date) < FULL_DATE:
        texts = ["a" + year + month] if month else []
        return BIRTH_MONTH if month else BIRTH_YEAR, b"".join(keys.macs("birth", [*texts, "y" + year]))
    whole = year + month + day
    single = (
        "=" + whole,
        "=" + year + day + month,
        "a" + year + month,
        "b" + year + day,
        "c" + month + day,
        "y" + year,
    )
    near = shortened(whole) - {whole}
    crowded = 1 - birth_date_class(birth_date, clean.names)
    return item(BIRTH, crowded), b"".join(keys.macs("birth", single)) + _padded(keys, "birth", whole, near, BIRTH_NEAR)


def _postcode(text: str, keys: TokenKeys) -> bytes:
    single = ("=" + text, "s" + text[:-2], "d" + text[:-3])
    near = _padded(keys, "postcode", text, shortened(text), POSTCODE_NEAR)
    return b"".join(keys.macs("postcode", single)) + near


def _house(text: str, keys: TokenKeys) -> bytes:
    return b"".join(keys.macs("house", (text,)))


def _street(text: str, keys: TokenKeys) -> bytes:
    return b"".join(keys.macs("street", ("=" + text, "s" + sound(text), "5" + text[:5])))


def _city(text: str, keys: TokenKeys) -> bytes:
    return b"".join(keys.macs("city", ("=" + text, "s" + sound(text), "5" + text[:5])))


def _sex(text: str, keys: TokenKeys) -> bytes:
    return b"".join(keys.macs("sex", (text,)))


def _phone(text: str, keys: TokenKeys) -> bytes:
    return b"".join(keys.macs("phone", (text,)))


def _email(text: str, keys: TokenKeys) -> bytes:
    mailbox = "".join(filter(str.isalnum, text.partition("@")[0]))
    return b"".join(keys.macs("email", ("=" + text, "m" + mailbox, "5" + mailbox[:5], "e" + mailbox[-5:])))


def _number(number: str, keys: TokenKeys) -> bytes:
    return keys.mac("number", number)[:NUMBER_BYTES]


def _number_near(number: str, keys: TokenKeys) -> bytes:
    """The number and all its deletions, of bytes that nearly no other number shares; not salted, as the number
    itself is not.
    """
    macs = _padded(keys, "number-digits", number, shortened(number), NUMBER_NEAR)
    return b"".join([macs[at : at + SINGLE_BYTES] for at in range(0, len(macs), MAC_BYTES)])
