"""What every kind of test may use: one real broker for the session, topics of one's own, and two rules of the
house.

A test that uses the broker is marked `broker` by itself. Under CI=true a skip is a failure, unless it is for
want of the public test data that TIERLINK_SHARED_DATA names: a gate that skips itself is no gate.
"""

import itertools
import logging
import os
import secrets
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from ops.local.broker.embedded import EmbeddedBroker

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

BROKER_FIXTURES = {"broker", "broker_admin", "new_topic"}
ALLOWED_SKIP = "TIERLINK_SHARED_DATA"
# Files of twenty seconds and more, the longest first: `./run test --durations=80` shows them.
LONG_FILES = (
    "test_demo_end_to_end",
    "test_chaos_short",
    "test_engine_up_and_down",
    "test_stock_host",
    "test_simulation",
    "test_cli_exit_codes",
    "test_host_kill",
    "test_commands_beside_an_engine",
    "test_engine_edges",
    "test_bench_worker",
    "test_host_zombie",
    "test_embedded_broker",
    "test_bench_hop",
    "test_journeys_on_kafka",
    "test_shuffles",
    "test_publisher_returns",
    "test_pathway_batches",
    "test_journeys_in_any_order",
    "test_frequency_attack",
    "test_linker_relinking",
)
# beside the repository, where there is one
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
if SHARED_DATA.is_dir():
    os.environ.setdefault(ALLOWED_SKIP, str(SHARED_DATA))

# A run put into the background by a shell inherits that Ctrl-C is ignored, and hands it on to what it starts: then no
# command under test could be interrupted.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: how long an example takes says nothing on a shared machine.
hypothesis.settings.register_profile("tierlink", deadline=None, print_blob=True)
hypothesis.settings.load_profile("tierlink")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that runs inside a test sets up the logging of its process, which is that of all tests to come."""
    root, raises = logging.getLogger(), logging.raiseExceptions
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], logging.raiseExceptions = handlers, raises
    root.setLevel(level)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """One running Kafka for the whole session; never stop or kill it (start your own for that)."""
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def broker_admin(broker: EmbeddedBroker) -> Iterator["KafkaAdminClient"]:
    """An admin client of the session's broker."""
    from kafka import KafkaAdminClient  # here: a run of unit tests needs no Kafka client

    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
        yield admin


@pytest.fixture(scope="session")
def new_topic(broker_admin: "KafkaAdminClient") -> Callable[..., str]:
    """new_topic("events.v1", partitions=12, **{"cleanup.policy": "compact"}): a topic nobody else has.

    Returns its full name, `<prefix>.events.v1`; every partition has a leader when it returns. Nothing is deleted for
    its age: tests write messages of other days, and the broker looks every five minutes.
    """
    prefix, numbers = f"t{secrets.token_hex(3)}", itertools.count()

    def make(name: str = "topic", *, partitions: int = 1, **config: str) -> str:
        full_name = f"{prefix}-{next(numbers)}.{name}"
        wanted = {
            "num_partitions": partitions,
            "replication_factor": 1,
            "configs": {"retention.ms": "-1", **config},
        }
        broker_admin.create_topics({full_name: wanted}, wait_for_metadata=True)
        return full_name

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses the broker, so that `-m "not broker"` needs no discipline; long files go first."""
    for item in items:
        if BROKER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("broker")
    place = {name: number for number, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a skipped test has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = str(call.excinfo.value) if call.excinfo else ""
        if ALLOWED_SKIP not in reason:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped, which fails under CI: {reason}"
    return report
