"""NHS numbers as people, spreadsheets and web pages leave them in a field of text: the same ten digits."""

from ops.lab.simulator.model import SimulatedEntry
from ops.lab.simulator.spellings import chosen

_NO_BREAK_SPACE, _NO_WIDTH = "\u00a0", "\u200b"
_LEFT_TO_RIGHT, _LTR_OVERRIDE, _END_OF_OVERRIDE = "\u200e", "\u202d", "\u202c"


def nhs_number_text(entry: SimulatedEntry, usual: str) -> str:
    """The entry's NHS number as `usual`, or in another way where it drew `nhs_as_text`. The record must hold one."""
    ten = entry.identity.nhs_number
    assert ten is not None
    parts = (ten[:3], ten[3:6], ten[6:])
    return chosen(
        entry,
        "nhs_as_text",
        usual,
        (
            f"'{ten}",
            f'="{ten}"',
            f"{ten}.0",
            " ".join(parts),
            "-".join(parts),
            _NO_BREAK_SPACE.join(parts),
            f"{_LEFT_TO_RIGHT}{ten}",
            f"{_LTR_OVERRIDE}{ten}{_END_OF_OVERRIDE}",
            f"{ten[:5]}{_NO_WIDTH}{ten[5:]}",
            f" {ten} ",
        ),
    )
