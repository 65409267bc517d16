"""What home-v1 is learnt from and how it is judged, on sounds that are made here."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import Speech

from edge.local import spotter as on_board
from edge.local.model import Model
from edge.local.spotter import Spotter, likeliest, operating_point
from models.data.clip import Clip
from models.data.mixing import RATE_HZ, Sound, as_sound
from models.data.placing import PLACED_S, amid, placed, trimmed, windows
from models.data.sound_file import read_sound, write_sound
from models.evaluation.judging import SPEECH_WINDOWS_MAX, Guess, Uttered, guesses, judged, smoothed, utterances
from models.home.data_set import joined, pieces, real
from models.home.making import drawn
from models.training.examples import Examples, frames
from protos.feature_spec import DEFAULT_SPEC


def buzz(seconds: float) -> Sound:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.1 * np.sign(np.sin(2 * np.pi * 120 * time_s))).astype(np.float32)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def written(folder: Path, sounds: Sequence[tuple[str, Sound]]) -> list[Clip]:
    for name, sound in sounds:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_sound(folder / name, sound, RATE_HZ)
    return [Clip(path=name, synthetic=True) for name, _ in sounds]


def test_speech_is_placed_in_the_middle_of_a_room() -> None:
    said = trimmed(np.concatenate([silence(0.5), buzz(0.4), silence(0.7)]))
    assert len(said) == 0.4 * RATE_HZ
    room = placed(said, np.random.default_rng(1))
    assert len(room) == round(PLACED_S * RATE_HZ)
    loud = np.flatnonzero(np.abs(room) > 0.08)
    assert loud[0] == pytest.approx((PLACED_S - 0.4) / 2 * RATE_HZ, abs=RATE_HZ * 0.02)
    assert np.abs(room[: RATE_HZ // 2]).max() > 0


def test_speech_may_lie_amid_other_speech_that_is_as_loud() -> None:
    said, other = buzz(0.4), 4 * buzz(3)
    made = amid(said, other, silence(0))
    start = round((PLACED_S - 0.4) / 2 * RATE_HZ)
    assert len(made) == round(PLACED_S * RATE_HZ)
    assert np.abs(made[:start]).max() == pytest.approx(0.1, abs=0.001)
    assert np.array_equal(made[start : start + len(said)], said)
    assert not made[start + len(said) :].any()
    assert np.abs(amid(said, silence(0), 4 * buzz(0.1))[start + len(said) :]).max() == pytest.approx(0.1, abs=0.001)


def test_long_speech_is_seen_by_windows() -> None:
    draw = np.random.default_rng(1)
    long = buzz(5)
    cut = list(windows(long, draw))
    assert len(cut) == 3
    assert {len(one) for one in cut} == {round(PLACED_S * RATE_HZ)}
    assert [len(one) for one in windows(buzz(1), draw)] == [RATE_HZ]


def test_a_command_may_end_in_a_persons_word(tmp_path: Path) -> None:
    said, word = written(tmp_path, [("lights.flac", buzz(0.4)), ("off.flac", buzz(0.3))])
    firsts = [
        Clip(path=said.path, text=text, speaker="m", split="train", synthetic=True)
        for text in ("lights", "turn the lights")
    ]
    word = Clip(path=word.path, label="off", split="train")
    (made,) = joined(firsts, tmp_path, [word], tmp_path, 1)
    assert (made.clip.label, made.clip.synthetic, made.clip.split) == ("lights_off", True, "train")
    assert made.clip.text in ("lights off", "turn the lights off")
    (again,) = joined(firsts, tmp_path, [word], tmp_path, 1)
    assert np.array_equal(made.sound, again.sound)


def test_commands_are_whole_and_the_unknown_is_cut(tmp_path: Path) -> None:
    (clip,) = written(tmp_path, [("long.flac", buzz(5))])
    for label, count in (("unknown", 3), ("weather", 1)):
        one = Clip(path=clip.path, label=label, synthetic=True)
        assert len(list(pieces([one], tmp_path, 1))) == count


def test_of_people_who_say_stop_nobody_is_learnt_from(tmp_path: Path) -> None:
    rows = [
        ("commands/train/stop/a.flac", "stop", "ann"),
        ("commands/train/off/a.flac", "off", "bob"),
        ("commands/dev/off/a.flac", "off", "cid"),
        ("commands/train/silence/1.flac", "", "_noise_"),
        ("words/bed/a.flac", "bed", ""),
        ("sentences/a.flac", "no", ""),
    ]
    table = "".join("\t".join(row) + "\n" for row in [("path", "text", "speaker"), *rows])
    (tmp_path / "index.tsv").write_text(table)
    written(tmp_path, [(f"orders/{number}.flac", silence(0.1)) for number in range(8)])
    found = {clip.path: clip for clip in real(tmp_path)}
    assert (found["commands/train/stop/a.flac"].label, found["commands/train/stop/a.flac"].split) == ("stop", "tune")
    assert found["commands/train/off/a.flac"].label == "off"
    assert found["commands/train/silence/1.flac"].label == "silence"
    assert found["words/bed/a.flac"].label == "unknown"
    assert not {"commands/dev/off/a.flac", "sentences/a.flac"} & {*found}
    assert {clip.split for clip in found.values() if clip.source == "orders"} <= {"train", "tune"}


def test_a_part_of_what_is_unknown_is_left_out() -> None:
    clips = [Clip(path=f"{at}", label="unknown", split="tune") for at in range(400)]
    clips += [Clip(path=f"c{at}", label="next", split="tune") for at in range(400)]
    kept = drawn(clips)
    assert [clip.path for clip in kept if clip.label == "next"] == [f"c{at}" for at in range(400)]
    assert sum(clip.label == "unknown" for clip in kept) == 250
    assert kept == drawn(clips)


def test_the_board_cuts_an_utterance_of_each_clip(speech: Speech) -> None:
    sounds = [np.asarray(read_sound(speech.path(name)) / 32768, np.float32) for name in ("jazz", "egg")]
    said, hours = utterances(sounds)
    assert [one.clip for one in said] == [0, 1]
    assert all(500 < one.speech_ms < 2500 for one in said)
    assert hours * 3600 == pytest.approx(sum(map(len, sounds)) / RATE_HZ + 2.4, abs=0.1)


def test_the_likeliest_command_of_a_clip_is_guessed() -> None:
    rows = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.0, 1.0, 0.0]], np.float32)
    columns = np.array([0, 1])
    assert smoothed(rows, 2)[:, 1] == pytest.approx([0.1, 0.45, 0.9])
    first, second = guesses([(0, rows), (1, None)], 2, columns, 2)
    assert (first.label, second) == (1, Guess(-1, 0.0))
    assert first.probability == pytest.approx(0.9)


@pytest.mark.parametrize("name", ["timer", "weather", "latte"])
def test_a_clip_is_judged_as_the_board_does_it(speech: Speech, name: str) -> None:
    assert SPEECH_WINDOWS_MAX == on_board.SPEECH_WINDOWS_MAX
    model = Model(Path(__file__).parents[1] / "models" / "files" / "home-v1", DEFAULT_SPEC)
    point, levels = operating_point(model.card), frames(as_sound(read_sound(speech.path(name))))
    spotter = Spotter(model)
    spotted = likeliest([spotter.push(levels), spotter.finish()])
    columns = np.array([model.card.labels.index(label) for label in model.card.commands])
    rows = judged(model, Uttered(0, 1000, levels), point.hop_frames)
    (guess,) = guesses([(0, rows)], 1, columns, point.smoothing_windows)
    assert (guess.probability >= point.threshold) == (spotted is not None)
    if spotted is not None:
        assert (model.card.labels[guess.label], guess.probability) == (
            spotted.label,
            pytest.approx(spotted.probability),
        )


def test_a_label_with_a_weight_is_seen_more_often() -> None:
    train = pytest.importorskip("models.training.train", exc_type=ImportError)
    labels = np.array([0, 0, 0, 1])
    learnt = Examples(np.zeros((4, 1, 2, 80), np.int8), labels, np.array([0, 0, 1, 2]))
    alike, thrice = (train.balanced(learnt, weights) for weights in ([1, 1], [3, 1]))
    assert alike[3] == pytest.approx(0.5)
    assert thrice[3] == pytest.approx(0.25)
    assert thrice[0] / thrice[2] == pytest.approx(1 / np.sqrt(2))


def test_a_person_is_seen_more_often_than_a_machine() -> None:
    train = pytest.importorskip("models.training.train", exc_type=ImportError)
    learnt = Examples(
        np.zeros((4, 1, 2, 80), np.int8), np.array([0, 0, 0, 1]), np.zeros(4, int), np.array([True, False, False, True])
    )
    shares = train.balanced(learnt, [1, 1], people=8.0)
    assert shares[0] / shares[1] == pytest.approx(8)
    assert shares[3] == pytest.approx(0.5)
    assert train.balanced(learnt, [1, 1])[0] == pytest.approx(1 / 6)
