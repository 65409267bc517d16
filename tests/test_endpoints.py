"""The endpoint benchmark: its truth, its peers and its counts; and, as a short form of it, ours on synthetic speech."""

from itertools import groupby

import numpy as np
import pytest

from benchmarks import corpus, speech_marks
from benchmarks.detectors import WEBRTC, Cutter, HangOver, HomeAssistant, Utterance, utterances
from benchmarks.endpoint_counts import Counts, count
from benchmarks.endpoints import SYSTEMS, measure
from benchmarks.scenes import QUIET_DBFS, SPEECH_DBFS, Spoken, Trimmed, in_room, part_of, pink, scene, trimmed
from tests.conftest import Speech

RATE_HZ = 16_000
CLIPS = ("weather", "berlin", "timer", "lights", "egg", "jazz", "fuse_box", "latte", "mocha", "americano")


def clips(speech: Speech) -> list[Trimmed]:
    sounds = [corpus.read(speech.path(name)) for name in CLIPS]
    found = [(sound, speech_marks.find(sound)) for sound in sounds]
    return [clip for sound, marks in found if marks and (clip := trimmed(sound, marks))]


def runs(cutter: Cutter, script: str, chunks: int = 10) -> str:
    """What a cutter says to tenths of a second of speech, s, and silence, ."""
    said = "".join("u" if cutter.push(mark == "s")[0] else "." for mark in script for _ in range(chunks))
    return "".join(f"{mark}{len(list(group))}" for mark, group in groupby(said))


def test_marks_are_where_a_sound_starts_and_ends() -> None:
    sound = np.random.default_rng(1).normal(0, 3e-4, 2 * RATE_HZ).astype(np.float32)
    sound[8_000:12_000] += np.sin(np.arange(4_000) / 3).astype(np.float32) / 4
    sound[13_600:20_000] += np.sin(np.arange(6_400) / 5).astype(np.float32) / 4
    sound[30_000:30_040] += 0.05
    marks = speech_marks.find(sound)
    assert marks is not None
    assert marks.start == pytest.approx(8_000, abs=160)
    assert marks.end == pytest.approx(20_000, abs=160)
    assert marks.longest_pause == pytest.approx(1_600, abs=240)


def test_a_clip_without_anything_in_it_has_no_marks() -> None:
    assert speech_marks.find(pink(RATE_HZ, np.random.default_rng(1))) is None
    assert speech_marks.find(np.zeros(100, np.float32)) is None


def test_what_a_detector_does_not_hear_is_not_speech() -> None:
    sound = np.full(2 * RATE_HZ, 1e-4, np.float32)
    sound[8_000:12_000] += np.sin(np.arange(4_000) / 3).astype(np.float32) / 4
    sound[24_000:28_000] += np.sin(np.arange(4_000) / 3).astype(np.float32) / 4
    marks = speech_marks.find(sound, lambda sound: np.arange(400) < 200)
    assert marks is not None
    assert marks.end == pytest.approx(12_000, abs=160)


def test_each_fault_is_counted() -> None:
    spoken = [Spoken(start * RATE_HZ, (start + 2) * RATE_HZ) for start in (10, 20, 30, 40, 50)]
    cut = [
        Utterance(round(start * RATE_HZ), round(end * RATE_HZ))
        for start, end in [(2, 4), (9.7, 12.5), (20.1, 21), (21.2, 21.8), (29.8, 42.7)]
    ]
    counts = count(spoken, cut, 60 * RATE_HZ)
    assert counts == Counts(
        clips=5,
        missed=1,
        split=1,
        joined=1,
        onsets_clipped=1,
        ends_clipped=1,
        false_starts=1,
        without_speech_s=50.0,
        delays_s=(0.5,),
    )
    assert counts.false_starts_per_hour == 72
    assert (counts + counts).delay_ms(50) == 500


def test_an_utterance_long_before_its_speech_is_a_false_start() -> None:
    spoken = [Spoken(10 * RATE_HZ, 12 * RATE_HZ)]
    assert count(spoken, [Utterance(8 * RATE_HZ, 13 * RATE_HZ)], 20 * RATE_HZ).false_starts == 1
    assert count(spoken, [Utterance(round(9.1 * RATE_HZ), 13 * RATE_HZ)], 20 * RATE_HZ).false_starts == 0


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("..sss.......", ".49u70.1"),
        ("ss........ss.........", ".109u80.21"),
        ("ss...........ss", ".150"),
        ("ssssssssss...s...s.ssssssssss", ".29u160.30u71"),
        (200 * "s", ".29u1471.30u470"),
    ],
)
def test_home_assistant_counts_in_pieces(script: str, said: str) -> None:
    assert runs(HomeAssistant(0.01), script) == said


def test_a_hang_over_counts_in_a_row() -> None:
    assert runs(HangOver(0.01), "s.ssssss...s......s.......") == ".9u250.1"


def test_utterances_have_our_pre_roll_and_do_not_overlap(speech: Speech) -> None:
    pytest.importorskip("webrtcvad", reason="only scripts/bench installs the peers")
    spoken = scene(clips(speech)[:3], SPEECH_DBFS, None, 0, np.random.default_rng(2))
    cut = list(utterances(spoken.sound, WEBRTC, HangOver))
    assert all(before.end <= after.start for before, after in zip(cut, cut[1:], strict=False))
    assert count(spoken.spoken, cut, len(spoken.sound)).onsets_clipped == 0


def test_a_room_makes_speech_no_longer() -> None:
    clip = Trimmed(np.sin(np.arange(8_000) / 5).astype(np.float32), 1_600, 6_400)
    room = np.zeros(4_000, np.float32)
    room[[300, 2_000]] = 1.0, 0.5
    far = in_room(clip, room)
    assert (far.start, far.end) == (1_600, 6_400)
    assert len(far.sound) == 8_000 + 4_000 - 300
    assert corpus.power_db(far.sound[1_600:6_400]) == pytest.approx(0, abs=0.01)


def test_scenes_are_drawn_alike_each_time() -> None:
    clip = Trimmed(np.ones(4_800, np.float32), 1_600, 3_200)
    noise = np.random.default_rng(1).normal(0, 1, RATE_HZ).astype(np.float32)
    first, second = (scene([clip] * 3, SPEECH_DBFS, noise, -46, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first.sound, second.sound)
    assert first.spoken == second.spoken
    assert len(first.spoken) == 3


def test_parts_stay_as_they_are() -> None:
    assert [part_of(name) for name in ("a.flac", "b.flac", "c.flac", "d.flac")] == ["dev", "dev", "test", "test"]


@pytest.mark.parametrize("dbfs", [SPEECH_DBFS, QUIET_DBFS])
def test_the_short_form_hears_each_sentence_once(speech: Speech, dbfs: float) -> None:
    spoken = clips(speech)
    assert len(spoken) == len(CLIPS)
    counts = measure(SYSTEMS[0], [scene(spoken, dbfs, None, 0, np.random.default_rng(2))]).counts
    assert counts.clips == len(spoken)
    assert (counts.missed, counts.split, counts.joined, counts.onsets_clipped) == (0, 0, 0, 0)
    assert counts.false_starts == 0
