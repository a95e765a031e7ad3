"""What `tierlink send csv` journals are the rows a council sent, not the lines of its file."""

from hashlib import sha256
from pathlib import Path

from ops.runtime.paths import load_sources
from ops.verify.sending import published_rows

GOLDEN = Path(__file__).parents[1] / "golden" / "tier2" / "council-east.csv"


def test_blank_rows_and_the_totals_at_the_foot_are_no_entries() -> None:
    content = GOLDEN.read_bytes()
    source = load_sources(None, test_mode=True)["council-east"]
    rows = published_rows(source, content, sha256(content).hexdigest())
    assert rows == [2, 3, 4, 5, 6, 7, 8, 9, 11, 12]
    assert len(rows) < content.count(b"\n"), "a line is not a row"
