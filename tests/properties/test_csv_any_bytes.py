"""Whatever a provider drops, the reader answers: it never fails, and no row spoils another."""

import csv

from council_files import CLIENT, HEADERS, SESSION, line, read_east, row, session, sheet
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.sources.tier2_csv import FileReading
from schemas.disposition import Verdict

CELL = st.text(max_size=30).map(lambda text: text.replace("\x00", ""))
ANY_CELLS = st.dictionaries(st.sampled_from(HEADERS), CELL, max_size=6)
GOOD = [session(), row(client_ref="EC-2")]


def well_formed(reading: FileReading) -> bool:
    """A refused file has no entries; every entry has a verdict that its issues bear out."""
    if reading.refused:
        return reading.entries == ()
    positions = [entry.position for entry in reading.entries]
    return positions == sorted(set(positions)) and all(
        (entry.bundle is None) == (entry.checked.verdict in (Verdict.REJECTED, Verdict.IGNORED))
        for entry in reading.entries
    )


@given(raw=st.binary(max_size=400))
@example(raw=b"\xff\xfe\x00\xd8")
@example(raw=b"\xef\xbb\xbf\xef\xbb\xbf")
@example(raw=b'"' * 200)
def test_any_bytes_are_answered(raw: bytes) -> None:
    assert well_formed(read_east(raw))


@given(body=st.binary(max_size=400))
@example(body=b'"\r\n"\r\n"')
@example(body=b"\xed\xa0\x80")
def test_any_bytes_below_a_good_header_are_answered(body: bytes) -> None:
    assert well_formed(read_east(sheet().encode() + body))


@given(cells=ANY_CELLS)
@example(cells={"nhs_no": "²²²²²²²²²²"})
@example(cells={"dob": "31/12/9999", "last_updated": "31/12/9999 23:59"})
@example(cells={"dob": "01/01/0001", "last_updated": "01/01/0001 00:00"})
@example(cells={"last_updated": "01/07/0001 00:30"})
@example(cells={"weight": "99999.9999", "height": "0.0001"})
@example(cells={"session_ref": "a" * 2_000})
def test_any_text_in_any_cell_is_answered(cells: dict[str, str]) -> None:
    reading = read_east(sheet(row(**{**SESSION, **cells})).encode("utf-8", "replace"))
    assert well_formed(reading)


@settings(max_examples=50)
@given(noise=st.lists(st.text(alphabet='",;a1\t \n', max_size=20), max_size=4))
def test_rows_before_and_after_a_broken_one_are_read_all_the_same(noise: list[str]) -> None:
    """Noise may be rejected, ignored or blank; the good rows around it are accepted, unless a quote reaches
    them."""
    broken = [text.replace("\n", " ").replace('"', "") + "\r\n" for text in noise]
    reading = read_east(sheet(GOOD[0], *broken, GOOD[1]))
    accepted = [entry for entry in reading.entries if entry.bundle is not None]
    assert len(accepted) == 2


@given(cells=st.lists(CELL, min_size=len(HEADERS), max_size=len(HEADERS)))
def test_a_row_written_by_a_spreadsheet_is_read_as_its_own_cells(cells: list[str]) -> None:
    """What is kept of a row for replay holds the same cells as were dropped."""
    text = line([cell.encode("utf-8", "replace").decode() for cell in cells])
    for entry in read_east(sheet(text)).entries:
        kept = list(csv.reader(entry.original.decode().split("\r\n", 1)[1].splitlines(keepends=True), strict=True))
        assert kept[0][: len(HEADERS)] == next(csv.reader(text.splitlines(keepends=True), strict=True))


@given(order=st.permutations(HEADERS))
def test_the_order_of_columns_does_not_matter(order: list[str]) -> None:
    items = {**CLIENT, **SESSION}
    (entry,) = read_east(line(order) + line([items.get(header, "") for header in order])).entries
    (straight,) = read_east(sheet(session())).entries
    assert entry.bundle is not None
    assert straight.bundle is not None
    assert entry.bundle["entry"][1]["resource"] == straight.bundle["entry"][1]["resource"]
    assert len(entry.bundle["entry"]) == len(straight.bundle["entry"])
