"""Reading a resource that may hold anything: every step knows where it is, and none can fail.

A step to something absent, or of another JSON type than FHIR says, gives nothing; the structural check has
already named it. What a reader needs and does not find it reports itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from schemas import uris
from schemas.errors import Issue, error, information, warning
from schemas.fhir.resource_types import RESOURCE_TYPES

# longer than any name, line, code or identifier of a person; a longer one is not read but reported
TEXT_MAX = 512


@dataclass(frozen=True, slots=True, repr=False)
class Node:
    """One JSON object of a resource, its FHIRPath and the list that reasons go to."""

    value: Mapping[str, object]
    path: str
    issues: list[Issue] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The resource type, "" when it is none that FHIR has."""
        value = self.value.get("resourceType")
        return value if isinstance(value, str) and value in RESOURCE_TYPES else ""

    def first(self, name: str) -> "Node | None":
        """The object called `name`; of a list the first object."""
        found = self.many(name)
        return found[0] if found else None

    def many(self, name: str) -> "list[Node]":
        """The objects called `name`, in order; a single object counts as a list of one."""
        value = self.value.get(name)
        if isinstance(value, dict):
            return [Node(value, f"{self.path}.{name}", self.issues)]
        if not isinstance(value, list):
            return []
        return [
            Node(part, f"{self.path}.{name}[{place}]", self.issues)
            for place, part in enumerate(value)
            if isinstance(part, dict)
        ]

    def text(self, name: str) -> str | None:
        """The string called `name` without outer white space, None when absent or empty.

        A string that is too long is an error."""
        value = self.value.get(name)
        if isinstance(value, list):
            value = next((part for part in value if isinstance(part, str)), None)
        if not isinstance(value, str):
            if isinstance(value, bool | int | float):
                self.warning(name, "is not a text; left out", code="structure")
            return None
        if len(value) > TEXT_MAX:
            self.error(name, f"is longer than {TEXT_MAX} characters", code="too-long")
            return None
        return value.strip() or None

    def texts(self, name: str) -> list[str]:
        """Every non-empty string called `name`."""
        value = self.value.get(name)
        parts = value if isinstance(value, list) else [value]
        found = [part.strip() for part in parts if isinstance(part, str) and part.strip()]
        if any(len(part) > TEXT_MAX for part in found):
            self.error(name, f"is longer than {TEXT_MAX} characters", code="too-long")
            return []
        return found

    def truth(self, name: str) -> bool | None:
        """The boolean called `name`; reports another JSON value."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            self.warning(name, "is neither true nor false; left out", code="structure")
        return value if isinstance(value, bool) else None

    def number(self, name: str) -> Decimal | None:
        """The number called `name` by its shortest decimal spelling; None when it is no finite number."""
        value = self.value.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or len(repr(value)) > 40:
            return None
        exact = Decimal(repr(value))
        return exact if exact.is_finite() else None

    def codings(self, name: str) -> list[tuple[str, str]]:
        """(canonical system, code) of every coding of the CodeableConcepts called `name`; a system may be empty."""
        found = []
        for concept in self.many(name):
            for coding in concept.many("coding"):
                code = coding.text("code")
                if code is not None:
                    found.append((uris.canonical_uri(coding.text("system") or ""), code))
        return found

    def extension(self, url: str) -> "Node | None":
        """The first extension with this URL."""
        return next(
            (part for part in self.many("extension") if uris.canonical_uri(part.text("url") or "") == url),
            None,
        )

    def extensions_of(self, url: str) -> "list[Node]":
        """Every extension with this URL, in order."""
        return [part for part in self.many("extension") if uris.canonical_uri(part.text("url") or "") == url]

    def extensions(self) -> "dict[str, Node]":
        """Canonical URL -> the first extension with it: quicker than `extension` where many are looked for."""
        found: dict[str, Node] = {}
        for part in self.many("extension"):
            found.setdefault(uris.canonical_uri(part.text("url") or ""), part)
        return found

    def our_extension(self, name: str) -> "Node | None":
        """Our extension of that name."""
        return self.extension(uris.extension_url(name))

    def our_flag(self, name: str) -> bool | None:
        """The truth value of our extension of that name, None when it is absent."""
        found = self.our_extension(name)
        return found.truth("valueBoolean") if found else None

    def error(self, name: str, rule: str, *, code: str = "value") -> None:
        """Reports that the element called `name` refuses the message; "" is this object itself."""
        self.issues.append(error(self._place(name), rule, code=code))

    def warning(self, name: str, rule: str, *, code: str = "business-rule") -> None:
        """Reports something beside acceptance."""
        self.issues.append(warning(self._place(name), rule, code=code))

    def information(self, name: str, rule: str) -> None:
        """Reports why something has no effect."""
        self.issues.append(information(self._place(name), rule))

    def _place(self, name: str) -> str:
        return f"{self.path}.{name}" if name else self.path
