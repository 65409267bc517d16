"""Boards that break the bounds of the wire, and connections that speak TLS or HTTP/2 and then hardly anything."""

import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import grpc

from benchmarks.mutants import said
from benchmarks.path import RECOGNISE
from common.addresses import Address
from protos import speech_pb2
from protos.enrolment_code import SERVICE_TLS_NAME

WAIT_S = 10.0
DRIP_S = 0.05
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, PING = 4, 6
MIB = 1 << 20


class Keys(NamedTuple):
    """What a board, or somebody who would be one, shows; all PEM."""

    trusted: bytes
    key: bytes | None = None
    certificate: bytes | None = None


class Breach(NamedTuple):
    """Requests that break a bound."""

    what: str
    wanted: str
    requests: tuple[bytes, ...]


def breaches() -> Iterator[Breach]:
    """All of them in an utterance of `mutants.BOARD` that is in order up to there."""
    raw, deflate = said(speech_pb2.CODEC_RAW).requests[0], said(speech_pb2.CODEC_DEFLATE).requests[0]
    yield Breach("a request of 2 MiB", "RESOURCE_EXHAUSTED", (raw, bytes(2 * MIB)))
    yield Breach("a request of 300 kB", "INVALID_ARGUMENT", (raw, bytes(300_000)))
    yield Breach("4,294,967,295 frames", "INVALID_ARGUMENT", (raw, _frames(0, 2**32 - 1, b"x")))
    yield Breach("no frames", "INVALID_ARGUMENT", (raw, _frames(0, 0, b"")))
    bomb = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = bomb.compress(bytes(200 * MIB)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    yield Breach(
        f"200 MiB in {len(packed) // 1000} kB of deflate", "INVALID_ARGUMENT", (deflate, _frames(0, 10, packed))
    )
    minute = tuple(_frames(first, 1000, bytes(80_000)) for first in range(0, 6000, 1000))
    yield Breach("a minute of speech in one breath", "INVALID_ARGUMENT", (raw, *minute))


def recognise(channel: grpc.Channel, requests: Iterable[bytes], **call: Any) -> str:
    """What an utterance meets."""
    return status_of(lambda: list(begun(channel, iter(requests), **call)))


def begun(channel: grpc.Channel, requests: Iterator[bytes], **call: Any) -> Any:
    """A call whose responses, bytes, can be read."""
    begin: Any = channel.stream_stream
    return begin(RECOGNISE)(requests, timeout=WAIT_S, **call)


def status_of(call: Callable[[], object]) -> str:
    """How it ended."""
    try:
        call()
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code.name
    return "OK"


@contextmanager
def many_streams(channel: grpc.Channel, number: int) -> Iterator[None]:
    """So many on one connection, each of which has said nothing yet, meanwhile."""
    over = threading.Event()

    def silent() -> Iterator[bytes]:
        over.wait(WAIT_S)
        yield from ()

    calls = [begun(channel, silent()) for _ in range(number)]
    try:
        yield
    finally:
        for call in calls:
            call.cancel()
        over.set()


@contextmanager
def deaf(channel: grpc.Channel, number: int) -> Iterator[None]:
    """So many utterances whose answers nobody reads, meanwhile."""
    requests = said(speech_pb2.CODEC_RAW).requests
    calls = [begun(channel, iter(requests)) for _ in range(number)]
    try:
        yield
    finally:
        for call in calls:
            call.cancel()


@contextmanager
def shaken_hands(address: Address, keys: Keys, number: int) -> Iterator[None]:
    """So many connections that say nothing after TLS has let them in, meanwhile."""
    with ExitStack() as opened:
        _open(opened, address, keys, number)
        yield


@contextmanager
def dripping(address: Address, keys: Keys, number: int) -> Iterator[None]:
    """So many connections that say a byte every now and then, meanwhile."""
    with ExitStack() as opened:
        connections = _open(opened, address, keys, number)
        opened.enter_context(_beside(lambda byte: _say(connections, byte), cycle(_one_by_one(PREFACE)), DRIP_S))
        yield


@contextmanager
def pinging(address: Address, keys: Keys, number: int) -> Iterator[None]:
    """So many connections that send pings as fast as they can and read no answer, meanwhile."""
    pings = 100 * _frame(PING, bytes(8))
    with ExitStack() as opened:
        connections = _open(opened, address, keys, number)
        _say(connections, PREFACE + _frame(SETTINGS))
        opened.enter_context(_beside(lambda some: _say(connections, some), repeat(pings), 0.0))
        yield


@contextmanager
def _beside(say: Callable[[bytes], None], parts: Iterator[bytes], pause_s: float) -> Iterator[None]:
    over = threading.Event()

    def saying() -> None:
        while not over.wait(pause_s):
            say(next(parts))

    thread = threading.Thread(target=saying)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _open(opened: ExitStack, address: Address, keys: Keys, number: int) -> list[ssl.SSLSocket]:
    """Connections with nothing said on them; each keeps its answers to itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=keys.trusted.decode())
    context.set_alpn_protocols(["h2"])
    if keys.key is not None and keys.certificate is not None:
        with TemporaryDirectory() as folder:
            pem = Path(folder) / "keys.pem"
            pem.touch(0o600)
            pem.write_bytes(keys.key + keys.certificate)
            context.load_cert_chain(pem)
    connections = []
    for _ in range(number):
        plain = socket.create_connection((address.host, address.port), WAIT_S)
        connection = opened.enter_context(context.wrap_socket(plain, server_hostname=SERVICE_TLS_NAME))
        connection.setblocking(False)
        connections.append(connection)
    return connections


def _say(connections: Iterable[ssl.SSLSocket], part: bytes) -> None:
    for connection in connections:
        # It is full, or the service hung up, as it may.
        with suppress(OSError):
            connection.send(part)


def _one_by_one(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


def _frame(kind: int, payload: bytes = b"") -> bytes:
    """Of HTTP/2, on no stream."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, 0]) + struct.pack(">I", 0) + payload


def _frames(first: int, count: int, data: bytes) -> bytes:
    frames = speech_pb2.Frames(first_frame=first, frame_count=count, data=data)
    return speech_pb2.RecognizeRequest(frames=frames).SerializeToString()
