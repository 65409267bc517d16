"""Longer speech by windows."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest, write_manifest
from models.data.sound_file import write_sound
from models.data.windows import by_windows

RATE_HZ = 16_000


@pytest.mark.parametrize(
    ("clip", "places"),
    [
        (Clip(path="2.wav"), [(0, 1000), (700, 1700), (1000, 2000)]),
        (Clip(path="2.wav", start_ms=500), [(500, 1500), (1000, 2000)]),
        (Clip(path="2.wav", start_ms=200, end_ms=900), [(200, 900)]),
        (Clip(path="2.wav", end_ms=1000), [(0, 1000)]),
    ],
)
def test_windows_cover_a_clip_from_its_start_to_its_end(
    tmp_path: Path, clip: Clip, places: list[tuple[int, int]]
) -> None:
    write_sound(tmp_path / "2.wav", np.zeros(2 * RATE_HZ, np.float32), RATE_HZ)
    found = list(by_windows([clip], tmp_path, 1000, 700, "unknown", pytest.fail))
    assert [(one.start_ms, one.end_ms) for one in found] == places
    assert {one.label for one in found} == {"unknown"}


def test_the_command_writes_a_manifest_that_says_what_it_left_out(tmp_path: Path) -> None:
    write_sound(tmp_path / "2.wav", np.zeros(2 * RATE_HZ, np.float32), RATE_HZ)
    clip = Clip(path="2.wav", text="what is said", speaker="ann", source="radio", measured={"snr_db": 20.0})
    write_manifest(tmp_path / "all.jsonl", [Clip(path="lost.wav"), clip])
    with (tmp_path / "all.jsonl").open("a") as file:
        file.write("nonsense\n")
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / "windows.jsonl"
    result = CliRunner().invoke(main, ["windows", str(tmp_path / "all.jsonl"), str(new), "--step-ms", "1000"])
    assert (result.exit_code, result.stdout) == (0, f"{new}: 2 windows of 2 clips\n")
    assert f"{tmp_path}/all.jsonl:3: this is no clip" in result.stderr
    assert "lost.wav: there is no such file" in result.stderr
    first, second = read_manifest(new).clips
    assert first == Clip(path="../2.wav", label="unknown", speaker="ann", source="radio", start_ms=0, end_ms=1000)
    assert second.start_ms == 1000


def test_where_nothing_can_be_heard_no_manifest_is_written(tmp_path: Path) -> None:
    write_manifest(tmp_path / "lost.jsonl", [Clip(path="lost.wav")])
    result = CliRunner().invoke(main, ["windows", str(tmp_path / "lost.jsonl"), str(tmp_path / "none.jsonl")])
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        f"{tmp_path}/lost.jsonl: no clip of it can be heard, so there are no windows.",
    )
    assert not (tmp_path / "none.jsonl").exists()
