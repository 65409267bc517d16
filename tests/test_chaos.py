"""Short forms of `scripts/chaos`: the same trials, with fewer utterances and fewer faults."""

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import chaos_clock, chaos_disk, chaos_kill, chaos_network, chaos_spool
from benchmarks.namespaces import why_no_namespace

WAIT_S = 240


@pytest.fixture
def on_a_disk() -> Iterator[Path]:
    """A folder whose bytes the kernel counts; a file system in memory has none."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


def rows(module: str, *options: str) -> list[list[str]]:
    """Cells of the table that a trial prints, run as a command."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *options]
    said = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S)
    assert "|---" in said.stdout, said.stderr
    lines = [line.strip() for line in said.stdout.splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_nothing_is_lost_or_answered_twice_when_board_service_and_worker_are_killed(tmp_path: Path) -> None:
    found = chaos_kill.trial(tmp_path, 9, 3, random.Random(2), WAIT_S)
    assert found.kills == {"board": 1, "service": 1, "worker": 1}
    assert found.drained
    assert found.utterances + found.uncommitted == 9
    assert found.utterances >= 6
    assert (found.lost, found.unlogged, found.doubled, found.changed, found.damaged) == ([], [], [], [], [])


@pytest.mark.skipif(
    why_no_namespace(chaos_network.NAMESPACES, *chaos_network.PROGRAMS) is not None,
    reason="needs network namespaces, tc and nft",
)
def test_a_black_hole_is_answered_by_the_house_and_sent_to_the_service_later() -> None:
    (row,) = rows("chaos_network", "--fault", "black hole", "--lasts", "6", "--after", "4")
    name, noticed_s, _, paths, _, lost, twice, *_ = row
    assert (name, lost, twice) == ("black hole", "0", "0")
    assert "house" in paths
    assert noticed_s != "-"


@pytest.mark.skipif(
    why_no_namespace(chaos_disk.NAMESPACES, *chaos_disk.PROGRAMS) is not None, reason="needs mount namespaces"
)
def test_live_answers_go_on_while_the_spool_s_disk_is_full() -> None:
    table = {
        name: (reached, missed)
        for name, _, reached, missed in rows("chaos_disk", "--trial", "spool's disk full", "--utterances", "5")
    }
    assert int(table["spool's disk full: answered at once"][0]) >= 1
    assert "waits in memory." in table["spool's disk full: said"][0]
    assert {name for name, (_, missed) in table.items() if missed} <= {"spool's disk full: recovered by itself, s"}


@pytest.mark.skipif(chaos_clock.library() is None, reason="needs libfaketime")
def test_a_board_that_boots_in_1970_keeps_its_order_and_puts_its_times_right() -> None:
    found = chaos_clock.while_it_is_kept(chaos_clock.BOOT_OF_A_BOARD, 0, 3)
    assert found.kinds == {"late": 3}
    assert (found.lost, found.twice, found.disordered, found.wrong_times) == (0, 0, 0, 0)


def test_the_spool_writes_no_more_than_it_may(on_a_disk: Path) -> None:
    megabytes = chaos_spool.written_megabytes(on_a_disk, 20, 2000, answered=True)
    if not megabytes:
        pytest.skip("the kernel counts no bytes here")
    assert megabytes <= chaos_spool.MEGABYTES_MAX * 20 / 200 * 1.2


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_whoever_speaks_is_never_held_up_by_a_slow_disk(tmp_path: Path) -> None:
    longest_ms, commit_ms, commits = chaos_spool.stalls_on_a_slow_disk(tmp_path, 2, 300)
    assert commits >= 1
    assert commit_ms >= 300
    assert longest_ms < commit_ms / 2
