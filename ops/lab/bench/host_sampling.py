"""Where a host's CPU time goes: a thread that samples the others every millisecond, and reads their clocks.

Each sample charges the CPU time a thread has used since the last one to where it is found, so the sum is exact
and only its division is a sample. A thread is found where the interpreter can let go of it: at the start of a
function of Python or at the end of a loop's turn. A short function that calls no other may therefore be
charged to the loop around it. `part_of` says which part of a hop a place in the code belongs to.
"""

import json
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

SAMPLER = "sampling (the sampler itself)"
NATIVE = "native threads: {}"
EVERY_S = 0.001
SWITCH_S = 0.0005  # how long the sampling thread may wait for the interpreter; 5 ms would be too few samples
DEPTH_MAX = 24
PLACES_MAX = 20
SPENT_FILE, REQUEST_FILE = "spent.json", "spent.request"

Stack = Sequence[tuple[str, str]]  # module and function, innermost first

# The first rule that fits the innermost frame that fits any; `module:function`.
RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (part, re.compile(pattern))
    for part, pattern in (
        ("step", r"ops\.lab\.bench\.host_step:|namedtuple_(Emit|Change):"),
        (
            "message",
            r"namedtuple_Message:|streams\.host\.consumer:_message|streams\.host\.batch:.*(fresh|is_new)",
        ),
        ("metrics", r"streams\.metrics:|prometheus_client"),
        ("mark as delivered", r"streams\.host\.delivered:"),
        ("commit", r"streams\.host\.\w+:.*commit|aiokafka\.consumer\.group_coordinator:.*commit"),
        ("acknowledgement", r"streams\.host\.producer:.*(poll|report|is_clear)"),
        ("acknowledgement", r"streams\.host\.(batch|commit):.*(acknowledge|_wave|_arrived|_send_state)"),
        ("produce", r"streams\.host\.producer:|streams\.host\.batch:.*_send"),
        (
            "sort outcomes, headers",
            r"streams\.host\.batch:(lineage|sendable)|streams\.steps\.outcome:(source_of|dead_letter)",
        ),
        ("loop around the step", r"streams\.host\.batch:.*(_answer|dispatch)"),
        ("fetch and parse", r"aiokafka\.|streams\.host\.\w+:.*fetch"),
        ("host, other", r"streams\.host\."),
        ("faust and mode", r"faust\.|mode\."),
        ("event loop", r"asyncio\.|selectors:|concurrent\."),
    )
)


def part_of(stack: Stack) -> str:
    """The part of the innermost frame that belongs to one."""
    for module, function in stack:
        for part, pattern in RULES:
            if pattern.match(f"{module}:{function}"):
                return part
    return "other"


def place_of(stack: Stack) -> str:
    """`module:function` of the innermost frame."""
    return ":".join(stack[0]) if stack else "?"


@dataclass(frozen=True)
class Spent:
    """CPU seconds by part and by place in the code, of the whole process."""

    parts: Mapping[str, float]
    places: Mapping[str, float]
    samples: int


class Sampler:
    """From begin() until read_spent() asks for it. Signals would be the usual way; Faust takes them all."""

    def __init__(self, directory: str) -> None:
        """Asks and answers by files in `directory`."""
        self._directory = directory
        self._parts: defaultdict[str, float] = defaultdict(float)
        self._places: defaultdict[str, float] = defaultdict(float)
        self._clocks: dict[int, float] = {}
        self._native_s: dict[str, float] = {}
        self._samples = 0
        self._thread = threading.Thread(target=self._sample_until_requested, name=SAMPLER, daemon=True)

    def begin(self) -> None:
        """The first message is in hand."""
        sys.setswitchinterval(SWITCH_S)
        self._native_s = native_seconds()
        self._thread.start()

    def places(self) -> list[str]:
        """Where work was found so far."""
        return list(self._places)

    def _sample_until_requested(self) -> None:
        request = Path(self._directory, REQUEST_FILE)
        while not request.exists():
            time.sleep(EVERY_S)
            self._sample()
        for name, seconds in native_seconds().items():
            self._parts[NATIVE.format(name)] += seconds - self._native_s.get(name, 0.0)
        spent = Spent(dict(self._parts), dict(Counter(self._places).most_common(PLACES_MAX)), self._samples)
        part = Path(self._directory, SPENT_FILE + ".part")
        part.write_text(json.dumps(asdict(spent)))
        part.replace(part.with_name(SPENT_FILE))

    def _sample(self) -> None:
        self._samples += 1
        sampler_ident = threading.get_ident()
        for ident, frame in sys._current_frames().items():
            used_s = time.clock_gettime(time.pthread_getcpuclockid(ident))
            since_s = used_s - self._clocks.get(ident, used_s)
            self._clocks[ident] = used_s
            if ident == sampler_ident:
                self._parts[SAMPLER] += since_s
            elif since_s > 0:
                stack = inner_frames(frame)
                self._parts[part_of(stack)] += since_s
                self._places[place_of(stack)] += since_s


def inner_frames(frame: FrameType | None) -> list[tuple[str, str]]:
    """Module and function, innermost first."""
    found: list[tuple[str, str]] = []
    while frame is not None and len(found) < DEPTH_MAX:
        found.append((str(frame.f_globals.get("__name__", "?")), frame.f_code.co_qualname))
        frame = frame.f_back
    return found


def native_seconds() -> dict[str, float]:
    """CPU seconds so far of the threads that are not Python's, by name; empty where there is no /proc."""
    ours = {str(thread.native_id) for thread in threading.enumerate()}
    seconds: defaultdict[str, float] = defaultdict(float)
    for task in Path("/proc/self/task").glob("*"):
        if task.name not in ours:
            name = (task / "comm").read_text().strip().rstrip("0123456789")
            seconds[name] += int((task / "schedstat").read_text().split()[0]) / 1e9
    return dict(seconds)


def read_spent(directory: str, *, within_s: float) -> Spent:
    """What the sampler of that directory has found until now; ends it. Raises TimeoutError when it does not in time."""
    Path(directory, REQUEST_FILE).touch()
    file, end_s = Path(directory, SPENT_FILE), time.monotonic() + within_s
    while not file.exists():
        if time.monotonic() > end_s:
            raise TimeoutError("the sampled process did not answer")
        time.sleep(EVERY_S)
    return Spent(**json.loads(file.read_text()))
