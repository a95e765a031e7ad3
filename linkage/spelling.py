"""How the words of a normal identity are taken apart and made to sound: shared by blocking and comparison."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import jellyfish
from nicknames import NickNamer

from linkage.frequency import forename_class
from linkage.normalise import Name, name_parts
from linkage.token_format import NICK_TOKENS

_REMEMBERED = 1 << 14  # words remembered of each kind: names repeat, and the commonest 16,000 are nearly all
# Particles begin so many surnames that a block on one would be a block on nobody in particular.
_PARTICLES = frozenset("VAN VON DER DEN DE DU DA DI LA LE EL AL BIN BINT IBN MC MAC O ST TE TEN AP AB".split())


def joined(words: str) -> str:
    """A normal name, street or city as one word: SMITH-JONES is SMITHJONES."""
    return words.replace("-", "").replace(" ", "")


@lru_cache(maxsize=_REMEMBERED)
def sound(word: str) -> str:
    """Soundex of a word of letters, the first four characters of any other."""
    return jellyfish.soundex(word) if word.isalpha() else word[:4]


def shortened(word: str) -> set[str]:
    """The word and all words one character shorter: two words one edit or transposition apart share one."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


def split(names: Iterable[str]) -> tuple[str, ...]:
    """The parts of compound names that are names of their own."""
    parts = (part for name in names if "-" in name for part in name_parts(name))
    return tuple(part for part in parts if len(part) > 2 and part not in _PARTICLES)


def sounds(names: Iterable[Name]) -> list[str]:
    """Every sound a name has: whole names and the parts of compound ones; forenames, middle names, surnames."""
    words = (word for name in names for word in (*name.given, name.family))
    return distinct(map(sound, _with_parts(words)))


def known_by(names: Iterable[Name]) -> list[str]:
    """Every first forename and the parts of compound ones; who has no forename is known by the surname."""
    return distinct(_with_parts(word for name in names for word in name.given[:1] or (name.family,)))


def surname_sounds(names: Iterable[Name]) -> list[str]:
    """Every sound of a surname and of the parts of a compound one."""
    return distinct(map(sound, _with_parts(name.family for name in names)))


def _with_parts(words: Iterable[str]) -> Iterator[str]:
    """Names as one word each, then the parts of the compound ones; none that is empty."""
    wholes = [word for word in words if word]
    return map(joined, (*wholes, *split(wholes)))


def surname_sounds_with_initials(names: Iterable[Name]) -> list[str]:
    """Every sound of a surname beside the first letter of each forename and of the names it is short for."""
    return distinct(
        f"{heard}/{initial}" for name in names for heard in surname_sounds((name,)) for initial in initials(name.given)
    )


def initials(given: Iterable[str]) -> list[str]:
    """First letters of forenames and of the names they are short for: BOB gives B and R."""
    forms = (form for name in map(joined, given) for form in (name, *formal_forms(name)))
    return distinct(form[:1] for form in forms)


def name_pairs(names: Iterable[Name]) -> list[str]:
    """Forename and surname in no order, so that crossed names give the same."""
    return _pairs(names, joined)


def sound_pairs(names: Iterable[Name]) -> list[str]:
    """Forename and surname by sound, in no order, so that crossed names give the same."""
    return _pairs(names, lambda words: sound(joined(words)))


def _pairs(names: Iterable[Name], how: Callable[[str], str]) -> list[str]:
    both = ((name.given[0], name.family) for name in names if name.given and name.family)
    return distinct("/".join(sorted(map(how, pair))) for pair in both)


def distinct(texts: Iterable[str]) -> list[str]:
    """Every text once, in the order met; no empty one."""
    return list(dict.fromkeys(text for text in texts if text))


@lru_cache(maxsize=_REMEMBERED)
def formal_forms(name: str) -> tuple[str, ...]:
    """Names this one is a short form of, no more than are compared: first those common in Great Britain, and of these
    the ones that begin alike. BOB gives ROBERT, and of the 18 that CHRIS may be, CHRISTIAN, CHRISTINE and CHRISTOPHER.
    Source: the table of the nicknames library.
    """
    forms = {"".join(filter(str.isalpha, form.upper())) for form in _nicknamer().canonicals_of(name)}
    likely = sorted(forms, key=lambda form: (forename_class(form), form[:1] != name[:1], form))
    return tuple(likely[: NICK_TOKENS - 1])  # one is the name itself


@lru_cache(maxsize=1)
def _nicknamer() -> NickNamer:
    return NickNamer()  # the library's own table, loaded at first use
