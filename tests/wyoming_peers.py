"""Both ends of a Wyoming connection in one event loop: what serves is ours, what asks is the library's own client."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event

from common.addresses import Address
from edge.sound.source import SAMPLE_RATE_HZ, Samples, Source
from edge.speech.hearing import hear
from edge.speech.turn import Turn
from edge.speech.utterance import Heard
from edge.wyoming.connections import Connection, Connections

WAIT_S = 10.0
NOWHERE = Address("127.0.0.1", 0)


@asynccontextmanager
async def client_of(server: Connections) -> AsyncIterator[AsyncTcpClient]:
    client = AsyncTcpClient("127.0.0.1", server.address.port)
    await client.connect()
    try:
        yield client
    finally:
        # The other side may have closed it before all was sent.
        client._writer.transport.abort()  # type: ignore[union-attr]
        await asyncio.sleep(0)


@asynccontextmanager
async def served(serve: Callable[[Connection], Awaitable[None]]) -> AsyncIterator[AsyncTcpClient]:
    """A client of a server of its own."""
    async with Connections(NOWHERE, serve) as server, client_of(server) as client:
        yield client


async def events(client: AsyncTcpClient, until: str) -> list[Event]:
    """What comes, up to the first event of that type."""
    found: list[Event] = []
    while not found or found[-1].type != until:
        event = await asyncio.wait_for(client.read_event(), WAIT_S)
        assert event is not None, f"closed after {[one.type for one in found]}"
        found.append(event)
    return found


async def event(client: AsyncTcpClient, kind: str) -> Event:
    """The first event of that type."""
    return (await events(client, kind))[-1]


def pieces(samples: Samples, chunk_samples: int = 1024) -> Iterator[Event]:
    """A stretch of sound as a client sends it."""
    yield AudioStart(SAMPLE_RATE_HZ, 2, 1).event()
    for start in range(0, len(samples), chunk_samples):
        pcm = samples[start : start + chunk_samples].astype("<i2").tobytes()
        yield AudioChunk(SAMPLE_RATE_HZ, 2, 1, pcm).event()
    yield AudioStop().event()


def plain_hear(source: Source, turn: Turn) -> Iterator[Heard]:
    return hear(source, turn=turn)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.int16)


@contextmanager
def board(*options: str, **settings: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """A running `parrotlet-edge wyoming`, and its port. `settings`: section_key=value, or PATH."""
    environment = {name if name.isupper() else f"PARROTLET_EDGE_{name.upper()}": settings[name] for name in settings}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "edge", "wyoming", *options]
    with subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0"], env=os.environ | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            ready = next(line for line in process.stderr if "ready on" in line)
            yield int(ready.rpartition(":")[2]), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            process.wait(WAIT_S)


@contextmanager
def player(folder: Path, script: str = 'cat > "$0.pcm"; echo "$@" > "$0.options"') -> Iterator[Path]:
    """A program that keeps what it is given to play."""
    program = folder / "aplay"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    yield program
