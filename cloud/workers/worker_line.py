"""What the service and a worker process say to each other: msgpack messages, each after its length.

The same messages would do over a socket to another machine.
"""

import asyncio
from typing import BinaryIO

import msgspec

from cloud.decoders import Hypothesis, Task

MESSAGE_BYTES_MAX = 8 << 20
_LENGTH_BYTES = 4


class Begin(msgspec.Struct, frozen=True, tag=True):
    """To the worker: a new utterance."""

    job: int
    task: Task


class Feed(msgspec.Struct, frozen=True, tag=True):
    """To the worker: the next frames, one byte a level. Answered by Progress."""

    job: int
    levels: bytes


class Finish(msgspec.Struct, frozen=True, tag=True):
    """To the worker: everything was fed. Answered by Done or Failed."""

    job: int


class Drop(msgspec.Struct, frozen=True, tag=True):
    """To the worker: nobody wants this utterance any more."""

    job: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """From the worker, first: the engine is loaded and warm."""

    engine: str
    model: str


class Unusable(msgspec.Struct, frozen=True, tag=True):
    """From the worker, in place of Ready: the engine cannot be loaded; the worker ends."""

    why: str
    """A sentence."""


class Progress(msgspec.Struct, frozen=True, tag=True):
    """From the worker: frames were decoded."""

    job: int
    frames: int
    """As many as the Feed brought."""
    text: str | None
    """Words so far; None: this engine has no partials."""
    worked_s: float = 0.0
    """What it took."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """From the worker: the hypothesis; the job is gone."""

    job: int
    hypothesis: Hypothesis
    worked_s: float = 0.0
    """What finishing took."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """From the worker: this utterance cannot be decoded; the job is gone."""

    job: int
    why: str


ToWorker = Begin | Feed | Finish | Drop
FromWorker = Ready | Unusable | Progress | Done | Failed

_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def pack(message: ToWorker | FromWorker) -> bytes:
    """A message with its length before it."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "little") + body


def read_to_worker(stream: BinaryIO) -> ToWorker | None:
    """The next message, waited for; None when the service is gone."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "little")
    body = stream.read(length)
    if len(body) < length:
        return None
    message: ToWorker = _to_worker.decode(body)
    return message


async def read_from_worker(stream: asyncio.StreamReader) -> FromWorker | None:
    """The next message; None when the worker is gone, or says what no worker would."""
    try:
        length = int.from_bytes(await stream.readexactly(_LENGTH_BYTES), "little")
        if length > MESSAGE_BYTES_MAX:
            return None
        message: FromWorker = _from_worker.decode(await stream.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError):
        return None
    return message
