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

from typing import ClassVar

UNEXPECTED_EXIT_CODE = 70
INTERRUPTED_EXIT_CODE = 130


class TierlinkError(Exception):
    """Expected: printed as one line, never as a traceback."""

    exit_code: ClassVar[int] = 1


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
