"""`parrotlet-edge test` on a terminal: what a trial is made of, and how it shows."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from common.errors import InputError
from edge.console import Console, plain
from edge.exchange import Exchange
from edge.hearing import hear
from edge.recogniser import open_recogniser
from edge.session import Session
from edge.settings import EdgeSettings
from edge.source import Source
from edge.trial import Input, Spoken, Trial
from edge.trial_line import TrialLine, make_folder
from edge.trial_line import save as save_line
from edge.utterance import Heard
from edge.vad import open_gate


def try_out(
    settings: EdgeSettings, files: Sequence[str], *, microphone: bool, realtime: bool, as_json: bool, save: Path | None
) -> int:
    """Runs a trial on the terminal; the exit status. SettingsError if it cannot start."""
    console = Console(sys.stdout)
    session = Session()

    def hear_by_settings(source: Source) -> Iterator[Heard]:
        return hear(source, gate=open_gate(settings.vad), segmenter=settings.segmenter, session=session)

    def draw(exchange: Exchange) -> None:
        if exchange.partial is not None and not as_json:
            console.draw_partial(exchange.partial)

    def show(spoken: Spoken, line: TrialLine) -> None:
        if as_json:
            print(msgspec.json.encode(line).decode(), flush=True)
        elif spoken.exchange.answer is not None:
            heading = f"{line.file}  {line.start_s:.2f}-{line.end_s:.2f} s"
            console.print_answer(heading, spoken.exchange.answer, line.timing_ms)
        if save is not None:
            save_line(save, line, spoken.samples)

    def complain(sentence: str) -> None:
        console.clear()
        print(plain(sentence), file=sys.stderr, flush=True)

    if save is not None:
        make_folder(save)
    inputs = [_microphone(settings)] if microphone else [_recording(file, realtime) for file in files]
    if microphone and console.terminal and not as_json:
        console.print(console.faint("Listening; Ctrl-C ends.") + "\n")
    with open_recogniser(settings) as recogniser:
        trial = Trial(
            recogniser, hear_by_settings, draw=draw, show=show, complain=complain, keep_samples=save is not None
        )
        try:
            return trial.run(inputs)
        finally:
            console.clear()


def _microphone(settings: EdgeSettings) -> Input:
    from edge.capture import Microphone

    microphone = Microphone(settings.microphone, must_exist=True)
    return Input(microphone.name, microphone, realtime=True)


def _recording(name: str, realtime: bool) -> Input:
    from edge.audio_file import AudioFile, StandardInput

    if name == "-" and sys.stdin is None:
        raise InputError("standard input: is closed.")
    recording = StandardInput(realtime=realtime) if name == "-" else AudioFile(name, realtime=realtime)
    return Input(name, recording, realtime, notes=lambda: recording.notes)
