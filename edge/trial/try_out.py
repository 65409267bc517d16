"""`parrotlet-edge test` on a terminal: what a trial is made of, and how it shows."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from common.errors import InputError
from common.plain_text import plain
from common.settings import Loaded
from edge.actions.action import asked_for
from edge.actions.trying import Trying
from edge.asking import wire
from edge.asking.answer import Answer
from edge.asking.exchange import Exchange
from edge.asking.services import own_chain_of, whole_chain_of
from edge.asking.timing import TimingMs, table
from edge.console import Console
from edge.device_id import device_id
from edge.local.gate import open_gate
from edge.session import Session
from edge.settings import EdgeSettings
from edge.sound.source import Source
from edge.speech.hearing import hear
from edge.speech.turn import Turn
from edge.speech.utterance import Heard
from edge.trial.trial import Input, Spoken, Trial
from edge.trial.trial_line import TrialLine, make_folder
from edge.trial.trial_line import save as save_line


class Asked(NamedTuple):
    """How, and whom."""

    microphone: bool = False
    realtime: bool = False
    offline: bool = False
    """The board's own model alone."""
    act: bool = False
    """What is asked for is done."""
    explain: bool = False
    """Answers say why they are as they are."""


class Shown(NamedTuple):
    """What a person wants to see of a trial."""

    as_json: bool = False
    timing: bool = False
    """Where the time went."""
    save: Path | None = None
    """A folder that keeps each utterance."""


def try_out(loaded: Loaded[EdgeSettings], files: Sequence[str], asked: Asked, shown: Shown) -> int:
    """Runs a trial on the terminal; the exit status. SettingsError or ModelError if it cannot start."""
    settings = loaded.settings
    # Why an utterance is not answered is said with it.
    logging.getLogger("edge").addHandler(logging.NullHandler())
    console = Console(sys.stdout)
    session, turn = Session(), Turn()
    timings: list[TimingMs] = []

    def hear_by_settings(source: Source) -> Iterator[Heard]:
        gate.reset()
        return hear(
            source,
            gate=gate,
            segmenter=settings.segmenter,
            spec=wire.feature_spec(settings.cloud),
            session=session,
            turn=turn,
        )

    def draw(exchange: Exchange) -> None:
        if exchange.partial is not None and not shown.as_json:
            console.draw_partial(exchange.partial)

    def show(spoken: Spoken, line: TrialLine) -> None:
        if shown.as_json:
            print(msgspec.json.encode(line).decode(), flush=True)
        elif spoken.exchange.answer is not None:
            heading = f"{line.file}  {line.start_s:.2f}-{line.end_s:.2f} s"
            console.print_answer(heading, spoken.exchange.answer, line.timing_ms, with_times=shown.timing)
        if shown.save is not None:
            save_line(shown.save, line, spoken.samples)
        if trying is not None:
            _act(spoken.exchange, trying, settings, complain)
        timings.append(line.timing_ms)

    def complain(sentence: str) -> None:
        console.clear()
        print(plain(sentence), file=sys.stderr, flush=True)

    gate = open_gate(settings, complain)
    if shown.save is not None:
        make_folder(shown.save)
    inputs = [_microphone(settings)] if asked.microphone else [_recording(file, asked.realtime) for file in files]
    chain = own_chain_of(loaded) if asked.offline else whole_chain_of(loaded, explain=asked.explain)
    if asked.microphone and console.terminal and not shown.as_json:
        console.print(console.faint("Listening; Ctrl-C ends.") + "\n")
    with ExitStack() as entered:
        recogniser = entered.enter_context(chain)
        trying = entered.enter_context(Trying(settings, dry_run=False)) if asked.act else None
        trial = Trial(
            recogniser,
            hear_by_settings,
            draw=draw,
            show=show,
            complain=complain,
            on_turn=turn.tell,
            keep_samples=shown.save is not None,
        )
        try:
            return trial.run(inputs)
        finally:
            console.clear()
            if shown.timing:
                # Not among the lines of JSON.
                print("\n".join(table(timings)), file=sys.stderr if shown.as_json else sys.stdout)


def _act(exchange: Exchange, trying: Trying, settings: EdgeSettings, tell: Callable[[str], None]) -> None:
    """Does what the answer asks for, and tells what came of it."""
    action = asked_for(
        exchange.answer or Answer("none"),
        utterance_id=exchange.head.utterance_id,
        device_id=device_id(settings.device.id),
        spoken_at_unix_us=exchange.head.started_at_unix_us,
    )
    for tried in trying.run(action) if action else ():
        tell(f"{tried.sink}: {tried.sentence}")


def _microphone(settings: EdgeSettings) -> Input:
    from edge.sound.capture import Microphone

    microphone = Microphone(settings.microphone, must_exist=True)
    return Input(microphone.name, microphone, realtime=True)


def _recording(name: str, realtime: bool) -> Input:
    from edge.sound.audio_file import AudioFile, StandardInput

    if name == "-" and sys.stdin is None:
        raise InputError("standard input: is closed.")
    recording = StandardInput(realtime=realtime) if name == "-" else AudioFile(name, realtime=realtime)
    return Input(name, recording, realtime, notes=lambda: recording.notes)
