"""What can go wrong at the top, each with the exit code an operator's script may rely on (EXIT_CODES).

    TierlinkError            1   anything we expected could happen
    ├── SettingsError       78   a setting is wrong; 2 where its message begins with an option (`--dates: ...`)
    ├── MissingInput        66   a file, topic or run that was named is not there or cannot be read
    ├── MissingTool         69   Java, a jar or a program is not there and could not be fetched
    └── BrokerError         69   no broker answers, or the embedded one did not start, or stopped by itself
        ├── NoEngine        69   no engine runs in this directory
        └── BrokerRunning   75   another process holds this data directory; try again when it has ended

The numbers are those of BSD's sysexits.h. A message names the thing and what to do; it never holds the content of a
record. What the system refuses (a full disk, a read-only directory) exits 74. Anything else that escapes is a bug: it
exits 70, and prints its type and place, not its text.
"""

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

INVALID_OPTION_EXIT_CODE = 2
SETTINGS_EXIT_CODE = 78
REFUSED_EXIT_CODE = 74
EXIT_CODES = {
    0: "done",
    1: "a check or comparison failed, or a door refused a message",
    INVALID_OPTION_EXIT_CODE: "invalid command, option or argument",
    66: "an input file, topic or run does not exist or cannot be read",
    69: "no broker, engine, Java or other part is available",
    70: "a bug: its type and place are printed",
    REFUSED_EXIT_CODE: "a file, directory or the output cannot be used: full, read-only, of another kind",
    75: "another process uses the directory",
    SETTINGS_EXIT_CODE: "a setting is wrong, or a port is in use",
    130: "interrupted",
}  # of every command
_BROKER_CLIENTS = ("kafka", "cimpl", "confluent_kafka")  # librdkafka's errors come from `cimpl`
PACKAGES = ("schemas", "linkage", "connectors", "streams", "ops")


class TierlinkError(Exception):
    """Expected: printed as one line, never as a traceback."""

    exit_code: ClassVar[int] = 1


class SettingsError(TierlinkError):
    """An option, setting or environment variable holds something that cannot be used."""

    exit_code: ClassVar[int] = SETTINGS_EXIT_CODE


class MissingInput(TierlinkError):
    """What a command should read is not there, or cannot be read."""

    exit_code: ClassVar[int] = 66


class MissingTool(TierlinkError):
    """Something this machine must have is absent and could not be fetched."""

    exit_code: ClassVar[int] = 69


class BrokerError(TierlinkError):
    """A broker does not answer or does not run."""

    exit_code: ClassVar[int] = 69


class NoEngine(BrokerError):
    """No engine runs in the directory."""


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
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        message, exit_code = _ending(error)
        print(f"tierlink: {message}", file=sys.stderr)
        sys.exit(exit_code)


def _ending(error: BaseException) -> tuple[str, int]:
    """The line to print and the exit code."""
    if isinstance(error, SettingsError) and str(error).startswith("--"):
        return f"invalid option {error}", INVALID_OPTION_EXIT_CODE
    if isinstance(error, TierlinkError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if type(error).__module__.partition(".")[0] in _BROKER_CLIENTS:
        return f"the broker did not answer ({type(error).__name__})", BrokerError.exit_code
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "a port is in use by another program", SETTINGS_EXIT_CODE
    if isinstance(error, OSError) and (error.filename or error.errno in (errno.ENOSPC, errno.EIO)):
        return f"cannot use {_named(error)}: {error.strerror} ({_place(error)})", REFUSED_EXIT_CODE
    return f"unexpected {type(error).__qualname__} at {_place(error)}", 70


def _named(error: OSError) -> str:
    """What was typed, where the path begins with it: the rest of a path may be what a provider called a file."""
    if error.filename is None:
        return "the output"
    typed = [word.partition("=")[2] if word.startswith("-") else word for word in sys.argv[1:]]
    found = [word for word in typed if word and str(error.filename).startswith((word, str(Path(word).resolve())))]
    return max(found, key=len, default="a file or directory")


def _place(error: BaseException) -> str:
    """`module:line` of the innermost frame, preferring our code over a library's."""
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append((str(trace.tb_frame.f_globals.get("__name__", "?")), trace.tb_lineno))
        trace = trace.tb_next
    ours = [place for place in places if place[0].split(".")[0] in PACKAGES]
    return ":".join(map(str, (ours or places or [("?", 0)])[-1]))
