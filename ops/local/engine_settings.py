"""What kind of engine is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.local.broker.settings import Listener
from ops.runtime.timings import TIMINGS

RESTART_PAUSE_SECONDS_MAX = 30.0  # a process that cannot start must not take the machine from those that can


@dataclass(frozen=True)
class EngineSettings:
    """What kind of engine: `bootstrap` names an outside broker; `workers` is their number per stage.

    The linker has `linker_workers`: one works, the others stand by. `listeners` gives processes, by name, a
    way into the embedded broker of their own. `host` and `mutant` choose what workers run on.
    """

    test_mode: bool
    recipients: tuple[str, ...] = ("demo",)
    workers: int = 1
    linker_workers: int = 1
    bootstrap: str | None = None
    sources: Path | None = None
    linkage_model: Path | None = None  # the linker's; the one that ships when None
    doors: bool = True
    broker_only: bool = False
    usual_ports: bool = False  # 8080 and 2575 where they are free, for people who type them
    profile: str = "demo"
    host: str = "ours"
    mutant: str | None = None
    restart_pause_seconds_max: float = RESTART_PAUSE_SECONDS_MAX
    listeners: Mapping[str, Listener] = field(default_factory=dict)

    @property
    def session_s(self) -> float | None:
        """The workers' session timeout, by which topics refuse their late writes.

        None without doors: such an engine is given copies under their old times.
        """
        return TIMINGS[self.profile][0] if self.doors else None
