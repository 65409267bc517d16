"""A service that is killed goes on where it was."""

from pathlib import Path

import pytest

from benchmarks.made_facts import CHANGES, MadeBoard
from cloud.drift.facts import Facts
from cloud.drift.finding import Finding
from cloud.drift.state import WatchFile
from cloud.drift.watch import Watch
from common.errors import SettingsError
from tests.watched_board import LEARNT


def told(watch: Watch, facts: list[Facts]) -> list[tuple[str, str, int]]:
    found: list[Finding] = []
    for one in facts:
        found += watch.saw(one, watch.number + 1)
    return [(finding.kind, finding.cause.name, finding.change.utterances) for finding in found]


def again(file: Path) -> Watch:
    """Another process."""
    watch = Watch(group_of=lambda device_id: "house")
    with WatchFile(file) as kept:
        kept.load(watch)
    return watch


@pytest.mark.parametrize("killed_after", [LEARNT // 2, LEARNT + 20, LEARNT + 60, LEARNT + 95])
def test_it_tells_what_it_would_have_told(tmp_path: Path, killed_after: int) -> None:
    """While it learns, while it watches, after it told."""
    board = MadeBoard(seed=7)
    facts = [*board.facts(LEARNT + 50), *board.facts(50, CHANGES["noise"]), *board.facts(40)]
    without = Watch(group_of=lambda device_id: "house")
    expected = told(without, facts)
    first = Watch(group_of=lambda device_id: "house")
    before = told(first, facts[:killed_after])
    file = tmp_path / "drift.db"
    with WatchFile(file) as kept:
        kept.save(first)
        # What is seen and not kept comes again from the log.
        told(first, facts[killed_after : killed_after + 10])
    second = again(file)
    assert second.number == killed_after
    assert before + told(second, facts[killed_after:]) == expected
    assert [kind for kind, _, _ in expected] == ["changed", "recovered"]


def test_only_what_was_touched_is_written(tmp_path: Path) -> None:
    watch = Watch()
    boards = [MadeBoard(f"board-{number}", seed=number) for number in range(3)]
    for board in boards:
        told(watch, list(board.facts(5)))
    assert {"board-0", "board-1", "board-2"} <= set(watch.touched())
    told(watch, list(boards[1].facts(1)))
    assert {stream for stream in watch.touched() if stream.startswith("board")} == {"board-1"}


def test_what_is_forgotten_is_erased(tmp_path: Path) -> None:
    file = tmp_path / "drift.db"
    watch = Watch()
    told(watch, list(MadeBoard("board-1", seed=1).facts(5)))
    with WatchFile(file) as kept:
        kept.save(watch)
        watch.forget("board-1")
        kept.save(watch)
    assert list(again(file).boards) == []
    assert b"board-1" not in file.read_bytes()


def test_nothing_but_its_owner_reads_it(tmp_path: Path) -> None:
    with WatchFile(tmp_path / "drift.db"):
        pass
    assert (tmp_path / "drift.db").stat().st_mode & 0o777 == 0o600


def test_a_damaged_or_unusable_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "drift.db"
    watch = Watch()
    told(watch, list(MadeBoard(seed=1).facts(5)))
    with WatchFile(file) as kept:
        kept.save(watch)
        kept._database.execute("UPDATE streams SET state = x'ff00'")
    with pytest.raises(SettingsError, match="is damaged"):
        again(file)
    with file.open("r+b") as pages:
        # All but the first page, which has the tables' names.
        pages.seek(4096)
        pages.write(b"\xff" * (file.stat().st_size - 4096))
    with pytest.raises(SettingsError, match="is damaged"):
        again(file)
    file.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(SettingsError, match="cannot be kept"), WatchFile(file):
        pass


def test_what_the_disk_did_not_take_is_kept_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "drift.db"
    watch = Watch()
    told(watch, list(MadeBoard(seed=1).facts(5)))
    with WatchFile(file) as kept:
        kept._database.execute("PRAGMA query_only = ON")
        with pytest.raises(SettingsError, match="cannot be kept"):
            kept.save(watch)
        kept._database.execute("PRAGMA query_only = OFF")
        kept.save(watch)
    assert list(again(file).boards) == ["kitchen-2"]
