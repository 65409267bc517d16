"""The lab that drift is measured in: its sounds, its streams, and what others do."""

from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks import corpus, drift_sounds
from benchmarks.drift_heard import Heard
from benchmarks.drift_lab import changed, still
from benchmarks.drift_lab_bound import Bound, Chances, power
from benchmarks.drift_lab_concept import Found
from benchmarks.drift_lab_kept import Kept
from benchmarks.drift_lab_tables import OURS, print_changes, print_quiet
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


def test_the_short_form_finds_and_names_and_goes_on(
    pools: Pools, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = tuple(kind for kind in KINDS if kind.name == "low-pass")
    kept = Kept(tmp_path, "tuning")
    runs = list(changed(pools, "kiosk", 1, kept, kinds))
    assert [run.course for run in runs] == ["sudden", "slow"]
    assert all((run.delays[OURS] or 999) <= 350 and run.settled == "microphone" for run in runs)
    assert (runs[0].delays[OURS] or 999) <= 50 and runs[0].named == "microphone"
    concepts = [Found("word", False, 30, True, True, 2), Found("noise", False, None, False, True, 0)]
    print_changes(runs, concepts, [Bound("word", 0.8, 100)])
    print_quiet(still({"kiosk": pools}, 100, kept, 600), (6000, 0))
    said = capsys.readouterr().out
    assert "| low-pass | 1 | 1.000 |" in said and "| word | 1 | 1.000 | 31 | 1.00 |  | 2 | 0.80 (100) |" in said
    assert all(f"| {name} |" in said for name in peers())
    again = Kept(tmp_path, "tuning")
    assert list(changed(pools, "kiosk", 1, again, kinds)) == runs and again.made == 0


def test_a_line_that_a_kill_cut_is_made_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "test")
    assert kept.get("a", int, lambda: 1) == 1 and kept.get("b", int, lambda: 2) == 2
    (file,) = (tmp_path / "lab").iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    again = Kept(tmp_path, "test")
    assert again.get("a", int, lambda: 3) == 1 and again.get("b", int, lambda: 4) == 4
    assert Kept(tmp_path, "test").get("b", int, lambda: 5) == 4


def test_no_test_finds_more_than_its_level_of_nothing_and_all_of_what_is_plain() -> None:
    nothing: Chances = {"shown": (0.1, 0.1), "not": (0.9, 0.9)}
    plain: Chances = {"shown": (0.01, 0.9), "not": (0.99, 0.1)}
    rare: Chances = {"shown": (0.001, 0.04), "not": (0.999, 0.96)}
    assert power(nothing, 50) == pytest.approx(0.025, abs=0.01)
    assert power(plain, 50) > 0.999
    # Some of 50 show it in 0.87 of all cases: no test finds more.
    assert 0.5 < power(rare, 50) < 0.88 < power(rare, 150)
