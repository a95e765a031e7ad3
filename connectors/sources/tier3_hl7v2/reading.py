"""One message being read: what every rule needs, and where it puts its reasons."""

from dataclasses import dataclass, field
from datetime import date, datetime

from connectors.sources.tier3_hl7v2.local_codes import UBRN_AUTHORITIES
from connectors.sources.tier3_hl7v2.moments import Moment, london_day, moment
from connectors.sources.tier3_hl7v2.structure import Hl7Message, Segment, exact
from schemas.errors import Issue, error, information, warning
from schemas.fhir.dates import NOT_YET, Span
from schemas.identity import normalised_authority
from schemas.sources import CODE_TABLES, Source


@dataclass(frozen=True, slots=True)
class Reading:
    """`source_version_at` is MSH-7 (or the time of receipt); `issues` grows while the rules read. Locations are
    HL7's."""

    message: Hl7Message = field(repr=False)
    source: Source
    source_version_at: datetime
    test_mode: bool
    issues: list[Issue] = field(repr=False, default_factory=list)
    refusals: list[Issue] = field(repr=False, default_factory=list)

    def refuse(self, location: str, rule: str, *, code: str = "invalid") -> None:
        """The whole message cannot be taken because of this: nobody knows who it is about."""
        self.error(location, rule, code=code)
        self.refusals.append(self.issues[-1])

    def error(self, location: str, rule: str, *, code: str = "invalid") -> None:
        """One fact cannot be read; the rest of the message is taken."""
        self.issues.append(error(location, rule, code=code))

    def warn(self, location: str, rule: str, *, code: str = "business-rule") -> None:
        """The message is taken, without this part of it."""
        self.issues.append(warning(location, rule, code=code))

    def note(self, location: str, rule: str) -> None:
        """Worth knowing, nothing lost."""
        self.issues.append(information(location, rule))

    def value(self, location: str) -> str:
        """The value at `PV1-19` or `SCH-11.4`, first segment of that name, first repetition."""
        segment, _, place = location.partition("-")
        field_number, _, component = place.partition(".")
        return self.message.value(segment, int(field_number), int(component or 1))

    def number(self, location: str) -> str:
        """The number at `SCH-2` or `PV1-19`, with who issued it where that is said: `F-77`, `F-77^PAS`.

        Equal numbers of two issuers are two things (EI.2, else EI.3; in PV1 a CX, whose CX.4 is the issuer).
        """
        name, _, field_number = location.partition("-")
        segment = self.message.first(name)
        return entity_number(segment, int(field_number), in_cx=name == "PV1") if segment else ""

    def numbers(self, *locations: str) -> tuple[str, ...]:
        """Those of these numbers that are there, in this order, each once."""
        return tuple(dict.fromkeys(filter(None, map(self.number, locations))))

    def local(self, name: str) -> str | None:
        """What the field that the source names for `name` says, by the source's words; None where it says nothing.

        A word of no list is left out with a warning.
        """
        place = self.source.hl7_fields.get(name)
        text = self.value(place) if place else ""
        if not place or not text:
            return None
        code, listed = self.source.code(name, text) or text.lower(), CODE_TABLES[name] or ()
        if code in listed:
            return code
        self.warn(place, "is not a word of the list; it was left out", code="code-invalid")
        return None

    def moment(self, *locations: str, past: bool = False) -> Moment | None:
        """The first of these that is a time; one that is there and is no time is left out with a warning.

        `past`: it says when something happened, so `happened` looks at it.
        """
        for location in locations:
            text = self.value(location)
            known = moment(text) if text else None
            if known is not None:
                return self.happened(location, known) if past else known
            if text:
                self.warn(location, "is not a date or time; it was left out", code="value")
        return None

    def happened(self, location: str, day: Moment) -> Moment:
        """`day`, reported at its place where it lies after the message: no fact is then made of it."""
        if Span(None, self.source_version_at).fault(day.on) is not None:
            self.error(location, NOT_YET)
        return day

    @property
    def reported(self) -> Moment:
        """When the source reported this, as a moment."""
        return Moment(london_day(self.source_version_at), self.source_version_at)

    @property
    def reported_on(self) -> date:
        """The day the source reported this, in England."""
        return london_day(self.source_version_at)


def entity_number(segment: Segment, field_number: int, *, in_cx: bool = False) -> str:
    """An EI (or CX) as one text: EI.1, and `^` with its namespace where it has one; empty where EI.1 is."""
    number = exact(segment.value(field_number), "^")
    issuers = (
        (segment.value(field_number, 4), segment.value(field_number, 4, 2))
        if in_cx
        else (segment.value(field_number, 2), segment.value(field_number, 3))
    )
    issuer = next(filter(None, issuers), "")
    if issuer.upper() in UBRN_AUTHORITIES:
        return number  # a booking reference is one in all England
    return f"{number}^{exact(normalised_authority(issuer), '^')}" if number and issuer else number
