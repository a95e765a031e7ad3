"""MLLP frames: whatever comes before, between or instead of them, the next good message is heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.doors.mllp_framing import Fault, FaultKind, Frame, Unframer, framed

GOOD = framed(b"MSH|good")


def heard(*chunks: bytes, bytes_max: int = 1000) -> list[str]:
    """Each frame as its content, each fault as the name of its kind, to the end of the connection."""
    unframer = Unframer(bytes_max=bytes_max)
    found = [item for chunk in chunks for item in unframer.feed(chunk)] + unframer.end()
    return [action.content.decode() if isinstance(action, Frame) else action.kind.name for action in found]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (GOOD, ["MSH|good"]),
        (GOOD + GOOD, ["MSH|good", "MSH|good"]),
        (GOOD + b"\r\n \r\n" + GOOD, ["MSH|good", "MSH|good"]),
        (framed(b"") + GOOD, ["", "MSH|good"]),
        (b"MSH|unframed\r" + GOOD, ["OUTSIDE", "MSH|good"]),
        (GOOD + b"rubbish\rmore rubbish\r" + GOOD, ["MSH|good", "OUTSIDE", "MSH|good"]),
        (b"\x0bMSH|cut off" + GOOD, ["NESTED", "MSH|good"]),
        (b"\x0b\x0b\x0b" + GOOD, ["NESTED", "NESTED", "NESTED", "MSH|good"]),
        (b"\x0bMSH|no cr\x1c" + GOOD, ["NO_CARRIAGE_RETURN", "MSH|good"]),
        (b"\x0bMSH|lf\x1c\n" + GOOD, ["NO_CARRIAGE_RETURN", "MSH|good"]),
        (b"\x0bMSH|half\x1c of it\x1c\r" + GOOD, ["NO_CARRIAGE_RETURN", "MSH|good"]),
        (GOOD + b"\x0bMSH|trunc", ["MSH|good", "TRUNCATED"]),
        (GOOD + b"\x0bMSH|trunc\x1c", ["MSH|good", "TRUNCATED"]),
        (b"\x1c\r\x1c\r" + GOOD, ["OUTSIDE", "MSH|good"]),
        (b"\x0b" + b"x" * 1001, ["TOO_LARGE"]),
        (b"\x0b" + b"x" * 1000 + b"\x1c\r", ["x" * 1000]),
    ],
)
@pytest.mark.parametrize("portion", [1, 3, 10_000])
def test_frames_are_found_however_the_bytes_arrive(sent: bytes, expected: list[str], portion: int):
    assert heard(*(sent[at : at + portion] for at in range(0, len(sent), portion))) == expected


def test_a_frame_of_a_hundred_megabytes_is_given_up_without_being_kept():
    unframer = Unframer(bytes_max=1000)
    first = unframer.feed(b"\x0b" + b"x" * 500)
    found = unframer.feed(b"x" * 600)
    assert not first
    assert [action.kind for action in found if isinstance(action, Fault)] == [FaultKind.TOO_LARGE]
    assert all(item.fatal and len(item.opening) < 3000 for item in found if isinstance(item, Fault))


noise = st.binary(max_size=40)


@given(noise, st.binary(max_size=40).filter(lambda b: b"\x0b" not in b and b"\x1c" not in b), st.data())
def test_after_any_noise_a_good_frame_is_heard_whole(before: bytes, content: bytes, data: st.DataObject):
    sent = before + b"\x1c\r" + framed(content)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    chunks = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    unframer = Unframer()
    found = [item for chunk in chunks for item in unframer.feed(chunk)]
    assert isinstance(found[-1], Frame)
    assert found[-1].content == content


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\x0b" not in b and b"\x1c" not in b), max_size=6))
def test_what_is_framed_comes_back(contents: list[bytes]):
    found = Unframer().feed(b"".join(framed(content) for content in contents))
    assert [item.content for item in found if isinstance(item, Frame)] == contents
