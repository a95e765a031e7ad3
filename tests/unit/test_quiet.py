"""Logs are JSON lines, and what a library or an exception quotes is not in them."""

import json
import logging
import subprocess
import sys

PROGRAM = """
import logging
from ops.runtime.safe_logging import configure_logging, no_core_dumps
configure_logging()
no_core_dumps()
logging.getLogger("ops.somewhere").info("a file of %d rows is done", 3)
logging.getLogger("ops.somewhere").debug("Quillfeather")
logging.getLogger("kafka.producer").warning("key %s", "Quillfeather")
logging.getLogger("kafka.producer").info("Quillfeather")
try:
    raise ValueError("Quillfeather")
except ValueError:
    logging.getLogger("connectors.doors").error("a door met something unexpected", exc_info=True)
import resource
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


def logged() -> tuple[list[dict[str, str]], str]:
    """The log lines of a process of its own, and all it wrote."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ended.stdout == "0\n", "a crash leaves no image of the memory"
    return [json.loads(line) for line in ended.stderr.splitlines()], ended.stderr


def test_ours_speak_libraries_only_say_where_and_nobody_quotes() -> None:
    lines, everything = logged()
    assert "Quillfeather" not in everything
    ours, library, failure = lines
    assert ours["message"] == "a file of 3 rows is done"
    assert (library["logger"], library["level"]) == ("kafka.producer", "warning")
    assert "message" not in library
    assert failure["exception"] == "ValueError"
    for line in lines:
        assert {"at", "level", "logger", "place"} <= line.keys()


UNWRITABLE = """
import io, logging, sys
from ops.runtime.safe_logging import configure_logging
configure_logging()
{control}
gone = io.StringIO()
gone.close()
logging.getLogger().handlers[0].setStream(gone)
try:
    raise ValueError("Quillfeather")
except ValueError:
    logging.getLogger("connectors.doors").error("a door met something unexpected")
logging.getLogger("ops.somewhere").info("of %s", "Quillfeather")
print("it goes on")
"""


def shown_without_a_log(control: str) -> str:
    """What a process shows whose log can no longer be written."""
    program = UNWRITABLE.format(control=control)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "it goes on\n"
    return ended.stderr


def test_a_line_that_cannot_be_written_is_lost_without_a_word_of_anybody() -> None:
    assert shown_without_a_log("") == ""
    assert "Quillfeather" in shown_without_a_log("logging.raiseExceptions = True"), "what logging does by itself"


def test_configuring_is_left_to_the_process() -> None:
    assert not any(type(handler).__module__ == "ops.runtime.safe_logging" for handler in logging.getLogger().handlers)
