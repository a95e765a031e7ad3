"""The 46 jars of Apache Kafka 4.3.1: fetched once by jgo, checked against a lock on every use.

jgo is used as a resolver and downloader only (it is pure Python); it never chooses the Java. The lock
(`kafka-4.3.1.lock.json`: path, bytes, SHA-256) is what we trust, not the registry: one differing byte is refused.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ops.errors import MissingTool, SettingsError

if TYPE_CHECKING:
    from jgo.maven import Artifact

KAFKA_VERSION = "4.3.1"
# Two resolutions, not one: resolved jointly, the older kafka-clients that log4j's POM manages (3.9.1) wins.
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",  # with no SLF4J binding the broker logs nothing
)
LOCK = Path(__file__).with_name(f"kafka-{KAFKA_VERSION}.lock.json")
DOWNLOADS_AT_ONCE = 4
REQUEST_SECONDS_MAX = 30
CONNECT_SECONDS_MAX = 5
TRIES_MAX = 3

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LockedJar:
    """One jar as the lock has it; `path` is its place in a Maven repository."""

    path: str
    size_bytes: int
    sha256: str


@cache
def locked_jars() -> tuple[LockedJar, ...]:
    """Every jar of the class path, in the lock's order."""
    return tuple(LockedJar(row["path"], row["size"], row["sha256"]) for row in json.loads(LOCK.read_text()))


def cache_home(environ: Mapping[str, str]) -> Path:
    """Where this machine keeps what can be fetched again: TIERLINK_HOME, else the XDG cache."""
    if home := environ.get("TIERLINK_HOME"):
        return Path(home)
    return Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache") / "tierlink"


def kafka_jars(environ: Mapping[str, str], progress: Progress = lambda line: None) -> list[Path]:
    """The class path of the broker; every jar in it has been hashed in this call.

    TIERLINK_KAFKA_JARS names a directory of one's own (a Maven repository, or the jars side by side);
    otherwise the cache is used, filled on first use. Raises SettingsError for a wrong TIERLINK_KAFKA_JARS,
    MissingTool when the jars cannot be fetched.
    """
    if chosen := environ.get("TIERLINK_KAFKA_JARS"):
        if wrong := next(faults(Path(chosen)), None):
            raise SettingsError(f"TIERLINK_KAFKA_JARS: {wrong}")
        return places(Path(chosen))
    cached = cache_home(environ) / f"kafka-{KAFKA_VERSION}"
    if next(faults(cached), None):
        fetch_jars(cached, environ, progress)
    return places(cached)


def places(directory: Path) -> list[Path]:
    """Where each locked jar is in `directory`: in Maven's layout if it stands there, else flat."""
    return [path if (path := directory / jar.path).exists() else directory / path.name for jar in locked_jars()]


def faults(directory: Path) -> Iterator[str]:
    """Each way in which `directory` differs from the lock, as `<jar>: <rule>`."""
    for jar, path in zip(locked_jars(), places(directory), strict=True):
        if not path.is_file():
            yield f"{path.name}: not there"
        elif path.stat().st_size != jar.size_bytes:
            yield f"{path.name}: not the size in the lock"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
            yield f"{path.name}: not the SHA-256 in the lock"


def fetch_jars(destination: Path, environ: Mapping[str, str], progress: Progress = lambda line: None) -> None:
    """Fill `destination` with exactly the locked jars, whole or not at all.

    Everything arrives in a `.part` directory beside it, which is renamed when every jar has been checked; of
    two processes at once the second finds the first one's directory and keeps that. Raises MissingTool.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f"{destination.name}.", suffix=".part", dir=destination.parent))
    try:
        _download(part / "repository", environ, progress)
        for jar in locked_jars():
            (part / "jars" / jar.path).parent.mkdir(parents=True, exist_ok=True)
            (part / "repository" / jar.path).rename(part / "jars" / jar.path)
        if wrong := next(faults(part / "jars"), None):
            raise MissingTool(f"a fetched jar was refused: {wrong}")
        if destination.exists() and next(faults(destination), None):
            shutil.rmtree(destination)
        if not destination.exists():
            (part / "jars").rename(destination)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _download(repository: Path, environ: Mapping[str, str], progress: Progress) -> None:
    """Resolve and fetch into `repository`, a Maven repository. Raises MissingTool without a network, or after TRIES_MAX
    failures.
    """
    if "SSL_CERT_FILE" in environ:  # requests, inside jgo, reads its own variable only
        os.environ.setdefault("REQUESTS_CA_BUNDLE", environ["SSL_CERT_FILE"])
    _require_repository()
    for tries_left in reversed(range(TRIES_MAX)):
        try:
            progress(f"resolving the jars of Apache Kafka {KAFKA_VERSION}")
            artifacts = _resolve(repository)
            with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
                for count, _ in enumerate(pool.map(lambda artifact: artifact.resolve(), artifacts), 1):
                    progress(f"downloading {count} of {len(artifacts)} jars")
        except (OSError, RuntimeError, ValueError, AssertionError) as error:  # requests' errors are OSErrors
            shutil.rmtree(repository, ignore_errors=True)  # jgo leaves half a file at its final name
            if not tries_left:
                raise MissingTool(_not_fetched(type(error).__name__)) from None
        else:
            return


def _require_repository() -> None:
    """Raises MissingTool at once where the repository cannot be reached: the resolver would report a missing POM."""
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.util import http

    try:
        http.head(MAVEN_CENTRAL_URL, timeout=CONNECT_SECONDS_MAX)
    except OSError as error:
        raise MissingTool(_not_fetched(f"{MAVEN_CENTRAL_URL}: {type(error).__name__}")) from None


def _not_fetched(why: str) -> str:
    return (
        f"the jars of Apache Kafka {KAFKA_VERSION} could not be fetched ({why}); without a network set"
        f" TIERLINK_KAFKA_JARS to a directory that has the jars named in {LOCK.name}"
    )


def _resolve(repository: Path) -> list["Artifact"]:
    """The artifacts of both coordinates; raises MissingTool unless they are exactly the lock's."""
    from dataclasses import replace

    from jgo.maven import MavenContext, PythonResolver
    from jgo.parse import Coordinate

    context = MavenContext(resolver=PythonResolver(), repo_cache=repository, timeout=REQUEST_SECONDS_MAX)
    artifacts: dict[str, Artifact] = {}
    for coordinate in COORDINATES:
        asked = context.create_dependency(replace(Coordinate.parse(coordinate), scope="compile"))
        inputs, transitive = context.resolver.resolve([asked])
        for dependency in (
            *inputs,
            *(found for found in transitive if found.scope in ("compile", "runtime")),
        ):
            artifact = dependency.artifact
            artifacts[(artifact.component.path_prefix / artifact.filename).as_posix()] = artifact
    unlocked = artifacts.keys() ^ {jar.path for jar in locked_jars()}
    if unlocked:
        raise MissingTool(f"the resolver and {LOCK.name} name different jars, the first is {Path(min(unlocked)).name}")
    return list(artifacts.values())
