"""Every journey of `journeys/`: what came in, and what a recipient then reads.

What is right is reasoned from the definitions and their sources, never copied from an output. A journey that the fold
does not satisfy yet stands in `journeys/not_yet.txt` and must fail: the list can only become shorter.
"""

import pytest
from journey_files import FOLDER, files, not_yet, read
from journey_paths import differences
from journey_snapshots import snapshot

STILL_WRONG = pytest.mark.xfail(strict=True, reason="stands in not_yet.txt: take it out when it comes out right")
NAMES = [pytest.param(path.stem, marks=[STILL_WRONG] if path.stem in not_yet() else []) for path in files()]


@pytest.mark.parametrize("name", NAMES)
def test_the_journey_comes_out_as_its_rules_say(name: str) -> None:
    journey = read((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), name)
    found = [
        f"as of {expected.as_of}: {line}"
        for expected in journey.expected
        for line in differences(snapshot(journey.facts(), expected.as_of), expected.paths)
    ]
    assert not found, "\n" + "\n".join(found)
