"""How the resources of a Bundle are named and refer to one another, by the rules of R4 (bundle.html#references)."""

from ops.lab.simulator.model import SimulatedEntry
from ops.lab.simulator.spellings import chosen

Reference = dict[str, object]

_BASE = "https://hub.example/fhir"
_OTHERWISE = ("relative", "absolute", "versioned", "identifier", "conditional")


class BundleReferences:
    """Names and references of one entry's Bundle, all in the way that the entry drew."""

    def __init__(self, entry: SimulatedEntry) -> None:
        self._entry = entry
        self._way = chosen(entry, "references_otherwise", "urn", _OTHERWISE)

    def full_url(self, kind: str, number: int) -> str:
        """The fullUrl of the resource of that type and place."""
        uuid = f"{self._entry.message_id[:-4]}{number:04x}"
        return f"urn:uuid:{uuid}" if self._way == "urn" else f"{_BASE}/{kind}/{uuid}"

    def named(self, url: str, resource: dict[str, object]) -> dict[str, object]:
        """The resource with the id and version that belong to its `url`."""
        if self._way == "urn":
            return resource
        meta = {"meta": {**_meta(resource), "versionId": "3"}} if self._way == "versioned" else {}
        return {**resource, **meta, "id": url.rpartition("/")[2]}

    def to(self, url: str, system: str, value: str) -> Reference:
        """A Reference to the resource of `url`, which has that identifier.

        A conditional one is made to a Patient only.
        """
        match self._way:
            case "relative":
                return {"reference": url.removeprefix(f"{_BASE}/")}
            case "versioned":
                return {"reference": f"{url.removeprefix(f'{_BASE}/')}/_history/3"}
            case "identifier":
                return {"identifier": {"system": system, "value": value}}
            case "conditional" if "/Patient/" in url:
                return {"reference": f"Patient?identifier={system}|{value}"}
        return {"reference": url}


def _meta(resource: dict[str, object]) -> dict[str, object]:
    meta = resource.get("meta")
    return meta if isinstance(meta, dict) else {}
