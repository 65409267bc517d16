"""Machines speak texts: clips say that they are synthetic, are made once, and what is not speech is left out."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from common.errors import DataError, EngineError
from edge.sound.source import SAMPLE_RATE_HZ
from models.__main__ import main
from models.data.clip import Clip
from models.data.manifest import read_manifest
from models.data.sound_file import read_sound
from models.finding import Finding
from models.synthesis.engine import Engine, Manner, Spoken, Voice, run
from models.synthesis.engines import voices
from models.synthesis.piper import Piper
from models.synthesis.programs import EspeakNg, Festival, Flite
from models.synthesis.synthesis import Task, Text, synthesise, tasks
from tests.conftest import Speech

NATURAL = Manner()


class Parrot:
    """Says the same whatever it is given, and remembers what that was."""

    name = "parrot"
    usual = "[a-m].*"

    def __init__(self, *known: Voice, says: Spoken | str = "nothing", missing: str = "") -> None:
        self.asked: list[tuple[str, Manner, tuple[str, ...]]] = []
        self._known, self._says, self._missing = known, says, missing
        self._lock = threading.Lock()

    def voices(self) -> list[Voice]:
        if self._missing:
            raise EngineError(self._missing)
        return list(self._known)

    def say(self, voice: Voice, manner: Manner, texts: Sequence[str]) -> Iterator[Spoken | str]:
        with self._lock:
            self.asked.append((voice.name, manner, tuple(texts)))
        yield from [self._says] * len(texts)


ANN = Voice("parrot", "ann", "CC0-1.0", own_pitch=False)
BOB = Voice("parrot", "bob", None, own_pitch=True, person="robert")
ZOE = Voice("parrot", "zoe", None, own_pitch=True)


@pytest.fixture
def spoken(speech: Speech) -> Spoken:
    return Spoken(read_sound(speech.path("lights")), SAMPLE_RATE_HZ)


def made(engine: Engine, folder: Path, manners: Sequence[Manner] = (NATURAL,), *words: str) -> list[Clip | Finding]:
    texts = [Text(text, f"label of {text}") for text in words or ("lights on",)]
    return list(synthesise(tasks([(engine, voice) for voice in engine.voices()], manners, texts, None), folder, 2))


def test_a_clip_says_who_spoke_and_how(tmp_path: Path, spoken: Spoken) -> None:
    one, two = made(Parrot(ANN, BOB, says=spoken), tmp_path, [Manner(1.2, 2.0)], "What's on?")
    assert isinstance(one, Clip)
    assert isinstance(two, Clip)
    assert one.path.startswith("parrot/ann/What-s-on-")
    assert one.path.endswith("-1.2x+2.flac")
    assert (one.text, one.label, one.source, one.licence) == ("What's on?", "label of What's on?", "parrot", "CC0-1.0")
    assert (one.speaker, two.speaker) == ("parrot/ann", "robert")
    assert one.synthetic and two.synthetic
    assert (one.measured["speed_ratio"], one.measured["pitch_semitones"]) == (1.2, 2.0)
    assert one.measured["speech_ms"] > 500
    assert one.slices == {"voice": "parrot/ann"}
    assert len(read_sound(tmp_path / one.path)) * 1000 / SAMPLE_RATE_HZ == one.measured["duration_ms"]


def test_who_cannot_speak_higher_speaks_slower_and_is_played_faster(tmp_path: Path, spoken: Spoken) -> None:
    parrot = Parrot(ANN, BOB, says=spoken)
    high, own = made(parrot, tmp_path, [Manner(1.5, 12.0)])
    asked = {name: manner for name, manner, _ in parrot.asked}
    assert asked == {"ann": Manner(0.75), "bob": Manner(1.5, 12.0)}
    assert isinstance(high, Clip)
    assert isinstance(own, Clip)
    assert high.measured["duration_ms"] == pytest.approx(own.measured["duration_ms"] / 2, abs=40)
    assert np.abs(read_sound(tmp_path / high.path)).max() < 32_000


def test_what_is_there_is_not_made_again(tmp_path: Path, spoken: Spoken) -> None:
    first = Parrot(ANN, says=spoken)
    before = made(first, tmp_path, [NATURAL], "one", "two")
    again = Parrot(ANN, says=spoken)
    assert made(again, tmp_path, [NATURAL], "two", "three", "one")[::2] == before[::-1]
    assert again.asked == [("ann", NATURAL, ("three",))]


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ("the phoneme is not known", "the phoneme is not known."),
        (Spoken(np.zeros(16_000, np.int16), 16_000), "there is no speech in its 1000 ms, its peak is -120 dBFS."),
        (Spoken(np.zeros(0, np.int16), 22_050), "there is no speech in its 0 ms"),
    ],
)
def test_what_is_not_speech_is_left_out(tmp_path: Path, says: Spoken | str, sentence: str) -> None:
    (finding,) = made(Parrot(ANN, says=says), tmp_path)
    assert isinstance(finding, Finding)
    assert sentence in finding.sentence
    assert finding.sentence.startswith("parrot/ann/lights-on-")
    assert not list(tmp_path.rglob("*.flac"))


def test_clipped_speech_is_left_out(tmp_path: Path, spoken: Spoken) -> None:
    loud = np.clip(spoken.sound.astype(np.int32) * 100, -32_768, 32_767).astype(np.int16)
    (finding,) = made(Parrot(BOB, says=Spoken(loud, 16_000)), tmp_path)
    assert isinstance(finding, Finding)
    assert "samples are clipped" in finding.sentence


def test_clips_are_drawn_for_each_text_by_itself() -> None:
    engine = Parrot(ANN, BOB, ZOE)
    ways = [(engine, voice) for voice in engine.voices()]
    manners = [Manner(speed) for speed in (0.8, 1.0, 1.2, 1.4)]

    def drawn(*words: str) -> set[tuple[str, str, Manner]]:
        chosen: list[Task] = tasks(ways, manners, [Text(word) for word in words], 3)
        return {(text.words, task.voice.name, task.manner) for task in chosen for text in task.texts}

    assert len(drawn("one")) == 3
    assert drawn("one", "two") == drawn("one") | drawn("two")


def test_who_is_asked_for_speaks_and_who_is_missing_is_told() -> None:
    told: list[str] = []
    known = [Parrot(ANN, BOB, ZOE), Parrot(missing="jay is not there: sudo apt-get install jay")]
    known[1].name = "jay"
    names = [voice.name for _, voice in voices(known, (), told.append)]
    assert names == ["ann", "bob"]
    assert told == ["jay is not there: sudo apt-get install jay"]
    assert [voice.name for _, voice in voices(known, ("parrot/*o*",), told.append)] == ["bob", "zoe"]
    assert [voice.name for _, voice in voices(known, ("parrot",), told.append)] == ["ann", "bob"]
    with pytest.raises(EngineError, match="apt-get install jay"):
        voices(known, ("jay",), told.append)
    with pytest.raises(DataError, match="--voice parrot/x: there is no such voice"):
        voices(known, ("parrot/x", "parrot"), told.append)
    with pytest.raises(DataError, match="There is no voice here"):
        voices(known[1:], (), told.append)


def test_a_program_that_is_missing_or_fails_is_one_sentence() -> None:
    with pytest.raises(EngineError, match=r"^no-such-speaker is not there: sudo apt-get install nobody$"):
        run(("no-such-speaker",), install="nobody")
    with pytest.raises(EngineError, match=r"^sh failed: not today\.$"):
        run(("sh", "-c", "echo not today >&2; exit 3"), install="nobody")


def said(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["synthesise", *map(str, words)])


@pytest.mark.parametrize(
    ("engine", "program", "name"),
    [
        (EspeakNg(), "espeak-ng", "en+f2"),
        (Flite(), "flite", "slt"),
        (Flite(), "flite", "rms"),
        (Festival(), "festival", "kal_diphone"),
        (Festival(), "festival", "cmu_us_slt_arctic_hts"),
    ],
)
def test_each_program_speaks_faster_and_higher(tmp_path: Path, engine: Engine, program: str, name: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    there = {voice.name: voice for voice in engine.voices()}
    if name not in there:
        pytest.skip(f"{program} has no {name} here")
    todo = [Task(engine, there[name], Manner(speed), [Text('-turn on (the) "lights" don’t')]) for speed in (1.0, 1.4)]
    usual, quick = synthesise(todo, tmp_path, 1)
    assert isinstance(usual, Clip), usual
    assert isinstance(quick, Clip), quick
    assert usual.measured["duration_ms"] / quick.measured["duration_ms"] == pytest.approx(1.4, abs=0.2)
    assert usual.measured["speech_ms"] > 400


def test_piper_speaks_where_it_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("piper")
    (clip,) = made(Piper(), tmp_path)
    assert isinstance(clip, Clip)
    assert (clip.speaker, clip.licence) == ("piper/joe", "CC0-1.0")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_a_set_of_spoken_commands_is_made_and_made_again(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("lights off\tlights\n\nlights on\n")
    words = (tmp_path / "m.jsonl", "stop", "--texts", texts, "--labels", "--voice", "espeak-ng/en+m1", "--pitch=-2,2")
    assert " 6 clips, in " in said(*words).stdout
    clips = read_manifest(tmp_path / "m.jsonl").clips
    assert [(clip.text, clip.label) for clip in clips[:3]] == [
        ("stop", "stop"),
        ("lights off", "lights"),
        ("lights on", "lights on"),
    ]
    assert all((tmp_path / clip.path).is_file() and clip.synthetic for clip in clips)
    assert "only written anew" in said(*words).stderr
    assert said(tmp_path / "m" / ".." / "m2.jsonl", *words[1:]).exit_code == 0
    (tmp_path / "m.jsonl").unlink()
    said(*words)
    assert read_manifest(tmp_path / "m.jsonl").clips == clips


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Say which MANIFEST to write"),
        (("m.jsonl",), "There is nothing to say"),
        (("m.jsonl", "…"), "argument 1: '…' is nothing that could be said"),
        (("m.jsonl", "stop", "--speed", "3"), "3 is not from 0.5 to 2."),
        (("m.jsonl", "stop", "--pitch", "high"), "'high' is not of the form 0.9,1,1.1."),
        (("m.jsonl", "stop", "--voice", "nobody"), "--voice nobody: there is no such voice"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = said(*words)
    if result.stderr.endswith("There is no voice here.\n"):
        pytest.skip("no synthesiser is installed")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert list(tmp_path.iterdir()) == []
