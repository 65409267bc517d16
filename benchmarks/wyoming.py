"""Speech to text over Wyoming: who should cut a command, its client or this board?

    scripts/bench wyoming --data DIR [--clips N]

Recordings of `sentences` go through the library's own client, the Wyoming port and a service. Three ways to hear them:
as they are (`whole`), from the gate's onset to the client's end (`onset`), and cut by the board's own endpoint
(`cut`, which is what ships). First as recordings, as fast as they go: word errors. Then at the pace of speech, in a
quiet room: word errors, and from the last sound of speech to the transcript. A client of `whole` and `onset` ends
the sound 0.7 s after the last speech, as Home Assistant does by default; one of `cut` does not.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Info

from benchmarks import corpus, path
from benchmarks.accuracy import error_rate, spread
from benchmarks.figures import p50_p95, progress
from common.addresses import Address
from edge.asking.chain import Chain
from edge.asking.chain_stream import Member
from edge.asking.cloud_client import CloudClient
from edge.asking.link import Link
from edge.asking.network import Network
from edge.settings import Cloud, Segmenter
from edge.sound.source import BLOCK_SAMPLES, SAMPLE_RATE_HZ, Block, Samples, Source
from edge.speech.gate_model import GateModel
from edge.speech.hearing import hear
from edge.speech.turn import Turn
from edge.speech.utterance import Heard, UtteranceEnd, UtteranceHead
from edge.speech.vad import JudgedGate
from edge.wyoming.connections import Connection, Connections
from edge.wyoming.speech_client import Desk, SpeechClient, Wanted
from edge.wyoming.transcription import Hear, Transcription

CLIENT_WAITS_S = 0.7
QUIET_S = 20.0
ROOM_DBFS = -65.0
SEED = 1
PATIENCE_S = 60.0


class Everything(JudgedGate):
    """Calls all that it hears speech."""

    def is_speech(self, samples: Samples) -> bool:
        super().is_speech(samples)
        return True


def whole(source: Source, turn: Turn) -> Iterator[Heard]:
    return hear(source, gate=Everything(GateModel()))


def onset(source: Source, turn: Turn) -> Iterator[Heard]:
    # No pause ends it but a very long one.
    return hear(
        source, segmenter=msgspec.structs.replace(Segmenter(), hang_over_ms=5000, hang_over_ms_min=5000), turn=turn
    )


def cut(source: Source, turn: Turn) -> Iterator[Heard]:
    return hear(source, turn=turn)


WAYS: dict[str, Hear] = {"whole": whole, "onset": onset, "cut": cut}


class Told(NamedTuple):
    """What a client got."""

    text: str
    after_s: float
    """After the last sound of speech."""


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of recordings.")
@click.option("--clips", type=int, default=100, show_default=True, help="So many, evenly spread.")
@click.option("--live", type=int, default=30, show_default=True, help="Of these, so many at the pace of speech.")
def main(data: Path, clips: int, live: int) -> None:
    """Measure who should cut."""
    recordings = spread(corpus.sentences(data), clips)
    with tempfile.TemporaryDirectory() as state, path.service(Path(state)) as service:
        print(f"\n| {len(recordings)} recordings, as fast as they go | word errors |\n|---|---|")
        for name, way in WAYS.items():
            told = asyncio.run(ask(service.address, way, recordings, live=False, ends=True))
            rate = error_rate([clip.text for clip in recordings], [one.text for one in told])
            print(f"| {name} | {rate:.3f} |", flush=True)
        recordings = spread(recordings, live)
        print(f"\n| {len(recordings)} at the pace of speech | word errors | last sound to transcript, ms, p50 / p95 |")
        print("|---|---|---|")
        for name, way in WAYS.items():
            told = asyncio.run(ask(service.address, way, recordings, live=True, ends=name != "cut"))
            rate = error_rate([clip.text for clip in recordings], [one.text for one in told])
            print(f"| {name} | {rate:.3f} | {p50_p95([one.after_s * 1000 for one in told])} |", flush=True)


async def ask(address: str, way: Hear, clips: list[corpus.Clip], *, live: bool, ends: bool) -> list[Told]:
    """Each clip on a connection of its own, one after the other."""
    network = Network()
    client = CloudClient(Cloud(address=address, answer_s_max=PATIENCE_S), device_id="bench", network=network)
    chain = Chain(network, [Member("cloud", client, Link(client), PATIENCE_S, PATIENCE_S)])

    def begin(wanted: Wanted, on_text: Callable[[str], None]) -> Transcription:
        return Transcription(chain, way, answer_s_max=PATIENCE_S, on_text=on_text)

    async def info() -> Event:
        return Info().event()

    async def check(wanted: Wanted) -> None:
        pass

    desk = Desk(begin, info, check, 1)

    async def serve(connection: Connection) -> None:
        await SpeechClient(connection, desk, PATIENCE_S).serve()

    found = []
    with chain:
        async with Connections(Address("127.0.0.1", 0), serve) as server:
            for number, clip in enumerate(clips):
                progress(f"{number} of {len(clips)}")
                found.append(await one(server.address.port, corpus.read(clip.file), live=live, ends=ends))
    return found


async def one(port: int, sound: corpus.Sound, *, live: bool, ends: bool) -> Told:
    speech_end_s = _speech_end_s(sound)
    if live:
        draw = np.random.default_rng(SEED)
        room = draw.normal(0, 10 ** (ROOM_DBFS / 20), round(QUIET_S * SAMPLE_RATE_HZ)).astype(np.float32)
        sound = np.concatenate([sound, room])
        if ends:
            sound = sound[: round((speech_end_s + CLIENT_WAITS_S) * SAMPLE_RATE_HZ)]
    samples = np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2")
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(AudioStart(SAMPLE_RATE_HZ, 2, 1).event())
        began_s = time.monotonic()

        async def send() -> None:
            for start in range(0, len(samples), BLOCK_SAMPLES):
                end_s = (start + BLOCK_SAMPLES) / SAMPLE_RATE_HZ
                if live:
                    await asyncio.sleep(max(0.0, began_s + end_s - time.monotonic()))
                pcm = samples[start : start + BLOCK_SAMPLES].tobytes()
                await client.write_event(AudioChunk(SAMPLE_RATE_HZ, 2, 1, pcm).event())
            if ends:
                await client.write_event(AudioStop().event())

        sending = asyncio.ensure_future(send())
        while (event := await asyncio.wait_for(client.read_event(), PATIENCE_S)) is None or event.type != "transcript":
            if event is None or event.type == "error":
                raise RuntimeError(f"no transcript: {event}")
        after_s = time.monotonic() - began_s - speech_end_s
        sending.cancel()
        await asyncio.wait((sending,))
        return Told(event.data["text"], after_s)


class _Read:
    """A Source of a recording."""

    name = "recording"

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def blocks(self) -> Iterator[Block]:
        for start in range(0, len(self.samples) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            yield Block(self.samples[start : start + BLOCK_SAMPLES])

    def close(self) -> None:
        pass


def _speech_end_s(sound: corpus.Sound) -> float:
    """Where the gate hears the last speech; the end of all, where it hears none."""
    end_ms, start_ms = 0, 0
    for heard in hear(_Read(np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16))):
        match heard:
            case UtteranceHead():
                start_ms = heard.stream_start_ms
            case UtteranceEnd():
                end_ms = start_ms + heard.speech_end_ms
    return end_ms / 1000 if end_ms else len(sound) / SAMPLE_RATE_HZ


if __name__ == "__main__":
    main()
