"""Recording commands: who is asked for what, what is kept and what refused, and that nothing that was kept is lost."""

import io
import subprocess
import sys
import wave
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks.virtual_microphone import VirtualMicrophone
from common.errors import DataError, MicrophoneError
from edge.console import Console
from edge.settings import EdgeSettings
from edge.sound.source import SAMPLE_RATE_HZ, Block, Samples, rechunk
from edge.speech.level import Reading
from edge.speech.utterance import EndReason, UtteranceEnd
from models.__main__ import main
from models.data.manifest import read_manifest
from models.data.sound_file import read_sound
from models.own.people import people
from models.recording.ears import WAIT_S, Ears, Nothing, Uttered
from models.recording.faults import fault, room_fault
from models.recording.session import ROOM_S, Asked, Session, plan
from models.recording.takes import Takes
from tests.conftest import Speech
from tests.edge_fakes import FakeSource

GOOD = UtteranceEnd(
    reason=EndReason.ENDPOINT,
    duration_ms=2000,
    speech_start_ms=400,
    speech_end_ms=1300,
    last_sound_monotonic_s=0.0,
    ended_monotonic_s=0.0,
    level_dbfs=-25.0,
    peak_dbfs=-6.0,
    noise_floor_dbfs=-65.0,
    snr_db=40.0,
    clipped_share=0.0,
    overruns=0,
    gaps=0,
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"clipped_share": 0.01}, "too loud"),
        ({"level_dbfs": -55.0}, "too quiet"),
        ({"level_dbfs": None}, "too quiet"),
        ({"snr_db": 4.0}, "only 4 dB louder than the room"),
        ({"speech_end_ms": 460}, "but 60 ms"),
        ({"speech_end_ms": 5000}, "went on for 4.6 s"),
        ({"overruns": 1}, "sound was lost"),
        ({"reason": EndReason.SOURCE_LOST}, "sound was lost"),
    ],
)
def test_what_is_of_no_use_is_refused_by_a_sentence(change: dict[str, object], sentence: str) -> None:
    assert fault(GOOD) is None
    assert sentence in str(fault(msgspec.structs.replace(GOOD, **change)))
    assert room_fault(0.5) == "somebody spoke"
    assert room_fault(0.01) is None


def test_each_command_is_asked_for_in_rounds_until_there_are_enough() -> None:
    phrases = {"a": "an A", "b": "a B"}
    asked = plan(phrases, [], {}, 4, "ann")
    assert [sorted(asked[at : at + 2]) for at in range(0, 8, 2)] == [[("a", "an A"), ("b", "a B")]] * 4
    assert asked == plan(phrases, [], {}, 4, "ann") != plan(phrases, [], {}, 4, "bob")
    assert sorted(label for label, _ in plan(phrases, [], {"a": 3, "b": 2}, 4, "ann")) == ["a", "b", "b"]


def test_as_many_other_texts_are_asked_for_none_twice_before_all_were() -> None:
    others = [f"other {number}" for number in range(8)]
    asked = plan({"a": "an A", "b": "a B"}, others, {}, 4, "ann")
    said = [text for label, text in asked if label == "unknown"]
    assert sorted(said) == others
    later = plan({"a": "an A", "b": "a B"}, others, {"a": 4, "b": 4, "unknown": 3}, 4, "ann")
    assert len(later) == 5
    assert {*said[4:]} < {text for _, text in later}


def spoken(speech: Speech, *names: str) -> Samples:
    """Sentences, each with pauses around it."""
    pause = np.random.default_rng(1).integers(-3, 4, 3 * SAMPLE_RATE_HZ // 2).astype(np.int16)
    parts = [pause]
    for name in names:
        parts += [read_sound(speech.path(name)) if name else np.zeros(0, np.int16), pause]
    return np.concatenate(parts)


def source(*sounds: Samples) -> FakeSource:
    return FakeSource("made", [Block(block) for block in rechunk(sounds)])


def test_utterances_come_one_by_one_as_they_are_with_the_pre_roll(speech: Speech) -> None:
    sound = spoken(speech, "lights", "timer")
    ears = Ears(source(sound), EdgeSettings())
    for _ in range(2):
        heard = ears.utterance()
        assert isinstance(heard, Uttered)
        assert heard.end.speech_start_ms >= 300
        assert len(heard.samples) == heard.end.duration_ms * 16
        size = len(heard.samples)
        assert any(np.array_equal(sound[at : at + size], heard.samples) for at in range(0, len(sound), 320))
    assert ears.utterance() is Nothing.OVER


def test_nobody_is_waited_for_forever(speech: Speech) -> None:
    quiet = np.zeros(round((WAIT_S + 1) * SAMPLE_RATE_HZ), np.int16)
    readings: list[Reading] = []
    ears = Ears(source(quiet, spoken(speech, "lights")), EdgeSettings(), readings.append)
    assert ears.utterance() is Nothing.SILENT
    assert len(readings) == WAIT_S * 10
    assert isinstance(ears.utterance(), Uttered)


def test_a_command_can_be_skipped_also_while_it_is_said(speech: Speech) -> None:
    # A pause of 1.5 s, and then some way into what is said.
    skips = iter([*[False] * (75 + 40), True])
    ears = Ears(source(spoken(speech, "lights", "timer")), EdgeSettings(), skips=lambda: next(skips, False))
    assert ears.utterance() is Nothing.SKIPPED
    assert isinstance(ears.utterance(), Uttered)


def session(folder: Path, sound: Samples, out: io.StringIO) -> Session:
    ears = Ears(source(sound), EdgeSettings())
    return Session(Takes(folder, "ann"), ears, Console(out))


LIGHTS = Asked("lights_on", "lights on")


def test_what_is_good_is_kept_and_what_is_too_quiet_is_asked_for_again(tmp_path: Path, speech: Speech) -> None:
    out = io.StringIO()
    quiet = (spoken(speech, "lights") // 100).astype(np.int16)
    walk = session(tmp_path, np.concatenate([quiet, spoken(speech, "lights")]), out)
    assert walk.walk([LIGHTS])
    assert walk.kept == 1
    assert "again" in out.getvalue()
    (clip,) = read_manifest(tmp_path / "recordings.jsonl").clips
    assert (clip.path, clip.text, clip.label, clip.speaker) == ("lights_on/ann_1.flac", "lights on", "lights_on", "ann")
    assert clip.start_ms is not None
    assert clip.end_ms is not None
    assert 500 < clip.measured["speech_ms"] < 2500
    assert clip.end_ms - clip.start_ms == pytest.approx(clip.measured["speech_ms"] + 200, abs=1)
    assert len(read_sound(tmp_path / clip.path)) == clip.measured["duration_ms"] * 16


def test_after_three_tries_the_next_command_is_asked_for(tmp_path: Path, speech: Speech) -> None:
    out = io.StringIO()
    quiet = [(spoken(speech, "lights") // 100).astype(np.int16)] * 3
    walk = session(tmp_path, np.concatenate([*quiet, spoken(speech, "timer")]), out)
    assert walk.walk([Asked("a", "an A"), Asked("b", "a B")])
    assert [path.parent.name for path in tmp_path.rglob("*.flac")] == ["b"]
    assert "later, then" in out.getvalue()


def test_where_nobody_is_heard_it_ends_with_a_sentence(tmp_path: Path) -> None:
    walk = session(tmp_path, np.zeros(round(3.5 * WAIT_S * SAMPLE_RATE_HZ), np.int16), io.StringIO())
    with pytest.raises(MicrophoneError, match="made: nobody is heard; parrotlet-edge level shows"):
        walk.walk([LIGHTS])


def test_the_room_is_recorded_once_and_not_while_somebody_speaks(tmp_path: Path, speech: Speech) -> None:
    out = io.StringIO()
    room = np.random.default_rng(1).integers(-9, 10, round(ROOM_S * SAMPLE_RATE_HZ)).astype(np.int16)
    talk = np.concatenate([read_sound(speech.path("timer"))] * 3)[: len(room)]
    assert session(tmp_path, np.concatenate([talk, room]), out).room()
    assert "somebody spoke; again" in out.getvalue()
    assert np.array_equal(read_sound(tmp_path / "silence" / "ann_1.flac"), room)
    assert session(tmp_path, talk, out).room()
    assert len(list(tmp_path.rglob("*.flac"))) == 1


def test_numbers_go_on_and_half_a_line_harms_no_other(tmp_path: Path) -> None:
    sound = np.ones(640, np.int16)
    Takes(tmp_path, "ann").keep("stop", sound)
    with (tmp_path / "recordings.jsonl").open("ab") as file:
        file.write(b'{"path": "stop/an')
    assert Takes(tmp_path, "ann").keep("stop", sound) == tmp_path / "stop" / "ann_2.flac"
    Takes(tmp_path, "ann.b").keep("stop", sound)
    assert Takes(tmp_path, "ann").numbers("stop") == [1, 2]
    read = read_manifest(tmp_path / "recordings.jsonl")
    assert [clip.path for clip in read.clips] == ["stop/ann_1.flac", "stop/ann_2.flac", "stop/ann.b_1.flac"]
    assert [finding.line for finding in read.findings] == [2]
    with pytest.raises(DataError, match="--speaker a/b: letters, digits"):
        Takes(tmp_path, "a/b")
    (tmp_path / "go").touch()
    with pytest.raises(DataError, match="cannot be recorded to: File exists"):
        Takes(tmp_path, "ann").keep("go", sound)
    (tmp_path / "other" / "recordings.jsonl").mkdir(parents=True)
    with pytest.raises(DataError, match="cannot be recorded to: Is a directory"):
        Takes(tmp_path / "other", "ann").keep("stop", sound)
    (tmp_path / "stop" / "ann_².flac").touch()
    assert Takes(tmp_path, "ann").numbers("stop") == [1, 2]


def test_a_recording_that_was_deleted_leaves_its_number_to_no_other(tmp_path: Path) -> None:
    takes = Takes(tmp_path, "ann")
    for _ in range(2):
        bad = takes.keep("stop", np.ones(640, np.int16), part_ms=(0, 10))
    bad.unlink()
    assert takes.numbers("stop") == [1]
    assert takes.keep("stop", np.ones(640, np.int16), part_ms=(5, 20)) == tmp_path / "stop" / "ann_3.flac"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["record", *map(str, words)])


def wav(file: Path, samples: Samples) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes(samples.tobytes())
    return file


def test_a_file_in_place_of_the_microphone_goes_on_where_it_ended(tmp_path: Path, speech: Speech) -> None:
    one = wav(tmp_path / "one.wav", spoken(speech, "lights"))
    folder = tmp_path / "said"
    first = run(folder, "lights on", "stop", "--times", "1", "--input", one)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("me: 4 to say.")
    assert first.stdout.endswith(f"1 kept in {folder}. The same line goes on where it was.\n")
    room = np.random.default_rng(1).integers(-9, 10, 6 * SAMPLE_RATE_HZ).astype(np.int16)
    rest = wav(tmp_path / "rest.wav", np.concatenate([spoken(speech, "timer", "jazz", "egg"), room]))
    second = run(folder, "lights on", "stop", "--times", "1", "--input", rest)
    assert second.stdout.startswith("me: 3 to say.")
    assert second.stdout.endswith(f"3 kept in {folder}.\n")
    assert sorted(path.parent.name for path in folder.rglob("*.flac")) == [
        "lights_on",
        "silence",
        "stop",
        "unknown",
        "unknown",
    ]
    found = people(folder, {"lights_on", "stop"}, tmp_path / "own")
    assert {clip.label for clip in found.clips} == {"lights_on", "stop", "unknown", "silence"}


def test_what_was_kept_before_ctrl_c_stays(tmp_path: Path, speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> bool:
        if list(tmp_path.rglob("*.flac")):
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr("models.recording.commands._enter_was_pressed", interrupted)
    sound = wav(tmp_path / "two.wav", spoken(speech, "lights", "timer"))
    result = run(tmp_path / "said", "lights on", "--input", sound)
    assert result.exit_code == 130
    assert result.stdout.endswith(f"1 kept in {tmp_path / 'said'}. The same line goes on where it was.\n")
    assert len(read_manifest(tmp_path / "said" / "recordings.jsonl").clips) == 1


def test_nobody_has_to_be_at_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = wav(tmp_path / "quiet.wav", np.zeros(SAMPLE_RATE_HZ, np.int16))
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit, match="^0$"):
        main(["record", str(tmp_path / "said"), "lights on", "--input", str(sound)])
    assert "0 kept" in capsys.readouterr().out


def test_commands_are_those_of_a_recipe_or_are_typed(tmp_path: Path) -> None:
    assert "Say which commands" in run(tmp_path).stderr
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('name = "x"\nversion = "1"\nlabels = ["a", "b"]\n')
    assert run(tmp_path, "--recipe", recipe).stderr == f"{recipe}: has no commands.\n"
    assert run(tmp_path, "stop", "--input", "no.wav").stderr.endswith("no.wav: there is no such file.\n")


def test_a_command_said_into_the_microphone_is_kept(
    virtual_microphone: VirtualMicrophone, tmp_path: Path, speech: Speech
) -> None:
    words = [sys.executable, "-m", "models", "record", str(tmp_path / "said"), "lights on", "--times", "1"]
    sound = wav(tmp_path / "lights.wav", spoken(speech, "lights"))
    environment = virtual_microphone.environment | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            for number in (1, 2):
                assert any(f"{number} of 2" in line for line in lines)
                virtual_microphone.play(sound)
                assert "kept" in next(lines)
            assert "be quiet" in next(lines)
            assert "kept" in next(lines)
            assert next(lines) == f"2 kept in {tmp_path / 'said'}.\n"
            assert process.wait(20) == 0
        finally:
            process.kill()
    (said,) = (tmp_path / "said" / "lights_on").iterdir()
    assert np.abs(read_sound(said).astype(int)).max() > 1000
