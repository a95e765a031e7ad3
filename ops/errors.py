"""What can go wrong at the top, each with the exit code an operator's script may rely on.

    TierlinkError            1   anything we expected could happen
    ├── SettingsError       78   a setting or environment variable is wrong
    ├── MissingTool         69   Java, a jar or a program is not there and could not be fetched
    └── BrokerError         69   the embedded broker did not start, or stopped by itself
        └── BrokerRunning   75   another process holds this data directory; try again when it has ended

The numbers are those of BSD's sysexits.h. A message names the thing and what to do; it never holds the
content of a record. Anything else that escapes is a bug: it exits 70, and prints its type and place, not its
text.
"""

import sys
from collections.abc import Callable
from typing import ClassVar, NoReturn

UNEXPECTED_EXIT_CODE = 70
INTERRUPTED_EXIT_CODE = 130
_OURS = ("schemas", "linkage", "connectors", "streams", "ops")


class TierlinkError(Exception):
    """Expected: printed as one line, never as a traceback."""

    exit_code: ClassVar[int] = 1

    @property
    def line(self) -> str:
        """What is printed of it."""
        return str(self)


class SettingsError(TierlinkError):
    """A setting or environment variable holds something that cannot be used."""

    exit_code: ClassVar[int] = 78


class MissingTool(TierlinkError):
    """Something this machine must have is absent and could not be fetched."""

    exit_code: ClassVar[int] = 69


class BrokerError(TierlinkError):
    """The embedded broker is not there when it should be."""

    exit_code: ClassVar[int] = 69


class BrokerRunning(BrokerError):
    """The data directory belongs to a broker that is still running."""

    exit_code: ClassVar[int] = 75


def run_and_exit(program: Callable[[], object]) -> None:
    """Run a program of ours and exit with its code.

    Expected errors: one line, the code of their class. Anything else is a bug: its type and place are printed,
    never its text, which may quote what a provider sent.
    """
    try:
        program()
    except TierlinkError as error:
        _fail(error.line, error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED_EXIT_CODE)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        _fail(f"unexpected {type(error).__qualname__} at {_place(error)}", UNEXPECTED_EXIT_CODE)


def _fail(message: str, exit_code: int) -> NoReturn:
    print(f"tierlink: {message}", file=sys.stderr)
    sys.exit(exit_code)


def _place(error: BaseException) -> str:
    """`module:line` of the innermost frame, preferring our own code over a library's."""
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append((str(trace.tb_frame.f_globals.get("__name__", "?")), trace.tb_lineno))
        trace = trace.tb_next
    ours = [place for place in places if place[0].split(".")[0] in _OURS]
    return ":".join(map(str, (ours or places or [("?", 0)])[-1]))
