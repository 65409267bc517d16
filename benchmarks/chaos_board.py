"""A board for trials in which it is killed, cut off or starved: the daemon's own parts, a playlist in place of a
microphone, and a journal of what it heard, told and knew. Started as a program of its own by `benchmarks/chaos_*.py`.

It takes the playlist up where its journal ends, and is over when all has been said and nothing waits to be sent.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import soundfile

from common.errors import SpoolError
from common.settings import Loaded, keys
from edge.asking.chain import Chain
from edge.asking.exchange import Exchange
from edge.asking.services import chain_of
from edge.clock import Clock, boot_id, is_synchronised
from edge.session import Session
from edge.settings import Cloud, EdgeSettings
from edge.sound.source import BLOCK_MS, SAMPLE_RATE_HZ, Block, Samples, rechunk
from edge.speech.hearing import hear
from edge.speech.utterance import UtteranceEnd, UtteranceFrames, UtteranceHead
from edge.spool import kept_frames
from edge.spool.event import Event
from edge.spool.keeping import Keeping
from edge.spool.spool import FILE_NAME, Spool
from protos.feature_spec import DEFAULT_SPEC

SPEECH_FOLDER = Path(__file__).parents[1] / "tests" / "speech"
SENTENCES = ("weather", "berlin", "timer", "lights", "jazz", "latte", "mocha", "americano")
"""Of one utterance each."""

PAUSE_S = 1.2
ROOM_RMS = 10
LOOK_S = 0.05
DRAIN_S_MAX = 180.0
UNDER_WAY_MAX = 2
"""Exchanges; a person waits for an answer before the next order."""


class Journal:
    """Lines of JSON, each on its way to the kernel before anything else happens: a kill takes none back."""

    def __init__(self, file: Path) -> None:
        self.before = sum('"heard"' in line for line in file.read_text().splitlines()) if file.exists() else 0
        """Utterances that were begun in earlier runs."""
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def put(self, what: str, **facts: Any) -> None:
        line = json.dumps({"at_s": time.monotonic(), "pid": os.getpid(), "what": what} | facts)
        os.write(self._file, line.encode() + b"\n")


class Playlist:
    """A source: one sentence after the other with a quiet room between them, so many times as fast as they are spoken
    (0: as fast as can be)."""

    name = "playlist"

    def __init__(self, first: int, count: int, speed: float) -> None:
        self._sentences = [_sentence(name) for name in SENTENCES]
        self._first = first
        self._count = count
        self._speed = speed
        self._closed = threading.Event()

    def blocks(self) -> Iterator[Block]:
        began_s = time.monotonic()
        for number, samples in enumerate(rechunk(self._stretches()), 1):
            if self._speed:
                self._closed.wait(max(0.0, began_s + number * BLOCK_MS / 1000 / self._speed - time.monotonic()))
            if self._closed.is_set():
                return
            yield Block(samples)

    def close(self) -> None:
        self._closed.set()

    def _stretches(self) -> Iterator[Samples]:
        for number in range(self._first, self._count):
            yield _room()
            yield self._sentences[number % len(SENTENCES)]
        yield _room()


class ChaosBoard:
    """One run."""

    def __init__(self, settings: EdgeSettings, journal: Journal, synchronised: Path | None) -> None:
        """With a file `synchronised`, the clock counts as right while that exists."""
        clock = Clock(is_synchronised=synchronised.exists if synchronised else is_synchronised)
        settings.device.state_dir.mkdir(parents=True, exist_ok=True)
        self.chain: Chain = chain_of(_loaded(settings))
        self.spool = Spool(
            settings.device.state_dir / FILE_NAME,
            settings.spool,
            boot_id=boot_id(),
            coding=kept_frames.coding(DEFAULT_SPEC),
            hop_ms=DEFAULT_SPEC.frame_ms,
            on_event=self._tell,
        )
        self._keeping = Keeping(self.chain, self.spool, DEFAULT_SPEC, clock)
        self._session = Session(clock=clock)
        self._journal = journal
        self._over = threading.Event()
        self._append_s_max = 0.0

    def run(self, playlist: Playlist) -> bool:
        """Whether all was told and sent in time."""
        with self.spool, self._keeping:
            watch = threading.Thread(target=self._watch, daemon=True)
            watch.start()
            self._journal.put("ready")
            self._ask(playlist)
            drained = self._drain()
            self._over.set()
            watch.join()
        self._journal.put("over", drained=drained, dropped=self.spool.dropped, hand_over_s_max=self._append_s_max)
        return drained

    def _ask(self, playlist: Playlist) -> None:
        """As the daemon's hearing thread does."""
        exchanges: list[Exchange] = []
        for heard in hear(playlist, session=self._session):
            began_s = time.perf_counter()
            match heard:
                case UtteranceHead():
                    self._journal.put("heard", id=heard.utterance_id, unix_us=heard.started_at_unix_us)
                    began_s = time.perf_counter()
                    exchanges.append(Exchange(self._keeping, heard))
                case UtteranceEnd():
                    exchanges[-1].finish(heard)
                    self._journal.put("ended", id=exchanges[-1].head.utterance_id)
                    self._wait(exchanges)
                    continue
                case UtteranceFrames() | _:
                    exchanges[-1].send(heard)
            self._append_s_max = max(self._append_s_max, time.perf_counter() - began_s)

    def _wait(self, exchanges: list[Exchange]) -> None:
        exchanges[:] = [exchange for exchange in exchanges if not exchange.over]
        while len(exchanges) > UNDER_WAY_MAX:
            exchanges.pop(0).wait(DRAIN_S_MAX)

    def _drain(self) -> bool:
        until_s = time.monotonic() + DRAIN_S_MAX
        while time.monotonic() < until_s:
            try:
                if not self.spool.live and not self.spool.ask(lambda store: store.kept()).result(DRAIN_S_MAX):
                    return True
            except SpoolError:
                pass
            # Not time.sleep: libfaketime breaks that.
            self._over.wait(LOOK_S)
        return False

    def _tell(self, event: Event) -> None:
        told = {"kind": event.kind, "is_final": event.is_final, "may_act": event.may_act, "sentence": event.sentence}
        path = event.answer.path if event.answer else None
        self._journal.put("told", id=event.utterance_id, path=path, **told)

    def _watch(self) -> None:
        """Puts down who is there and how the disk is, whenever that changes."""
        before: dict[str, str | None] = {}
        while not self._over.wait(LOOK_S):
            now: dict[str, str | None] = {service.path: service.down for service in self.chain.services()}
            now |= {"disk": self.spool.trouble, "dropped": str(self.spool.dropped)}
            for name in now.keys() - before.keys() | {name for name in before if now[name] != before[name]}:
                self._journal.put("state", of=name, trouble=now[name])
            before = dict(now)


def _loaded(settings: EdgeSettings) -> Loaded[EdgeSettings]:
    """Where no address is given the board asks where it enrolled."""
    origins = {key.path: "the trial" for key in keys(EdgeSettings)}
    if settings.cloud.address == Cloud().address:
        origins["cloud.address"] = "default"
    return Loaded(settings, origins)


def _sentence(name: str) -> Samples:
    samples, rate_hz = soundfile.read(SPEECH_FOLDER / f"{name}.flac", dtype="int16")
    assert rate_hz == SAMPLE_RATE_HZ
    return np.asarray(samples, np.int16)


def _room() -> Samples:
    draw = np.random.default_rng(1)
    return draw.normal(0, ROOM_RMS, round(PAUSE_S * SAMPLE_RATE_HZ)).astype(np.int16)


@click.command()
@click.option("--settings", "encoded", required=True, help="EdgeSettings as JSON.")
@click.option("--journal", type=click.Path(path_type=Path), required=True)
@click.option("--utterances", type=int, required=True, help="So many of the playlist, earlier runs included.")
@click.option("--speed", type=float, default=1.0, help="Times real time; 0: no pace.")
@click.option("--synchronised", type=click.Path(path_type=Path), help="The clock is right while this file exists.")
def main(encoded: str, journal: Path, utterances: int, speed: float, synchronised: Path | None) -> None:
    """Say the rest of the playlist."""
    diary = Journal(journal)
    board = ChaosBoard(
        msgspec.json.decode(encoded, type=EdgeSettings, dec_hook=lambda kind, value: kind(value)), diary, synchronised
    )
    if not board.run(Playlist(diary.before, utterances, speed)):
        raise SystemExit("something still waits to be sent")


if __name__ == "__main__":
    main()
