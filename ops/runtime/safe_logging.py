"""Logs that never hold a person: our own lines as JSON, libraries from WARNING on and without their arguments."""

import json
import logging
import resource
import sys
from datetime import UTC, datetime

from ops.errors import PACKAGES


class _Line(logging.Formatter):
    """One JSON object a line. A library's record gives its logger, level and place, never its text or arguments:
    Kafka clients print keys, web servers print paths, and either may be about a person."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "place": f"{record.module}:{record.lineno}",
        }
        if record.name.split(".")[0] in PACKAGES:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
        return json.dumps(line)


def configure_logging() -> None:
    """From here on the process logs JSON lines to stderr: INFO of ours, WARNING and worse of libraries.

    A line that cannot be written is lost without a word: `logging` would print its arguments, and the exceptions that
    were being handled, to whatever stderr is by then.
    """
    logging.raiseExceptions = False
    line = logging.StreamHandler(sys.stderr)
    line.setFormatter(_Line())
    root = logging.getLogger()
    root.handlers[:] = [line]
    root.setLevel(logging.WARNING)
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)


def no_core_dumps() -> None:
    """A crash leaves no image of the memory, which holds keys."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
