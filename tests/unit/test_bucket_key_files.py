"""Bucket keys on disk: made once, turned and destroyed a bucket at a time, a kill anywhere is finished later."""

import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.admin import bucket_keys as admin
from ops.admin import whole_files
from ops.admin.bucket_keys import destroy, make, turn
from ops.admin.keys import make_keys
from ops.errors import SettingsError
from ops.lab.known_keys import known_bucket_keys
from ops.lab.memory_engine.parts import bucket_keys_of
from ops.runtime.bucket_key_files import CurrentBucketKeys, bucket_key_path, read_bucket_keys
from ops.runtime.paths import EnginePaths
from schemas.data_keys import BUCKETS, FAMILIES, BucketKeys, BucketPlace, Family, bucket_of
from streams.topology import STAGES

RECORD = "4f" * 16
BUCKET = bucket_of(RECORD)
ZONES = tuple(FAMILIES)
READERS = ("linker", "pathway")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys", recipients=["demo"])
    return tmp_path / "keys"


def lines(keys: Path, zone: str) -> dict[BucketPlace, str]:
    """Every entry of a file as it stands there."""
    found = json.loads(bucket_key_path(keys, zone).read_text())["keys"]
    return {(Family(family), bucket, epoch): wrapped for family, bucket, epoch, wrapped in found}


def everything(keys: Path) -> dict[str, dict[BucketPlace, str]]:
    return {zone: lines(keys, zone) for zone in ZONES}


def zones_agree(keys: Path) -> BucketKeys:
    """The keys of ingress; each reader has exactly those of its families."""
    ours = read_bucket_keys(keys, "ingress")
    for zone in READERS:
        assert read_bucket_keys(keys, zone) == ours.only(FAMILIES[zone])
    return ours


def test_every_bucket_of_every_family_has_a_random_key_and_each_zone_its_own_families(keys: Path) -> None:
    ours = zones_agree(keys)
    assert ours.counts() == dict.fromkeys(Family, BUCKETS)
    assert len({ours.key(place) for place in ours}) == 3 * BUCKETS
    assert not bucket_key_path(keys, "records").exists()
    for zone in ZONES:
        assert stat.S_IMODE(bucket_key_path(keys, zone).stat().st_mode) == 0o400


def test_reading_all_keys_of_ingress_takes_less_than_a_tenth_of_a_second(keys: Path) -> None:
    def seconds() -> float:
        began = time.perf_counter()
        read_bucket_keys(keys, "ingress")
        return time.perf_counter() - began

    assert min(seconds() for _ in range(5)) < 0.1


def test_they_are_made_once_and_what_is_there_stays(keys: Path) -> None:
    before = everything(keys)
    assert make(keys) == 0
    assert everything(keys) == before


def test_keys_that_are_given_are_the_ones_that_are_kept(keys: Path) -> None:
    for zone in ZONES:
        bucket_key_path(keys, zone).unlink()
    known = known_bucket_keys("files")
    assert make(keys, known) == 3 * BUCKETS
    assert zones_agree(keys) == known


def test_a_file_that_readers_lost_is_made_again_from_ingress_and_one_that_ingress_lost_is_not(keys: Path) -> None:
    """With new keys nothing of before would open, and nobody would know why."""
    before = zones_agree(keys)
    bucket_key_path(keys, "linker").unlink()
    make(keys)
    assert zones_agree(keys) == before
    bucket_key_path(keys, "ingress").unlink()
    for command in (lambda: make(keys), lambda: turn(keys, BUCKET), lambda: destroy(keys, BUCKET, 1)):
        with pytest.raises(SettingsError):
            command()
    assert not bucket_key_path(keys, "ingress").exists()


def test_a_turn_adds_one_epoch_to_one_bucket_and_no_byte_of_another_entry_changes(keys: Path) -> None:
    before = everything(keys)
    assert turn(keys, BUCKET) == 2
    after = everything(keys)
    for zone, families in FAMILIES.items():
        assert after[zone].items() > before[zone].items()
        assert after[zone].keys() - before[zone].keys() == {(family, BUCKET, 2) for family in families}
    zones_agree(keys)


def test_destroying_takes_the_old_epochs_of_one_bucket_out_of_every_zone(keys: Path) -> None:
    turn(keys, BUCKET)
    turn(keys, BUCKET)
    before = everything(keys)
    assert destroy(keys, BUCKET, 3) == 2 * len(Family)
    assert destroy(keys, BUCKET, 3) == 0
    after = everything(keys)
    for zone, families in FAMILIES.items():
        assert before[zone].items() > after[zone].items()
        assert before[zone].keys() - after[zone].keys() == {(f, BUCKET, e) for f in families for e in (1, 2)}
    zones_agree(keys)


@pytest.mark.parametrize("below", [2, 3])
def test_the_newest_epoch_of_a_bucket_cannot_be_destroyed(keys: Path, below: int) -> None:
    with pytest.raises(SettingsError, match="turn it first"):
        destroy(keys, BUCKET, below)
    assert zones_agree(keys).newest(Family.BODY, BUCKET) == 1


@pytest.mark.parametrize("bucket", [-1, BUCKETS])
def test_a_bucket_that_there_is_not_is_said_to_be_none(keys: Path, bucket: int) -> None:
    for command in (lambda: turn(keys, bucket), lambda: destroy(keys, bucket, 1)):
        with pytest.raises(SettingsError, match="a bucket has a number"):
            command()


class KilledError(Exception):
    """The command was killed here."""


STEPS = ("replace_file", "destroy_remnant", "destroy_file")


def killed_at(monkeypatch: pytest.MonkeyPatch, count: int, command: Callable[[], object]) -> bool:
    """Run the command, killed before its `count`-th step with a file; whether it came so far."""
    steps = 0

    def killing(step: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: object) -> None:
            nonlocal steps
            if steps == count:
                raise KilledError
            steps += 1
            step(*arguments)

        return run

    with monkeypatch.context() as patched:
        for name in STEPS:
            patched.setattr(whole_files, name, killing(getattr(whole_files, name)))
        patched.setattr(admin, "destroy_remnant", whole_files.destroy_remnant)
        try:
            command()
        except KilledError:
            return True
    return False


def test_a_turn_killed_anywhere_is_finished_by_the_next_and_what_a_reader_got_stays(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, count = True, 0
    while killed:
        held = zones_agree(keys).newest(Family.BODY, BUCKET)
        killed = killed_at(monkeypatch, count, lambda: turn(keys, BUCKET))
        got = {zone: read_bucket_keys(keys, zone) for zone in ZONES}  # no file is torn
        if got["ingress"].newest(Family.BODY, BUCKET) > held:
            assert got["pathway"].newest(Family.BODY, BUCKET) > held, "ingress last: what it seals, readers open"
        epoch = turn(keys, BUCKET)
        assert epoch == got["ingress"].newest(Family.BODY, BUCKET) + 1
        after = zones_agree(keys)
        for zone in ZONES:
            assert {place: got[zone].key(place) for place in got[zone]}.items() <= {
                place: after.key(place) for place in after
            }.items()
        assert not list(keys.rglob("*.old")) + list(keys.rglob("*.part"))
        count += 1
    assert count > 8


def test_a_destruction_killed_anywhere_is_finished_by_the_next_command_of_any_kind(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, count = True, 0
    while killed:
        epoch = turn(keys, BUCKET)
        old = epoch - 1
        before = zones_agree(keys)
        killed = killed_at(monkeypatch, count, lambda epoch=epoch: destroy(keys, BUCKET, epoch))
        got = {zone: read_bucket_keys(keys, zone) for zone in ZONES}  # no file is torn
        begun = got["ingress"].oldest(Family.BODY, BUCKET) == epoch
        turn(keys, (BUCKET + 1) % BUCKETS)
        assert (zones_agree(keys).oldest(Family.BODY, BUCKET) == epoch) == begun, "what is destroyed never comes back"
        destroy(keys, BUCKET, epoch)
        after = zones_agree(keys)
        assert {place for place in before if place not in set(after)} == {(family, BUCKET, old) for family in Family}
        assert not list(keys.rglob("*.old")) + list(keys.rglob("*.part"))
        count += 1
    assert count > 8


def test_making_them_killed_anywhere_is_finished_by_the_next_with_the_keys_that_ingress_got(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, count = True, 0
    while killed:
        for zone in ZONES:
            bucket_key_path(keys, zone).unlink(missing_ok=True)
        killed = killed_at(monkeypatch, count, lambda: make(keys))
        got = read_bucket_keys(keys, "ingress") if bucket_key_path(keys, "ingress").exists() else None
        make(keys)
        assert zones_agree(keys) == (got or zones_agree(keys))
        count += 1
    assert count > 4


def test_what_a_killed_command_had_begun_to_write_is_overwritten_too(keys: Path, tmp_path: Path) -> None:
    turn(keys, BUCKET)
    for zone in ZONES:
        part = bucket_key_path(keys, zone).with_suffix(".part")
        part.write_text(bucket_key_path(keys, zone).read_text())
        (tmp_path / f"{zone}.seen").hardlink_to(part)
    destroy(keys, BUCKET, 2)
    for zone in ZONES:
        assert not (tmp_path / f"{zone}.seen").read_bytes().strip(b"\0")


@pytest.mark.parametrize("command", [turn, lambda keys, bucket: destroy(keys, bucket, 2)])
def test_the_blocks_of_an_old_file_are_overwritten(
    keys: Path, tmp_path: Path, command: Callable[[Path, int], object]
) -> None:
    """A second name of the old file shows what its blocks hold afterwards."""
    turn(keys, BUCKET)
    for zone in ZONES:
        (tmp_path / f"{zone}.seen").hardlink_to(bucket_key_path(keys, zone))
    command(keys, BUCKET)
    for zone in ZONES:
        assert not (tmp_path / f"{zone}.seen").read_bytes().strip(b"\0")


def test_a_worker_sees_a_turn_and_a_destruction_at_once_and_else_the_same_value(keys: Path) -> None:
    current = CurrentBucketKeys(keys, "pathway")
    assert current() is current()
    wrap = current().wrapped(Family.BODY, RECORD, current().made(Family.BODY, RECORD, 1), 1)
    turn(keys, BUCKET)
    assert current().newest(Family.BODY, BUCKET) == 2
    assert current().opened(Family.BODY, RECORD, 1, wrap)
    destroy(keys, BUCKET, 2)
    assert current().opened(Family.BODY, RECORD, 1, wrap) is None


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_is_given_the_families_of_its_stage_and_no_other(keys: Path, stage: str) -> None:
    of_files, of_lab = EnginePaths(keys.parent).current_bucket_keys(stage)(), bucket_keys_of(stage)()
    assert set(of_files.counts()) == set(of_lab.counts()) == set(FAMILIES.get(stage, ()))


def test_records_holds_no_bucket_keys_and_needs_no_file(tmp_path: Path) -> None:
    assert not list(EnginePaths(tmp_path).current_bucket_keys("records")())
    with pytest.raises(SettingsError, match="tierlink keys create"):
        EnginePaths(tmp_path).current_bucket_keys("pathway")


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (lambda path: path.unlink(), "tierlink keys create"),
        (lambda path: path.write_text("{}"), "is not a tierlink file of bucket keys"),
        (lambda path: path.write_bytes(b"\xff"), "cannot be read as text"),
        (lambda path: path.write_text(path.with_name("pathway.json").read_text()), "of another zone"),
        (lambda path: path.write_text(path.read_text().replace('0, 1, "', '0, 1, "AAAA', 1)), "does not open"),
        (lambda path: path.write_text(path.read_text().replace("0, 1,", "1, 1,", 1)), "one key twice"),
        (lambda path: path.write_text(path.read_text().replace('["tokens"', '["body"', 1)), "a family of the zone"),
        (lambda path: path.write_text(path.read_text().replace("383, 1,", "384, 1,", 1)), "does not open"),
        (lambda path: path.write_text(path.read_text().replace("383, 1,", "383, 2,", 1)), "does not open"),
    ],
)
def test_a_file_at_fault_is_said_by_zone_and_rule(keys: Path, damage: Callable[[Path], object], rule: str) -> None:
    path = bucket_key_path(keys, "linker")
    path.chmod(0o600)
    damage(path)
    with pytest.raises(SettingsError, match=rule) as refused:
        read_bucket_keys(keys, "linker")
    assert "zone linker" in str(refused.value)
