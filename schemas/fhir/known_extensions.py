"""Which extensions are read, so that a misspelt or a second one is named and its value is not lost without a word.

An extension under somebody else's URL carries nothing for us: R4 lets a reader ignore it.
"""

from collections.abc import Iterable
from typing import get_args
from urllib.parse import urlsplit

from schemas import uris
from schemas.facts import Body, FactBody
from schemas.fhir.extensions import hyphened
from schemas.fhir.node import Node

MILESTONE = "milestone"
_PARTS = frozenset({"type", "business-id", "on", "at", "retracted"})
_BESIDE_FIELDS = frozenset(
    {
        MILESTONE, "carrier", "on", "score", "service-named", "demographics", "demographics-on", "demographics-at",
        "demographics-retracted", "death-on", "death-retracted",
    }
)  # fmt: skip


def _fields(bodies: Iterable[type[Body]]) -> frozenset[str]:
    return frozenset(hyphened(name) for body in bodies for name in body.model_fields)


_KNOWN = frozenset(uris.extension_url(name) for name in _fields(get_args(FactBody)) | _BESIDE_FIELDS)
_OUR_HOST = urlsplit(uris.TIERLINK).hostname


def report_extensions(resource: Node) -> None:
    """Warns of each extension of ours that is not known or stands there twice, and of one whose URL names nothing."""
    seen: set[str] = set()
    for part in resource.many("extension"):
        url = part.text("url") or ""
        if url in seen and url != uris.extension_url(MILESTONE):
            part.warning("url", "stands there twice; the first was read", code="multiple-matches")
        elif ":" not in url:
            part.warning("url", "is no absolute URI, as R4 asks; left out", code="code-invalid")
        elif url not in _KNOWN and _is_ours(url):
            part.warning("url", "is no extension of this engine; left out", code="code-invalid")
        if url in _KNOWN:
            seen.add(url)


def report_parts(milestone: Node, kind: type[Body]) -> None:
    """As `report_extensions`, of what stands inside a milestone about a fact of `kind`."""
    known, seen = _PARTS | _fields([kind]), set[str]()
    for part in milestone.many("extension"):
        url = part.text("url") or ""
        if url in seen:
            part.warning("url", "stands there twice; the first was read", code="multiple-matches")
        elif url not in known:
            part.warning("url", "is no part of that milestone; left out", code="code-invalid")
        seen.add(url)


def _is_ours(url: str) -> bool:
    try:
        return urlsplit(url.lower()).hostname == _OUR_HOST
    except ValueError:
        return False
