"""What kind of engine is wanted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.local.broker.settings import Listener
from streams.host.settings import TIMINGS

RESTART_PAUSE_SECONDS_MAX = 30.0  # a process that cannot start must not take the machine from those that can
HTTP_PORT, MLLP_PORT = 8080, 2575  # 2575 is registered for HL7 over MLLP

WorkerProgram = Callable[[str, Sequence[int]], Sequence[str]]


def plain_program(_name: str, _ends: Sequence[int]) -> Sequence[str]:
    """`python -m ops`, whatever the process and its exit codes so far."""
    return ("ops",)


@dataclass(frozen=True)
class EngineSettings:
    """What kind of engine: `bootstrap` names an outside broker; `workers` is their number per stage.

    The linker has `linker_workers`: one works, the others stand by. `listeners` gives processes, by name, a
    way into the embedded broker of their own. `worker_program` is asked before each start of a worker, with its name
    and its exit codes so far: the module that `python -m` runs, and what stands before `worker STAGE`.

    `http_port`, and `mllp_port` for the first MLLP source (each further one has the next), are kept to exactly; None
    and 0 mean a free port, with `usual_ports` None means HTTP_PORT and MLLP_PORT. `pages_port` is that of the first
    process, each further one has the next.
    """

    test_mode: bool
    workers: int = 1
    linker_workers: int = 1
    bootstrap: str | None = None
    sources: Path | None = None
    recipients: Path | None = None
    linkage_model: Path | None = None  # the linker's; the one that ships when None
    deprivation: Path | None = None  # the table by which ingress completes an area
    doors: bool = True
    broker_only: bool = False
    usual_ports: bool = False
    http_port: int | None = None
    mllp_port: int | None = None
    pages_port: int | None = None
    profile: str = "demo"
    generation: int = 0
    worker_program: WorkerProgram = plain_program
    restart_pause_seconds_max: float = RESTART_PAUSE_SECONDS_MAX
    listeners: Mapping[str, Listener] = field(default_factory=dict)

    @property
    def session_s(self) -> float | None:
        """The workers' session timeout, by which topics refuse their late writes.

        None without doors: such an engine is given copies under their old times.
        """
        return TIMINGS[self.profile][0] if self.doors else None

    def port_of(self, kind: str) -> int | None:
        """The fixed port of the first door of a kind (`fhir_http`, `hl7_mllp`); None for a free one."""
        usual, chosen = {
            "fhir_http": (HTTP_PORT, self.http_port),
            "hl7_mllp": (MLLP_PORT, self.mllp_port),
        }.get(kind, (None, None))
        return (usual if self.usual_ports and chosen is None else chosen) or None
