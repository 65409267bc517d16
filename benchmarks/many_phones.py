"""Phones that look at a board's page by TLS and speak into it, in a process of their own. Started by
`benchmarks/page_phones.py`, which says on standard input what they do next and reads what came of it.

Each has an address of its own, as on a network. "speak": the first few speak, sentence after sentence in real time;
"hush": they end with the sentence they are in; "end": all go.
"""

import asyncio
import itertools
import json
import ssl
import struct
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from benchmarks import corpus

PIECE_SAMPLES = 640
PAUSE_S = 1.5
QUIET = 1e-3
SETTLE_S = 1.0
COME_S = 0.1
"""Between two that come."""


class Onlooker:
    """One phone."""

    def __init__(self, number: int, port: int, cookie: dict[str, str], context: ssl.SSLContext) -> None:
        self.phone = cookie["phone"]
        self.kinds: Counter[str] = Counter()
        """Of events that came."""
        self.numbers: list[int] = []
        """Of answers that came with one."""
        self.streams = 0
        """Times that it had to begin to look on."""
        self.said = 0
        """Sentences."""
        self.late_s_max = 0.0
        """How far its sound was behind real time at most."""
        self.told: list[str] = []
        """What the board says of its sound."""
        self._port, self._context = port, context
        self._address = (f"127.0.1.{number + 1}", 0)
        self._cookie = f"{cookie['name']}={cookie['value']}"

    async def look(self, seen: asyncio.Event) -> None:
        """For ever."""
        while True:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self._port, ssl=self._context, server_hostname="localhost", local_addr=self._address
            )
            last = f"?after={self.numbers[-1]}" if self.numbers else "?last=0"
            head = f"GET /events{last} HTTP/1.1\r\nHost: localhost:{self._port}\r\nCookie: {self._cookie}\r\n\r\n"
            writer.write(head.encode())
            self.streams += 1
            await self._take(reader, seen)
            writer.close()
            await asyncio.sleep(SETTLE_S)

    async def _take(self, reader: asyncio.StreamReader, seen: asyncio.Event) -> None:
        """Until the stream ends; seen: the board has said who it is."""
        kind, number = "", None
        with suppress(OSError):
            while line := await reader.readline():
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "id":
                    number = int(value)
                elif not name and kind:
                    self.kinds[kind] += 1
                    if number is not None:
                        self.numbers.append(number)
                    kind, number = "", None
                    seen.set()

    async def speak(self, sentences: list[corpus.Sound], hush: asyncio.Event) -> None:
        """Until it is to be quiet."""
        async with connect(
            f"wss://localhost:{self._port}/microphone",
            host="127.0.0.1",
            port=self._port,
            ssl=self._context,
            origin=Origin(f"https://localhost:{self._port}"),
            additional_headers={"Cookie": self._cookie},
            local_addr=self._address,
            compression=None,
        ) as socket:
            await socket.send(json.dumps({"rate_hz": corpus.RATE_HZ, "mode": "hands-free"}))
            listening = asyncio.ensure_future(self._listen(socket))
            with suppress(ConnectionClosed):
                await self._say(socket, sentences, hush)
                await socket.send(json.dumps({"end": True}))
            await listening

    async def _say(self, socket: ClientConnection, sentences: list[corpus.Sound], hush: asyncio.Event) -> None:
        draw = np.random.default_rng(1)
        pause = draw.normal(0, QUIET, int(PAUSE_S * corpus.RATE_HZ)).astype(np.float32)
        loop = asyncio.get_running_loop()
        began_s, first = loop.time(), 0
        for sentence in itertools.cycle(sentences):
            if hush.is_set():
                return
            self.said += 1
            sound = (np.clip(np.concatenate([pause, sentence, pause]), -1, 1) * 32767).astype("<i2")
            for start in range(0, len(sound), PIECE_SAMPLES):
                piece = sound[start : start + PIECE_SAMPLES]
                first += len(piece)
                due_s = began_s + first / corpus.RATE_HZ
                await asyncio.sleep(max(0.0, due_s - loop.time()))
                await socket.send(struct.pack("<I", (first - len(piece)) % 2**32) + piece.tobytes())
                self.late_s_max = max(self.late_s_max, loop.time() - due_s)

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            if "sentence" in (said := json.loads(message)):
                self.told.append(json.dumps(said))

    def findings(self) -> dict[str, Any]:
        return {
            "phone": self.phone,
            "kinds": self.kinds,
            "numbers": self.numbers,
            "streams": self.streams,
            "said": self.said,
            "late_s_max": self.late_s_max,
            "told": self.told,
        }


async def run(port: int, cookies: list[dict[str, str]], speaking: int, sounds: list[corpus.Sound]) -> None:
    """Until it is told to end."""
    context = ssl.create_default_context()
    # The board's own certificate, which a visitor looks at and accepts.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    phones = [Onlooker(number, port, cookie, context) for number, cookie in enumerate(cookies)]
    looking = []
    for phone in phones:
        seen = asyncio.Event()
        looking.append(asyncio.ensure_future(phone.look(seen)))
        await asyncio.sleep(COME_S)
        await seen.wait()
    print("looking", flush=True)
    hush, talking = asyncio.Event(), []
    while (word := (await asyncio.to_thread(sys.stdin.readline)).strip()) not in ("end", ""):
        if word == "speak":
            for number, phone in enumerate(phones[:speaking]):
                own = sounds[number::speaking]
                talking.append(asyncio.ensure_future(phone.speak(own, hush)))
        elif word == "hush":
            hush.set()
            await asyncio.gather(*talking)
        print(word, flush=True)
    print(json.dumps([phone.findings() for phone in phones]), flush=True)
    for one in looking:
        one.cancel()
    await asyncio.gather(*looking, return_exceptions=True)


@click.command()
@click.option("--port", type=int, required=True, help="Of the page.")
@click.option("--cookies", type=click.Path(path_type=Path), required=True, help="JSON: [{phone, name, value}].")
@click.option("--speaking", type=int, required=True, help="How many of them speak.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def main(port: int, cookies: Path, speaking: int, files: tuple[Path, ...]) -> None:
    """Look on, and speak what is in the files."""
    sounds = [corpus.read(file) for file in files]
    asyncio.run(run(port, json.loads(cookies.read_text()), speaking, sounds))


if __name__ == "__main__":
    main()
