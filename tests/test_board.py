"""The short form of `scripts/bench board`: its sounds are as they are called; its scripts fail in a sentence."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks import board, cores, household
from benchmarks.corpus import RATE_HZ, write

SPEECH = Path(__file__).parent / "speech"
SCRIPTS = Path(board.__file__).parent


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder as `--data` wants it, with a sentence and a noise."""
    (tmp_path / "sentences").mkdir()
    (tmp_path / "noise").mkdir()
    shutil.copy(SPEECH / "timer.flac", tmp_path / "sentences")
    (tmp_path / "index.tsv").write_text("path\ttext\nsentences/timer.flac\tset a timer\n")
    hiss = np.random.default_rng(1).standard_normal(2 * RATE_HZ).astype(np.float32) / 10
    write(tmp_path / "noise" / "hiss.flac", hiss)
    return tmp_path


def test_what_is_heard_at_home_holds_what_it_says_and_ours_sends_its_speech(data: Path) -> None:
    home = household.make(data, minutes=1)
    assert len(home.samples) == 60 * RATE_HZ
    assert home.speech_share == pytest.approx(household.SPEECH_SHARE, abs=1e-3)
    assert home.noise_share == pytest.approx(household.NOISE_SHARE, abs=1e-3)
    raw = data / "home.raw"
    home.samples.astype("<i2").tofile(raw)
    cost = board.hear_file(raw)
    assert 1 <= cost.onsets <= 4 + home.sentences
    assert 0 < cost.sent_bytes < home.samples.nbytes / 10
    assert cost.cpu_s > 0


def test_a_share_of_a_core_is_instructions_over_what_it_does_in_that_time() -> None:
    core = cores.Core("some", instructions_per_cycle=0.5, clock_ghz=2.0)
    assert core.seconds(1_000_000_000) == pytest.approx(1.0)
    assert core.percent(10_000_000, length_s=1.0) == pytest.approx(1.0)
    assert len(cores.cells(1, 1.0)) == len(cores.HEADING)


@pytest.mark.parametrize("name", ["board_root.sh", "board_run.sh"])
def test_a_script_is_plain_sh_and_stops_at_the_first_failure(name: str) -> None:
    text = (SCRIPTS / name).read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n# ")
    assert "set -eu\n" in text
    assert os.access(SCRIPTS / name, os.X_OK)
    subprocess.run(["sh", "-n", str(SCRIPTS / name)], check=True)


def test_an_emulated_board_wants_root_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    said = subprocess.run(
        [SCRIPTS / "board_root.sh", tmp_path / "root"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert said.stderr == "An emulated board needs root: sudo scripts/bench board\n"
