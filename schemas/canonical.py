"""One canonical JSON: the same value, the same bytes, wherever bytes are hashed, keyed or published.

Doors read strictly (`load`), because two readers of a repeated key would see two patients. What this program itself
wrote is read fast, and only in the one form (`read`). No float is hashed anywhere: NaN would be written as null, and
libraries write other digits.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from itertools import accumulate
from math import isfinite
from typing import Any, NoReturn, cast

import orjson

from schemas.errors import Unreadable

# the deepest real payload seen is 19 levels (a BaRS bundle); the stdlib parser overflows near 1,000
DEPTH_MAX = 64
INSTANT_LENGTH = len("2026-01-02T03:04:05.000000Z")

# for what the fast library refuses: a number over 64 bits, as a provider may write one
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def dump(value: object) -> bytes:
    """UTF-8 JSON, keys sorted, no white space, no NaN. Two equal values give equal bytes.

    >>> dump({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return _ENCODER.encode(value).encode("utf-8")


def digest(content: bytes) -> str:
    """128 bits of SHA-256. Of what is not secret, or within a process: anybody can compute it of a guess."""
    return hashlib.sha256(content).hexdigest()[:32]


def instant(moment: datetime) -> str:
    """An aware moment as UTC text of fixed width, so that text order is time order.

    >>> instant(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000000Z'
    """
    # not strftime: its %Y leaves out the zeros of a year before 1000
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment that `instant` wrote. Raises ValueError for any other form: versions are compared as text."""
    found = datetime.fromisoformat(text)
    if len(text) != INSTANT_LENGTH or found.utcoffset() is None:
        raise ValueError("not a moment of ours")
    return found


def read(text: bytes) -> Any:
    """The value of JSON that `dump` wrote. Raises Unreadable for any other text: also with a repeated key, a number
    over 64 bits, or nested deeper than 254 levels, the limit of the library.
    """
    try:
        value = orjson.loads(text)
        is_ours = orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == text
    except (orjson.JSONDecodeError, TypeError):  # the second of what is nested too deep to be written
        raise Unreadable("JSON", rule="is not well formed") from None
    if not is_ours:
        raise Unreadable("JSON", rule="is not in its one form")
    return value


def read_object(text: bytes) -> dict[str, Any]:
    """As `read`, for a text that must be one JSON object."""
    value = read(text)
    if not isinstance(value, dict):
        raise Unreadable("JSON", rule="is not an object")
    return cast(dict[str, Any], value)


def load(text: bytes, *, depth_max: int = DEPTH_MAX) -> Any:
    """The value of strict JSON: UTF-8 without BOM, no duplicate keys, no NaN or Infinity (also not by
    overflow), at most `depth_max` levels. What it gives, `dump` can write.

    Raises Unreadable with the rule broken, never with a part of the text (RFC 8259; duplicate keys are
    refused because two readers would then see two different patients).

    >>> load(b'{"a":1,"a":2}')
    Traceback (most recent call last):
    schemas.errors.Unreadable: JSON: an object repeats a key
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("JSON", rule="is not UTF-8") from None
    if decoded.startswith("\ufeff"):
        raise Unreadable("JSON", rule="starts with a byte order mark")
    if _depth(text, depth_max) > depth_max:
        raise Unreadable("JSON", rule=f"is nested deeper than {depth_max} levels")
    try:
        value = _DECODER.decode(decoded)
    except (ValueError, RecursionError):
        raise Unreadable("JSON", rule="is not well formed") from None
    # one byte is found in a tenth of the time that three are, and most texts have none
    if b"\\" in text and (b"\\ud" in text or b"\\uD" in text):
        _require_encodable(value)
    return value


def load_object(text: bytes, *, depth_max: int = DEPTH_MAX) -> dict[str, Any]:
    """As `load`, for a text that must be one JSON object."""
    value = load(text, depth_max=depth_max)
    if not isinstance(value, dict):
        raise Unreadable("JSON", rule="is not an object")
    return cast(dict[str, Any], value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise Unreadable("JSON", rule="an object repeats a key")
    return unique


def _no_constant(_: str) -> NoReturn:
    raise Unreadable("JSON", rule="holds NaN or Infinity")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise Unreadable("JSON", rule="holds a number out of range")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)

# Never fails to match and never goes back: an unclosed string runs to the end, so a body of five million
# quotes takes as long as one of five million letters.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?+)*+"?', re.DOTALL)
_OPENING, _CLOSING = b"[{", b"]}"
_NOT_BRACKETS = bytes(code for code in range(256) if code not in _OPENING + _CLOSING)
_STEPS = tuple((code in _OPENING) - (code in _CLOSING) for code in range(256))


def _depth(text: bytes, depth_max: int) -> int:
    """Upper bound on nesting: brackets inside strings do not count, so no legal text is refused for its prose."""
    opening = sum(text.count(bracket) for bracket in (b"[", b"{"))
    if opening <= depth_max:
        return opening
    brackets = _STRING.sub(b"", text).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _require_encodable(value: object) -> None:
    # A lone \ud800 escape parses but cannot be written as UTF-8: it would stop a later stage, so refuse it here.
    try:
        dump(value)
    except UnicodeEncodeError:
        raise Unreadable("JSON", rule="holds half of a surrogate pair") from None
