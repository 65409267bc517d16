"""The lab that drift is measured in: its sounds, its streams, and what others do."""

from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks import corpus, drift_sounds
from benchmarks.drift_heard import Heard
from benchmarks.drift_lab import OURS, changed, print_quiet, print_runs, still
from benchmarks.drift_peers import BATCH, peers
from benchmarks.drift_sounds import BASES, Condition, Material, Sound
from benchmarks.drift_streams import HABITS, KINDS, SLOW_UTTERANCES, Pools, Stream
from benchmarks.kept_lines import kept_lines
from benchmarks.longest_utterance import longest
from benchmarks.made_facts import CHANGES, MadeBoard
from tests.conftest import Speech

SAID = 60


def rows(count: int, shift: float = 0.0, seed: int = 1) -> "np.typing.NDArray[np.float64]":
    return np.random.default_rng(seed).standard_normal((count, 3)) + shift


@pytest.fixture(scope="module")
def sound(speech: Speech) -> Sound:
    return corpus.read(speech.path(next(iter(speech.sentences))))


@pytest.fixture(scope="module")
def material() -> Material:
    draw = np.random.default_rng(1)
    noise = draw.standard_normal(corpus.RATE_HZ * 10).astype(np.float32)
    room = (np.exp(-np.arange(8000) / 2000) * draw.standard_normal(8000)).astype(np.float32)
    names = ("doing_the_dishes", "running_tap", "exercise_bike")
    return Material({name: np.roll(noise, number) for number, name in enumerate(names, 1)}, [room], noise)


@pytest.fixture(scope="module")
def pools() -> Pools:
    """Of a kiosk where a cover may lie on the microphone."""
    made = {base: MadeBoard(seed=7, people=3) for base in BASES}
    found = {base: _heard(made[base]) for base in BASES}
    for base in BASES:
        found[f"{base}-low-pass-1"] = _heard(made[base], "microphone")
        found[f"{base}-low-pass-0.5"] = found[base]
    return found


def _heard(board: MadeBoard, cause: str | None = None) -> list[Heard]:
    change = CHANGES[cause] if cause else (lambda one: one)
    return [Heard(one.utterance_id, "", "latte", one) for one in board.facts(SAID, change)]


def test_faster_speech_is_shorter_and_has_the_same_voice(sound: Sound) -> None:
    faster = drift_sounds.stretched(sound, 1.3)
    assert len(faster) == pytest.approx(len(sound) / 1.3, rel=0.02)
    before, after = (np.abs(np.fft.rfft(one, 1 << 18)) ** 2 for one in (sound, faster))
    hz = np.fft.rfftfreq(1 << 18, 1 / corpus.RATE_HZ)
    assert (after @ hz) / after.sum() == pytest.approx((before @ hz) / before.sum(), rel=0.1)


@pytest.mark.parametrize("plant", drift_sounds.PLANTS)
def test_each_plant_changes_what_it_is_named_for(sound: Sound, material: Material, plant: str) -> None:
    before, after = (
        drift_sounds.heard(sound, "a", Condition("busy", one), material).astype(np.float64) for one in (None, plant)
    )
    quiet = slice(0, corpus.RATE_HZ)
    room_db = 10 * np.log10(np.mean(after[quiet] ** 2) / np.mean(before[quiet] ** 2))
    match plant:
        case "gain":
            assert room_db == pytest.approx(-12, abs=0.2)
        case "clipping":
            assert (np.abs(after) >= 32767).mean() > 0.001
        case "low-pass":
            assert room_db == pytest.approx(10 * np.log10(3 / 8), abs=2)
        case "faster":
            assert len(after) < len(before)
        case "echo":
            assert len(after) > len(before) and room_db == pytest.approx(0, abs=0.2)
        case _:
            assert room_db == pytest.approx(10, abs=0.5)


def test_the_same_recording_is_heard_alike_each_time(sound: Sound, material: Material) -> None:
    once, again = (drift_sounds.heard(sound, "a", Condition("busy"), material) for _ in range(2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, drift_sounds.heard(sound, "b", Condition("busy"), material))


def test_the_boards_own_code_cuts_the_utterance(sound: Sound, material: Material) -> None:
    found = longest(drift_sounds.heard(sound, "a", Condition("quiet"), material))
    assert found is not None
    assert found.levels.shape[1] == 80 and found.end.speech_end_ms > found.end.speech_start_ms
    assert len(found.samples) >= (found.end.speech_end_ms - found.end.speech_start_ms) * corpus.RATE_HZ / 1000
    assert longest(np.zeros(corpus.RATE_HZ, np.int16)) is None


def test_a_line_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "kiosk-quiet.jsonl"
    assert list(kept_lines(file, Heard)) == []
    one = Heard("a", "", "latte", None)
    line = msgspec.json.encode(one) + b"\n"
    file.write_bytes(line + line[:7])
    assert list(kept_lines(file, Heard)) == [one]
    assert file.read_bytes() == line


def test_a_stream_is_the_same_each_time_and_has_days(pools: Pools) -> None:
    once, again = (list(islice(Stream("kiosk", pools, 3), 300)) for _ in range(2))
    assert once == again != list(islice(Stream("kiosk", pools, 4), 300))
    hours = {(one.facts.at_unix_us or 0) // 3_600_000_000 % 24 for one in once}
    assert hours <= set(range(*HABITS["kiosk"].hours)) and len(hours) > 8


def test_a_change_begins_when_it_is_planted(pools: Pools) -> None:
    kind = next(kind for kind in KINDS if kind.name == "low-pass")
    before = {one.name for base in BASES for one in pools[base]}
    sudden = list(islice(Stream("kiosk", pools, 1, kind, "sudden", 50), 100))
    assert [one.strength for one in sudden] == [0.0] * 50 + [1.0] * 50
    assert all((one.heard.name in before) == (not one.strength) for one in sudden)
    slow = list(islice(Stream("kiosk", pools, 1, kind, "slow", 50), 50 + SLOW_UTTERANCES))
    assert 0 < slow[50].strength < slow[200].strength < slow[-1].strength == 1.0


@pytest.mark.parametrize("name", peers())
def test_the_others_tell_a_large_shift_and_are_quiet_in_a_short_calm(name: str) -> None:
    peer = peers()[name]
    peer.learn(rows(200))
    if name != "KS, any feature":
        assert not any(peer.push(row) for row in rows(BATCH, seed=2))
    assert any(peer.push(row) for row in rows(200, shift=3.0, seed=3))


def test_the_short_form_finds_and_names(pools: Pools, capsys: pytest.CaptureFixture[str]) -> None:
    kind = next(kind for kind in KINDS if kind.name == "low-pass")
    runs = changed(pools, "kiosk", kind, "sudden", 1)
    assert all((run.delays[OURS] or 999) <= 50 and run.named == "microphone" for run in runs)
    print_runs(runs, "sudden")
    print_quiet(still({"kiosk": pools}, 100, 600))
    said = capsys.readouterr().out
    assert "| low-pass | 1 | 1.000 |" in said
    assert all(f"| {name} |" in said for name in peers())
