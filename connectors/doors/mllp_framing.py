"""MLLP: where one message ends and the next begins. Pure; used by the door and by the sender.

<VT> message <FS> <CR>          Source: HL7 Minimal Lower Layer Protocol, release 1
"""

import re
from dataclasses import dataclass
from enum import StrEnum

START, END, CARRIAGE_RETURN = b"\x0b", b"\x1c", b"\r"
FRAME_BYTES_MAX = 8 * 1024 * 1024
OPENING_BYTES_MAX = 2048  # of a broken frame, kept so that the answer can name its MSH-10
_QUIET = re.compile(rb"[\r\n\t \x00]*")  # what some senders put between frames; says nothing


class FaultKind(StrEnum):
    """What is wrong with the bytes, as a rule for the sender."""

    OUTSIDE = "stands outside a frame (VT message FS CR)"
    NO_CARRIAGE_RETURN = "ends with FS without CR"
    NESTED = "holds a second VT: the frame was not ended"
    TRUNCATED = "ends before FS CR"
    TOO_LARGE = f"is larger than {FRAME_BYTES_MAX} bytes"
    TOO_SLOW = "was not ended in time"


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """The content of one whole frame."""

    content: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Fault:
    """Bytes that are no frame. `opening` is their beginning; reading can go on unless `fatal`."""

    kind: FaultKind
    opening: bytes = b""

    @property
    def fatal(self) -> bool:
        """True when the connection is no longer worth reading."""
        return self.kind in (FaultKind.TOO_LARGE, FaultKind.TRUNCATED, FaultKind.TOO_SLOW)


def framed(message: bytes) -> bytes:
    """`message` in its frame."""
    return START + message + END + CARRIAGE_RETURN


class Unframer:
    """Bytes as they arrive, in any portions, to frames and faults, in order.

    Holds at most `bytes_max` of one frame. After every fault that is not fatal the next good frame is read:
    a VT always starts a frame, and bytes outside frames are reported once until it comes.
    """

    def __init__(self, *, bytes_max: int = FRAME_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._content = bytearray()
        self._read = self._outside
        self._complained = False
        self.inside = False  # between a VT and its end: the sender owes us the rest
        self.frames_begun = 0

    def feed(self, chunk: bytes) -> list[Frame | Fault]:
        """What `chunk` completes. After a fatal fault nothing more is to be fed."""
        found: list[Frame | Fault] = []
        rest = chunk
        while rest:
            rest = self._read(rest, found)
        return found

    def end(self) -> list[Frame | Fault]:
        """What remains when the sender has gone."""
        return [self._fault(FaultKind.TRUNCATED)] if self.inside else []

    def give_up(self) -> Fault:
        """The fault of a frame whose sender took too long."""
        return self._fault(FaultKind.TOO_SLOW)

    def _outside(self, chunk: bytes, found: list[Frame | Fault]) -> bytes:
        before, start, rest = chunk.partition(START)
        noise = before[_QUIET.match(before).end() :]  # type: ignore[union-attr]  # the pattern matches the empty string
        if noise and not self._complained:
            found.append(Fault(FaultKind.OUTSIDE, noise[:OPENING_BYTES_MAX]))
            self._complained = True
        if start:
            self._begin()
        return rest

    def _inside(self, chunk: bytes, found: list[Frame | Fault]) -> bytes:
        mark = re.search(rb"[\x0b\x1c]", chunk)
        taken, rest = (chunk[: mark.start()], chunk[mark.end() :]) if mark else (chunk, b"")
        self._content += taken
        if len(self._content) > self._bytes_max:
            found.append(self._fault(FaultKind.TOO_LARGE))
            return b""
        if mark and mark.group() == END:
            self._read = self._ending
        elif mark:
            found.append(self._fault(FaultKind.NESTED))
            self._begin()
        return rest

    def _ending(self, chunk: bytes, found: list[Frame | Fault]) -> bytes:
        if chunk[:1] == CARRIAGE_RETURN:
            found.append(Frame(bytes(self._content)))
            self._reset()
            return chunk[1:]
        found.append(self._fault(FaultKind.NO_CARRIAGE_RETURN))
        return chunk

    def _begin(self) -> None:
        self._content.clear()
        self._read, self.inside = self._inside, True
        self._complained = False
        self.frames_begun += 1

    def _fault(self, kind: FaultKind) -> Fault:
        fault = Fault(kind, bytes(self._content[:OPENING_BYTES_MAX]))
        self._reset()
        self._complained = True  # what follows a broken frame is its rest, already reported
        return fault

    def _reset(self) -> None:
        self._content = bytearray()
        self._read, self.inside = self._outside, False
        self._complained = False
