"""One canonical JSON: the same value, the same bytes, everywhere that bytes are hashed, keyed or published."""

import json
from datetime import UTC, datetime
from typing import Any, NoReturn, cast

from schemas.errors import Unreadable

DEPTH_MAX = 64  # the deepest real payload seen is 19 levels (a BaRS bundle); the stdlib parser overflows near 1,000


def dump(value: object) -> bytes:
    """UTF-8 JSON, keys sorted, no white space, no NaN. Two equal values give equal bytes.

    >>> dump({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")


def instant(moment: datetime) -> str:
    """An aware moment as UTC text of fixed width, so that text order is time order.

    >>> instant(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def load(text: bytes) -> Any:
    """The value of strict JSON: UTF-8 without BOM, no duplicate keys, no NaN or Infinity, bounded depth.

    Raises Unreadable with the rule broken, never with a part of the text (RFC 8259; duplicate keys are refused
    because two readers would then see two different patients).

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
    if _depth(decoded) > DEPTH_MAX:
        raise Unreadable("JSON", rule=f"is nested deeper than {DEPTH_MAX} levels")
    try:
        value = json.loads(decoded, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable("JSON", rule="is not well formed") from None
    _encodable(decoded)
    return value


def load_object(text: bytes) -> dict[str, Any]:
    """As `load`, for a text that must be one JSON object."""
    value = load(text)
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


def _depth(text: str) -> int:
    """Upper bound on nesting: brackets inside strings are skipped, so no legal text is refused for its prose."""
    deepest = depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEPTH_MAX:
                break
        elif character in "]}":
            depth -= 1
    return deepest


def _encodable(text: str) -> None:
    # A lone \ud800 escape parses but cannot be written as UTF-8 again: it would stop a later stage, so refuse it here.
    if "\\ud" in text or "\\uD" in text:
        try:
            dump(json.loads(text))
        except UnicodeEncodeError:
            raise Unreadable("JSON", rule="holds half of a surrogate pair") from None
