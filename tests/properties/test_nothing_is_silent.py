"""Nothing is silent: whatever stands in any element of a message of any door is read, or an issue names the place.

Any one element is replaced: by nothing, by a word nobody knows, by what denies or bounds it, by what cannot be. What
must follow comes from the tables below, written from the standards and not from the readers:

- *free*: any text is a value of the element (a surname, a number of the sender's own). Another text is understood
  otherwise, or an issue names the element.
- *not used*: the element carries neither fact nor identity of ours, or another element of the message says it better.
  What is understood stays equal.
- every other element has a closed set of values: another value is named by an issue at its place.
- absence is no fault, and never takes a fact away without an issue.
- *modifiers*: what is added denies, bounds or takes back a fact; it is acted on, or the fact is not told and an issue
  names the modifier.
"""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from case_answers import SOURCES
from elements import (
    ABSENT,
    PLAIN,
    Element,
    Understood,
    at,
    csv_elements,
    fhir_elements,
    hl7_elements,
    hl7_with,
    understood_fhir,
    xlsx_elements,
)
from examples import share
from hl7_messages import EVERY_KIND
from hypothesis import given, settings
from hypothesis import strategies as st

import connectors.sources.tier2_csv as tier2_csv
import connectors.sources.tier2_csv.cells as csv_cells
import connectors.sources.tier3_hl7v2.measurements as hl7_measurements
import schemas.fhir.read_observation as fhir_observation
from schemas.errors import Severity

EXAMPLES = share(3_500)  # of all elements together; TIERLINK_EXAMPLES_TIMES=3 tries 10,500

# ------------------------------------------------------------ what the standards say of each element

FREE = re.compile(
    "|".join(
        (
            r"fhir \S+ Bundle\.identifier\.value",  # FHIR Bundle.identifier: the sender's own
            r"fhir \S+ .*\.identifier\[\d\]\.value",
            r"fhir \S+ .*\.telecom\[0\]\.value",  # R4 ContactPoint.value: any string
            r"fhir \S+ .*\.(link\[0\]\.other|resource)\.identifier\.value",
            r"fhir every_fact .*entry\[[3-6]\]\.resource\.identifier(\[0\])?\.system",  # who numbered the event
            r"fhir every_fact .*entry\[2\]\.resource\.extension\[8\]\.extension\[1\]\.valueString",  # business-id
            r"fhir \S+ .*\.(name\[0\]\.(family|given\[0\])|address\[0\]\.(line\[0\]|city))",
            r"hl7 \S+ MSH-(3|4|10)\.1",  # HL7 2.4 chapter 2: names of systems and of the message
            r"hl7 \S+ PID-3\.(1|4)",  # a number of the hospital's and who issued it
            r"hl7 \S+ (PID-5\.[123]|PID-11\.[13]|PID-13\.1)",
            r"hl7 \S+ MRG-1\.(1|4)",
            r"hl7 \S+ (SCH-2|RF1-6|OBR-3)\.1",  # numbers of appointment, referral, order
            r"hl7 ADT\^A0[34] PV1-19\.1",  # number of the visit
            r"(csv|xlsx) row row 2, column (client_ref|surname|forename|referral_ref|session_ref)",
        )
    )
)
NOT_USED = re.compile(
    "|".join(
        (
            r"fhir \S+ .*\.(fullUrl|source\.endpoint|eventCoding\.(system|code))",  # names within the Bundle, routing
            r"fhir \S+ Bundle\.identifier\.system",
            r"fhir \S+ .*\.display",  # R4 Coding.display: for people
            r"fhir every_fact .*\.(eventUri|sender\.identifier\.(system|value)|focus\[0\]\.reference)",  # routing
            r"fhir every_fact .*\.category\[0\]\.coding\[0\]\.(system|code)",  # R4 Observation.category: for filters
            r"hl7 \S+ MSH-[56]\.1",  # receiving application and facility
            r"hl7 \S+ (PID|PV1|OBR|OBX\[1\]|AIS\[1\])-1\.1",  # set ids
            r"hl7 \S+ (PID-3|MRG-1)\.5",  # the type of a number whose issuer is named
            r"hl7 \S+ PID-5\.5",  # a title
            r"hl7 \S+ PV1-3\.1",  # the room
            r"hl7 (ADT\^A31|ADT\^A40|ORU\^R01) PV1-(2|19)\.1",  # no visit is read of these
            r"hl7 \S+ (PV1-10|AIS\[1\]-3|RF1-3)\.1",  # the service: this feed is of every service
            r"hl7 ADT\^A31 PD1-3\.1",  # the name of the practice beside its code
            r"hl7 REF\^I12 PRD-2\.1",  # the name of the referrer beside its code
            r"hl7 SIU\^S\d\d SCH-(1|11\.3|11)\.[13]",  # the placer's number beside the filler's; the duration
            r"hl7 ORU\^R01 (OBR-2|OBR-4|OBX\[1\]-3)\.[12]$",  # the placer's number, the panel, words for the code
        )
    )
)
# An empty cell says that nothing was measured, no deceased[x] that nobody reported a death: there is nothing to say.
CONFORMANT = re.compile(r"(csv|xlsx) row row 2, column (weight|height)|fhir \S+ .*\.deceasedDateTime")
# Of these NOT_USED holds for the words beside the code alone.
USED_AFTER_ALL = re.compile(r"hl7 ORU\^R01 OBX\[1\]-3\.1")


def modified_fhir(place: tuple[str | int, ...], name: str, value: object) -> Callable[[], Understood]:
    """The plain message with an element more."""

    def read() -> Understood:
        document = json.loads(json.dumps(PLAIN))
        at(document, place)[name] = value
        return understood_fhir(document, SOURCES["fhir"])

    return read


REFERRAL, WEIGHT = ("entry", 2, "resource"), ("entry", 3, "resource")
# R4: elements marked ?! (isModifier) of what we read, each with every word that denies, bounds or takes back.
FHIR_MODIFIERS = [
    *((WEIGHT, (*WEIGHT, "valueQuantity"), "comparator", word) for word in ("<", "<=", ">=", ">", "ad", "about")),
    *((WEIGHT, WEIGHT, "status", word) for word in ("registered", "cancelled", "unknown", "entered-in-error", "none")),
    *((part, part, "implicitRules", "https://rules.example/not") for part in (REFERRAL, WEIGHT)),
    *((part, part, "modifierExtension", [{"url": "https://x.example/not"}]) for part in (REFERRAL, WEIGHT)),
    (REFERRAL, REFERRAL, "doNotPerform", True),
    *(
        (REFERRAL, REFERRAL, "intent", word)
        for word in ("proposal", "plan", "directive", "reflex-order", "filler-order", "option", "wish")
    ),
    *(
        (REFERRAL, REFERRAL, "status", word)
        for word in ("draft", "on-hold", "revoked", "entered-in-error", "unknown", "gone")
    ),
]
# HL7 2.4 tables 0085 and 0123 (status of result and order), 0125 (types of values), 0004 (patient class), 0283 (status
# of referrals); NM, SN of chapter 2.
HL7_MODIFIERS = [
    *(("ORU^R01", "OBX", 11, word, "OBX[1]-11") for word in ("D", "W", "X", "P", "I", "N", "O", "R", "S", "Q")),
    *(("ORU^R01", "OBX", 11, word, "OBX[1]-11") for word in ("Deleted", "Preliminary", "Cancelled", "Zog")),
    *(("ORU^R01", "OBX", 2, word, "OBX[1]-2") for word in ("NR", "NA", "MA", "DT", "TM", "TS", "ED", "CE", "ZZ")),
    *(("ORU^R01", "OBR", 25, word, "OBR-25") for word in ("X", "Y", "Z", "O", "I", "S", "N", "Cancelled")),
    *(("ORU^R01", "OBX", 5, word, "OBX[1]-5") for word in ("<118.4", ">118.4", "100-120", "about 118", "1e3", "-118")),
    *(("ORU^R01", "OBX", 5, word, "OBX[1]-5") for word in ('""', "Declined", "UNK", "118.4~120")),
    *(("ADT^A04", "PV1", 2, word, "PV1-2") for word in ("Q", "Ward", "OUT")),
    *(("REF^I12", "RF1", 1, word, "RF1-1") for word in ("R", "E", "Rejected")),
]


# ------------------------------------------------------------ one element replaced

UNKNOWN_WORDS = st.text("QXZJKVWqxzjkvw", min_size=4, max_size=12)
IMPOSSIBLE = st.sampled_from(
    ("9" * 30, "-1", "0000", "99999999", "9999-99-99", "31/31/9999", "1e99999999", "½", "@", "☺☺")
)
REPLACEMENTS = st.one_of(UNKNOWN_WORDS, IMPOSSIBLE, st.just(ABSENT))
# what a cell of a workbook can hold beside text
TYPED = (True, -1, 0.5, 1e300, date(9999, 12, 31), ("e", "#DIV/0!"))


def elements() -> list[Element]:
    """Every element of every golden message."""
    of_hl7 = [element for kind in EVERY_KIND for element in hl7_elements(kind)]
    return [*fhir_elements(), *of_hl7, *csv_elements(), *xlsx_elements()]


ELEMENTS = elements()
EACH = -(-EXAMPLES // len(ELEMENTS))


def rule_of(element: Element) -> str:
    """free, not used, or closed."""
    if NOT_USED.fullmatch(str(element)) and not USED_AFTER_ALL.fullmatch(str(element)):
        return "not used"
    return "free" if FREE.fullmatch(str(element)) else "closed"


def names(element: Element, found: Understood, plain: Understood) -> bool:
    """Whether an issue that the plain message has not stands at the element, at what holds it, or beside it."""
    whole = element.place.rpartition(".")[0] or element.place
    new = [issue.location for issue in found.issues if issue not in plain.issues]
    missed = f"{whole.rpartition('.')[0]}.extension('{element.value}')"  # an extension that has lost its name
    return any(element.place.startswith(place) or place.startswith((whole, missed)) for place in new)


def fault(element: Element, value: Any) -> str | None:
    """What is silent when `value` stands in the element, None when nothing is."""
    plain, found = element.plain(), element.read(value)
    if found.message is None and plain.message is not None:
        return None if any(issue.severity is Severity.ERROR for issue in found.issues) else "refused without a reason"
    if value is ABSENT:
        gone = len(found.kinds) < len(plain.kinds) and not CONFORMANT.fullmatch(str(element))
        named = any(issue not in plain.issues for issue in found.issues)
        return "a fact is gone without a word" if gone and not named else None
    match rule_of(element):
        case "not used":
            return None if found.message == plain.message else "changes what is understood, though it is not used"
        case "free":
            return None if found.message != plain.message or names(element, found, plain) else "has no effect"
        case _:
            return None if names(element, found, plain) else "is not named"


@pytest.mark.parametrize("element", ELEMENTS, ids=str)
@settings(max_examples=EACH, derandomize=True, database=None)
@given(value=REPLACEMENTS)
def test_what_stands_in_any_element_is_read_or_named(element: Element, value: Any) -> None:
    assert fault(element, value) is None


@pytest.mark.parametrize("element", [element for element in ELEMENTS if element.door == "xlsx"], ids=str)
def test_what_any_cell_of_a_workbook_holds_is_read_or_named(element: Element) -> None:
    assert {repr(value): fault(element, value) for value in TYPED} == dict.fromkeys(map(repr, TYPED))


def test_there_are_thousands_of_them() -> None:
    assert EACH * len(ELEMENTS) >= share(3_500)
    assert {element.door for element in ELEMENTS} == {"fhir", "hl7", "csv", "xlsx"}


@pytest.mark.parametrize(("about", "place", "name", "value"), FHIR_MODIFIERS, ids=str)
def test_a_fhir_modifier_is_acted_on_or_the_fact_is_not_told(
    about: tuple[str | int, ...], place: tuple[str | int, ...], name: str, value: object
) -> None:
    assert unheeded_fhir(about, place, name, value) is None


def unheeded_fhir(about: tuple[str | int, ...], place: tuple[str | int, ...], name: str, value: object) -> str | None:
    """Why a modifier is not heeded: its fact is told as before, or no issue names the resource."""
    plain, found = understood_fhir(PLAIN, SOURCES["fhir"]), modified_fhir(place, name, value)()
    lost = "referral" if about == REFERRAL else "measurement"
    if found.kinds.count(lost) >= plain.kinds.count(lost):
        return "the fact is told"
    taken_back = found.kinds.count(f"not {lost}") == 1
    named = any(f"entry[{about[1]}]" in issue.location for issue in found.issues)
    return None if taken_back or named or found.message is None else "no issue names it"


@pytest.mark.parametrize(("kind", "segment", "field", "value", "place"), HL7_MODIFIERS, ids=str)
def test_an_hl7_modifier_is_acted_on_or_the_fact_is_not_told(
    kind: str, segment: str, field: int, value: str, place: str
) -> None:
    assert unheeded_hl7(kind, segment, field, value, place) is None


def unheeded_hl7(kind: str, segment: str, field: int, value: str, place: str) -> str | None:
    """As `unheeded_fhir`."""
    plain, found = hl7_with(kind, segment, field, None), hl7_with(kind, segment, field, value)
    denied = [name for name in plain.kinds if name != "demographics"]
    if any(name in found.kinds for name in denied):
        return "the fact is told"
    taken_back = any(f"not {name}" in found.kinds for name in denied)
    named = any(issue.location.startswith(place) for issue in found.issues)
    return None if taken_back or named else "no issue names it"


# ------------------------------------------------------------ a reader that lacks one line is seen


def without(module: ModuleType, line: str, monkeypatch: pytest.MonkeyPatch, *, instead: str) -> None:
    """Runs the module's text again without a line; its functions find what is new in its own names."""
    path = str(module.__file__)
    text = Path(path).read_text(encoding="utf-8")
    assert text.count(line) == 1, line
    for name, value in vars(module).copy().items():
        monkeypatch.setattr(module, name, value)  # put back afterwards
    exec(compile(text.replace(line, instead), path, "exec"), vars(module))  # our own text


def test_a_fhir_reader_that_does_not_look_at_the_comparator_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    without(fhir_observation, 'if place.value.get("comparator") is not None:', monkeypatch, instead="if False:")
    assert unheeded_fhir(WEIGHT, (*WEIGHT, "valueQuantity"), "comparator", "<") == "the fact is told"


def test_an_hl7_reader_that_does_not_look_at_the_status_of_a_result_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "if not withdrawn and status != RESULT_STANDS:"
    without(hl7_measurements, line, monkeypatch, instead="if False:")
    assert unheeded_hl7("ORU^R01", "OBX", 11, "X", "OBX[1]-11") == "the fact is told"


def test_a_csv_reader_that_says_nothing_of_an_unknown_word_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    (attendance,) = (element for element in ELEMENTS if str(element) == "csv row row 2, column attendance")
    assert fault(attendance, "Zqq") is None
    line = 'self._unfit(column, Unfit("is not in the mapping\'s list of codes", code="code-invalid"))'
    without(csv_cells, line, monkeypatch, instead="pass")
    monkeypatch.setattr(tier2_csv, "Cells", csv_cells.Cells)
    assert fault(attendance, "Zqq") == "is not named"
