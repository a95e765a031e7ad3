"""PID-29 and PID-30: that the person has died, and what denies or deletes it."""

from connectors.sources.tier3_hl7v2.local_codes import DEATH_INDICATOR
from connectors.sources.tier3_hl7v2.moments import Moment, birth_date, birth_year
from connectors.sources.tier3_hl7v2.reading import Reading
from connectors.sources.tier3_hl7v2.structure import Segment
from schemas.facts import Death
from schemas.placeholders import is_day
from schemas.source_message import SourceFact


def death_of(reading: Reading, pid: Segment) -> list[SourceFact]:
    """The death, told or taken back; nothing where neither field says a word.

    An explicit null (`""`, HL7 2.5.1, 2.5.3.5) deletes what was recorded, but never a day that stands beside it.
    """
    day, indicator = _day_of_death(reading), DEATH_INDICATOR.get(pid.value(30).upper(), "")
    if pid.value(30) and not indicator:
        reading.warn("PID-30", "is neither Y nor N; it was left out", code="code-invalid")
    if pid.is_null(30) and day:
        reading.warn("PID-30", "deletes the death that PID-29 dates; read as a death", code="value")
    elif day and indicator == "N":
        reading.warn("PID-30", "denies the death that PID-29 dates; read as no death", code="value")
    elif not pid.value(30) and not day and (pid.is_null(29) or pid.is_null(30)):
        indicator = "N"  # an explicit null deletes what was recorded
    elif indicator == "Y" and not pid.value(29):
        reading.note("PID-29", "does not say the day; read as on or before the day of the message")
    if day is None and indicator not in ("Y", "N"):
        return []
    # "not dead" retracts a death reported for the wrong patient; where none was reported it changes nothing
    body = Death(on=day.on, at=day.at) if day else Death(on=reading.reported_on)
    return [SourceFact(body, business_id="death", retracted=indicator == "N")]


def _day_of_death(reading: Reading) -> Moment | None:
    """PID-29; left out with a warning where it lies after the message or before the birth."""
    sent, born = reading.value("PID-29"), birth_date(reading.value("PID-7"))
    if birth_year(sent) and sent[:6] <= f"{reading.reported_on:%Y%m}" and not (born and int(sent[:4]) < born.year):
        reading.warn("PID-29", "is no whole day; read as on or before the day of the message", code="value")
        return Moment(reading.reported_on, None)
    day = reading.moment("PID-29")
    if day is None:
        return None
    if is_day(day.on):
        reading.note("PID-29", "is a day that systems write where they know none; it was left out")
        return None
    if day.on > reading.reported_on or (born is not None and day.on < born):
        reading.warn("PID-29", "cannot be the day of death; it was left out", code="value")
        return None
    return day
