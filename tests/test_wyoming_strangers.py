"""Whoever connects to a Wyoming port is a stranger: whatever they send, they get an end, and others are served."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wyoming.event import async_read_event
from wyoming.info import Describe
from wyoming.ping import Ping

from common.addresses import Address
from common.errors import InputError, SettingsError
from edge.sound.feed import WAITING_S_MAX, Feed
from edge.wyoming import connections, event_reader
from edge.wyoming.connections import Connection, Connections
from edge.wyoming.event_reader import EventReader
from edge.wyoming.sound import Decoder, SoundFormat
from tests.wyoming_peers import NOWHERE, WAIT_S, client_of, event, quiet


async def echo(connection: Connection) -> None:
    """Says pong."""
    while (came := await connection.next(WAIT_S, 1000)) is not None:
        await connection.write(came)


def read(sent: bytes, event_s_max: float = WAIT_S, idle_s_max: float = WAIT_S, *, eof: bool = True) -> Any:
    """The first event of these bytes."""

    async def read_it() -> Any:
        stream = asyncio.StreamReader(limit=event_reader.LINE_BYTES_MAX)
        stream.feed_data(sent)
        if eof:
            stream.feed_eof()
        return await EventReader(stream, event_s_max).next(idle_s_max, 1000)

    return asyncio.run(read_it())


def test_an_event_is_read_as_the_library_reads_it() -> None:
    sent = b'{"type": "a", "data": {"x": 1}, "data_length": 9, "payload_length": 3}\n{"y": 2 }abc'

    async def by_library() -> Any:
        stream = asyncio.StreamReader()
        stream.feed_data(sent)
        stream.feed_eof()
        return await async_read_event(stream)

    found = read(sent)
    assert found == asyncio.run(by_library())
    assert (found.type, found.data, found.payload) == ("a", {"x": 1, "y": 2}, b"abc")


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "no Wyoming event"),
        (b"[1]\n", "no Wyoming event"),
        (b'{"type": 7}\n', "no Wyoming event"),
        (b'{"type": "a", "data_length": -1}\n', "no Wyoming event"),
        (b'{"type": "a", "data_length": 1.5}\n', "no Wyoming event"),
        (b'{"type": "a", "data_length": 2}\n[]', "no Wyoming event"),
        (b'{"type": "a", "data": ' + b"[" * 60_000 + b"\n", "no Wyoming event"),
        (b'{"type": "a", "data": {"a":' + b'{"a":' * 9_000 + b"1" + b"}" * 9_001 + b"}\n", "no Wyoming event"),
        (b'{"type": "a", "payload_length": 1000000000000}\n', "bytes of sound"),
        (b'{"type": "a", "data_length": 1000000000000}\n', "bytes of data"),
        (b"x" * (event_reader.LINE_BYTES_MAX + 10), "longer than"),
    ],
    ids=lambda value: str(value[:40]),
)
def test_what_is_no_event_or_too_much_is_named(sent: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read(sent)


def test_who_is_too_slow_is_told_and_who_says_nothing_is_let_go() -> None:
    with pytest.raises(InputError, match=r"not whole after 0\.05 s"):
        read(b'{"type"', event_s_max=0.05, eof=False)
    assert read(b"", idle_s_max=0.05, eof=False) is None
    assert read(b'{"type"') is None


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.recursive(st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode))
def test_any_bytes_are_an_event_a_sentence_or_an_end(sent: bytes) -> None:
    with suppress(InputError):
        read(sent + b"\n")


def run(talk: Callable[[Connections], Awaitable[None]], connections_max: int = 64) -> None:
    async def all_of_it() -> None:
        async with Connections(NOWHERE, echo, connections_max) as server:
            await talk(server)

    asyncio.run(all_of_it())


def test_a_thousand_silent_connections_keep_nobody_out() -> None:
    async def talk(server: Connections) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", server.address.port) for _ in range(1000)]
        async with client_of(server) as client:
            await client.write_event(Ping("there?").event())
            assert (await event(client, "ping")).data["text"] == "there?"
        assert len(server) <= 64
        for _, writer in silent:
            writer.transport.abort()
        await asyncio.sleep(0)

    run(talk)


def test_garbage_gets_a_sentence_and_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(server: Connections) -> None:
        for _ in range(3):
            async with client_of(server) as client:
                client._writer.write(b"GET / HTTP/1.1\r\n\r\n")  # type: ignore[union-attr]
                assert "no Wyoming event" in (await event(client, "error")).data["text"]
                assert await client.read_event() is None

    caplog.set_level("INFO")
    run(talk)
    assert caplog.text == ""


def test_speech_that_is_under_way_makes_room_for_nobody() -> None:
    async def busy(connection: Connection) -> None:
        connection.busy = True
        await echo(connection)

    async def all_of_it() -> None:
        async with Connections(NOWHERE, busy, 1) as server, client_of(server) as first, client_of(server) as second:
            assert await asyncio.wait_for(second.read_event(), WAIT_S) is None
            await first.write_event(Describe().event())
            assert (await event(first, "describe")).type == "describe"

    asyncio.run(all_of_it())


def test_who_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WRITE_S_MAX", 0.1)
    gone = asyncio.Event()

    async def flood(connection: Connection) -> None:
        try:
            while True:
                await connection.write(Ping("x" * 100_000).event())
        finally:
            gone.set()

    async def all_of_it() -> None:
        async with Connections(NOWHERE, flood) as server, client_of(server):
            await asyncio.wait_for(gone.wait(), WAIT_S)

    asyncio.run(all_of_it())


def test_a_fault_of_ours_ends_one_connection_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(connection: Connection) -> None:
        raise ZeroDivisionError("oh")

    async def all_of_it() -> None:
        async with Connections(NOWHERE, broken) as server:
            for _ in range(2):
                async with client_of(server) as client:
                    assert await asyncio.wait_for(client.read_event(), WAIT_S) is None

    asyncio.run(all_of_it())
    assert caplog.text.count("ended with ZeroDivisionError") == 2


def test_a_port_that_is_taken_is_told() -> None:
    async def talk(server: Connections) -> None:
        with pytest.raises(SettingsError, match=r"wyoming\.listen is 127\.0\.0\.1:\d+: it cannot be listened on"):
            async with Connections(Address("127.0.0.1", server.address.port), echo):
                pass

    run(talk)


def test_who_sends_faster_than_is_heard_waits() -> None:
    async def all_of_it() -> None:
        feed = Feed("test")
        filling = asyncio.ensure_future(feed.put(quiet(WAITING_S_MAX + 1)))
        await asyncio.sleep(0)
        assert not filling.done()
        feed.end()
        await asyncio.wait_for(filling, WAIT_S)
        await feed.put(quiet(1))
        assert len(list(feed.blocks())) == round(50 * (WAITING_S_MAX + 1))

    asyncio.run(all_of_it())


def test_what_is_abandoned_is_not_heard() -> None:
    async def all_of_it() -> None:
        feed = Feed("test")
        await feed.put(quiet(1))
        feed.close()
        assert list(feed.blocks()) == []

    asyncio.run(all_of_it())


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_sound_of_any_width_cut_anywhere_is_the_same(width: int, channels: int) -> None:
    drawn = np.random.default_rng(1)
    full = 2 ** (8 * width - 1)
    samples = drawn.integers(-full, full, (500, channels))
    samples[0], samples[1] = -full, full - 1
    pcm = b"".join(int(sample).to_bytes(width, "little", signed=True) for sample in samples.ravel())
    wanted = np.clip(np.rint(samples.mean(axis=1) / full * 32768), -32768, 32767)
    decoder = Decoder(SoundFormat(16_000, width, channels))
    cuts = [0, 1, 2, 7, 100, len(pcm)]
    found = np.concatenate([decoder.push(pcm[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)])
    assert np.abs(found - wanted).max() <= 1
    assert found.dtype == np.int16
