"""An HL7v2 message as segments, fields, repetitions and components, by its own delimiters.

The `hl7` library splits; everything around it is here because the library logs values it cannot unescape,
multiplies `\\.sp9999999\\` into memory, and reads any delimiters, two equal ones included.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import hl7

from connectors.sources.tier3_hl7v2.wire import lines_of
from schemas.errors import Issue, error, warning

PARTS_MAX = 50_000  # delimiters in the segments that are read; 25 µs each, and 500 OBX have 12,000
REPETITIONS_MAX = 50  # of one field; PID-3 of a real patient has under ten
VALUE_CHARACTERS_MAX = 1_000  # of one value that is read; the longest real one is an address line

# Only these are taken apart; the rest (letters in OBX of MDM, Z segments) is kept in the original and ignored.
READ_SEGMENTS = (
    "MSH", "EVN", "PID", "PD1", "MRG", "PV1", "SCH", "TQ1", "AIS", "AIL", "AIG", "AIP", "RF1", "PRD", "ORC", "OBR",
    "OBX",
)  # fmt: skip
# HL7 chapter 2: what goes on in another segment or message. Neither is put together here.
_CONTINUATIONS = {
    "ADD": "goes on with the segment before it; that part was left out",
    "DSC": "says that the message goes on in another; each is read alone",
}
_NULL = '""'  # HL7: "delete what you have"; read as absent
_NOT_A_MESSAGE = "MSH"


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and MSH-2: four or five distinct ASCII punctuation marks. `charset` is what `\\Xhh\\` bytes are in.

    `escape` or `subcomponent` is a character no value has where a sender left it out (HL7 2.4, figure 2-1).
    """

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    charset: str = "utf-8"


@dataclass(frozen=True, slots=True, repr=False)
class Segment:
    """One segment. Positions are HL7's own, from 1; what is not there reads as the empty string."""

    name: str
    parts: tuple[tuple[tuple[str, ...], ...], ...]  # field, repetition, component, still with sub-component marks
    marks: Delimiters

    def repetitions(self, field: int) -> Iterator["Repetition"]:
        """The repetitions of a field that hold anything, at most REPETITIONS_MAX."""
        if 0 < field < len(self.parts):
            for components in self.parts[field][:REPETITIONS_MAX]:
                repetition = Repetition(components, self.marks)
                if any(repetition.value(place + 1) for place in range(len(components))):
                    yield repetition

    def value(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """One value of the first repetition, unescaped, without control characters and outer white space."""
        if 0 < field < len(self.parts) and self.parts[field]:
            return Repetition(self.parts[field][0], self.marks).value(component, subcomponent)
        return ""

    def is_null(self, field: int) -> bool:
        """True when the field says explicitly that there is nothing: two quotation marks."""
        return 0 < field < len(self.parts) and any(parts[:1] == (_NULL,) for parts in self.parts[field][:1])


@dataclass(frozen=True, slots=True, repr=False)
class Repetition:
    """One repetition of a field."""

    components: tuple[str, ...]
    marks: Delimiters

    def value(self, component: int = 1, subcomponent: int = 1) -> str:
        """As `Segment.value`."""
        if component > len(self.components):
            return ""
        parts = self.components[component - 1].split(self.marks.subcomponent)
        if subcomponent > len(parts):
            return ""
        # cut before unescaping, which costs time: `\X41\` is five characters for one
        return _clean(unescape(parts[subcomponent - 1][: 5 * VALUE_CHARACTERS_MAX], self.marks))


@dataclass(frozen=True, slots=True, repr=False)
class Hl7Message:
    """The segments of one message that are read, in order. `header` is MSH."""

    header: Segment
    segments: tuple[Segment, ...]

    @property
    def kind(self) -> tuple[str, str]:
        """Hl7Message code and trigger event, (`ADT`, `A04`); the trigger from EVN-1 where MSH-9 has none."""
        event = self.first("EVN")
        return self.header.value(9), self.header.value(9, 2) or (event.value(1) if event else "")

    @property
    def identifier(self) -> str:
        """The sender's name for this message: MSH-3, MSH-4, MSH-10, MSH-7 joined by `|`. A resend repeats it.

        MSH-10 alone is unique only within one sending application, and some repeat one for ever: the time at which the
        message was made tells the next one from a resend.
        """
        return "|".join(escape(self.header.value(field)) for field in (3, 4, 10, 7))

    def all(self, name: str) -> tuple[Segment, ...]:
        """Every segment of that name, in order."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        """The first segment of that name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def value(self, name: str, field: int, component: int = 1) -> str:
        """One value of the first segment of that name, empty where there is none."""
        segment = self.first(name)
        return segment.value(field, component) if segment else ""


@dataclass(frozen=True, slots=True, repr=False)
class ParsedMessage:
    """A message, or why there is none. `header` stands also when only the rest could not be read (for the answer)."""

    message: Hl7Message | None
    header: Segment | None
    issues: tuple[Issue, ...]


def parse(raw: bytes, *, wanted: Collection[str] = READ_SEGMENTS) -> ParsedMessage:
    """The message in `raw`, its `wanted` segments taken apart.

    Never raises; an error issue with code `structure` and no message means: not one HL7 message.
    """
    read = lines_of(raw)
    if read.refusal:
        return _refused(read.refusal, issues=read.issues)
    marks = _delimiters(read.lines[0], charset=read.charset)
    if marks is None:
        return _refused("must declare four distinct punctuation marks as delimiters", location="MSH-2")
    whole_header, *others = read.lines
    if marks.subcomponent == _NO_MARK:
        whole_header = f"{whole_header[:7]}&{whole_header[7:]}"
    if marks.escape == _NO_MARK:
        whole_header = f"{whole_header[:6]}\\{whole_header[6:]}"
    header = _segments([whole_header], marks)[0]
    known = [whole_header, *(line for line in others if line.split(marks.field, 1)[0] in wanted)]
    issues = read.issues + _about_form(read.lines, marks)
    if _part_count(known, marks) > PARTS_MAX:
        return _refused(f"has more than {PARTS_MAX} parts", issues=issues, header=header)
    return ParsedMessage(Hl7Message(header, _segments(known, marks)), header, issues)


def header_of(raw: bytes) -> Segment | None:
    """MSH of the first message in `raw`, whatever follows it; None when there is none."""
    first_line = re.split(rb"[\r\n]", raw.removeprefix(b"\xef\xbb\xbf").lstrip(), maxsplit=1)[0]
    return parse(first_line).header


def unescape(text: str, marks: Delimiters) -> str:
    """`text` with its escape sequences read once: delimiters, `\\Xhh\\` bytes, line breaks as spaces.

    Highlighting and character-set switches vanish. What is no escape sequence stays as it is: senders that
    never escape put lone backslashes into names and paths.

    >>> unescape("Smith \\\\T\\\\ Jones \\\\.br\\\\ \\\\Xc3a9\\\\", Delimiters("|", "^", "~", "\\\\", "&"))
    'Smith & Jones   é'
    """
    if marks.escape not in text:
        return text
    mark = re.escape(marks.escape)
    # bytes that stand side by side are read together: senders write each byte of a letter by itself
    sequence = re.compile(f"((?:{mark}X(?:[0-9A-Fa-f]{{2}})+{mark})+)|{mark}([^{mark}]{{1,200}}){mark}")
    return sequence.sub(lambda found: _read_escape(found, marks), text)


def _read_escape(found: re.Match[str], marks: Delimiters) -> str:
    if found[1]:
        digits = found[1].replace(f"{marks.escape}X", "").replace(marks.escape, "")
        return _bytes_text(bytes.fromhex(digits), marks.charset)
    return _meaning(found[2], found[0], marks)


def escape(text: str) -> str:
    """`text` as a value between the usual delimiters: none of them, and no control character, remains.

    >>> escape("A|B^C\\r")
    'A\\\\F\\\\B\\\\S\\\\C '
    """
    return "".join(_ESCAPES.get(character, character) for character in _clean(text, strip=False))


def exact(text: str, marks: str) -> str:
    """`text` with every one of `marks`, and the backslash, as `\\Xhh\\`: two texts never become one.

    >>> exact("A^B", "^")
    'A\\\\X5E\\\\B'
    """
    return "".join(f"\\X{ord(letter):02X}\\" if letter in marks or letter == "\\" else letter for letter in text)


_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\"}


def _refused(
    rule: str, *, location: str = _NOT_A_MESSAGE, issues: Sequence[Issue] = (), header: Segment | None = None
) -> ParsedMessage:
    return ParsedMessage(None, header, (*issues, error(location, rule, code="structure")))


_NO_MARK = "\x00"


def _delimiters(header: str, *, charset: str) -> Delimiters | None:
    field = header[3:4]
    declared, *rest = header[4:].split(field, 1) if field else [""]
    if not rest:
        return None
    marks = [field, *declared]
    three = len(marks) == 4
    if three and marks[3] == "&":  # the usual mark of subcomponents: the escape was left out
        marks.insert(3, "\\")
    elif three:
        marks.append("&")
    distinct = len(set(marks)) == len(marks)
    if len(marks) not in (5, 6) or not distinct or not all(_is_punctuation(mark) for mark in marks):
        return None
    escape_mark, subcomponent = marks[3:5]
    if three:
        escape_mark, subcomponent = (_NO_MARK, "&") if declared[2] == "&" else (escape_mark, _NO_MARK)
    return Delimiters(field, marks[1], marks[2], escape=escape_mark, subcomponent=subcomponent, charset=charset)


def _is_punctuation(mark: str) -> bool:
    return mark.isascii() and mark.isprintable() and not mark.isalnum() and mark != " "


def _segments(lines: Sequence[str], marks: Delimiters) -> tuple[Segment, ...]:
    return tuple(_segment(container, marks) for container in hl7.parse("\r".join(lines)))


def _segment(container: "hl7.Segment", marks: Delimiters) -> Segment:
    parts = tuple(tuple(_components(repetition) for repetition in field) for field in container)
    return Segment(str(container[0]), parts, marks)


def _components(repetition: "str | hl7.Repetition") -> tuple[str, ...]:
    if isinstance(repetition, str):
        return (repetition,)
    return tuple(str(component) for component in repetition)


def _part_count(lines: Sequence[str], marks: Delimiters) -> int:
    counted = (marks.field, marks.component, marks.repetition, marks.subcomponent)
    return sum(line.count(mark) for line in lines for mark in counted)


def _about_form(lines: Sequence[str], marks: Delimiters) -> tuple[Issue, ...]:
    """What the message's form loses: segments, continuations, character sets switched within it."""
    names = {line.split(marks.field, 1)[0].strip() for line in lines}
    found = [warning(name, rule, code="structure") for name, rule in _CONTINUATIONS.items() if name in names]
    if _NO_MARK in (marks.escape, marks.subcomponent):
        found.append(warning("MSH-2", "declares a mark too few; what it marks is not read", code="structure"))
    mark = re.escape(marks.escape)
    if any(re.search(f"{mark}[CM][0-9A-Fa-f]{{4,6}}{mark}", line) for line in lines):
        found.append(warning("MSH-18", "is switched within the message; letters so written are not read"))
    return (*_strangers(lines, marks), *found)


def _strangers(lines: Sequence[str], marks: Delimiters) -> tuple[Issue, ...]:
    form = re.compile(r"[A-Z][A-Z0-9]{2}(" + re.escape(marks.field) + r"|\s*$)")
    if all(form.match(line) for line in lines):
        return ()
    return (warning("message", "has a line that is not a segment; it was left out", code="structure"),)


def _meaning(sequence: str, whole: str, marks: Delimiters) -> str:
    named = {
        "F": marks.field,
        "S": marks.component,
        "R": marks.repetition,
        "T": "&" if marks.subcomponent == _NO_MARK else marks.subcomponent,
        "E": marks.escape,
        "H": "",
        "N": "",
    }
    if sequence in named:
        return named[sequence]
    if re.fullmatch(r"\.(br|sp|fi|nf|in|ti|sk|ce)[+-]?[0-9]*", sequence):
        return " "
    return "" if re.fullmatch(r"[CMZ][0-9A-Za-z]{1,8}", sequence) else whole


def _bytes_text(content: bytes, declared: str) -> str:
    # two bytes with a NUL first are one character of UTF-16, never a NUL and a letter
    wide = ("utf-16-be",) if content[0] == 0 and len(content) % 2 == 0 else ()
    for charset in (*wide, "utf-8", declared, "cp1252"):
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _clean(text: str, *, strip: bool = True) -> str:
    text = text[:VALUE_CHARACTERS_MAX]
    if not text.isprintable():
        # C0 and C1 controls and line separators end a segment or a log line somewhere: none is part of a value
        text = "".join(" " if _is_control(character) else character for character in text)
    if not strip:
        return text
    text = text.strip()
    return "" if text == _NULL else text


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f" or character in "\u2028\u2029"
