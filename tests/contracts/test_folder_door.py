"""The drop folder on a real broker: when a file counts as acknowledged, and what becomes of the others."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from council_files import read_east, row, session, sheet
from eventually import eventually
from folder_doors import Council, entry_ids
from kafka import KafkaAdminClient

from connectors.doors.folder import BYTES_MAX, ROWS_A_BATCH, Polled
from connectors.publisher import BrokerUnavailable, Publisher
from ops.local.broker.embedded import EmbeddedBroker
from schemas.envelope import entry_id

GOOD, BAD = session(), row(referral_date="31/02/1980")


@pytest.fixture(scope="module")
def publisher(broker: EmbeddedBroker) -> Iterator[Publisher]:
    publisher = Publisher(broker.bootstrap, delivery_seconds_max=2)
    yield publisher
    publisher.close()


@pytest.fixture
def unborn(tmp_path: Path, broker: EmbeddedBroker, publisher: Publisher) -> Council:
    """A council whose intake topic does not exist yet."""
    return Council(tmp_path / "council", broker.bootstrap, publisher)


@pytest.fixture
def council(unborn: Council, broker_admin: KafkaAdminClient) -> Council:
    unborn.create_topic(broker_admin)
    return unborn


def test_a_file_stands_in_done_when_every_row_is_on_the_intake_topic(council: Council) -> None:
    content = sheet(GOOD, BAD, "Total,2\r\n")
    council.drop("may.csv", content)
    assert council.poll() == Polled(done=1, rows=3)
    assert council.names("done") == ["may.csv", "may.csv.report.csv"]
    assert council.names("inbox") == council.names("work") == council.names("failed") == []
    envelopes = {envelope.entry_id: envelope for envelope in council.published()}
    read = {
        entry_id(council.source.slug, entry.message_id, entry.position): entry.checked.verdict.value
        for entry in read_east(content).entries
    }
    assert [read.get(item) for item in sorted(envelopes, key=list(read).index)] == ["accepted", "rejected"]
    rejected = next(envelope for envelope in envelopes.values() if not envelope.bundle)
    assert rejected.original.decode() == sheet(BAD)
    assert rejected.reasons[0]["location"] == "row 3, column referral_date"


def test_the_report_names_row_column_and_rule_and_sums_up(council: Council) -> None:
    content = sheet(
        GOOD, BAD, row(client_ref="EC-2", nhs_no="", referral_ref="R-9", gp_practice="Dr Smith"), "Total,3\r\n"
    )
    council.drop("may.csv", content)
    council.poll()
    entries = read_east(content).entries[:3]
    first, second, third = (entry_id(council.source.slug, entry.message_id, entry.position) for entry in entries)
    assert council.report("may.csv").split("\r\n") == [
        "row,column,severity,code,rule,entry",
        f"2,,information,informational,is accepted,{first}",
        f"3,referral_date,error,value,is not a day of the calendar,{second}",
        f"4,gp_practice,warning,value,does not have the form of an ODS code; not kept,{third}",
        '5,,information,informational,"is a totals row, not a person",',
        ',,information,informational,"4 rows: 1 accepted, 1 accepted with warnings, 1 ignored, 1 rejected",',
        "",
    ]


def test_a_file_is_left_alone_until_it_has_not_changed_for_a_second(council: Council) -> None:
    path = council.drop("may.csv", sheet(GOOD)[:200])
    for end in (400, None):
        assert council.poll(1).done == 0
        path.write_bytes(sheet(GOOD)[:end].encode())
    assert council.poll(1).done == 0, "it has just grown"
    assert council.poll(1).done == 1


def test_two_looks_in_the_same_second_are_not_enough(council: Council) -> None:
    council.drop("may.csv", sheet(GOOD))
    assert [council.door.poll_once().done for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("name", [".may.csv", "may.csv.part", "may.csv.tmp", "may.csv.filepart"])
def test_a_name_that_says_unfinished_is_left_alone_until_it_is_renamed(council: Council, name: str) -> None:
    path = council.drop(name, sheet(GOOD))
    assert council.poll(4).done == 0
    path.rename(path.with_name("may.csv"))
    assert council.poll().done == 1


def test_a_file_with_the_wrong_headers_fails_as_a_whole_and_publishes_nothing(council: Council) -> None:
    council.drop("may.csv", sheet(GOOD).replace("nhs_no", "number", 1))
    assert council.poll().failed == 1
    assert council.names("failed") == ["may.csv", "may.csv.report.csv"]
    assert council.report("may.csv", "failed").split("\r\n")[1:3] == [
        "1,nhs_no,error,required,is missing from the header row,",
        "1,,information,informational,1 columns are not in the mapping and are not read,",
    ]
    assert council.published() == []
    assert council.metrics.get_sample_value(
        "tierlink_entries_refused_total", {"source": council.source.slug, "reason": "required"}
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04xlsx", b"\x00\x01", "Müller".encode() + b"M\xfcller"])
def test_what_is_no_csv_fails_with_a_report_and_the_next_file_is_taken(council: Council, content: bytes) -> None:
    council.drop("a.csv", content)
    council.drop("b.csv", sheet(GOOD))
    polled = council.poll()
    assert (polled.failed, polled.done) == (1, 1)
    assert council.report("a.csv", "failed").count("\r\n") == 3


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_file_from_a_spreadsheet_is_taken_in_its_encoding(council: Council, encoding: str) -> None:
    council.drop("may.csv", sheet(row(surname="O’Hara-Müller")).encode(encoding))
    assert council.poll().done == 1
    (envelope,) = council.published()
    assert envelope.bundle
    assert json.loads(envelope.bundle)["entry"][1]["resource"]["name"][0]["family"] == "O’Hara-Müller"


def test_a_crash_after_the_claim_loses_nothing(council: Council) -> None:
    council.drop("may.csv", sheet(GOOD))
    council.poll(1)
    (council.path / "inbox/may.csv").rename(council.path / "work/20260601T080000000000Z-may.csv")
    council.restart()
    assert council.poll(1).done == 1, "what is in work was complete when it was claimed"
    assert council.names("done") == ["may.csv", "may.csv.report.csv"]
    assert len(council.published()) == 1


def test_a_crash_between_publishing_and_the_move_to_done_only_repeats_entries(council: Council) -> None:
    council.drop("may.csv", sheet(GOOD, BAD, row(last_updated="")))
    council.poll()
    before = council.published()
    (council.path / "done/may.csv").rename(council.path / "work/20260601T080001000000Z-may.csv")
    council.restart()
    council.clock.advance(3600)
    assert council.poll(1).done == 1
    after = council.published()
    assert (len(before), len(after)) == (3, 6)
    assert entry_ids(before) == entry_ids(after)
    texts: dict[str, set[str]] = {}
    for item in after:
        texts.setdefault(item.entry_id, set()).add(json.loads(item.bundle)["timestamp"] if item.bundle else "")
    assert all(len(times) <= 1 for times in texts.values()), "the version time is that of the claim, not of the retry"
    assert council.names("done") == ["may.csv", "may.csv.report.csv"]


def test_while_the_broker_is_away_the_file_waits_and_is_tried_again_ever_more_rarely(
    unborn: Council, broker_admin: KafkaAdminClient
) -> None:
    unborn.drop("may.csv", sheet(GOOD))
    assert unborn.poll().waiting == 1
    assert len(unborn.names("work")) == 1
    assert unborn.names("done") == []
    unborn.create_topic(broker_admin)
    unborn.clock.now = unborn.clock.now.replace(second=1, microsecond=500_000)
    assert unborn.door.poll_once() == Polled(), "within the second after the failure nothing is tried"
    unborn.clock.advance(2)
    assert unborn.door.poll_once().done == 1


def test_a_retry_goes_on_after_the_rows_the_broker_has(council: Council) -> None:
    outage = iter([None, BrokerUnavailable("gone")])

    def fail_once() -> None:
        failure = next(outage, None)
        if failure is not None:
            raise failure

    council.intake.obstacle = fail_once
    rows = [row(client_ref=f"EC-{number}") for number in range(ROWS_A_BATCH + 20)]
    council.drop("may.csv", sheet(*rows))
    assert council.poll().waiting == 1
    assert len(council.published()) == ROWS_A_BATCH
    assert council.poll().done == 1
    published = council.published()
    assert len(published) == len(entry_ids(published)) == ROWS_A_BATCH + 20
    assert f"{ROWS_A_BATCH + 20} rows" in council.report("may.csv")


def test_a_file_written_to_while_it_is_published_is_taken_again_with_the_rest(council: Council) -> None:
    council.drop("may.csv", sheet(GOOD))
    late = [row(client_ref="EC-2")]

    def grow() -> None:
        while late:
            (work,) = (council.path / "work").iterdir()
            with work.open("ab") as file:
                file.write(late.pop().encode())

    council.intake.obstacle = grow
    assert council.poll() == Polled(waiting=1)
    assert council.names("done") == []
    assert council.poll(1).done == 1
    assert "2 rows" in council.report("may.csv")


def test_the_same_content_under_another_name_is_the_same_entries(council: Council) -> None:
    for name in ("may.csv", "may (copy).csv"):
        council.drop(name, sheet(GOOD, BAD))
    assert council.poll().done == 2
    published = council.published()
    assert (len(published), len(entry_ids(published))) == (4, 2)


def test_a_name_that_stands_in_done_already_is_never_overwritten(council: Council) -> None:
    for content in (sheet(GOOD), sheet(BAD)):
        council.drop("may.csv", content)
        council.poll()
    assert council.names("done") == ["may.2.csv", "may.2.csv.report.csv", "may.csv", "may.csv.report.csv"]
    assert (council.path / "done/may.csv").read_text() == sheet(GOOD).replace("\r\n", "\n")


CANARY = "QXZVWKJYPLMB"


def _symlink(outside: Path, trap: Path) -> None:
    trap.symlink_to(outside)


def _hard_link(outside: Path, trap: Path) -> None:
    trap.hardlink_to(outside)


def _fifo(_: Path, trap: Path) -> None:
    os.mkfifo(trap)


def _directory(outside: Path, trap: Path) -> None:
    trap.mkdir()
    (trap / "inner.csv").write_bytes(outside.read_bytes())


def _sparse(_: Path, trap: Path) -> None:
    with trap.open("wb") as file:
        file.truncate(BYTES_MAX + 1)


@pytest.mark.parametrize("trap", [_symlink, _hard_link, _fifo, _directory, _sparse])
def test_what_is_no_plain_file_of_its_own_is_moved_aside_unread(
    council: Council, tmp_path: Path, trap: Callable[[Path, Path], None]
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(sheet(row(surname=CANARY)))
    council.poll(1)
    trap(outside, council.path / "inbox" / "trap.csv")
    council.drop("good.csv", sheet(GOOD))
    polled = council.poll()
    assert (polled.failed, polled.done) == (1, 1)
    assert council.names("failed") == ["trap.csv", "trap.csv.report.csv"]
    assert CANARY not in council.report("trap.csv", "failed")
    assert all(CANARY.encode() not in envelope.original for envelope in council.published())
    assert outside.read_text() == sheet(row(surname=CANARY)).replace("\r\n", "\n")


def test_a_link_that_takes_the_place_of_a_claimed_file_is_not_followed(council: Council, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(sheet(row(surname=CANARY)))
    council.poll(1)
    (council.path / "work/20260601T080000000000Z-may.csv").symlink_to(outside)
    assert council.poll(1).failed == 1
    assert council.published() == []


def test_a_room_that_is_a_link_out_of_the_folder_is_not_entered(council: Council, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/may.csv").write_text(sheet(GOOD))
    council.path.mkdir()
    (council.path / "inbox").symlink_to(tmp_path / "elsewhere")
    assert council.poll(3) == Polled()
    assert (tmp_path / "elsewhere/may.csv").exists()


@pytest.mark.parametrize(
    "name",
    [
        "-rf",
        "a..csv..",
        "a\nb.csv",
        "%2e%2e%2fetc",
        "name with ünicode ☃.csv",
        os.fsdecode(b"\xff\xfe.csv"),
        "x" * 200,
    ],
)
def test_any_name_a_file_system_allows_is_only_a_name(council: Council, name: str) -> None:
    council.poll(1)
    (council.path / "inbox" / name).write_text(sheet(GOOD))
    assert council.poll().done == 1
    assert council.names("done")[0] == name


@pytest.mark.parametrize(
    ("name", "stands_as"),
    [("x" * 250 + ".csv", "name-too-long"), ("may.csv.report.csv", "may.csv.report.csv.refused")],
)
def test_a_name_that_cannot_stand_beside_a_report_fails(council: Council, name: str, stands_as: str) -> None:
    council.drop(name, sheet(GOOD))
    assert council.poll().failed == 1
    assert council.names("failed") == sorted([stands_as, f"{stands_as}.report.csv"])


def test_the_door_runs_until_it_is_told_to_stop(council: Council) -> None:
    council.drop("may.csv", sheet(GOOD))
    done = council.path / "done/may.csv"
    stop = threading.Event()

    def a_second_later() -> bool:
        council.clock.advance(1)
        return done.exists()

    def run() -> None:
        council.door.run(stop, poll_seconds=0.01)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        eventually(a_second_later, why="the file stands in done")
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()


def test_a_door_that_stops_between_two_batches_leaves_the_file_for_the_next(council: Council) -> None:
    stop = threading.Event()
    council.intake.obstacle = stop.set
    rows = [row(client_ref=f"EC-{number}") for number in range(ROWS_A_BATCH + 1)]
    council.drop("may.csv", sheet(*rows))
    council.poll(1)
    council.door.run(stop, poll_seconds=0)
    assert len(council.names("work")) == 1
    council.restart()
    assert council.poll(1).rows == ROWS_A_BATCH + 1
    assert len(entry_ids(council.published())) == ROWS_A_BATCH + 1
