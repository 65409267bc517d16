"""Speech without a command: what is learnt from is not measured with."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from benchmarks.talk import gives_none, people, phrases, voices
from models.data.sound_file import write_sound

RATE_HZ = 16_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Forty sentences and forty orders; each second sentence has a command in it."""
    rows = [f"sentences/{n}.flac\t{'turn it off' if n % 2 else 'a quiet evening'}" for n in range(40)]
    (tmp_path / "index.tsv").write_text("\n".join(["path\ttext", *rows]) + "\n")
    (tmp_path / "orders").mkdir()
    orders = ", ".join(f'"{n}.flac": {{"slots": {{"size": "large", "drink": "mocha"}}}}' for n in range(40))
    (tmp_path / "orders" / "labels.json").write_text(f"{{{orders}}}")
    (tmp_path / "noise").mkdir()
    write_sound(tmp_path / "noise" / "tap.flac", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    return tmp_path


def test_a_sentence_gives_a_command_if_it_is_a_word_of_it() -> None:
    assert not gives_none("Go on.")
    assert gives_none("Nothing is stopped; the goat is upright")


def test_each_recording_is_in_one_part(data: Path) -> None:
    parts = [{one.file for one in people(data, part)} for part in ("train", "tune", "test")]
    assert all(parts)
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    assert people(data, "test")[-1].text == "can I get a large mocha"


def test_no_phrase_and_no_voice_is_both_tuned_by_and_measured_with() -> None:
    for one, other in combinations(("train", "tune", "test"), 2):
        assert not {*phrases(one)} & {*phrases(other)}
    assert not {voice.name for voice in voices("tune")} & {voice.name for voice in voices("test")}
    assert voices("test")
