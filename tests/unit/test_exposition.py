"""/metrics, /livez and /readyz: the status code is for machines, the body names the checks for people."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from ops.runtime.exposition import Exposition

CHECKS = {"assigned": True, "state read": True}


@pytest.fixture
def pages() -> Iterator[Exposition]:
    registry = CollectorRegistry()
    Counter("tierlink_received", "Messages.", ["source"], registry=registry).labels("gp-hub").inc(3)
    CHECKS["state read"] = True
    served = Exposition(registry, live=lambda: {"process": True}, ready=lambda: CHECKS, host="127.0.0.1", port=0)
    served.start()
    yield served
    served.stop()


def fetch(pages: Exposition, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{pages.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_metrics_are_what_prometheus_reads(pages: Exposition) -> None:
    status, text = fetch(pages, "/metrics")
    assert status == 200
    assert 'tierlink_received_total{source="gp-hub"} 3.0' in text


def test_ready_only_while_every_check_is_good(pages: Exposition) -> None:
    assert fetch(pages, "/readyz") == (200, "assigned ok\nstate read ok\n")
    CHECKS["state read"] = False
    assert fetch(pages, "/readyz") == (503, "assigned ok\nstate read failing\n")
    assert fetch(pages, "/livez")[0] == 200


def test_another_path_names_the_three(pages: Exposition) -> None:
    assert fetch(pages, "/") == (404, "/metrics /livez /readyz\n")


def test_the_port_is_free_after_stop(pages: Exposition) -> None:
    other = Exposition(CollectorRegistry(), live=dict, ready=dict, host="127.0.0.1", port=0)
    other.start()
    other.stop()
    with pytest.raises(OSError):  # noqa: PT011 - refused, in the words of the operating system
        fetch(other, "/livez")
